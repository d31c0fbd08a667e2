"""Numbered random draws: exact twin, uniform, independent along a stream and between streams."""

import numba
import numpy as np
import pytest

from icmass.simulate.photons.random_kernels import uniform
from icmass.simulate.rng import kernel_key, stream
from tests.helpers.stats import Z_MAX, assert_chi_square, assert_mean, chi_square

MASK = (1 << 64) - 1
N = 400_000
KEY = kernel_key(stream(11, "test"))


@numba.njit
def _draws(key, start, step, out):
    for i in range(out.shape[0]):
        out[i] = uniform(key, start + np.uint64(i) * step)


def draws(key: np.ndarray, start: int = 0, step: int = 1, n: int = N) -> np.ndarray:
    out = np.empty(n)
    _draws(np.asarray(key, np.uint64), np.uint64(start & MASK), np.uint64(step), out)
    return out


def twin(key: tuple[int, int], counter: int) -> float:
    """The same in Python's unbounded integers, written from the paper."""

    def mix(word: int) -> int:
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
        return word ^ (word >> 31)

    word = mix((key[0] + counter * 0x9E3779B97F4A7C15) & MASK)
    return (mix(word ^ key[1]) >> 11) / 2**53


def pair_counts(first: np.ndarray, second: np.ndarray, side: int = 32) -> np.ndarray:
    cell = (first * side).astype(int) * side + (second * side).astype(int)
    return np.bincount(cell, minlength=side**2)


def assert_independent(first: np.ndarray, second: np.ndarray) -> None:
    counts = pair_counts(first, second)
    assert_chi_square(counts, np.full(counts.size, first.size / counts.size))


@pytest.mark.parametrize("start", [0, 5, (1 << 40) * 17, MASK - 3])
def test_equals_the_python_twin(start):
    for key in [(0, 0), (MASK, MASK), tuple(int(k) for k in KEY)]:
        expected = [twin(key, (start + i * 7) & MASK) for i in range(20)]
        assert draws(key, start, 7, 20).tolist() == expected


@pytest.mark.parametrize(
    ("start", "step"),
    [(0, 1), (3, 16), (0, 1 << 40), (1 << 60, 1)],
    ids=["consecutive", "one-per-event", "one-per-block", "far-away"],
)
def test_uniform(start, step):
    u = draws(KEY, start, step)
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert_chi_square(np.bincount((u * 256).astype(int), minlength=256), np.full(256, N / 256))
    assert_mean(u, 0.5, np.sqrt(1 / 12))
    assert_mean(-np.log1p(-u), 1.0, 1.0)  # the tail near 1, which the Poisson walk uses


def test_low_bits_are_uniform_too():
    low = (draws(KEY) * 2**53).astype(np.int64) & 255
    assert_chi_square(np.bincount(low, minlength=256), np.full(256, N / 256))


def test_a_slight_slope_is_noticed():
    u = draws(KEY) ** 1.04
    counts = np.bincount((u * 256).astype(int), minlength=256)
    assert chi_square(counts, np.full(256, N / 256)).z > Z_MAX


@pytest.mark.parametrize("lag", [1, 3, 15, 16, 1 << 40])
def test_draws_of_one_stream_are_independent(lag):
    assert_independent(draws(KEY, 0, 16), draws(KEY, lag, 16))


@pytest.mark.parametrize(
    "other",
    [
        (1, 0),
        (0, 1),
        (0, 1 << 63),
        (0x9E3779B97F4A7C15, 1),
        (0x9E3779B97F4A7C15, 0),
    ],
    ids=["first+1", "second+1", "top-bit", "shifted-cycle", "neighbour-in-the-cycle"],
)
def test_streams_of_other_keys_are_independent(other):
    with np.errstate(over="ignore"):
        key = KEY + np.array(other, np.uint64)
    assert_independent(draws(KEY, 0, 2), draws(key, 0, 2))


def test_streams_do_not_share_a_cycle():
    # Keys that differ in both halves: no draw of one is found among the other's.
    with np.errstate(over="ignore"):
        key = KEY + np.array([0x9E3779B97F4A7C15, 1], np.uint64)
    assert np.intersect1d(draws(KEY), draws(key)).size == 0


def test_dependence_is_noticed():
    first, second = draws(KEY, 0, 2), draws(KEY, 1, 2)
    mixed = np.modf(first + 0.97 * second)[0]
    assert chi_square(pair_counts(first, mixed), np.full(1024, N / 1024)).z > Z_MAX
