"""All metrics of one estimator, overall and by bins of any column, with bootstrap errors.

`slope_scatter` needs a line over the whole range of masses. In a bin it is therefore the standard
deviation of the residual about the line of all clusters, over its slope; so bins can be compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import bootstrap
from icmass.errors import InputError
from icmass.estimate.metrics.calibration import coverage, evenness, ks_p_value
from icmass.estimate.metrics.point import (
    Line,
    bias,
    end_biases,
    error_std,
    fit_line,
    robust_half_width,
)
from icmass.estimate.metrics.scores import pit

__all__ = ["METRICS", "Binning", "MetricRow", "evaluate", "metrics_table"]

_MIN_CLUSTERS: Final = 10

Scores = NDArray[np.void]


def _slope_scatter(scores: Scores, line: Line) -> float:
    residual = scores["mean"] - line.of(scores["ln_mass"])
    return float(np.std(residual, ddof=2) / abs(line.slope))


def _excess(score: str) -> Callable[[Scores, Line], float]:
    return lambda scores, _: float(np.mean(scores[score] - scores[f"{score}_expected"]))


#: From the name of a metric to its function of scores and the line of prediction on truth.
METRICS: Final[Mapping[str, Callable[[Scores, Line], float]]] = {
    "slope_scatter": _slope_scatter,
    "error_std": lambda s, _: error_std(s["ln_mass"], s["mean"]),
    "robust_half_width": lambda s, _: robust_half_width(s["ln_mass"], s["mean"]),
    "bias": lambda s, _: bias(s["ln_mass"], s["mean"]),
    "slope": lambda _, line: line.slope,
    "low_end_bias": lambda s, _: end_biases(s["ln_mass"], s["mean"])[0],
    "high_end_bias": lambda s, _: end_biases(s["ln_mass"], s["mean"])[1],
    "nll": lambda s, _: float(np.mean(s["nll"])),
    "nll_excess": _excess("nll"),
    "crps": lambda s, _: float(np.mean(s["crps"])),
    "crps_excess": _excess("crps"),
    "coverage_68": lambda s, _: coverage(pit(s), 0.68),
    "coverage_95": lambda s, _: coverage(pit(s), 0.95),
    "pull_mean": lambda s, _: float(np.mean(s["normal_score"])),
    "pull_std": lambda s, _: float(np.std(s["normal_score"], ddof=1)),
    "pit_ks": lambda s, _: evenness(pit(s)).distance,
    "tarp_ks": lambda s, _: evenness(s["tarp"]).distance,
}
_POINT: Final = tuple(METRICS)[: tuple(METRICS).index("nll")]
_WHOLE_RANGE: Final = ("slope", "low_end_bias", "high_end_bias")
_NO_BOOTSTRAP: Final = ("pit_ks", "tarp_ks")  # ties of drawn rows lengthen the distance


@dataclass(frozen=True)
class Binning:
    """Bins of a column: its values, shape (n,), and edges, ascending; [lo, hi) but for the last."""

    values: ArrayLike
    edges: ArrayLike

    def labels(self) -> NDArray[np.int64]:
        """Return the bin of each row, -1 outside, shape (n,).

        Raises
        ------
        InputError
            If edges do not increase.
        """
        values, edges = np.asarray(self.values, np.float64), np.asarray(self.edges, np.float64)
        if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0):
            raise InputError(f"edges: must be at least 2 and increase; got {edges.tolist()}.")
        found = np.searchsorted(edges, values, side="right") - 1
        found[values == edges[-1]] = len(edges) - 2
        return np.where(values <= edges[-1], found, -1)


@dataclass(frozen=True)
class MetricRow:
    """Metrics of the clusters in one bin.

    Attributes
    ----------
    by : str
        Column that is binned; "all" for all clusters.
    low, high : float
        Edges of the bin; NaN for all clusters.
    n, n_halo : int
        Number of clusters and of their halos.
    value, error : dict of str to float
        By metric; the error is a bootstrap over halos, NaN where there is none.
    """

    by: str
    low: float
    high: float
    n: int
    n_halo: int
    value: dict[str, float]
    error: dict[str, float]

    @property
    def pit_p_value(self) -> float:
        """How often chance makes the PIT of as many halos less even; NaN without distributions."""
        return ks_p_value(self.value.get("pit_ks", np.nan), self.n_halo)


def evaluate(scores: Scores, line: Line | None = None) -> dict[str, float]:
    """Return all metrics that scores allow.

    Parameters
    ----------
    scores : ndarray of `SCORES`, shape (n,)
        At least ten clusters.
    line : Line, optional
        Of prediction on truth over the whole sample, where the scores are of one bin; metrics of
        the whole range are then left out.

    Raises
    ------
    InputError
        If there are fewer than ten clusters.
    """
    if len(scores) < _MIN_CLUSTERS:
        raise InputError(
            f"scores: must be of at least {_MIN_CLUSTERS} clusters; got {len(scores)}."
        )
    names = _POINT if np.isnan(scores["normal_score"]).any() else tuple(METRICS)
    if line is None:
        whole = fit_line(scores["ln_mass"], scores["mean"])
        return {name: METRICS[name](scores, whole) for name in names}
    return {name: METRICS[name](scores, line) for name in names if name not in _WHOLE_RANGE}


def metrics_table(
    scores: Scores,
    halo: ArrayLike,
    by: Mapping[str, Binning] | None = None,
    *,
    n_resamples: int = 200,
    seed: int = 0,
) -> list[MetricRow]:
    """Return metrics of all clusters, then of each bin with at least ten.

    Parameters
    ----------
    scores : ndarray of `SCORES`, shape (n,)
        Of one estimator.
    halo : array of int, shape (n,)
        The halo that each row is of (`halo_numbers`).
    by : mapping of str to Binning, optional
        Such as mass, redshift, exposure and dynamical state.
    n_resamples, seed : int
        Of the bootstrap; the line is fitted anew to each sample.

    Raises
    ------
    InputError
        If there are fewer than ten clusters or two halos, or a column is of another length.
    """
    owner = np.asarray(halo)
    bins: list[tuple[str, float, float, NDArray[np.bool_]]] = []
    for name, binning in (by or {}).items():
        labels, edges = binning.labels(), np.asarray(binning.edges, np.float64)
        if labels.shape != scores.shape:
            raise InputError(f"by '{name}': must be of {len(scores)} rows; got {len(labels)}.")
        for k in range(len(edges) - 1):
            inside = labels == k
            if inside.sum() >= _MIN_CLUSTERS:
                bins.append((name, float(edges[k]), float(edges[k + 1]), inside))

    line = fit_line(scores["ln_mass"], scores["mean"])
    values = [evaluate(scores), *(evaluate(scores[inside], line) for *_, inside in bins)]
    names = [[name for name in found if name not in _NO_BOOTSTRAP] for found in values]

    def measure(rows: NDArray[Any]) -> list[float]:
        sample = scores[rows]
        line = fit_line(sample["ln_mass"], sample["mean"])
        parts = [sample, *(sample[inside[rows]] for *_, inside in bins)]
        return [
            METRICS[name](part, line) if len(part) > 2 else np.nan
            for part, wanted in zip(parts, names, strict=True)
            for name in wanted
        ]

    drawn = bootstrap(measure, owner, n_resamples=n_resamples, seed=seed)
    spread = iter(np.nanstd(drawn, axis=0, ddof=1).tolist())
    headers = [("all", np.nan, np.nan, np.ones(len(scores), dtype=bool)), *bins]
    return [
        MetricRow(
            name,
            low,
            high,
            int(inside.sum()),
            len(np.unique(owner[inside])),
            found,
            dict.fromkeys(found, np.nan) | {key: next(spread) for key in wanted},
        )
        for (name, low, high, inside), found, wanted in zip(headers, values, names, strict=True)
    ]
