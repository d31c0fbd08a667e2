"""Compiled counting of pixels: into sparse tables of each cluster, and from these into histograms.

A code numbers the cell (class, channel, counts, radius, saliency), the last fastest. A class is the
origin with most photons in a pixel, in the order of the origins, and after these "mixed": several
have most. Empty pixels have no class.
"""

import math

import numba
import numpy as np

__all__ = [
    "code_pixels",
    "matched_histograms",
    "paired_histograms",
    "tabulate",
    "weighted_histogram",
]


@numba.njit(cache=True, nogil=True)
def _class(counts, k, channel, y, x):
    """Return the class of a pixel and its photons."""
    n_origin = counts.shape[1]
    best, most, total, ties = 0, 0, 0, 0
    for origin in range(n_origin):
        n = counts[k, origin, channel, y, x]
        total += n
        if n > most:
            best, most, ties = origin, n, 1
        elif n == most:
            ties += 1
    return (best if ties == 1 else n_origin), total


@numba.njit(cache=True, nogil=True)
def code_pixels(saliency, counts, radial_bin, count_bin, log_low, per_dex, n_radius, n_bin, every):
    """Return the codes of filled pixels, their saliency, and where each cluster begins.

    Parameters
    ----------
    saliency : float array, shape (m, C, y, x)
    counts : int64 array, shape (m, O, C, y, x)
        Photons of O origins.
    radial_bin : int64 array, shape (m, y, x)
    count_bin : int64 array, shape (k,)
        Bin of 0, 1, 2 ... photons, its last that of more.
    log_low, per_dex : float
        log10 saliency at which bins begin, and bins per factor of 10.
    n_radius, n_bin : int
        Number of bins of radius and of saliency.
    every : int array, shape (m, C, n_bin)
        Added to: all pixels by saliency, also empty ones.
    """
    m, n_channel, n_y, n_x = saliency.shape
    n_counts = count_bin[-1] + 1
    code = np.empty(saliency.size, np.int64)
    value = np.empty(saliency.size, np.float64)
    start = np.zeros(m + 1, np.int64)
    n = 0
    for k in range(m):
        for c in range(n_channel):
            for y in range(n_y):
                for x in range(n_x):
                    s = saliency[k, c, y, x]
                    b = 0
                    if s > 0.0:
                        b = math.floor((math.log10(s) - log_low) * per_dex)
                        b = min(max(b, 0), n_bin - 1)
                    every[k, c, b] += 1
                    kind, total = _class(counts, k, c, y, x)
                    if total == 0:
                        continue
                    t = count_bin[min(total, count_bin.shape[0] - 1)]
                    cell = (kind * n_channel + c) * n_counts + t
                    code[n] = (cell * n_radius + radial_bin[k, y, x]) * n_bin + b
                    value[n] = s
                    n += 1
        start[k + 1] = n
    return code[:n], value[:n], start


@numba.njit(cache=True, nogil=True)
def tabulate(code, value, start, place, n_bin):
    """Return sparse tables of each cluster: of codes, and of cells without the bin of saliency.

    Parameters
    ----------
    code, value, start : arrays
        As `code_pixels` returns them.
    place : int array, shape (number of codes,)
        Holds -1 everywhere, and does so again afterwards.
    n_bin : int
        Number of bins of saliency.

    Returns
    -------
    cell, saliency, number : each code of a cluster once, ascending, and how often it came
    begin : where each cluster begins among them
    cells, n_there, summed : each cell once, its pixels and the sum of their values
    cell_begin : where each cluster begins among these
    """
    m = start.size - 1
    cell = np.empty(code.size, np.int32)
    saliency = np.empty(code.size, np.int16)
    number = np.zeros(code.size, np.float32)
    cells = np.empty(code.size, np.int32)
    n_there = np.zeros(code.size, np.float32)
    summed = np.zeros(code.size, np.float32)
    begin = np.zeros(m + 1, np.int64)
    cell_begin = np.zeros(m + 1, np.int64)
    n, n_cell = 0, 0
    for k in range(m):
        first = n
        last = np.int64(-1)
        order = np.sort(code[start[k] : start[k + 1]])
        for i in range(order.size):
            if i == 0 or order[i] != order[i - 1]:
                place[order[i]] = n
                cell[n] = order[i] // n_bin
                saliency[n] = order[i] % n_bin
                n += 1
                if cell[n - 1] != last:
                    last = cell[n - 1]
                    cells[n_cell] = last
                    n_cell += 1
            number[n - 1] += 1.0
            n_there[n_cell - 1] += 1.0
        # Sums by cell, for which codes must be found again.
        at = cell_begin[k] - 1
        for i in range(first, n):
            if i == first or cell[i] != cell[i - 1]:
                at += 1
            place[np.int64(cell[i]) * n_bin + saliency[i]] = at
        for i in range(start[k], start[k + 1]):
            summed[place[code[i]]] += value[i]
        for i in range(first, n):
            place[np.int64(cell[i]) * n_bin + saliency[i]] = -1
        begin[k + 1] = n
        cell_begin[k + 1] = n_cell
    codes = cell[:n].copy(), saliency[:n].copy(), number[:n].copy(), begin
    return codes, (
        cells[:n_cell].copy(),
        n_there[:n_cell].copy(),
        summed[:n_cell].copy(),
        cell_begin,
    )


