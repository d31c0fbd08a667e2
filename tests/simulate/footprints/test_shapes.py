"""Shapes hold the pixels whose centres they hold, wherever on the sphere they lie."""

import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from icmass.errors import InputError
from icmass.simulate.footprints import (
    cone,
    from_map,
    from_pixels,
    latitude,
    rectangle,
    whole_sky,
)
from icmass.simulate.skymaps import SKY_NSIDE, centres, separation_deg
from icmass.simulate.skymaps.sky_map import SkyMap

ALL = np.arange(12 * SKY_NSIDE**2)
DEG2 = np.degrees(1.0) ** 2


@pytest.mark.parametrize(
    ("ra", "dec", "radius"), [(0.0, 10.0, 3.0), (123.0, -90.0, 2.0), (45.0, 89.5, 3.0)]
)
def test_cone_holds_the_centres_within_its_radius(ra, dec, radius):
    field = cone(ra, dec, radius)
    inside = separation_deg(ra, dec, *centres(SKY_NSIDE, ALL)) <= radius
    assert np.array_equal(field.pixel, np.flatnonzero(inside))
    exact = 2.0 * np.pi * (1.0 - np.cos(np.radians(radius))) * DEG2
    assert field.area_deg2 == pytest.approx(exact, rel=0.04)


def test_a_tiny_cone_is_the_pixel_of_its_centre():
    assert len(cone(83.0, 22.0, 1e-4)) == 1
    assert cone(83.0, 22.0, 1e-4).contains([83.0], [22.0]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0.0, 0.0), "cone: radius must be above 0 and at most 180 deg; got 0.0"),
        ((0.0, 0.0, 181.0), "cone: radius"),
        ((0.0, 0.0, float("nan")), "cone: radius"),
        ((0.0, 91.0, 1.0), "declination: must lie between -90 and 90"),
        ((float("inf"), 0.0, 1.0), "right ascension: must be finite"),
    ],
)
def test_wrong_cones(arguments, message):
    with pytest.raises(InputError, match=message):
        cone(*arguments)


@pytest.mark.parametrize(
    "limits", [(350.0, 15.0, -10.0, 25.0), (-10.0, 15.0, -10.0, 25.0), (100.0, 300.0, 60.0, 90.0)]
)
def test_rectangle_has_the_area_between_its_limits(limits):
    field = rectangle(*limits)
    width = (limits[1] - limits[0]) % 360.0
    bounds = np.sin(np.radians(limits[2:]))
    assert field.area_deg2 == pytest.approx(
        np.radians(width) * (bounds[1] - bounds[0]) * DEG2, rel=3e-3
    )
    ra, dec = centres(SKY_NSIDE, field.pixel)
    assert (((ra - limits[0]) % 360.0) <= width).all()
    assert ((dec >= limits[2]) & (dec <= limits[3])).all()


def test_rectangles_side_by_side_share_nothing_and_miss_nothing():
    west, east = rectangle(340.0, 5.0, -4.0, 7.0), rectangle(5.0, 30.0, -4.0, 7.0)
    both = rectangle(340.0, 30.0, -4.0, 7.0)
    assert not np.intersect1d(west.pixel, east.pixel).size
    assert np.array_equal(np.union1d(west.pixel, east.pixel), both.pixel)


def test_rectangle_all_around():
    assert rectangle(0.0, 360.0, -90.0, 90.0).fingerprint() == whole_sky().fingerprint()
    assert rectangle(-180.0, 180.0, -90.0, 90.0).fingerprint() == whole_sky().fingerprint()


