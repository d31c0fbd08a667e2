"""Do two simulators draw from one distribution? Chi-square of two histograms, and of two totals.

The peers draw photons twice: a Poisson list for a larger area, then a Poisson number of that list.
The shapes of their spectra and profiles are those of an ordinary sample, given its total; the total
scatters more than Poisson. So shapes are compared with free totals, and totals with the variance
that the two draws have.
"""

from dataclasses import dataclass

import numpy as np

__all__ = [
    "LEAST_COUNTS",
    "Shape",
    "Total",
    "compare_shapes",
    "compare_totals",
    "drawn_twice",
    "folded_difference",
    "stretched",
]

# Counts per merged bin, on each side: chi-square needs them nearly normal.
LEAST_COUNTS = 25.0

# Channels with less than this share of the largest count too little to be compared one by one.
LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class Shape:
    """Chi-square of two histograms with free totals; `sigma` is large where they differ."""

    chi2: float
    freedom: int
    sigma: float


@dataclass(frozen=True)
class Total:
    """A count against its expectation, with its standard deviation."""

    counts: float
    expected: float
    deviation: float

    @property
    def sigma(self) -> float:
        """(counts - expected) / deviation."""
        return (self.counts - self.expected) / self.deviation

    @property
    def excess(self) -> float:
        """Counts over expected, less one."""
        return self.counts / self.expected - 1.0


def merged(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge neighbouring bins until each holds `LEAST_COUNTS` on both sides; a rest joins the last.

    Raises
    ------
    ValueError
        If both histograms together do not fill one bin.
    """
    group, filled = np.zeros(len(first), dtype=int), np.zeros(2)
    current = 0
    for k, pair in enumerate(zip(first, second, strict=True)):
        group[k] = current
        filled += pair
        if (filled >= LEAST_COUNTS).all():
            current, filled = current + 1, np.zeros(2)
    if current == 0:
        raise ValueError(f"histograms: must hold {LEAST_COUNTS:g} counts each; they do not.")
    group = np.minimum(group, current - 1)
    return np.bincount(group, first), np.bincount(group, second)


def compare_shapes(first: np.ndarray, second: np.ndarray) -> Shape:
    """Chi-square that two histograms of counts are samples of one distribution, totals free.

    chi2 = sum (sqrt(M/N) n_i - sqrt(N/M) m_i)^2 / (n_i + m_i), with N and M the totals; one degree
    of freedom less than bins.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    n, m = merged(first, second)
    ratio = np.sqrt(m.sum() / n.sum())
    chi2 = float(((ratio * n - m / ratio) ** 2 / (n + m)).sum())
    freedom = len(n) - 1
    return Shape(chi2, freedom, float((chi2 - freedom) / np.sqrt(2.0 * max(freedom, 1))))


def stretched(counts: np.ndarray, edges: np.ndarray, factor: float) -> np.ndarray:
    """Histogram as it would be with all values larger by a factor: what a test should refuse."""
    below = np.concatenate([[0.0], np.cumsum(counts)])
    return np.diff(np.interp(np.asarray(edges) / factor, edges, below))


def compare_totals(counts: list[int], expected: float, variance_per_count: float = 1.0) -> Total:
    """Sum of the counts of several seeds against the sum expected.

    Parameters
    ----------
    counts : list of int
        One per seed.
    expected : float
        Of each.
    variance_per_count : float
        Variance over mean: 1 for Poisson.
    """
    total = expected * len(counts)
    return Total(float(sum(counts)), total, float(np.sqrt(total * variance_per_count)))


def drawn_twice(rate: np.ndarray, area_cm2: np.ndarray, margin: float) -> float:
    """Variance over mean of counts that are drawn twice.

    A Poisson list of photons for `margin` times the largest area gives Poisson counts around the
    sum over the list of w / margin, w = area over largest area. That sum has the variance
    sum w^2 / margin^2, so variance over mean is 1 + <w^2> / (margin <w>), averaged over the list.

    Parameters
    ----------
    rate : ndarray, shape (n,)
        Photons/s/cm^2 at the telescope, per energy bin.
    area_cm2 : ndarray, shape (n,)
        Effective area.
    margin : float
    """
    share = area_cm2 / area_cm2.max()
    return float(1.0 + (rate @ share**2) / (margin * (rate @ share)))


def folded_difference(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Largest relative difference per channel, and that of the sums.

    Channels below `LEAST_SHARE` of the largest are left out of the first.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    used = second >= LEAST_SHARE * second.max()
    largest = np.abs(first[used] / second[used] - 1.0).max()
    return float(largest), float(first.sum() / second.sum() - 1.0)
