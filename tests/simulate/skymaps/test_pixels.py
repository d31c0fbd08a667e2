"""Pixels of the sky: numbers, centres, uniform points, angles."""

import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from icmass.errors import InputError
from icmass.simulate.skymaps.pixels import (
    CELL_NSIDE,
    MAX_NSIDE,
    PIXELS_PER_CELL,
    SKY_NSIDE,
    blocks,
    centres,
    check_nside,
    check_pixels,
    pixel_area_deg2,
    pixel_of,
    separation_deg,
    uniform_positions,
    unit_vectors,
)
from tests.helpers.stats import assert_chi_square, assert_distribution, chi_square

PER_BIN = 200


def test_pixels_are_nested_and_of_the_sky():
    # The pole lies in the corner of pixel 3 of the base, and the numbering is healpy's.
    assert pixel_of(1, [0.1, 100.0, 190.0, 280.0], [89.0] * 4).tolist() == [0, 1, 2, 3]
    assert pixel_of(1, 45.0, -60.0) == 8
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    ring = healpy.ang2pix(64, np.radians(90 - dec), np.radians(ra))
    np.testing.assert_array_equal(pixel_of(64, ra, dec), healpy.ring2nest(64, ring))
    np.testing.assert_array_equal(pixel_of(64, ra - 360.0, dec), pixel_of(64, ra, dec))
    # Finer pixels are children of coarser ones.
    np.testing.assert_array_equal(
        pixel_of(SKY_NSIDE, ra, dec) // PIXELS_PER_CELL,
        pixel_of(CELL_NSIDE, ra, dec),
    )


@pytest.mark.parametrize("nside", [1, 8, SKY_NSIDE, MAX_NSIDE])
def test_centres_lie_in_their_pixels(nside):
    pixel = np.random.default_rng(2).integers(0, 12 * nside**2, 1000)
    ra, dec = centres(nside, pixel)
    assert ra.dtype == dec.dtype == np.float64
    np.testing.assert_array_equal(pixel_of(nside, ra, dec), pixel)
    assert centres(nside, [])[0].shape == (0,)


def test_unit_vectors_are_those_of_healpy():
    ra, dec = np.array([0.0, 123.0, 359.0]), np.array([90.0, -33.0, 1.0])
    np.testing.assert_allclose(
        unit_vectors(ra, dec), healpy.ang2vec(ra, dec, lonlat=True), atol=1e-15
    )


def test_area():
    assert pixel_area_deg2(1) * 12 == pytest.approx(41252.96, abs=0.01)
    assert pixel_area_deg2(SKY_NSIDE) ** 0.5 * 60 == pytest.approx(6.87, abs=0.01)


@pytest.mark.parametrize("pixel", [2, 5, 11])  # a polar, an equatorial and a southern one
def test_points_are_uniform_in_their_pixel(pixel):
    inside = 16**2
    points = np.full(PER_BIN * inside, pixel)
    ra, dec = uniform_positions(1, points, np.random.default_rng(3))
    fine = pixel_of(16, ra, dec)
    assert (fine // inside == pixel).all()
    counts = np.bincount(fine - pixel * inside, minlength=inside)
    assert_chi_square(counts, np.full(inside, PER_BIN))


def test_points_uniform_in_angle_would_be_seen():
    """Negative control: uniform in declination instead of in its sine."""
    inside = 16**2
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 360, 10**6), rng.uniform(-90, 90, 10**6)
    ra, dec = (angle[pixel_of(1, ra, dec) == 2] for angle in (ra, dec))
    counts = np.bincount(pixel_of(16, ra, dec) - 2 * inside, minlength=inside)
    assert abs(chi_square(counts, np.full(inside, counts.sum() / inside)).z) > 8.0


def test_points_of_all_pixels_are_uniform_on_the_sphere():
    ra, dec = uniform_positions(2, np.repeat(np.arange(48), 1000), np.random.default_rng(5))
    assert_distribution(np.sin(np.radians(dec)), lambda z: 0.5 * (z + 1.0))
    assert_distribution(ra, lambda a: a / 360.0)


def test_points_are_those_of_their_seed_and_order():
    pixel = np.array([7, 7, 3, 190])
    first = uniform_positions(4, pixel, np.random.default_rng(6))
    again = uniform_positions(4, pixel, np.random.default_rng(6))
    np.testing.assert_array_equal(first, again)
    assert first[0][0] != first[0][1]
    np.testing.assert_array_equal(pixel_of(4, *first), pixel)


def test_separation():
    rng = np.random.default_rng(7)
    ra, dec = rng.uniform(0, 360, (2, 200)), np.degrees(np.arcsin(rng.uniform(-1, 1, (2, 200))))
    one, two = (SkyCoord(ra[i], dec[i], unit="deg") for i in (0, 1))
    np.testing.assert_allclose(
        separation_deg(ra[0], dec[0], ra[1], dec[1]), one.separation(two).deg, rtol=1e-12
    )
    # A thousandth of an arcsecond, where a formula with the arccosine gives zero.
    assert separation_deg(200.0, 60.0, 200.0, 60.0 + 1e-3 / 3600) == pytest.approx(
        1e-3 / 3600, rel=1e-6
    )
    assert separation_deg(359.9999, 0.0, 0.0001, 0.0) == pytest.approx(2e-4, rel=1e-9)
    assert separation_deg(10.0, 20.0, 190.0, -20.0) == pytest.approx(180.0)
    assert separation_deg(0.0, 89.0, 180.0, 89.0) == pytest.approx(2.0)
    assert separation_deg(1.0, np.zeros(3), [2.0, 3.0, 4.0], 0.0).shape == (3,)


def test_blocks_cover_everything_once():
    np.testing.assert_array_equal(np.concatenate(list(blocks(10, 4))), np.arange(10))
    assert [b.size for b in blocks(10, 4)] == [4, 4, 2]
    assert list(blocks(0)) == []


@pytest.mark.parametrize("nside", [0, 3, -8, 2**30, 2.5])
def test_bad_nside(nside):
    with pytest.raises(InputError, match=r"nside: must be a power of two .* got .*Choose one"):
        check_nside(nside)


def test_bad_pixels_and_positions():
    with pytest.raises(InputError, match=r"pixel: must lie between 0 and 191 at nside 4; got 192"):
        centres(4, [0, 192])
    with pytest.raises(InputError, match=r"got -1\. Check the nside"):
        check_pixels(4, [-1])
    with pytest.raises(InputError, match=r"pixel: must be whole numbers; got float64"):
        uniform_positions(4, [0.5], np.random.default_rng(0))
    with pytest.raises(InputError, match=r"declination: must lie between -90 and 90 deg; got 120"):
        pixel_of(4, [3.0, 4.0], [0.0, 120.0])
    with pytest.raises(InputError, match=r"declination: must lie .* got nan"):
        pixel_of(4, [3.0], [np.nan])
    with pytest.raises(InputError, match=r"right ascension: must be finite; got NaN or infinity"):
        pixel_of(4, [np.inf], [1.0])
