"""Images, spectra and profiles hold every event once, at the right place and energy."""

from itertools import pairwise

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import ALL, BANDS, band_label, resolve_band
from icmass.simulate.products.profiles import count_profile, default_edges_arcsec
from icmass.simulate.products.regions import Annulus, Box, Circle
from icmass.simulate.view import View
from tests.helpers.stats import assert_chi_square, chi_square
from tests.simulate.products.scene import observation_of, synthetic_events


@pytest.fixture
def mixed(instrument, southern_view):
    """Off-centre events of all origins and energies, some of them at the edge of the field."""
    rng = np.random.default_rng(5)
    count = 3000
    east = np.clip(rng.normal(140.0, 200.0, count), -600.0, 600.0)
    north = np.clip(rng.normal(-90.0, 120.0, count), -600.0, 600.0)
    energy = rng.uniform(0.1, 9.0, count)
    events = synthetic_events(
        east, north, energy, instrument=instrument, origin=rng.integers(1, 4, count)
    )
    return observation_of(events, southern_view, instrument)


def test_image_holds_every_event_of_the_field(mixed):
    assert mixed.image().data.sum() == len(mixed.events)
    assert mixed.image().data.dtype == np.int64


def test_narrow_image_holds_what_lies_inside(mixed):
    events = mixed.events
    inside = (np.abs(events.east_arcsec) <= 100) & (np.abs(events.north_arcsec) <= 100)
    assert mixed.image(width_arcsec=200.0).data.sum() == inside.sum()
    assert 0 < inside.sum() < len(events)


def test_bands_and_origins_add_up_to_the_whole(mixed):
    edges = [0.0, 0.5, 1.2, 2.0, 7.0, np.inf]
    by_band = [mixed.image((lo, hi)).data for lo, hi in pairwise(edges)]
    by_origin = [mixed.image(None, origin).data for origin in Origin]
    whole = mixed.image("all").data
    assert np.array_equal(sum(by_band), whole)
    assert np.array_equal(sum(by_origin), whole)
    assert all(part.any() for part in (*by_band, *by_origin))


def test_band_is_half_open(instrument, southern_view):
    limits = np.array([0.5, 1.2, 2.0, 7.0], dtype=np.float32)
    events = synthetic_events(np.zeros(4), np.zeros(4), limits, instrument=instrument)
    observation = observation_of(events, southern_view, instrument)
    assert [observation.image(band).data.sum() for band in BANDS] == [1, 1, 1]
    assert observation.image((7.0, 8.0)).data.sum() == 1


def test_image_places_events_where_the_wcs_says(mixed):
    image = mixed.image(pixel_arcsec=20.0)
    ra, dec = mixed.events.ra_dec(mixed.view)
    x, y = image.wcs.world_to_pixel_values(ra, dec)
    inside = (np.abs(mixed.events.east_arcsec) < 599) & (np.abs(mixed.events.north_arcsec) < 599)
    expected = np.zeros(image.data.shape)
    rows, columns = np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)
    np.add.at(expected, (rows, columns), 1)
    central = np.s_[1:-1, 1:-1]
    assert np.array_equal(image.data[central], expected[central])
    assert not np.array_equal(image.data[central], expected.T[central])
    assert not np.array_equal(image.data[central], expected[:, ::-1][central])


def test_spectrum_holds_every_event_and_its_energy(mixed):
    spectrum = mixed.spectrum()
    assert spectrum.counts.sum() == len(mixed.events)
    assert spectrum.area_arcmin2 == pytest.approx(400.0)
    edges = spectrum.channel_edges_kev
    expected = np.histogram(mixed.events.energy_kev.astype(float), edges)[0]
    assert np.array_equal(spectrum.counts, expected)
    assert not np.array_equal(spectrum.counts, expected[::-1])
    counts = spectrum.rate() * np.diff(edges) * mixed.exposure_s
    assert counts.sum() == pytest.approx(len(mixed.events))


def test_spectra_of_regions_and_origins_add_up(mixed):
    ring, disc = Annulus(150.0, 400.0, 60.0, -40.0), Circle(150.0, 60.0, -40.0)
    both = mixed.spectrum(Circle(400.0, 60.0, -40.0))
    parts = mixed.spectrum(ring).counts + mixed.spectrum(disc).counts
    assert np.array_equal(both.counts, parts)
    origins = sum(mixed.spectrum(ring, origin).counts for origin in Origin)
    assert np.array_equal(origins, mixed.spectrum(ring).counts)


def test_profile_holds_every_event_inside_its_rings(mixed):
    edges = np.array([0.0, 50.0, 130.0, 900.0])
    profile = mixed.profile(None, edges)
    assert profile.counts.sum() == len(mixed.events)
    assert profile.area_arcmin2.sum() == pytest.approx(400.0, rel=2e-3)
    radius = np.hypot(mixed.events.east_arcsec, mixed.events.north_arcsec)
    assert np.array_equal(profile.counts, np.histogram(radius, edges)[0])
    again = sum(mixed.profile(None, edges, origin).counts for origin in Origin)
    assert np.array_equal(profile.counts, again)


