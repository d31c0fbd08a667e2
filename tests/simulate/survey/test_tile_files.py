"""Files of a tile: what astropy reads back, where it lies on the sky, and the same bytes again."""

import time
from dataclasses import replace

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from icmass.errors import InputError
from icmass.provenance import provenance
from icmass.simulate.instrument import Instrument
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tile_cards import TileCards, tile_view
from icmass.simulate.survey.tile_events import write_tile_events
from icmass.simulate.survey.tile_files import write_tile
from icmass.simulate.survey.tile_maps import TileMaps, tile_grid, write_maps
from icmass.simulate.survey.tile_truth import write_truth
from icmass.simulate.survey.tiles import Tile

COUNT = 500


@pytest.fixture(scope="module")
def instrument():
    return Instrument.load("erosita")


@pytest.fixture(scope="module")
def tile():
    """Across RA 0 at Dec -60, where cos(Dec) is a half."""
    return Tile(31, "h16-00031", 359.9, -60.0, 1.2)


@pytest.fixture(scope="module")
def cards(instrument):
    record = provenance({"preset": "efeds", "sky": {"name": "Żubr"}}, 7)
    return TileCards(instrument, 1800.0, 2400.0, 3e20, 7, record)


def drawn(tile, count=COUNT):
    rng = np.random.default_rng(5)
    half = 1800.0 * tile.width_deg
    events = SkyEvents.empty(count)
    ra, dec = tile_view(tile).sky(rng.uniform(-half, half, count), rng.uniform(-half, 0, count))
    events.ra_deg[:], events.dec_deg[:] = ra, dec
    events.energy_kev[:] = rng.uniform(0.2, 8.0, count)
    events.true_energy_kev[:] = rng.uniform(0.2, 8.0, count)
    events.channel[:] = rng.integers(0, 1000, count)
    events.module[:] = rng.integers(1, 8, count)
    events.origin[:] = rng.integers(1, 4, count)
    events.source_id[:] = np.where(events.origin == 3, 0, 2**37 + np.arange(count))
    events.time_s[:] = rng.uniform(0.0, 2400.0, count)
    return events


def exposure_at(ra, dec):
    """Grows to the east, and is 0 in the north."""
    offset = np.mod(ra - 359.9 + 180.0, 360.0) - 180.0
    return np.where(dec > -59.6, 0.0, 2000.0 + 300.0 * offset)


def column_at(ra, dec):
    return np.where(dec > -59.6, np.nan, 3e20 - 1e20 * (dec + 60.0))


def maps(**changes):
    content = {
        "exposure_s": exposure_at,
        "vignetted_share": 0.5,
        "background_per_arcmin2": lambda ra, dec: (
            np.array([[1.0], [3.0], [2.0]]) * exposure_at(ra, dec) / 2000.0
        ),
        "nh_cm2": column_at,
    }
    return TileMaps(**{**content, **changes})


def haloes():
    table = Table(meta={"history": "not written"})
    table["halo_id"] = np.array([4, 9], np.int64)
    table["ra_deg"] = np.array([0.1, 359.8]) * units.deg
    table["m500c_msun"] = np.array([1e14, 3e14]) * units.Msun
    table["name"] = ["a", "bc"]
    table["found"] = [True, False]
    table["halo_id"].description = "id in the light cone"
    table[
        "m500c_msun"
    ].description = "mass inside R500c, within which the mean density is 500 times"
    return table


@pytest.fixture(scope="module")
def written(tile, cards, tmp_path_factory):
    directory = tmp_path_factory.mktemp("tile")
    tables = {"haloes": haloes(), "agn": Table({"flux": np.zeros(0)})}
    write_tile(directory, tile, drawn(tile), cards, maps=maps(), tables=tables)
    return directory


@pytest.fixture
def table(written):
    with fits.open(written / "events.fits", memmap=False) as opened:
        opened.verify("exception")
        yield opened["EVENTS"]


def test_all_files_are_there(written):
    names = sorted(path.name for path in written.iterdir())
    maps_and_truth = ["agn.fits", "background.fits", "column.fits"]
    assert names == [*maps_and_truth, "events.fits", "exposure.fits", "haloes.fits"]


