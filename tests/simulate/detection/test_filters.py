"""Profiles of sources on pixels, and the filters made of them."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from icmass.errors import InputError
from icmass.simulate.detection.filters import FilterBank, Profiles, beta_profile, find_peaks
from tests.helpers.stats import assert_poisson
from tests.simulate.detection.fields import BACKGROUND, PIXEL, SHARP, field, flat, grid_of, photons

EXTENTS = (0.0, 10.0, 20.0, 40.0, 60.0, 80.0)


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    return Profiles.of(SHARP, EXTENTS, PIXEL)


def test_beta_model_has_the_integral_one():
    inside = quad(lambda r: 2 * np.pi * r * float(beta_profile(r, 35.0)), 0.0, 350.0)[0]
    assert inside == pytest.approx(1.0, rel=1e-8)
    assert beta_profile(np.array([351.0]), 35.0)[0] == 0.0
    assert beta_profile(35.0, 35.0) / beta_profile(0.0, 35.0) == pytest.approx(2.0**-1.5)


def test_point_profile_is_the_psf_averaged_over_the_pixel(profiles):
    """Slow twin: the mean over 40 x 40 places in the pixel."""
    steps = (np.arange(40) + 0.5) / 40.0 - 0.5
    for node in (0, 5, 8, 20, 64, 200):
        r = node * profiles.step
        # Along 0 and 45 degrees: the profile is the mean over directions.
        means = []
        for angle in np.pi / 4 * (np.arange(6) + 0.5) / 6:
            x = r * np.cos(angle) + steps[:, None]
            y = r * np.sin(angle) + steps[None, :]
            means.append(SHARP.density(np.hypot(x, y) * PIXEL).mean() * PIXEL**2)
        assert profiles.table[0, node] == pytest.approx(np.mean(means), rel=0.01)


def test_profiles_hold_all_photons_or_what_the_table_reaches(profiles):
    sums = [profiles.image(k, profiles.reach).sum() for k in range(len(EXTENTS))]
    # The beta model of 80 arcsec reaches to 800 arcsec, the table to 640.
    assert sums == pytest.approx([1.0, 1.0, 1.0, 1.0, 1.0, 0.97], abs=0.005)


def test_extended_profile_is_that_of_drawn_photons(profiles):
    rng = np.random.default_rng(2)
    x, y = photons([0.0], [0.0], 60_000, 40.0, rng)
    image = profiles.image(3, 40.0)
    for radius in (3.0, 8.0, 20.0):
        r = np.hypot(*np.mgrid[-40:41, -40:41])
        inside = np.hypot(x, y) < (radius + 0.5) * PIXEL
        # Pixels are whole or not at all in the circle.
        share = image[r < radius + 0.5].sum() * (np.pi * (radius + 0.5) ** 2)
        share /= (r < radius + 0.5).sum()
        assert_poisson(inside.sum(), 60_000 * share, bias=0.09)


@pytest.mark.parametrize("bad", [(), (10.0, 20.0), (0.0, 20.0, 20.0), (0.0, -5.0)])
def test_extents_must_ascend_from_zero(bad):
    with pytest.raises(InputError, match=r"extents_arcsec: must ascend from 0 \(a point source\)"):
        Profiles.of(SHARP, bad, PIXEL)


def test_extents_beyond_the_table_are_refused():
    with pytest.raises(InputError, match="extents_arcsec: must be at most 320; got 400"):
        Profiles.of(SHARP, (0.0, 400.0), PIXEL)


def filtered(profiles: Profiles, scale: float = 1.0) -> np.ndarray:
    grid = grid_of(500, 460)
    image = field(grid, np.random.default_rng(5))
    bank = FilterBank(
        Profiles(EXTENTS[:1], PIXEL, profiles.step, profiles.table[:1]), 0.12, grid.shape
    )
    return bank.significance(image.counts, scale * flat(grid))[0]


def test_likelihood_of_noise_is_the_chance_it_names(profiles):
    """One place in exp(5) reaches 5; places within the PSF are not independent: factor 1.6."""
    share = (filtered(profiles) > 5.0).mean() / np.exp(-5.0)
    assert 1 / 1.6 < share < 1.6


def test_negative_control_a_background_a_sixth_too_low_is_noticed(profiles):
    assert (filtered(profiles, 0.85) > 5.0).mean() / np.exp(-5.0) > 1.6


def test_weighted_sums_are_the_slow_ones(profiles):
    """Edges included: nothing wraps round, what lies outside counts as nothing."""
    grid = grid_of(40, 31)
    rng = np.random.default_rng(8)
    counts = rng.poisson(BACKGROUND, grid.shape)
    counts[0, 0], counts[30, 39] = 9, 14
    few = Profiles((0.0, 20.0), PIXEL, profiles.step, profiles.table[[0, 2]])
    bank = FilterBank(few, BACKGROUND, grid.shape)
    likelihood, extent = bank.significance(counts, flat(grid))
    y, x = np.mgrid[:31, :40]
    for row, column in ((0, 0), (30, 39), (29, 38)):
        k = extent[row, column]
        r = np.hypot(y - row, x - column)
        reach = (60.0 + 3.0 * few.extents_arcsec[k]) / PIXEL
        shape = np.interp(r, few.step * np.arange(few.table.shape[1]), few.table[k])
        ratio = strength(few.image(k, reach)) / BACKGROUND
        w = np.log1p(ratio * np.where(r <= reach, shape, 0.0))
        total, mean, variance = (counts * w).sum(), BACKGROUND * w.sum(), BACKGROUND * (w**2).sum()
        # P(a Poisson variable of mean mu is k or more) is the gamma distribution of k at mu.
        tail = -stats.gamma.logcdf(mean**2 / variance, total * mean / variance)
        assert likelihood[row, column] == pytest.approx(tail, rel=0.02, abs=0.1)


def strength(image: np.ndarray) -> float:
    """Counts for which the mean ln L against nothing is 8."""
    s = np.geomspace(0.1, 500.0, 501)
    after = BACKGROUND + s[:, None] * image.ravel()
    gain = (after * np.log(after / BACKGROUND) - after + BACKGROUND).sum(axis=1)
    return float(np.interp(8.0, gain, s))


def test_peaks_come_in_order_and_equal_neighbours_count_once():
    values = np.zeros((6, 8), np.float32)
    values[1, 1], values[1, 2], values[4, 6], values[5, 0] = 7.0, 5.0, 9.0, 3.0
    values[3, 3] = values[3, 4] = 6.0
    rows, columns = find_peaks(values, 4.0)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(4, 6), (1, 1), (3, 3)]
