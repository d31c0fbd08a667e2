"""Random numbers by position: any number of any stream, without a state to carry.

The generator is SplitMix64 (Steele, Lea & Flood 2014, OOPSLA). A photon, or a block of emitters,
has a stream of its own that begins at a hash of a 128-bit key and its number. Any thread can draw
any number, so the result does not depend on how work is divided.
"""

import numba
import numpy as np

__all__ = ["substream", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_1 = np.uint64(30)
_SHIFT_2 = np.uint64(27)
_SHIFT_3 = np.uint64(31)
_SHIFT_TO_53_BITS = np.uint64(11)
_TWO_TO_MINUS_53 = 1.0 / 9007199254740992.0


@numba.njit(cache=True, nogil=True, inline="always")
def _mix(word):
    word = (word ^ (word >> _SHIFT_1)) * _MIX_1
    word = (word ^ (word >> _SHIFT_2)) * _MIX_2
    return word ^ (word >> _SHIFT_3)


@numba.njit(cache=True, nogil=True, inline="always")
def substream(key, number):
    """Return the start of stream `number` under a key.

    Parameters
    ----------
    key : uint64 array, shape (2,)
        From `icmass.simulate.rng.kernel_key`.
    number : uint64
        Of the photon, or of the block of emitters.

    Returns
    -------
    uint64
    """
    return _mix(_mix(key[0] + number * _GOLDEN) ^ key[1])


@numba.njit(cache=True, nogil=True, inline="always")
def uniform(start, counter):
    """Return number `counter` of the stream that begins at `start`, uniform in [0, 1).

    Both are uint64; the result has 53 random bits.
    """
    word = _mix(start + counter * _GOLDEN)
    return np.float64(word >> _SHIFT_TO_53_BITS) * _TWO_TO_MINUS_53
