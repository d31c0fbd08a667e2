"""Spectra as received: XSPEC's norm, redshift, absorption."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from icmass.errors import InputError, InputWarning
from icmass.simulate.emission import SpectralTable, bin_transmission, cie_spectrum

CM_PER_MPC = 3.0856775814913673e24


@pytest.fixture
def power_law_table() -> SpectralTable:
    """Emissivity eps(E) = 2e-15 E^-1.7 photons s^-1 cm^3 keV^-1: redshifting it is elementary."""
    edges = np.geomspace(0.01, 100.0, 4001)
    photons = 2e-15 * np.diff(edges**-0.7) / -0.7
    base = np.stack([photons, photons])
    return SpectralTable(edges, np.array([0.1, 30.0]), base, np.zeros_like(base))


@pytest.mark.parametrize("redshift", [0.05, 0.3, 1.2])
def test_flux_has_no_power_of_redshift_but_in_energy(power_law_table, redshift):
    """f(E) = EM / (4 pi D_M^2) eps(E (1 + z)), with D_M from an independent cosmology."""
    emission_measure = 3e67  # cm^-3
    cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
    angular = cosmology.angular_diameter_distance(redshift).to_value("Mpc") * CM_PER_MPC
    transverse = cosmology.comoving_transverse_distance(redshift).to_value("Mpc") * CM_PER_MPC
    norm = 1e-14 * emission_measure / (4 * np.pi * (angular * (1 + redshift)) ** 2)
    edges = np.array([0.5, 0.6, 1.3, 2.0, 7.0])
    ours = cie_spectrum(edges, 3.0, 0.3, redshift=redshift, norm=norm, table=power_law_table)
    density = emission_measure / (4 * np.pi * transverse**2) * 2e-15 * (1 + redshift) ** -1.7
    exact = density * np.diff(edges**-0.7) / -0.7
    np.testing.assert_allclose(ours, exact, rtol=1e-5)
    for wrong in (1 + redshift, 1 / (1 + redshift)):  # negative control: the factor would be seen
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(ours * wrong, exact, rtol=1e-2)


def test_luminosity_and_flux_agree(power_law_table):
    """Energy flux times 4 pi D_L^2 is the luminosity in the band at rest: energy is conserved."""
    redshift, emission_measure = 0.4, 1e66
    transverse = 1600.0 * CM_PER_MPC
    norm = 1e-14 * emission_measure / (4 * np.pi * transverse**2)
    edges = np.linspace(0.5, 2.0, 3001)
    photons = cie_spectrum(edges, 3.0, 0.3, redshift=redshift, norm=norm, table=power_law_table)
    flux = photons @ (0.5 * (edges[1:] + edges[:-1])) * 1.602176634e-9
    received = flux * 4 * np.pi * (transverse * (1 + redshift)) ** 2
    band = 0.5 * (1 + redshift), 2.0 * (1 + redshift)
    emitted = emission_measure * power_law_table.luminosity(np.array(3.0), np.array(0.3), *band)
    assert received == pytest.approx(float(emitted), rel=1e-4)


def test_shipped_spectrum_conserves_photons():
    """The same photons arrive, at a rate lower by time dilation alone."""
    table = SpectralTable.load()
    z = 0.7
    observed = table.edges_kev / (1 + z)
    for metallicity in (0.0, 0.3):
        at_rest = cie_spectrum(table.edges_kev, 1.3, metallicity)
        received = cie_spectrum(observed, 1.3, metallicity, redshift=z)
        assert received.sum() * (1 + z) == pytest.approx(at_rest.sum(), rel=1e-10)


def test_absorption_multiplies_bins():
    edges = np.geomspace(0.2, 8.0, 200)
    clear = cie_spectrum(edges, 2.0, 0.3)
    behind = cie_spectrum(edges, 2.0, 0.3, nh=1e21)
    np.testing.assert_allclose(behind, clear * bin_transmission(edges, 1e21), rtol=1e-12)


def test_scales_with_norm_and_accepts_table_by_path(toy_table, tmp_path):
    toy_table.save(tmp_path / "toy.h5")
    edges = np.array([0.5, 2.0])
    by_path = cie_spectrum(edges, 1.0, 0.3, norm=4.0, table=tmp_path / "toy.h5")
    by_name = cie_spectrum(edges, 1.0, 0.3, norm=2.0, table=toy_table)
    np.testing.assert_allclose(by_path, 2 * by_name, rtol=1e-4)


def test_temperature_outside_is_clamped_with_warning():
    with pytest.warns(InputWarning, match="1 of 1 temperatures lie outside"):
        hot = cie_spectrum(np.array([0.5, 2.0]), 80.0, 0.3)
    assert hot == pytest.approx(cie_spectrum(np.array([0.5, 2.0]), 32.8, 0.3), rel=1e-2)


@pytest.mark.parametrize("norm", [-1.0, np.nan])
def test_impossible_norm(norm):
    with pytest.raises(InputError, match="norm: must be finite and not negative"):
        cie_spectrum(np.array([0.5, 2.0]), 1.0, 0.3, norm=norm)


def test_impossible_metallicity():
    with pytest.raises(InputError, match="metallicity"):
        cie_spectrum(np.array([0.5, 2.0]), 1.0, -0.3)
