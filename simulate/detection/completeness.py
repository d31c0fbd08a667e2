"""Which share was found, or is true, by bins of any quantity, and how sure that is.

Completeness: of what is there, the share that was found. Purity: of what was found, the share that
is there. Errors are Wilson's intervals of a binomial share (Wilson 1927), which hold for few, and
for none and all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

__all__ = ["BinnedShare", "completeness", "purity", "wilson_interval"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BinnedShare:
    """Shares by bin.

    Attributes
    ----------
    edges : ndarray, shape (n_bin + 1,)
    number, chosen : ndarray of int64, shape (n_bin,)
        All, and those found (or true).
    share, low, high : ndarray, shape (n_bin,)
        chosen / number and the interval; NaN, 0 and 1 where a bin is empty.
    """

    edges: Floats
    number: NDArray[np.int64]
    chosen: NDArray[np.int64]
    share: Floats
    low: Floats
    high: Floats


def wilson_interval(
    chosen: ArrayLike, number: ArrayLike, sigma: float = 1.0
) -> tuple[Floats, Floats]:
    """Return the interval of Wilson (1927, JASA 22, 209) of a share.

    Parameters
    ----------
    chosen, number : array_like of int, shape (n,)
        Successes and trials, ``0 <= chosen <= number``.
    sigma : float
        Standard deviations to each side.

    Returns
    -------
    low, high : ndarray, shape (n,)
        0 and 1 where there was no trial.
    """
    k, n = np.asarray(chosen, dtype=np.float64), np.asarray(number, dtype=np.float64)
    safe = np.maximum(n, 1.0)
    share, z2 = k / safe, sigma**2
    middle = (share + 0.5 * z2 / safe) / (1.0 + z2 / safe)
    half = sigma * np.sqrt(share * (1.0 - share) / safe + 0.25 * z2 / safe**2) / (1.0 + z2 / safe)
    # Exact at the ends, where rounding would leave a trace.
    low = np.where((n == 0) | (k == 0), 0.0, middle - half)
    high = np.where((n == 0) | (k == n), 1.0, middle + half)
    return low, high


def completeness(found: ArrayLike, by: ArrayLike, edges: ArrayLike) -> BinnedShare:
    """Share of what is there that was found.

    Parameters
    ----------
    found : array_like of bool, shape (n,)
        For each object of the truth, e.g. ``matched.source_of_halo >= 0``.
    by : array_like, shape (n,)
        Mass, redshift, exposure, counts ...; NaN is left out.
    edges : array_like, shape (n_bin + 1,)
        Ascending; a bin holds its lower edge, the last one both.

    Returns
    -------
    BinnedShare

    Raises
    ------
    InputError
        If the arrays differ in length or the edges do not ascend.
    """
    chosen = np.asarray(found, dtype=bool)
    values = np.asarray(by, dtype=np.float64)
    bins = np.asarray(edges, dtype=np.float64)
    if chosen.shape != values.shape:
        raise InputError(
            f"by: must have one value for each of {chosen.size} rows; got {values.size}."
        )
    if bins.ndim != 1 or len(bins) < 2 or not np.all(np.diff(bins) > 0.0):
        raise InputError(f"edges: must be at least 2 ascending numbers; got {bins.tolist()}.")
    known = ~np.isnan(values)
    number = np.histogram(values[known], bins)[0]
    hits = np.histogram(values[known & chosen], bins)[0]
    low, high = wilson_interval(hits, number)
    share = np.where(number > 0, hits / np.maximum(number, 1), np.nan)
    return BinnedShare(bins, number, hits, share, low, high)


def purity(true: ArrayLike, by: ArrayLike, edges: ArrayLike) -> BinnedShare:
    """Share of what was found that is true; as `completeness`, with sources for objects.

    Parameters
    ----------
    true : array_like of bool, shape (n,)
        For each source, e.g. ``matched.kind == SourceKind.HALO``.
    by : array_like, shape (n,)
        Likelihood, counts ...
    edges : array_like, shape (n_bin + 1,)

    Returns
    -------
    BinnedShare

    Raises
    ------
    InputError
        As `completeness`.
    """
    return completeness(true, by, edges)
