"""Event files: the layouts that eROSITA and we write, what is good in them, what is refused."""

import numpy as np
import pytest
from astropy.io import fits

from icmass.errors import InputError
from icmass.simulate.cutouts.event_list import BAD_FLAGS, Selection, read_event_list
from tests.simulate.cutouts.files import sky_photons, write_esass, write_own

PHOTONS = sky_photons(300)


def test_our_own_tile_gives_back_its_photons(tmp_path):
    events = read_event_list(write_own(tmp_path / "events.fits", PHOTONS))
    for name in ("ra_deg", "dec_deg", "origin", "source_id", "module", "time_s"):
        np.testing.assert_array_equal(getattr(events, name), getattr(PHOTONS, name), err_msg=name)
    np.testing.assert_allclose(events.energy_kev, PHOTONS.energy_kev, rtol=1e-6)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("ending", [".fits", ".fits.gz"])
def test_event_lists_of_both_releases_are_read(tmp_path, early, ending):
    path = write_esass(tmp_path / f"em01_EventList{ending}", PHOTONS, early=early)
    events = read_event_list(path)
    tolerance = 0.51e-6 if early else 0.0
    np.testing.assert_allclose(events.ra_deg, PHOTONS.ra_deg, rtol=0, atol=tolerance)
    np.testing.assert_allclose(events.dec_deg, PHOTONS.dec_deg, rtol=0, atol=tolerance)
    np.testing.assert_allclose(events.energy_kev, PHOTONS.energy_kev, rtol=1e-6)
    assert events.origin is None
    assert events.source_id is None
    np.testing.assert_array_equal(events.module, PHOTONS.module)


def test_energies_in_kev_are_told_by_their_unit(tmp_path):
    changed = {"PI": PHOTONS.energy_kev}
    path = write_esass(tmp_path / "a.fits", PHOTONS, changed=changed, units={"PI": "keV"})
    np.testing.assert_allclose(read_event_list(path).energy_kev, PHOTONS.energy_kev, rtol=1e-6)


def test_sky_pixels_stand_in_for_positions(tmp_path):
    path = write_esass(tmp_path / "a.fits", PHOTONS, without=("RA", "DEC"))
    events = read_event_list(path)
    np.testing.assert_allclose(events.ra_deg, PHOTONS.ra_deg, rtol=0, atol=1e-9)
    np.testing.assert_allclose(events.dec_deg, PHOTONS.dec_deg, rtol=0, atol=1e-9)
    own = write_own(tmp_path / "b.fits", PHOTONS)
    with fits.open(own, mode="update") as file:
        file["EVENTS"].header["TTYPE7"] = "RA_LOST"
    again = read_event_list(own)
    np.testing.assert_allclose(again.ra_deg, PHOTONS.ra_deg, rtol=0, atol=1e-9)


def test_bad_events_are_left_out(tmp_path):
    n = len(PHOTONS)
    # Owner and quality of the amplitude are no reasons; the last seven are.
    words = [0, 1, 2, 0x2000000, 0x10, 0x8000, 0x20000, 0x80000, 0x20000000, 2**30, 2**31]
    flags = np.resize(np.array(words), n)
    patterns = np.resize(np.array([1, 2, 3, 4, 0, -1, 5]), n)
    energies = np.where(np.arange(n) % 5 == 0, -100.0, 1e3 * PHOTONS.energy_kev)
    changed = {
        "FLAG": flags.astype(np.uint32).view(np.int32),
        "PAT_TYP": patterns,
        "PI": energies,
    }
    path = write_esass(tmp_path / "a.fits", PHOTONS, changed=changed)
    good = (np.arange(n) % 11 < 4) & (np.arange(n) % 7 < 4) & (energies > 0)
    assert 20 < good.sum() < n
    np.testing.assert_array_equal(read_event_list(path).ra_deg, PHOTONS.ra_deg[good])
    lenient = read_event_list(path, Selection(bad_flags=0xC0000000))
    good = (np.arange(n) % 11 < 9) & (np.arange(n) % 7 < 4) & (energies > 0)
    np.testing.assert_array_equal(lenient.ra_deg, PHOTONS.ra_deg[good])
    singles_and_triples = read_event_list(path, Selection(bad_flags=0, patterns=1 + 4))
    good = np.isin(patterns, (1, 3)) & (energies > 0)
    np.testing.assert_array_equal(singles_and_triples.ra_deg, PHOTONS.ra_deg[good])
    assert BAD_FLAGS & 0x2000003 == 0


def test_an_empty_event_list_is_no_error(tmp_path):
    assert len(read_event_list(write_esass(tmp_path / "a.fits", sky_photons(0)))) == 0


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"name": "SRCLIST"}, "must have a table EVENTS; it has PRIMARY, SRCLIST, GTI1"),
        ({"without": ("PI",)}, "must have the column PI, the energy in eV; it has TIME, RA"),
        ({"without": ("RA", "X")}, "must have the columns RA and DEC, or X and Y with their WCS"),
        ({"units": {"PI": "chan"}}, "PI must be an energy in eV or keV; its unit is 'chan'"),
        ({"changed": {"DEC": np.full(300, 99.0)}}, "DEC must lie in -90 to 90 deg; the file is"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, options, rule):
    path = write_esass(tmp_path / "a.fits", PHOTONS, **options)
    with pytest.raises(InputError, match=rule) as error:
        read_event_list(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_unknown_origins_are_refused(tmp_path):
    events = sky_photons(50)
    events.origin[20] = 7
    path = write_own(tmp_path / "a.fits", events)
    with pytest.raises(InputError, match=r"ORIGIN must be 1 \(gas\), 2 \(AGN\) or 3.*got 7"):
        read_event_list(path)


def test_damaged_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="must be an existing event file; no such file"):
        read_event_list(tmp_path / "none.fits")
    path = write_esass(tmp_path / "a.fits", PHOTONS)
    whole = path.read_bytes()
    for number, content in enumerate((b"", b"no FITS at all", whole[:9000], whole[:2880])):
        damaged = tmp_path / f"{number}.fits"
        damaged.write_bytes(content)
        with pytest.raises(InputError, match=r"must (be a whole event file|have a table EVENTS)"):
            read_event_list(damaged)
    zipped = write_esass(tmp_path / "b.fits.gz", PHOTONS)
    zipped.write_bytes(zipped.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"whole event file|it has PRIMARY\. .* was cut short"):
        read_event_list(zipped)


def test_selections_that_mean_nothing():
    with pytest.raises(InputError, match="bad_flags: must be a mask of 32 bits; got 0x100000000"):
        Selection(bad_flags=2**32)
    with pytest.raises(InputError, match=r"patterns: must be a sum of 1 .* got 16"):
        Selection(patterns=16)
