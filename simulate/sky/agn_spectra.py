"""What AGN shine: power laws of scattered slope, a minority of them behind gas of their own.

Each spectrum has unit flux in 0.5-2 keV as observed, after the absorption in the source and before
that of the Galaxy. They are tabulated over (absorber, photon index); an AGN between two photon
indices is the mixture of both neighbours, and fluxes are exact for the mixture too.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.emission.absorption import bin_transmission
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.sky.literature import literature

__all__ = ["FLUX_BAND_KEV", "AgnSpectra"]

Floats = NDArray[np.float64]

FLUX_BAND_KEV = (0.5, 2.0)

_FLUX_BINS = 400


@dataclass(frozen=True)
class AgnSpectra:
    """The population of AGN spectra.

    Attributes
    ----------
    photon_index : tuple of float
        Grid, ascending.
    mean, scatter, cut : float
        Gaussian of the photon index, clipped at `cut` standard deviations.
    absorber_nh_cm2, absorber_share : tuple of float
        Columns in the sources and the shares of AGN that have them, which sum to 1.
    """

    photon_index: tuple[float, ...]
    mean: float
    scatter: float
    cut: float
    absorber_nh_cm2: tuple[float, ...]
    absorber_share: tuple[float, ...]

    @staticmethod
    @cache
    def default() -> "AgnSpectra":
        """Return the population of the literature."""
        values = literature("agn")["spectra"]
        mean, scatter = values["photon_index"], values["photon_index_scatter"]
        cut, step = values["photon_index_cut"], values["photon_index_step"]
        steps = int(np.ceil(cut * scatter / step - 1e-9))
        grid = mean + step * np.arange(-steps, steps + 1)
        return AgnSpectra(
            photon_index=tuple(grid.tolist()),
            mean=mean,
            scatter=scatter,
            cut=cut,
            absorber_nh_cm2=tuple(values["absorber_nh_cm2"]),
            absorber_share=tuple(values["absorber_share"]),
        )

    def photons(self, edges_kev: Floats, redshift: float = 0.0) -> Floats:
        """Spectra of unit flux, before Galactic absorption.

        Parameters
        ----------
        edges_kev : ndarray, shape (n + 1,)
            Observed energies.
        redshift : float
            Where the absorbers are. For AGN of unknown redshift 0: the column is then the one that
            absorbs as much at redshift 0.

        Returns
        -------
        ndarray, shape (n_absorber * n_index, n)
            Photons/s/cm^2 per bin for 1 erg/s/cm^2 in 0.5-2 keV observed.
        """
        shapes = self._shapes(edges_kev, redshift)
        return shapes / self._band_flux(FLUX_BAND_KEV, redshift)[:, None]

    def rest_band_ratio(self, redshift: float) -> Floats:
        """Flux in the 0.5-2 keV of the source over flux in 0.5-2 keV observed, shape (n_node,).

        For sources at `redshift`. Linear in the mixture of nodes, as the spectra of unit flux are.
        """
        lo_kev, hi_kev = FLUX_BAND_KEV
        rest = (lo_kev / (1.0 + redshift), hi_kev / (1.0 + redshift))
        return self._band_flux(rest, redshift) / self._band_flux(FLUX_BAND_KEV, redshift)

    def soft_over_hard(self) -> float:
        """Luminosity in 0.5-2 keV over that in 2-10 keV, unabsorbed, for the mean index."""
        power = 2.0 - self.mean
        return (2.0**power - 0.5**power) / (10.0**power - 2.0**power)

    def soft_transmission(self) -> Floats:
        """Share of the 0.5-2 keV energy that each absorber lets through, shape (n_absorber,).

        In the frame of the source, for the mean photon index.
        """
        return self._soft_transmission

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
        """Draw `count` photon indices and rows of the absorber table from `rng`, (count,) each."""
        deviate = np.clip(rng.standard_normal(count), -self.cut, self.cut)
        absorber = rng.choice(len(self.absorber_share), count, p=self.absorber_share)
        return self.mean + self.scatter * deviate, absorber

    def node(self, photon_index: Floats, absorber: NDArray[np.intp]) -> Floats:
        """Fractional row of `photons` for `photon_index` and `absorber`, shape (n,) each and here.

        The absorber is a row of the absorber table.
        """
        grid = np.asarray(self.photon_index)
        step = np.interp(photon_index, grid, np.arange(len(grid)))
        return absorber * len(grid) + step

    def mean_weights(self) -> Floats:
        """Mean weight of each node over the population, shape (n_node,), sum 1."""
        deviate = np.linspace(-self.cut, self.cut, 4001)
        density = np.exp(-0.5 * deviate**2)
        tails = 1.0 - density.sum() * (deviate[1] - deviate[0]) / np.sqrt(2.0 * np.pi)
        chance = density / density.sum() * (1.0 - tails)
        chance[[0, -1]] += tails / 2.0
        step = self.node(self.mean + self.scatter * deviate, np.zeros(len(deviate), dtype=np.intp))
        low = np.minimum(step.astype(int), len(self.photon_index) - 2)
        weight = np.bincount(low, chance * (1.0 - (step - low)), len(self.photon_index))
        weight += np.bincount(low + 1, chance * (step - low), len(self.photon_index))
        return np.outer(self.absorber_share, weight).ravel()

    @cached_property
    def _soft_transmission(self) -> Floats:
        flux = self._band_flux(FLUX_BAND_KEV, 0.0).reshape(len(self.absorber_nh_cm2), -1)
        mean = flux[:, len(self.photon_index) // 2]
        return mean / mean[self.absorber_nh_cm2.index(0.0)]

    def _shapes(self, edges_kev: Floats, redshift: float) -> Floats:
        slopes = np.stack([powerlaw(edges_kev, index) for index in self.photon_index])
        absorbed = [
            slopes * bin_transmission(edges_kev * (1.0 + redshift), nh_cm2)
            for nh_cm2 in self.absorber_nh_cm2
        ]
        return np.concatenate(absorbed)

    def _band_flux(self, band_kev: tuple[float, float], redshift: float) -> Floats:
        """Flux of the unnormalised spectra in an observed band, erg/s/cm^2, shape (n_node,)."""
        edges_kev = np.geomspace(*band_kev, _FLUX_BINS + 1)
        energy_kev = np.sqrt(edges_kev[1:] * edges_kev[:-1])
        return ERG_PER_KEV * (self._shapes(edges_kev, redshift) @ energy_kev)
