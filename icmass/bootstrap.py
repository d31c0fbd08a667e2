"""Errors of any statistic by drawing halos again, with all their rows.

Lines of sight of one halo are not independent, so halos are drawn, never rows.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

__all__ = ["HALO", "bootstrap", "halo_numbers", "haloes_of"]

#: Columns of a catalog that together name a halo.
HALO: Final = ("sample_id", "snapshot_id", "halo_id")


class _Columns(Protocol):
    """What has columns, such as a catalog."""

    def column(self, name: str) -> NDArray[Any]: ...


def haloes_of(catalog: _Columns) -> NDArray[np.int64]:
    """Return the number of the halo that each row of `catalog` is of, shape (n,)."""
    return halo_numbers(*(catalog.column(name) for name in HALO))


def halo_numbers(*keys: ArrayLike) -> NDArray[np.int64]:
    """Return one number per halo, shape (n,), of the columns `keys` that together name it.

    Of a catalog these are the columns `HALO`, of shape (n,) each.
    """
    table = np.stack([np.asarray(key, np.int64) for key in keys], axis=1)
    return np.unique(table, axis=0, return_inverse=True)[1].reshape(len(table))


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], ArrayLike],
    halo: ArrayLike,
    *,
    n_resamples: int = 200,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return a statistic of samples of halos drawn with replacement.

    Parameters
    ----------
    statistic : callable
        From row numbers, which repeat, to a number or an array of fixed shape.
    halo : array of int, shape (n,)
        The halo that each row is of.
    n_resamples : int
        Number of samples; the relative error of an error is 1/sqrt(2 n_resamples).
    seed : int
        Sample k is the same whatever n_resamples.

    Returns
    -------
    ndarray, shape (n_resamples, ...)
        Memory beyond this is that of one sample.

    Raises
    ------
    InputError
        If there are fewer than two halos.
    """
    owner = np.unique(np.asarray(halo), return_inverse=True)[1].ravel()
    rows = np.argsort(owner, kind="stable")
    count = np.bincount(owner)
    if len(count) < 2:
        raise InputError(f"bootstrap: must have at least 2 halos; got {len(count)}.")
    start = np.cumsum(count) - count
    rng = np.random.default_rng(seed)
    results = []
    for _ in range(n_resamples):
        drawn = rng.integers(len(count), size=len(count))
        size = count[drawn]
        within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        results.append(np.asarray(statistic(rows[np.repeat(start[drawn], size) + within])))
    return np.array(results, np.float64)
