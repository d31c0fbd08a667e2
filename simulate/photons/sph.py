"""The cubic-spline SPH kernel, projected: how gas is spread around a particle.

Kernel of Monaghan & Lattanzio (1985, A&A 149, 135), written with its support radius as unit. The
same kernel serves every simulation code: only its width comes from the snapshot.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["kernel_3d", "projected_density", "projected_enclosed", "projected_quantile"]

Floats = NDArray[np.float64]


def kernel_3d(q: ArrayLike) -> Floats:
    """Density of the kernel at radius `q` (in support radii), any shape; integral over space 1."""
    q = np.asarray(q, dtype=np.float64)
    inner = 1.0 - 6.0 * q**2 + 6.0 * q**3
    outer = 2.0 * np.clip(1.0 - q, 0.0, None) ** 3
    return 8.0 / np.pi * np.where(q < 0.5, inner, outer)


def projected_density(q: ArrayLike) -> Floats:
    """Column density at projected radius `q` (in support radii), shape (n,), as the result.

    Its integral over the plane is 1.
    """
    q = np.atleast_1d(np.asarray(q, dtype=np.float64))[:, None]
    node, weight = np.polynomial.legendre.leggauss(48)
    half = 0.5 * np.sqrt(np.clip(1.0 - q**2, 0.0, None))
    along = np.hypot(q, half * (1.0 + node))
    return 2.0 * (half * kernel_3d(along)) @ weight


def projected_enclosed(q: ArrayLike) -> Floats:
    """Share of the kernel inside the projected radius `q` (in support radii), shape (n,).

    A thin shell of radius s has the share 1 - sqrt(1 - q^2/s^2) of itself in the cylinder q < s.
    """
    q = np.atleast_1d(np.asarray(q, dtype=np.float64))
    step = 1.0 / 2000
    s = np.arange(step / 2, 1.0, step)
    shell = 4.0 * np.pi * s**2 * kernel_3d(s) * step
    outside = np.sqrt(np.clip(1.0 - (q[:, None] / s) ** 2, 0.0, None))
    share = 1.0 - outside @ shell / shell.sum()
    return np.where(q >= 1.0, 1.0, share)


@cache
def projected_quantile(size: int = 4097) -> Floats:
    """Projected radius over support radius at evenly spaced probabilities from 0 to 1.

    Of shape (`size`,), and not to be written to.
    """
    q = np.linspace(0.0, 1.0, 2001)
    quantile = np.interp(np.linspace(0.0, 1.0, size), projected_enclosed(q), q)
    quantile.flags.writeable = False
    return quantile
