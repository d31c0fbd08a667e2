"""Scatter in both forms, bias and regression to the mean against closed forms."""

import math

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.estimate.metrics import (
    bias,
    end_biases,
    error_std,
    fit_line,
    robust_half_width,
    slope_scatter,
)

N = 40_000
SLOPE, NOISE, SPREAD, OFFSET = 0.7, 0.15, 0.56, 0.03


def shrunk() -> tuple[np.ndarray, np.ndarray]:
    """Truth about 33, and predictions of slope 0.7 on it."""
    rng = np.random.default_rng(8)
    truth = 33.0 + SPREAD * rng.standard_normal(N)
    error = NOISE * rng.standard_normal(N)
    return truth, 33.0 + OFFSET + SLOPE * (truth - 33.0) + error


def test_both_scatters_of_a_shrunk_prediction():
    truth, predicted = shrunk()
    relative = 4.5 / math.sqrt(2 * N)
    assert slope_scatter(truth, predicted) == pytest.approx(NOISE / SLOPE, rel=2 * relative)
    std = math.hypot((1 - SLOPE) * SPREAD, NOISE)
    assert error_std(truth, predicted) == pytest.approx(std, rel=relative)
    assert robust_half_width(truth, predicted) == pytest.approx(std, rel=2 * relative)
    assert bias(truth, predicted) == pytest.approx(OFFSET, abs=4.5 * std / math.sqrt(N))


def test_the_papers_scatter_does_not_see_shrinkage_and_the_other_does():
    truth, predicted = shrunk()
    more = 33.0 + 0.5 * (predicted - 33.0)
    assert slope_scatter(truth, more) == pytest.approx(slope_scatter(truth, predicted), rel=1e-9)
    flat = np.full(N, 33.0)
    assert error_std(truth, flat) == pytest.approx(SPREAD, rel=0.02)
    assert slope_scatter(truth, -2.0 * predicted) == pytest.approx(slope_scatter(truth, predicted))


def test_the_papers_scatter_by_hand():
    mass, proxy = [0.0, 1.0, 2.0, 3.0], [0.0, 2.5, 3.5, 6.0]
    line = np.polyfit(mass, proxy, 1)
    residual = np.array(proxy) - np.polyval(line, mass)
    expected = math.sqrt(np.sum(residual**2) / 2) / line[0]
    assert slope_scatter(mass, proxy) == pytest.approx(expected, rel=1e-12)


def test_robust_width_ignores_outliers():
    truth, predicted = shrunk()
    before = robust_half_width(truth, predicted)
    predicted[:200] += 5.0
    assert robust_half_width(truth, predicted) == pytest.approx(before, rel=0.02)
    assert error_std(truth, predicted) > 1.5 * before


def test_ends_of_the_mass_range_regress_to_the_mean():
    truth, predicted = shrunk()
    low, high = end_biases(truth, predicted - OFFSET)
    # Mean of a Gaussian beyond its 90% point: 1.755 sigma.
    expected = (1 - SLOPE) * 1.755 * SPREAD
    error = 4.5 * math.hypot(NOISE, (1 - SLOPE) * SPREAD) / math.sqrt(0.1 * N)
    assert low == pytest.approx(expected, abs=error)
    assert high == pytest.approx(-expected, abs=error)
    right = end_biases(truth, truth + predicted - (33.0 + OFFSET + SLOPE * (truth - 33.0)))
    assert max(map(abs, right)) < 4.5 * NOISE / math.sqrt(0.1 * N)


def test_a_line_far_from_zero_keeps_its_digits():
    x = 1e6 + np.array([0.0, 1.0, 3.0])
    line = fit_line(x, 2.0 * x)
    assert line.slope == pytest.approx(2.0, rel=1e-12)
    np.testing.assert_allclose(line.of(x), 2.0 * x, rtol=1e-14)


def test_bad_input():
    with pytest.raises(InputError, match="at least 3 different masses; got 2"):
        slope_scatter([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InputError, match="at least 3 different masses"):
        fit_line([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="one shape"):
        bias([1.0, 2.0], [1.0])
