"""How many AGN of which luminosity a volume holds, at any redshift.

Luminosities are 2-10 keV rest frame, as log10 of erg/s; densities are comoving.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import cumulative_simpson

from icmass.simulate.sky.literature import literature

__all__ = ["LuminosityFunction", "drawn_log_range"]

Floats = NDArray[np.float64]

_NODES_PER_DECADE = 100


@dataclass(frozen=True)
class LuminosityFunction:
    """Luminosity-dependent density evolution: a double power law times (1+z)^p.

    The density rises as (1+z)^evolution_low up to a redshift that is lower for fainter AGN, and
    changes as (1+z)^evolution_high beyond (LDDE1 of Aird et al. 2015, after Ueda et al. 2003).

    Attributes
    ----------
    log_norm : float
        log10 of twice the density at the break at redshift 0, Mpc^-3 dex^-1.
    log_break : float
        Luminosity at which the slope turns.
    faint_slope, bright_slope : float
        Exponents below and above the break.
    evolution_low, evolution_high : float
        Exponents of 1 + z before and beyond the turn.
    redshift_cut : float
        Where the density turns, for AGN brighter than `log_luminosity_cut`.
    log_luminosity_cut, cut_slope : float
        Below this luminosity it turns at redshift_cut * 10^(cut_slope (log L - cut)).
    """

    log_norm: float
    log_break: float
    faint_slope: float
    bright_slope: float
    evolution_low: float
    evolution_high: float
    redshift_cut: float
    log_luminosity_cut: float
    cut_slope: float

    @staticmethod
    @cache
    def default() -> "LuminosityFunction":
        """Return the luminosity function of the literature."""
        return LuminosityFunction(**literature("agn")["luminosity_function"])

    def density(self, log_luminosity: ArrayLike, redshift: ArrayLike) -> Floats:
        """AGN per Mpc^3 and dex of luminosity.

        `log_luminosity` and `redshift` may have any shapes that broadcast; the result has both.
        """
        log_l = np.asarray(log_luminosity, dtype=np.float64)
        ratio = 10.0 ** (log_l - self.log_break)
        local = 10.0**self.log_norm / (ratio**self.faint_slope + ratio**self.bright_slope)
        return local * self.evolution(log_l, redshift)

    def evolution(self, log_luminosity: ArrayLike, redshift: ArrayLike) -> Floats:
        """Density relative to redshift 0.

        `log_luminosity` and `redshift` may have any shapes that broadcast; the result has both.
        """
        below = np.minimum(np.asarray(log_luminosity) - self.log_luminosity_cut, 0.0)
        cut = 1.0 + self.redshift_cut * 10.0 ** (self.cut_slope * below)
        z1 = 1.0 + np.asarray(redshift, dtype=np.float64)
        rise = np.minimum(z1, cut) ** self.evolution_low
        return rise * np.maximum(z1 / cut, 1.0) ** self.evolution_high

    def number_above(self, log_luminosity: float, redshift: float, log_max: float) -> float:
        """AGN per Mpc^3 between a luminosity and a maximum.

        Parameters
        ----------
        log_luminosity, log_max : float
            The range.
        redshift : float
            Where they are counted.

        Returns
        -------
        float
        """
        return float(_cumulative(self, log_luminosity, log_max, redshift)[1][-1])

    def draw(
        self,
        count: int,
        redshift: float,
        log_range: tuple[float, float],
        rng: np.random.Generator,
    ) -> Floats:
        """Draw log luminosities at one redshift.

        Parameters
        ----------
        count : int
            How many.
        redshift : float
            Where they are.
        log_range : (low, high)
            Within which they lie.
        rng : numpy.random.Generator
            One number of it makes one luminosity.

        Returns
        -------
        ndarray, shape (count,)
        """
        log_l, number = _cumulative(self, *log_range, redshift)
        return np.interp(rng.random(count) * number[-1], number, log_l)


def drawn_log_range() -> tuple[float, float]:
    """Range of log luminosity within which AGN of clusters and of volumes are drawn."""
    low, high = literature("agn")["members"]["log_luminosity_range"]
    return float(low), float(high)


@lru_cache(maxsize=64)
def _cumulative(
    function: LuminosityFunction, log_min: float, log_max: float, redshift: float
) -> tuple[Floats, Floats]:
    """Log luminosities and AGN per Mpc^3 up to each; kept for the next cluster."""
    nodes = max(int((log_max - log_min) * _NODES_PER_DECADE), 4) + 1
    log_l = np.linspace(log_min, log_max, nodes)
    density = function.density(log_l, redshift)
    return log_l, cumulative_simpson(density, x=log_l, initial=0.0)
