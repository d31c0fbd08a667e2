"""Kernels of the maximum-likelihood fit of one source to the counts about it.

Lengths in pixels, places in (column, row) counted from the middle of the first pixel. The model of
a pixel is ``known + rate * exposure * P(r)``.
"""

import math

import numba
import numpy as np

__all__ = ["add_source", "fit_source"]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _evaluate(counts, known, exposure, table, step, middle_x, middle_y, radius, x, y, rate, out):
    """Gain of ln L over no source, its gradient and the Fisher matrix by (rate, x, y) into out."""
    n_y, n_x = counts.shape
    last = table.shape[0] - 1
    out[:] = 0.0
    for row in range(
        max(0, math.ceil(middle_y - radius)), min(n_y - 1, math.floor(middle_y + radius)) + 1
    ):
        half = math.sqrt(max(radius * radius - (row - middle_y) ** 2, 0.0))
        dy = row - y
        for column in range(
            max(0, math.ceil(middle_x - half)), min(n_x - 1, math.floor(middle_x + half)) + 1
        ):
            before = known[row, column]
            if before <= 0.0:
                continue
            dx = column - x
            r = math.sqrt(dx * dx + dy * dy)
            place = r / step
            node = int(place)
            if node >= last:
                continue
            slope = table[node + 1] - table[node]
            seen = exposure[row, column]
            share = seen * (table[node] + (place - node) * slope)
            light = rate * share
            after = before + light
            # dP/dx = -P'(r) (column - x) / r; flat in the very centre.
            change = -rate * seen * slope / (step * max(r, 1e-9))
            by_x, by_y = change * dx, change * dy
            n = counts[row, column]
            excess = -1.0
            if n > 0:
                out[0] += n * math.log(after / before)
                excess += n / after
            out[0] -= light
            out[1] += excess * share
            out[2] += excess * by_x
            out[3] += excess * by_y
            out[4] += share * share / after
            out[5] += share * by_x / after
            out[6] += share * by_y / after
            out[7] += by_x * by_x / after
            out[8] += by_x * by_y / after
            out[9] += by_y * by_y / after


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _inverse(f, inverse):
    """Invert the symmetric Fisher matrix (f[4:10]) into six numbers; False where it is singular."""
    a, b, c, d, e, g = f[4], f[5], f[6], f[7], f[8], f[9]
    aa, ab, ac = d * g - e * e, c * e - b * g, b * e - c * d
    bb, bc, cc = a * g - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * ab + c * ac
    if not (a > 0.0 and determinant > 1e-12 * a * d * g and d > 0.0 and g > 0.0):
        return False
    inverse[0], inverse[1], inverse[2] = aa / determinant, ab / determinant, ac / determinant
    inverse[3], inverse[4], inverse[5] = bb / determinant, bc / determinant, cc / determinant
    return True


@numba.njit(cache=True, nogil=True, error_model="numpy")
def fit_source(
    counts, known, exposure, table, step, middle_x, middle_y, radius, start, max_shift, steps, out
):
    """Climb to the most likely rate and place by Fisher scoring, halving steps that lead down.

    Parameters
    ----------
    counts : int array, shape (n_y, n_x)
    known : float64 array, shape (n_y, n_x)
        Counts expected of all else; pixels where it is 0 are left out.
    exposure : float64 array, shape (n_y, n_x)
        s
    table : float64 array, shape (n_r,)
        Share per pixel at radii of `step` pixels.
    step : float
    middle_x, middle_y, radius : float
        Circle of the pixels compared.
    start : float64 array, shape (3,)
        Rate (> 0), x, y to begin with.
    max_shift : float
        How far x and y may each go from the start; they stay inside the image as well.
    steps : int
        Most evaluations.
    out : float64 array, shape (7,)
        To fill: rate, x, y, gain of ln L over no source, and the standard errors of rate, x, y
        (infinite where the counts do not tell).
    """
    now, trial, inverse = np.zeros(10), np.zeros(10), np.zeros(6)
    n_y, n_x = counts.shape
    rate, x, y = start[0], start[1], start[2]
    _evaluate(counts, known, exposure, table, step, middle_x, middle_y, radius, x, y, rate, now)
    factor = 1.0
    for _ in range(steps):
        if _inverse(now, inverse):
            d_rate = inverse[0] * now[1] + inverse[1] * now[2] + inverse[2] * now[3]
            d_x = inverse[1] * now[1] + inverse[3] * now[2] + inverse[4] * now[3]
            d_y = inverse[2] * now[1] + inverse[4] * now[2] + inverse[5] * now[3]
        elif now[4] > 0.0:
            d_rate, d_x, d_y = now[1] / now[4], 0.0, 0.0
        else:
            break
        to_rate = min(max(rate + factor * d_rate, 0.2 * rate), 5.0 * rate)
        to_x = x + factor * min(max(d_x, -1.0), 1.0)
        to_y = y + factor * min(max(d_y, -1.0), 1.0)
        to_x = min(max(to_x, start[1] - max_shift, -0.5), start[1] + max_shift, n_x - 0.5)
        to_y = min(max(to_y, start[2] - max_shift, -0.5), start[2] + max_shift, n_y - 0.5)
        _evaluate(
            counts,
            known,
            exposure,
            table,
            step,
            middle_x,
            middle_y,
            radius,
            to_x,
            to_y,
            to_rate,
            trial,
        )
        if trial[0] < now[0]:
            factor *= 0.4
            if factor < 0.01:
                break
            continue
        gained = trial[0] - now[0]
        rate, x, y = to_rate, to_x, to_y
        now[:] = trial
        if gained < 3e-3 and factor == 1.0:
            break
        factor = min(1.0, 2.0 * factor)
    out[0], out[1], out[2], out[3] = rate, x, y, now[0]
    out[4], out[5], out[6] = np.inf, np.inf, np.inf
    if _inverse(now, inverse):
        out[4], out[5], out[6] = (
            math.sqrt(inverse[0]),
            math.sqrt(inverse[3]),
            math.sqrt(inverse[5]),
        )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def add_source(model, exposure, table, step, x, y, rate, radius):
    """Add a source (or take it away: a negative rate) to a model of the counts, in place.

    Parameters
    ----------
    model : float64 array, shape (n_y, n_x)
        Changed.
    exposure : float64 array, shape (n_y, n_x)
        Where it is 0 nothing is added.
    table : float64 array, shape (n_r,)
        Share per pixel at radii of `step` pixels.
    step : float
    x, y, rate : float
        Of the source.
    radius : float
        Beyond which nothing is added.
    """
    n_y, n_x = model.shape
    last = table.shape[0] - 1
    for row in range(max(0, math.ceil(y - radius)), min(n_y - 1, math.floor(y + radius)) + 1):
        half = math.sqrt(max(radius * radius - (row - y) ** 2, 0.0))
        for column in range(max(0, math.ceil(x - half)), min(n_x - 1, math.floor(x + half)) + 1):
            place = math.sqrt((column - x) ** 2 + (row - y) ** 2) / step
            node = int(place)
            if node < last and exposure[row, column] > 0.0:
                share = table[node] + (place - node) * (table[node + 1] - table[node])
                model[row, column] += rate * exposure[row, column] * share
