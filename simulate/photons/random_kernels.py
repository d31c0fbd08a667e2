"""Random numbers by position: the draw number `counter` of a stream is a function of its key.

SplitMix64 (Steele, Lea & Flood 2014, OOPSLA) read as a counter-based generator and mixed twice with
two halves of a 128-bit key, so that streams of different keys do not share a cycle. Since no state
is carried, any thread can draw any number, and the result does not depend on how work is divided.
"""

import numba
import numpy as np

__all__ = ["uniform"]

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
def uniform(key, counter):
    """Return number `counter` of the stream of `key`, uniform in [0, 1) with 53 bits.

    Parameters
    ----------
    key : uint64 array, shape (2,)
    counter : uint64
    """
    word = _mix(key[0] + counter * _GOLDEN)
    word = _mix(word ^ key[1])
    return np.float64(word >> _SHIFT_TO_53_BITS) * _TWO_TO_MINUS_53
