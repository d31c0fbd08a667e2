"""Lay expected counts on pixels: SPH kernels, squares of sky, point sources with their PSF.

Every emitter's counts are conserved: what falls outside the grid is lost, nothing else.
"""

import math

import numba

__all__ = ["deposit_kernels", "deposit_points", "deposit_squares"]

# A particle with a support radius above this many pixels is evaluated at pixel centres.
_RESOLVED_PIXELS = 3.0


@numba.njit(cache=True, nogil=True)
def deposit_kernels(
    east, north, extent, counts, east_edge, south_edge, pixel, density, stand_in, image
):
    """Add projected SPH particles to an image.

    Parameters
    ----------
    east, north, extent : float32 arrays, shape (n,), arcsec
        Position and support radius.
    counts : float64 array, shape (n,)
    east_edge, south_edge, pixel : float
        Where column 0 and row 0 begin, and the pixel side, arcsec.
    density : float64 array
        Column density of the kernel at evenly spaced squared radii (r/H)^2 from 0 to 1, any unit.
    stand_in : float64 array, shape (n_point, 2)
        Points of equal weight in the unit disc that stand for a small particle.
    image : float64 array, shape (n_y, n_x)
        Added to.
    """
    n_y, n_x = image.shape
    n_point = stand_in.shape[0]
    steps = density.shape[0] - 1
    for i in range(counts.shape[0]):
        if counts[i] == 0.0:
            continue
        x = (east_edge - east[i]) / pixel
        y = (north[i] - south_edge) / pixel
        h = extent[i] / pixel
        if x + h < 0.0 or y + h < 0.0 or x - h > n_x or y - h > n_y:
            continue
        if h < _RESOLVED_PIXELS:
            share = counts[i] / n_point
            for k in range(n_point):
                column = math.floor(x + h * stand_in[k, 0])
                row = math.floor(y + h * stand_in[k, 1])
                if 0 <= column < n_x and 0 <= row < n_y:
                    image[row, column] += share
            continue
        first_column, last_column = math.floor(x - h), math.floor(x + h)
        first_row, last_row = math.floor(y - h), math.floor(y + h)
        total = 0.0
        for row in range(first_row, last_row + 1):
            dy2 = ((row + 0.5 - y) / h) ** 2
            for column in range(first_column, last_column + 1):
                q2 = dy2 + ((column + 0.5 - x) / h) ** 2
                if q2 < 1.0:
                    total += density[int(q2 * steps + 0.5)]
        share = counts[i] / total
        for row in range(max(first_row, 0), min(last_row + 1, n_y)):
            dy2 = ((row + 0.5 - y) / h) ** 2
            for column in range(max(first_column, 0), min(last_column + 1, n_x)):
                q2 = dy2 + ((column + 0.5 - x) / h) ** 2
                if q2 < 1.0:
                    image[row, column] += share * density[int(q2 * steps + 0.5)]


@numba.njit(cache=True, nogil=True, inline="always")
def _overlap(lo, hi, cell):
    return max(0.0, min(hi, cell + 1.0) - max(lo, float(cell)))


@numba.njit(cache=True, nogil=True)
def deposit_squares(east, north, half_side, counts, east_edge, south_edge, pixel, image):
    """Add uniform squares to an image by exact overlap; arguments as in `deposit_kernels`."""
    n_y, n_x = image.shape
    for i in range(counts.shape[0]):
        h = half_side[i] / pixel
        x = (east_edge - east[i]) / pixel
        y = (north[i] - south_edge) / pixel
        density = counts[i] / (4.0 * h * h)
        for row in range(max(math.floor(y - h), 0), min(math.floor(y + h) + 1, n_y)):
            height = density * _overlap(y - h, y + h, row)
            for column in range(max(math.floor(x - h), 0), min(math.floor(x + h) + 1, n_x)):
                image[row, column] += height * _overlap(x - h, x + h, column)


@numba.njit(cache=True, nogil=True)
def deposit_points(
    east, north, scale, counts, east_edge, south_edge, pixel, density, max_radius, samples, image
):
    """Add point sources spread by the PSF at their true places.

    Parameters
    ----------
    east, north : float32 arrays, shape (n,), arcsec
    scale : float64 array, shape (n,)
        Growth of the PSF off axis.
    counts : float64 array, shape (n,)
    east_edge, south_edge, pixel : float
        As in `deposit_kernels`.
    density : float64 array
        PSF at evenly spaced radii from 0 to `max_radius`, arcsec^-2, for scale 1.
    max_radius : float
        Where the PSF ends, arcsec.
    samples : int
        Each pixel is the mean of samples x samples points.
    image : float64 array, shape (n_y, n_x)
        Added to.
    """
    n_y, n_x = image.shape
    steps = density.shape[0] - 1
    step = pixel / samples
    for i in range(counts.shape[0]):
        reach = max_radius * scale[i]
        first_column = max(math.floor((east_edge - east[i] - reach) / pixel), 0)
        last_column = min(math.floor((east_edge - east[i] + reach) / pixel), n_x - 1)
        first_row = max(math.floor((north[i] - reach - south_edge) / pixel), 0)
        last_row = min(math.floor((north[i] + reach - south_edge) / pixel), n_y - 1)
        weight = counts[i] * step * step / scale[i] ** 2
        to_index = steps / reach
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                total = 0.0
                for a in range(samples):
                    dy = south_edge + row * pixel + (a + 0.5) * step - north[i]
                    for b in range(samples):
                        dx = east_edge - column * pixel - (b + 0.5) * step - east[i]
                        level = math.sqrt(dx * dx + dy * dy) * to_index
                        cell = int(level)
                        if cell < steps:
                            total += density[cell] + (level - cell) * (
                                density[cell + 1] - density[cell]
                            )
                image[row, column] += weight * total
