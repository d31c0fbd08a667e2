"""What cannot be read is refused in one line that says what is wrong and what to do."""

import re
import struct
from dataclasses import replace

import h5py
import numpy as np
import pytest
from astropy import units as u

from icmass.errors import InputError, InputWarning, NoPhotonsError
from icmass.simulate.readers import load_gas
from tests.helpers.snapshots import (
    STANDARD_BLOCKS,
    gas_blocks,
    make_truth,
    write_gadget_binary,
    write_gadget_hdf5,
    write_swift,
)


def refused(match, path, kind=InputError, **options):
    """Check that reading fails with one line."""
    with pytest.raises(kind, match=match) as caught:
        load_gas(path, **options)
    assert "\n" not in str(caught.value)


@pytest.fixture
def binary(tmp_path, truth):
    return write_gadget_binary(tmp_path / "snap_007", truth)


@pytest.fixture
def hdf5(tmp_path, truth):
    return write_gadget_hdf5(tmp_path / "snap_007.hdf5", truth)


# --- paths


def test_nothing_there(tmp_path, binary):
    refused(f"nothing is there. Did you mean '{binary}'", tmp_path / "snap_070")
    refused("nothing is there", tmp_path / "no" / "such")
    refused("nothing is there", str(tmp_path / "snap*.hdf5"))


def test_folder_empty_or_with_two_snapshots(tmp_path, truth):
    empty = tmp_path / "empty"
    empty.mkdir()
    refused("the folder is empty", empty)
    write_gadget_hdf5(tmp_path / "snap_001.hdf5", truth)
    write_gadget_hdf5(tmp_path / "snap_002.hdf5", truth)
    refused(r"must hold one snapshot; got 2: \['snap_001.hdf5', 'snap_002.hdf5'\]", tmp_path)


@pytest.mark.parametrize("given", ["folder", "pattern", "stem", "first"])
@pytest.mark.parametrize("kind", ["binary", "hdf5"])
def test_sets_of_files(given, kind, tmp_path, truth):
    if kind == "binary":
        stem = write_gadget_binary(tmp_path / "snap_007", truth, files=11)
    else:
        stem = write_gadget_hdf5(tmp_path / "snap_007", truth, files=11)
    if given == "first":
        refused("the snapshot has 11 files; got 1", next(tmp_path.glob("snap_007.0*")))
        return
    path = {"folder": tmp_path, "pattern": f"{stem}.*", "stem": stem}[given]
    gas = load_gas(path, radius=1e5)
    assert gas.mass_msun.sum() == pytest.approx(truth.gas["mass"].sum(), rel=1e-5)
    order = np.concatenate([np.arange(600)[part::11] for part in range(11)])  # 10 after 9
    assert gas.kt_kev == pytest.approx(truth.gas["kt"][order], rel=1e-5)


# --- file types and damage


def test_wrong_file_type(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("these are no particles, only words, but there are enough of them\n" * 10)
    refused("in Tipsy's format; it is of another type or damaged", text)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    refused("of another type or damaged", empty)
    refused("units: must be left out", text, units={"length": "kpc"})


def test_devices_are_no_files():
    refused("must be a file, folder or pattern; a device or pipe is there", "/dev/null")
    refused("a device or pipe is there", "/dev/nul[l]")


def test_a_file_that_the_system_cannot_read(monkeypatch, tmp_path):
    def broken(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(h5py, "is_hdf5", broken)
    (tmp_path / "snap").write_bytes(b"x" * 100)
    refused("cannot be read; the system reports an error", tmp_path / "snap")


def test_dataset_of_text(hdf5):
    with h5py.File(hdf5, "r+") as file:
        del file["PartType0/Density"]
        file["PartType0/Density"] = np.full(600, b"dense")
    refused(r"PartType0/Density must hold numbers; got \|S5\. The file is damaged", hdf5)


def test_positions_in_other_units_than_the_box(tmp_path, truth):
    """Wrapped around the box they would be anywhere."""
    path = write_swift(tmp_path / "s.hdf5", truth)
    with h5py.File(path, "r+") as file:
        position = file["PartType0/Coordinates"]
        position[:] = position[:] - file["Header"].attrs["BoxSize"][0]  # the next image
        assert len(load_gas(path)) > 0
        position[:] = 1e3 * position[:]
    refused(r"positions must lie in the box of .* kpc, or one box beside it; got -", path)


@pytest.mark.parametrize(("step", "name"), [(16, "HubbleParam"), (-8, "BoxSize")])
def test_impossible_headers_of_gadget_binary(binary, step, name):
    content = bytearray(binary.read_bytes())
    place = content.index(struct.pack("<3d", 0.3, 1 - 0.3, 0.7))  # Omega0, OmegaLambda, HubbleParam
    struct.pack_into("<d", content, place + step, -1.0)
    binary.write_bytes(content)
    refused(rf"snap_007: {name} of the header must be .*; got -1\. Repair the header", binary)


def test_center_far_outside_the_box(tmp_path, truth):
    path = write_swift(tmp_path / "s.hdf5", truth)
    refused(
        r"center: must lie in the box of .* kpc, or one box beside it; got .*1e\+09",
        path,
        center=(0.0, 0.0, 1e9),
    )


def test_hdf5_that_is_no_snapshot(tmp_path):
    path = tmp_path / "fof_subhalo_tab_099.hdf5"
    with h5py.File(path, "w") as file:
        file.create_group("Header")
        file["Group/GroupPos"] = np.zeros((3, 3))
    refused("must be a snapshot with the groups Header and PartType0; got .*'Group'", path)


@pytest.mark.parametrize("fraction", [0.001, 0.3, 0.9, 0.99999])
def test_truncated_binary(fraction, binary):
    data = binary.read_bytes()
    binary.write_bytes(data[: max(int(len(data) * fraction), 6)])
    refused(r"truncated inside block|must begin with a header", binary)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.95])
