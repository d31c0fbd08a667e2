"""Spectra through the telescope, ready to be drawn from: rates and inverse distributions.

A spectrum is tabulated at nodes (temperature, photon index) and in parts that add linearly (without
metals, per solar metallicity), folded with the effective area at each off-axis angle. An emitter
between two nodes is the exact mixture of both, so the rate that is interpolated and the photons
that are drawn belong to one and the same model.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.instrument import Instrument, Redistribution, Response, Vignetting
from icmass.simulate.photons.inverse_cdf_kernels import fill_guide
from icmass.simulate.view import View

__all__ = ["FoldedSpectra", "with_second_part"]

Floats = NDArray[np.float64]

# Spacing of the off-axis angles of a pointed observation; vignetting is smooth over several arcmin.
_THETA_STEP_ARCMIN = 4.0

# Entries of the guide per spectrum: a draw then looks at about two bins (1,000 bins, 512 entries).
_GUIDE_SIZE = 512


@dataclass(frozen=True, eq=False)
class FoldedSpectra:
    """Detected photons per second and unit norm, by angle, node, part and photon energy.

    Attributes
    ----------
    theta_arcmin : ndarray, shape (n_theta,)
        Off-axis angles of the table; a single 0 where the angle does not matter.
    rate : ndarray, shape (n_theta, n_node, n_part)
        Counts/s per unit norm, all energies together.
    cdf : float32 ndarray, shape (n_theta, n_node, n_part, n_e)
        Cumulative distribution over the photon-energy bins of the response, last entry 1.
    guide : int16 ndarray, shape (n_theta, n_node, n_part, n_guide)
        First bin to look at for each equal slice of probability.
    redistribution : Redistribution
        Where the energies go in the detector.
    """

    theta_arcmin: Floats
    rate: Floats
    cdf: NDArray[np.float32]
    guide: NDArray[np.int16]
    redistribution: Redistribution

    @classmethod
    def build(
        cls,
        photons: Floats,
        response: Response,
        *,
        vignetting: Vignetting | None = None,
        theta_arcmin: Floats | None = None,
        area: bool = True,
    ) -> "FoldedSpectra":
        """Fold spectra with a response.

        Parameters
        ----------
        photons : ndarray, shape (n_node, n_part, n_e), n_part 1 or 2
            Photons/s/cm^2 per energy bin of the response and unit norm; counts/s where `area` is
            false.
        response : Response
            Effective area and redistribution.
        vignetting : Vignetting, optional
            Loss off axis; needs `theta_arcmin`.
        theta_arcmin : ndarray, shape (n_theta,), optional
            Off-axis angles to tabulate, ascending from 0.
        area : bool
            False for what does not pass the mirrors (particles).

        Returns
        -------
        FoldedSpectra

        Raises
        ------
        InputError
            If the shapes do not match or a spectrum is negative or not finite.
        """
        redistribution = response.redistribution
        n_e = len(redistribution.energy_edges_kev) - 1
        photons = np.asarray(photons, dtype=np.float64)
        if photons.ndim != 3 or photons.shape[1] not in (1, 2) or photons.shape[2] != n_e:
            raise InputError(
                f"photons: must have shape (n_node, 1 or 2, {n_e}); got {photons.shape}."
            )
        if not np.isfinite(photons).all() or (photons < 0).any():
            raise InputError("photons: spectra must be finite and not negative.")
        seen = photons * redistribution.row_sum * (response.area_cm2 if area else 1.0)
        theta = np.zeros(1) if theta_arcmin is None else np.asarray(theta_arcmin, dtype=np.float64)
        spectra = seen[None]
        if vignetting is not None and theta_arcmin is not None:
            loss = vignetting.factor(redistribution.energy_kev, theta)
            spectra = seen[None] * loss[:, None, None, :]
        cumulative = np.cumsum(spectra, axis=-1)
        rate = cumulative[..., -1].copy()
        cumulative /= np.where(rate > 0, rate, 1.0)[..., None]
        cdf = np.ascontiguousarray(cumulative, dtype=np.float32)
        cdf[..., -1] = 1.0
        guide = np.empty((*rate.shape, _GUIDE_SIZE), dtype=np.int16)
        fill_guide(cdf.reshape(-1, n_e), guide.reshape(-1, _GUIDE_SIZE))
        return cls(theta, rate, cdf, guide, redistribution)

    @classmethod
    def for_view(
        cls, photons: Floats, instrument: Instrument, view: View, *, area: bool = True
    ) -> "FoldedSpectra":
        """Fold with the response that an instrument has in a view.

        The survey response is averaged over the field already; a pointed one loses photons off
        axis.

        Parameters
        ----------
        photons : ndarray, shape (n_node, n_part, n_e)
            As for `build`, whose errors are raised.
        instrument : Instrument
            Gives response and vignetting.
        view : View
            Gives mode and field.
        area : bool
            False for what does not pass the mirrors (particles).

        Returns
        -------
        FoldedSpectra
        """
        response = instrument.response(view.mode)
        if view.mode == "survey" or not area:
            return cls.build(photons, response, area=area)
        # Beyond the field by one step, so that light scattered in from outside is in the table.
        outermost = view.width_arcsec / 120.0 + _THETA_STEP_ARCMIN
        theta = np.arange(0.0, outermost + _THETA_STEP_ARCMIN, _THETA_STEP_ARCMIN)
        return cls.build(photons, response, vignetting=instrument.vignetting, theta_arcmin=theta)

    @property
    def two_parts(self) -> Floats:
        """Rates with the second part there, shape (n_theta, n_node, 2); zero where it is none."""
        return with_second_part(self.rate)

    def band_rate(self, lo_kev: float, hi_kev: float) -> Floats:
        """Counts/s per unit norm whose measured energy lies in [`lo_kev`, `hi_kev`).

        Returns
        -------
        ndarray, shape (n_theta, n_node, n_part)
            Not to be written to: it is kept for the next emitters of these spectra.
        """
        return _band_rate(self, lo_kev, hi_kev)


def with_second_part(rate: Floats) -> Floats:
    """Return `rate`, shape (n_theta, n_node, 1 or 2), with two parts; a missing one is zero."""
    return rate if rate.shape[2] == 2 else np.concatenate([rate, np.zeros_like(rate)], axis=2)


@lru_cache(maxsize=64)
def _band_rate(spectra: FoldedSpectra, lo_kev: float, hi_kev: float) -> Floats:
    recorded = spectra.redistribution.row_sum
    chance = spectra.redistribution.band_probability(lo_kev, hi_kev)
    chance = np.divide(chance, recorded, out=np.zeros_like(chance), where=recorded > 0)
    share = np.diff(spectra.cdf.astype(np.float64), axis=-1, prepend=0.0) @ chance
    rate: Floats = spectra.rate * share
    rate.flags.writeable = False
    return rate
