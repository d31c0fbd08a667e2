"""Halo tables of any file and unit, and those that cannot be used."""

import warnings

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from icmass.errors import InputError, InputWarning
from icmass.simulate.readers.snapshot import Header
from icmass.simulate.snapshots.halo_table import HaloTable, halo_table
from icmass.simulate.snapshots.halo_writer import write_halo_tables
from icmass.simulate.snapshots.table_file import read_table_file
from tests.helpers.snapshots import COSMOLOGY, HUBBLE
from tests.simulate.snapshots.boxes import write_rows

REDSHIFT, BOX_KPC = 0.25, 60_000.0
A = 1 / (1 + REDSHIFT)


@pytest.fixture
def header():
    return Header(
        code="SWIFT", redshift=REDSHIFT, hubble=HUBBLE, cosmology=COSMOLOGY, box_kpc=BOX_KPC,
        units_known=True, support_neighbours=64,
    )  # fmt: skip


def rows(header, count=4):
    """Table with physical units: the truth of these tests."""
    rng = np.random.default_rng(1)
    table = Table()
    table["halo_id"] = np.arange(10, 10 + count)
    mass = 10 ** rng.uniform(13.8, 15, count)
    radius = np.cbrt(mass / (4 / 3 * np.pi * 500 * header.critical_msun_kpc3))
    columns = {
        "center": (rng.uniform(0, BOX_KPC, (count, 3)), "kpc", "physical"),
        "m500c": (mass, "solMass", ""),
        "r500c": (radius, "kpc", "physical"),
        "velocity": (rng.normal(0, 300, (count, 3)), "km / s", ""),
    }
    for name, (values, unit, words) in columns.items():
        table[name] = values
        table[name].unit = unit
        table[name].description = words
    return table


def read(path, header, **options):
    return halo_table(str(path), read_table_file(path), header, **options)


def same(halos, table, rel=1e-9):
    assert halos.halo_id.tolist() == list(table["halo_id"])
    for mine, name in (("center_kpc", "center"), ("m500c_msun", "m500c"), ("r500c_kpc", "r500c"),
                       ("velocity_kms", "velocity")):  # fmt: skip
        assert np.allclose(getattr(halos, mine), table[name].value, rtol=rel), name
    assert np.isnan(halos.m200c_msun).all()


def split(table, form="{}"):
    """Replace vectors by one column per axis, as text files and many finders have them."""
    plain = table.copy()
    for name, parts in (("center", "xyz"), ("velocity", ("vx", "vy", "vz"))):
        for axis, part in enumerate(parts):
            plain[form.format(part)] = plain[name].value[:, axis]
            plain[form.format(part)].unit = plain[name].unit
            plain[form.format(part)].description = plain[name].description
        plain.remove_column(name)
    return plain


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".hdf5", ".csv"])
def test_every_format_gives_the_same_haloes(tmp_path, header, suffix):
    table, path = rows(header), tmp_path / f"halos{suffix}"
    if suffix == ".ecsv":
        table.write(path, format="ascii.ecsv")
    elif suffix == ".fits":
        table.write(path, format="fits")
    elif suffix == ".hdf5":
        with h5py.File(path, "w") as file:
            for name in table.colnames:
                file[f"halos/{name}"] = table[name].value
                file[f"halos/{name}"].attrs["unit"] = str(table[name].unit or "")
                file[f"halos/{name}"].attrs["description"] = table[name].description or ""
    else:
        plain = split(table)
        for name in "xyz":
            plain[name] = plain[name].value / A / 1e3
        names = {name: f"{name}_mpc" for name in "xyz"}
        names |= {"m500c": "M500c_msun", "r500c": "R500c [kpc]"}
        names |= {name: f"{name}_km_s" for name in ("vx", "vy", "vz")}
        plain.rename_columns(list(names), list(names.values()))
        plain.write(path, format="ascii.csv")
    same(read(path, header), table)


