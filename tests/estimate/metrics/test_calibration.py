"""Every measure of calibration flags what is too wide, too narrow or shifted, and nothing else.

Errors are 1, as predicted, or the prediction is k times as wide and d too high. What each measure
should then read follows from the Gaussian; the number of clusters is such that the gate at 4.5
sigma stands 8 sigma below it, so a distortion is missed once in 4000 draws.
"""

import math

import numpy as np
import pytest
from scipy import stats

from icmass.errors import InputError
from icmass.estimate.metrics import (
    Predictive,
    coverage,
    evenness,
    pit,
    pit_histogram,
    reference_points,
    score,
)
from tests.helpers.stats import Z_MAX

N = 20_000
RANGE = 3.0  # of the truths, in standard deviations of the error
DISTORTIONS = {"wide": (1.25, 0.0), "narrow": (0.8, 0.0), "shifted": (1.0, 0.5)}
KS_P = 1e-5  # of a right prediction


def drawn(width: float, shift: float, n: int = N, seed: int = 12) -> np.ndarray:
    """Scores of n clusters; widths and centres of the right predictions vary."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.1, 0.4, n)
    mean = 33.0 + RANGE * rng.uniform(-0.5, 0.5, n)
    truth = mean + sigma * rng.standard_normal(n)
    predictive = Predictive.gaussian(mean + shift * sigma, width * sigma)
    return score(predictive, truth, reference_points(n, 31.0, 35.0, seed=1))


def coverage_expected(level: float, width: float, shift: float) -> float:
    reach = width * stats.norm.ppf(0.5 + level / 2)
    return float(stats.norm.cdf(shift + reach) - stats.norm.cdf(shift - reach))


def coverage_z(scores: np.ndarray, level: float) -> float:
    return (coverage(pit(scores), level) - level) / math.sqrt(level * (1 - level) / len(scores))


def mean_z(values: np.ndarray) -> float:
    return float(values.mean() / (values.std() / math.sqrt(len(values))))


def excess(scores: np.ndarray, name: str) -> np.ndarray:
    return scores[name] - scores[f"{name}_expected"]


def pull_std_z(scores: np.ndarray) -> float:
    return float((scores["normal_score"].std() - 1.0) * math.sqrt(2 * len(scores)))


def histogram_z(scores: np.ndarray) -> float:
    density, error = pit_histogram(pit(scores))
    chi2 = np.sum(((density - 1) / error) ** 2) * 9 / 10
    return float((chi2 - 9) / math.sqrt(18))


def test_right_predictions_are_not_flagged():
    scores = drawn(1.0, 0.0)
    for level in (0.68, 0.95):
        assert abs(coverage_z(scores, level)) < Z_MAX
    for name in ("nll", "crps"):
        assert abs(mean_z(excess(scores, name))) < Z_MAX
    assert abs(mean_z(scores["normal_score"])) < Z_MAX
    assert abs(pull_std_z(scores)) < Z_MAX
    assert abs(histogram_z(scores)) < Z_MAX
    assert evenness(pit(scores)).p_value > KS_P
    assert evenness(scores["tarp"]).p_value > KS_P


@pytest.mark.parametrize("level", [0.68, 0.95])
@pytest.mark.parametrize("kind", DISTORTIONS)
def test_coverage_flags(kind, level):
    expected = coverage_expected(level, *DISTORTIONS[kind])
    error = math.sqrt(level * (1 - level) / N)
    assert abs(expected - level) / error > 8
    scores = drawn(*DISTORTIONS[kind])
    assert abs(coverage_z(scores, level)) > Z_MAX
    assert coverage(pit(scores), level) == pytest.approx(expected, abs=4.5 * error * 1.3)


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_pit_flags(kind):
    width, shift = DISTORTIONS[kind]
    grid = np.linspace(-4, 4, 2001)
    should_be = np.max(np.abs(stats.norm.cdf(grid * width + shift) - stats.norm.cdf(grid)))
    scores = drawn(width, shift)
    found = evenness(pit(scores))
    assert found.distance == pytest.approx(should_be, abs=2.5 / math.sqrt(N))
    assert should_be * math.sqrt(N) > 2.5 + stats.kstwobign.isf(KS_P)
    assert found.p_value < KS_P
    assert histogram_z(scores) > Z_MAX


def test_pit_histogram_says_which():
    shapes = {kind: pit_histogram(pit(drawn(*DISTORTIONS[kind])), 9)[0] for kind in DISTORTIONS}
    assert shapes["wide"][4] > 1.1 > 0.7 > shapes["wide"][[0, 8]].max()
    assert shapes["narrow"][4] < 0.9 < 1.3 < shapes["narrow"][[0, 8]].min()
    assert shapes["shifted"][0] > 1.5 > 0.5 > shapes["shifted"][8]


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_tarp_flags(kind):
    width, shift = DISTORTIONS[kind]
    grid = np.linspace(-4, 4, 2001)
    # Half of the references lie far below, half far above: a shift shows in second order only.
    ends = [stats.norm.cdf(grid * width + side * shift) for side in (-1, 1)]
    should_be = np.max(np.abs(np.mean(ends, axis=0) - stats.norm.cdf(grid)))
    assert should_be * math.sqrt(N) > 1.5 + stats.kstwobign.isf(KS_P)
    found = evenness(drawn(width, shift)["tarp"])
    assert found.p_value < KS_P
    assert found.distance > 0.6 * should_be


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_log_likelihood_flags(kind):
    width, shift = DISTORTIONS[kind]
    should_be = 0.5 * ((1 + shift**2) / width**2 - 1)
    found = excess(drawn(width, shift), "nll")
    assert abs(should_be) / (found.std() / math.sqrt(N)) > 8
    assert found.mean() == pytest.approx(should_be, abs=4.5 * found.std() / math.sqrt(N))
    assert abs(mean_z(found)) > Z_MAX


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_crps_flags(kind):
    width, shift = DISTORTIONS[kind]
    scale = math.hypot(1, width)
    both = math.sqrt(2) * scale * math.exp(-((shift / scale) ** 2) / 2) / math.sqrt(math.pi)
    apart = both + shift * (1 - 2 * stats.norm.cdf(-shift / scale))
    should_be = 0.25 * (apart - 2 * width / math.sqrt(math.pi))  # mean sigma is 0.25
    found = excess(drawn(width, shift), "crps")
    assert abs(should_be) / (found.std() / math.sqrt(N)) > 8
    assert found.mean() == pytest.approx(should_be, abs=4.5 * found.std() / math.sqrt(N))
    assert abs(mean_z(found)) > Z_MAX


@pytest.mark.parametrize("kind", DISTORTIONS)
@pytest.mark.parametrize("name", ["nll", "crps"])
def test_proper_scores_are_best_for_the_right_prediction(kind, name):
    loss = drawn(*DISTORTIONS[kind])[name] - drawn(1.0, 0.0)[name]
    assert mean_z(loss) > Z_MAX


@pytest.mark.parametrize(
    ("kind", "mean", "std"),
    [("wide", 0.0, 0.8), ("narrow", 0.0, 1.25), ("shifted", -0.5, 1.0)],
)
def test_pull_measures_the_distortion(kind, mean, std):
    pulls = drawn(*DISTORTIONS[kind])["normal_score"]
    assert pulls.mean() == pytest.approx(mean, abs=4.5 * std / math.sqrt(N))
    assert pulls.std() == pytest.approx(std, rel=4.5 / math.sqrt(2 * N))


def from_samples(mean: np.ndarray, std: np.ndarray, rng: np.random.Generator) -> Predictive:
    return Predictive.from_samples(mean[:, None] + std[:, None] * rng.standard_normal((3000, 400)))


def from_quantiles(mean: np.ndarray, std: np.ndarray, _: np.random.Generator) -> Predictive:
    p = [0.025, 0.16, 0.5, 0.84, 0.975]
    return Predictive.from_quantiles(p, mean[:, None] + std[:, None] * stats.norm.ppf(p))


@pytest.mark.parametrize("make", [from_samples, from_quantiles])
@pytest.mark.parametrize(
    ("width", "shift", "right"),
    [(1.0, 0.0, True), (1.4, 0.0, False), (0.7, 0.0, False), (1.0, 0.5, False)],
)
def test_samples_and_quantiles_are_flagged_alike(make, width, shift, right):
    rng = np.random.default_rng(21)
    sigma, mean = rng.uniform(0.1, 0.4, 3000), rng.uniform(32, 34, 3000)
    truth = mean + sigma * rng.standard_normal(3000)
    scores = score(make(mean + shift * sigma, width * sigma, rng), truth, np.full(3000, 30.0))
    assert (evenness(pit(scores)).p_value > KS_P) == right
    assert (evenness(scores["tarp"]).p_value > KS_P) == right
    assert (abs(coverage_z(scores, 0.68)) < Z_MAX) == right
    for name in ("nll", "crps"):
        assert (abs(mean_z(excess(scores, name))) < Z_MAX) == right


def test_evenness_is_scipys_and_halos_weaken_it():
    values = np.random.default_rng(2).random(300) ** 1.2
    found, reference = evenness(values), stats.kstest(values, "uniform")
    assert found.distance == pytest.approx(reference.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-6)
    assert evenness(values, 100).distance == found.distance
    assert evenness(values, 100).p_value > found.p_value


def test_bad_input():
    with pytest.raises(InputError, match="between 0 and 1"):
        coverage([0.5, 1.2], 0.68)
    with pytest.raises(InputError, match="between 0 and 1"):
        evenness([])
    predictive = Predictive.gaussian([1.0, 2.0], [1.0, 1.0])
    with pytest.raises(InputError, match="ln M: must be 2 finite numbers"):
        score(predictive, [1.0, np.nan], [0.0, 0.0])
    with pytest.raises(InputError, match="reference: must be 2"):
        score(predictive, [1.0, 2.0], [0.0])
