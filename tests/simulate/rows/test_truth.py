"""Ideal quantities: against the numbers of `observe`, against the profile put in, and by hand."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.gas import Gas
from icmass.simulate.products.scalars import gas_scalars
from icmass.simulate.rows.truth import galaxy_truth, gas_truth
from icmass.simulate.rows.truth_kernels import SUMS, sphere_sums
from icmass.simulate.scene import SceneGalaxies
from icmass.simulate.spherical_cluster import default_cluster
from tests.simulate.rows.conftest import make_scene

SAME = {
    "lx_bolometric_erg_s": "lx_bolometric_erg_s",
    "lx_0520_erg_s": "lx_0520_erg_s",
    "kt_mass_weighted_kev": "kt_mass_weighted_kev",
    "kt_spectroscopic_like_kev": "kt_spectroscopic_like_kev",
    "kt_core_excised_kev": "kt_core_excised_kev",
    "metallicity_solar": "metallicity_emission_weighted_solar",
    "gas_mass_msun": "gas_mass_msun",
    "yx_msun_kev": "yx_msun_kev",
}


def lumpy(count: int = 5000) -> Gas:
    """Gas whose temperature, metals and place are related to nothing."""
    gas = default_cluster(count, m500c_msun=3e14, redshift=0.2)
    rng = np.random.default_rng(5)
    return replace(
        gas,
        position_kpc=gas.position_kpc + np.array([30.0, -80.0, 10.0]),
        kt_kev=gas.kt_kev * rng.lognormal(0.0, 0.8, count),
        metallicity_solar=rng.uniform(0.0, 1.5, count),
    )


def test_the_same_as_observe_says():
    gas, table = lumpy(), SpectralTable.load()
    ours = gas_truth(gas, gas.info.halo, table)
    inside = gas_scalars(gas, table)["inside_r500c"]
    assert (gas.kt_kev < 0.5).any()
    for name, theirs in SAME.items():
        assert ours[name] == pytest.approx(inside[theirs], rel=1e-9), name


def test_gas_outside_does_not_count():
    gas, table = lumpy(), SpectralTable.load()
    halo = gas.info.halo
    inside = gas.select(gas.radius_kpc() < halo.r500c_kpc)
    assert len(inside) < 0.8 * len(gas)
    assert gas_truth(inside, halo, table) == gas_truth(gas, halo, table)


def test_centre_of_mass_by_hand():
    gas = default_cluster(2000, redshift=0.2)
    halo, axis = gas.info.halo, np.arange(2000)[:, None] % 2
    r500c = halo.r500c_kpc
    # A quarter of R500c to either side, then all moved by (0.03, -0.04, 0) R500c.
    place = r500c * np.where(axis, [0.25, 0.0, 0.0], [-0.25, 0.0, 0.0])
    gas = replace(gas, position_kpc=place + r500c * np.array([0.03, -0.04, 0.0]))
    offset = gas_truth(gas, halo, SpectralTable.load())["centre_offset_r500c"]
    assert offset == pytest.approx(0.05, rel=1e-9)


def test_central_density_is_that_of_the_profile():
    gas = default_cluster(400_000, redshift=0.2)
    halo = gas.info.halo
    x = gas.radius_kpc() / halo.r500c_kpc
    # n_e of a particle: emission measure over its hydrogen, at 0.02 R500c by interpolation.
    density = gas.emission_measure_cm3 / gas.mass_msun / 1.98841e33 * 1.67262192e-24 / 0.76
    order = np.argsort(x)
    there = np.exp(np.interp(np.log(0.02), np.log(x[order]), np.log(density[order])))
    found = gas_truth(gas, halo, SpectralTable.load())["central_density_cm3"]
    assert found == pytest.approx(there, rel=0.03)
    assert found < 0.9 * np.interp(0.014, x[order], density[order])  # the control: further in


def test_without_gas_inside_nothing_is_known():
    gas = default_cluster(1000, redshift=0.2)
    far = replace(gas, position_kpc=gas.position_kpc + 1e5)
    found = gas_truth(far, gas.info.halo, SpectralTable.load())
    assert found["gas_mass_msun"] == found["lx_0520_erg_s"] == 0.0
    for name in ("kt_mass_weighted_kev", "metallicity_solar", "central_density_cm3", "yx_msun_kev"):
        assert np.isnan(found[name])


def test_sums_against_numpy():
    gas, table = lumpy(500), SpectralTable.load()
    kt_nodes = np.log(table.kt_kev)
    one = np.stack([np.full(len(kt_nodes), 2.0), np.full(len(kt_nodes), 0.5)], axis=1)
    sums = np.zeros(len(SUMS))
    columns = (gas.position_kpc, gas.kt_kev, gas.metallicity_solar)
    columns += (gas.emission_measure_cm3, gas.mass_msun)
    sphere_sums(columns, 900.0, 300.0, (100.0, 500.0), 0.5, -0.75, kt_nodes, one, 3 * one, sums)
    found = dict(zip(SUMS, sums, strict=True))
    radius = gas.radius_kpc()
    inside = radius < 900.0
    light = gas.emission_measure_cm3 * (2.0 + 0.5 * gas.metallicity_solar) * inside
    weight = gas.emission_measure_cm3 * gas.kt_kev**-0.75 * inside * (gas.kt_kev > 0.5)
    shell = (radius >= 100.0) & (radius < 500.0)
    expected = {
        "mass": (gas.mass_msun * inside).sum(),
        "mass_y": (gas.mass_msun * gas.position_kpc[:, 1] * inside).sum(),
        "bolometric": light.sum(),
        "soft": 3 * light.sum(),
        "soft_metallicity": 3 * (light * gas.metallicity_solar).sum(),
        "spectroscopic_kt": (weight * gas.kt_kev).sum(),
        "outer_spectroscopic": (weight * (radius >= 300.0)).sum(),
        "shell_count": shell.sum(),
        "shell_mass2_per_measure": (gas.mass_msun**2 / gas.emission_measure_cm3)[shell].sum(),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-10), name


def test_stars_and_velocities_of_members_only():
    scene = make_scene()
    halo = scene.gas.info.halo
    inside, outside = 0.5 * halo.r500c_kpc, 1.5 * halo.r500c_kpc
    galaxies = SceneGalaxies(
        position_kpc=np.array([[inside, 0, 0], [0, 0, outside], [0, 0, 0], [0, inside, 0.0]]),
        v_los_km_s=np.array([100.0, -500.0, 3000.0, 400.0]),
        stellar_mass_msun=np.array([1e11, 2e11, 4e11, 8e11]),
        member=np.array([True, True, False, True]),
    )
    found = galaxy_truth(galaxies, halo)
    assert found["stellar_mass_msun"] == 9e11
    assert found["sigma_v_true_km_s"] == pytest.approx(np.std([100, -500, 400], ddof=1))


def test_one_member_has_no_dispersion():
    scene = make_scene()
    one = SceneGalaxies(np.zeros((1, 3)), np.zeros(1), np.ones(1), np.ones(1, bool))
    assert np.isnan(galaxy_truth(one, scene.gas.info.halo)["sigma_v_true_km_s"])
