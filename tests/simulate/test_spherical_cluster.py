"""The cluster in code has the mass, temperature and closure that it is said to have."""

from itertools import pairwise

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.constants import CM_PER_KPC, HYDROGEN_FRACTION, MSUN_G, PROTON_MASS_G
from icmass.simulate.spherical_cluster import default_cluster
from tests.helpers.stats import assert_distribution, assert_mean

MASS, REDSHIFT, N = 6e14, 0.1, 50_000
R500C = 1250.0  # kpc, roughly; the exact one is in the halo


@pytest.fixture(scope="module")
def cluster():
    return default_cluster(N, m500c_msun=MASS, redshift=REDSHIFT, seed=3)


def test_r500c_holds_500_times_the_critical_density(cluster):
    halo = cluster.info.halo
    critical = cluster.info.cosmology.critical_density(REDSHIFT).to_value("Msun / kpc3")
    inside = MASS / (4 / 3 * np.pi * halo.r500c_kpc**3)
    assert inside / critical == pytest.approx(500.0, rel=1e-6)
    assert halo.m500c_msun == MASS
    assert halo.r500c_kpc == pytest.approx(R500C, rel=0.05)


def test_gas_mass_is_that_of_the_observed_relation(cluster):
    inside = cluster.radius_kpc() < cluster.info.halo.r500c_kpc
    expected = 9.1e13 * (MASS / 6.35e14) ** 1.28
    # Radii are drawn one per equal share of mass: nearly no scatter.
    assert cluster.mass_msun[inside].sum() == pytest.approx(expected, rel=2e-3)
    assert np.ptp(cluster.mass_msun) == 0.0
    assert expected / MASS == pytest.approx(0.14, abs=0.02)  # and is a sane gas fraction


def test_temperature_is_that_of_the_observed_relation(cluster):
    x = cluster.radius_kpc() / cluster.info.halo.r500c_kpc
    shell = (x > 0.15) & (x < 1.0)
    weight = cluster.emission_measure_cm3[shell]
    kt = np.average(cluster.kt_kev[shell], weights=weight)
    efunc = cluster.info.cosmology.efunc(REDSHIFT)
    assert kt == pytest.approx(6.0 * (MASS / 6.35e14) ** 0.84 * efunc ** (2 / 3), rel=0.25)
    # A cool core and a cool rim.
    core, rim = cluster.kt_kev[x < 0.03].mean(), cluster.kt_kev[(x > 0.9) & (x < 1.1)].mean()
    assert core < 0.7 * kt
    assert rim < 0.8 * kt


def test_emission_measure_is_closed(cluster):
    # n_e n_H V of fully ionised hydrogen and helium, from mass and kernel volume alone.
    volume = 4 / 3 * np.pi * (cluster.smoothing_kpc * CM_PER_KPC) ** 3 / 48  # of one of 48
    n_h = HYDROGEN_FRACTION * cluster.mass_msun * MSUN_G / PROTON_MASS_G / volume
    helium = (1 - HYDROGEN_FRACTION) / 4 / HYDROGEN_FRACTION
    n_e = n_h * (1 + 2 * helium)
    np.testing.assert_allclose(cluster.emission_measure_cm3, n_e * n_h * volume, rtol=1e-9)
    for wrong in (n_h * n_h, n_e * n_e, 1.08 * n_e * n_h):
        assert not np.allclose(cluster.emission_measure_cm3, wrong * volume, rtol=0.05)


def test_density_follows_from_the_places_of_the_particles(cluster):
    # Count particles in shells and compare with the density that the emission measure holds.
    radius = cluster.radius_kpc()
    edges = np.quantile(radius, [0.05, 0.2, 0.5, 0.8, 0.95])
    density = cluster.mass_msun * 48 / (4 / 3 * np.pi * cluster.smoothing_kpc**3)
    for lo, hi in pairwise(edges):
        shell = (radius > lo) & (radius < hi)
        mean = cluster.mass_msun[shell].sum() / (4 / 3 * np.pi * (hi**3 - lo**3))
        volumes = cluster.mass_msun[shell] / density[shell]
        assert mean == pytest.approx(cluster.mass_msun[shell].sum() / volumes.sum(), rel=0.01)


def test_it_is_round(cluster):
    direction = cluster.position_kpc / cluster.radius_kpc()[:, None]
    for axis in range(3):
        assert_distribution(direction[:, axis], lambda c: (c + 1) / 2)
        for other in range(axis):
            assert_mean(direction[:, axis] * direction[:, other], 0.0, np.sqrt(1 / 15))


def test_it_is_at_rest_and_turbulent(cluster):
    sound = 1480.0 * np.sqrt(cluster.kt_kev / 1e8 / 8.617333e-8)  # km/s at 1e8 K, Sarazin (1988)
    for axis in range(3):
        speed = cluster.velocity_kms[:, axis]
        assert_mean(speed / sound, 0.0, 0.2)
        assert (speed / sound).std() == pytest.approx(0.2, rel=0.04)
    assert cluster.info.halo.velocity_kms == (0.0, 0.0, 0.0)


def test_metals_rise_inwards(cluster):
    x = cluster.radius_kpc() / cluster.info.halo.r500c_kpc
    assert cluster.metallicity_solar[x < 0.02].mean() == pytest.approx(0.5, abs=0.03)
    assert cluster.metallicity_solar[x > 1.0].mean() == pytest.approx(0.3, abs=0.01)


def test_same_seed_same_cluster():
    first, second, other = (default_cluster(100, seed=s) for s in (5, 5, 6))
    for name in type(first).array_names():
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert not np.array_equal(first.position_kpc, other.position_kpc)


@pytest.mark.parametrize("n", [1, 2])
def test_few_particles_hold_all_the_gas(n):
    cluster, whole = default_cluster(n), default_cluster(1000)
    assert len(cluster) == n
    assert cluster.mass_msun.sum() == pytest.approx(whole.mass_msun.sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_particles": 0}, r"n_particles: must be a number from 1 to 1e\+08; got 0"),
        ({"n_particles": 10**14}, r"n_particles: must be a number from 1 to 1e\+08; got 1000"),
        ({"n_particles": 1e3}, r"n_particles: must be a whole number; got 1000\.0"),
        ({"m500c_msun": 9e12}, r"m500c_msun: must be a number from 1e\+13 to 5e\+15 Msun; got"),
        ({"m500c_msun": "3e14"}, "m500c_msun: must be a number from .* Msun; got '3e14'"),
        ({"m500c_msun": np.nan}, "m500c_msun: must be a number from"),
        ({"redshift": -0.1}, "redshift: must be a number from 0 to 20; got -0.1"),
        ({"redshift": 1e6}, "redshift: must be a number from 0 to 20; got 1000000"),
        ({"redshift": np.nan}, "redshift: must be a number from 0 to 20; got nan"),
        ({"redshift": np.inf}, "redshift: must be a number from 0 to 20; got inf"),
        ({"seed": 1.5}, r"seed: must be a whole number from 0, below 2\^63; got 1\.5"),
    ],
)
def test_what_cannot_be_made_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        default_cluster(**{"n_particles": 10, **change})
