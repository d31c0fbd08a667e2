"""Number counts: the relation itself, its integrals, and fluxes drawn from it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from icmass.errors import InputError
from icmass.simulate.sky.agn_counts import NumberCounts
from tests.helpers.stats import assert_chi_square, chi_square, counts_for_bias

# N(>S) per deg^2, 0.5-2 keV: the relation of SOXS after Lehmer et al. 2012.
PUBLISHED = {
    1e-15: 723.0,
    3.2e-15: 270.0,
    5e-15: 173.0,
    1e-14: 82.5,
    2e-14: 31.9,
    3.2e-14: 16.1,
    6.3e-14: 5.6,
    1e-13: 2.8,
}
LIMIT = 1e-15
EDGES = np.geomspace(LIMIT, 3e-13, 31)


@pytest.fixture
def counts() -> NumberCounts:
    return NumberCounts.default()


def test_cumulative_counts_are_the_published_ones(counts):
    ours = counts.number_above(list(PUBLISHED))
    assert ours == pytest.approx(list(PUBLISHED.values()), rel=0.05)


@pytest.mark.parametrize("flux", [1.0e-16, 4e-15, 7e-14])
def test_integrals_agree_with_quadrature(counts, flux):
    log_range = np.log([flux, counts.max_flux])
    number = quad(lambda x: counts.differential(np.exp(x)) * np.exp(x), *log_range)[0]
    light = quad(lambda x: counts.differential(np.exp(x)) * np.exp(2 * x), *log_range, epsabs=0)[0]
    assert counts.number_above(flux) == pytest.approx(number, rel=2e-5)
    assert counts.light_above(flux) == pytest.approx(light, rel=2e-5, abs=0.0)


def test_nothing_is_brighter_than_the_brightest(counts):
    assert counts.number_above([counts.max_flux, np.inf]).tolist() == [0.0, 0.0]
    assert counts.light_above([counts.max_flux, np.inf]).tolist() == [0.0, 0.0]


def drawn_histogram(counts: NumberCounts, size: int) -> np.ndarray:
    flux = counts.draw(size, LIMIT, np.random.default_rng(11))
    assert flux.min() >= LIMIT * (1 - 1e-12)
    assert flux.max() <= counts.max_flux
    return np.histogram(flux, EDGES)[0]


def expected_histogram(counts: NumberCounts, size: int) -> np.ndarray:
    return -np.diff(counts.number_above(EDGES)) / counts.number_above(LIMIT) * size


def test_drawn_fluxes_follow_the_relation(counts):
    size = counts_for_bias(0.02)
    assert_chi_square(drawn_histogram(counts, size), expected_histogram(counts, size))


@pytest.mark.parametrize(
    "wrong", [{"break_flux": 1.1}, {"bright_slope": 1.02}, {"faint_slope": 0.98}]
)
def test_negative_control_a_slightly_wrong_relation_is_noticed(counts, wrong):
    size = counts_for_bias(0.02)
    other = replace(counts, **{key: getattr(counts, key) * f for key, f in wrong.items()})
    assert chi_square(drawn_histogram(other, size), expected_histogram(counts, size)).z > 4.5


def test_mean_drawn_light_is_the_integral(counts):
    """What is taken out of the unresolved background is what the sources bring."""
    size = 400_000
    flux = counts.draw(size, LIMIT, np.random.default_rng(3))
    expected = counts.light_above(LIMIT) / counts.number_above(LIMIT)
    error = flux.std() / np.sqrt(size)
    assert error < 0.01 * expected
    assert abs(flux.mean() - expected) < 4.5 * error


@pytest.mark.parametrize("bad", [0.0, -1e-15, 1e-18, np.nan])
def test_a_limit_fainter_than_the_counts_is_refused(counts, bad):
    with pytest.raises(InputError, match=r"agn flux limit: must be at least 1e-16 erg/s/cm2"):
        counts.require_limit(bad)


def test_an_infinite_limit_means_no_source(counts):
    assert counts.require_limit(np.inf) == np.inf
