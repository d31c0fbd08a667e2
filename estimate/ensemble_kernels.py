"""Compiled search for the quantiles of mixtures: F(x), the mean of the members', brought to Phi(s).

Members are x(z), linear between knots in the normal score z, as in `metrics.predictive_kernels`.
F - Phi(s) is summed from the smaller tail of each member, so that it keeps its digits far out and
inside an empty gap between members. The root is bracketed by the members' own quantiles.
"""

import math

import numba
import numpy as np

__all__ = ["mixture_quantiles"]

_ROOT_2 = math.sqrt(2.0)
_LN_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
_TOLERANCE = 1e-12  # of the width of the narrowest member
_ROUNDING = 1e-15  # of x
_NO_DENSITY = 1e-250  # an empty gap; nothing below is divided by
_MAX_STEPS = 200  # halving alone ends after about a hundred


@numba.njit(cache=True, nogil=True)
def _cdf(z):
    return 0.5 * math.erfc(-z / _ROOT_2)


@numba.njit(cache=True, nogil=True)
def _sum_members(x, score, value, start, piece):
    """Return the sums over members of F, whole part and rest apart, and of F' and F''.

    `piece` holds where x was last found in each member, and is brought up to date.
    """
    whole = 0.0
    rest = 0.0
    density = 0.0
    bend = 0.0
    for j in range(start.shape[0] - 1):
        last = start[j + 1] - 2
        k = piece[j]
        while k < last and x >= value[k + 1]:
            k += 1
        while k > start[j] and x < value[k]:
            k -= 1
        piece[j] = k
        rate = (score[k + 1] - score[k]) / (value[k + 1] - value[k])
        z = score[k] + (x - value[k]) * rate
        if z > 0.0:
            whole += 1.0
            rest -= _cdf(-z)
        else:
            rest += _cdf(z)
        height = rate * math.exp(-0.5 * z * z - _LN_ROOT_2PI)
        density += height
        bend -= z * rate * height
    return whole, rest, density, bend


@numba.njit(cache=True, nogil=True)
def _bracket(at, score, value, start, piece):
    """Return the least, mean and largest quantile of the members at a normal score."""
    low = math.inf
    high = -math.inf
    total = 0.0
    for j in range(start.shape[0] - 1):
        k = start[j]
        while k < start[j + 1] - 2 and at >= score[k + 1]:
            k += 1
        piece[j] = k
        x = value[k] + (at - score[k]) * (value[k + 1] - value[k]) / (score[k + 1] - score[k])
        low = min(low, x)
        high = max(high, x)
        total += x
    return low, total / (start.shape[0] - 1), high


@numba.njit(cache=True, nogil=True)
def _find(x, low, high, tail, tolerance, score, value, start, piece):
    """Return x in [low, high] where sum F is -tail, or m - tail above 0, and sum F' near it.

    Steps are Halley's; halving where they leave the bracket or do not shrink.
    """
    before = high - low
    density = 0.0
    wanted = start.shape[0] - 1 if tail > 0.0 else 0
    if not low < x < high:
        x = 0.5 * (low + high)
    for _ in range(_MAX_STEPS):
        whole, rest, density, bend = _sum_members(x, score, value, start, piece)
        excess = (whole - wanted + tail) + rest
        if excess == 0.0 or high <= low:
            break
        if excess < 0.0:
            low = x
        else:
            high = x
        step = math.inf
        if density > _NO_DENSITY:
            step = -excess / density
            step /= min(max(1.0 + 0.5 * step * bend / density, 0.5), 2.0)
        if abs(step) > tolerance and not (low < x + step < high and abs(step) <= 0.5 * before):
            step = 0.5 * (low + high) - x
        before = abs(step)
        x += step
        if before <= tolerance:
            break
    return x, density


@numba.njit(cache=True, nogil=True)
def mixture_quantiles(score, value, start, wanted, result):
    """Write the quantiles of equal-weight mixtures.

    Parameters
    ----------
    score : float64 array, shape (k,)
        Normal scores of the knots of all members, one member after the other.
    value : float64 array, shape (n, k)
        Values at them.
    start : int64 array, shape (m + 1,)
        Where each of m members begins, and k.
    wanted : float64 array, shape (q,)
        Normal scores at which the quantiles are wanted, ascending.
    result : float64 array, shape (n, q)
        Written.
    """
    n_members = start.shape[0] - 1
    piece = np.empty(n_members, np.int64)
    tail = np.empty(wanted.shape[0])
    for q in range(wanted.shape[0]):
        tail[q] = math.copysign(n_members * _cdf(-abs(wanted[q])), wanted[q])
    for i in range(value.shape[0]):
        row = value[i]
        width = math.inf
        for j in range(n_members):
            first, last = start[j], start[j + 1] - 1
            width = min(width, (row[last] - row[first]) / (score[last] - score[first]))
        ahead = -math.inf  # where the quantile is expected, from the one before
        for q in range(wanted.shape[0]):
            low, mean, high = _bracket(wanted[q], score, row, start, piece)
            guess = ahead if low < ahead < high else mean
            tolerance = max(_TOLERANCE * width, _ROUNDING * max(abs(low), abs(high)))
            x, density = _find(guess, low, high, tail[q], tolerance, score, row, start, piece)
            result[i, q] = x
            if q < wanted.shape[0] - 1 and density > _NO_DENSITY:
                height = n_members * math.exp(-0.5 * wanted[q] ** 2 - _LN_ROOT_2PI)
                ahead = x + (wanted[q + 1] - wanted[q]) * height / density
            else:
                ahead = -math.inf
