"""Which proxies together know the mass best: every set of them, tried.

Two numbers for each set: the in-sample scatter of Ho et al. 2023, which is algebra on the relations
of all clusters, and the scatter of predictions for clusters that the relations were not fitted to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.estimate.combination import LnMass, cross_validate, mean_scatter
from icmass.estimate.metrics import bias, bootstrap, error_std, slope_scatter
from icmass.estimate.proxies import ProxySample
from icmass.estimate.scaling import Binned, Evolution, Relations, fit_relations

__all__ = ["SetScore", "all_sets", "binned_scatter", "score_sets"]


@dataclass(frozen=True)
class SetScore:
    """How well a set of proxies knows ln M.

    Attributes
    ----------
    names : tuple of str
    in_sample : float
        (alpha^T C^-1 alpha)^(-1/2), averaged over redshift.
    in_sample_error : float
        Its standard deviation over bootstrap samples of halos; NaN without.
    cross_validated : float
        Scatter of predictions from other folds: residual over slope per redshift bin, averaged;
        NaN without folds.
    error_std, bias : float
        Standard deviation and mean of the error in ln M of the same predictions.
    """

    names: tuple[str, ...]
    in_sample: float
    in_sample_error: float = float("nan")
    cross_validated: float = float("nan")
    error_std: float = float("nan")
    bias: float = float("nan")


def all_sets(names: Sequence[str], max_size: int | None = None) -> list[tuple[str, ...]]:
    """Return every set of up to `max_size` of `names`, the small ones first."""
    sizes = range(1, (max_size or len(names)) + 1)
    return [chosen for size in sizes for chosen in combinations(names, size)]


def score_sets(
    sample: ProxySample,
    sets: Sequence[tuple[str, ...]] | None = None,
    *,
    fold: NDArray[np.int64] | None = None,
    evolution: Evolution | None = None,
    n_resamples: int = 0,
    seed: int = 0,
) -> list[SetScore]:
    """Score sets of proxies on the clusters of which all proxies of the sample are known.

    Parameters
    ----------
    sample : ProxySample
    sets : sequence of tuple of str, optional
        Every set of the sample's proxies by default.
    fold : ndarray of int, shape (n,), optional
        Of whole halos; without it there is no cross-validation.
    evolution : Evolution, optional
        By default one bin per snapshot.
    n_resamples : int
        Of the bootstrap; 0 for none.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of SetScore
        The best in sample first.
    """
    known = np.flatnonzero(np.isfinite(sample.ln_proxy).all(axis=1))
    complete = sample.rows(known)
    chosen = list(sets or all_sets(sample.names))
    bins = evolution or Binned.of(complete.redshift)

    def scatters(rows: NDArray[np.int64]) -> list[float]:
        return _in_sample(fit_relations(complete.rows(rows), bins), chosen)

    value = scatters(np.arange(len(complete)))
    error = [float("nan")] * len(chosen)
    if n_resamples:
        drawn = bootstrap(scatters, complete.halo, n_resamples=n_resamples, seed=seed)
        error = drawn.std(axis=0, ddof=1).tolist()
    scores = [SetScore(*row) for row in zip(chosen, value, error, strict=True)]
    if fold is not None:
        predictions = cross_validate(complete, fold[known], chosen, bins)
        scores = [
            _with_predictions(score, complete, prediction)
            for score, prediction in zip(scores, predictions, strict=True)
        ]
    return sorted(scores, key=lambda score: score.in_sample)


def binned_scatter(sample: ProxySample, prediction: NDArray[np.floating[Any]]) -> float:
    """Return the study's scatter of a `prediction` of ln M, shape (n,), of a sample.

    In each redshift bin it is the residual about the line on truth over its slope; the mean of
    the bins is returned. `sample` holds the truth.
    """
    place = Binned.of(sample.redshift).covariance_bin(sample.redshift)
    parts = [
        slope_scatter(sample.ln_mass[place == k], prediction[place == k]) for k in np.unique(place)
    ]
    return float(np.mean(parts))


def _in_sample(relations: Relations, sets: Sequence[tuple[str, ...]]) -> list[float]:
    return [mean_scatter(relations.subset(names)) for names in sets]


def _with_predictions(score: SetScore, sample: ProxySample, prediction: LnMass) -> SetScore:
    return SetScore(
        score.names,
        score.in_sample,
        score.in_sample_error,
        cross_validated=binned_scatter(sample, prediction.mean),
        error_std=error_std(sample.ln_mass, prediction.mean),
        bias=bias(sample.ln_mass, prediction.mean),
    )
