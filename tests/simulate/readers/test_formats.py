"""Every format gives back the cluster that was written into it: h, scale factors, units, order."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.simulate.readers import load_gas
from tests.helpers.snapshots import Truth, make_truth, write_gadget_hdf5, write_swift
from tests.simulate.readers.conftest import FORMATS

SINGLE = 3e-6  # single precision through a few products


def swift_truth() -> Truth:
    """SWIFT without cooling: no electrons in the file, its own hydrogen fraction."""
    return make_truth(hydrogen=0.752, fully_ionised=True)


@pytest.fixture(scope="module", params=FORMATS)
def loaded(request, tmp_path_factory, truth):
    """Return gas and truth of one format, read with no options."""
    name = request.param
    made = swift_truth() if name.startswith("swift") else truth
    path = FORMATS[name](tmp_path_factory.mktemp("snapshot"), made)
    return load_gas(path, radius=1e5, center=made.center_kpc), made, name


def in_file_order(truth, name):
    """Rows of the truth in the order in which the files of a set hold them."""
    parts = {"two files": 2, "three files": 3}.get(name.rpartition(", ")[2], 1)
    count = len(truth.gas["mass"])
    return np.concatenate([np.arange(count)[part::parts] for part in range(parts)])


def test_positions_are_physical_about_the_center(loaded):
    gas, truth, name = loaded
    expected = truth.offsets(truth.gas["position"])[in_file_order(truth, name)]
    # single precision of a box of 60 Mpc is 4 pc; the sphere wraps around the box nowhere
    assert np.abs(gas.position_kpc - expected).max() < 0.01


def test_velocities_are_peculiar_about_the_bulk(loaded):
    gas, truth, name = loaded
    moving = truth.gas["velocity"][in_file_order(truth, name)]
    assert np.abs(gas.velocity_kms - (moving - np.array(gas.info.halo.velocity_kms))).max() < 0.01
    inside = np.concatenate(
        [part["distance"] <= gas.info.halo.r500c_kpc for part in (truth.gas, truth.dark)]
    )
    every = np.concatenate([truth.gas["velocity"], truth.dark["velocity"]])[inside]
    mass = np.concatenate([truth.gas["mass"], truth.dark["mass"]])[inside]
    bulk = np.average(every, axis=0, weights=mass)
    assert gas.info.halo.velocity_kms == pytest.approx(bulk, abs=0.01)


def test_temperature_metals_mass_and_size(loaded):
    gas, truth, name = loaded
    order = in_file_order(truth, name)
    assert gas.kt_kev == pytest.approx(truth.gas["kt"][order], rel=SINGLE)
    metals = (truth.gas["metals"] / truth.gas["hydrogen"])[order] / 0.02741
    assert gas.metallicity_solar == pytest.approx(metals, rel=SINGLE)
    assert gas.mass_msun == pytest.approx(truth.gas["mass"][order], rel=SINGLE)
    # a mesh has no smoothing length: the kernel of 8 cells instead of 64 particles
    support = truth.gas["support"][order] * (0.5 if name == "tng" else 1)
    assert gas.smoothing_kpc == pytest.approx(support, rel=SINGLE)


def test_emission_measure_is_that_of_all_hydrogen(loaded):
    gas, truth, name = loaded
    expected = truth.emission_measure()[in_file_order(truth, name)]
    assert gas.emission_measure_cm3 == pytest.approx(expected, rel=SINGLE)
    # negative controls: h forgotten in any of the units, and the historical factors of other codes
    for wrong in (0.7, 0.7**2, 1.25, 2.0, 0.5, 1 / 0.76):
        assert gas.emission_measure_cm3 != pytest.approx(expected * wrong, rel=0.02)


def test_masses_of_the_halo_are_analytic(loaded):
    gas, truth, _ = loaded
    halo = gas.info.halo
    assert halo.total_mass
    for contrast, mass, radius in (
        (500, halo.m500c_msun, halo.r500c_kpc),
        (200, halo.m200c_msun, halo.r200c_kpc),
    ):
        expected = truth.overdensity_radius(contrast)
        assert radius == pytest.approx(expected, rel=5e-3)  # 1500 dark particles in steps of r
        assert mass == pytest.approx(truth.mass_msun * expected / truth.radius_kpc, rel=5e-3)


def test_header_and_census(loaded):
    gas, truth, name = loaded
    assert gas.info.redshift == pytest.approx(truth.redshift)
    assert gas.info.cosmology.h == pytest.approx(0.7)
    assert gas.info.cosmology.Om0 == pytest.approx(0.3)
    assert gas.info.census.stages[0] == ("read", 600)
    assert gas.info.census.stages[-1] == ("emitting", 600)
    expected = {"gadget": "Gadget", "tng": "AREPO", "simba": "GIZMO", "swift": "SWIFT"}
    assert gas.info.code.startswith(expected.get(name.split(" ")[0].rstrip("4,"), "Gadget"))


@pytest.mark.parametrize("name", ["gadget binary 2", "tng", "swift"])
def test_center_is_found_across_the_edge_of_the_box(name, tmp_path):
    edge = make_truth(center=(0.004, 0.997, 0.5), fully_ionised=True, gas_count=2000)
    gas = load_gas(FORMATS[name](tmp_path, edge))
    step = np.array(gas.info.halo.center_kpc) - edge.center_kpc
    step -= edge.box_kpc * np.round(step / edge.box_kpc)
    # a sphere of 100 of 3500 particles has a radius of 71 kpc
    assert np.abs(step).max() < 71
    assert len(gas) == pytest.approx(2000, abs=60)
    assert gas.info.halo.r500c_kpc == pytest.approx(edge.overdensity_radius(500), rel=0.02)


def test_density_in_comoving_units_is_not_taken_as_physical(tmp_path):
    """The factor is (1 + z)^3: about 2 at z = 0.25, 8 at z = 1."""
    early = make_truth(redshift=1.0)
    gas = load_gas(write_gadget_hdf5(tmp_path / "s.hdf5", early), center=early.center_kpc)
    assert gas.emission_measure_cm3.sum() == pytest.approx(
        early.emission_measure()[: len(gas)].sum(), rel=1e-5
    )


def test_attributes_win_over_the_custom_of_gadget(tmp_path, truth):
    """A file in plain kpc and Msun without h says so by h_scaling = 0."""
    path = write_gadget_hdf5(tmp_path / "s.hdf5", truth, flavour="gadget4")
    import h5py

    with h5py.File(path, "r+") as file:
        for group in ("PartType0", "PartType1"):
            file[group]["Coordinates"][...] = file[group]["Coordinates"][...] / 0.7
        file["PartType0/SmoothingLength"][...] = file["PartType0/SmoothingLength"][...] / 0.7
        file["PartType0/Density"][...] = file["PartType0/Density"][...] * 0.7**3
        file["PartType0/Coordinates"].attrs["h_scaling"] = 0.0
        file["Header"].attrs["BoxSize"] = file["Header"].attrs["BoxSize"] / 0.7
    gas = load_gas(path, center=truth.center_kpc, radius=1e5)
    assert gas.position_kpc == pytest.approx(truth.offsets(truth.gas["position"]), abs=0.02)
    assert gas.emission_measure_cm3 == pytest.approx(truth.emission_measure(), rel=1e-5)


def test_arepo_hydrogen_is_that_of_the_file(tmp_path):
    """pyXSIM once had hydrogen twice for AREPO: EM goes with X^2, not (2 X)^2."""
    poor = make_truth(hydrogen=0.70)
    full = load_gas(write_gadget_hdf5(tmp_path / "a.hdf5", poor, flavour="tng"), radius=1e5)
    assert full.emission_measure_cm3 == pytest.approx(poor.emission_measure(), rel=1e-5)
    without = write_gadget_hdf5(tmp_path / "b.hdf5", poor, flavour="tng", drop=["GFM_Metals"])
    ratio = load_gas(without, radius=1e5).emission_measure_cm3 / full.emission_measure_cm3
    assert ratio == pytest.approx((0.76 / 0.70) ** 2, rel=1e-5)


def test_swift_temperature_comes_from_the_internal_energy(tmp_path):
    made = swift_truth()
    path = write_swift(tmp_path / "s.hdf5", made)
    import h5py

    with h5py.File(path, "r+") as file:
        file["PartType0/Temperatures"] = np.full(600, 1e3)  # that of a subgrid model
    gas = load_gas(path, radius=1e5)
    assert gas.kt_kev == pytest.approx(made.gas["kt"], rel=SINGLE)


def test_temperature_stands_in_for_a_missing_internal_energy(tmp_path, truth):
    kelvin = truth.gas["kt"] / 8.617333e-08
    path = write_gadget_hdf5(
        tmp_path / "s.hdf5", truth, drop=["InternalEnergy"], replace={"Temperature": kelvin}
    )
    assert load_gas(path, radius=1e5).kt_kev == pytest.approx(truth.gas["kt"], rel=SINGLE)


def test_missing_electrons_metals_and_sizes_are_noted(tmp_path, truth):
    path = write_gadget_hdf5(
        tmp_path / "s.hdf5",
        truth,
        drop=["ElectronAbundance", "Metallicity", "SmoothingLength", "StarFormationRate"],
    )
    gas = load_gas(path, radius=1e5)
    notes = " ".join(gas.info.extra["notes"])
    for word in ("fully ionised", "0.3 solar", "8 particles' or cells'", "no rates", "0.76"):
        assert word in notes
    assert set(gas.metallicity_solar) == {0.3}
    assert set(load_gas(path, radius=1e5, metallicity=0.5).metallicity_solar) == {0.5}
    ionised = replace(truth, gas={**truth.gas, "electrons": np.full(600, 1.76 / 1.52)})
    assert gas.emission_measure_cm3 == pytest.approx(ionised.emission_measure(), rel=1e-5)


def test_cutout_of_gas_alone_with_few_fields(tmp_path):
    """A single-halo cut-out: no particle numbers, no dark matter, header of the parent."""
    alone = make_truth(dark_count=0)
    path = write_gadget_hdf5(
        tmp_path / "cutout_7.hdf5",
        alone,
        flavour="tng",
        drop=["GFM_Metals"],
        header={"NumFilesPerSnapshot": 600, "NumPart_Total": [10**9] * 6, "CutoutID": 7},
    )
    gas = load_gas(path)
    assert len(gas) == 600
    assert not gas.info.halo.total_mass
    assert np.isnan(gas.info.halo.r500c_kpc)
    inner = alone.gas["distance"] <= 500
    bulk = alone.gas["velocity"][inner].mean(axis=0)
    assert gas.info.halo.velocity_kms == pytest.approx(bulk, abs=20)


def test_numbers_stored_as_integers(tmp_path, truth):
    path = write_gadget_hdf5(tmp_path / "s.hdf5", truth)
    import h5py

    with h5py.File(path, "r+") as file:
        mass = file["PartType0/Masses"][:]
        del file["PartType0/Masses"]
        file["PartType0/Masses"] = np.full(600, 10, np.int64)
        file["PartType0/Density"][...] *= 10 / mass
    gas = load_gas(path, radius=1e5)
    assert gas.mass_msun == pytest.approx(10 * 1e10 / 0.7)
