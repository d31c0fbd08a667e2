"""Scatter of many estimators, and one estimator on shifted data sets."""

import math
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex

from icmass.errors import InputError
from icmass.estimate.figures import KINDS, EstimatorRow, ShiftRow, shift_figure, table_figure

ROWS = [
    EstimatorRow("gas mass", "ideal proxy", 0.09, 0.001, 0.0846),
    EstimatorRow("photons", "observed proxy", 0.41, 0.02, 0.4002),
    EstimatorRow("clipped counts", "regression", 0.21),
    EstimatorRow("three bands", "network", 0.165, 0.003, 0.162),
]
SHIFTS = [
    ShiftRow("no AGN", -0.05, 0.004, 0.16, 0.002),
    ShiftRow("as trained", 0.001, 0.003, 0.165, 0.002, reference=True),
    ShiftRow("another simulation", -0.15, math.nan, 0.23, math.nan),
]


def dots(axes, filled: bool = True) -> dict[float, float]:
    """Return x by y of single points."""
    return {
        line.get_ydata()[0]: line.get_xdata()[0]
        for line in axes.lines
        if len(line.get_xdata()) == 1
        and line.get_marker() not in {"|", "None"}
        and (line.get_markerfacecolor() != "none") == filled
    }


def bars(axes) -> list[float]:
    return [np.ptp(bar[:, 0]) for c in axes.collections for bar in c.get_segments()]


def test_rows_stand_in_the_given_order_from_the_top():
    (axes,) = table_figure(ROWS).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [row.name for row in ROWS]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert dots(axes) == {k: row.scatter for k, row in enumerate(ROWS)}
    assert dots(axes, filled=False) == {0: 0.0846, 1: 0.4002, 3: 0.162}
    assert bars(axes) == pytest.approx([0.002, 0.04, 0.006])
    assert axes.get_xlabel() == r"scatter in $\ln M_{500c}$"
    assert axes.get_xlim()[0] == 0.0
    assert axes.get_xlim()[1] > 0.43
    assert [text.get_text() for text in axes.texts] == [
        "0.090 ± 0.001  (0.085)",
        "0.410 ± 0.020  (0.400)",
        "0.210",
        "0.165 ± 0.003  (0.162)",
        "here (study)",
    ]


def test_kinds_have_colours_and_a_legend():
    figure = table_figure(ROWS)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*KINDS, "Ho et al. 2023"]
    colours = [to_hex(line.get_color()) for line in legend.get_lines()[:4]]
    assert len(set(colours)) == 4
    (axes,) = figure.axes
    drawn = [
        to_hex(line.get_color())
        for line in axes.lines
        if len(line.get_ydata()) == 1
        and line.get_marker() != "|"
        and line.get_markerfacecolor() != "none"
    ]
    assert drawn == colours
    alone = table_figure([ROWS[2]])
    assert [text.get_text() for text in alone.legends[0].get_texts()] == ["regression"]
    assert [text.get_text() for text in alone.axes[0].texts] == ["0.210"]


def test_formulas_are_not_broken_and_long_names_are():
    formula = r"$N_\mathrm{gal} + \sigma_v + N_\mathrm{phot} + N_\mathrm{phot,500}$"
    long = "clipped counts, redshift and exposure, ridge regression of rings and bands"
    rows = [EstimatorRow(name, "regression", 0.2) for name in (formula, long)]
    labels = [label.get_text() for label in table_figure(rows).axes[0].get_yticklabels()]
    assert labels[0] == formula
    assert "\n" in labels[1]
    assert labels[1].replace("\n", " ") == long


def test_labels_do_not_overlap():
    long = "clipped counts, redshift and exposure, ridge regression of rings and bands"
    figure = table_figure([EstimatorRow(long, "regression", 0.2)] * 40)
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    for upper, lower in pairwise(boxes):
        assert upper.y0 > lower.y1
    assert min(box.x0 for box in boxes) >= 0.0


def test_shifts_beside_the_reference():
    figure = shift_figure(SHIFTS)
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == [row.name for row in SHIFTS]
    assert dots(left) == {k: row.bias for k, row in enumerate(SHIFTS)}
    assert dots(right) == {k: row.scatter for k, row in enumerate(SHIFTS)}
    assert bars(left) == pytest.approx([0.008, 0.006])
    assert bars(right) == pytest.approx([0.004, 0.004])
    assert left.get_xlabel() == r"bias in $\ln M_{500c}$"
    assert right.get_xlabel() == r"scatter in $\ln M_{500c}$"
    for axes, at in ((left, 0.0), (right, 0.165)):
        assert any(
            set(line.get_xdata()) == {at} for line in axes.lines if len(line.get_xdata()) > 1
        )
        low, high = axes.patches[0].get_bbox().intervaly
        assert low < 1 < high
    weights = [label.get_weight() for label in left.get_yticklabels()]
    assert weights == ["normal", "bold", "normal"]
    assert left.get_xlim() == pytest.approx((-0.168, 0.168))
    assert shift_figure([ShiftRow("a", 0.0, 0.0, 0.1, 0.0, True)]).axes[0].get_xlim()[1] > 0


@pytest.mark.parametrize("draw", [table_figure, shift_figure])
def test_numbers_of_rows(draw):
    with pytest.raises(InputError, match="rows: must be 1 to 60; got 0"):
        draw([])
    with pytest.raises(InputError, match=r"got 61\. Draw fewer"):
        draw([None] * 61)


def test_bad_rows():
    with pytest.raises(InputError, match=r"kind of 'x': must be one of ideal proxy, .*; got 'CNN'"):
        EstimatorRow("x", "CNN", 0.1)
    with pytest.raises(InputError, match="scatter of 'x': must be above 0 and finite; got nan"):
        EstimatorRow("x", "network", math.nan)
    with pytest.raises(InputError, match="paper of 'x': must be above 0 and finite; got 0"):
        EstimatorRow("x", "network", 0.1, 0.1, 0)
    with pytest.raises(InputError, match="error of 'x': must be 0 or more, or NaN; got -1"):
        EstimatorRow("x", "network", 0.1, -1)
    with pytest.raises(InputError, match="bias of 'x': must be finite; got inf"):
        ShiftRow("x", math.inf, 0.1, 0.1, 0.1)
    with pytest.raises(InputError, match="scatter of 'x': must be above 0"):
        ShiftRow("x", 0.0, 0.1, -0.1, 0.1)
    with pytest.raises(InputError, match="bias_error of 'x': must be 0 or more, or NaN; got inf"):
        ShiftRow("x", 0.0, math.inf, 0.1, 0.1)
    with pytest.raises(InputError, match="scatter_error of 'x'"):
        ShiftRow("x", 0.0, 0.1, 0.1, -1.0)
    for rows, n in ((SHIFTS[:1], 0), ([SHIFTS[1]] * 2, 2)):
        with pytest.raises(InputError, match=f"rows: must hold one reference; got {n}"):
            shift_figure(rows)
