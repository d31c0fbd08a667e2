"""Are stated probabilities right: coverage, PIT, TARP, and their distance from even.

A PIT is the predicted probability of less than the truth, a TARP value that of what lies nearer to
a reference point than the truth does. Both are even on [0, 1] if the predictions are right. The PIT
histogram is a hill for predictions that are too wide, a valley for too narrow ones and a slope for
shifted ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from icmass.errors import InputError

__all__ = ["Evenness", "coverage", "evenness", "ks_p_value", "pit_histogram"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evenness:
    """Kolmogorov-Smirnov distance from the even distribution, and how often chance exceeds it."""

    distance: float
    p_value: float


def coverage(pit: ArrayLike, level: float) -> float:
    """Return the part of `pit`, shape (n,), inside the central interval of probability `level`.

    Raises
    ------
    InputError
        If these are no probabilities.
    """
    return float(np.mean(np.abs(_unit(pit) - 0.5) <= 0.5 * level))


def pit_histogram(pit: ArrayLike, bins: int = 10) -> tuple[Floats, Floats]:
    """Return the density of PIT in even bins, 1 if the predictions are right, and its error.

    Parameters
    ----------
    pit : array, shape (n,)
        Between 0 and 1.
    bins : int

    Returns
    -------
    density, error : ndarray, shape (bins,)
        The error is that of an even PIT of independent clusters.

    Raises
    ------
    InputError
        If these are no probabilities.
    """
    values = _unit(pit)
    counts = np.histogram(values, bins=bins, range=(0.0, 1.0))[0]
    error = np.sqrt((bins - 1) / len(values))
    return counts * bins / len(values), np.full(bins, error)


def evenness(values: ArrayLike, n_independent: int | None = None) -> Evenness:
    """Return how far PIT or TARP values are from even.

    Parameters
    ----------
    values : array, shape (n,)
        Between 0 and 1.
    n_independent : int, optional
        Number of halos, where each has several rows: the p-value is then that of as many
        independent clusters, which is never too small. All rows by default.
    """
    ordered = np.sort(_unit(values))
    n = len(ordered)
    steps = np.arange(n + 1) / n
    distance = float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))
    return Evenness(distance, ks_p_value(distance, n_independent or n))


def ks_p_value(distance: float, n: int) -> float:
    """Return how often `n` independent even values are farther from even than a KS `distance`."""
    return float(stats.kstwo.sf(distance, n))


def _unit(values: ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or array.size == 0 or not np.all((array >= 0.0) & (array <= 1.0)):
        raise InputError(
            f"PIT: must be probabilities between 0 and 1, shape (n,); got shape {array.shape}."
        )
    return array
