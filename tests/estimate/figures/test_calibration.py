"""PIT histograms and coverage curves: what they show is what the metrics say."""

import re

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.estimate.figures import coverage_figure, pit_figure
from icmass.estimate.metrics import (
    coverage,
    evenness,
    ks_p_value,
    pit,
    pit_histogram,
    point_scores,
)
from tests.helpers.stats import P_MIN


def heights(axes) -> np.ndarray:
    return axes.patches[-1].get_data().values


def band(axes) -> float:
    """Half the height of the inner band."""
    low, high = axes.patches[1].get_bbox().intervaly
    return 0.5 * (high - low)


def band_at_half(figure) -> float:
    """Height of the inner band of coverage at 50%."""
    outline = figure.axes[0].collections[1].get_paths()[0].vertices
    return np.ptp(outline[np.isclose(outline[:, 0], 0.5), 1])


def points_only(scores):
    return point_scores(scores["mean"], scores["ln_mass"])


def test_pit_histograms_say_how_predictions_are_wrong(make_scores):
    named = {
        "right": make_scores(3000),
        "narrow": make_scores(3000, said=0.1),
        "wide": make_scores(3000, said=0.3),
        "high": make_scores(3000, shift=0.1),
        "number": points_only(make_scores(3000)),
    }
    figure = pit_figure(named)
    assert len(figure.axes) == 4  # one has no distributions
    right, narrow, wide, high = figure.axes
    np.testing.assert_allclose(heights(right), pit_histogram(pit(named["right"]))[0])
    error = band(right)
    assert error == pytest.approx((9 / 3000) ** 0.5)
    assert np.abs(heights(right) - 1.0).max() < 4.5 * error
    assert heights(narrow)[[0, -1]].min() > 1.0 + 8 * error > 1.0 > heights(narrow)[4]
    assert heights(wide)[[0, -1]].max() < 1.0 - 8 * error < 1.0 < heights(wide)[4]
    assert heights(high)[0] > 1.0 + 8 * error
    assert heights(high)[-1] < 1.0 - 8 * error
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "PIT", "PIT"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["density", "", "density", ""]
    found = evenness(pit(named["right"]))
    assert found.p_value > P_MIN
    assert right.get_title() == (
        f"right\nKS distance {found.distance:.3f}, p = {found.p_value:.2g}"
    )
    assert narrow.get_title().endswith("p < 0.0001")


def test_errors_of_halos_with_several_rows(make_scores):
    scores = make_scores(1000)
    one, all_rows = pit_figure({"a": scores}, n_independent=250), pit_figure({"a": scores})
    assert band(one.axes[0]) == pytest.approx(2 * band(all_rows.axes[0]))
    chance = ks_p_value(evenness(pit(scores)).distance, 250)
    assert one.axes[0].get_title().endswith(f"p = {chance:.2g}")
    halved = coverage_figure({"a": scores}, n_independent=250)
    assert band_at_half(halved) == pytest.approx(2 * 0.5 / 250**0.5)
    assert band_at_half(coverage_figure({"a": scores})) == pytest.approx(2 * 0.5 / 1000**0.5)
    assert len(pit_figure({"a": scores}, bins=20).axes[0].patches[-1].get_data().values) == 20


def test_coverage_curves(make_scores):
    named = {
        "right": make_scores(2000),
        "number": points_only(make_scores(50)),
        "narrow": make_scores(2000, said=0.1),
    }
    figure = coverage_figure(named)
    main, difference = figure.axes
    curves = {line.get_label(): line.get_xydata() for line in main.lines}
    assert len([line for line in main.lines if len(line.get_xdata()) > 2]) == 3  # with the diagonal
    for name in ("right", "narrow"):
        values = pit(named[name])
        (label,) = [label for label in curves if label.startswith(name)]
        level, covered = curves[label].T
        np.testing.assert_array_equal(covered, [coverage(values, p) for p in level])
        numbers = re.findall(r"[\d.]+(?=%)", label)
        assert [float(n) for n in numbers] == pytest.approx(
            [100 * coverage(values, 0.68), 100 * coverage(values, 0.95)], abs=0.051
        )
        beneath = [line for line in difference.lines if len(line.get_xdata()) > 2]
        assert any(np.allclose(line.get_ydata(), covered - level) for line in beneath)
    assert band_at_half(figure) == pytest.approx(2 * 0.5 / 2000**0.5)
    marked = [line.get_xdata()[0] for line in main.lines if len(line.get_xdata()) == 2]
    assert marked == [0.68, 0.95]
    assert {text.get_text() for text in main.texts} == {"68%", "95%"}
    assert main.get_ylabel() == "part of truths inside"
    assert difference.get_xlabel() == "probability of the central interval"


@pytest.mark.parametrize("n", [10, 100_000])
def test_few_and_many(make_scores, n):
    scores = make_scores(n)
    assert len(pit_figure({"a": scores}).axes) == 1
    assert len(coverage_figure({"a": scores}).axes) == 2


def test_nine_estimators_can_be_told_apart(make_scores):
    figure = coverage_figure({str(k): make_scores(30, seed=k) for k in range(9)})
    named = [line for line in figure.axes[0].lines if not line.get_label().startswith("_")]
    assert len({(line.get_color(), line.get_linestyle()) for line in named}) == 9
    assert len(pit_figure({str(k): make_scores(30, seed=k) for k in range(9)}).axes) == 9


@pytest.mark.parametrize("draw", [pit_figure, coverage_figure])
def test_bad_input(make_scores, draw):
    scores = make_scores(20)
    with pytest.raises(InputError, match="with a distribution of every cluster; got a, b without"):
        draw({"a": points_only(scores), "b": points_only(scores)})
    part = scores.copy()
    part["normal_score"][3] = np.nan
    with pytest.raises(InputError, match=r"of every cluster; got a without\. Score a Predictive"):
        draw({"a": part})
    with pytest.raises(InputError, match="n_independent: must be from 2 to the 20 rows; got 21"):
        draw({"a": scores}, n_independent=21)
    with pytest.raises(InputError, match="estimators: must be 1 to 9; got 0"):
        draw({})


def test_bad_bins(make_scores):
    with pytest.raises(InputError, match="bins: must be from 2 to 100; got 1"):
        pit_figure({"a": make_scores(20)}, bins=1)
