"""Directions, rotations and ellipsoids of haloes."""

import numpy as np
from numpy.typing import NDArray

from icmass.config import Config
from icmass.config.base import NotNegative, Positive

__all__ = [
    "ShapeParameters",
    "draw_axis_ratios",
    "random_directions",
    "random_rotations",
    "stretch",
]

Floats = NDArray[np.float64]


class ShapeParameters(Config):
    """Axis ratios of the gas of haloes."""

    short_axis: Positive
    """Mean ratio of the short to the long axis."""
    short_axis_scatter: NotNegative
    short_axis_per_disturbance: NotNegative
    """By how much the ratio falls per unit of disturbance."""
    short_axis_min: Positive
    dark_power: Positive
    """Power of the gas ratios that gives those of the dark matter and the galaxies."""


def draw_axis_ratios(
    disturbance: Floats, parameters: ShapeParameters, rng: np.random.Generator
) -> Floats:
    """Draw the shapes of haloes.

    Parameters
    ----------
    disturbance : ndarray, shape (n,)
        Standard normal; the disturbed are longer.
    parameters : ShapeParameters
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, 2)
        Middle over long and short over long axis of the gas.
    """
    count = len(disturbance)
    short = parameters.short_axis + parameters.short_axis_scatter * rng.standard_normal(count)
    short -= parameters.short_axis_per_disturbance * disturbance
    short = np.clip(short, parameters.short_axis_min, 1.0)
    return np.stack([short + (1.0 - short) * rng.random(count), short], axis=1)


def random_directions(count: int, rng: np.random.Generator, axes: Floats | float = 1.0) -> Floats:
    """Draw unit vectors.

    Parameters
    ----------
    count : int
    rng : numpy.random.Generator
    axes : ndarray, shape (3,), or 1
        They are drawn towards the longer of these; uniform by default.

    Returns
    -------
    ndarray, shape (count, 3)
    """
    vectors = axes * rng.standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def random_rotations(count: int, rng: np.random.Generator) -> Floats:
    """Draw `count` rotations by `rng`, uniform over all, shape (count, 3, 3).

    From quaternions of uniform direction (Shoemake 1992, Graphics Gems III, 124).
    """
    quaternion = rng.standard_normal((count, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    w, x, y, z = quaternion.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def stretch(axis_ratio: Floats, power: float) -> Floats:
    """Return the factors along its axes that make a sphere an ellipsoid, shape (n, 3).

    The volume is kept. `axis_ratio`, shape (n, 2), is middle and short over long axis; the
    ellipsoid has them to the power of `power`.
    """
    factors = np.concatenate([np.ones((len(axis_ratio), 1)), axis_ratio], axis=1) ** power
    return factors / np.prod(factors, axis=1, keepdims=True) ** (1.0 / 3.0)
