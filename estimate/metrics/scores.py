"""What each cluster contributes to the metrics: one row of a structured array, 72 bytes.

Predictive distributions may be large; their scores are not. Score them batch by batch and join the
batches by `numpy.concatenate`; select rows as of any array.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from icmass.errors import InputError
from icmass.estimate.metrics.predictive import Predictive

__all__ = ["SCORES", "pit", "point_scores", "reference_points", "score"]

#: Columns of scores. Those of a distribution are NaN for an estimator that gives a number alone.
SCORES: Final = np.dtype(
    [
        ("ln_mass", "f8"),  # truth
        ("mean", "f8"),  # prediction
        ("std", "f8"),
        ("normal_score", "f8"),  # Phi^-1 of the PIT: standard normal if the predictions are right
        ("crps", "f8"),
        ("crps_expected", "f8"),  # on average, if the predictions are right
        ("nll", "f8"),  # -ln p(truth)
        ("nll_expected", "f8"),
        ("tarp", "f8"),  # probability nearer to the reference point than the truth is
    ]
)


def score(predictive: Predictive, ln_mass: ArrayLike, reference: ArrayLike) -> NDArray[np.void]:
    """Score predictive distributions.

    Parameters
    ----------
    predictive : Predictive
        Of n clusters.
    ln_mass : array, shape (n,)
        Truth.
    reference : array, shape (n,)
        Reference points of TARP, as `reference_points` draws them.

    Returns
    -------
    ndarray of `SCORES`, shape (n,)

    Raises
    ------
    InputError
        If a truth is not finite or the lengths differ.
    """
    truth = _truth(ln_mass, len(predictive))
    point = _truth(reference, len(predictive), "reference")
    result = np.empty(len(predictive), SCORES)
    result["ln_mass"] = truth
    result["mean"], result["std"] = predictive.mean_std()
    result["normal_score"] = predictive.normal_score(truth)
    result["crps"] = predictive.crps(truth)
    result["nll"] = -predictive.log_density(truth)
    result["crps_expected"], result["nll_expected"] = predictive.expected_scores()
    distance = np.abs(truth - point)
    result["tarp"] = predictive.cdf(point + distance) - predictive.cdf(point - distance)
    return result


def point_scores(prediction: ArrayLike, ln_mass: ArrayLike) -> NDArray[np.void]:
    """Score a `prediction` without a distribution against the true `ln_mass`, shape (n,) each.

    Raises
    ------
    InputError
        If a number is not finite or the lengths differ.
    """
    mean = np.asarray(prediction, np.float64)
    result = np.full(len(mean), np.nan, SCORES)
    result["ln_mass"] = _truth(ln_mass, len(mean))
    result["mean"] = _truth(mean, len(mean), "prediction")
    return result


def reference_points(n: int, low: float, high: float, seed: int) -> NDArray[np.float64]:
    """Draw reference points of TARP evenly over the range of truths, shape (n,).

    Parameters
    ----------
    n : int
        Number of clusters.
    low, high : float
        Least and greatest truth, ln M.
    seed : int
    """
    return np.random.default_rng(seed).uniform(low, high, n)


def pit(scores: NDArray[np.void]) -> NDArray[Any]:
    """Return the PIT of `scores`, shape (n,): even on [0, 1] if predictions are right."""
    return np.asarray(ndtr(scores["normal_score"]))


def _truth(values: ArrayLike, n: int, name: str = "ln M") -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.shape != (n,) or not np.isfinite(array).all():
        raise InputError(
            f"{name}: must be {n} finite numbers; got shape {array.shape}, "
            f"{np.isfinite(array).sum()} finite. Leave clusters without one out."
        )
    return array
