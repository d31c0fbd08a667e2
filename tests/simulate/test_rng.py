"""Random streams: repeatable, and no two paths share one."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from icmass.errors import InputError
from icmass.simulate.rng import kernel_key, stream


def numbers(*path, seed: int = 7) -> list[int]:
    return stream(seed, *path).generate_state(4, np.uint64).tolist()


def test_a_stream_is_repeatable():
    assert numbers(3, "agn") == numbers(3, "agn")
    assert np.array_equal(kernel_key(stream(1, "a")), kernel_key(stream(1, "a")))
    assert kernel_key(stream(1, "a")).dtype == np.uint64
    assert kernel_key(stream(1, "a")).shape == (2,)
    assert numbers(np.int64(3), "agn") == numbers(3, "agn")


def test_paths_that_differ_have_streams_that_differ():
    paths = [
        (),
        (0,),
        (0, 0),
        (1,),
        (0, 1),
        (1, 0),
        ("a",),
        ("b",),
        ("a", "b"),
        ("b", "a"),
        ("ab",),
        (1, "a"),
        ("1",),
        ("1", "a"),
        ("", "a"),
        (2**32,),
        (0, 2**32),
        (2**40 + 5,),
        (5, 2**8),
        (2**63,),
    ]
    seen = {tuple(numbers(*path)) for path in paths}
    assert len(seen) == len(paths)
    assert numbers("a", seed=1) != numbers("a", seed=2)
    assert numbers("a", seed=2**62) != numbers("a", seed=2**62 + 1)


def test_a_long_halo_number_is_not_two_short_ones():
    # numpy cuts a number above 2^32 into words, as if they were steps of the path.
    assert numbers(2**32 * 6 + 5) != numbers(5, 6)


@pytest.mark.parametrize("seed", [-1, 1.5, 2**63, "1"])
def test_other_seeds_are_refused(seed):
    with pytest.raises(InputError, match=f"seed: must be a whole number from 0, .*; got {seed!r}"):
        stream(seed, "a")


def test_a_word_is_not_the_number_that_stands_for_it():
    import zlib

    assert numbers("counts") != numbers(zlib.crc32(b"counts"))


@pytest.mark.parametrize("pair", [((1,), (2,)), (("counts",), ("photons",)), ((1, "a"), (1, "b"))])
def test_streams_are_uncorrelated(pair):
    first, second = (np.random.default_rng(stream(5, *path)).random(100_000) for path in pair)
    r = np.corrcoef(first, second)[0, 1]
    assert abs(r) < 4.5 / np.sqrt(first.size)
    assert stats.kstest(first, "uniform").pvalue > 1e-4


def test_keys_of_many_haloes_are_all_different():
    keys = np.array([kernel_key(stream(0, halo, "gas", "photons")) for halo in range(3000)])
    assert len(np.unique(keys[:, 0])) == 3000
    # Bits are fair: each is set in half of the keys.
    bits = np.unpackbits(keys.view(np.uint8)).reshape(3000, 128).mean(axis=0)
    assert np.abs(bits - 0.5).max() < 4.5 * 0.5 / np.sqrt(3000)
    steps = {int(b) - int(a) for a, b in pairwise(keys[:, 0])}
    assert len(steps) == 2999
