"""How good predicted masses and their stated uncertainties are: scatter, bias, calibration.

Predictions become scores, one row per cluster (`score`, in batches of any size), and scores become
a table (`metrics_table`).
"""

from icmass.bootstrap import bootstrap, halo_numbers
from icmass.estimate.metrics.calibration import (
    Evenness,
    coverage,
    evenness,
    ks_p_value,
    pit_histogram,
)
from icmass.estimate.metrics.learning import LearningCurve, fit_learning_curve
from icmass.estimate.metrics.point import (
    Line,
    bias,
    end_biases,
    error_std,
    fit_line,
    robust_half_width,
    slope_scatter,
)
from icmass.estimate.metrics.predictive import Predictive
from icmass.estimate.metrics.scores import SCORES, pit, point_scores, reference_points, score
from icmass.estimate.metrics.table import METRICS, Binning, MetricRow, evaluate, metrics_table

__all__ = [
    "METRICS",
    "SCORES",
    "Binning",
    "Evenness",
    "LearningCurve",
    "Line",
    "MetricRow",
    "Predictive",
    "bias",
    "bootstrap",
    "coverage",
    "end_biases",
    "error_std",
    "evaluate",
    "evenness",
    "fit_learning_curve",
    "fit_line",
    "halo_numbers",
    "ks_p_value",
    "metrics_table",
    "pit",
    "pit_histogram",
    "point_scores",
    "reference_points",
    "robust_half_width",
    "score",
    "slope_scatter",
]
