"""Two real simulations: a Gadget-2 cut-out with an odd order of blocks, and a SWIFT box."""

import numpy as np
import pytest
from astropy.table import Table

from icmass.errors import InputError
from icmass.simulate.readers import input_report, load_gas

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def gadget(shared_dir):
    return load_gas(shared_dir / "data/gadget/snap_Gadget_sample", redshift=0.1)


@pytest.fixture(scope="module")
def swift_file(shared_dir):
    return shared_dir / "data/swift/L0100N0080_z0.1.hdf5"


@pytest.fixture(scope="module")
def clusters(shared_dir):
    return Table.read(shared_dir / "data/swift/clusters_z0.1.ecsv")


def test_gadget_sample_needs_no_options(gadget):
    report = input_report(gadget)
    assert report["emission_measure_cm3"] == pytest.approx(2.0e68, rel=0.01)
    assert report["emission_kt_kev"] == pytest.approx(12.0, rel=0.01)
    assert report["census"][0] == ["read", 36562]
    assert report["census"][1] == ["in the sphere", 36562]
    assert report["redshift"] == 0.1
    assert gadget.info.extra["snapshot_redshift"] == pytest.approx(0, abs=1e-9)
    middle = 2500 / 0.6777
    assert np.abs(np.array(gadget.info.halo.center_kpc) - middle).max() < 30
    assert 2e15 < gadget.info.halo.m500c_msun < 3e15
    share = report["gas_mass_r500c_msun"] / gadget.info.halo.m500c_msun
    assert 0.12 < share < 0.16
    assert 0 < np.median(gadget.metallicity_solar) < 0.5  # the block Z, not the coordinate z


@pytest.mark.filterwarnings("ignore:kt_kev")  # a few particles are hotter than the table
def test_gadget_sample_shines_as_it_should(gadget):
    from icmass.simulate.emission.table import SpectralTable

    rate = SpectralTable.load().luminosity(gadget.kt_kev, gadget.metallicity_solar, 0.5, 2.0)
    assert (rate * gadget.emission_measure_cm3).sum() == pytest.approx(1.07e45, rel=0.03)


def test_gadget_sample_in_wrong_units_is_refused(shared_dir):
    path = shared_dir / "data/gadget/snap_Gadget_sample"
    with pytest.raises(InputError, match="box must be below 2000 Mpc"):
        load_gas(path, units={"length": "Mpc/h"})  # what pynbody takes
    with pytest.raises(InputError, match="median gas density"):
        load_gas(path, units={"mass": "Msun/h"})
    # negative control: without h the emission measure is off by h
    plain = load_gas(path, units={"length": "kpc", "mass": "1e10 Msun"}, overdensity=False)
    assert plain.emission_measure_cm3.sum() == pytest.approx(2.0e68 * 0.6777**-1, rel=0.02)
    assert plain.emission_measure_cm3.sum() != pytest.approx(2.0e68, rel=0.1)


def test_swift_masses_of_all_clusters(swift_file, clusters):
    a = 1 / 1.1
    for row in clusters:
        center = np.array([row["x"], row["y"], row["z"]]) * a * 1e3
        gas = load_gas(swift_file, center=center, radius=300)
        halo = gas.info.halo
        tolerance = 0.03 if row["blend"] == 0 else 0.10
        assert halo.m500c_msun == pytest.approx(row["M500c"], rel=tolerance), row["id"]
        assert halo.r500c_kpc == pytest.approx(row["R500c"] * 1e3, rel=tolerance / 3), row["id"]
        assert halo.m200c_msun == pytest.approx(row["M200c"], rel=tolerance), row["id"]
        bulk = [row["vx"], row["vy"], row["vz"]]
        assert halo.velocity_kms == pytest.approx(bulk, abs=10), row["id"]


def test_swift_shrinking_sphere_finds_the_largest_cluster(swift_file, clusters):
    gas = load_gas(swift_file)
    largest = clusters[np.argmax(clusters["M500c"])]
    center = np.array([largest["x"], largest["y"], largest["z"]]) / 1.1 * 1e3
    assert np.abs(np.array(gas.info.halo.center_kpc) - center).max() < 60  # softening 45 kpc
    assert gas.info.halo.m500c_msun == pytest.approx(largest["M500c"], rel=0.01)
    inside = gas.radius_kpc() <= gas.info.halo.r500c_kpc
    assert gas.mass_msun[inside].sum() == pytest.approx(largest["Mgas500"], rel=0.01)
    kt = np.average(gas.kt_kev[inside], weights=gas.mass_msun[inside])
    assert kt == pytest.approx(largest["kT_mw"], rel=0.01)
    # SWIFT's h is not the support: its kernel holds 65 particles
    inside = 4 / 3 * np.pi * gas.smoothing_kpc**3 / gas.mass_msun
    density = gas.emission_measure_cm3 / gas.mass_msun  # proportional to rho
    fraction, electrons = 0.752, 1.752 / 1.504
    n_h = density / (electrons * fraction * 1.98841e33 / 1.6726219e-24)
    rho = n_h / fraction * 1.6726219e-24 * 3.0856776e21**3 / 1.98841e33
    assert np.median(inside * rho) == pytest.approx(64.9, rel=0.02)
