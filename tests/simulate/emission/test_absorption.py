"""Galactic absorption: published coefficients, user's tables, bins across edges."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.emission import CrossSection, bin_transmission, transmission
from icmass.simulate.emission.absorption import morrison_mccammon


@pytest.mark.parametrize(
    ("energy", "sigma"),
    [
        (0.05, (17.3 + 608.1 * 0.05 - 2150 * 0.05**2) / 0.05**3),
        (0.25, (34.6 + 267.9 * 0.25 - 476.1 * 0.25**2) / 0.25**3),
        (0.532, (95.5 + 145.8 * 0.532 - 61.1 * 0.532**2) / 0.532**3),  # on an edge: the upper piece
        (1.0, 120.6 + 169.3 - 47.7),
        (2.0, (202.7 + 104.7 * 2 - 17.0 * 4) / 8),
        (9.0, (701.2 + 25.2 * 9) / 729),
    ],
)
def test_published_coefficients(energy, sigma):
    assert morrison_mccammon(np.array(energy)) == pytest.approx(sigma * 1e-24, rel=1e-12, abs=0.0)


def test_oxygen_edge_is_there():
    below, above = morrison_mccammon(np.array([0.531, 0.533]))
    assert above / below == pytest.approx(1.68, abs=0.03)


def test_continues_beyond_fit_without_turning():
    energy = np.geomspace(0.005, 100.0, 500)
    sigma = morrison_mccammon(energy)
    assert (sigma > 0).all()
    assert transmission(np.array(0.01), 1e20) < 1e-6
    assert transmission(np.array(30.0), 1e22) > 0.999


def test_transmission_is_exponential():
    energy = np.array([0.3, 1.0, 5.0])
    once, twice = transmission(energy, 2e20), transmission(energy, 4e20)
    np.testing.assert_allclose(once**2, twice, rtol=1e-12)
    np.testing.assert_array_equal(transmission(energy, 0.0), 1.0)


def test_bin_mean_counts_edge_inside_bin():
    """A coarse bin across the oxygen edge equals a fine average; its centre would not."""
    edges = np.array([0.48, 0.58])
    fine = transmission(np.linspace(*edges, 100_001), 2e21).mean()
    assert bin_transmission(edges, 2e21)[0] == pytest.approx(fine, rel=0.02)
    assert transmission(np.array(0.533), 2e21) != pytest.approx(fine, rel=0.05)


@pytest.mark.parametrize("nh", [-1e20, np.nan, 0.03, 20.5, 1e30])
def test_impossible_column(nh):
    """Nor does XSPEC's unit of 1e22 cm^-2, or a logarithm, pass as cm^-2."""
    with pytest.raises(InputError, match=r"nh_cm2: must be 0 or 1e\+16 to 1e\+26, in cm\^-2"):
        transmission(np.array(1.0), nh)


@pytest.mark.parametrize("energy", [0.0, -1.0, np.nan])
def test_impossible_energy(energy):
    with pytest.raises(InputError, match="energy_kev: must be positive"):
        transmission(np.array([1.0, energy]), 1e20)


@pytest.mark.parametrize("header", ["", "energy_kev sigma_cm2\n"])
def test_users_table(tmp_path, header):
    path = tmp_path / "sigma.txt"
    path.write_text(header + "0.1 1e-20\n1.0 1e-22\n10.0 1e-24\n")
    section = CrossSection.load(path)
    assert section(np.array(np.sqrt(0.1))) == pytest.approx(1e-21, rel=1e-6, abs=0.0)
    assert transmission(np.array(1.0), 1e22, section) == pytest.approx(np.exp(-1))


def test_users_ecsv(tmp_path):
    path = tmp_path / "sigma.ecsv"
    path.write_text(
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: sigma_cm2, unit: cm2, datatype: float64}\n"
        "# - {name: energy_kev, unit: keV, datatype: float64}\nsigma_cm2 energy_kev\n"
        "1e-21 0.2\n1e-23 2.0\n"
    )
    assert CrossSection.load(path)(np.array(2.0)) == pytest.approx(1e-23, rel=1e-6, abs=0.0)


def test_users_table_is_not_extrapolated():
    section = CrossSection(np.array([0.2, 8.0]), np.array([1e-21, 1e-24]))
    with pytest.raises(InputError, match=r"1 of 3 lie outside its 0\.2-8 keV"):
        transmission(np.array([0.1, 1.0, 2.0]), 1e20, section)


@pytest.mark.parametrize(
    ("energy", "sigma", "match"),
    [
        ([1.0, 2.0], [1.0], "two columns of equal length"),
        ([2.0, 1.0], [1.0, 1.0], "energy_kev must be positive, finite and ascending"),
        ([1.0, 2.0], [1.0, 0.0], "sigma_cm2 must be positive"),
    ],
)
def test_unusable_cross_section(energy, sigma, match):
    with pytest.raises(InputError, match=match):
        CrossSection(np.array(energy), np.array(sigma))


@pytest.mark.parametrize("text", ["a b c\n1 2 3\n4 5 6\n", "", "energy_kev sigma_cm2\n1 x\n2 y\n"])
def test_unreadable_file(tmp_path, text):
    path = tmp_path / "sigma.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=r"sigma\.txt: must hold two columns"):
        CrossSection.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        CrossSection.load(tmp_path / "none.txt")
