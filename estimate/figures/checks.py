"""Can these be drawn: scores by estimator, and columns of numbers."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.estimate.metrics.scores import SCORES

__all__ = [
    "MOST_ESTIMATORS",
    "Scores",
    "check_column",
    "check_independent",
    "check_scores",
    "with_distributions",
]

Scores = NDArray[np.void]

#: As many as have a panel of readable size on a page.
MOST_ESTIMATORS: Final = 9
_MIN_CLUSTERS: Final = 10


def check_scores(named_scores: Mapping[str, Scores]) -> dict[str, Scores]:
    """Return `named_scores`, of `SCORES` and shape (n,) each, by name of estimator.

    Raises
    ------
    InputError
        If there is no estimator or more than nine, or one has no scores or fewer than ten.
    """
    found = {str(name): np.asarray(scores) for name, scores in named_scores.items()}
    if not 1 <= len(found) <= MOST_ESTIMATORS:
        raise InputError(
            f"estimators: must be 1 to {MOST_ESTIMATORS}; got {len(found)}. "
            "Draw them in several figures."
        )
    for name, scores in found.items():
        if scores.dtype != SCORES or scores.ndim != 1:
            raise InputError(
                f"scores of '{name}': must be of SCORES, shape (n,); got {_kind(scores)}, shape "
                f"{scores.shape}. Make them by score or point_scores."
            )
        if len(scores) < _MIN_CLUSTERS:
            raise InputError(
                f"scores of '{name}': must be of at least {_MIN_CLUSTERS} clusters; got "
                f"{len(scores)}. Give more."
            )
        if not (np.isfinite(scores["ln_mass"]).all() and np.isfinite(scores["mean"]).all()):
            raise InputError(
                f"scores of '{name}': must have finite masses; got others. Leave those rows out."
            )
    return found


def with_distributions(named_scores: Mapping[str, Scores]) -> dict[str, Scores]:
    """Return those of `named_scores` that are of estimators with a distribution of every cluster.

    Raises
    ------
    InputError
        If there is none, or as `check_scores`.
    """
    found = check_scores(named_scores)
    kept = {
        name: scores for name, scores in found.items() if np.isfinite(scores["normal_score"]).all()
    }
    if not kept:
        raise InputError(
            f"scores: must be of an estimator with a distribution of every cluster; got "
            f"{', '.join(found)} without. Score a Predictive."
        )
    return kept


def check_independent(scores: Mapping[str, Scores], n_independent: int | None) -> int:
    """Return the number of independent clusters: `n_independent`, or the fewest rows of `scores`.

    Raises
    ------
    InputError
        If it is below two or above the number of rows.
    """
    fewest = min(map(len, scores.values()))
    if n_independent is None:
        return fewest
    if not 2 <= n_independent <= fewest:
        raise InputError(
            f"n_independent: must be from 2 to the {fewest} rows; got {n_independent}. "
            "Give the number of halos."
        )
    return int(n_independent)


def check_column(values: ArrayLike, what: str, n: int | None = None) -> NDArray[np.float64]:
    """Return finite numbers.

    Parameters
    ----------
    values : array, shape (n,)
        At least one.
    what : str
        Their name in the message.
    n : int, optional
        How many there must be.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    InputError
        If they are others, or none.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array) or len(array) != (n or len(array)):
        wanted = "(n,) with n > 0" if n is None else f"({n},)"
        raise InputError(f"{what}: must have the shape {wanted}; got {array.shape}. Give one each.")
    if not np.isfinite(array).all():
        raise InputError(
            f"{what}: must be finite; got {np.sum(~np.isfinite(array))} others. Leave them out."
        )
    return array


def _kind(array: NDArray[Any]) -> str:
    return "a structured array" if array.dtype.names else str(array.dtype)
