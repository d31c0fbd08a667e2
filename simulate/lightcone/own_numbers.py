"""Random numbers of a halo by its key alone, whichever other haloes there are.

SplitMix64 as in `icmass.simulate.photons.random_kernels`, here for whole arrays.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from icmass.simulate.rng import kernel_key, stream

__all__ = ["own_normals", "own_uniforms"]

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def own_uniforms(seed: int, name: str, key: NDArray[np.int64], count: int) -> Floats:
    """Draw numbers of each halo, uniform in (0, 1).

    Parameters
    ----------
    seed : int
        Of the light cone.
    name : str
        What they are for.
    key : ndarray of int64, shape (n,)
        Of the haloes.
    count : int
        Numbers for each.

    Returns
    -------
    ndarray, shape (n, count)
    """
    words = kernel_key(stream(seed, "lightcone", "own", name))
    start = _mix(_mix(words[0] + key.astype(np.uint64) * _GOLDEN) ^ words[1])
    word = _mix(start[:, None] + np.arange(count, dtype=np.uint64) * _GOLDEN)
    return ((word >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def own_normals(seed: int, name: str, key: NDArray[np.int64], count: int) -> Floats:
    """Draw standard normal numbers of each halo.

    Parameters
    ----------
    seed, name, key, count
        As for `own_uniforms`.

    Returns
    -------
    ndarray, shape (n, count)
    """
    return np.asarray(ndtri(own_uniforms(seed, name, key, count)))


def _mix(word: Words) -> Words:
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    return word ^ (word >> np.uint64(31))
