"""What several estimators say together of the same clusters, and how far they differ.

A mixture counts each member alike, F(x) = mean_j F_j(x): its spread is what the members state plus
what they disagree by (Lakshminarayanan et al. 2017, arXiv 1612.01474). Units are those of what is
predicted (here ln M).
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.estimate.ensemble_kernels import mixture_quantiles
from icmass.estimate.metrics import Predictive

__all__ = ["disagreement", "even_scores", "mixture"]

Floats = NDArray[np.float64]

_MAX_SCORE: Final = 8.0  # a probability of 6e-16


def even_scores() -> Floats:
    """Return the normal scores at which a distribution of any shape is told: 25 from -3 to 3."""
    return np.linspace(-3.0, 3.0, 25)


def mixture(members: Sequence[Predictive], score: ArrayLike | None = None) -> Predictive:
    """Return the equal-weight mixture of the members' distributions, cluster by cluster.

    Parameters
    ----------
    members : sequence of Predictive
        Of the same n clusters, in the same order. Their knots may differ.
    score : array, shape (k,), optional
        Normal scores of the knots of the mixture, ascending, from -8 to 8; `even_scores` by
        default. One member alone is returned as it is unless they are given.

    Returns
    -------
    Predictive
        Exact at the knots, to 1e-8 of the width, and linear in the normal score between them. An
        empty gap between members is filled with the probability of the pieces that cross it.

    Raises
    ------
    InputError
        If there is no member, members have different numbers of clusters, or scores do not
        increase.
    """
    n = _shared_length(members)
    if len(members) == 1 and score is None:
        return members[0]
    wanted = even_scores() if score is None else _ascending(score)
    start = np.cumsum([0, *(len(member.score) for member in members)])
    knots = np.concatenate([member.score for member in members])
    values = np.concatenate([member.value for member in members], axis=1)
    result = np.empty((n, len(wanted)))
    mixture_quantiles(knots, values, start, wanted, result)
    return Predictive(wanted, result)


def disagreement(members: Sequence[Predictive]) -> Floats:
    """Return the standard deviation of the means of `members`, shape (n,): 0 for one member.

    Its square is what the mixture's variance has beyond the mean of the members' variances. What
    all members do wrong alike is not in it.

    Raises
    ------
    InputError
        If there is no member, or members have different numbers of clusters.
    """
    _shared_length(members)
    return np.asarray(np.std([member.mean_std()[0] for member in members], axis=0))


def _shared_length(members: Sequence[Predictive]) -> int:
    lengths = {len(member) for member in members}
    if len(lengths) != 1:
        got = " and ".join(map(str, sorted(lengths))) or "no member"
        raise InputError(
            f"members: must be one or more, of the same clusters; got {got}. "
            "Let every member predict the same rows."
        )
    return lengths.pop()


def _ascending(score: ArrayLike) -> NDArray[Any]:
    wanted = np.asarray(score, np.float64)
    if wanted.ndim != 1 or len(wanted) < 2 or not np.all(np.diff(wanted) > 0):
        raise InputError(
            f"score: must be two or more normal scores that increase; got {wanted.tolist()}. "
            "Sort them, each once."
        )
    if not np.all(np.abs(wanted) <= _MAX_SCORE):
        raise InputError(
            f"score: must be normal scores from {-_MAX_SCORE:g} to {_MAX_SCORE:g}; "
            f"got {wanted[0]:g} to {wanted[-1]:g}. Turn probabilities into them by scipy's ndtri."
        )
    return np.ascontiguousarray(wanted)
