"""The gates themselves: they pass the truth at the stated rate and fail what is a little wrong."""

import numpy as np
import pytest
from scipy import stats

from tests.helpers.stats import (
    Z_MAX,
    assert_chi_square,
    assert_distribution,
    assert_mean,
    assert_poisson,
    chi_square,
    counts_for_bias,
    ks_p_value,
    poisson_z,
    power,
    samples_for_width,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240611)


def test_sample_sizes_are_those_of_the_recipe():
    assert counts_for_bias(0.02) == 160_000
    assert samples_for_width(0.02) == 80_000
    assert 0.999 < power(counts_for_bias(0.02), 0.02) < 1.0
    assert power(counts_for_bias(0.02), 0.0) == pytest.approx(2 * stats.norm.sf(Z_MAX))


def test_stated_power_is_the_measured_one(rng):
    expected, bias = 2_000.0, 0.1  # 4.5 sigma: caught about half the time
    caught = np.mean(
        [abs(poisson_z(n, expected)) >= Z_MAX for n in rng.poisson(expected * (1 + bias), 20_000)]
    )
    stated = power(expected, bias)
    assert 0.3 < stated < 0.7
    # 4 sigma of the binomial, and the skewness of Poisson counts that the normal tail leaves out
    assert caught == pytest.approx(stated, abs=4 * np.sqrt(0.25 / 20_000) + 1 / np.sqrt(expected))


def test_poisson_gate(rng):
    expected = counts_for_bias(0.02)
    for _ in range(100):
        assert_poisson(rng.poisson(expected), expected)
        for wrong in (1.02, 0.98):
            with pytest.raises(AssertionError, match="z = "):
                assert_poisson(rng.poisson(wrong * expected), expected, z_max=3.0, min_power=0.9)


def test_poisson_gate_refuses_a_test_without_power():
    with pytest.raises(AssertionError, match="160000 are needed"):
        assert_poisson(1_000, 1_000, bias=0.02)
    with pytest.raises(ValueError, match="must be positive"):
        poisson_z(0, 0.0)


def test_mean_gate(rng):
    samples = rng.normal(5.0, 2.0, samples_for_width(0.02))
    assert_mean(samples, 5.0, 2.0)
    for wrong in (1.02, 0.98):
        with pytest.raises(AssertionError, match="z = "):
            assert_mean(wrong * samples, 5.0, 2.0)


def test_chi_square_has_the_right_size(rng):
    """Over many seeds the deviate of a true model has mean 0 and standard deviation 1."""
    expected = rng.uniform(5.0, 60.0, 200)
    z = np.array([chi_square(rng.poisson(expected), expected).z for _ in range(2_000)])
    assert abs(z.mean()) < Z_MAX / np.sqrt(z.size)
    assert abs(z.std() - 1.0) < Z_MAX / np.sqrt(2 * z.size)


def test_chi_square_gate_and_its_controls(rng):
    """Flux, energy order, and scatter that is too small: each must fail."""
    expected = 4_000.0 * np.exp(-np.linspace(0.0, 4.0, 150))
    observed = rng.poisson(expected)
    assert_chi_square(observed, expected)
    with pytest.raises(AssertionError, match="off by"):
        assert_chi_square(rng.poisson(1.03 * expected), expected)
    with pytest.raises(AssertionError, match="chi-square"):
        assert_chi_square(observed[::-1], expected)
    with pytest.raises(AssertionError, match="chi-square"):
        assert_chi_square(np.rint(expected), expected)


def test_chi_square_gate_tests_the_total_as_well():
    """A small excess in every bin: no bin is unlikely, the sum is."""
    expected = np.full(10_000, 100.0)
    observed = expected + np.where(np.arange(10_000) % 2, 10.5, -9.5)
    assert abs(chi_square(observed, expected).z) < Z_MAX
    with pytest.raises(AssertionError, match="total"):
        assert_chi_square(observed, expected)


def test_chi_square_merges_thin_bins_and_keeps_every_count(rng):
    expected = np.array([0.0, 0.5, 30.0, 1.0, 1.0, 25.0, 3.0])
    assert chi_square(np.zeros(7), expected).bins == 2
    assert chi_square([0, 0, 0, 0, 0, 0, 60], expected).value == pytest.approx(
        30.5 + (60 - 30.0) ** 2 / 30.0
    )
    with pytest.raises(ValueError, match="shapes differ"):
        chi_square(np.zeros(3), expected)
    with pytest.raises(ValueError, match="too few"):
        chi_square([1.0], [1.0])


def test_kolmogorov_smirnov_gate(rng):
    samples = rng.exponential(2.0, 40_000)
    assert_distribution(samples, stats.expon(scale=2.0).cdf)
    for wrong in (1.03, 0.97):
        with pytest.raises(AssertionError, match="do not follow"):
            assert_distribution(wrong * samples, stats.expon(scale=2.0).cdf)
    assert ks_p_value(samples, stats.expon(scale=2.2).cdf) < 1e-10
