"""Who sends how many photons: independent Poisson numbers for every emitter."""

import numba
import numpy as np
import pytest
from scipy import stats

from icmass.errors import InputError
from icmass.simulate.photons.draw import draw_parents
from icmass.simulate.photons.draw_kernels import BLOCK
from icmass.simulate.rng import kernel_key, stream
from tests.helpers.stats import Z_MAX, assert_chi_square, assert_mean, assert_poisson, chi_square


def key(seed: int) -> np.ndarray:
    return kernel_key(stream(seed, "counts"))


def numbers(expected: np.ndarray, seed: int = 3) -> np.ndarray:
    """How many photons each emitter sends."""
    return np.bincount(draw_parents(expected, key(seed)), minlength=len(expected))


def dispersion_z(counts: np.ndarray, expected: np.ndarray) -> float:
    """Deviation of the sum of (n - mu)^2 / mu from that of Poisson numbers, in sigma."""
    return chi_square(counts, expected, min_expected=0.0).z


def assert_poisson_class(counts: np.ndarray, mean: float) -> None:
    """Chi-square of how often each number occurs among emitters of one expectation."""
    number = np.arange(counts.max() + 2)
    chance = stats.poisson.pmf(number, mean)
    chance[-1] = stats.poisson.sf(number[-1] - 1, mean)
    assert_chi_square(np.bincount(counts, minlength=number.size), counts.size * chance)


@pytest.mark.parametrize("mean", [0.01, 0.3, 3.0, 40.0])
def test_numbers_are_poisson(mean):
    expected = np.full(30_000, mean)
    counts = numbers(expected)
    assert_poisson(counts.sum(), expected.sum(), bias=8.5 / np.sqrt(expected.sum()))
    assert abs(dispersion_z(counts, expected)) < Z_MAX
    assert_poisson_class(counts, mean)


def test_classes_mixed_in_one_array_are_each_poisson():
    expected = np.tile([0.2, 0.0, 5.0, 1.0], 20_000)
    counts = numbers(expected)
    for first in (0, 2, 3):
        assert_poisson_class(counts[first::4], expected[first])
    assert_poisson(counts.sum(), expected.sum(), bias=0.025)
    assert abs(dispersion_z(counts[2::4], expected[2::4])) < Z_MAX


def test_neighbours_are_independent():
    expected = np.full(100_000, 2.0)
    deviation = numbers(expected) - expected
    for lag in (1, 2, BLOCK):
        assert_mean(deviation[lag:] * deviation[:-lag], 0.0, sigma=2.0)


def test_seeds_are_independent():
    expected = np.full(100_000, 2.0)
    first, second = numbers(expected, 3) - expected, numbers(expected, 4) - expected
    assert_mean(first * second, 0.0, sigma=2.0)


def test_counts_drawn_twice_are_noticed():
    expected = np.full(10_000, 3.0)
    doubled = 2 * numbers(expected / 2)
    assert dispersion_z(doubled, expected) > Z_MAX
    with pytest.raises(AssertionError):
        assert_poisson_class(doubled, 3.0)


def test_rounded_expectations_are_noticed():
    expected = np.full(10_000, 3.0)
    assert dispersion_z(np.full(10_000, 3), expected) < -Z_MAX


@pytest.mark.parametrize("place", ["first", "last", "alternate", "whole blocks"])
def test_what_does_not_shine_sends_nothing(place):
    expected = np.full(3 * BLOCK, 4.0)
    dark = np.zeros(expected.size, bool)
    dark[{"first": slice(10), "last": slice(-10, None), "alternate": slice(None, None, 2),
          "whole blocks": slice(BLOCK, 2 * BLOCK)}[place]] = True  # fmt: skip
    expected[dark] = 0.0
    counts = numbers(expected)
    assert counts[dark].sum() == 0
    assert_poisson(counts.sum(), expected.sum(), bias=0.06)


def test_one_very_bright_emitter_among_faint_ones():
    expected = np.full(3 * BLOCK, 0.5)
    bright = BLOCK + 7
    expected[bright] = 3e6
    counts = numbers(expected)
    assert_poisson(counts[bright], 3e6, bias=0.01)
    faint = np.delete(counts, bright)
    assert_poisson(faint.sum(), 0.5 * faint.size, bias=0.12)
    assert_poisson_class(faint, 0.5)
    # Those after the bright one in its block too.
    assert_poisson_class(counts[bright + 1 : 2 * BLOCK], 0.5)


@pytest.mark.parametrize("n", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1])
def test_any_number_of_emitters(n):
    rows = draw_parents(np.full(n, 30.0), key(8))
    assert rows.dtype == np.int64
    assert (np.diff(rows) >= 0).all()
    counts = np.bincount(rows, minlength=n)
    assert counts.size == n
    assert (counts > 0).all()  # exp(-30) each
    if n:
        assert abs(counts.sum() - 30 * n) < Z_MAX * np.sqrt(30 * n)


def test_blocks_do_not_know_of_those_behind_them():
    expected = np.full(BLOCK + 1, 2.0)
    rows = draw_parents(expected, key(5))
    alone = draw_parents(expected[:BLOCK], key(5))
    assert np.array_equal(rows[rows < BLOCK], alone)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one thread only")
def test_threads_do_not_matter():
    expected = np.linspace(0.0, 3.0, 5 * BLOCK + 11)
    before = numba.get_num_threads()
    rows = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            rows.append(draw_parents(expected, key(6)))
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(*rows)


@pytest.mark.parametrize("total", [3e9, np.inf, np.nan])
def test_too_many_events_are_refused_before_memory_is_taken(total):
    with pytest.raises(InputError, match=r"^exposure: must give fewer than \S+ events"):
        draw_parents(np.array([1.0, total]), key(1))
