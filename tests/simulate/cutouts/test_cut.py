"""One image: orientation, counts against a slow twin, duplicates, exposure."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.catalog import ImageGeometry
from icmass.errors import InputError
from icmass.simulate.cutouts.cut import Cut, count_image, exposure_image, without_duplicates
from icmass.simulate.cutouts.event_list import EventList
from tests.simulate.cutouts.files import CENTRE, sky_photons

INTERVALS = ((0.5, 1.2), (1.2, 2.0), (3.0, 7.0))
WIDE = ImageGeometry(n_y=14, n_x=22, pixel=200.0, unit="arcsec")


def event_list(n=40_000, **options) -> EventList:
    drawn = sky_photons(n, **options)
    names = ("ra_deg", "dec_deg", "energy_kev", "origin", "source_id", "time_s", "module")
    return EventList(**{name: getattr(drawn, name) for name in names})


def slow_counts(cut, events, radius_arcsec):
    """Counts photon by photon with vectors on the sphere, and no projection of ours."""
    ra0, dec0 = np.radians([cut.view.ra_deg, cut.view.dec_deg])
    away = np.array([np.cos(dec0) * np.cos(ra0), np.cos(dec0) * np.sin(ra0), np.sin(dec0)])
    east = np.array([-np.sin(ra0), np.cos(ra0), 0.0])
    north = np.cross(away, east)
    counts = np.zeros((3, len(INTERVALS), *cut.grid.shape), int)
    inside = np.zeros((3, len(INTERVALS)), int)
    half = 0.5 * cut.grid.pixel_arcsec * np.array(cut.grid.shape)
    for k in range(len(events)):
        ra, dec = np.radians([events.ra_deg[k], events.dec_deg[k]])
        ray = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        x, y = (np.degrees(ray @ axis / (ray @ away)) * 3600.0 for axis in (east, north))
        if abs(x) >= half[1] or abs(y) >= half[0]:
            continue
        for number, (lo, hi) in enumerate(INTERVALS):
            if lo <= events.energy_kev[k] < hi:
                row = int((y + half[0]) / cut.grid.pixel_arcsec)
                column = int((half[1] - x) / cut.grid.pixel_arcsec)
                counts[events.origin[k] - 1, number, row, column] += 1
                inside[events.origin[k] - 1, number] += np.hypot(x, y) < radius_arcsec
    return counts, inside


@pytest.mark.parametrize("place", [(150.3, -12.2), (149.2, -11.1)])
def test_counts_are_those_of_the_slow_twin(place):
    events = event_list(6000)
    cut = Cut.about(*place, WIDE, None)
    slow, slow_inside = slow_counts(cut, events, 700.0)
    counts, inside = count_image(cut, cut.inside(events), INTERVALS, 3, 700.0)
    np.testing.assert_array_equal(counts, slow)
    np.testing.assert_array_equal(inside, slow_inside)
    assert 300 < counts.sum() < 6000
    assert 0 < inside.sum() < counts.sum()
    together, _ = count_image(cut, cut.inside(events), INTERVALS, 1, np.nan)
    np.testing.assert_array_equal(together[0], slow.sum(axis=0))
    assert not (counts[..., ::-1] == slow).all()  # a mirrored image would have been noticed


def test_north_is_up_and_east_is_left():
    events = event_list(3)
    events.ra_deg[:], events.dec_deg[:] = CENTRE[0], CENTRE[1]
    events.ra_deg[0] += 0.3 / np.cos(np.radians(CENTRE[1]))  # east
    events.dec_deg[1] += 0.3  # north
    events.energy_kev[:] = 1.0
    events.origin[:] = 1
    cut = Cut.about(*CENTRE, WIDE, None)
    image = count_image(cut, cut.inside(events), INTERVALS, 3, np.nan)[0][0, 0]
    rows, columns = np.nonzero(image)
    # The parallel bends to the south here, so that east of the centre is just below its row.
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(6, 5), (7, 11), (12, 11)]


@pytest.mark.parametrize("centre", [(0.001, 40.0), (120.0, 89.9), (359.9, -89.99)])
def test_images_at_the_seam_and_at_the_poles(centre):
    """Photons drawn inside a disc about the position are all counted, wherever it is."""
    rng = np.random.default_rng(4)
    geometry = ImageGeometry(n_y=10, n_x=10, pixel=60.0, unit="arcsec")
    cut = Cut.about(*centre, geometry, None)
    east, north = rng.uniform(-290.0, 290.0, (2, 500))
    ra, dec = cut.view.sky(east, north)
    events = replace(event_list(500), ra_deg=ra, dec_deg=dec)
    assert len(cut.inside(events)) == 500
    counts, _ = count_image(cut, events, ((0.0, 99.0),), 3, np.nan)
    expected = np.histogram2d(north, -east, bins=np.linspace(-300.0, 300.0, 11))[0]
    np.testing.assert_array_equal(counts.sum(axis=(0, 1)), expected)


def test_sizes_in_kpc_follow_the_scale():
    geometry = ImageGeometry(n_y=8, n_x=8, pixel=100.0)
    cut = Cut.about(*CENTRE, geometry, 2.5)
    assert cut.grid.pixel_arcsec == pytest.approx(40.0)
    assert cut.view.width_arcsec == pytest.approx(320.0)
    assert cut.radius_deg == pytest.approx(160.0 * np.sqrt(2.0) / 3600.0, rel=1e-5)
    with pytest.raises(InputError, match="redshift: must be known for an image in kpc"):
        Cut.about(*CENTRE, geometry, None)
    with pytest.raises(InputError, match="field width: must be above 0 and at most 20 deg"):
        Cut.about(*CENTRE, geometry, 0.001)


def test_photons_that_two_tiles_share_count_once():
    events = event_list(500)
    first, second = events.select(np.arange(300)), events.select(np.arange(200, 500))
    joined = without_duplicates([first, second])
    assert len(joined) == 500
    assert set(joined.time_s.tolist()) == set(events.time_s.tolist())
    # The same moment and place in another module is another photon.
    other = replace(second, module=(second.module % 7 + 1).astype(np.uint8))
    assert len(without_duplicates([first, other])) == 600
    # Without times nothing can be told apart, and one file repeats nothing.
    timeless = [replace(part, time_s=None) for part in (first, second)]
    assert len(without_duplicates(timeless)) == 600
    assert len(without_duplicates([first.select(np.zeros(4, int))])) == 4
    assert len(without_duplicates([first.select(np.arange(0)), first.select(np.arange(0))])) == 0


def test_the_exposure_is_sampled_where_the_pixels_are():
    cut = Cut.about(*CENTRE, WIDE, None)

    def exposure(ra, dec):
        return np.where(dec > CENTRE[1], 100.0 + ra - CENTRE[0], np.nan)

    image = exposure_image(cut, exposure)
    assert image.shape == (14, 22)
    assert image.dtype == np.float32
    assert not image[:7].any()
    assert (np.diff(image[7:], axis=1) < 0).all()  # right ascension falls to the right
    east = cut.grid.centres_arcsec()[0][3]
    ra, _ = cut.view.sky(east, cut.grid.centres_arcsec()[1][9])
    assert image[9, 3] == pytest.approx(100.0 + ra - CENTRE[0], abs=1e-4)
    assert (exposure_image(cut, lambda ra, dec: -np.ones(len(ra))) == 0).all()
