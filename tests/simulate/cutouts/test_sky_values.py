"""Exposure and column by place: numbers, HEALPix maps, images, and what is refused."""

import pickle

import numpy as np
import pytest
from astropy.io import fits

from icmass.errors import InputError
from icmass.simulate.cutouts.sky_values import Constant, sky_values
from icmass.simulate.skymaps.sky_map import SkyMap
from tests.simulate.cutouts.files import CENTRE, sky_photons, write_esass, write_image

RA = np.array([150.0, 150.5, 149.0, 10.0])
DEC = np.array([-12.0, -11.8, -12.4, 80.0])


def test_numbers_functions_and_nothing():
    assert sky_values(None, "exposure") is None
    np.testing.assert_array_equal(sky_values(300, "exposure")(RA, DEC), np.full(4, 300.0))
    constant = Constant(3.0)
    assert sky_values(constant, "exposure") is constant
    assert sky_values(np.hypot, "exposure") is np.hypot


def test_maps_in_memory_and_in_files_agree(tmp_path):
    values = np.arange(12 * 16**2, dtype=float)
    sky = SkyMap(values, 16, "icrs", "s", "EXPOSURE")
    sky.write(tmp_path / "map.fits")
    expected = sky.at(RA, DEC)
    np.testing.assert_array_equal(sky_values(sky, "exposure")(RA, DEC), expected)
    source = sky_values(tmp_path / "map.fits", "exposure")
    assert len(pickle.dumps(source)) < 1000  # workers read it by themselves
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source))(RA, DEC), expected)
    with pytest.raises(InputError, match="exposure: must be one HEALPix map, or images; got 2"):
        sky_values([tmp_path / "map.fits", tmp_path / "map.fits"], "exposure")


def test_images_give_the_pixel_that_holds_the_place(tmp_path):
    values = np.arange(60.0 * 80.0).reshape(60, 80)  # 1.2 deg by 1.6 deg
    write_image(tmp_path / "a.fits", values)
    source = sky_values(tmp_path / "a.fits", "exposure")
    found = source(RA, DEC)
    # 0.5 deg east is 24.4 pixels to the left, 0.2 deg north 10 up; a little more by the curvature.
    assert found[0] in (values[29, 39], values[29, 40], values[30, 39], values[30, 40])
    assert found[1] == values[39, 15]
    assert np.isnan(found[2:]).all()
    assert np.isnan(source(RA[:0], DEC[:0])).all()


def test_where_images_overlap_the_larger_value_holds(tmp_path):
    write_image(tmp_path / "a.fits", np.full((50, 50), 200.0))
    write_image(tmp_path / "b.fits", np.full((50, 50), 300.0), centre=(150.6, -12.0))
    found = sky_values(str(tmp_path / "*.fits"), "exposure")(
        np.array([149.8, 150.3, 150.9, 152.0]), np.full(4, -12.0)
    )
    np.testing.assert_array_equal(found, [200.0, 300.0, 300.0, np.nan])


def test_the_image_with_or_without_vignetting_is_told_by_its_header(tmp_path):
    for name, value, says in (("flat", 800.0, False), ("bent", 400.0, True)):
        write_image(tmp_path / f"{name}.fits", np.full((9, 9), value), vignet=says)
    with fits.open(tmp_path / "flat.fits") as flat, fits.open(tmp_path / "bent.fits") as bent:
        both = [fits.PrimaryHDU(), *(fits.ImageHDU(f[0].data, f[0].header) for f in (flat, bent))]
        fits.HDUList(both).writeto(tmp_path / "both.fits")
    for vignetted, value in ((True, 400.0), (False, 800.0)):
        source = sky_values(tmp_path / "both.fits", "exposure", vignetted=vignetted)
        assert source(*(np.array([x]) for x in CENTRE)) == value
    with pytest.raises(InputError, match=r"flat.fits: must be an image.*, with vignetting; it has"):
        sky_values(tmp_path / "flat.fits", "exposure", vignetted=True)


def test_files_that_are_neither(tmp_path):
    with pytest.raises(InputError, match="must be an existing map of exposure; no such file"):
        sky_values(tmp_path / "none.fits", "exposure")
    with pytest.raises(InputError, match=r"exposure: must be a file or a pattern of files; .*none"):
        sky_values(str(tmp_path / "*.fits"), "exposure")
    write_esass(tmp_path / "events.fits", sky_photons(5))
    with pytest.raises(InputError, match="must be an image with a celestial WCS, or a HEALPix map"):
        sky_values(tmp_path / "events.fits", "exposure")
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "plain.fits")
    with pytest.raises(InputError, match="must be an image with a celestial WCS, or a HEALPix map"):
        sky_values(tmp_path / "plain.fits", "exposure")
