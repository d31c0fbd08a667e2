from importlib.util import find_spec

import h5py
import numpy as np
import pytest
from astropy.table import Table
from astropy.units import Unit

from icmass.errors import InputError, MissingDependencyError
from icmass.simulate.lightcone import read_light_cone
from icmass.simulate.lightcone.light_cone import LightCone
from icmass.simulate.population.haloes import CAUSES
from icmass.simulate.population.structure_list import r500_over_r200
from icmass.simulate.skymaps import uniform_positions
from tests.helpers.light_cones import pixels_within
from tests.helpers.population import magneticum

PARAMETERS = magneticum().haloes
PATCH = pixels_within(16, 200)
RNG = np.random.default_rng(8)
RA, DEC = uniform_positions(16, np.full(40, 200), RNG)
REDSHIFT = RNG.uniform(0.1, 0.9, 40)
MASS = 10.0 ** RNG.uniform(13.4, 14.9, 40)


def table(**columns):
    """Forty haloes in the patch; a column given as None is left out."""
    all_of = {"RA": RA, "DEC": DEC, "z": REDSHIFT, "M500c": MASS, **columns}
    return Table({name: values for name, values in all_of.items() if values is not None})


def read(path, seed=4, footprint=PATCH):
    return read_light_cone(path, PARAMETERS, footprint, seed)


@pytest.fixture
def written(tmp_path):
    def write(columns, name="haloes.fits"):
        columns.write(tmp_path / name)
        return tmp_path / name

    return write


def order_of(cone):
    """Row of the table of each halo."""
    return np.array([int(np.flatnonzero(z == REDSHIFT)[0]) for z in cone.haloes.redshift])


class TestFormats:
    @pytest.mark.parametrize("name", ["haloes.fits", "haloes.ecsv", "haloes.csv"])
    def test_tables(self, written, name):
        cone = read(written(table(), name))
        rows = order_of(cone)
        assert sorted(rows) == list(range(40))
        np.testing.assert_allclose(cone.haloes.m500c_msun, MASS[rows], rtol=1e-14)
        np.testing.assert_allclose(cone.ra_deg, RA[rows])
        np.testing.assert_allclose(cone.dec_deg, DEC[rows])
        np.testing.assert_array_equal(cone.key, rows + 1)
        np.testing.assert_array_equal(cone.haloes.halo_id, np.arange(1, 41))

    def test_hdf5(self, tmp_path):
        with h5py.File(tmp_path / "haloes.h5", "w") as file:
            for name, values in (("ra", RA), ("dec", DEC), ("redshift", REDSHIFT)):
                file[name] = values
            file["m500c_msun"] = MASS
        cone = read(tmp_path / "haloes.h5")
        np.testing.assert_allclose(cone.haloes.m500c_msun, MASS[order_of(cone)])

    def test_parquet_without_pyarrow(self, tmp_path, monkeypatch):
        (tmp_path / "haloes.parquet").write_bytes(b"")
        monkeypatch.setattr("icmass.simulate.snapshots.table_file.find_spec", lambda name: None)
        with pytest.raises(MissingDependencyError, match="Parquet needs pyarrow; install it: pip"):
            read(tmp_path / "haloes.parquet")

    @pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
    def test_parquet(self, tmp_path):
        import pyarrow
        from pyarrow import parquet

        columns = {"ra": RA, "dec": DEC, "redshift": REDSHIFT, "m500c_msun": MASS}
        parquet.write_table(pyarrow.table(columns), tmp_path / "haloes.parquet")
        cone = read(tmp_path / "haloes.parquet")
        np.testing.assert_allclose(cone.haloes.m500c_msun, MASS[order_of(cone)])

    def test_our_own_file(self, written, tmp_path):
        cone = read(written(table()))
        cone.write(tmp_path / "own.h5")
        again = read(tmp_path / "own.h5", seed=99)
        np.testing.assert_array_equal(again.key, cone.key)
        for name in ("m500c_msun", "m200c_msun", "r200c_kpc", "concentration", *CAUSES):
            found, expected = getattr(again.haloes, name), getattr(cone.haloes, name)
            np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert isinstance(again, LightCone)


class TestUnits:
    def test_h_only_where_the_unit_says_so(self, written):
        columns = table()
        columns["M500c"].unit = "Msun/h"
        cone = read(written(columns, "h.ecsv"))
        np.testing.assert_allclose(cone.haloes.m500c_msun, MASS[order_of(cone)] / 0.704)

    def test_powers_of_ten(self, written):
        columns = table(M500c=MASS / 1e13)
        columns["M500c"].unit = Unit("1e13 solMass")
        cone = read(written(columns, "powers.ecsv"))
        np.testing.assert_allclose(cone.haloes.m500c_msun, MASS[order_of(cone)])

    def test_radians(self, written):
        columns = table(RA=np.radians(RA), DEC=np.radians(DEC))
        for name in ("RA", "DEC"):
            columns[name].unit = "rad"
        cone = read(written(columns))
        np.testing.assert_allclose(cone.ra_deg, RA[order_of(cone)])

    def test_hours(self, written):
        columns = table(RA=RA / 15)
        columns["RA"].unit = "hourangle"
        with pytest.raises(InputError, match="ra: must be in deg or rad; got 'hourangle'"):
            read(written(columns, "hours.ecsv"))


