"""Compiled counting of pixels: into sparse tables of each cluster, and from these into histograms.

A code numbers the cell (class, channel, counts, radius, saliency), the last fastest. A class is the
origin with most photons in a pixel, in the order of the origins, and after these "mixed": several
have most. Empty pixels have no class.
"""

import math

import numba
import numpy as np

__all__ = ["code_pixels", "paired_histograms", "tabulate", "weighted_histogram"]


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

    saliency (m, C, y, x); counts (m, O, C, y, x) of int64; radial_bin (m, y, x); count_bin holds
    the bin of 0, 1, 2 ... photons, its last that of more. `every` (m, C, n_bin) counts all pixels,
    also empty ones.
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
def tabulate(code, value, start, place):
    """Return sparse tables: each code of a cluster once, how often it came, and the sum of values.

    `place`, of the number of codes, holds -1 everywhere and does so again afterwards.
    """
    unique = np.empty(code.size, np.int32)
    number = np.zeros(code.size, np.float32)
    total = np.zeros(code.size, np.float32)
    begin = np.zeros(start.size, np.int64)
    n = 0
    for k in range(start.size - 1):
        first = n
        for i in range(start[k], start[k + 1]):
            at = place[code[i]]
            if at < 0:
                at = n
                place[code[i]] = n
                unique[n] = code[i]
                n += 1
            number[at] += 1.0
            total[at] += value[i]
        for i in range(first, n):
            place[unique[i]] = -1
        begin[k + 1] = n
    return unique[:n].copy(), number[:n].copy(), total[:n].copy(), begin


@numba.njit(cache=True, nogil=True)
def weighted_histogram(start, code, value, weight, n_code):
    """Return the sum of values by code, up to n_code; clusters count as often as their weight says.

    Codes of a cluster, from start[k] to start[k + 1], ascend.
    """
    result = np.zeros(n_code)
    for k in range(weight.size):
        w = weight[k]
        if w == 0.0:
            continue
        for i in range(start[k], start[k + 1]):
            if code[i] >= n_code:
                break
            result[code[i]] += w * value[i]
    return result


@numba.njit(cache=True, nogil=True)
def paired_histograms(start, code, number, total, first, second, shape):
    """Return, by cluster, pixels of two classes where the cluster has both alike in all else.

    shape is (class, channel, counts, radius, saliency). Pixels of the second class are weighted so
    that as many lie in each cell of channel, counts and radius as of the first.

    Returns
    -------
    filled (n, 2, C, S) and the sums of saliency, summed (n, 2, C)
    """
    n_channel, n_counts, n_radius, n_bin = shape[1:]
    n_cell = n_channel * n_counts * n_radius
    per_channel = n_counts * n_radius
    filled = np.zeros((start.size - 1, 2, n_channel, n_bin), np.float32)
    summed = np.zeros((start.size - 1, 2, n_channel))
    there = np.zeros((2, n_cell))
    for k in range(start.size - 1):
        for step in range(3):  # count, sum up, clear
            for i in range(start[k], start[k + 1]):
                cell = code[i] // n_bin
                kind = cell // n_cell
                if kind not in (first, second):
                    continue
                cell -= kind * n_cell
                side = 0 if kind == first else 1
                if step == 0:
                    there[side, cell] += number[i]
                elif step == 2:
                    there[:, cell] = 0.0
                elif there[0, cell] > 0.0 and there[1, cell] > 0.0:
                    w = 1.0 if side == 0 else there[0, cell] / there[1, cell]
                    c = cell // per_channel
                    filled[k, side, c, code[i] % n_bin] += w * number[i]
                    summed[k, side, c] += w * total[i]
    return filled, summed
