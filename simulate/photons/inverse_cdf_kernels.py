"""Drawing from tabulated distributions by guide table (Chen & Asau 1974, AIIE Trans. 6, 163)."""

import numba
import numpy as np

__all__ = ["draw_bin", "fill_guide"]


@numba.njit(cache=True, nogil=True)
def fill_guide(cdf, guide):
    """Fill, for each row, the first bin whose cumulative value exceeds each equal step.

    Parameters
    ----------
    cdf : float32 array, shape (n_row, n_bin)
        Ascending, last entry 1.
    guide : int16 array, shape (n_row, n_guide)
        Filled: entry g is the first bin with cdf > g / n_guide.
    """
    n_guide = guide.shape[1]
    for row in range(cdf.shape[0]):
        bin_index = 0
        for g in range(n_guide):
            step = np.float32(g / n_guide)
            while cdf[row, bin_index] <= step and bin_index < cdf.shape[1] - 1:
                bin_index += 1
            guide[row, g] = bin_index


@numba.njit(cache=True, nogil=True, inline="always")
def draw_bin(cdf, guide, uniform):
    """Return the bin of a uniform number: the first with cdf > uniform.

    Parameters
    ----------
    cdf : float32 array, shape (n_bin,)
        Ascending, last entry 1.
    guide : int16 array, shape (n_guide,)
        From `fill_guide`.
    uniform : float
        In [0, 1).
    """
    bin_index = np.int64(guide[int(uniform * guide.shape[0])])
    while cdf[bin_index] <= uniform:
        bin_index += 1
    return bin_index
