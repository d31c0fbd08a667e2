"""Predicted against true mass: panels, their numbers, frames and what is counted in hexagons."""

import math

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from icmass.errors import InputError
from icmass.estimate.figures import predicted_against_true, save
from icmass.estimate.figures.predicted import _running
from icmass.estimate.metrics import evaluate, point_scores


def texts(axes) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


def mains(figure) -> list:
    """Panels with a name and numbers in them."""
    return [axes for axes in figure.axes if axes.texts]


def residuals(figure) -> list:
    found = [axes for axes in figure.axes if axes.get_ylim()[0] == -axes.get_ylim()[1]]
    assert len(found) == len(mains(figure))
    return found


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (4, 2), (9, 3)])
def test_a_panel_a_residual_per_estimator_and_masses_on_each_column(make_scores, n, columns):
    figure = predicted_against_true({f"name {k}": make_scores(40, seed=k) for k in range(n)})
    assert [texts(axes).split("\n")[0] for axes in mains(figure)] == [f"name {k}" for k in range(n)]
    assert len(figure.axes) == 2 * n + columns
    labels = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert labels == [r"true $\log_{10}(M_{500c}\,/\,M_\odot)$"] * columns
    limits = {axes.get_xlim() for axes in figure.axes}
    assert len(limits) == 1  # all panels and histograms can be compared
    for axes in mains(figure):
        assert {axes.get_ylim()} == limits
        assert axes.get_position().width * figure.get_figwidth() == pytest.approx(
            axes.get_position().height * figure.get_figheight()
        )


def test_panels_do_not_overlap(make_scores):
    figure = predicted_against_true({f"{k}": make_scores(40, seed=k) for k in range(5)})
    boxes = [axes.get_position() for axes in figure.axes]
    for k, one in enumerate(boxes):
        assert 0.0 < one.x0 < one.x1 < 1.0
        assert 0.0 < one.y0 < one.y1 < 1.0
        for other in boxes[k + 1 :]:
            assert one.x1 < other.x0 or other.x1 < one.x0 or one.y1 < other.y0 or other.y1 < one.y0


def test_points_and_numbers_are_those_of_the_scores(make_scores):
    scores = make_scores(slope=0.6, shift=-0.1)
    figure = predicted_against_true({"shrunk": scores})
    (main,), (residual,) = mains(figure), residuals(figure)
    drawn = np.asarray(main.collections[0].get_offsets())
    np.testing.assert_allclose(drawn[:, 0], scores["ln_mass"] / math.log(10), rtol=1e-12)
    np.testing.assert_allclose(drawn[:, 1], scores["mean"] / math.log(10), rtol=1e-12)
    error = np.asarray(residual.collections[0].get_offsets())[:, 1]
    np.testing.assert_allclose(error, scores["mean"] - scores["ln_mass"], rtol=1e-12)
    value = evaluate(scores)
    assert value["slope_scatter"] > value["error_std"] + 0.002  # so they can be told apart
    for line in (
        f"slope scatter {value['slope_scatter']:.3f}",
        f"std of error {value['error_std']:.3f}",
        f"bias −{-value['bias']:.3f}",
        "300 clusters",
    ):
        assert line in texts(main)
    assert main.get_ylabel() == r"predicted $\log_{10}(M_{500c}\,/\,M_\odot)$"
    assert residual.get_ylabel() == r"$\ln(M_\mathrm{pred}/M_\mathrm{true})$"


def test_the_running_median_follows_a_tilt(make_scores):
    scores = make_scores(20_000, slope=0.8)
    x, error = scores["ln_mass"] / math.log(10), scores["mean"] - scores["ln_mass"]
    edges, (low, middle, high) = _running(x, error)
    centre = 0.5 * (edges[1:] + edges[:-1]) * math.log(10)
    counts = np.histogram(x, edges)[0]
    expected = -0.2 * (centre - scores["ln_mass"].mean())
    # 1.25 sigma / sqrt(n) is the error of a median; the masses in a bin are not even, hence 0.03.
    seen = counts > 100
    assert seen.sum() >= 6
    tolerance = 4.5 * 1.25 * 0.18 / np.sqrt(counts[seen]) + 0.03
    assert np.all(np.abs(middle - expected)[seen] < tolerance)
    assert np.any(np.abs(expected[seen]) > 2 * tolerance)  # no tilt would be seen
    np.testing.assert_allclose((0.5 * (high - low))[seen], 0.175, rtol=0.25)
    assert np.array_equal(np.isnan(middle), counts < 5)


