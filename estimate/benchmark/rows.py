"""One row of the table: what an estimator sees, how well it does, what the study found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.estimate.metrics import Binning, MetricRow, metrics_table
from icmass.estimate.proxies import ProxySample
from icmass.estimate.search import binned_scatter

__all__ = ["Row", "Sample", "make_row"]


@dataclass(frozen=True)
class Sample:
    """The clusters of a benchmark: truth, folds, and the columns by which results are binned.

    Attributes
    ----------
    ln_mass, redshift : ndarray, shape (n,)
    halo, fold : ndarray of int, shape (n,)
    bins : mapping of str to Binning
        Such as mass, redshift, exposure and dynamical state.
    """

    ln_mass: NDArray[np.float64]
    redshift: NDArray[np.float64]
    halo: NDArray[np.int64]
    fold: NDArray[np.int64]
    bins: Mapping[str, Binning]


@dataclass(frozen=True)
class Row:
    """How well one estimator does.

    Attributes
    ----------
    name, label, kind : str
        The kind is one of `icmass.estimate.figures.KINDS`.
    sees : str
        Its inputs, in words.
    paper : float or None
        The study's scatter in ln M.
    in_sample, in_sample_error : float
        Of proxies: the study's form of scatter, from relations that have seen all clusters.
    binned : float
        Scatter of cross-validated predictions per redshift bin, averaged.
    metrics : MetricRow
        Of cross-validated predictions of all clusters.
    by_bin : list of MetricRow
        The same in bins.
    scores : ndarray of `SCORES`, shape (n,)
    leak_test : bool
        Whether it belongs to the table of leaks.
    """

    name: str
    label: str
    kind: str
    sees: str
    paper: float | None
    in_sample: float
    in_sample_error: float
    binned: float
    metrics: MetricRow
    by_bin: list[MetricRow] = field(repr=False)
    scores: NDArray[np.void] = field(repr=False)
    leak_test: bool = False

    def numbers(self) -> dict[str, Any]:
        """Return everything but scores, flat, None where there is none."""
        values: dict[str, Any] = {
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "sees": self.sees,
            "clusters": self.metrics.n,
            "paper_scatter": self.paper,
            "in_sample_scatter": _known(self.in_sample),
            "in_sample_scatter_error": _known(self.in_sample_error),
            "binned_scatter": _known(self.binned),
        }
        for name, value in self.metrics.value.items():
            values[name] = _known(value)
            values[f"{name}_error"] = _known(self.metrics.error.get(name, np.nan))
        values["pit_p_value"] = _known(self.metrics.pit_p_value)
        return values


def make_row(
    sample: Sample,
    scores: NDArray[np.void],
    *,
    name: str,
    label: str,
    kind: str,
    sees: str,
    paper: float | None = None,
    in_sample: float = float("nan"),
    in_sample_error: float = float("nan"),
    leak_test: bool = False,
    n_resamples: int = 200,
) -> Row:
    """Measure an estimator by its scores.

    Parameters
    ----------
    sample : Sample
        The n clusters.
    scores : ndarray of `SCORES`, shape (n,)
        NaN in `mean` where the estimator says nothing of a cluster; these are left out.
    name, label, kind, sees
        As of `Row`.
    paper : float, optional
        The study's scatter in ln M.
    in_sample, in_sample_error : float
        The study's form of scatter, of proxies; NaN where there is none.
    leak_test : bool
        Whether the row belongs to the table of leaks.
    n_resamples : int
        Of the bootstrap of errors over haloes.
    """
    known = np.flatnonzero(np.isfinite(scores["mean"]))
    some = scores[known]
    bins = {
        key: Binning(np.asarray(one.values)[known], one.edges) for key, one in sample.bins.items()
    }
    table = metrics_table(some, sample.halo[known], bins, n_resamples=n_resamples)
    proxies = ProxySample(
        (), np.empty((len(known), 0)), some["ln_mass"], sample.redshift[known], sample.halo[known]
    )
    try:
        binned = binned_scatter(proxies, some["mean"])
    except ValueError:  # a redshift bin with too few clusters
        binned = float("nan")
    return Row(
        name,
        label,
        kind,
        sees,
        paper,
        in_sample,
        in_sample_error,
        binned,
        table[0],
        table[1:],
        scores,
        leak_test,
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