def test_rectangle_in_galactic_coordinates():
    field = rectangle(200.0, 240.0, 10.0, 30.0, frame="galactic")
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(90.0, 150.0, 20_000), rng.uniform(-40.0, 40.0, 20_000)
    galactic = SkyCoord(ra, dec, unit="deg").galactic
    longitude, b = galactic.l.deg, galactic.b.deg
    rim = 0.15 / np.cos(np.radians(30.0))
    deep = (np.abs(longitude - 220.0) < 20.0 - rim) & (np.abs(b - 20.0) < 10.0 - rim)
    far = (np.abs(longitude - 220.0) > 20.0 + rim) | (np.abs(b - 20.0) > 10.0 + rim)
    inside = field.contains(ra, dec)
    assert deep.sum() > 500
    assert inside[deep].all()
    assert not inside[far].any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10.0, 10.0, 0.0, 1.0), "box: the longitudes must differ; got 10.0 to 10.0"),
        ((10.0, 400.0, 0.0, 1.0), "box: the longitudes must lie between -360 and 360 deg"),
        ((10.0, float("nan"), 0.0, 1.0), "box: the longitudes must lie"),
        ((10.0, 20.0, 5.0, 1.0), "box: the latitudes must ascend between -90 and 90 deg; got 5.0"),
        ((10.0, 20.0, -95.0, 1.0), "box: the latitudes must ascend"),
        ((10.0, 20.0, 0.0, 1.0, "supergalactic"), "frame: must be one of icrs"),
        ((10.0, 10.001, 0.0, 0.001), "must hold the centre of a sky pixel"),
    ],
)
def test_wrong_rectangles(arguments, message):
    with pytest.raises(InputError, match=message):
        rectangle(*arguments)


def test_latitude_leaves_out_the_plane():
    field = latitude(20.0)
    assert field.name == "|b|>20"
    share = field.area_deg2 / whole_sky().area_deg2
    assert share == pytest.approx(1.0 - np.sin(np.radians(20.0)), rel=1e-4)
    inside = SkyCoord([10.0, 10.0, 200.0], [21.0, 19.0, -21.0], unit="deg", frame="galactic").icrs
    assert field.contains(inside.ra.deg, inside.dec.deg).tolist() == [True, False, True]
    for wrong in (-1.0, 90.0, float("nan")):
        with pytest.raises(InputError, match=r"\|b\|: must be at least 0 and below 90 deg"):
            latitude(wrong)


@pytest.mark.parametrize("nside", [8, 512, 2048])
def test_listed_pixels_in_either_ordering_are_the_same_place(nside):
    listed = healpy.query_disc(nside, healpy.ang2vec(30.0, 50.0, lonlat=True), 0.05, nest=True)
    nested = from_pixels(listed, nside)
    ring = from_pixels(healpy.nest2ring(nside, listed), nside, nest=False)
    assert nested.fingerprint() == ring.fingerprint()
    area = len(listed) * healpy.nside2pixarea(nside, degrees=True)
    assert nested.area_deg2 == pytest.approx(area, rel=0.02)
    assert from_pixels(listed, nside, nest=False).fingerprint() != nested.fingerprint()
    if nside <= SKY_NSIDE:
        fine = np.concatenate(
            [p * (SKY_NSIDE // nside) ** 2 + np.arange((SKY_NSIDE // nside) ** 2) for p in listed]
        )
        assert np.array_equal(nested.pixel, np.sort(fine))


def test_listed_pixels_in_galactic_coordinates():
    pixel = healpy.ang2pix(16, 210.0, 33.0, nest=True, lonlat=True)
    field = from_pixels([pixel], 16, frame="galactic")
    middle = SkyCoord(
        *healpy.pix2ang(16, pixel, nest=True, lonlat=True), unit="deg", frame="galactic"
    ).icrs
    assert float(separation_deg(*field.centre(), middle.ra.deg, middle.dec.deg)) < 0.1
    assert field.area_deg2 == pytest.approx(healpy.nside2pixarea(16, degrees=True), rel=0.01)


@pytest.mark.parametrize(
    ("pixel", "nside", "message"),
    [
        ([1], None, "pixels: must say the nside"),
        ([1], 3, "pixels: nside: must be a power of two"),
        ([1.5], 4, "pixels: must be whole numbers; got float64"),
        ([192], 4, "pixels: must lie between 0 and 191 at nside 4; got 192"),
        ([-3], 4, "got -3. Check the nside"),
        ([], 4, "must hold the centre of a sky pixel"),
    ],
)
def test_wrong_lists(pixel, nside, message):
    with pytest.raises(InputError, match=message):
        from_pixels(pixel, nside)


def test_of_a_map_what_is_known_and_above_zero():
    values = np.full(12 * 16, np.nan)
    values[[5, 6, 7]] = [0.0, 3.0, 10.0]
    field = from_map(SkyMap(values, 4, name="seen"))
    assert field.name == "map:seen"
    assert field.fingerprint() == from_pixels([6, 7], 4).fingerprint()
    with pytest.raises(InputError, match="footprint map:dark: must hold"):
        from_map(SkyMap.uniform(0.0, name="dark"))
