"""Background drawn per pixel against background drawn photon by photon."""

import numpy as np
import pytest

from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.rows.background import background_rate, draw_background
from icmass.simulate.sky import extragalactic, foreground, particle_background
from icmass.simulate.view import View
from tests.helpers.stats import Z_MAX, assert_chi_square, assert_poisson, chi_square

INTERVALS = ((0.5, 1.2), (2.0, 7.0))
EXPOSURE_S = 300_000.0
NH_CM2 = 3e20


@pytest.fixture(scope="module")
def erosita() -> Instrument:
    return Instrument.load("erosita")


def rate(erosita, mode, width_arcsec, grid, flux_limit=1e-15):
    return background_rate(erosita, mode, width_arcsec, grid, NH_CM2, flux_limit, INTERVALS)


@pytest.mark.parametrize(("mode", "width_arcsec"), [("survey", 1800.0), ("pointed", 1500.0)])
def test_the_same_as_drawn_photon_by_photon(erosita, mode, width_arcsec):
    view = View(0.0, 0.0, mode, width_arcsec)
    grid = PixelGrid(28, 32, 50.0)
    components = (
        particle_background(view, erosita),
        foreground(view, erosita, NH_CM2),
        extragalactic(view, erosita, NH_CM2, 1e-15),
    )
    events = draw_events(components, view, erosita, EXPOSURE_S, seed=4)
    expected = EXPOSURE_S * rate(erosita, mode, width_arcsec, grid)
    counts, _ = draw_background(expected, np.zeros(grid.shape), np.random.default_rng(5))
    for (lo, hi), image, mean in zip(INTERVALS, counts, expected, strict=True):
        chosen = (events.energy_kev >= lo) & (events.energy_kev < hi)
        histogram = grid.histogram(events.east_arcsec[chosen], events.north_arcsec[chosen])
        for drawn in (histogram, image):
            assert_chi_square(drawn, mean)
            assert abs(chi_square(drawn, 1.05 * mean).z) > 6.0  # the control
        off_axis_loss = mean[16, 14] / mean[3, 14]
        assert off_axis_loss == pytest.approx(1.0, abs=1e-3) or mode == "pointed"


def test_share_inside_a_circle(erosita):
    grid = PixelGrid(10, 10, 100.0)
    circle = grid.field_fraction(View(0.0, 0.0, "pointed", 640.0))
    expected = np.full((2, 10, 10), 300.0)
    counts, inside = draw_background(expected, circle, np.random.default_rng(6))
    area_pixels = np.pi * 3.2**2
    assert circle.sum() == pytest.approx(area_pixels, rel=0.01)
    assert_poisson(inside.sum(), 600.0 * circle.sum(), bias=0.08)
    assert np.all(inside <= counts[:, circle > 0].sum(axis=1))
    assert np.all(inside >= counts[:, circle >= 1].sum(axis=1))


def test_inside_and_outside_vary_as_poisson_does():
    circle = np.array([[1.0, 0.5, 0.25, 0.0]])
    expected = np.full((1, 1, 4), 20.0)
    rng = np.random.default_rng(7)
    inside = np.array([draw_background(expected, circle, rng)[1][0] for _ in range(3000)])
    mean = 35.0
    assert abs(inside.mean() - mean) < Z_MAX * np.sqrt(mean / 3000)
    allowed = Z_MAX * np.sqrt(2 / 3000)
    assert abs(inside.var() / mean - 1.0) < allowed
    # The control: without the chance of the edge, counts x share vary less.
    assert (20 + 5 + 1.25) / mean < 1.0 - allowed


def test_what_is_kept_cannot_be_spoilt(erosita):
    kept = rate(erosita, "survey", 1000.0, PixelGrid(4, 4, 250.0))
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0.0
