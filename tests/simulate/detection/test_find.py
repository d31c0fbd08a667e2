"""Sources found: none where there is none, the right ones, with the right numbers."""

from dataclasses import fields as fields_of

import numpy as np
import pytest
from scipy.special import gammainc

from icmass.errors import InputError
from icmass.simulate.detection import FieldImage, find_sources
from icmass.simulate.detection.fit import likelihood
from icmass.simulate.instrument.psf import PSF
from tests.helpers.stats import assert_mean
from tests.simulate.detection.fields import (
    BACKGROUND,
    EXPOSURE,
    SHARP,
    VIEW,
    field,
    flat,
    grid_of,
    nearest,
    places,
)

NARROW = PSF(3.0, 1.7, 20.0, 1.6, 0.12, 600.0)
POINT_COUNTS, CLUSTER_COUNTS, CORE = 60.0, 250.0, 35.0


def test_likelihood_is_that_of_the_gamma_function():
    assert likelihood(7.0, 3) == pytest.approx(-np.log(1.0 - gammainc(1.5, 7.0)))
    assert likelihood(0.0, 4) == likelihood(-3.0, 1) == 0.0
    # Beyond the range of the function: the series goes on where it ends.
    for free in (1, 3, 4):
        steps = np.diff([likelihood(gain, free) for gain in (630.0, 640.0, 650.0, 660.0)])
        assert steps == pytest.approx(10.0, abs=0.2)


# ---- noise ----


@pytest.fixture(scope="module")
def noise() -> FieldImage:
    """1.04 square degrees of background."""
    return field(grid_of(480, 440), np.random.default_rng(21))


def test_noise_gives_few_sources_and_fewer_the_higher_the_likelihood(noise):
    """Some 23 and 9 per deg^2 above 5 and 6 were measured on 26 deg^2 of noise."""
    found = find_sources(noise, SHARP, flat(noise.grid))
    per_deg2 = 1.0 / noise.area_deg2
    assert 10.0 < len(found) * per_deg2 < 36.0
    assert 2.0 < (found.det_like > 6.0).sum() * per_deg2 < 19.0
    assert (found.det_like > 10.0).sum() <= 1
    assert found.extended.sum() <= 2


def test_negative_control_a_background_too_low_gives_many(noise):
    found = find_sources(noise, SHARP, flat(noise.grid, 0.8 * BACKGROUND))
    assert len(found) / noise.area_deg2 > 60.0


# ---- points ----


@pytest.fixture(scope="module")
def points() -> tuple:
    grid = grid_of(420, 380)
    rng = np.random.default_rng(22)
    x, y = places(grid, 300.0, rng)
    image = field(grid, rng, (x, y, POINT_COUNTS, 0.0))
    return image, x, y, find_sources(image, SHARP, flat(grid))


def test_all_points_are_found_where_they_are(points):
    image, x, y, found = points
    row, distance = nearest(found, x, y)
    assert distance.max() < 12.0
    pull = (found.east_arcsec[row] - x) / found.position_error_arcsec[row]
    assert abs(pull.mean()) < 4.5 / np.sqrt(x.size)
    assert 0.8 < pull.std() < 1.25
    ra, dec = VIEW.sky(found.east_arcsec, found.north_arcsec)
    np.testing.assert_array_equal(found.ra_deg, ra)
    np.testing.assert_array_equal(found.dec_deg, dec)
    assert image.grid.index(found.east_arcsec, found.north_arcsec).min() >= 0


def test_counts_of_points_are_not_biased(points):
    """Some 120 sources of 60 +- 9 counts: a bias of 7% stands out."""
    _, x, y, found = points
    row, _ = nearest(found, x, y)
    counts, error = found.counts[row], found.counts_error[row]
    assert_mean(counts, POINT_COUNTS, error.mean(), z_max=4.5)
    assert 4.5 * error.mean() / np.sqrt(x.size) < 0.07 * POINT_COUNTS
    assert 0.8 < ((counts - POINT_COUNTS) / error).std() < 1.25
    np.testing.assert_allclose(found.rate, found.counts / EXPOSURE)


