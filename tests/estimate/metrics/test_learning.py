"""How scatter falls with the number of training clusters, against known floors."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.estimate.metrics.learning import LearningCurve, fit_learning_curve
from tests.helpers.stats import Z_MAX

N = np.array([100, 200, 400, 800, 1600, 3200])
FLOOR, C = 0.15, 6.0


def test_an_exact_curve_is_found():
    curve = LearningCurve(FLOOR, C)
    np.testing.assert_allclose(curve.of(N), np.sqrt(0.0225 + 6.0 / N), rtol=1e-14)
    for error in (None, np.linspace(0.001, 0.1, 6)):
        floor, c = fit_learning_curve(N, curve.of(N), error)
        assert floor == pytest.approx(FLOOR, rel=1e-9)
        assert c == pytest.approx(C, rel=1e-9)


def test_against_the_normal_equations():
    """Weighted least squares in sigma^2, written out."""
    sigma = np.array([0.30, 0.22, 0.20, 0.17, 0.165, 0.15])
    error = np.array([0.02, 0.01, 0.01, 0.02, 0.004, 0.005])
    found = fit_learning_curve(N, sigma, error)
    weight = (2 * sigma * error) ** -2
    x, y = 1.0 / N, sigma**2
    design = np.stack([np.ones(6), x], axis=1)
    a, b = np.linalg.solve(design.T * weight @ design, design.T * weight @ y)
    assert found == pytest.approx((np.sqrt(a), b), rel=1e-9)
    plain = fit_learning_curve(N, sigma)
    assert abs(plain.floor / found.floor - 1) > 0.01  # the weights matter
    assert plain == pytest.approx(fit_learning_curve(N, sigma, 0.03 * sigma), rel=1e-9)


def test_noise_does_not_shift_the_floor():
    """2000 noisy curves: the mean floor within 4.5 errors, and away from a floor 2% off."""
    rng = np.random.default_rng(4)
    true = LearningCurve(FLOOR, C).of(N)
    error = 0.02 * true
    floors = [
        fit_learning_curve(N, true + error * rng.standard_normal(6), error).floor
        for _ in range(2000)
    ]
    width = np.std(floors) / np.sqrt(2000)
    assert np.mean(floors) == pytest.approx(FLOOR, abs=Z_MAX * width + 5e-4)  # noise is not linear
    assert abs(np.mean(floors) - 1.02 * FLOOR) > 2 * (Z_MAX * width + 5e-4)


def test_neither_number_falls_below_zero():
    steep = fit_learning_curve(N, 1.0 / N)  # falls faster than any such curve
    assert steep.floor == 0.0
    assert steep.c > 0.0
    rising = fit_learning_curve(N, [0.1, 0.11, 0.12, 0.13, 0.14, 0.15])
    assert rising.c == 0.0
    assert 0.1 < rising.floor < 0.15


def test_bad_input():
    with pytest.raises(InputError, match=r"n: must be at least 3 different numbers .*; got 2"):
        fit_learning_curve([100, 200, 200], [0.3, 0.2, 0.2])
    with pytest.raises(InputError, match=r"must have one shape .*got 3, 2 and 2 numbers"):
        fit_learning_curve([1, 2, 3], [0.3, 0.2])
    with pytest.raises(InputError, match=r"scatter: must be positive numbers.*2 positive"):
        fit_learning_curve([1, 2, 3], [0.3, 0.2, np.nan])
    with pytest.raises(InputError, match="error: must be positive numbers"):
        fit_learning_curve([1, 2, 3], [0.3, 0.2, 0.1], [0.1, 0.0, 0.1])
    with pytest.raises(
        InputError, match=r"n: must be positive numbers, shape \(k,\); got shape \("
    ):
        fit_learning_curve([[1, 2, 3]], [0.3, 0.2, 0.1])
