"""AGN of a simulated volume and those of a list: number, place, luminosity, what arrives."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.sky import AgnKind, expected_in_volume, listed_agn, volume_agn
from icmass.simulate.sky.agn import scatter_margin_arcsec
from icmass.simulate.sky.agn_luminosity import LuminosityFunction
from icmass.simulate.sky.agn_spectra import AgnSpectra
from icmass.simulate.view import View
from tests.helpers.stats import assert_distribution, assert_poisson, ks_p_value
from tests.simulate.sky.conftest import NH_CM2

COSMOLOGY = FlatLambdaCDM(70.4, 0.272)
VIEW = View(150.0, -60.0, "survey", 1800.0)
REDSHIFT, DEPTH_MPC = 0.3, 142.0


def draw(erosita, seed, depth_mpc=DEPTH_MPC):
    sequence = np.random.SeedSequence(seed)
    return volume_agn(VIEW, erosita, NH_CM2, REDSHIFT, COSMOLOGY, depth_mpc, sequence)


def test_mean_number_is_density_times_comoving_volume():
    density = LuminosityFunction.default().number_above(41.5, REDSHIFT, 46.0)
    side_mpc = np.radians(0.5) * COSMOLOGY.comoving_transverse_distance(REDSHIFT).to_value("Mpc")
    number = expected_in_volume(1800.0, DEPTH_MPC, REDSHIFT, COSMOLOGY)
    assert number == pytest.approx(density * side_mpc**2 * DEPTH_MPC, rel=1e-9)


def test_numbers_and_places(erosita):
    component, table = draw(erosita, 1, 2000 * DEPTH_MPC)
    half = 900.0 + scatter_margin_arcsec(VIEW, erosita)
    expected = expected_in_volume(2 * half, 2000 * DEPTH_MPC, REDSHIFT, COSMOLOGY)
    assert_poisson(len(table), expected, bias=0.1)
    for offset in (table.east_arcsec, table.north_arcsec):
        assert_distribution(offset, lambda x: (x + half) / (2 * half))
        assert ks_p_value(1.1 * offset, lambda x: (x + half) / (2 * half)) < 1e-6
    assert component.name == "volume_agn"
    assert np.all(table.kind == AgnKind.FIELD)
    assert np.all(table.redshift == REDSHIFT)


def test_luminosities_follow_the_function(erosita):
    table = draw(erosita, 2, 2000 * DEPTH_MPC)[1]
    function, population = LuminosityFunction.default(), AgnSpectra.default()
    grid = np.linspace(41.5, 46.0, 2001)
    total = np.array([0.0] + [function.number_above(41.5, REDSHIFT, x) for x in grid[1:]])
    through = population.soft_transmission()[
        np.searchsorted(population.absorber_nh_cm2, table.nh_cm2)
    ]
    log_hard = np.log10(table.luminosity / population.soft_over_hard() / through)

    def cdf(x):
        return np.interp(x, grid, total / total[-1])

    assert_distribution(log_hard, cdf)
    assert ks_p_value(log_hard + 0.05, cdf) < 1e-6


def test_most_fields_hold_few(erosita):
    number = [len(draw(erosita, seed)[1]) for seed in range(300)]
    half = 900.0 + scatter_margin_arcsec(VIEW, erosita)
    mean = expected_in_volume(2 * half, DEPTH_MPC, REDSHIFT, COSMOLOGY)
    assert_poisson(sum(number), 300 * mean, bias=0.35)
    assert np.var(number) / np.mean(number) == pytest.approx(1.0, abs=4.5 * np.sqrt(2 / 300))


def listed(erosita, log_luminosity, seed=3):
    count = len(log_luminosity)
    return listed_agn(
        VIEW,
        erosita,
        NH_CM2,
        REDSHIFT,
        COSMOLOGY,
        np.linspace(-500.0, 700.0, count),
        np.linspace(300.0, -100.0, count),
        np.asarray(log_luminosity),
        np.random.SeedSequence(seed),
    )


def test_listed_agn_keep_place_and_luminosity(erosita):
    log_luminosity = np.linspace(42.0, 45.0, 400)
    component, table = listed(erosita, log_luminosity)
    assert np.array_equal(table.east_arcsec, np.linspace(-500.0, 700.0, 400))
    assert np.array_equal(component.emitters.north_arcsec, table.north_arcsec.astype("f4"))
    plain = table.nh_cm2 == 0
    unabsorbed = AgnSpectra.default().soft_over_hard() * 10.0**log_luminosity
    assert table.luminosity[plain] == pytest.approx(unabsorbed[plain], rel=1e-9)
    assert np.all(table.luminosity[~plain] < unabsorbed[~plain])
    assert np.all(table.kind == AgnKind.CLUSTER)


def test_counts_grow_with_the_luminosity(erosita):
    faint = expected_counts(listed(erosita, np.full(50, 43.0))[0], 1000.0)
    bright = expected_counts(listed(erosita, np.full(50, 44.0))[0], 1000.0)
    assert bright == pytest.approx(10.0 * faint, rel=1e-6)
    other = expected_counts(listed(erosita, np.full(50, 43.0), seed=4)[0], 1000.0)
    assert not np.allclose(other, faint, rtol=1e-3)  # their spectra are drawn


def test_nothing_listed_is_no_source(erosita):
    component, table = listed(erosita, [])
    assert len(component.emitters) == len(table) == 0