def test_points_are_called_points(points):
    _, x, y, found = points
    row, _ = nearest(found, x, y)
    # A chance of exp(-6) each, and those with a bump of the background beside them.
    assert found.extended[row].sum() <= 2
    assert found.det_like[row].min() > 30.0


def test_negative_control_a_psf_too_narrow_makes_them_extended():
    grid = grid_of(200, 180)
    rng = np.random.default_rng(22)
    x, y = places(grid, 300.0, rng)
    image = field(grid, rng, (x, y, POINT_COUNTS, 0.0))
    found = find_sources(image, NARROW, flat(grid))
    row, _ = nearest(found, x, y)
    assert found.extended[row].mean() > 0.3


def test_the_same_image_gives_the_same_list_and_the_most_likely_stand_first(points):
    image, _, _, found = points
    again = find_sources(image, SHARP, flat(image.grid))
    for one in fields_of(found):
        np.testing.assert_array_equal(getattr(again, one.name), getattr(found, one.name))
    assert (np.diff(found.det_like) <= 0.0).all()
    assert len(found.select(found.det_like > 30.0)) == (found.det_like > 30.0).sum()


# ---- extended sources ----


@pytest.fixture(scope="module")
def clusters() -> tuple:
    grid = grid_of(360, 320)
    rng = np.random.default_rng(23)
    x, y = places(grid, 700.0, rng)
    image = field(grid, rng, (x, y, CLUSTER_COUNTS, CORE))
    return image, x, y, find_sources(image, SHARP, flat(grid))


def test_clusters_are_called_extended(clusters):
    _, x, y, found = clusters
    row, distance = nearest(found, x, y)
    assert distance.max() < 20.0
    assert found.extended[row].all()
    assert found.ext_like[row].min() > 6.0
    assert 0.8 < np.median(found.extent_arcsec[row]) / CORE < 1.25


def test_counts_of_clusters_are_not_biased(clusters):
    """12 of 250 +- 35: a bias of 18% stands out."""
    _, x, y, found = clusters
    row, _ = nearest(found, x, y)
    # The core radius is fitted too: it scatters the counts by some 8%.
    sigma = np.hypot(found.counts_error[row].mean(), 0.08 * CLUSTER_COUNTS)
    assert_mean(found.counts[row], CLUSTER_COUNTS, sigma)


def test_clusters_are_not_split(clusters):
    """Within 100 arcsec (2.4e-3 deg^2) 0.06 spurious sources are expected of each."""
    _, x, y, found = clusters
    r = np.hypot(found.east_arcsec - x[:, None], found.north_arcsec - y[:, None])
    others = (r < 100.0).sum() - x.size
    assert others <= 0.4 * x.size


def test_without_extents_only_points_are_found(clusters):
    image, x, y, _ = clusters
    found = find_sources(image, SHARP, flat(image.grid), extents_arcsec=(0.0,))
    assert not found.extended.any()
    assert nearest(found, x, y)[1].max() < 40.0


def test_a_higher_threshold_of_extent_leaves_points(clusters):
    image, x, y, before = clusters
    found = find_sources(image, SHARP, flat(image.grid), min_extent_likelihood=1e4)
    assert not found.extended.any()
    row, _ = nearest(found, x, y)
    assert found.ext_like[row].max() > 6.0
    assert len(found) >= len(before) - 3


# ---- crowded ----


@pytest.mark.parametrize(("second", "core"), [(60.0, 0.0), (600.0, 40.0)])
def test_neighbours_are_told_apart(second, core):
    """Two points 38 arcsec apart; a point of 150 counts on a cluster, 60 arcsec off its middle."""
    grid = grid_of(300, 250)
    rng = np.random.default_rng(24)
    x, y = places(grid, 500.0, rng)
    step = 38.0 if core == 0.0 else 60.0
    first = 60.0 if core == 0.0 else 150.0
    image = field(grid, rng, (x, y, first, 0.0), (x + 0.6 * step, y - 0.8 * step, second, core))
    found = find_sources(image, SHARP, flat(grid))
    row, distance = nearest(found, x, y)
    other, away = nearest(found, x + 0.6 * step, y - 0.8 * step)
    both = (distance < 14.0) & (away < 25.0) & (row != other)
    assert both.mean() > 0.8
    assert found.extended[other[both]].mean() > 0.85 if core else not found.extended[row].all()
    assert np.median(found.counts[row[both]]) == pytest.approx(first, rel=0.15)
    assert np.median(found.counts[other[both]]) == pytest.approx(second, rel=0.15)