def test_truncated_hdf5(fraction, hdf5):
    data = hdf5.read_bytes()
    hdf5.write_bytes(data[: int(len(data) * fraction)])
    refused("truncated or damaged", hdf5)


def test_damaged_hdf5_dataset(hdf5):
    with h5py.File(hdf5, "r+") as file:
        del file["PartType0/Density"]
        file["PartType0"].create_dataset("Density", data=np.ones(600), chunks=(100,), compression=4)
        offset = file["PartType0/Density"].id.get_chunk_info(0).byte_offset
    data = bytearray(hdf5.read_bytes())
    data[offset : offset + 30] = b"\xff" * 30
    hdf5.write_bytes(data)
    refused("truncated or damaged", hdf5)


def test_damaged_binary_blocks(binary):
    data = bytearray(binary.read_bytes())
    foot = data.index(b"VEL ") - 8
    data[foot : foot + 4] = struct.pack("<I", 12)
    binary.write_bytes(data)
    refused("block 'POS' says 25200 bytes before and 12 after", binary)
    data = bytearray(binary.read_bytes())
    data[16:20] = struct.pack("<I", 100)
    binary.write_bytes(data)
    refused("must begin with a header of 256 bytes", binary)


def test_damaged_block_name(binary):
    data = bytearray(binary.read_bytes())
    label = data.index(b"VEL ")
    data[label - 4] = 9
    binary.write_bytes(data)
    refused("damaged at byte .*: no block name", binary)


# --- content


def test_no_gas(tmp_path, truth):
    path = write_gadget_hdf5(tmp_path / "s.hdf5", truth)
    with h5py.File(path, "r+") as file:
        del file["PartType0"]
    refused(r"must hold gas \(particle type 0\); it has particles of types \[1\]", path)


@pytest.mark.parametrize(
    ("dataset", "field"),
    [
        ("Density", "density"),
        ("Masses", "mass"),
        ("Velocities", "velocity"),
        ("InternalEnergy", "internal_energy"),
    ],
)
def test_missing_fields(dataset, field, tmp_path, truth):
    path = write_gadget_hdf5(tmp_path / "s.hdf5", truth, drop=[dataset])
    refused(f"must hold the field '{field}' of particle type 0.*PartType0/{dataset}", path)
    block = {"Density": "RHO", "Masses": "MASS", "Velocities": "VEL", "InternalEnergy": "U"}[
        dataset
    ]
    blocks = [name for name in STANDARD_BLOCKS if name != block]
    path = write_gadget_binary(tmp_path / "snap", truth, blocks=blocks)
    refused(f"'{field}' of particle type 0.*Block '{block}' is needed", path)


@pytest.mark.parametrize(
    ("dataset", "field"),
    [
        ("Coordinates", "position"),
        ("Velocities", "velocity"),
        ("Masses", "mass"),
        ("Density", "density"),
        ("InternalEnergy", "internal_energy"),
        ("ElectronAbundance", "electron_abundance"),
        ("SmoothingLength", "smoothing"),
        ("Metallicity", "metallicity"),
        ("StarFormationRate", "star_formation_rate"),
    ],
)
def test_values_that_are_not_finite(dataset, field, hdf5):
    with h5py.File(hdf5, "r+") as file:
        values = file["PartType0"][dataset][:]
        values[41] = np.nan
        values[77] = np.inf
        file["PartType0"][dataset][...] = values
    refused(f"'{field}' of particle type 0 must be finite; 2 of 600 rows are not, .* row 41", hdf5)


