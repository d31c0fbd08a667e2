"""How far from its true direction a photon is recorded.

A circular model: a core and a wing, each with the density of a King (Moffat) profile,
(1 + (r/rc)^2)^-slope, cut at one maximum radius. Off axis all radii grow by one factor. Radii in
arcsec, off-axis angles in arcmin. The slopes exceed one, so everything below is analytic: the
encircled energy of a component is [1 - (1 + (r/rc)^2)^(1 - slope)] over the same at the maximum.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from icmass.errors import InputError

__all__ = ["PSF"]


@dataclass(frozen=True)
class PSF:
    """Point-spread function with a core and a wing.

    Parameters
    ----------
    core_arcsec, wing_arcsec : float
        Scale radii rc on axis, > 0.
    core_slope, wing_slope : float
        Exponents of the density, > 1.
    wing_fraction : float
        Share of the photons in the wing, 0 to 1.
    max_radius_arcsec : float
        No photon falls further out (on axis).
    growth_arcmin : float
        Off-axis angle at which all radii have doubled: radii grow by 1 + (theta/growth)^2.
        Infinite for a point-spread function that is the same everywhere.

    Raises
    ------
    InputError
        If a parameter is outside its range.
    """

    core_arcsec: float
    core_slope: float
    wing_arcsec: float
    wing_slope: float
    wing_fraction: float
    max_radius_arcsec: float
    growth_arcmin: float = np.inf

    def __post_init__(self) -> None:
        for name in ("core_arcsec", "wing_arcsec", "max_radius_arcsec", "growth_arcmin"):
            if not getattr(self, name) > 0.0:
                raise InputError(f"psf {name}: must be > 0; got {getattr(self, name)}.")
        for name in ("core_slope", "wing_slope"):
            if not 1.0 < getattr(self, name) < np.inf:
                raise InputError(
                    f"psf {name}: must be > 1 so that the profile has a finite sum; "
                    f"got {getattr(self, name)}."
                )
        if not 0.0 <= self.wing_fraction <= 1.0:
            raise InputError(f"psf wing_fraction: must be 0 to 1; got {self.wing_fraction}.")

    def scale(self, theta_arcmin: np.ndarray | float) -> np.ndarray:
        """Factor by which all radii are larger off axis, shape of `theta_arcmin`; 1 on axis."""
        return 1.0 + (np.asarray(theta_arcmin, dtype=np.float64) / self.growth_arcmin) ** 2

    def components(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Return (fraction, scale radius [arcsec], slope) of the core and of the wing."""
        return (
            (1.0 - self.wing_fraction, self.core_arcsec, self.core_slope),
            (self.wing_fraction, self.wing_arcsec, self.wing_slope),
        )

    def encircled(self, r_arcsec: np.ndarray | float, scale: float = 1.0) -> np.ndarray:
        """Share of the photons inside a radius.

        Parameters
        ----------
        r_arcsec : array or float
            Radius around the true position.
        scale : float
            Growth of all radii, from `scale`.

        Returns
        -------
        ndarray
            Between 0 and 1, of the shape of `r_arcsec`.
        """
        r = np.clip(np.asarray(r_arcsec, dtype=np.float64) / scale, 0.0, self.max_radius_arcsec)
        total = np.zeros_like(r)
        for fraction, core, slope in self.components():
            total += fraction * _king_integral(r, core, slope) / self._norm(core, slope)
        return total

    def density(self, r_arcsec: np.ndarray | float, scale: float = 1.0) -> np.ndarray:
        """Probability per arcsec^2 at a radius; zero beyond the maximum radius.

        `r_arcsec` may have any shape, which the result has too; `scale` is the growth of all radii,
        from the method `scale`.
        """
        r = np.asarray(r_arcsec, dtype=np.float64) / scale
        total = np.zeros_like(r)
        for fraction, core, slope in self.components():
            peak = fraction * (slope - 1.0) / (np.pi * core**2) / self._norm(core, slope)
            total += peak * (1.0 + (r / core) ** 2) ** -slope
        return np.where(r <= self.max_radius_arcsec, total, 0.0) / scale**2

    def radius(
        self, uniform: np.ndarray, pick_wing: np.ndarray, scale: np.ndarray | float = 1.0
    ) -> np.ndarray:
        """Turn uniform numbers into radii: the inverse of `encircled`, component by component.

        Parameters
        ----------
        uniform, pick_wing : (n,) arrays
            Numbers in [0, 1): the share inside the radius, and the choice of the component (wing
            where below `wing_fraction`).
        scale : float or (n,) array
            Growth of all radii, from `scale`.

        Returns
        -------
        (n,) float64
            Radii in arcsec.
        """
        radii = []
        for _, core, slope in self.components():
            rest = 1.0 - uniform * self._norm(core, slope)
            radii.append(core * np.sqrt(rest ** (1.0 / (1.0 - slope)) - 1.0))
        return np.where(pick_wing < self.wing_fraction, radii[1], radii[0]) * scale

    def radius_of(self, share: float, scale: float = 1.0) -> float:
        """Radius in arcsec that holds a `share` of the photons; all radii grow by `scale`.

        Raises
        ------
        InputError
            If the share is not between 0 and 1, both excluded.
        """
        if not 0.0 < share < 1.0:
            raise InputError(f"encircled share: must be between 0 and 1; got {share}.")
        return scale * float(
            brentq(lambda r: float(self.encircled(r)) - share, 0.0, self.max_radius_arcsec)
        )

    def half_energy_width(self, scale: float = 1.0) -> float:
        """Diameter in arcsec that holds half of the photons, with radii `scale` times larger."""
        return 2.0 * self.radius_of(0.5, scale)

    def _norm(self, core: float, slope: float) -> float:
        return float(_king_integral(np.asarray(self.max_radius_arcsec), core, slope))


def _king_integral(r: np.ndarray, core: float, slope: float) -> np.ndarray:
    """Integral of the profile to `r` over that to infinity; precise for r much below core."""
    return -np.expm1((1.0 - slope) * np.log1p((r / core) ** 2))
