"""The coronal model of cool gas: ion balance, line energies, joining theory to the table."""

import numpy as np
import pytest

from icmass.simulate.emission.cool_gas import (
    excitation_rate,
    iron_shares,
    k_shell_balance,
    k_shell_lines,
    metal_continuum,
    metal_lines,
)
from icmass.simulate.emission.free_free import free_free


@pytest.mark.parametrize("kt", [0.1, 0.5, 3.0])
def test_shares_sum_to_one(kt):
    for number in (6, 8, 14, 26):
        shares = np.array(k_shell_balance(number, kt))
        assert (shares >= 0).all()
        assert shares.sum() == pytest.approx(1.0)
    assert 0 <= sum(iron_shares(kt).values()) <= 1 + 1e-12


def test_elements_strip_in_order_of_charge():
    """O VIII peaks near 0.2 keV, Si XIV near 1.3 keV (Bryans et al. 2009), within a third."""
    kt = np.geomspace(0.05, 10, 200)
    for number, peak in ((8, 0.22), (14, 1.3)):
        hydrogen_like = [k_shell_balance(number, t)[1] for t in kt]
        assert kt[int(np.argmax(hydrogen_like))] == pytest.approx(peak, rel=0.34)


def test_excitation_needs_energy():
    assert excitation_rate(6.7, 0.72, 0.3) < 1e-8 * excitation_rate(0.654, 0.416, 0.3)


def test_oxygen_dominates_its_energies():
    lines = dict(k_shell_lines(8, 0.25))
    assert max(lines, key=lines.get) in {0.574, 0.6536}


def test_lines_are_positive_and_in_range():
    energy, rate = metal_lines(0.6)
    assert (rate >= 0).all()
    assert energy.min() > 0.29
    assert energy.max() < 10.2


def test_hot_metal_continuum_tends_to_free_free():
    """At 20 keV recombination is small: the sum of Z^2 n over solar metals is 0.14."""
    energy = np.array([0.5, 2.0])
    ratio = metal_continuum(20.0, energy) / free_free(20.0, 1.0, energy)
    assert ratio == pytest.approx(0.14, abs=0.02)