def test_events_come_back_as_they_were(table, tile):
    events = drawn(tile)
    for name, expected in {
        "TIME": events.time_s,
        "PHA": events.channel + 1,
        "PI": events.energy_kev * np.float32(1000),
        "ENERGY": events.energy_kev * np.float32(1000),
        "RA": events.ra_deg,
        "DEC": events.dec_deg,
        "TM_NR": events.module,
        "PAT_TYP": np.ones(COUNT),
        "FLAG": np.zeros(COUNT),
        "ORIGIN": events.origin,
        "SRC_ID": events.source_id,
        "ENERGY_TRUE": events.true_energy_kev * np.float32(1000),
    }.items():
        assert np.array_equal(table.data[name], expected), name
    formats = {column.name: column.format for column in table.columns}
    assert {name: formats[name] for name in ("PAT_TYP", "FLAG", "SRC_ID", "PI", "RA", "X")} == {
        "PAT_TYP": "I",
        "FLAG": "J",
        "SRC_ID": "K",
        "PI": "E",
        "RA": "D",
        "X": "D",
    }
    assert table.columns.names[:4] == ["TIME", "X", "Y", "PHA"]
    assert table.header.comments["TTYPE13"] == "halo_id or agn_id; 0 background"


def pixels_to_sky(table, mirrored=False):
    header, sign = table.header, -1 if mirrored else 1
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [header["TCTYP2"], header["TCTYP3"]]
    wcs.wcs.crval = [header["TCRVL2"], header["TCRVL3"]]
    wcs.wcs.crpix = [header["TCRPX2"], header["TCRPX3"]]
    wcs.wcs.cdelt = [sign * header["TCDLT2"], header["TCDLT3"]]
    return wcs.wcs_pix2world(table.data["X"], table.data["Y"], 1)


def separation_arcsec(table, ra, dec):
    east = np.mod(ra - table.data["RA"] + 180.0, 360.0) - 180.0
    return 3600.0 * np.hypot(east * np.cos(np.radians(dec)), dec - table.data["DEC"])


def test_sky_pixels_lead_to_the_same_ra_and_dec(table):
    assert table.data["RA"].min() < 1.0
    assert table.data["RA"].max() > 359.0
    assert separation_arcsec(table, *pixels_to_sky(table)).max() < 1e-4
    assert np.median(separation_arcsec(table, *pixels_to_sky(table, mirrored=True))) > 100.0
    for n, name in ((2, "X"), (3, "Y")):
        assert table.header[f"TLMIN{n}"] <= table.data[name].min()
        assert table.data[name].max() <= table.header[f"TLMAX{n}"]


def test_header_names_the_tile_and_holds_no_date(written, tile):
    expected = {
        "TELESCOP": "erosita",
        "OBS_MODE": "SURVEY",
        "OBJECT": "tile h16-00031",
        "SKYFIELD": "h16-00031",
        "TILE": 31,
        "WIDTH": 1.2,
        "RA_CEN": 359.9,
        "DEC_CEN": -60.0,
        "EXPOSURE": 1800.0,
        "TSTOP": 2400.0,
        "NH": 3e20,
        "SEED": 7,
    }
    for path in written.iterdir():
        with fits.open(path) as hdus:
            for hdu in hdus:
                assert {key: hdu.header[key] for key in expected} == expected, path.name
                dates = ("DATE", "MJD-OBS", "ZDITHER")
                assert not [key for key in hdu.header if key.startswith(dates)], path.name
                if "CHECKSUM" in hdu.header:  # astropy would note the time beside it
                    assert hdu.header.comments["CHECKSUM"] == "of what stands here", path.name
            history = list(hdus[1 if path.name == "events.fits" else 0].header["HISTORY"])
            assert 'config.preset = "efeds"' in history
            assert 'config.sky.name = "\\u017bubr"' in history
    header = fits.getheader(written / "events.fits", "EVENTS")
    assert header["RESPFILE"] == "NONE"
    assert header["ANCRFILE"] == "NONE"


def test_good_times_of_all_and_of_each_module(written):
    with fits.open(written / "events.fits") as hdus:
        assert [hdu.name for hdu in hdus[2:]] == ["GTI", *(f"GTI{n}" for n in range(1, 8))]
        for hdu in hdus[2:]:
            assert hdu.data["START"].tolist() == [0.0]
            assert hdu.data["STOP"].tolist() == [2400.0]


