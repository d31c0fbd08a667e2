"""Recalibration: coverage right on other clusters than those it was fitted on, and wrong before."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from icmass.errors import InputError
from icmass.estimate.metrics import Predictive, coverage, evenness
from icmass.estimate.recalibration import METHODS, Recalibration
from tests.helpers.stats import Z_MAX

N, N_OTHER = 300, 20_000
LEVELS = (0.6827, 0.95)
SKEW = 0.8


def gaussian_truths(factor: float, shift: float) -> Callable:
    """Truths whose widths differ tenfold; stated `factor` too wide and `shift` sigma too high."""

    def draw(n: int, rng: np.random.Generator) -> tuple[Predictive, np.ndarray]:
        mean, std = rng.normal(33.0, 1.0, n), 0.1 * 10.0 ** rng.uniform(-0.5, 0.5, n)
        return Predictive.gaussian(mean + shift * std, factor * std), rng.normal(mean, std)

    return draw


def skewed_truths(n: int, rng: np.random.Generator) -> tuple[Predictive, np.ndarray]:
    """Lognormal truths, stated as Gaussians of the right mean and standard deviation."""
    law = stats.lognorm(SKEW)
    mean, width = rng.normal(33.0, 1.0, n), rng.uniform(0.1, 0.5, n)
    stated = Predictive.gaussian(mean + width * law.mean(), width * law.std())
    return stated, mean + width * np.exp(SKEW * rng.standard_normal(n))


def error(level: float, method: str) -> float:
    """Standard deviation of the coverage of N_OTHER clusters after a fit to N.

    Order statistics: the probability between two ranks is a beta variable of variance
    p (1 - p) / (N + 2). Temperature: dC = 2 q phi(q) d ln s, var(ln s) = 0.6 / N (0.5 / N without
    clipping); the shift counts in second order.
    """
    q = stats.norm.ppf(0.5 + 0.5 * level)
    of_fit = {
        "conformal": level * (1 - level) / (N + 2),
        "temperature": (2 * q * stats.norm.pdf(q)) ** 2 * 0.6 / N,
    }
    return math.sqrt(of_fit[method] + level * (1 - level) / N_OTHER)


def is_right(stated: Predictive, truth: np.ndarray, method: str) -> bool:
    found = [coverage(stated.cdf(truth), level) for level in LEVELS]
    return all(
        abs(one - level) < Z_MAX * error(level, method)
        for one, level in zip(found, LEVELS, strict=True)
    )


@pytest.mark.parametrize("method", ["temperature", "conformal"])
@pytest.mark.parametrize(
    ("factor", "shift"), [(1.8, 0.0), (0.6, 0.0), (1.0, 1.1), (0.6, -0.5), (2.0, 0.7)]
)
def test_wrong_widths_and_shifts_are_put_right(method, factor, shift):
    rng = np.random.default_rng(11)
    draw = gaussian_truths(factor, shift)
    stated, truth = draw(N, rng)
    fitted = Recalibration.fit(method, stated.normal_score(truth))
    stated, truth = draw(N_OTHER, rng)
    assert not is_right(stated, truth, method)
    assert is_right(fitted.apply(stated), truth, method)
    wide = stated.mean_std()[1] > 0.1 * factor
    for half in (wide, ~wide):
        assert is_right(fitted.apply(stated[half]), truth[half], method)


@pytest.mark.parametrize("method", ["temperature", "conformal"])
def test_right_predictions_stay_right(method):
    rng = np.random.default_rng(12)
    draw = gaussian_truths(1.0, 0.0)
    stated, truth = draw(N, rng)
    fitted = Recalibration.fit(method, stated.normal_score(truth))
    stated, truth = draw(N_OTHER, rng)
    assert is_right(stated, truth, method)
    assert is_right(fitted.apply(stated), truth, method)


def test_the_shape_of_skewed_truths_is_put_right_by_quantiles_only():
    rng = np.random.default_rng(13)
    stated, truth = skewed_truths(N, rng)
    u = stated.normal_score(truth)
    fits = {method: Recalibration.fit(method, u) for method in METHODS}
    stated, truth = skewed_truths(N_OTHER, rng)
    assert not is_right(stated, truth, "conformal")
    assert is_right(fits["conformal"].apply(stated), truth, "conformal")
    # The KS distance of N validation clusters is below 1.95 / sqrt(N) but once in a thousand.
    far = {
        method: evenness(fits[method].apply(stated).cdf(truth)).distance * math.sqrt(N)
        for method in METHODS
    }
    assert far["conformal"] < 1.95 < far["temperature"]
    assert far["none"] > 1.95
    gain = fits["conformal"].apply(stated).log_density(truth) - stated.log_density(truth)
    assert gain.mean() > 0.1


def test_coverage_is_right_in_the_mean_over_validation_sets():
    rng, fits = np.random.default_rng(14), 400
    shift, factor = 0.3, 1.7
    for method in ("temperature", "conformal"):
        maps = [
            Recalibration.fit(method, shift + factor * rng.standard_normal(N)) for _ in range(fits)
        ]
        for level in LEVELS:
            q = stats.norm.ppf(0.5 + 0.5 * level)
            ends = np.array([one.stated_score([-q, q]) for one in maps])
            found = np.diff(stats.norm.cdf(ends, shift, factor), axis=1).ravel()
            # 0.005 is what 1% in width does to the 68% interval.
            assert found.mean() == pytest.approx(level, abs=0.005)
            assert found.std() < 1.1 * error(level, method)


def test_probability_beyond_a_knot_is_right_however_few_the_clusters():
    rng, n, fits = np.random.default_rng(15), 20, 2000
    beyond = 5 / (n + 1)
    outer = stats.norm.isf(beyond)
    u = rng.standard_normal((fits, n))
    maps = [Recalibration.fit("conformal", row) for row in u]
    ends = np.array([one.stated_score([-outer, outer]) for one in maps])
    gate = Z_MAX * math.sqrt(beyond * (1 - beyond) / (n + 2) / fits)
    assert stats.norm.cdf(ends[:, 0]).mean() == pytest.approx(beyond, abs=gate)
    assert stats.norm.sf(ends[:, 1]).mean() == pytest.approx(beyond, abs=gate)
    uncorrected = stats.norm.sf(np.quantile(u, 1 - beyond, axis=1)).mean()
    assert uncorrected > beyond + gate


def test_temperature_of_a_gaussian_is_its_mean_and_width():
    u = 0.4 + 1.3 * stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    fitted = Recalibration.fit("temperature", u)
    np.testing.assert_allclose(fitted.stated_score([0.0, 2.0]), [0.4, 3.0], rtol=1e-3)


@pytest.mark.parametrize("far", [-30.0, 30.0])
def test_a_cluster_far_out_hardly_moves_the_temperature(far):
    u = np.random.default_rng(16).standard_normal(N)
    moved = np.append(u[1:], far)
    before, after = (Recalibration.fit("temperature", x).stated_score([0, 1]) for x in (u, moved))
    assert np.abs(after - before).max() < 0.03
    assert moved.std() > 1.5


def test_a_gaussian_stays_one_under_temperature():
    fitted = Recalibration("temperature", (-1.0, 1.0), (-1.0, 2.0))  # shift 0.5, scale 1.5
    found = fitted.apply(Predictive.gaussian([33.0, 31.0], [0.2, 0.4]))
    assert len(found.score) == 2
    mean, std = found.mean_std()
    np.testing.assert_allclose(mean, [33.1, 31.2], rtol=1e-12)
    np.testing.assert_allclose(std, [0.3, 0.6], rtol=1e-7)


@pytest.mark.parametrize("knots", [2, 11, 25, 33])
@pytest.mark.parametrize("method", ["temperature", "conformal"])
def test_recalibrated_quantiles_are_those_at_the_mapped_score(method, knots):
    rng = np.random.default_rng(17)
    score = np.linspace(-9.0, 9.0, knots)  # beyond what a probability can say
    value = 30.0 + np.cumsum(rng.uniform(0.1, 2.0, (5, knots)), axis=1)
    fitted = Recalibration.fit(method, rng.gamma(2.0, size=N) - 1.7)
    found = fitted.apply(Predictive(score, value))
    expected_knots = score if method == "temperature" or knots >= 25 else np.linspace(-3, 3, 25)
    np.testing.assert_array_equal(found.score, expected_knots)
    for row in range(5):
        # twin: both maps by interpolation between far ends of the outer pieces
        mapped = np.interp(found.score, *lengthened(np.array(fitted.score), np.array(fitted.value)))
        expected = np.interp(mapped, *lengthened(score, value[row]))
        np.testing.assert_allclose(found.value[row], expected, rtol=1e-12)


def lengthened(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    steps = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    far_x = np.concatenate([[x[0] - 100.0], x, [x[-1] + 100.0]])
    return far_x, np.concatenate([[y[0] - 100.0 * steps[0]], y, [y[-1] + 100.0 * steps[1]]])


def test_conformal_knots_are_few_and_rise():
    for n, knots in ((20, 3), (300, 7), (3000, 19)):
        fitted = Recalibration.fit("conformal", np.random.default_rng(n).standard_normal(n))
        assert len(fitted.score) == knots + 2
        slopes = np.diff(fitted.value) / np.diff(fitted.score)
        assert slopes[0] == pytest.approx(slopes[-1])  # that of the temperature
        assert slopes[0] == pytest.approx(1.0, abs=Z_MAX / math.sqrt(1.7 * n))


def test_none_changes_nothing_and_needs_no_clusters():
    stated = Predictive.gaussian([1.0], [2.0])
    assert Recalibration.fit("none", []).apply(stated) is stated
    np.testing.assert_array_equal(Recalibration("none").stated_score([-7.0, 3.0]), [-7.0, 3.0])


@pytest.mark.parametrize("method", METHODS)
def test_json_gives_back_the_map(method):
    fitted = Recalibration.fit(method, np.random.default_rng(18).standard_normal(50))
    assert Recalibration.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "platt"}, "recalibration: must be one of temperature, .*; got 'platt'"),
        ({"method": ["none"]}, "recalibration: must be one of"),
        ({"score": "-1"}, "recalibration score: must be a list of numbers; got '-1'"),
        ({"value": [False, True]}, "recalibration value: must be a list of numbers"),
        ({"value": [1.0, -1.0]}, "must be two or more finite knots whose score and value increase"),
        ({"value": [0.0, math.inf]}, "must be two or more finite knots"),
        ({"value": [0.0, 1.0, 2.0]}, "must be two or more finite knots"),
        ({"score": [0.0], "value": [0.0]}, "must be two or more finite knots"),
        ({"seed": 3}, r"must hold method, score, value; got \['method', 'score', 'seed', 'value'"),
    ],
)
def test_foreign_content_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        Recalibration.from_dict({**Recalibration("none").to_dict(), **change})


def test_what_is_no_map_is_refused():
    with pytest.raises(InputError, match="must hold method, score, value; got list"):
        Recalibration.from_dict([1, 2])


@pytest.mark.parametrize("method", ["temperature", "conformal"])
@pytest.mark.parametrize(
    ("u", "message"),
    [
        (np.arange(19.0), "20 or more validation clusters; got 19. Set a larger part apart"),
        ([0.0] * 30 + [np.nan], r"normal scores: must be finite .* \(31,\), 30 finite"),
        (np.zeros((20, 2)), r"normal scores: must be finite numbers, shape \(n,\); got shape"),
        ([1.5] * 40, "must differ from cluster to cluster; got 1 different ones of 40"),
    ],
)
def test_scores_that_cannot_be_fitted_are_refused(method, u, message):
    with pytest.raises(InputError, match=message):
        Recalibration.fit(method, u)


def test_unknown_methods_are_refused():
    with pytest.raises(InputError, match="must be one of temperature, conformal, none; got 'isot"):
        Recalibration.fit("isotonic", np.arange(30.0))
