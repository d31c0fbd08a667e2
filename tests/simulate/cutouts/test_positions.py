"""Tables of positions: the columns of eRASS1, eFEDS and our own truth, and what is refused."""

import sys

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from astropy.table import QTable, Table

from icmass.errors import InputError, MissingDependencyError
from icmass.simulate.cutouts.position_table import read_positions
from icmass.simulate.cutouts.positions import Positions
from icmass.simulate.photons.gas_component import kpc_per_arcsec

COSMOLOGY = FlatLambdaCDM(70.4, 0.272)


def read(table, path, **options) -> Positions:
    table.write(path)
    return read_positions(path, COSMOLOGY, **options)


def erass1() -> Table:
    """Columns as the primary catalog of eRASS1 has them; -1 where nothing was measured."""
    return Table(
        {
            "NAME": ["1eRASS J1", "1eRASS J2", "1eRASS J3"],
            "RA": [150.1, 359.9, 10.0],
            "DEC": [-12.0, 3.0, -60.0],
            "RA_XFIT": [0.0, 0.0, 0.0],
            "EXT": [22.0, 31.0, 60.0],
            "EXT_LIKE": [4.0, 15.0, 9.0],
            "DET_LIKE_0": [12.0, 80.0, 33.0],
            "BEST_Z": [0.3, -1.0, 0.12],
            "M500": [25.0, -1.0, 8.0],
            "R500": [900.0, -1.0, 700.0],
        },
        units={"RA": "deg", "DEC": "deg", "M500": "1e13 solMass", "R500": "kpc"},
    )


def test_the_catalog_of_erass1(tmp_path):
    found = read(erass1(), tmp_path / "erass1cl_primary.fits")
    np.testing.assert_allclose(found.ra_deg, [150.1, 359.9, 10.0])
    np.testing.assert_array_equal(found.redshift, [0.3, np.nan, 0.12])
    np.testing.assert_allclose(found.columns["m500c_msun"], [2.5e14, np.nan, 8e13])
    np.testing.assert_allclose(found.columns["r500c_kpc"], [900.0, np.nan, 700.0])
    np.testing.assert_array_equal(found.columns["extent_likelihood"], [4.0, 15.0, 9.0])
    np.testing.assert_array_equal(found.columns["detection_likelihood"], [12.0, 80.0, 33.0])
    np.testing.assert_array_equal(found.columns["extent_arcsec"], [22.0, 31.0, 60.0])
    assert found.halo_id.tolist() == [0, 1, 2]


def test_the_catalogs_of_efeds(tmp_path):
    table = Table(
        {
            "ID_SRC": np.array([33, 28993, 150], np.int32),
            "RA": [1.0, 2.0, 3.0],
            "DEC": [1.0, 2.0, 3.0],
            "RA_CORR": np.array([[130.0], [131.0], [132.5]]),
            "DEC_CORR": np.array([[1.0], [-2.0], [0.5]]),
            "Z_BEST_COMB": [0.2, 0.5, 0.9],
        }
    )
    found = read(table, tmp_path / "efeds.fits")
    np.testing.assert_array_equal(found.ra_deg, [130.0, 131.0, 132.5])
    np.testing.assert_array_equal(found.redshift, [0.2, 0.5, 0.9])
    assert found.halo_id.tolist() == [33, 28993, 150]
    again = read(table, tmp_path / "b.ecsv", columns={"ra": "RA", "dec": "DEC", "redshift": ""})
    np.testing.assert_array_equal(again.ra_deg, [1.0, 2.0, 3.0])
    assert np.isnan(again.redshift).all()


