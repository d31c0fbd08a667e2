"""Reference values of the plasma relations (PHYSICS: mu 0.59, n_e / n_H 1.16 to 1.2)."""

import numpy as np
import pytest

from icmass.simulate.emission.abundances import abundances, atomic_masses
from icmass.simulate.readers import plasma


def test_reference_values():
    assert plasma.ionised_electron_abundance(0.76) == pytest.approx(1.158, abs=5e-4)
    assert plasma.ionised_electron_abundance(0.70) == pytest.approx(1.214, abs=5e-4)
    mu = plasma.mean_molecular_weight(0.752, plasma.ionised_electron_abundance(0.752))
    assert mu == pytest.approx(0.591715976, rel=1e-9)  # in the table of the SWIFT clusters
    neutral = plasma.mean_molecular_weight(0.76, 0.0)
    assert neutral == pytest.approx(1.22, abs=0.005)


def test_temperatures_agree_with_each_other():
    # 1e8 K in a plasma of mu 0.59: u = 1.5 k T / (mu m_p) = 2.098e6 (km/s)^2
    assert plasma.kt_from_internal_energy(2.0977e6, 0.59) == pytest.approx(8.617, rel=1e-3)
    assert plasma.kt_from_temperature(np.array([1e8])) == pytest.approx([8.617], rel=1e-4)


def test_emission_measure_of_one_cubic_kpc():
    """n_H = 1e-3 in a kpc^3 of X = 0.75 and x_e = 1.2: EM = 1.2e-6 * 2.938e64."""
    density = 1e-3 / 0.75 * 1.6726219e-24 / 1.98841e33 * 3.0856776e21**3  # Msun / kpc^3
    measure = plasma.emission_measure(density, density, 0.75, 1.2)
    assert measure == pytest.approx(1.2e-6 * 2.93800e64, rel=1e-5)
    assert plasma.electron_density(density, 0.75, 1.2) == pytest.approx(1.2e-3, rel=1e-6)
    assert plasma.support_from_volume(1.0, 1.0, 4 / 3 * np.pi) == pytest.approx(1.0)


def test_solar_metals_are_those_of_the_plasma_table_per_hydrogen():
    atoms, mass = abundances("ag89"), atomic_masses()
    metals = sum(atoms[z] * mass[z] for z in atoms if z > 2) / mass[1]
    helium = atoms[2] * mass[2] / mass[1]
    hydrogen = 1 / (1 + helium + metals)  # 0.706 of the mass of the Sun
    solar = plasma.metallicity_solar(metals * hydrogen, hydrogen)
    assert solar == pytest.approx(1.0, rel=1e-3)
    # the same metals in gas with more hydrogen are fewer per hydrogen atom
    assert plasma.metallicity_solar(metals * hydrogen, 0.76) == pytest.approx(0.93, abs=0.005)
    assert plasma.metal_fraction(solar, hydrogen) == pytest.approx(metals * hydrogen, rel=1e-9)
