"""Squares cover the field once, and their solid angle is that of the sky."""

import numpy as np
import pytest

from icmass.simulate.sky.tiles import solid_angle_factor, tile_field
from icmass.simulate.view import View


def covering(view: View, east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """How many squares hold each point."""
    cells = tile_field(view)
    half = cells.extent_arcsec[0]
    near_e = np.abs(east[:, None] - cells.east_arcsec) < half
    return (near_e & (np.abs(north[:, None] - cells.north_arcsec) < half)).sum(axis=1)


@pytest.mark.parametrize(
    ("mode", "width_arcsec"), [("survey", 1200.0), ("survey", 9000.0), ("pointed", 1777.0)]
)
def test_every_point_of_the_field_is_in_one_square(mode, width_arcsec):
    view = View(10.0, 40.0, mode, width_arcsec)
    rng = np.random.default_rng(5)
    east, north = rng.uniform(-width_arcsec / 2, width_arcsec / 2, (2, 4000))
    inside = view.contains(east, north)
    assert inside.sum() > 2000
    assert (covering(view, east[inside], north[inside]) == 1).all()


def test_a_survey_square_ends_at_the_field():
    cells = tile_field(View(10.0, 40.0, "survey", 1200.0))
    assert len(cells) == 1
    assert cells.extent_arcsec[0] == 600.0
    assert cells.norm[0] == pytest.approx(20.0**2, rel=1e-4)


@pytest.mark.parametrize("width_deg", [1.0, 5.0, 15.0])
def test_solid_angle_is_that_of_the_sphere(width_deg):
    """A square of the tangent plane subtends 4 arctan(t^2 / sqrt(1 + 2 t^2))."""
    cells = tile_field(View(10.0, 40.0, "survey", width_deg * 3600.0))
    half = np.radians(width_deg) / 2.0
    exact = 4.0 * np.arctan(half**2 / np.sqrt(1.0 + 2.0 * half**2)) * np.degrees(60.0) ** 2
    assert cells.norm.sum() == pytest.approx(exact, rel=2e-4)
    flat = (width_deg * 60.0) ** 2
    assert (flat / exact > 1.001) == (width_deg > 4.0), "the curvature must matter for wide fields"


def test_squares_of_a_pointing_are_an_arcmin_and_stay_near_the_circle():
    view = View(10.0, 40.0, "pointed", 3708.0)
    cells = tile_field(view)
    side_arcmin = cells.extent_arcsec[0] / 30.0
    assert 0.9 < side_arcmin <= 1.0
    reach = np.hypot(cells.east_arcsec, cells.north_arcsec) / 60.0
    assert reach.max() < 30.9 + side_arcmin
    assert view.area_arcmin2 < cells.norm.sum() < view.area_arcmin2 * 1.05


def test_solid_angle_factor_is_one_on_axis_and_cos_cubed_off_axis():
    angle = np.radians(7.0)
    offset = np.degrees(np.tan(angle)) * 3600.0
    factor = solid_angle_factor(np.array([0.0, offset]), np.array([0.0, 0.0]))
    assert factor == pytest.approx([1.0, np.cos(angle) ** 3], rel=1e-12)
