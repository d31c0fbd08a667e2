"""Which gas is kept, what is counted, and what the options do."""

import numpy as np
import pytest
from astropy import units as u

from icmass.simulate.readers import input_report, load_gas
from tests.helpers.snapshots import (
    make_truth,
    write_gadget_binary,
    write_gadget_hdf5,
    write_swift,
)


def test_census_counts_each_cut_in_order(tmp_path, truth):
    rate = np.zeros(600)
    rate[:50] = 0.3  # the densest
    energy = truth.internal_energy()
    energy[500:] = 10.0  # (km/s)^2: below 1e3 K
    path = write_gadget_hdf5(
        tmp_path / "s.hdf5", truth, replace={"StarFormationRate": rate, "InternalEnergy": energy}
    )
    limit = truth.gas["density"][100] * 0.9999  # the 101 innermost are denser
    density = (limit * u.Msun / u.kpc**3).to("g/cm3")
    gas = load_gas(path, radius=2400, center=truth.center_kpc, max_density=density)
    inside = int((truth.gas["distance"] <= 2400).sum())
    assert gas.info.census.stages == (
        ("read", 600),
        ("in the sphere", inside),
        ("not star forming", inside - 50),
        ("hotter than 1e+06 K", 450),
        ("below the density cut", 399),
        ("emitting", 399),
    )
    assert gas.kt_kev == pytest.approx(truth.gas["kt"][101:500], rel=1e-5)
    bare = load_gas(path, radius=2400, center=truth.center_kpc, max_density=density.value)
    assert len(bare) == 399
    kept = load_gas(path, radius=2400, center=truth.center_kpc, star_forming=True)
    assert kept.info.census.stages[-1] == ("emitting", 500)
    assert "not star forming" not in dict(kept.info.census.stages)
    cold = load_gas(path, radius=1e5, min_temperature_k=0.0, star_forming=True)
    assert len(cold) == 600


def test_only_a_positive_rate_forms_stars(tmp_path):
    """SWIFT keeps the last time of star formation as a negative rate."""
    made = make_truth(fully_ionised=True)
    made.gas["star_formation"][:7] = 1.0
    gas = load_gas(write_swift(tmp_path / "s.hdf5", made), radius=1e5)
    assert len(gas) == 593


def test_winds_of_simba_are_left_out(tmp_path, truth):
    delay = np.zeros(600)
    delay[10:15] = 0.1
    path = write_gadget_hdf5(
        tmp_path / "s.hdf5", truth, flavour="simba", replace={"DelayTime": delay}
    )
    assert len(load_gas(path, radius=1e5)) == 595


def test_a_bare_center_and_radius_are_physical_kpc(tmp_path, truth):
    """The docstring's unit: not code units, not comoving."""
    path = write_gadget_binary(tmp_path / "snap", truth)
    bare = load_gas(path, center=tuple(truth.center_kpc), radius=1000)
    given = load_gas(path, center=truth.center_kpc / 1e3 * u.Mpc, radius=1 * u.Mpc)
    assert np.array_equal(bare.position_kpc, given.position_kpc)
    assert len(bare) == (truth.gas["distance"] <= 1000).sum()
    assert bare.info.halo.center_kpc == pytest.approx(truth.center_kpc)
    assert np.abs(bare.position_kpc.mean(axis=0)).max() < 1  # pairs are opposite each other


def test_default_radius_is_three_times_r200c(tmp_path):
    wide = make_truth(redshift=3.0, box_kpc=200_000.0)  # so early that R200c is small
    gas = load_gas(write_gadget_hdf5(tmp_path / "s.hdf5", wide))
    r200c = gas.info.halo.r200c_kpc
    assert 3 * r200c < wide.radius_kpc
    assert gas.radius_kpc().max() == pytest.approx(3 * r200c, rel=0.01)


def test_redshift_places_the_cluster_and_changes_nothing_else(tmp_path, truth):
    path = write_gadget_binary(tmp_path / "snap", truth)
    here, there = load_gas(path), load_gas(path, redshift=0.6)
    assert there.info.redshift == 0.6
    assert there.info.extra["snapshot_redshift"] == pytest.approx(0.25)
    for name in here.array_names():
        assert np.array_equal(getattr(here, name), getattr(there, name))
    assert here.info.halo == there.info.halo