def test_units_with_h_and_scale_factor(tmp_path, header):
    table = rows(header)
    odd = table.copy()
    odd["center"] = table["center"].value / A * HUBBLE / 1e3
    odd["m500c"] = table["m500c"].value * HUBBLE / 1e10
    odd["r500c"] = table["r500c"].value / A * HUBBLE
    for name in ("center", "m500c", "r500c"):
        odd[name].unit = None
    path = write_rows(tmp_path / "odd.ecsv", odd)
    units = {"position": "Mpc/h", "mass": "1e10 Msun/h", "radius": "comoving kpc/h"}
    same(read(path, header, units=units), table)
    # negative controls: an h or a scale factor forgotten is found by mass and radius
    for key, wrong in (("mass", "1e10 Msun"), ("radius", "kpc/h"), ("radius", "comoving kpc")):
        with pytest.raises(InputError, match="M500c must be 500 critical densities in R500c"):
            read(path, header, units={**units, key: wrong})
    with pytest.raises(InputError, match="positions must lie in the box of 60000 kpc"):
        read(path, header, units={**units, "position": "physical Gpc/h"})


@pytest.mark.parametrize("unit", ["Mpc/h", "Mpc / h", "Mpc h-1", "Mpc / littleh", "comoving Mpc/h"])
def test_h_in_a_file_is_no_hour(tmp_path, header, unit):
    table = rows(header)
    odd = table.copy()
    odd["center"] = table["center"].value / A * HUBBLE / 1e3
    path = tmp_path / "h.hdf5"
    with h5py.File(path, "w") as file:
        for name in odd.colnames:
            file[name] = odd[name].value
            file[name].attrs["units"] = np.bytes_(str(odd[name].unit or ""))
        file["center"].attrs["units"] = unit
    same(read(path, header), table)


@pytest.mark.parametrize(
    ("drop", "match"),
    [
        (["center"], r"must have the columns center \(or x, y, z\); it has halo_id, m500c"),
        (["m500c", "r500c"], "must have the columns m500c, r500c; it has halo_id"),
        (["halo_id"], "must have the columns halo_id; it has"),
    ],
)
def test_missing_columns_are_named(tmp_path, header, drop, match):
    table = rows(header)
    table.remove_columns(drop)
    with pytest.raises(InputError, match=match) as caught:
        read(write_rows(tmp_path / "halos.ecsv", table), header)
    assert "\n" not in str(caught.value)


def test_one_axis_missing_is_a_missing_centre(tmp_path, header):
    table = split(rows(header))
    table.remove_column("y")
    with pytest.raises(InputError, match="must have the columns center"):
        read(write_rows(tmp_path / "halos.ecsv", table), header)


def test_axes_in_different_units_are_refused(tmp_path, header):
    table = split(rows(header))
    table["y"].unit = "Mpc"
    with pytest.raises(InputError, match="columns x, y, z must have one unit; got kpc, Mpc, kpc"):
        read(write_rows(tmp_path / "halos.ecsv", table), header)


def _change(name, row, value):
    def change(table):
        table[name][row] = value

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_change("halo_id", 1, 10), "a halo id must be there once in a snapshot; 10 is there 2"),
        (_change("halo_id", 1, -3), "halo ids must not be negative; got -3"),
        (_change("m500c", 2, np.nan), "1 of 4 have not, the first is halo 12"),
        (_change("r500c", 2, 0.0), "1 of 4 have not, the first is halo 12"),
        (_change("center", 3, [1.0, 2.0, np.inf]), "1 of 4 have not, the first is halo 13"),
        (_change("center", 3, [1.0, 1.1 * BOX_KPC, 2.0]), "1 of 4 do not, the first is halo 13 at"),
        (_change("center", 3, [-0.6 * BOX_KPC, 1.0, 2.0]), "positions must lie in the box"),
    ],
)
def test_impossible_haloes_are_refused(tmp_path, header, change, match):
    table = rows(header)
    change(table)
    with pytest.raises(InputError, match=match) as caught:
        read(write_rows(tmp_path / "halos.ecsv", table), header)
    assert "\n" not in str(caught.value)