def test_far_outliers_leave_the_frame_and_are_counted(make_scores):
    scores = make_scores()
    assert "beyond" not in texts(mains(predicted_against_true({"a": scores}))[0])
    scores["mean"][[3, 5]] += [20.0, -9.0]
    figure = predicted_against_true({"a": scores})
    assert "2 beyond the frame" in texts(mains(figure)[0])
    assert residuals(figure)[0].get_ylim()[1] < 1.0


def test_many_clusters_are_counted_in_hexagons_of_one_scale(make_scores):
    figure = predicted_against_true({"a": make_scores(100_000), "b": make_scores(6_000, slope=0.7)})
    hexagons = [c for axes in figure.axes[:4] for c in axes.collections]
    assert all(isinstance(c, PolyCollection) for c in hexagons)
    assert len(hexagons) == 4
    assert len({c.norm for c in hexagons}) == 1
    assert sum(np.asarray(hexagons[0].get_array())) == pytest.approx(100_000, abs=20)
    assert figure.axes[-1].get_ylabel() == "clusters per hexagon"


def test_masses_of_a_column_are_drawn_once_where_they_are_the_same(make_scores):
    same = {f"{k}": make_scores(50, slope=0.5 + 0.1 * k) for k in range(4)}
    tops = predicted_against_true(same).axes[-2:]
    assert [len(axes.patches) for axes in tops] == [1, 1]
    other = same | {"2": make_scores(80, seed=9)}
    tops = predicted_against_true(other).axes[-2:]
    assert [len(axes.patches) for axes in tops] == [2, 1]
    assert len({axes.get_ylim() for axes in tops}) == 1  # one axis of numbers for both


@pytest.mark.parametrize("n", [10, 11, 100])
def test_few_clusters(make_scores, tmp_path, n):
    save(predicted_against_true({"few": make_scores(n)}), tmp_path / "few.png")


def test_one_prediction_for_all_and_perfect_ones(make_scores):
    truth = make_scores()["ln_mass"]
    flat = predicted_against_true({"flat": point_scores(np.full(300, 33.0), truth)})
    assert "slope scatter nan" in texts(mains(flat)[0])
    perfect = predicted_against_true({"perfect": point_scores(truth, truth)})
    assert "std of error 0.000\nbias +0.000" in texts(mains(perfect)[0])


def test_bad_input(make_scores):
    with pytest.raises(InputError, match="estimators: must be 1 to 9; got 0"):
        predicted_against_true({})
    with pytest.raises(InputError, match=r"got 10\. Draw them in several figures"):
        predicted_against_true({str(k): make_scores(20) for k in range(10)})
    with pytest.raises(InputError, match="scores of 'x': must be of at least 10 clusters; got 9"):
        predicted_against_true({"x": make_scores(9)})
    with pytest.raises(InputError, match=r"scores of 'x': must be of SCORES, .*got float64"):
        predicted_against_true({"x": np.zeros(30)})
    with pytest.raises(InputError, match="got a structured array"):
        predicted_against_true({"x": np.zeros(30, [("mean", "f8")])})
    with pytest.raises(InputError, match=r"shape \(n,\); got a structured array, shape \(2, 10\)"):
        predicted_against_true({"x": make_scores(20).reshape(2, 10)})
    scores = make_scores(20)
    scores["mean"][4] = np.nan
    with pytest.raises(InputError, match="'x': must have finite masses"):
        predicted_against_true({"x": scores})
    scores["mean"], scores["ln_mass"] = 33.0, 33.0
    with pytest.raises(InputError, match="at least 3 different masses"):
        predicted_against_true({"x": scores})
