"""Compiled sums of maps over rings, or over parts of rings."""

import numba
import numpy as np

__all__ = ["masked_sums", "ring_sums"]


@numba.njit(cache=True, nogil=True)
def ring_sums(gradient, source, gas, radial_bin, n_radius):
    """Return sums over rings, shape (m, C, n_radius, 5).

    They are of: pixels, |gradient|, gradient, source photons + 1, gas photons + 1.

    Parameters
    ----------
    gradient, source, gas : float arrays, shape (m, C, y, x)
        Source photons are those of gas and AGN.
    radial_bin : int64 array, shape (m, y, x)
        Ring of each pixel.
    n_radius : int
        Number of rings.
    """
    m, n_channel, n_y, n_x = gradient.shape
    result = np.zeros((m, n_channel, n_radius, 5))
    for k in range(m):
        for c in range(n_channel):
            for y in range(n_y):
                for x in range(n_x):
                    ring = result[k, c, radial_bin[k, y, x]]
                    g = gradient[k, c, y, x]
                    ring[0] += 1.0
                    ring[1] += abs(g)
                    ring[2] += g
                    ring[3] += source[k, c, y, x] + 1.0
                    ring[4] += gas[k, c, y, x] + 1.0
    return result


@numba.njit(cache=True, nogil=True)
def masked_sums(gradient, counts, kind, radial_bin, n_kind, n_radius):
    """Return sums over rings by kind of pixel, shape (m, C, n_kind, n_radius, 3).

    They are of: pixels, |gradient|, |gradient| / (photons + 1).

    Parameters
    ----------
    gradient, counts : float arrays, shape (m, C, y, x)
    kind : int array, shape (m, y, x)
        Of each pixel, 0 and above.
    radial_bin : int64 array, shape (m, y, x)
        Ring of each pixel.
    n_kind, n_radius : int
        Number of kinds and of rings.
    """
    m, n_channel, n_y, n_x = gradient.shape
    result = np.zeros((m, n_channel, n_kind, n_radius, 3))
    for k in range(m):
        for c in range(n_channel):
            for y in range(n_y):
                for x in range(n_x):
                    part = result[k, c, kind[k, y, x], radial_bin[k, y, x]]
                    s = abs(gradient[k, c, y, x])
                    part[0] += 1.0
                    part[1] += s
                    part[2] += s / (counts[k, c, y, x] + 1.0)
    return result
