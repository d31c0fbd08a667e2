"""The background without sources, from the counts alone."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.detection import FieldImage, estimate_background
from tests.simulate.detection.fields import (
    BACKGROUND,
    EXPOSURE,
    SHARP,
    VIEW,
    field,
    grid_of,
    places,
)

GRID = grid_of(420, 380)


def test_flat_background_comes_back():
    """160,000 pixels of 0.12 counts: 0.7% for the mean, 2.5% locally after smoothing."""
    image = field(GRID, np.random.default_rng(1))
    ratio = estimate_background(image, SHARP) / BACKGROUND
    # What looks like a source by chance is cut out: some 1% low.
    assert 0.96 < ratio.mean() < 1.02
    assert ratio.std() < 0.04


def bright_field() -> FieldImage:
    rng = np.random.default_rng(2)
    x, y = places(GRID, 420.0, rng)
    return field(GRID, rng, (x[::2], y[::2], 60.0, 0.0), (x[1::2], y[1::2], 200.0, 25.0))


def test_sources_are_left_out():
    ratio = estimate_background(bright_field(), SHARP).mean() / BACKGROUND
    assert 0.95 < ratio < 1.05


def test_negative_control_with_sources_the_mean_is_far_off():
    image = bright_field()
    assert image.counts.mean() / BACKGROUND > 1.25


def test_a_slope_of_the_background_is_followed():
    north = np.linspace(0.7, 1.3, GRID.n_y)[:, None] * np.ones(GRID.shape)
    rng = np.random.default_rng(3)
    image = FieldImage(rng.poisson(2 * BACKGROUND * north), np.full(GRID.shape, 10.0), GRID, VIEW)
    found = estimate_background(image, SHARP) / (2 * BACKGROUND)
    # At the very edge the smoothing sees one side only.
    inner = slice(60, -60)
    np.testing.assert_allclose(found[inner].mean(axis=1), north[inner, 0], atol=0.06)
    assert found[-60:].mean() - found[:60].mean() > 0.35


def split_field() -> tuple[FieldImage, np.ndarray]:
    """Half the background is not vignetted; the exposure has steps sharper than the smoothing."""
    rng = np.random.default_rng(4)
    vignetted = np.where(np.arange(GRID.n_x) // 20 % 2, 1.0, 0.3) * np.ones(GRID.shape) * EXPOSURE
    flat = np.full(GRID.shape, EXPOSURE)
    truth = 0.2 * vignetted / EXPOSURE + 0.1
    return FieldImage(rng.poisson(truth), vignetted, GRID, VIEW, flat), truth


def test_particles_are_not_vignetted():
    image, truth = split_field()
    found = estimate_background(image, SHARP)
    dark = image.exposure_s < 0.5 * EXPOSURE
    assert found[dark].mean() == pytest.approx(truth[dark].mean(), rel=0.03)
    assert found[~dark].mean() == pytest.approx(truth[~dark].mean(), rel=0.03)


def test_negative_control_without_particles_the_dark_stripes_are_wrong():
    image, truth = split_field()
    image = FieldImage(image.counts, image.exposure_s, GRID, VIEW)
    found = estimate_background(image, SHARP)
    dark = image.exposure_s < 0.5 * EXPOSURE
    assert abs(found[dark].mean() / truth[dark].mean() - 1.0) > 0.2


def test_what_was_not_observed_has_none_and_does_not_pull():
    exposure = np.full(GRID.shape, EXPOSURE)
    exposure[:, :150] = 0.0
    image = field(GRID, np.random.default_rng(5), exposure=exposure)
    found = estimate_background(image, SHARP)
    assert (found[:, :150] == 0.0).all()
    assert 0.94 < found[:, 150:170].mean() / BACKGROUND < 1.05


def test_no_counts_give_no_background():
    image = FieldImage(np.zeros(GRID.shape, int), np.ones(GRID.shape), GRID, VIEW)
    assert (estimate_background(image, SHARP) == 0.0).all()


def test_a_tile_that_was_not_observed_is_refused():
    image = FieldImage(np.ones(GRID.shape, int), np.zeros(GRID.shape), GRID, VIEW)
    with pytest.raises(InputError, match="exposure_s: must be above 0 somewhere; got an image"):
        estimate_background(image, SHARP)


@pytest.mark.parametrize("bad", [0.0, -3.0, np.nan, np.inf])
def test_smoothing_must_be_a_length(bad):
    image = field(GRID, np.random.default_rng(1))
    with pytest.raises(InputError, match="smoothing_arcsec: must be above 0 and finite; got"):
        estimate_background(image, SHARP, smoothing_arcsec=bad)


def test_photons_of_sources_alone():
    """When all are cut out nothing is left to measure: the last background stays, not NaN."""
    source = (np.array([0.0]), np.array([0.0]), 60.0, 0.0)
    image = field(grid_of(), np.random.default_rng(8), source, background=0.0)
    background = estimate_background(image, SHARP)
    assert np.isfinite(background).all()
    assert 0.0 < background.sum() < 2.0 * image.counts.sum()