def test_strange_columns_are_refused(tmp_path, header):
    table = rows(header)
    table["halo_id"] = np.array([1, 2, 3.5, 4])
    with pytest.raises(InputError, match=r"'halo_id' must hold whole numbers; row 2 is 3\.5"):
        read(write_rows(tmp_path / "a.ecsv", table), header)
    table = rows(header)
    table["center"] = table["center"].value[:, :2]
    table["center"].unit = "kpc"
    with pytest.raises(InputError, match="'center' must have three components"):
        read(write_rows(tmp_path / "b.ecsv", table), header)
    table = rows(header)
    table["m500c"].unit = None
    path = write_rows(tmp_path / "c.ecsv", table)
    with pytest.raises(InputError, match="column 'm500c': must have a unit; got none"):
        read(path, header)
    assert len(read(path, header, units={"mass": "Msun"})) == 4
    with pytest.raises(InputError, match="column 'm500c': must be in a unit of mass"):
        read(path, header, units={"mass": "kpc"})
    with pytest.raises(InputError, match=r"table_units: must have keys among .* 'mas'.*'mass'"):
        read(path, header, units={"mas": "Msun"})


def test_small_haloes_are_left_out_before_they_are_judged(tmp_path, header):
    table = rows(header)
    table["m500c"][1], table["r500c"][1] = 0.0, 0.0  # as group finders write what they leave out
    path = write_rows(tmp_path / "halos.ecsv", table)
    with pytest.raises(InputError, match="the first is halo 11"):
        read(path, header)
    assert read(path, header, min_m500c_msun=1e13).halo_id.tolist() == [10, 12, 13]


def test_rows_of_each_snapshot(tmp_path, header):
    table = rows(header)
    table["snapshot_id"] = [0, 1, 1, 0]
    table["halo_id"] = [5, 5, 6, 6]  # ids repeat between snapshots
    path = write_rows(tmp_path / "halos.ecsv", table)
    assert read(path, header, snapshot_id=1).m500c_msun.tolist() == table["m500c"][1:3].tolist()
    assert len(read(path, header, snapshot_id=2)) == 0


def test_files_that_are_no_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_table_file(tmp_path / "no.ecsv")
    for name in ("halos.ecsv", "halos.fits", "halos.hdf5"):
        (tmp_path / name).write_bytes(b"\x00 no table")
        with pytest.raises(
            InputError, match=rf"{name}: must be a (readable|whole) table"
        ) as caught:
            read_table_file(tmp_path / name)
        assert "\n" not in str(caught.value)
    (tmp_path / "halos.txt").write_text("1 2 3")
    with pytest.raises(InputError, match=r"must end in one of .*; got '\.txt'"):
        read_table_file(tmp_path / "halos.txt")
    (tmp_path / "twice.csv").write_text("m500c,M500c_msun\n1,2\n")
    with pytest.raises(InputError, match="column names must differ; 'm500c' is there twice"):
        read_table_file(tmp_path / "twice.csv")


def test_written_haloes_come_back_to_the_last_digit(tmp_path, header):
    halos = read(write_rows(tmp_path / "in.ecsv", rows(header)), header)
    path = tmp_path / "out.ecsv"
    for _ in range(2):  # replaces what is there
        write_halo_tables(path, [halos, halos.select(halos.halo_id > 11)])
    back = [read(path, header, snapshot_id=number) for number in range(2)]
    assert back[1].halo_id.tolist() == [12, 13]
    for name in HaloTable.__dataclass_fields__:
        assert np.array_equal(getattr(back[0], name), getattr(halos, name), equal_nan=True), name


def test_reading_a_table_warns_of_nothing(tmp_path, header):
    table = rows(header)
    table["m500c"] = table["m500c"].value * HUBBLE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table["m500c"].unit = "Msun/h"
    path = write_rows(tmp_path / "halos.ecsv", table)
    same(read(path, header), rows(header))


def test_checksums_that_a_program_left_in_its_copy_are_a_warning(tmp_path):
    whole = tmp_path / "whole.fits"
    table = Table({"x": np.arange(6.0)})
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(table)]).writeto(whole, checksum=True)
    assert read_table_file(whole)["x"].values.tolist() == [0, 1, 2, 3, 4, 5]
    Table.read(whole)[:4].write(tmp_path / "part.fits")  # astropy keeps the old cards
    with pytest.warns(InputWarning, match=r"part.fits: its checksums do not .* copy it again"):
        assert len(read_table_file(tmp_path / "part.fits")["x"].values) == 4


def test_columns_of_several_lengths_are_refused(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["x"], file["y"] = np.arange(3.0), np.arange(4.0)
    with pytest.raises(InputError, match=r"rows.h5: .* must have one length; they have x 3, y 4"):
        read_table_file(tmp_path / "rows.h5")
