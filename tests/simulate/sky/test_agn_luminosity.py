"""The luminosity function: form, evolution, integral, draws, and the counts it implies."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from scipy.integrate import quad

from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.sky.agn_luminosity import LuminosityFunction
from icmass.simulate.sky.agn_spectra import AgnSpectra
from tests.helpers.stats import assert_distribution, ks_p_value


@pytest.fixture
def function() -> LuminosityFunction:
    return LuminosityFunction.default()


def test_density_at_the_break_is_half_the_norm(function):
    assert function.density(44.17, 0.0) == pytest.approx(0.5 * 10**-5.87, rel=1e-12)


def test_slopes_far_from_the_break(function):
    faint = np.log10(function.density([40.0, 41.0], 0.0))
    bright = np.log10(function.density([47.0, 48.0], 0.0))
    assert np.diff(faint)[0] == pytest.approx(-0.67, abs=2e-3)
    assert np.diff(bright)[0] == pytest.approx(-2.37, abs=2e-3)


def test_bright_agn_peak_earlier_than_faint_ones(function):
    redshift = np.linspace(0.0, 4.0, 401)
    peaks = [redshift[np.argmax(function.evolution(log_l, redshift))] for log_l in (42.0, 45.5)]
    assert peaks == pytest.approx([2.27 * 10 ** (0.18 * (42.0 - 44.92)), 2.27], abs=0.02)


def test_evolution_has_the_two_powers_and_no_jump(function):
    assert function.evolution(45.5, 0.0) == 1.0
    assert function.evolution(45.5, 1.0) == pytest.approx(2.0**3.67)
    assert function.evolution(45.5, 3.0) / function.evolution(45.5, 2.5) == pytest.approx(
        (4.0 / 3.5) ** -2.92
    )
    both_sides = function.evolution(45.5, np.array([2.27 - 1e-9, 2.27 + 1e-9]))
    assert both_sides[0] == pytest.approx(both_sides[1], rel=1e-7)


@pytest.mark.parametrize("redshift", [0.1, 0.9])
def test_integral_agrees_with_quadrature(function, redshift):
    exact = quad(lambda x: function.density(x, redshift), 41.5, 46.0, points=[44.0])[0]
    assert function.number_above(41.5, redshift, 46.0) == pytest.approx(exact, rel=1e-5)


def drawn(function: LuminosityFunction) -> np.ndarray:
    return function.draw(100_000, 0.9, (41.5, 46.0), np.random.default_rng(8))


def cumulative(function: LuminosityFunction, log_luminosity: np.ndarray) -> np.ndarray:
    grid = np.linspace(41.5, 46.0, 4001)
    density = function.density(grid, 0.9)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return np.interp(log_luminosity, grid, total / total[-1])


def test_draws_follow_the_function(function):
    sample = drawn(function)
    assert sample.min() >= 41.5
    assert sample.max() <= 46.0
    assert_distribution(sample, lambda x: cumulative(function, x))


def test_negative_control_another_slope_is_noticed(function):
    steeper = replace(function, faint_slope=function.faint_slope * 1.04)
    assert ks_p_value(drawn(steeper), lambda x: cumulative(function, x)) < 1e-6


@pytest.mark.parametrize("flux", [1e-14, 1e-13])
def test_it_implies_the_number_counts(function, flux):
    """Independent of each other, from different surveys: equal to within 25%.

    Negative control: were the function one of 0.5-2 keV luminosities, they would differ by 1.75.
    """
    cosmology = FlatLambdaCDM(70.0, 0.3)
    redshift = np.linspace(0.02, 5.0, 250)
    distance_cm = cosmology.luminosity_distance(redshift).to_value("cm")
    volume = cosmology.differential_comoving_volume(redshift).to_value("Mpc3 / sr")
    soft = np.log10(4 * np.pi * distance_cm**2 * flux * (1 + redshift) ** -0.1)

    def implied(limit: np.ndarray) -> float:
        number = [
            function.number_above(min(low, 47.9), z, 48.0)
            for low, z in zip(limit, redshift, strict=True)
        ]
        return np.trapezoid(number * volume, redshift) * np.radians(1.0) ** 2

    measured = float(NumberCounts.default().number_above(flux))
    hard = soft - np.log10(AgnSpectra.default().soft_over_hard())
    assert implied(hard) == pytest.approx(measured, rel=0.25)
    assert implied(soft) > 1.6 * measured