def test_snapshot_at_redshift_zero_has_no_place_of_its_own(tmp_path):
    today = write_gadget_binary(tmp_path / "snap", make_truth(redshift=0.0))
    assert load_gas(today).info.redshift is None
    assert load_gas(today, redshift=0.1).info.redshift == 0.1


def test_overdensity_can_be_left_out(tmp_path, truth):
    path = write_gadget_binary(tmp_path / "snap", truth)
    gas = load_gas(path, overdensity=False, center=truth.center_kpc)
    assert np.isnan(gas.info.halo.m500c_msun)
    assert not gas.info.halo.total_mass
    assert len(gas) == 600


def test_kernels_of_a_thinned_out_snapshot_are_noted(tmp_path, truth):
    path = write_gadget_hdf5(
        tmp_path / "s.hdf5", truth, replace={"SmoothingLength": truth.gas["support"] * 0.2}
    )
    gas = load_gas(path, radius=1e5)
    assert any("images will be grainy" in note for note in gas.info.extra["notes"])


def test_file_without_cosmology_is_physical(tmp_path, truth):
    """An idealised run: no Omega, so Time is no scale factor and Planck 2018 places it."""
    import h5py

    path = write_gadget_hdf5(tmp_path / "s.hdf5", make_truth(redshift=0.0))
    with h5py.File(path, "r+") as file:
        file["Header"].attrs["Omega0"] = 0.0
        file["Header"].attrs["Time"] = 0.5
        del file["Header"].attrs["Redshift"]
    gas = load_gas(path, radius=1e5)
    assert gas.info.cosmology.name == "Planck18"
    assert gas.emission_measure_cm3 == pytest.approx(make_truth().emission_measure(), rel=1e-5)
    assert any("Planck 2018" in note for note in gas.info.extra["notes"])


def test_report_has_what_a_user_checks(tmp_path, truth):
    import json

    gas = load_gas(write_gadget_binary(tmp_path / "snap", truth), radius=1e5)
    report = input_report(gas)
    assert json.loads(json.dumps(report)) == report
    assert report["census"][0] == ["read", 600]
    low, middle, high = report["ranges"]["kT [keV]"]
    assert (low, middle, high) == pytest.approx((4.0, 5.0, 6.0), abs=0.01)
    n_e = truth.gas["density"] * 1.98841e33 / 3.0856776e21**3 / 1.6726219e-24
    n_e = n_e * 0.76 * truth.gas["electrons"]
    expected = (n_e.min(), np.median(n_e), n_e.max())
    assert report["ranges"]["n_e [cm^-3]"] == pytest.approx(expected, rel=1e-5)
    r500c = truth.overdensity_radius(500)
    share = r500c / truth.radius_kpc
    assert report["gas_mass_r500c_msun"] == pytest.approx(0.15 * 6e14 * share, rel=5e-3)
    assert report["gas_mass_msun"] == pytest.approx(0.15 * 6e14, rel=1e-5)
    assert report["halo"]["r500c_kpc"] == pytest.approx(r500c, rel=5e-3)
    weights = truth.emission_measure()
    expected = np.average(truth.gas["kt"], weights=weights)
    assert report["emission_kt_kev"] == pytest.approx(expected, rel=1e-5)
    assert report["redshift"] == pytest.approx(0.25)


def test_report_without_a_halo_has_none_and_no_nan(tmp_path):
    path = write_gadget_binary(tmp_path / "snap", make_truth(dark_count=0))
    report = input_report(load_gas(path))
    assert report["halo"]["m500c_msun"] is None
    assert report["gas_mass_r500c_msun"] is None


def test_splitting_particles_in_half_changes_no_sum(tmp_path, truth):
    whole = load_gas(write_gadget_hdf5(tmp_path / "a.hdf5", truth), radius=1e5)
    halves = {name: np.concatenate([values, values]) for name, values in truth.gas.items()}
    halves["mass"] = halves["mass"] / 2
    from dataclasses import replace

    split = replace(truth, gas=halves)
    twice = load_gas(write_gadget_hdf5(tmp_path / "b.hdf5", split), radius=1e5)
    assert len(twice) == 1200
    for name in ("emission_measure_cm3", "mass_msun"):
        total = getattr(whole, name).sum()
        assert getattr(twice, name).sum() == pytest.approx(total, rel=1e-6)
