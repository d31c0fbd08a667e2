"""How many AGN there are above a flux, how bright they are together, and drawing their fluxes.

Fluxes in erg/s/cm^2, 0.5-2 keV, numbers per deg^2. The differential counts are a smooth double
power law; its integrals are tabulated finely once.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import cumulative_simpson

from icmass.errors import InputError
from icmass.simulate.sky.literature import literature

__all__ = ["NumberCounts"]

Floats = NDArray[np.float64]

_NODES_PER_DECADE = 500


@dataclass(frozen=True)
class NumberCounts:
    """Number counts dN/dS = norm / ((S/S_b)^faint + (S/S_b)^bright) between two fluxes.

    Attributes
    ----------
    norm : float
        Per deg^2 and erg/s/cm^2.
    break_flux, min_flux, max_flux : float
        Where the slope turns, and the range inside which sources exist [erg/s/cm^2].
    faint_slope, bright_slope : float
        Exponents of dN/dS below and above the break.
    """

    norm: float
    break_flux: float
    faint_slope: float
    bright_slope: float
    min_flux: float
    max_flux: float

    @staticmethod
    @cache
    def default() -> "NumberCounts":
        """Return the counts of the literature."""
        return NumberCounts(**literature("agn")["counts"])

    def differential(self, flux: ArrayLike) -> Floats:
        """DN/dS per deg^2 and erg/s/cm^2 at `flux`, in its shape, not cut at the limits."""
        ratio = np.asarray(flux, dtype=np.float64) / self.break_flux
        return self.norm / (ratio**self.faint_slope + ratio**self.bright_slope)

    def number_above(self, flux: ArrayLike) -> Floats:
        """Sources per deg^2 brighter than `flux`, in its shape."""
        log_flux, number, _ = self._integrals
        return np.interp(np.log(flux), log_flux, number)

    def light_above(self, flux: ArrayLike) -> Floats:
        """Flux of all sources brighter than `flux`, erg/s/cm^2/deg^2, in its shape."""
        log_flux, _, light = self._integrals
        return np.interp(np.log(flux), log_flux, light)

    def draw(self, count: int, flux_limit: float, rng: np.random.Generator) -> Floats:
        """Draw fluxes of sources brighter than a limit.

        Parameters
        ----------
        count : int
            How many.
        flux_limit : float
            0.5-2 keV, erg/s/cm^2.
        rng : numpy.random.Generator
            One number of it makes one flux.

        Returns
        -------
        ndarray, shape (count,)
            erg/s/cm^2.
        """
        log_flux, number, _ = self._integrals
        level = rng.random(count) * self.number_above(flux_limit)
        return np.exp(np.interp(level, number[::-1], log_flux[::-1]))

    def require_limit(self, flux_limit: float) -> float:
        """Return `flux_limit` as a float; raise InputError where the counts do not reach it."""
        if not flux_limit >= self.min_flux:
            raise InputError(
                f"agn flux limit: must be at least {self.min_flux:.0e} erg/s/cm2 (0.5-2 keV), or "
                f"inf for no source; got {flux_limit}."
            )
        return float(flux_limit)

    @cached_property
    def _integrals(self) -> tuple[Floats, Floats, Floats]:
        """Log flux, and number and light of what is brighter; both 0 at the last node."""
        decades = np.log10(self.max_flux / self.min_flux)
        log_flux = np.linspace(
            np.log(self.min_flux), np.log(self.max_flux), int(decades * _NODES_PER_DECADE) + 1
        )
        flux = np.exp(log_flux)
        per_log = self.differential(flux) * flux
        number, light = (
            total[-1] - total
            for total in (
                cumulative_simpson(per_log, x=log_flux, initial=0.0),
                cumulative_simpson(per_log * flux, x=log_flux, initial=0.0),
            )
        )
        return log_flux, number, light