class TestCompletion:
    def test_m200c_leads_to_m500c(self, written):
        cone = read(written(table(M500c=None, M200c=MASS)))
        haloes = cone.haloes
        np.testing.assert_allclose(haloes.m200c_msun, MASS[order_of(cone)])
        ratio = r500_over_r200(haloes.concentration)
        np.testing.assert_allclose(haloes.m500c_msun, haloes.m200c_msun * 2.5 * ratio**3)
        np.testing.assert_allclose(haloes.r500c_kpc, haloes.r200c_kpc * ratio)
        assert 0.6 < np.median(haloes.m500c_msun / haloes.m200c_msun) < 0.75

    def test_known_concentration_and_causes(self, written):
        known = np.linspace(3.0, 6.0, 40)
        cone = read(written(table(c200c=known, cool_core=known - 4.0)))
        rows = order_of(cone)
        np.testing.assert_array_equal(cone.haloes.concentration, known[rows])
        np.testing.assert_array_equal(cone.haloes.cool_core, known[rows] - 4.0)
        ratio = r500_over_r200(known[rows])
        np.testing.assert_allclose(cone.haloes.r200c_kpc, cone.haloes.r500c_kpc / ratio)

    def test_causes_go_by_the_id(self, written):
        ids = np.arange(40) * 7 + 3
        whole = read(written(table(halo_id=ids), "whole.fits"))
        part = read(written(table(halo_id=ids)[10:20], "part.fits"))
        at = np.array([int(np.flatnonzero(whole.key == key)[0]) for key in part.key])
        for name in CAUSES:
            expected = getattr(whole.haloes, name)[at]
            np.testing.assert_array_equal(getattr(part.haloes, name), expected)

    def test_seeds_differ(self, written):
        path = written(table())
        assert not np.any(read(path, 4).haloes.thermal == read(path, 5).haloes.thermal)

    def test_footprint_cuts(self, written):
        part = pixels_within(32, 800)
        cone = read(written(table()), footprint=part)
        assert 0 < len(cone) < 40
        assert part.contains(cone.ra_deg, cone.dec_deg).all()


class TestBadTables:
    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"z": None, "M500c": None}, "must have the columns redshift, m500c or m200c; it has"),
            ({"M500c": np.log10(MASS)}, "m500c: must be masses.*looks like log10 of a mass"),
            ({"M500c": MASS / 1e13}, "m500c: must be masses of haloes in Msun; got"),
            ({"M500c": np.where(MASS[7] == MASS, -1.0, MASS)}, "m500c: must be above 0; 1 of 40"),
            ({"M500c": np.where(MASS[7] == MASS, np.nan, MASS)}, "m500c: must be finite; 1 of 40"),
            ({"z": REDSHIFT - REDSHIFT[3]}, "redshift: must lie between 0 and 10; .* of 40 are"),
            ({"DEC": DEC + 200}, "dec: must lie between -90 and 90 deg; 40 of 40"),
            ({"RA": RA + 90}, "must hold haloes in the footprint; none of 40 lies there"),
            ({"halo_id": np.arange(40) // 2}, "halo_id: must name one halo each; 0 is there 2"),
            ({"halo_id": np.arange(40) + 0.5}, "halo_id: must be whole numbers from 0"),
            ({"c200c": np.full(40, 400.0)}, "concentration: must lie between 0.5 and 50; 40 of"),
            ({"M500c": np.tile(MASS[:, None], 2)}, "'m500c' must hold one number per halo"),
        ],
    )
    def test_message(self, written, columns, message):
        with pytest.raises(InputError, match=message) as caught:
            read(written(table(**columns)))
        assert "\n" not in str(caught.value)

    def test_mass_in_kpc(self, written):
        columns = table()
        columns["M500c"].unit = "kpc"
        with pytest.raises(InputError, match="must be in a unit of mass"):
            read(written(columns))

    @pytest.mark.parametrize("name", ["haloes.fits", "haloes.parquet"])
    def test_no_file(self, tmp_path, name):
        with pytest.raises(InputError, match="there is no such file"):
            read(tmp_path / name)

    def test_damaged(self, tmp_path):
        (tmp_path / "haloes.fits").write_bytes(b"nothing")
        with pytest.raises(InputError, match="must be a whole table"):
            read(tmp_path / "haloes.fits")