def test_profile_of_a_flat_sky_is_flat(instrument, southern_view):
    rng = np.random.default_rng(11)
    east, north = rng.uniform(-600, 600, (2, 200_000))
    events = synthetic_events(east, north, instrument=instrument)
    observation = observation_of(events, southern_view, instrument, exposure_s=100.0)
    profile = observation.profile(None, np.linspace(0, 840, 22))
    expected = 200_000 / 400.0 * profile.area_arcmin2
    assert_chi_square(profile.counts, expected)
    rate = 200_000 / 400.0 / 100.0
    pulls = (profile.brightness - rate) / profile.brightness_error
    assert np.abs(pulls).max() < 4.5
    wrong = 200_000 / 400.0 * np.pi * np.diff(profile.edges_arcsec**2) / 3600.0
    assert chi_square(profile.counts, wrong).p_value < 1e-4


def test_profile_outside_the_field_is_nan_not_zero(mixed):
    profile = mixed.profile(None, [0.0, 100.0, 2000.0, 3000.0])
    assert np.isnan(profile.brightness[2])
    assert np.isfinite(profile.brightness[:2]).all()
    assert profile.radius_arcsec[0] == pytest.approx(100 / np.sqrt(2))


def test_profile_about_another_centre(mixed):
    view, events = mixed.view, mixed.events
    profile = count_profile(events, view, [0.0, 80.0], 1.0, ALL, None, (140.0, -90.0))
    near = np.hypot(events.east_arcsec - 140.0, events.north_arcsec + 90.0) < 80.0
    assert profile.counts[0] == near.sum()
    mirrored = count_profile(events, view, [0.0, 80.0], 1.0, ALL, None, (-140.0, -90.0))
    assert mirrored.counts[0] < 0.5 * near.sum()


def test_default_rings_reach_the_edge_of_the_field(mixed):
    edges = mixed.profile().edges_arcsec
    assert edges[0] == 0.0
    assert edges[-1] == pytest.approx(600.0)
    tiny = default_edges_arcsec(View(0.0, 0.0, "pointed", 20.0), 4.0)
    assert (np.diff(tiny) > 0).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_events_are_no_special_case(count, instrument, southern_view):
    events = synthetic_events(
        30.0 * np.arange(count), -20.0 * np.arange(count), instrument=instrument
    )
    observation = observation_of(events, southern_view, instrument)
    assert observation.image("soft").data.sum() == count
    assert observation.spectrum(Circle(180.0)).counts.sum() == count
    assert observation.profile("soft").counts.sum() == count


def test_expected_image_of_nothing_is_zero(instrument, southern_view):
    observation = observation_of(Events.empty(), southern_view, instrument)
    image = observation.expected_image("soft", Origin.AGN)
    assert image.data.shape == (300, 300)
    assert not image.data.any()


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_drawn_images_agree_with_their_expectation(mode, request):
    """Blocks of 1 arcmin; the same test must refuse the transposed and the mirrored image."""
    observation = request.getfixturevalue(f"{mode}_observation")
    drawn = observation.image("soft", None, 4.0, 960.0).data
    expected = observation.expected_image("soft", None, 4.0, 960.0).data

    def blocks(image):
        return image.reshape(16, 15, 16, 15).sum(axis=(1, 3)).ravel()

    assert_chi_square(blocks(drawn), blocks(expected))
    for wrong in (expected.T, expected[:, ::-1], 1.1 * expected):
        assert chi_square(blocks(drawn), blocks(wrong)).p_value < 1e-4


def test_expected_images_of_origins_add_up(survey_observation):
    whole = survey_observation.expected_image("medium", None, 12.0).data
    parts = [survey_observation.expected_image("medium", o, 12.0).data for o in Origin]
    assert np.allclose(sum(parts), whole)
    assert all(part.any() for part in parts)


@pytest.mark.parametrize(
    ("band", "message"),
    [
        ("sofft", "must be one of soft, medium, hard, all"),
        ((2.0, 1.0), "0 <= lo < hi"),
        ((-1.0, 1.0), "0 <= lo < hi"),
        ((0.5, np.nan), "0 <= lo < hi"),
        ((0.5, 1.0, 2.0), "must be a name or"),
        (("a", "b"), "must be a name or"),
    ],
)
def test_bad_bands_are_refused(band, message):
    with pytest.raises(InputError, match=message):
        resolve_band(band)


def test_band_labels():
    assert band_label(resolve_band("soft")) == "0.5-1.2 keV"
    assert band_label(resolve_band(None)) == "all energies"
    assert resolve_band((0.5, 2)) == (0.5, 2.0)


@pytest.mark.parametrize("edges", [[0.0], [0.0, 0.0], [5.0, 1.0], [-1.0, 2.0], [0.0, np.inf]])
def test_bad_rings_are_refused(mixed, edges):
    with pytest.raises(InputError, match="edges_arcsec: must be at least 2 ascending"):
        mixed.profile(None, edges)


def test_box_counts_its_own(mixed):
    box = Box(200.0, 60.0, 140.0, -90.0)
    events = mixed.events
    inside = (np.abs(events.east_arcsec - 140) < 100) & (np.abs(events.north_arcsec + 90) < 30)
    assert mixed.spectrum(box).counts.sum() == inside.sum()
    turned = Box(60.0, 200.0, 140.0, -90.0)
    assert mixed.spectrum(turned).counts.sum() != inside.sum()
