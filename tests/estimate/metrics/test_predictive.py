"""Predictive distributions against closed forms of a Gaussian and against direct integration."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from icmass.catalog import Predictions
from icmass.errors import InputError
from icmass.estimate.metrics import Predictive

MEAN = np.array([33.0, 32.1, 31.0, -2.0])
STD = np.array([0.3, 0.05, 1.7, 4.0])
TRUTH = np.array([33.2, 31.9, 31.0, 90.0])  # the last is 23 sigma out

# Skewed, with unequal gaps on purpose.
PROBABILITY = [0.02, 0.16, 0.5, 0.7, 0.975]
VALUES = np.array([[30.0, 31.0, 31.5, 33.0, 33.2], [1.0, 1.1, 1.6, 1.7, 4.0]])


def skewed() -> Predictive:
    return Predictive.from_quantiles(PROBABILITY, VALUES)


def test_gaussian_is_exact():
    one, law = Predictive.gaussian(MEAN, STD), stats.norm(MEAN, STD)
    z = (TRUTH - MEAN) / STD
    mean, std = one.mean_std()
    np.testing.assert_allclose(mean, MEAN, rtol=1e-12)
    np.testing.assert_allclose(std, STD, rtol=1e-9)
    np.testing.assert_allclose(one.normal_score(TRUTH), z, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.cdf(TRUTH), law.cdf(TRUTH), rtol=1e-9)
    np.testing.assert_allclose(one.log_density(TRUTH), law.logpdf(TRUTH), rtol=1e-9)
    np.testing.assert_allclose(one.quantile([0.1, 0.999])[:, 1], law.ppf(0.999), rtol=1e-12)
    crps = STD * (z * (2 * law.cdf(TRUTH) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))
    np.testing.assert_allclose(one.crps(TRUTH), crps, rtol=1e-9)
    expected_crps, entropy = one.expected_scores()
    np.testing.assert_allclose(expected_crps, STD / math.sqrt(math.pi), rtol=1e-9)
    np.testing.assert_allclose(entropy, law.entropy(), rtol=1e-9)


@pytest.mark.parametrize("sigma", [-60.0, 60.0])
def test_crps_far_out_is_the_distance_less_the_expected_spread(sigma):
    one = Predictive.gaussian([1.0], [2.0])
    expected = 2.0 * (abs(sigma) - 1 / math.sqrt(math.pi))
    assert one.crps([1.0 + 2.0 * sigma])[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("probability", [[0.1, 0.5], [0.025, 0.16, 0.5, 0.84, 0.975]])
def test_quantiles_of_a_gaussian_are_that_gaussian(probability):
    values = stats.norm.ppf(probability, MEAN[:, None], STD[:, None])
    one, other = Predictive.from_quantiles(probability, values), Predictive.gaussian(MEAN, STD)
    for ours, theirs in zip(one.mean_std(), other.mean_std(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7)
    np.testing.assert_allclose(one.crps(TRUTH), other.crps(TRUTH), rtol=1e-7)
    np.testing.assert_allclose(one.log_density(TRUTH), other.log_density(TRUTH), rtol=1e-6)


def test_skewed_quantiles_are_met_and_lie_in_order():
    one = skewed()
    np.testing.assert_allclose(one.quantile(PROBABILITY), VALUES, rtol=1e-12)
    for column, p in zip(VALUES.T, PROBABILITY, strict=True):
        np.testing.assert_allclose(one.cdf(column), p, rtol=1e-9)


def test_skewed_moments_and_scores_against_integration():
    one = skewed()
    z = np.linspace(-12, 12, 400_001)
    truth = np.array([32.2, 0.3])
    for row in range(2):
        single = one[row : row + 1]
        x = single.quantile(stats.norm.cdf(z[(z > -8) & (z < 8)]))[0]
        weight = stats.norm.pdf(z[(z > -8) & (z < 8)]) * (z[1] - z[0])
        mean = np.sum(x * weight)
        assert one.mean_std()[0][row] == pytest.approx(mean, abs=1e-5)
        assert one.mean_std()[1][row] == pytest.approx(
            math.sqrt(np.sum((x - mean) ** 2 * weight)), abs=1e-5
        )

        def integrand(at, single=single, row=row):
            return (single.cdf([at])[0] - (at >= truth[row])) ** 2

        breaks = sorted([*VALUES[row], truth[row]])
        edges = [breaks[0] - 15, *breaks, breaks[-1] + 15]
        crps = sum(quad(integrand, a, b)[0] for a, b in itertools.pairwise(edges))
        assert one.crps(truth)[row] == pytest.approx(crps, abs=1e-6)
        density = sum(
            quad(lambda at, single=single: math.exp(single.log_density([at])[0]), a, b)[0]
            for a, b in itertools.pairwise(edges)
        )
        assert density == pytest.approx(1.0, abs=1e-6)


def test_expected_scores_are_the_mean_over_draws():
    one = skewed()[:1]
    n = 200_000
    draws = one.quantile(np.random.default_rng(5).random(n))[0]
    many = Predictive(one.score, np.repeat(one.value, n, axis=0))
    crps, nll = many.crps(draws), -many.log_density(draws)
    for found, expected in zip((crps, nll), one.expected_scores(), strict=True):
        z = (found.mean() - expected[0]) / (found.std() / math.sqrt(n))
        assert abs(z) < 4.5
        assert abs(found.std() / math.sqrt(n)) < 0.004  # a bias of 1% of a nat would show


def test_samples_give_back_the_law_they_are_drawn_from():
    n, m = 4000, 1000
    rng = np.random.default_rng(3)
    truth = rng.standard_normal(n)
    one = Predictive.from_samples(rng.standard_normal((n, m)))
    law = Predictive.gaussian(np.zeros(n), np.ones(n))
    mean, std = one.mean_std()
    # 1/sqrt(m) is the noise of the samples' own mean, 1/sqrt(2m) that of their spread.
    assert np.std(mean) == pytest.approx(1 / math.sqrt(m), rel=0.1)
    assert np.mean(std) == pytest.approx(1.0, abs=0.01)
    assert np.mean(one.crps(truth) - law.crps(truth)) == pytest.approx(0.5 / m, abs=0.001)
    excess = np.mean(law.log_density(truth) - one.log_density(truth))
    assert 0.0 < excess < 0.02
    assert stats.kstest(one.cdf(truth), "uniform").pvalue > 1e-4


def test_two_humps_of_samples_keep_their_probabilities():
    rng = np.random.default_rng(4)
    low = rng.random((50, 8000)) < 0.3
    one = Predictive.from_samples(np.where(low, -3.0, 2.0) + 0.3 * rng.standard_normal(low.shape))
    piece = stats.norm.pdf(stats.norm.ppf(0.3)) * 5.0 / 8000 ** (1 / 3)
    for inside_gap in (-1.5, -0.5, 0.5):
        assert np.mean(one.cdf(np.full(50, inside_gap))) == pytest.approx(0.3, abs=piece)
    assert np.mean(one.mean_std()[0]) == pytest.approx(0.5, abs=0.5 * 5.0 * piece)


def test_rows_are_chosen_as_of_an_array():
    one = Predictive.gaussian(MEAN, STD)
    assert len(one[1:3]) == 2
    np.testing.assert_allclose(one[np.array([3, 0])].mean_std()[0], MEAN[[3, 0]])


def test_predictions_of_a_catalog():
    gaussian = Predictive.from_predictions(Predictions("x", MEAN, STD))
    np.testing.assert_allclose(gaussian.mean_std()[1], STD, rtol=1e-9)
    columns = dict(zip(PROBABILITY, VALUES.T, strict=True))
    told = Predictions("x", np.zeros(2), np.zeros(2), columns)
    np.testing.assert_array_equal(Predictive.from_predictions(told).value, VALUES)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Predictive.gaussian([1.0], [0.0]), "spread above 0"),
        (lambda: Predictive.gaussian([1.0, np.nan], [1.0, 1.0]), "1 others, the first in row 1"),
        (lambda: Predictive.gaussian([1.0], [1.0, 2.0]), "mean, std: must have one shape"),
        (lambda: Predictive.from_quantiles([0.5, 0.9], [[2.0, 1.0]]), "quantiles that increase"),
        (lambda: Predictive.from_quantiles([0.9, 0.5], [[1.0, 2.0]]), "probabilities: must incre"),
        (lambda: Predictive.from_quantiles([0.5, 1.0], [[1.0, 2.0]]), "without both ends"),
        (lambda: Predictive.from_quantiles([0.5], [[1.0]]), "k >= 2"),
        (lambda: Predictive.from_samples(np.zeros((3, 49))), "m >= 50"),
        (lambda: skewed().crps([1.0, 2.0, 3.0]), r"x: must be one number or of shape \(2,\)"),
        (lambda: skewed().quantile([0.5, 1.1]), "probability: must be from 0 to 1"),
        (lambda: Predictive.from_samples(np.zeros((3, 60))), "3 others, the first in row 0"),
    ],
)
def test_bad_input(make, match):
    with pytest.raises(InputError, match=match):
        make()