@pytest.mark.parametrize(
    ("dataset", "field", "rule"),
    [
        ("Masses", "mass of particle type 0", "not be negative"),
        ("Density", "density", "be positive"),
        ("InternalEnergy", "internal_energy", "not be negative"),
        ("ElectronAbundance", "electron_abundance", "not be negative"),
        ("SmoothingLength", "smoothing", "not be negative"),
        ("Metallicity", "metallicity", "not be negative"),
    ],
)
def test_negative_values(dataset, field, rule, hdf5):
    with h5py.File(hdf5, "r+") as file:
        values = file["PartType0"][dataset][:]
        values[[123, 300]] = -1.0
        file["PartType0"][dataset][...] = values
    refused(f"'{field}' must {rule}; 2 of 600 .* row 123 with -", hdf5, radius=1e5)


def test_fractions_above_one(tmp_path, truth):
    path = write_gadget_hdf5(tmp_path / "a.hdf5", truth, replace={"Metallicity": np.full(600, 1.5)})
    refused("'metallicity' must be a mass fraction; got up to 1.5", path)
    path = write_gadget_hdf5(
        tmp_path / "b.hdf5", truth, flavour="tng", replace={"GFM_Metals": np.full((600, 3), 76.0)}
    )
    refused("'hydrogen_fraction' must be at most 1; got 76", path)


def test_shapes_that_do_not_fit(hdf5):
    with h5py.File(hdf5, "r+") as file:
        del file["PartType0/Density"]
        file["PartType0/Density"] = np.ones(599)
    refused(r"'density' of particle type 0 must have shape \(600,\); got \(599,\)", hdf5)


def test_masses_all_zero(hdf5):
    with h5py.File(hdf5, "r+") as file:
        file["PartType0/Masses"][...] = 0
        file["Header"].attrs["MassTable"] = np.zeros(6)
    refused("'mass' must not be zero everywhere", hdf5)


def test_header_that_is_not_finite(hdf5):
    with h5py.File(hdf5, "r+") as file:
        file["Header"].attrs["Redshift"] = np.nan
    refused("the redshift must be finite", hdf5)


# --- absurd units and order of blocks


def test_box_of_thousands_of_mpc(binary):
    refused(r"box must be below 2000 Mpc; got .* Mpc.*length = kpc/h", binary,
            units={"length": "Mpc/h"})  # fmt: skip


def test_density_far_from_cosmic(tmp_path):
    small = make_truth(box_kpc=20.0 * 60)  # so small that its box is no hint
    path = write_gadget_binary(tmp_path / "snap", small)
    assert len(load_gas(path, radius=1e5)) == 600
    for wrong in ({"mass": "Msun"}, {"length": "pc/h"}, {"length": "Mpc/h"}):
        refused("median gas density must be 0.01 to 1e.06 times the cosmic mean", path, units=wrong)


def test_temperature_above_1e10_k(hdf5, binary):
    for path in (binary, hdf5):
        refused(r"temperatures must be below 1e\+10 K; 600 of 600", path,
                units={"velocity": 1e3}, radius=1e5)  # fmt: skip


def test_wrong_order_of_blocks_in_format_1(tmp_path, truth):
    """Readers that assume an order take one block for another."""
    odd = ("POS", "VEL", "ID", "MASS", "U", "NE", "RHO", "NH", "HSML", "SFR", "Z")
    path = write_gadget_binary(tmp_path / "snap", truth, version=1, blocks=odd)
    refused("the order of blocks is not the standard one", path)
    assert load_gas(path, blocks=odd, radius=1e5).emission_measure_cm3 == pytest.approx(
        truth.emission_measure(), rel=1e-5
    )
    odd = ("POS", "VEL", "ID", "MASS", "U", "RHO", "NE", "HSML", "SFR", "NH", "Z")
    path = write_gadget_binary(tmp_path / "snap", truth, version=1, blocks=odd)
    refused("density, mass and smoothing length contradict each other.*order of blocks", path)
    odd = ("POS", "VEL", "ID", "MASS", "U", "AGE", "RHO", "NE", "NH", "HSML", "SFR", "Z")
    path = write_gadget_binary(tmp_path / "snap", truth, version=1, blocks=odd)
    refused(r"block 'RHO' must hold 1 numbers .* 600 particles .*order of blocks", path)


# --- options


def test_units_are_checked(binary):
    refused("units: must have keys among .*; got 'lenght'. Did you mean 'length'", binary,
            units={"lenght": "Mpc"})  # fmt: skip
    refused(r"units\['mass'\]: must be convertible to Msun", binary, units={"mass": "kpc"})
    refused(r"units\['mass'\]: must be a unit such as", binary, units={"mass": "suns/h"})
    refused(r"units\['length'\]: must be positive", binary, units={"length": -1.0})


