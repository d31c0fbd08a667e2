"""Numbers of a cluster against hand-made gas with known answers."""

import json

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from icmass.simulate.events import Events
from icmass.simulate.gas import Gas, GasInfo, Halo
from icmass.simulate.origin import Origin
from icmass.simulate.products.scalars import (
    gas_scalars,
    photon_scalars,
    spectroscopic_like_kt_kev,
)
from tests.simulate.products.scene import synthetic_events


class Emissivity:
    """Stands in for the plasma table: proportional to the width of the band, kT and 1 + Z."""

    kt_kev = (0.1, 20.0)

    def luminosity(self, kt_kev, metallicity, lo_kev=0.01, hi_kev=100.0):
        return 1e-24 * (hi_kev - lo_kev) * kt_kev * (1.0 + metallicity)


def gas_of(radius_kpc, kt_kev, *, r500c=500.0, **changes):
    count = len(radius_kpc)
    halo = Halo((0.0,) * 3, (0.0,) * 3, 3e14, r500c, np.nan, 800.0, True)
    info = GasInfo("by hand", "none", FlatLambdaCDM(70, 0.3), 0.1, halo)
    content = {
        "position_kpc": np.outer(radius_kpc, [0.6, 0.0, -0.8]),
        "velocity_kms": np.zeros((count, 3)),
        "kt_kev": np.asarray(kt_kev, dtype=float),
        "metallicity_solar": np.full(count, 0.3),
        "emission_measure_cm3": np.full(count, 1e66),
        "mass_msun": np.full(count, 1e12),
        "smoothing_kpc": np.full(count, 20.0),
        "info": info,
    }
    return Gas(**{**content, **changes})


def test_sphere_of_r500c_takes_what_is_inside():
    gas = gas_of([10.0, 100.0, 499.0, 501.0, 900.0], [4.0, 4.0, 4.0, 8.0, 8.0])
    scalars = gas_scalars(gas, Emissivity())
    inside, everything = scalars["inside_r500c"], scalars["all_gas"]
    assert (inside["n_particles"], everything["n_particles"]) == (3, 5)
    assert inside["gas_mass_msun"] == pytest.approx(3e12)
    assert inside["lx_0520_erg_s"] == pytest.approx(3 * 1e66 * 1e-24 * 1.5 * 4.0 * 1.3)
    assert inside["lx_bolometric_erg_s"] == pytest.approx(3e42 * 99.99 * 4.0 * 1.3)
    assert inside["kt_mass_weighted_kev"] == pytest.approx(4.0)
    assert everything["kt_mass_weighted_kev"] == pytest.approx((3 * 4 + 2 * 8) / 5)
    assert inside["metallicity_emission_weighted_solar"] == pytest.approx(0.3)


def test_temperatures_beyond_the_table_are_clamped_without_another_warning():
    scalars = gas_scalars(gas_of([10.0, 20.0], [4.0, 50.0]), Emissivity())
    assert scalars["all_gas"]["lx_0520_erg_s"] == pytest.approx(1e42 * 1.5 * (4.0 + 20.0) * 1.3)


def test_masses_pass_through_and_unmeasured_ones_are_none():
    scalars = gas_scalars(gas_of([10.0], [4.0]), Emissivity())
    assert scalars["m500c_msun"] == 3e14
    assert scalars["r500c_kpc"] == 500.0
    assert scalars["m200c_msun"] is None
    assert scalars["r200c_kpc"] == 800.0


def test_temperature_without_the_core_leaves_the_core_out():
    gas = gas_of([10.0, 74.0, 76.0, 400.0], [1.0, 1.0, 5.0, 5.0])
    inside = gas_scalars(gas, Emissivity())["inside_r500c"]
    assert inside["kt_core_excised_kev"] == pytest.approx(5.0)
    assert inside["kt_spectroscopic_like_kev"] < 3.0
    assert inside["yx_msun_kev"] == pytest.approx(4e12 * 5.0)


def test_spectroscopic_like_temperature_follows_mazzotta():
    kt = np.array([1.0, 4.0, 9.0])
    measure = np.array([2.0, 1.0, 3.0])
    weight = measure * kt**-0.75
    expected = (weight * kt).sum() / weight.sum()
    assert spectroscopic_like_kt_kev(kt, measure) == pytest.approx(expected)
    emission_weighted = (measure * kt**1.5).sum() / (measure * kt**0.5).sum()
    assert spectroscopic_like_kt_kev(kt, measure) < emission_weighted
    # Cold gas, however bright, is not seen by a fit above 0.5 keV.
    with_cold = spectroscopic_like_kt_kev(np.append(kt, [0.2, 0.5]), np.append(measure, [99, 99]))
    assert with_cold == pytest.approx(expected)


def test_nothing_hot_has_no_temperature():
    assert spectroscopic_like_kt_kev(np.array([0.3]), np.array([1.0])) is None
    assert spectroscopic_like_kt_kev(np.zeros(0), np.zeros(0)) is None
    inside = gas_scalars(gas_of([10.0, 20.0], [0.2, 0.3]), Emissivity())["inside_r500c"]
    assert inside["kt_core_excised_kev"] is None
    assert inside["yx_msun_kev"] is None
    assert inside["lx_0520_erg_s"] > 0


@pytest.mark.parametrize("r500c", [np.nan, None])
def test_gas_without_a_measured_halo_has_only_totals(r500c):
    from dataclasses import replace

    gas = gas_of([10.0, 900.0], [4.0, 4.0], r500c=r500c or 1.0)
    if r500c is None:
        gas = replace(gas, info=replace(gas.info, halo=None))
    scalars = gas_scalars(gas, Emissivity())
    assert scalars["r500c_kpc"] is None
    assert scalars["inside_r500c"] is None
    assert scalars["all_gas"]["n_particles"] == 2


def test_no_gas_inside_r500c_gives_zeros_and_none():
    scalars = gas_scalars(gas_of([700.0], [4.0]), Emissivity())
    assert scalars["inside_r500c"]["gas_mass_msun"] == 0.0
    assert scalars["inside_r500c"]["kt_mass_weighted_kev"] is None
    assert scalars["all_gas"]["kt_mass_weighted_kev"] == 4.0
    json.dumps(scalars, allow_nan=False)


def test_photons_are_counted_by_origin_band_and_radius(instrument):
    radius = np.array([0.0, 99.0, 101.0, 300.0, 50.0, 50.0])
    energy = np.array([0.8, 0.8, 0.8, 0.8, 1.5, 8.0])
    origin = np.array([1, 1, 1, 3, 2, 3])
    events = synthetic_events(
        0.6 * radius, -0.8 * radius, energy, instrument=instrument, origin=origin
    )
    counts = photon_scalars(events, 100.0)
    assert counts["n_phot"]["total"] == {"soft": 4, "medium": 1, "hard": 0, "all": 6}
    assert counts["n_phot"]["icm"]["soft"] == 3
    assert counts["n_phot_500"]["icm"] == {"soft": 2, "medium": 0, "hard": 0, "all": 2}
    assert counts["n_phot_500"]["agn"]["medium"] == 1
    assert counts["n_phot_500"]["background"] == {"soft": 0, "medium": 0, "hard": 0, "all": 1}
    for part in counts.values():
        for band in ("soft", "medium", "hard", "all"):
            assert part["total"][band] == sum(part[o.name.lower()][band] for o in Origin)
    json.dumps(counts, allow_nan=False)


def test_photons_of_nothing_are_zero_and_unknown_radius_is_none():
    counts = photon_scalars(Events.empty())
    assert counts["n_phot"]["total"]["all"] == 0
    assert counts["n_phot_500"] is None