@numba.njit(cache=True, nogil=True)
def weighted_histogram(start, cell, saliency, number, weight, n_cell, n_bin):
    """Return the number of pixels by cell and bin, shape (n_cell, n_bin).

    Parameters
    ----------
    start, cell, saliency, number : arrays
        Codes of all clusters, as `tabulate` returns them.
    weight : float array, shape (n,)
        How often each cluster counts.
    n_cell, n_bin : int
    """
    result = np.zeros((n_cell, n_bin))
    for k in range(weight.size):
        for i in range(start[k], start[k + 1]):
            result[cell[i], saliency[i]] += weight[k] * number[i]
    return result


@numba.njit(cache=True, nogil=True)
def _sum_cells(start, cells, values, weight, first, second, n_cell):
    """Return the sums of values of two classes, shape (2, n_cell), clusters by their weight."""
    result = np.zeros((2, n_cell))
    end = (max(first, second) + 1) * n_cell
    for k in range(weight.size):
        if weight[k] == 0.0:
            continue
        for i in range(start[k], start[k + 1]):
            if cells[i] >= end:
                break
            kind = cells[i] // n_cell
            if kind in (first, second):
                result[int(kind == second), cells[i] - kind * n_cell] += weight[k] * values[i]
    return result


@numba.njit(cache=True, nogil=True)
def _match(there):
    """Return weights of cells, shape (2, n_cell): as many of the second as there are of the first.

    They are 0 where only one of the two is.
    """
    times = np.zeros(there.shape)
    for c in range(there.shape[1]):
        if there[0, c] > 0.0 and there[1, c] > 0.0:
            times[0, c] = 1.0
            times[1, c] = there[0, c] / there[1, c]
    return times


@numba.njit(cache=True, nogil=True)
def matched_histograms(
    start, cell, saliency, number, cell_start, cells, n_there, summed, weight, first, second, shape
):
    """Return pixels of two classes, plainly and matched, over clusters that count by their weight.

    Matched are pixels in cells of channel, counts and radius where both classes are; those of the
    second are weighted so that as many lie in each as of the first.

    Parameters
    ----------
    start, cell, saliency, number : arrays
        The pixels of each cluster by cell and bin of saliency; cells ascend.
    cell_start, cells, n_there, summed : arrays
        The cells of each cluster, their pixels and the sums of saliency.
    weight : float array, shape (n,)
        How often each cluster counts.
    first, second : int
        The two classes.
    shape : tuple of int
        Numbers of classes, channels C, bins of counts, of radius and of saliency S.

    Returns
    -------
    filled : float array, shape (2 ways, 2 classes, C, S)
    sums : float array, shape (2, 2, C)
        Of saliency.
    """
    n_channel, n_counts, n_radius, n_bin = shape[1:]
    per_channel = n_counts * n_radius
    n_cell = n_channel * per_channel
    times = _match(_sum_cells(cell_start, cells, n_there, weight, first, second, n_cell))
    of_cells = _sum_cells(cell_start, cells, summed, weight, first, second, n_cell)
    sums = np.zeros((2, 2, n_channel))
    for side in range(2):
        for c in range(n_cell):
            sums[0, side, c // per_channel] += of_cells[side, c]
            sums[1, side, c // per_channel] += of_cells[side, c] * times[side, c]
    filled = np.zeros((2, 2, n_channel, n_bin))
    end = (max(first, second) + 1) * n_cell
    for k in range(weight.size):
        if weight[k] == 0.0:
            continue
        at, side, c, w = -1, -1, 0, 0.0
        for i in range(start[k], start[k + 1]):
            if cell[i] >= end:
                break
            if cell[i] != at:
                at = cell[i]
                kind = at // n_cell
                side = 0 if kind == first else 1 if kind == second else -1
                c = (at - kind * n_cell) // per_channel
                w = times[max(side, 0), at - kind * n_cell]
            if side >= 0:
                filled[0, side, c, saliency[i]] += weight[k] * number[i]
                filled[1, side, c, saliency[i]] += weight[k] * w * number[i]
    return filled, sums


@numba.njit(cache=True, nogil=True)
def paired_histograms(
    start, cell, saliency, number, cell_start, cells, n_there, summed, first, second, shape
):
    """Return, by cluster, what `matched_histograms` returns of a cluster alone: its matched pixels.

    Parameters
    ----------
    start, cell, saliency, number, cell_start, cells, n_there, summed, first, second, shape
        As of `matched_histograms`.

    Returns
    -------
    filled : float array, shape (n, 2, C, S)
    sums : float array, shape (n, 2, C)
        Of saliency.
    """
    n = start.size - 1
    filled = np.zeros((n, 2, shape[1], shape[4]))
    sums = np.zeros((n, 2, shape[1]))
    per_channel = shape[2] * shape[3]
    n_cell = shape[1] * per_channel
    there = np.zeros((2, n_cell))
    for k in range(n):
        span = range(cell_start[k], cell_start[k + 1])
        for i in span:
            kind = cells[i] // n_cell
            if kind in (first, second):
                there[int(kind == second), cells[i] - kind * n_cell] = n_there[i]
        for i in span:
            kind = cells[i] // n_cell
            at = cells[i] - kind * n_cell
            if kind in (first, second) and there[0, at] > 0.0 and there[1, at] > 0.0:
                w = 1.0 if kind == first else there[0, at] / there[1, at]
                sums[k, int(kind == second), at // per_channel] += w * summed[i]
        for i in range(start[k], start[k + 1]):
            kind = cell[i] // n_cell
            at = cell[i] - kind * n_cell
            if kind in (first, second) and there[0, at] > 0.0 and there[1, at] > 0.0:
                w = 1.0 if kind == first else there[0, at] / there[1, at]
                filled[k, int(kind == second), at // per_channel, saliency[i]] += w * number[i]
        for i in span:
            there[:, cells[i] % n_cell] = 0.0
    return filled, sums
