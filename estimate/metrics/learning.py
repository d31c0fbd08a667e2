"""How scatter falls with the number of training clusters: a floor, and what more clusters buy.

sigma^2 = floor^2 + c / n: the floor is what clusters differ by at equal mass and image, c / n the
variance of what was learnt from n of them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from icmass.errors import InputError

__all__ = ["LearningCurve", "fit_learning_curve"]


class LearningCurve(NamedTuple):
    """sigma^2 = floor^2 + c / n.

    Attributes
    ----------
    floor : float
        Scatter of endlessly many training clusters, in ln M.
    c : float
        Variance that one training cluster leaves, in (ln M)^2.
    """

    floor: float
    c: float

    def of(self, n: ArrayLike) -> NDArray[np.float64]:
        """Return the scatter in ln M for `n` training clusters, of the shape of `n`."""
        return np.sqrt(self.floor**2 + self.c / np.asarray(n, np.float64))


def fit_learning_curve(
    n: ArrayLike, scatter: ArrayLike, error: ArrayLike | None = None
) -> LearningCurve:
    """Fit floor and c to measured scatter, by weighted least squares in sigma^2.

    Parameters
    ----------
    n : array, shape (k,)
        Numbers of training clusters; at least three different ones.
    scatter : array, shape (k,)
        Scatter in ln M.
    error : array, shape (k,), optional
        Of the scatter; sigma^2 then has the error 2 sigma times it. By default the errors are alike
        in relation to the scatter, as they are where all are measured on equally many clusters.

    Returns
    -------
    LearningCurve
        Neither number is below 0.

    Raises
    ------
    InputError
        If there are fewer than three sizes, or a number is not positive.
    """
    size, sigma = _positive(n, "n"), _positive(scatter, "scatter")
    spread = sigma if error is None else _positive(error, "error")
    if not len(size) == len(sigma) == len(spread):
        raise InputError(
            f"n, scatter, error: must have one shape (k,); got {len(size)}, {len(sigma)} and "
            f"{len(spread)} numbers. Give one each."
        )
    different = len(np.unique(size))
    if different < 3:
        raise InputError(
            f"n: must be at least 3 different numbers of training clusters; got {different}. "
            "Train on more sizes."
        )
    weight = 1.0 / (2.0 * sigma * spread)
    smallest = float(size.min())  # both columns are of order one
    design = np.stack([np.ones_like(size), smallest / size], axis=1)
    found = nnls(weight[:, None] * design / weight.max(), weight * sigma**2 / weight.max())[0]
    return LearningCurve(float(np.sqrt(found[0])), float(found[1] * smallest))


def _positive(values: ArrayLike, what: str) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not np.all(np.isfinite(array) & (array > 0.0)):
        raise InputError(
            f"{what}: must be positive numbers, shape (k,); got shape {array.shape}, "
            f"{np.sum(np.isfinite(array) & (array > 0.0))} positive. Leave the others out."
        )
    return array