# ---- exposure ----


def test_the_edge_of_the_exposure_makes_no_sources():
    grid = grid_of(420, 380)
    exposure = np.full(grid.shape, EXPOSURE)
    exposure[:, :140] = 0.0
    exposure[200:260, 250:330] = 0.0
    image = field(grid, np.random.default_rng(25), exposure=exposure)
    found = find_sources(image, SHARP, np.where(exposure > 0, BACKGROUND, 0.0))
    assert len(found) / image.area_deg2 < 45.0
    assert (found.exposure_s > 0.0).all()
    assert not found.extended.any()


def test_rates_do_not_depend_on_the_exposure():
    grid = grid_of(420, 380)
    rng = np.random.default_rng(26)
    x, y = places(grid, 300.0, rng)
    deep = x > 0
    exposure = np.where(grid.centres_arcsec()[0] > 0, 2.0, 1.0) * np.full(grid.shape, EXPOSURE)
    image = field(
        grid,
        rng,
        (x[deep], y[deep], 120.0, 0.0),
        (x[~deep], y[~deep], 60.0, 0.0),
        exposure=exposure,
    )
    found = find_sources(image, SHARP, BACKGROUND * exposure / EXPOSURE)
    row, _ = nearest(found, x, y)
    for part, scale in ((deep, 2.0), (~deep, 1.0)):
        error = (found.counts_error[row] / found.exposure_s[row])[part].mean()
        # A source that sits on the step is shared; the step itself is known.
        assert_mean(found.rate[row][part], 60.0 / EXPOSURE, error)
        assert np.median(found.exposure_s[row][part]) == scale * EXPOSURE


def test_a_source_on_the_edge_of_the_image_stays_inside():
    grid = grid_of(60, 50)
    rng = np.random.default_rng(27)
    east = np.array([grid.east_edge_arcsec + 6.0])
    image = field(grid, rng, (east, np.array([0.0]), 400.0, 30.0))
    found = find_sources(image, SHARP, flat(grid))
    assert found.east_arcsec.max() <= grid.east_edge_arcsec + 1e-6
    assert found.counts.max() < 1000.0


@pytest.mark.parametrize("background", [0.0, BACKGROUND])
def test_an_empty_image_holds_nothing(background):
    grid = grid_of(50, 40)
    image = FieldImage(np.zeros(grid.shape, int), np.full(grid.shape, 5.0), grid, VIEW)
    found = find_sources(image, SHARP, flat(grid, background))
    assert len(found) == 0
    assert found.ra_deg.shape == found.extended.shape == (0,)


# ---- bad input ----


def test_a_background_of_another_image_is_refused():
    image = field(grid_of(50, 40), np.random.default_rng(1))
    with pytest.raises(InputError, match=r"background: must have the shape \(40, 50\) of the"):
        find_sources(image, SHARP, np.ones((50, 40)))


@pytest.mark.parametrize("bad", [-0.1, np.nan])
def test_a_background_that_is_no_number_of_counts_is_refused(bad):
    image = field(grid_of(50, 40), np.random.default_rng(1))
    with pytest.raises(InputError, match="background: must be finite and not negative, counts per"):
        find_sources(image, SHARP, np.full((40, 50), bad))


@pytest.mark.parametrize("bad", [0.0, 2.9, np.nan])
def test_too_low_a_likelihood_is_refused(bad):
    image = field(grid_of(50, 40), np.random.default_rng(1))
    with pytest.raises(InputError, match="min_likelihood: must be at least 3; got"):
        find_sources(image, SHARP, flat(image.grid), min_likelihood=bad)
