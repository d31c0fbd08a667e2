"""A map of the sky: values at positions and on pixels, whatever its frame."""

import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from icmass.errors import InputError
from icmass.simulate.skymaps import SKY_NSIDE, SkyMap, centres, pixel_of, uniform_positions

RNG = np.random.default_rng(21)
RA = RNG.uniform(0, 360, 400)
DEC = np.degrees(np.arcsin(RNG.uniform(-1, 1, 400)))


def _random_map(nside, frame="icrs"):
    return SkyMap(RNG.uniform(1, 2, 12 * nside**2), nside, frame, "s", "EXPOSURE")


def test_values_at_positions():
    numbered = SkyMap(np.arange(12 * 16**2), 16)
    np.testing.assert_array_equal(numbered.at(RA, DEC), pixel_of(16, RA, DEC))
    assert numbered.at(10.0, -20.0) == pixel_of(16, 10.0, -20.0)


@pytest.mark.parametrize("frame", ["galactic", "ecliptic"])
def test_positions_are_turned_into_the_frame_of_the_map(frame):
    numbered = SkyMap(np.arange(12 * 16**2), 16, frame)
    name = {"galactic": "galactic", "ecliptic": "barycentricmeanecliptic"}[frame]
    turned = SkyCoord(RA, DEC, unit="deg").transform_to(name).spherical
    expected = healpy.ang2pix(16, turned.lon.deg, turned.lat.deg, nest=True, lonlat=True)
    np.testing.assert_array_equal(numbered.at(RA, DEC), expected)
    # Negative control: most directions lie in another pixel when the frame is mistaken.
    assert (numbered.at(RA, DEC) != pixel_of(16, RA, DEC)).mean() > 0.9


def test_on_finer_pixels_the_value_at_the_centre():
    sky = _random_map(64, "galactic")
    pixel = RNG.integers(0, 12 * 1024**2, 300)
    np.testing.assert_array_equal(sky.on_pixels(1024, pixel), sky.at(*centres(1024, pixel)))


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
@pytest.mark.parametrize("map_nside", [32, 1024])
def test_a_cell_has_the_mean_of_its_sky_pixels(map_nside, frame):
    sky = _random_map(map_nside, frame)
    cell = np.array([77, 5, 3000])
    inside = (SKY_NSIDE // 32) ** 2
    pixels = cell[:, None] * inside + np.arange(inside)
    expected = sky.on_pixels(SKY_NSIDE, pixels.ravel()).reshape(pixels.shape).mean(axis=1)
    np.testing.assert_allclose(sky.on_pixels(32, cell), expected, rtol=1e-12)
    if frame == "icrs":  # and, in the same frame, exactly the mean of the map inside
        children = sky.values.reshape(12 * 32**2, -1).mean(axis=1)
        np.testing.assert_allclose(sky.on_pixels(32, cell), children[cell], rtol=1e-12)


def test_a_cell_agrees_with_the_mean_of_the_map_at_random_points():
    sky = _random_map(64, "ecliptic")
    ra, dec = uniform_positions(16, np.full(100_000, 1234), np.random.default_rng(1))
    drawn = sky.at(ra, dec)
    error = drawn.std() / np.sqrt(drawn.size)
    assert abs(sky.on_pixels(16, [1234])[0] - drawn.mean()) < 5.0 * error
    assert abs(sky.on_pixels(16, [1233])[0] - drawn.mean()) > 8.0 * error


def test_the_mean_is_over_what_is_known():
    values = np.full(12 * SKY_NSIDE**2, np.nan)
    values[[0, 1, 2]] = [4.0, 5.0, 9.0]
    sky = SkyMap(values, SKY_NSIDE)
    np.testing.assert_array_equal(sky.on_pixels(SKY_NSIDE // 2, [0, 1]), [6.0, np.nan])
    assert np.isnan(sky.at(*centres(SKY_NSIDE, [3]))).all()


def test_uniform():
    sky = SkyMap.uniform(2350.0, unit="s", name="EXPOSURE")
    assert sky.values.size == 12
    assert (sky.at(RA, DEC) == 2350.0).all()
    assert sky.at(RA, DEC).shape == RA.shape
    assert (sky.on_pixels(128, np.arange(5)) == 2350.0).all()
    assert np.isnan(SkyMap.uniform(np.nan).at(1.0, 2.0))


def test_a_map_cannot_be_changed():
    values = np.arange(12.0)
    sky = SkyMap(values, 1)
    with pytest.raises(ValueError, match="read-only"):
        sky.values[0] = 1.0
    values[0] = 1.0  # while the caller's array stays the caller's


def test_bad_maps():
    with pytest.raises(InputError, match=r"values: must have shape \(48,\).*got \(47,\)\. Give"):
        SkyMap(np.ones(47), 2)
    with pytest.raises(InputError, match=r"nside: must be a power of two"):
        SkyMap(np.ones(108), 3)
    with pytest.raises(
        InputError, match=r"frame: must be one of icrs, galactic, ecliptic; got 'C'"
    ):
        SkyMap(np.ones(12), 1, "C")
    with pytest.raises(InputError, match=r"declination: must lie"):
        SkyMap.uniform(1.0).at(0.0, 91.0)
    with pytest.raises(InputError, match=r"pixel: must lie between 0 and 47"):
        SkyMap.uniform(1.0).on_pixels(2, [48])
    sky = SkyMap(np.r_[np.nan, -3.0, np.ones(10)], 1, unit="s")
    with pytest.raises(InputError, match=r"exposures: must lie between 0 and 5 s; got -3 in 1 of"):
        sky.check_range(0.0, 5.0, "exposures")
    sky.check_range(-3.0, 1.0, "exposures")
