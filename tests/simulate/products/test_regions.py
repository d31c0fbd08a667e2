"""Regions: what they hold and how large they are inside the field."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.products.regions import Annulus, Box, Circle, area_arcmin2
from icmass.simulate.view import View

SQUARE = View(10.0, -60.0, "survey", 600.0)
DISC = View(10.0, -60.0, "pointed", 600.0)

REGIONS = [
    Circle(90.0, 40.0, -70.0),
    Annulus(30.0, 90.0, 40.0, -70.0),
    Box(50.0, 130.0, 40.0, -7.0),
]


@pytest.mark.parametrize("region", REGIONS)
def test_area_agrees_with_counting_points(region):
    rng = np.random.default_rng(0)
    east, north = rng.uniform(-300, 300, (2, 400_000))
    inside = region.contains(east, north).sum()
    expected = region.full_area_arcmin2 / 100.0 * 400_000
    assert abs(inside - expected) < 4.5 * np.sqrt(expected)
    assert abs(inside - 1.1 * expected) > 4.5 * np.sqrt(expected)
    assert area_arcmin2(region, SQUARE) == region.full_area_arcmin2


@pytest.mark.parametrize("region", REGIONS)
def test_bounds_enclose_the_region_tightly(region):
    east, north = np.random.default_rng(1).uniform(-300, 300, (2, 200_000))
    inside = region.contains(east, north)
    lo_e, hi_e, lo_n, hi_n = region.bounds
    assert lo_e - 1 <= east[inside].min() <= lo_e + 3
    assert hi_e - 3 <= east[inside].max() <= hi_e + 1
    assert lo_n - 1 <= north[inside].min() <= lo_n + 3
    assert hi_n - 3 <= north[inside].max() <= hi_n + 1


def test_area_is_cut_by_the_edge_of_the_field():
    assert area_arcmin2(Box(200.0, 100.0, 300.0, 0.0), SQUARE) == pytest.approx(
        100 * 100 / 3600, rel=2e-3
    )
    assert area_arcmin2(Circle(500.0), DISC) == pytest.approx(DISC.area_arcmin2, rel=2e-3)
    assert area_arcmin2(Annulus(10.0, 290.0), DISC) == pytest.approx(
        np.pi * (290**2 - 10**2) / 3600, rel=2e-3
    )
    assert area_arcmin2(Circle(10.0, 1000.0), DISC) == 0.0


def test_inner_edge_is_in_and_outer_edge_is_out():
    ring = Annulus(30.0, 90.0)
    assert ring.contains([30.0, 90.0], [0.0, 0.0]).tolist() == [True, False]
    assert Circle(90.0).contains([0.0, 0.0, 90.0], [0.0, 89.9, 0.0]).tolist() == [True, True, False]
    assert Box(20.0, 10.0).contains([-10.0, 10.0], [0.0, 0.0]).tolist() == [True, False]


def test_regions_have_short_names():
    assert str(Circle(90.0, 40.0, -70.5)) == "circle(40,-70.5,90)"
    assert str(Annulus(30.0, 90.0)) == "annulus(0,0,30,90)"
    assert str(Box(50.0, 130.0, 40.0)) == "box(40,0,50,130)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Circle(0.0), "Circle: radius_arcsec must be above 0"),
        (lambda: Circle(np.inf), "Circle: radius_arcsec must be above 0"),
        (lambda: Box(10.0, -1.0), "Box: height_arcsec must be above 0"),
        (lambda: Annulus(30.0, 20.0), "0 <= inner < outer"),
        (lambda: Annulus(-3.0, 20.0), "0 <= inner < outer"),
        (lambda: Annulus(1.0, np.nan), "Annulus: outer_arcsec must be above 0"),
    ],
)
def test_bad_regions_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
