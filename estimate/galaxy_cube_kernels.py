"""Compiled loop over galaxies: a sum of equal Gaussians on a grid, each only where it counts."""

import math

import numba
import numpy as np

__all__ = ["add_gaussians"]


@numba.njit(cache=True, nogil=True)
def add_gaussians(places, width, slope, reach, cube):
    """Add a Gaussian of peak 1 around every place, at cell centres inside its ellipsoid.

    The Gaussian is the product of three: of v; of y about its mean for that v; of x about its mean
    for those v and y. Along x it is exp(-(k - d)^2 / 2 s^2), k cells from the one next to the mean,
    which is exp(-k^2 / 2 s^2), the same for all galaxies, times a power of exp(d / s^2).

    Parameters
    ----------
    places : float64 array, shape (m, 3)
        Where the galaxies lie along v, y and x; cell centres are whole numbers.
    width : float64 array, shape (3,)
        Standard deviations of v, of y at given v, of x at given v and y, cells.
    slope : float64 array, shape (3,)
        What the mean of y moves per cell of v, that of x per cell of v, and per cell of y.
    reach : float
        Where the Gaussian ends, standard deviations.
    cube : float64 array, shape (n, n, n)
        Added to.
    """
    n_v, n_y, n_x = cube.shape
    table = np.exp(-0.5 * (np.arange(n_x + 2 + 2 * int(reach * width[2])) / width[2]) ** 2)
    narrow = 1.0 / (width[2] * width[2])
    for g in range(places.shape[0]):
        at_v, at_y, at_x = places[g]
        half_v = reach * width[0]
        first_v, last_v = max(math.ceil(at_v - half_v), 0), min(math.floor(at_v + half_v), n_v - 1)
        for v in range(first_v, last_v + 1):
            dv = v - at_v
            left_v = reach * reach - (dv / width[0]) ** 2
            half_y = width[1] * math.sqrt(max(left_v, 0.0))
            mean_y = at_y + slope[0] * dv
            first_y = max(math.ceil(mean_y - half_y), 0)
            last_y = min(math.floor(mean_y + half_y), n_y - 1)
            for y in range(first_y, last_y + 1):
                dy = y - mean_y
                left = left_v - (dy / width[1]) ** 2
                half_x = width[2] * math.sqrt(max(left, 0.0))
                mean_x = at_x + slope[1] * dv + slope[2] * dy
                first_x = max(math.ceil(mean_x - half_x), 0)
                last_x = min(math.floor(mean_x + half_x), n_x - 1)
                if first_x > last_x:
                    continue
                middle = math.floor(mean_x + 0.5)
                off = mean_x - middle
                peak = math.exp(-0.5 * (reach * reach - left + off * off * narrow))
                step = math.exp(off * narrow)
                value = peak
                for x in range(middle, last_x + 1):
                    if x >= first_x:
                        cube[v, y, x] += value * table[x - middle]
                    value *= step
                step = 1.0 / step
                value = peak * step
                for x in range(middle - 1, first_x - 1, -1):
                    if x <= last_x:
                        cube[v, y, x] += value * table[middle - x]
                    value *= step
