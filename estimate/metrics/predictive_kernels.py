"""Compiled loops over predictive distributions: moments, normal scores, densities, CRPS.

A distribution is x(z): linear between knots in the normal score z, the end pieces reaching to
infinity, with F(x(z)) = Phi(z). Each integral over x is a sum over pieces of slope times an
integral over z that has a closed form. G below is the integral of Phi^2 from minus infinity:
z Phi^2 + 2 Phi phi - Phi(sqrt(2) z) / sqrt(pi).
"""

import math

import numba

__all__ = ["crps", "expectations", "moments", "normal_scores", "quantiles"]

_ROOT_2 = math.sqrt(2.0)
_ROOT_PI = math.sqrt(math.pi)
_LN_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
_FAR = 40.0  # stands for infinity: the density there underflows


@numba.njit(cache=True, nogil=True)
def _cdf(z):
    return 0.5 * math.erfc(-z / _ROOT_2)


@numba.njit(cache=True, nogil=True)
def _pdf(z):
    return math.exp(-0.5 * z * z - _LN_ROOT_2PI)


@numba.njit(cache=True, nogil=True)
def _squared_cdf_integral(z):
    cdf = _cdf(z)
    return z * cdf * cdf + 2.0 * cdf * _pdf(z) - _cdf(_ROOT_2 * z) / _ROOT_PI


@numba.njit(cache=True, nogil=True)
def _spread_integral(z):
    """Integral of Phi (1 - Phi) from minus infinity."""
    cdf = _cdf(z)
    return z * cdf * (1.0 - cdf) + _pdf(z) * (1.0 - 2.0 * cdf) + _cdf(_ROOT_2 * z) / _ROOT_PI


@numba.njit(cache=True, nogil=True)
def _piece(score, value, j):
    """Return slope and both ends in z of piece j."""
    slope = (value[j + 1] - value[j]) / (score[j + 1] - score[j])
    start = -_FAR if j == 0 else score[j]
    end = _FAR if j == score.shape[0] - 2 else score[j + 1]
    return slope, start, end


@numba.njit(cache=True, nogil=True)
def normal_scores(score, value, x, result, slope):
    """Write the normal score of each x and the slope dx/dz there.

    Parameters
    ----------
    score : float64 array, shape (k,)
        Normal scores of the knots, ascending.
    value : float64 array, shape (n, k)
        Values at them, ascending along each row.
    x : float64 array, shape (n,)
    result, slope : float64 arrays, shape (n,)
        Written.
    """
    last = score.shape[0] - 2
    for i in range(x.shape[0]):
        j = 0
        while j < last and x[i] >= value[i, j + 1]:
            j += 1
        slope[i] = (value[i, j + 1] - value[i, j]) / (score[j + 1] - score[j])
        result[i] = score[j] + (x[i] - value[i, j]) / slope[i]


@numba.njit(cache=True, nogil=True)
def quantiles(score, value, wanted, result):
    """Write values of distributions at normal scores.

    Parameters
    ----------
    score : float64 array, shape (k,)
    value : float64 array, shape (n, k)
        Knots, as for `normal_scores`.
    wanted : float64 array, shape (m,)
        Normal scores.
    result : float64 array, shape (n, m)
        Written.
    """
    last = score.shape[0] - 2
    for c in range(wanted.shape[0]):
        j = 0
        while j < last and wanted[c] >= score[j + 1]:
            j += 1
        along = (wanted[c] - score[j]) / (score[j + 1] - score[j])
        for i in range(value.shape[0]):
            result[i, c] = value[i, j] + along * (value[i, j + 1] - value[i, j])


@numba.njit(cache=True, nogil=True)
def moments(score, value, mean, std):
    """Write mean and standard deviation of distributions.

    Parameters
    ----------
    score : float64 array, shape (k,)
    value : float64 array, shape (n, k)
        Knots, as for `normal_scores`.
    mean, std : float64 arrays, shape (n,)
        Written.
    """
    for i in range(value.shape[0]):
        origin = value[i, 0]  # keeps the difference of squares well away from rounding
        first = 0.0
        second = 0.0
        for j in range(score.shape[0] - 1):
            slope, start, end = _piece(score, value[i], j)
            zero = value[i, j] - origin - slope * score[j]
            share = _cdf(end) - _cdf(start)
            lift = _pdf(start) - _pdf(end)
            square = share + start * _pdf(start) - end * _pdf(end)
            first += zero * share + slope * lift
            second += zero * zero * share + 2.0 * zero * slope * lift + slope * slope * square
        mean[i] = origin + first
        std[i] = math.sqrt(max(second - first * first, 0.0))


@numba.njit(cache=True, nogil=True)
def crps(score, value, at, result):
    """Write the CRPS of truths.

    Parameters
    ----------
    score : float64 array, shape (k,)
    value : float64 array, shape (n, k)
        Knots, as for `normal_scores`.
    at : float64 array, shape (n,)
        Normal scores of the truths.
    result : float64 array, shape (n,)
        Written.
    """
    for i in range(value.shape[0]):
        total = 0.0
        for j in range(score.shape[0] - 1):
            slope, start, end = _piece(score, value[i], j)
            # A truth beyond the stand-in for infinity lengthens the end piece.
            if j == 0:
                start = min(start, at[i])
            if j == score.shape[0] - 2:
                end = max(end, at[i])
            middle = min(max(at[i], start), end)
            below = _squared_cdf_integral(middle) - _squared_cdf_integral(start)
            above = _squared_cdf_integral(-middle) - _squared_cdf_integral(-end)
            total += slope * (below + above)
        result[i] = total


@numba.njit(cache=True, nogil=True)
def expectations(score, value, expected_crps, entropy):
    """Write what CRPS and -ln p are on average if the distribution is right.

    Parameters
    ----------
    score : float64 array, shape (k,)
    value : float64 array, shape (n, k)
        Knots, as for `normal_scores`.
    expected_crps, entropy : float64 arrays, shape (n,)
        Written.
    """
    for i in range(value.shape[0]):
        expected_crps[i] = 0.0
        entropy[i] = 0.0
        for j in range(score.shape[0] - 1):
            slope, start, end = _piece(score, value[i], j)
            share = _cdf(end) - _cdf(start)
            square = share + start * _pdf(start) - end * _pdf(end)
            expected_crps[i] += slope * (_spread_integral(end) - _spread_integral(start))
            entropy[i] += share * (math.log(slope) + _LN_ROOT_2PI) + 0.5 * square
