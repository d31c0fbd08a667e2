"""Statistical gates for random simulations: two-sided, with a stated power.

A gate answers "is this draw what was expected?" and is only worth something if it also says "no" to
a draw that is a little wrong. Sample sizes follow from the smallest bias worth catching, never from
taste; each gate's own test holds a negative control.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

__all__ = [
    "P_MIN",
    "Z_MAX",
    "ChiSquare",
    "assert_chi_square",
    "assert_distribution",
    "assert_mean",
    "assert_poisson",
    "chi_square",
    "counts_for_bias",
    "ks_p_value",
    "poisson_z",
    "power",
    "samples_for_width",
]

Z_MAX = 4.5  # a right draw fails once in 1.5e5 tests
P_MIN = 1e-4  # for fixed seeds: a right draw fails once in 1e4 tests
MIN_EXPECTED = 20.0  # counts per bin below which chi-square is not trusted; such bins are merged


def counts_for_bias(bias: float, sigma: float = 8.0) -> int:
    """Counts needed for a relative bias to stand out by `sigma`: (sigma / bias)^2.

    With the gate at `Z_MAX` = 4.5 and the default 8 sigma the bias is missed once in 4300 tests.
    """
    return math.ceil((sigma / bias) ** 2)


def samples_for_width(bias: float, sigma: float = 8.0) -> int:
    """Samples needed for a relative bias of a Gaussian's width to stand out by `sigma`."""
    return math.ceil(0.5 * (sigma / bias) ** 2)


def power(expected: float, bias: float, z_max: float = Z_MAX) -> float:
    """Probability that `assert_poisson` catches counts drawn with ``expected * (1 + bias)``."""
    drawn = expected * (1.0 + bias)
    edge = z_max * math.sqrt(expected)
    width = math.sqrt(drawn)
    above = stats.norm.sf((expected + edge - drawn) / width)
    below = stats.norm.cdf((expected - edge - drawn) / width)
    return float(above + below)


def poisson_z(observed: float, expected: float) -> float:
    """(observed - expected) / sqrt(expected)."""
    if expected <= 0:
        raise ValueError(f"expected: must be positive; got {expected}")
    return (float(observed) - float(expected)) / math.sqrt(expected)


def assert_poisson(
    observed: float,
    expected: float,
    *,
    bias: float = 0.02,
    z_max: float = Z_MAX,
    min_power: float = 0.999,
) -> None:
    """Assert that a count is a Poisson draw of `expected`, and that the test could have failed.

    Parameters
    ----------
    observed, expected : float
        Counts drawn and their expectation.
    bias : float
        Smallest relative error, of either sign, that must be caught.
    z_max : float
        Largest deviation accepted [standard deviations].
    min_power : float
        Probability with which `bias` must be caught; too few expected counts fail the test.
    """
    weakest = min(power(expected, bias, z_max), power(expected, -bias, z_max))
    assert weakest >= min_power, (
        f"{expected:.0f} counts catch a bias of {bias:.3g} only with probability {weakest:.3f}; "
        f"{counts_for_bias(bias)} are needed"
    )
    z = poisson_z(observed, expected)
    assert abs(z) < z_max, f"{observed} counts for {expected:.1f} expected: z = {z:+.2f}"


def assert_mean(samples: ArrayLike, expected: float, sigma: float, *, z_max: float = Z_MAX) -> None:
    """Assert that the mean of independent samples of known scatter `sigma` is as expected."""
    values = np.asarray(samples, dtype=float)
    z = (values.mean() - expected) / (sigma / math.sqrt(values.size))
    assert abs(z) < z_max, f"mean {values.mean():.6g} for {expected:.6g} expected: z = {z:+.2f}"


@dataclass(frozen=True)
class ChiSquare:
    """Chi-square of binned counts; `z` is the signed normal deviate, large when the fit is bad."""

    value: float
    bins: int
    p_value: float
    z: float


def chi_square(
    observed: ArrayLike, expected: ArrayLike, *, min_expected: float = MIN_EXPECTED
) -> ChiSquare:
    """Compare binned Poisson counts with their absolute expectation.

    No degree of freedom is taken away: the total is part of what is tested. Neighbouring bins (in
    C order) are merged until each expects `min_expected`; what is left joins the last bin.

    Parameters
    ----------
    observed, expected : array_like
        Counts per bin, of one shape.
    min_expected : float
        Smallest expectation of a merged bin.
    """
    counts = np.asarray(observed, dtype=float).ravel()
    means = np.asarray(expected, dtype=float).ravel()
    if counts.shape != means.shape:
        raise ValueError(f"shapes differ: observed {counts.shape}, expected {means.shape}")
    if means.sum() < min_expected:
        raise ValueError(f"too few counts expected: {means.sum():.1f}, need {min_expected}")
    starts = _merge_starts(means, min_expected)
    counts, means = np.add.reduceat(counts, starts), np.add.reduceat(means, starts)
    value = float(((counts - means) ** 2 / means).sum())
    # Exact variance of the sum for Poisson counts, wider than chi-square's for small means.
    z = (value - means.size) / math.sqrt(2.0 * means.size + (1.0 / means).sum())
    return ChiSquare(value, means.size, float(stats.chi2.sf(value, means.size)), z)


def _merge_starts(means: np.ndarray, min_expected: float) -> list[int]:
    """First bin of each group of neighbours that together expect enough."""
    starts, filled = [0], 0.0
    for index, mean in enumerate(means):
        if filled >= min_expected:
            starts.append(index)
            filled = 0.0
        filled += mean
    if filled < min_expected and len(starts) > 1:
        starts.pop()
    return starts


def assert_chi_square(
    observed: ArrayLike,
    expected: ArrayLike,
    *,
    z_max: float = Z_MAX,
    min_expected: float = MIN_EXPECTED,
) -> ChiSquare:
    """Assert that binned counts are Poisson draws of their expectation, bins and total.

    Two-sided: scatter that is too small (correlated or copied draws) fails as well.
    """
    result = chi_square(observed, expected, min_expected=min_expected)
    assert abs(result.z) < z_max, f"chi-square off by {result.z:+.2f} sigma: {result}"
    total, mean = np.sum(observed, dtype=float), np.sum(expected, dtype=float)
    z = poisson_z(total, mean)
    assert abs(z) < z_max, f"total {total:.0f} for {mean:.1f} expected: z = {z:+.2f}"
    return result


def ks_p_value(samples: ArrayLike, cdf: Callable[[np.ndarray], np.ndarray]) -> float:
    """p-value of unbinned continuous samples against their analytic distribution.

    For energies, radii, times; never for counts, which are discrete and carry no order.
    """
    return float(stats.kstest(np.asarray(samples, dtype=float), cdf).pvalue)


def assert_distribution(
    samples: ArrayLike, cdf: Callable[[np.ndarray], np.ndarray], *, p_min: float = P_MIN
) -> None:
    """Assert that unbinned samples follow `cdf` (Kolmogorov-Smirnov)."""
    p_value = ks_p_value(samples, cdf)
    assert p_value > p_min, (
        f"{np.size(samples)} samples do not follow the distribution: p = {p_value:.2g}"
    )
