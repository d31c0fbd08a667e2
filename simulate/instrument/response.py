"""How many counts per second a photon flux gives in each channel.

A response is effective area times redistribution: photons/s/cm^2 per energy bin go in, counts/s
per channel come out. Energies in keV, areas in cm^2.
"""

from dataclasses import dataclass

import numpy as np

from icmass.errors import InputError
from icmass.simulate.instrument.redistribution import Redistribution

__all__ = ["Response"]


@dataclass(frozen=True, eq=False)
class Response:
    """Effective area and redistribution on one energy grid.

    Parameters
    ----------
    redistribution : Redistribution
        Probability of the channels for each energy bin.
    area_cm2 : (n_e,) float64
        Effective area of all telescope modules together, per energy bin.

    Raises
    ------
    InputError
        If the area does not have one finite, non-negative value per energy bin.
    """

    redistribution: Redistribution
    area_cm2: np.ndarray

    def __post_init__(self) -> None:
        n_energy = self.redistribution.n_energy
        if self.area_cm2.shape != (n_energy,):
            raise InputError(
                f"effective area: must have one value for each of the {n_energy} energy bins; "
                f"got shape {self.area_cm2.shape}."
            )
        bad = ~(np.isfinite(self.area_cm2) & (self.area_cm2 >= 0.0))
        if np.any(bad):
            raise InputError(
                f"effective area: must be finite and >= 0 cm^2; got {int(bad.sum())} values that "
                f"are not, the first {self.area_cm2[bad][0]} in energy bin {int(np.argmax(bad))}."
            )

    def fold(self, photons_per_bin: np.ndarray) -> np.ndarray:
        """Fold a photon spectrum into counts.

        Parameters
        ----------
        photons_per_bin : (..., n_e) array
            Photons/s/cm^2 in each energy bin.

        Returns
        -------
        (..., n_c) float64
            Counts/s in each channel.
        """
        detected = np.asarray(photons_per_bin, dtype=np.float64) * self.area_cm2
        n_energy = self.redistribution.n_energy
        counts = detected.reshape(-1, n_energy) @ self.redistribution.sparse
        return counts.reshape(*detected.shape[:-1], self.redistribution.n_channel)

    def band_area_cm2(self, lo_kev: float, hi_kev: float) -> np.ndarray:
        """Area times the probability of recording the photon in a band, shape (n_e,), cm^2.

        The band is [`lo_kev`, `hi_kev`) of channel energy. Its product with photons/s/cm^2 per bin,
        summed, is the count rate in the band.
        """
        return self.area_cm2 * self.redistribution.band_probability(lo_kev, hi_kev)