def test_our_own_truth_reaches_the_catalog(tmp_path):
    table = QTable(
        {
            "halo_id": [5, 9],
            "ra_deg": [10.0, 11.0],
            "dec_deg": [0.0, 1.0],
            "redshift": [0.1, 0.4],
            "m500c_msun": [1e14, 3e14],
            "m200c_msun": [1.5e14, 4e14],
            "dynamical_state": [-0.7, 1.2],
            "v_los_halo_km_s": [-300.0, 120.0],
            "kt_core_excised_kev": [3.0, 6.5],
            "gas_mass_msun": [1e13, 3e13],
            "detected": [True, False],
            "n_agn": np.array([3, 0]),
            "n_substructures": [4.0, np.nan],
            "snapshot_id": [0.5, 0.7],
            "tile_id": np.array([7, 8]),
            "nh_cm2": [2e20, 5e20],
            "n_phot": [1, 1],
            "flags": [4, 4],
            "exposure_s": [3.0, 4.0],
            "n_photons": [100, 200],
        }
    )
    for name in ("truth.ecsv", "truth.fits"):
        found = read(table, tmp_path / name)
        assert found.halo_id.tolist() == [5, 9]
        taken = {"m500c_msun", "m200c_msun", "dynamical_state", "v_los_halo_km_s", "detected"}
        taken |= {"kt_core_excised_kev", "gas_mass_msun", "n_agn", "tile_id", "nh_cm2"}
        assert set(found.columns) == taken | {"r500c_kpc", "n_substructures"}
        assert found.columns["n_substructures"].tolist() == [4, -1]
        for column in taken:
            np.testing.assert_allclose(found.columns[column], np.array(table[column]))
        assert found.columns["detected"].dtype == bool
        # (3 M / (4 pi 500 rho_c))^(1/3)
        density = COSMOLOGY.critical_density([0.1, 0.4]).to_value("Msun/kpc3")
        mass = 4.0 / 3.0 * np.pi * 500.0 * density * found.columns["r500c_kpc"] ** 3
        np.testing.assert_allclose(mass, [1e14, 3e14])


def test_units_of_masses_and_radii(tmp_path):
    table = Table(
        {"ra": [10.0], "dec": [0.0], "z": [0.25], "M500": [1e14], "R500": [4.0], "NH": [3.0]},
        units={"M500": "Msun/h", "R500": "arcmin", "NH": "1e20 cm-2"},
    )
    found = read(table, tmp_path / "a.ecsv")
    np.testing.assert_allclose(found.columns["m500c_msun"], 1e14 / 0.704)
    expected = 240.0 * kpc_per_arcsec(0.25, COSMOLOGY)
    np.testing.assert_allclose(found.columns["r500c_kpc"], expected)
    np.testing.assert_allclose(found.columns["nh_cm2"], 3e20)
    bare = Table({"ra": [10.0], "dec": [0.0], "z": [0.25], "M500": [12.0], "R500": [900.0]})
    units = {"m500c": "1e13 Msun", "r500c": "kpc"}
    found = read(bare, tmp_path / "b.csv", units=units)
    np.testing.assert_allclose(found.columns["m500c_msun"], 1.2e14)
    found = read(bare, tmp_path / "c.csv", columns={"m500c": "", "r500c": ""})
    assert found.columns == {}


def plain(**columns) -> Table:
    return Table({"ra": [10.0, 20.0], "dec": [0.0, 5.0], "z": [0.1, 0.2]} | columns)