def test_units_of_the_user(tmp_path, truth):
    """A file in Mpc/h and Msun/h is read right when the user says so."""
    unit = {name: values.copy() for name, values in gas_blocks(truth).items()}
    path = write_gadget_binary(tmp_path / "snap", truth, dtype="f8")
    plain = load_gas(path, radius=1e5, units={"length": "kpc/h", "mass": 1e10 / 0.7 * u.Msun})
    assert plain.emission_measure_cm3 == pytest.approx(truth.emission_measure(), rel=1e-8)
    replaced = {
        "POS": unit["POS"] / 1e3, "HSML": unit["HSML"] / 1e3,
        "MASS": unit["MASS"] * 1e10, "RHO": unit["RHO"] * 1e19,
    }  # fmt: skip
    alone = make_truth(dark_count=0)
    scale = {"MASS": alone.gas["mass"][0] / truth.gas["mass"][0]}
    replaced["MASS"] = replaced["MASS"] * scale["MASS"]
    alone = replace(alone, box_kpc=alone.box_kpc / 1e3)
    path = write_gadget_binary(tmp_path / "mpc", alone, dtype="f8", replace=replaced)
    gas = load_gas(path, radius=1e5, units={"length": "Mpc/h", "mass": "Msun / h"},
                   overdensity=False, center=truth.center_kpc)  # fmt: skip
    assert gas.smoothing_kpc == pytest.approx(truth.gas["support"], rel=1e-8)
    # negative control: the h forgotten
    wrong = load_gas(path, radius=1e5, units={"length": "Mpc", "mass": "Msun"}, overdensity=False)
    assert wrong.smoothing_kpc == pytest.approx(truth.gas["support"] * 0.7, rel=1e-8)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (
            {"center": (1.0, 2.0)},
            r"center: must be three finite coordinates in kpc; got shape \(2,\)",
        ),
        ({"center": (1.0, 2.0, np.nan)}, "center: must be three finite coordinates"),
        ({"center": (1, 2, 3) * u.s}, "center: must be convertible to kpc"),
        ({"radius": 0.0}, "radius: must be positive"),
        ({"radius": 3 * u.keV}, "radius: must be convertible to kpc"),
        ({"redshift": 0.0}, "redshift: must lie between 0 and 20"),
        ({"redshift": -0.1}, "redshift: must lie between 0 and 20"),
        ({"min_temperature_k": -1.0}, "min_temperature_k: must not be negative"),
        ({"max_density": 0.0}, "max_density: must be positive"),
        ({"metallicity": -0.1}, "metallicity: must be 0 to 20 solar"),
    ],
)
def test_options_are_checked(options, match, binary):
    refused(match, binary, **options)


def test_a_center_without_a_halo_is_warned_of(binary, truth):
    with pytest.warns(InputWarning, match="center: no sphere around it is 500 times as dense"):
        load_gas(binary, center=truth.center_kpc + 6000, radius=2e4)


# --- nothing left


def test_nothing_in_the_sphere(binary, truth):
    with pytest.warns(InputWarning, match="center"):
        refused(
            r"no particle is left at 'in the sphere' \(read 600, in the sphere 0.*Move center,",
            binary, NoPhotonsError, center=truth.center_kpc + 6000, radius=10.0,
        )  # fmt: skip


def test_nothing_hot_enough(tmp_path, truth):
    cold = write_gadget_hdf5(tmp_path / "s.hdf5", truth, replace={"InternalEnergy": np.ones(600)})
    refused(
        r"left at 'hotter than 1e\+06 K' .*hotter than 1e\+06 K 0.*Lower min_temperature_k,",
        cold, NoPhotonsError, radius=1e5,
    )  # fmt: skip


def test_nothing_quiet_and_nothing_thin(tmp_path, truth):
    busy = write_gadget_hdf5(
        tmp_path / "s.hdf5", truth, replace={"StarFormationRate": np.full(600, 0.1)}
    )
    refused("left at 'not star forming'.*star_forming=True", busy, NoPhotonsError, radius=1e5)
    refused("left at 'below the density cut'.*Raise max_density=", busy, NoPhotonsError,
            radius=1e5, star_forming=True, max_density=1e-35)  # fmt: skip


def test_swift_needs_its_fields_too(tmp_path):
    path = write_swift(tmp_path / "s.hdf5", make_truth(), drop=["Densities"])
    refused(re.escape("PartType0/Density or Densities is looked for"), path)