@pytest.mark.parametrize("count", [0, 1])
def test_few_events_make_a_valid_file(count, tile, cards, tmp_path):
    write_tile_events(tmp_path / "e.fits", tile, drawn(tile, count), cards)
    with fits.open(tmp_path / "e.fits") as hdus:
        hdus.verify("exception")
        assert len(hdus["EVENTS"].data) == count


@pytest.mark.parametrize("place", [(0.0, -61.0), (179.9, 60.0)], ids=["near", "other side"])
def test_events_outside_the_tile_are_refused(place, tile, cards, tmp_path):
    events = drawn(tile)
    events.ra_deg[3], events.dec_deg[3] = place
    with pytest.raises(
        InputError, match=r"tile h16-00031: must lie in its square of 1\.2 deg; 1 of"
    ):
        write_tile_events(tmp_path / "e.fits", tile, events, cards)


def test_same_survey_gives_the_same_bytes(written, tile, cards, tmp_path):
    time.sleep(1.1)  # a second later: what holds the time differs
    tables = {"haloes": haloes(), "agn": Table({"flux": np.zeros(0)})}
    write_tile(tmp_path, tile, drawn(tile), cards, maps=maps(), tables=tables)
    for path in written.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


@pytest.fixture(scope="module")
def images(written):
    found = {}
    for name in ("exposure", "background", "column"):
        with fits.open(written / f"{name}.fits") as hdus:
            assert hdus[0].data is None
            for hdu in hdus[1:]:
                found[hdu.name] = (hdu.data.astype(np.float64), hdu.header.copy())
    return found


def test_maps_hold_the_functions_at_the_centres_of_their_pixels(images, tile):
    assert list(images) == ["EXPOSURE", "VIGNETTED", "BAND1", "BAND2", "BAND3", "COLUMN"]
    grid = tile_grid(tile)
    assert grid.shape == (270, 270)
    rows, columns = np.mgrid[: grid.n_y, : grid.n_x]
    east, north = (np.radians(offset / 3600.0) for offset in grid.centres_arcsec())
    arcmin2 = (16.0 / 60.0) ** 2
    scales = {"EXPOSURE": 1.0, "VIGNETTED": 0.5, "BAND1": arcmin2 / 2000.0}
    scales |= {"BAND2": 3.0 * arcmin2 / 2000.0, "BAND3": 2.0 * arcmin2 / 2000.0}
    for name, (image, header) in images.items():
        assert image.shape == grid.shape
        ra, dec = WCS(header).wcs_pix2world(columns, rows, 0)
        if name == "COLUMN":
            right, step = column_at(ra, dec), 1e16
            assert np.array_equal(np.isnan(image), np.isnan(right))
        else:
            right, step = scales[name] * exposure_at(ra, dec), 0.01
            assert np.array_equal(image == 0.0, right == 0.0)
        if name.startswith("BAND"):
            right, step = right * (1.0 + (east**2 + north[:, None] ** 2)) ** -1.5, 1e-6
        # Half a step by rounding; the rest for single precision.
        tolerance = 0.51 * step + 4e-7 * np.nanmax(right)
        assert np.nanmax(np.abs(image - right)) <= tolerance, name
        mirrored = right[:, ::-1]
        both = np.isfinite(right) & np.isfinite(mirrored) & (right > 0) & (mirrored > 0)
        if name != "COLUMN":
            assert np.abs(image - mirrored)[both].max() > 10 * tolerance, name


def test_maps_tell_unit_and_band(images):
    bands = {name: header.get("BAND") for name, (_, header) in images.items()}
    assert bands == {
        "EXPOSURE": "all",
        "VIGNETTED": "0.2-2.3",
        "BAND1": "0.2-0.6",
        "BAND2": "0.6-2.3",
        "BAND3": "2.3-5",
        "COLUMN": None,
    }
    units_of = [header["BUNIT"] for _, header in images.values()]
    assert units_of == ["s", "s", "count", "count", "count", "cm-2"]
    assert not images["EXPOSURE"][1]["VIGNET"]
    assert images["VIGNETTED"][1]["VIGNET"]


