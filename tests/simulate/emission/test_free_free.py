"""Bremsstrahlung and recombination against limits known in closed form."""

import numpy as np
import pytest
from scipy.special import k0e

from icmass.simulate.emission.free_free import (
    RYDBERG_KEV,
    free_bound,
    free_free,
    gaunt_factor,
    kramers,
)


def test_born_limit():
    """Weak charge, cool electrons: sqrt(3)/pi exp(u/2) K0(u/2), the non-relativistic Born limit."""
    kt = 0.05
    u = np.array([0.01, 0.3, 1.0, 4.0])
    born = np.sqrt(3) / np.pi * k0e(u / 2)
    np.testing.assert_allclose(gaunt_factor(kt, 1e-4, u * kt), born, rtol=2e-3)
    with pytest.raises(AssertionError):  # negative control: hydrogen's own charge would be seen
        np.testing.assert_allclose(gaunt_factor(kt, 1.0, u * kt), born, rtol=2e-3)


def test_relativity_raises_hot_emission():
    """Relativistic over non-relativistic is 1 + O(kT / m c^2), more at high photon energy."""
    energy = np.array([1.0, 30.0])
    u = energy / 15.0
    born = np.sqrt(3) / np.pi * k0e(u / 2)
    ratio = gaunt_factor(15.0, 0.01, energy) / born
    assert 1.0 < ratio[0] < ratio[1] < 1.1


def test_free_free_is_gaunt_times_kramers():
    energy = np.geomspace(0.1, 20, 9)
    product = 4 * gaunt_factor(3.0, 2.0, energy) * kramers(3.0, energy)
    np.testing.assert_allclose(free_free(3.0, 2.0, energy), product)


def test_interpolated_gaunt_factor_equals_the_exact_one():
    energy = np.geomspace(0.01, 100, 1001)
    exact = gaunt_factor(0.3, 2.0, energy) * kramers(0.3, energy)
    seen = exact > 0
    np.testing.assert_allclose(free_free(0.3, 2.0, energy)[seen], 4 * exact[seen], rtol=1e-5)


def test_far_in_the_tail_nothing_breaks():
    tail = free_free(0.1, 1.0, np.array([50.0, 100.0]))
    assert np.isfinite(tail).all()
    assert (tail >= 0).all()


def test_total_free_free_power():
    """Hydrogen, 1 keV: 1.4e-27 T^1/2 g_B erg cm^3/s with g_B 1.1-1.3 (Rybicki & Lightman 5.15)."""
    energy = np.geomspace(1e-4, 30, 4000)
    power = np.trapezoid(energy**2 * free_free(1.0, 1.0, energy), np.log(energy)) * 1.602e-9
    assert 1.1 < power / (1.426e-27 * np.sqrt(1.0 / 8.617e-8)) < 1.3


def test_recombination_edge_and_strength():
    """Just above threshold the ground state has Stobbe's factor 8 pi sqrt(3) exp(-4) = 0.797."""
    kt, charge = 0.5, 8.0
    edge = charge**2 * RYDBERG_KEV
    energy = np.array([0.999, 1.001]) * edge
    below, above = free_bound(kt, energy, charge) / (charge**2 * kramers(kt, energy))
    step = 2 * edge / kt * np.exp(edge / kt) * 8 * np.pi * np.sqrt(3) * np.exp(-4)
    assert above - below == pytest.approx(step, rel=0.02)


def test_vacancy_halves_capture():
    energy = np.array([1.0])
    only_first = free_bound(0.5, energy, 8.0) - free_bound(0.5, energy, 8.0, vacancy=0.0)
    half = free_bound(0.5, energy, 8.0) - free_bound(0.5, energy, 8.0, vacancy=0.5)
    assert half == pytest.approx(0.5 * only_first, rel=1e-6, abs=0.0)