@pytest.mark.parametrize(
    ("table", "options", "rule"),
    [
        (Table({"a": [1.0], "b": [2.0]}), {}, r"column RA in degrees; it has a, b\. Say which"),
        (Table({"ra": ["10h"], "dec": [2.0]}), {}, "must have a column RA in degrees; it has dec"),
        (plain(M500=[14.2, 14.9]), {}, "column m500c must have a unit; .* smallest value is 14.2"),
        (plain(R500=[800.0, 900.0]), {}, r"column r500c must have a unit; .*units r500c='kpc'"),
        (plain(NH=[2.0, 3.0]), {}, "column nh must have a unit"),
        (plain(nh_cm2=[3e20, 1e99]), {}, r"column nh: must be 0 or 1e\+16 .* in cm.*got 1e\+99"),
        (
            plain(),
            {"columns": {"redshift": "zz"}},
            "have the column 'zz', chosen for redshift",
        ),
        (plain(), {"columns": {"mass": "z"}}, "columns: must be for one of ra, dec.*got 'mass'"),
        (plain(), {"units": {"mass": "kg"}}, "units: must be for one of ra, dec.*got 'mass'"),
        (plain(halo_id=[3, 3]), {}, "halo_id must differ in all rows; 3 is there twice"),
        (plain(dec=[0.0, 95.0]), {}, r"row 1 has \(20, 95\)"),
        (plain(ra=[np.nan, 95.0]), {}, r"RA must be finite .* row 0 has \(nan, 0\)"),
        (plain(z=[0.1, np.inf]), {}, "redshift must be finite, or NaN; got inf"),
        (plain(z=[0.1, 1e6]), {}, r"redshift must be at most 20; row 1 has 1e\+06"),
        (plain(), {"units": {"m500c": "apples"}}, "m500c must have a unit such as '1e13 Msun'"),
        (plain(), {"units": {"halo_id": "kpc"}}, "units: halo_id is a pure number; got 'kpc'"),
        (plain(axis_ratio=[0.4, 1.7]), {}, "axis_ratio must be finite and between 0 and 1.*1.7"),
        (plain()[:0], {}, "must hold positions; it has no rows"),
        (Table({"name": ["a"]}), {}, "must hold positions; it has no rows, or no columns"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, table, options, rule):
    with pytest.raises(InputError, match=rule) as error:
        read(table, tmp_path / "a.ecsv", **options)
    assert "\n" not in str(error.value)


def test_units_of_another_kind_are_refused(tmp_path):
    table = plain(M500=[1e14, 2e14])
    table["M500"].unit = "kpc"
    with pytest.raises(InputError, match="column m500c: must be in a unit of mass"):
        read(table, tmp_path / "a.fits")
    table = plain()
    table["ra"].unit = "kpc"
    with pytest.raises(InputError, match="column ra must be in deg; its unit is 'kpc'"):
        read(table, tmp_path / "b.fits")


def test_files_that_are_no_tables(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="there is no such file"):
        read_positions(tmp_path / "none.fits", COSMOLOGY)
    with pytest.raises(InputError, match="there is no such file"):
        read_positions(tmp_path / "none.parquet", COSMOLOGY)
    (tmp_path / "a.fits").write_bytes(b"no table")
    with pytest.raises(InputError, match=r"must be a (readable|whole) table"):
        read_positions(tmp_path / "a.fits", COSMOLOGY)
    (tmp_path / "a.parquet").write_bytes(b"no table")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match="Parquet needs pyarrow; install it: pip"):
        read_positions(tmp_path / "a.parquet", COSMOLOGY)


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"RA": [1.0], "DEC": [2.0], "z": [0.3], "m500c_msun": [1e14]})
    parquet.write_table(table, tmp_path / "a.parquet")
    found = read_positions(tmp_path / "a.parquet", COSMOLOGY)
    np.testing.assert_allclose(found.columns["m500c_msun"], [1e14])
    (tmp_path / "b.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match=r"must be a (readable|whole) table"):
        read_positions(tmp_path / "b.parquet", COSMOLOGY)


def test_positions_made_by_hand_are_checked():
    two = (np.array([1.0, 2.0]), np.array([0.0, 1.0]), np.array([0.1, 0.2]), np.array([0, 1]))
    with pytest.raises(InputError, match=r"m500c_msun must have the shape \(2,\); got \(3,\)"):
        Positions(*two, {"m500c_msun": np.ones(3)})
    with pytest.raises(InputError, match="'mass' is no column that can be taken over"):
        Positions(*two, {"mass": np.ones(2)})


def test_blended_are_those_with_a_heavy_neighbour_inside_their_radius():
    # 0 and 1 lie 100 arcsec apart, 1 is lighter than half of 0; 2 is far away; 3 has no mass.
    step = 100.0 / 3600.0
    positions = Positions(
        np.array([10.0, 10.0, 30.0, 10.0]),
        np.array([0.0, step, 0.0, 0.0]),
        np.full(4, 0.2),
        np.arange(4),
        {"m500c_msun": np.array([5e14, 2e14, 5e14, np.nan])},
    )
    assert positions.blended(np.array([120.0, 120.0, 120.0, 120.0])).tolist() == [
        False, True, False, False,
    ]  # fmt: skip
    assert not positions.blended(np.array([120.0, 80.0, 120.0, np.nan])).any()
    assert not positions.blended(np.full(4, np.nan)).any()
