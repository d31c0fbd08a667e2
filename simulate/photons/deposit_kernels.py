"""Lay expected counts on pixels: SPH kernels, patches of sky, point sources with their PSF.

Every emitter's counts are conserved: what falls outside the grid or the field is lost.
"""

import math

import numba

from icmass.simulate.photons.emitter_kernels import in_field

__all__ = ["deposit_kernels", "deposit_points", "deposit_rectangles"]

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
        Expected of each particle.
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
def deposit_rectangles(east, north, density, east_edge, south_edge, pixel, image):
    """Add uniform rectangles to an image by exact overlap.

    Parameters
    ----------
    east, north : float64 arrays, shape (n, 2), arcsec
        Lower and upper limit of each rectangle; an empty one has them equal.
    density : float64 array, shape (n,)
        Counts per arcsec^2.
    east_edge, south_edge, pixel, image
        As in `deposit_kernels`.
    """
    n_y, n_x = image.shape
    for i in range(density.shape[0]):
        left, right = (east_edge - east[i, 1]) / pixel, (east_edge - east[i, 0]) / pixel
        low, high = (north[i, 0] - south_edge) / pixel, (north[i, 1] - south_edge) / pixel
        counts = density[i] * pixel * pixel
        for row in range(max(math.floor(low), 0), min(math.floor(high) + 1, n_y)):
            height = counts * _overlap(low, high, row)
            for column in range(max(math.floor(left), 0), min(math.floor(right) + 1, n_x)):
                image[row, column] += height * _overlap(left, right, column)


@numba.njit(cache=True, nogil=True)
def deposit_points(
    east,
    north,
    scale,
    counts,
    east_edge,
    south_edge,
    pixel,
    density,
    max_radius,
    samples,
    field,
    image,
):
    """Add point sources spread by the PSF at their true places, as far as the field reaches.

    Parameters
    ----------
    east, north : float32 arrays, shape (n,), arcsec
        Their places.
    scale : float64 array, shape (n,)
        Growth of the PSF off axis.
    counts : float64 array, shape (n,)
        Expected of each source.
    east_edge, south_edge, pixel : float
        As in `deposit_kernels`.
    density : float64 array
        PSF at evenly spaced radii from 0 to `max_radius`, arcsec^-2, for scale 1.
    max_radius : float
        Where the PSF ends, arcsec.
    samples : int
        Each pixel is the mean of samples x samples points.
    field : (int, float)
        1 for a circle about the pointing, and the half width [arcsec]; see `detector`.
    image : float64 array, shape (n_y, n_x)
        Added to.
    """
    n_y, n_x = image.shape
    is_circle, half_width = field
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
                    y = south_edge + row * pixel + (a + 0.5) * step
                    for b in range(samples):
                        x = east_edge - column * pixel - (b + 0.5) * step
                        if not in_field(x, y, is_circle, half_width):
                            continue
                        dx, dy = x - east[i], y - north[i]
                        level = math.sqrt(dx * dx + dy * dy) * to_index
                        cell = int(level)
                        if cell < steps:
                            total += density[cell] + (level - cell) * (
                                density[cell + 1] - density[cell]
                            )
                image[row, column] += weight * total
