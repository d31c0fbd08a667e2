"""Directions on the sky: rotations, the field, and the gnomonic projection against astropy."""

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from icmass.errors import InputError
from icmass.simulate.view import View, rotation_from_axis


def finite(low: float, high: float):
    return st.floats(low, high, allow_nan=False)


@pytest.mark.parametrize(("axis", "rows"), [("x", "yzx"), ("y", "zxy"), ("z", "xyz")])
def test_named_axes(axis, rows):
    unit = dict(zip("xyz", np.eye(3), strict=True))
    rotation = rotation_from_axis(axis)
    assert np.array_equal(rotation, np.stack([unit[r] for r in rows]))
    east, north, away = rotation
    assert np.array_equal(np.cross(east, north), away)
    assert np.array_equal(away, unit[axis])


@given(st.tuples(*[finite(-1e3, 1e3)] * 3).filter(lambda v: np.linalg.norm(v) > 1e-3))
@example((0.0, 0.0, 1.0))
@example((0.0, 0.0, -1.0))
@example((1e-3, 1e-3, -1e3))
def test_a_vector_gives_a_right_handed_rotation(vector):
    rotation = rotation_from_axis(vector)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    np.testing.assert_allclose(rotation[2], np.array(vector) / np.linalg.norm(vector), atol=1e-12)


def test_a_rotation_passes_through():
    turn = rotation_from_axis((1.0, 2.0, 3.0))
    assert np.array_equal(rotation_from_axis(turn), turn)
    assert np.array_equal(rotation_from_axis(turn.tolist()), turn)


MIRROR = np.diag([1.0, 1.0, -1.0])


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("w", "axis: must be x, y, z, a vector or a rotation; got 'w'"),
        ("", "axis: must be x, y, z"),
        ((0.0, 0.0, 0.0), "axis: a vector must have 3 finite components and a length"),
        ((1.0, np.nan, 0.0), "axis: a vector must have 3 finite components"),
        ((1.0, 0.0), "axis: a vector must have 3 finite components"),
        (np.eye(2), "axis: a vector must have 3 finite components"),
        (MIRROR, "axis: a 3x3 matrix must be a rotation"),
        (2 * np.eye(3), "axis: a 3x3 matrix must be a rotation"),
        (np.full((3, 3), np.nan), "axis: a 3x3 matrix must be a rotation"),
    ],
)
def test_what_is_no_axis_is_refused(axis, message):
    with pytest.raises(InputError, match=message):
        rotation_from_axis(axis)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dec_deg": 90.1}, r"dec: must lie in \[-90, 90\] deg; got 90.1"),
        ({"dec_deg": np.nan}, "dec: must lie in"),
        ({"ra_deg": 360.0}, r"ra: must lie in \[0, 360\) deg; got 360"),
        ({"ra_deg": -1e-9}, "ra: must lie in"),
        ({"ra_deg": np.nan}, "ra: must lie in"),
        ({"mode": "slew"}, "mode: must be survey or pointed; got 'slew'"),
        ({"width_arcsec": 0.0}, "field width: must be above 0 and at most 20 deg"),
        ({"width_arcsec": 72001.0}, "field width: must be above 0"),
        ({"width_arcsec": np.nan}, "field width: must be above 0"),
    ],
)
def test_a_view_that_cannot_be_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        View(**{"ra_deg": 1.0, "dec_deg": 2.0, "mode": "survey", "width_arcsec": 60.0, **change})


def test_the_field_and_its_area():
    square = View(0.0, 0.0, "survey", 600.0)
    circle = View(0.0, 0.0, "pointed", 600.0)
    east, north = np.array([300.0, 300.1, 250.0, 0.0]), np.array([-300.0, 0.0, 250.0, 299.9])
    assert square.contains(east, north).tolist() == [True, False, True, True]
    assert circle.contains(east, north).tolist() == [False, False, False, True]
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-400, 400, (2, 200_000))
    for view in (square, circle):
        share = view.contains(x, y).mean() * (800 / 60) ** 2
        assert share == pytest.approx(view.area_arcmin2, rel=0.02)


def projection(view: View) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [view.ra_deg, view.dec_deg]
    wcs.wcs.cdelt = [1 / 3600, 1 / 3600]  # arcsec to the east and to the north
    wcs.wcs.crpix = [1.0, 1.0]
    return wcs


@pytest.mark.parametrize("ra", [0.0, 0.01, 123.4, 359.99])
@pytest.mark.parametrize("dec", [-89.9, -60.0, 0.0, 37.0, 89.95])
def test_offsets_are_the_gnomonic_projection(ra, dec):
    view = View(ra, dec, "survey", 3600.0)
    rng = np.random.default_rng(3)
    east, north = rng.uniform(-18000, 18000, (2, 500))
    found = np.stack(view.sky(east, north))
    truth = np.stack(projection(view).wcs_pix2world(east, north, 0))
    offset = np.mod(found[0] - truth[0] + 180.0, 360.0) - 180.0
    assert np.abs(offset * np.cos(np.radians(truth[1]))).max() * 3600 < 1e-6
    assert np.abs(found[1] - truth[1]).max() * 3600 < 1e-6


def test_orientation_on_the_sky():
    view = View(0.001, -60.0, "survey", 3600.0)
    ra, dec = view.sky([100.0, -100.0, 0.0, 0.0], [0.0, 0.0, 100.0, -100.0])
    assert 0.0 < ra[0] < 1.0  # east is larger RA
    assert 359.0 < ra[1] < 360.0  # and wraps
    assert dec[2] > -60.0 > dec[3]
    # An arcsec of RA at dec -60 is half an arcsec on the sky.
    assert (ra[0] - 0.001) * 3600 == pytest.approx(200.0, rel=1e-3)


def test_the_pole_is_a_place_like_any_other():
    ra, dec = View(10.0, 90.0, "survey", 3600.0).sky([100.0, 0.0], [0.0, 0.0])
    assert dec[0] == pytest.approx(90 - 100 / 3600, abs=1e-6)
    assert dec[1] == pytest.approx(90.0)
    assert np.isfinite(ra).all()


@settings(deadline=None)
@given(finite(0.0, 359.999), finite(-90.0, 90.0), finite(-4e4, 4e4), finite(-4e4, 4e4))
@example(0.0, 0.0, -1e-30, 0.0)
@example(0.0, 10.0, -1e-13, 0.0)
def test_right_ascension_lies_in_its_range(ra, dec, east, north):
    found = View(ra, dec, "survey", 60.0).sky(east, north)
    assert 0.0 <= found[0] < 360.0
    assert -90.0 <= found[1] <= 90.0


def test_positions_are_double_precision():
    # Offsets are float32 (1e-4 arcsec in a field), coordinates are not (0.1 arcsec at RA 350).
    view = View(350.0, 10.0, "survey", 3600.0)
    east = np.linspace(0.0, 0.5, 501, dtype=np.float32)
    ra, dec = view.sky(east, np.zeros(501, np.float32))
    assert ra.dtype == dec.dtype == np.float64
    step = np.diff(ra) * 3600 * np.cos(np.radians(10.0))
    np.testing.assert_allclose(step, 1e-3, rtol=1e-3)
    assert np.unique(ra.astype(np.float32)).size < 20  # what float32 would do
