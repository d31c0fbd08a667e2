"""Numbered random draws: exact twin, uniform, independent along a stream and between streams."""

import numba
import numpy as np
import pytest

from icmass.simulate.photons.random_kernels import substream, uniform
from icmass.simulate.rng import kernel_key, stream
from tests.helpers.stats import Z_MAX, assert_chi_square, assert_mean, chi_square

MASK = (1 << 64) - 1
N = 400_000
KEY = kernel_key(stream(11, "test"))


@numba.njit
def _along(key, number, start, step, out):
    state = substream(key, number)
    for i in range(out.shape[0]):
        out[i] = uniform(state, start + np.uint64(i) * step)


@numba.njit
def _across(key, first, step, counter, out):
    for i in range(out.shape[0]):
        out[i] = uniform(substream(key, first + np.uint64(i) * step), counter)


def along(key: np.ndarray, number: int = 0, start: int = 0, step: int = 1, n: int = N):
    """Draws of one stream, as the Poisson walk of a block takes them."""
    out = np.empty(n)
    words = (np.uint64(w & MASK) for w in (number, start, step))
    _along(np.asarray(key, np.uint64), *words, out)
    return out


def across(key: np.ndarray, counter: int = 0, first: int = 0, step: int = 1, n: int = N):
    """The same draw of many streams, as the photons of a component take them."""
    out = np.empty(n)
    first, step, counter = (np.uint64(w & MASK) for w in (first, step, counter))
    _across(np.asarray(key, np.uint64), first, step, counter, out)
    return out


def twin(key: tuple[int, int], number: int, counter: int) -> float:
    """The same in Python's unbounded integers, written from the paper."""
    golden = 0x9E3779B97F4A7C15

    def mix(word: int) -> int:
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
        return word ^ (word >> 31)

    state = mix(mix((key[0] + number * golden) & MASK) ^ key[1])
    return (mix((state + counter * golden) & MASK) >> 11) / 2**53


def pair_counts(first: np.ndarray, second: np.ndarray, side: int = 32) -> np.ndarray:
    cell = (first * side).astype(int) * side + (second * side).astype(int)
    return np.bincount(cell, minlength=side**2)


def assert_independent(first: np.ndarray, second: np.ndarray) -> None:
    counts = pair_counts(first, second)
    assert_chi_square(counts, np.full(counts.size, first.size / counts.size))


@pytest.mark.parametrize("first", [0, 5, (1 << 40) * 17, MASK - 3])
def test_equals_the_python_twin(first):
    for key in [(0, 0), (MASK, MASK), tuple(int(k) for k in KEY)]:
        expected = [twin(key, (first + i * 7) & MASK, 3) for i in range(20)]
        assert across(key, 3, first, 7, 20).tolist() == expected
        expected = [twin(key, 9, (first + i * 7) & MASK) for i in range(20)]
        assert along(key, 9, first, 7, 20).tolist() == expected


SAMPLES = {
    "one stream": along(KEY),
    "one stream, far along": along(KEY, 3, 1 << 60),
    "photons, first draw": across(KEY),
    "photons, eleventh draw": across(KEY, 11),
    "photons, far away": across(KEY, 2, 1 << 60),
    "every 16th photon": across(KEY, 2, 0, 16),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_uniform(name):
    u = SAMPLES[name]
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert_chi_square(np.bincount((u * 256).astype(int), minlength=256), np.full(256, N / 256))
    assert_mean(u, 0.5, np.sqrt(1 / 12))
    assert_mean(-np.log1p(-u), 1.0, 1.0)  # the tail near 1, which the Poisson walk uses
    low_bits = (u * 2**53).astype(np.int64) & 255
    assert_chi_square(np.bincount(low_bits, minlength=256), np.full(256, N / 256))


def test_a_slight_slope_is_noticed():
    u = SAMPLES["one stream"] ** 1.04
    counts = np.bincount((u * 256).astype(int), minlength=256)
    assert chi_square(counts, np.full(256, N / 256)).z > Z_MAX


@pytest.mark.parametrize("lag", [1, 2, 11, 1 << 40])
def test_draws_of_one_stream_are_independent(lag):
    assert_independent(along(KEY, 0, 0, 3), along(KEY, 0, lag, 3))


@pytest.mark.parametrize("lag", [1, 2, 4096, 1 << 40])
def test_photons_are_independent(lag):
    assert_independent(across(KEY, 1, 0, 3), across(KEY, 1, lag, 3))


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (3, 4), (5, 6), (7, 8), (0, 11)])
def test_draws_of_one_photon_are_independent(pair):
    assert_independent(*(across(KEY, counter) for counter in pair))


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (1, 2)])
def test_draws_of_neighbouring_photons_are_independent(pair):
    assert_independent(across(KEY, pair[0], 0), across(KEY, pair[1], 1))


@pytest.mark.parametrize(
    "other",
    [(1, 0), (0, 1), (0, 1 << 63), (0x9E3779B97F4A7C15, 1)],
    ids=["first+1", "second+1", "top-bit", "shifted-cycle"],
)
def test_keys_are_independent(other):
    with np.errstate(over="ignore"):
        key = KEY + np.array(other, np.uint64)
    assert_independent(across(KEY), across(key))
    assert_independent(along(KEY), along(key))
    assert np.intersect1d(across(KEY), across(key)).size == 0


def test_no_draw_of_many_photons_is_drawn_twice():
    # Streams lie on one cycle of 2^64: none of 4e4 photons begins within ten draws of another.
    draws = np.concatenate([across(KEY, counter, n=40_000) for counter in range(12)])
    assert np.unique(draws).size == draws.size


def test_dependence_is_noticed():
    first, second = along(KEY, 0, 0, 2), along(KEY, 0, 1, 2)
    mixed = np.modf(first + 0.97 * second)[0]
    assert chi_square(pair_counts(first, mixed), np.full(1024, N / 1024)).z > Z_MAX
