"""Velocity dispersions as an observer measures them on galaxies in a cylinder, km/s.

The classical one is that of Ho et al. 2023 (arXiv 2303.00005): galaxies within 2000 km/s and
1.25 Mpc/h of the centre, clipped at 3 standard deviations until none is left out. Gapper and
biweight are those of Beers, Flynn & Gebhardt 1990 (AJ 100, 32), of the galaxies that the clipping
leaves.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.scene import SceneGalaxies

__all__ = ["biweight", "clip", "galaxy_observables", "gapper"]

Floats = NDArray[np.float64]

_LARGEST_VELOCITY_KMS: Final = 2000.0
_LARGEST_RADIUS_KPC: Final = 1250.0 / 0.704
_CLIP_SIGMA: Final = 3.0
# Tuning constant of the biweight scale: deviations of 9 median deviations weigh nothing.
_BIWEIGHT_REACH: Final = 9.0


def galaxy_observables(galaxies: SceneGalaxies) -> dict[str, float | int]:
    """Count the galaxies of the cylinder and measure their velocity dispersion.

    Parameters
    ----------
    galaxies : SceneGalaxies
        Members and others alike, about the centre of the halo.

    Returns
    -------
    dict
        ``n_gal``, ``sigma_v_clipped_km_s``, ``sigma_v_gapper_km_s``, ``sigma_v_biweight_km_s``;
        dispersions are NaN with fewer than 2 galaxies.
    """
    projected = np.hypot(galaxies.position_kpc[:, 0], galaxies.position_kpc[:, 1])
    chosen = np.abs(galaxies.v_los_km_s) <= _LARGEST_VELOCITY_KMS
    left = clip(galaxies.v_los_km_s[chosen & (projected <= _LARGEST_RADIUS_KPC)])
    return {
        "n_gal": len(left),
        "sigma_v_clipped_km_s": float(np.std(left, ddof=1)) if len(left) > 1 else math.nan,
        "sigma_v_gapper_km_s": gapper(left),
        "sigma_v_biweight_km_s": biweight(left),
    }


def clip(velocity: Floats, n_sigma: float = _CLIP_SIGMA) -> Floats:
    """Leave out what is further than `n_sigma` standard deviations from the mean, until none is.

    `velocity` has shape (n,); the result what is left of it, in order.
    """
    while len(velocity) > 1:
        deviation = np.abs(velocity - velocity.mean())
        keep = deviation <= n_sigma * np.std(velocity, ddof=1)
        if keep.all():
            break
        velocity = velocity[keep]
    return velocity


def gapper(velocity: Floats) -> float:
    """Return the dispersion from the gaps between sorted velocities; NaN of fewer than 2.

    `velocity`, shape (n,), may be in any order (Beers, Flynn & Gebhardt 1990, AJ 100, 32).
    """
    count = len(velocity)
    if count < 2:
        return math.nan
    number = np.arange(1, count)
    gaps = np.diff(np.sort(velocity))
    return float(math.sqrt(math.pi) / (count * (count - 1)) * (number * (count - number)) @ gaps)


def biweight(velocity: Floats) -> float:
    """Return the biweight scale; NaN of fewer than 2, 0 where half the velocities are equal.

    `velocity`, shape (n,), may be in any order (Beers, Flynn & Gebhardt 1990, AJ 100, 32).
    """
    count = len(velocity)
    if count < 2:
        return math.nan
    deviation = velocity - np.median(velocity)
    unit = _BIWEIGHT_REACH * np.median(np.abs(deviation))
    if unit == 0.0:
        return 0.0
    squared = (deviation / unit) ** 2
    near = squared < 1.0
    squared, deviation = squared[near], deviation[near]
    top = np.sum(deviation**2 * (1.0 - squared) ** 4)
    bottom = np.sum((1.0 - squared) * (1.0 - 5.0 * squared))
    return float(math.sqrt(count * top) / abs(bottom))