def test_background_sums_to_that_of_the_sky(tile, cards, tmp_path):
    """Pixels of the tangent plane far off the centre see less sky: 0.1% within 2 deg."""
    wide = replace(tile, width_deg=4.0)
    flat = maps(background_per_arcmin2=lambda ra, dec: np.ones((3, len(ra))))
    write_maps(tmp_path, wide, flat, cards)
    total = fits.getdata(tmp_path / "background.fits", "BAND2").sum(dtype=np.float64)
    # A square of the tangent plane with the half side a: 4 asin(a^2 / (1 + a^2)).
    a = 2.0 * np.pi / 180.0
    arcmin2 = 4.0 * np.arcsin(a**2 / (1.0 + a**2)) * (180.0 * 60.0 / np.pi) ** 2
    assert total == pytest.approx(arcmin2, rel=1e-5)
    assert total != pytest.approx((4.0 * 60.0) ** 2, rel=5e-4)


@pytest.mark.parametrize("value", [0.0, 123.4])
def test_constant_maps_and_an_unknown_column(value, tile, cards, tmp_path):
    nothing = maps(
        exposure_s=lambda ra, _: np.full(len(ra), value),
        nh_cm2=lambda ra, _: np.full(len(ra), np.nan),
    )
    write_maps(tmp_path, tile, nothing, cards)
    assert np.abs(fits.getdata(tmp_path / "exposure.fits", 1) - value).max() <= 0.01
    assert np.isnan(fits.getdata(tmp_path / "column.fits", 1)).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exposure_s": lambda ra, dec: ra[:-1]}, r"exposure_s: must give values of shape \(1, "),
        (
            {"exposure_s": lambda ra, dec: np.where(dec > -60.0, -1.0, 1.0)},
            r"exposure_s: must be finite and at least 0 on tile h16-00031; got \[-1\.0\] at RA",
        ),
        (
            {"exposure_s": lambda ra, dec: np.full(len(ra), np.nan)},
            "exposure_s: must be finite and at least 0",
        ),
        ({"background_per_arcmin2": exposure_at}, r"must give values of shape \(3, "),
        (
            {"nh_cm2": lambda ra, dec: np.full(len(ra), np.inf)},
            "nh_cm2: must be finite and at least 0",
        ),
        (
            {"nh_cm2": lambda ra, dec: np.full(len(ra), 1e26)},
            r"column\.fits: must be below 2\.14748e\+25 cm-2 to be stored; got 1e\+26\. Check",
        ),
        ({"vignetted_share": 1.5}, r"vignetted_share: must lie in \(0, 1\]; got 1\.5"),
    ],
)
def test_wrong_maps_are_refused(changes, message, tile, cards, tmp_path):
    with pytest.raises(InputError, match=message):
        write_maps(tmp_path, tile, maps(**changes), cards)


def test_truth_keeps_units_comments_and_types(written):
    with fits.open(written / "haloes.fits") as hdus:
        hdus.verify("exception")
        hdu = hdus["HALOES"]
        assert hdu.data["halo_id"].tolist() == [4, 9]
        assert hdu.data["name"].tolist() == ["a", "bc"]
        assert hdu.data["found"].tolist() == [True, False]
        assert hdu.header["TUNIT2"] == "deg"
        assert hdu.header.comments["TTYPE1"] == "id in the light cone"
        assert hdu.header["TCOMM3"].endswith("the mean density is 500 times")
        assert "not written" not in hdu.header.tostring()
    read = Table.read(written / "haloes.fits")
    assert read["m500c_msun"].unit == units.Msun
    assert len(Table.read(written / "agn.fits")) == 0


def test_truth_of_objects_is_refused(tile, cards, tmp_path):
    table = Table({"a": np.array([None, {}], dtype=object)})
    with pytest.raises(
        InputError, match=r"table agn: must hold numbers.*column a has dtype object"
    ):
        write_truth(tmp_path, tile, {"agn": table}, cards)


def test_directory_must_be_an_empty_one(written, tile, cards, tmp_path):
    for place in (written, tmp_path / "absent"):
        with pytest.raises(
            InputError, match="must be an empty directory for the files of tile h16"
        ):
            write_tile(place, tile, drawn(tile), cards, maps=maps(), tables={})


def test_exposure_longer_than_the_times_is_refused(instrument):
    with pytest.raises(
        InputError, match=r"must lie in \[0, 100\] s, where the times end; got 200 s"
    ):
        TileCards(instrument, 200.0, 100.0, 3e20, 7, {})
