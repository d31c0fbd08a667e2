"""Figures of how good estimated masses are: predictions, calibration, training, comparisons.

Each function returns a matplotlib Figure that pyplot does not know, the same whatever the settings
of the session; `save` writes it. Masses are in Msun, scatter, error and bias in ln M (0.17 is 17%).
"""

from icmass.estimate.figures.calibration import coverage_figure, pit_figure
from icmass.estimate.figures.comparison import (
    KINDS,
    EstimatorRow,
    ShiftRow,
    shift_figure,
    table_figure,
)
from icmass.estimate.figures.predicted import predicted_against_true
from icmass.estimate.figures.training import learning_curve_figure, sample_size_figure
from icmass.figure_style import save

__all__ = [
    "KINDS",
    "EstimatorRow",
    "ShiftRow",
    "coverage_figure",
    "learning_curve_figure",
    "pit_figure",
    "predicted_against_true",
    "sample_size_figure",
    "save",
    "shift_figure",
    "table_figure",
]
