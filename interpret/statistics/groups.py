"""Which clusters lie in the lower and the upper half of mass, redshift, and state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog
from icmass.interpret.statistics.number import Number, Result

__all__ = ["GROUPED", "Group", "Half", "halves"]

#: What clusters are split by: names, and the columns of the catalog.
GROUPED: Final[Mapping[str, str]] = {
    "mass": "m500c_msun",
    "redshift": "redshift",
    "dynamical_state": "dynamical_state",
    "cool_core": "cool_core_strength",
}


@dataclass(frozen=True)
class Half:
    """Clusters below, or from, the median of a column.

    Attributes
    ----------
    by : str
        One of `GROUPED`.
    side : str
        low or high.
    low, high : float
        Smallest and largest value in this half, in the unit of the column.
    mask : ndarray of bool, shape (n,)
    """

    by: str
    side: str
    low: float
    high: float
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Group(Result):
    """What was found of a half.

    Attributes
    ----------
    by, side, low, high
        As of `Half`.
    n_clusters : int
    difference_dex : Number or None
        Median log10 saliency, AGN minus gas at equal brightness, all channels; None where photons
        of both are not told apart.
    core_ratio, core_share_ratio : Number or None
        Of `CoreRatio` against N_phot inside 0.285 R500c, all channels; None without its slope.
    """

    by: str
    side: str
    low: float
    high: float
    n_clusters: int
    difference_dex: Number | None
    core_ratio: Number | None
    core_share_ratio: Number | None


def halves(catalog: Catalog, rows: NDArray[np.int64], halo: NDArray[Any]) -> list[Half]:
    """Split clusters at the medians of the columns that the catalog has.

    Parameters
    ----------
    catalog : Catalog
    rows : ndarray of int, shape (n,)
        Clusters, whose masks are returned.
    halo : ndarray of int, shape (n,)
        The halo that each is of.

    Returns
    -------
    list of Half
        Low and high for each column; columns that do not split clusters into halves of at least two
        haloes are left out, as are clusters whose value is not known.
    """
    result: list[Half] = []
    for by, column in GROUPED.items():
        if column not in (catalog.spec.row_dtype.names or ()):
            continue
        value = np.asarray(catalog.column(column)[rows], np.float64)
        known = np.isfinite(value)
        if not known.any():
            continue
        median = np.median(value[known])
        low = known & (value < median)
        sides = {"low": low, "high": known & ~low}
        if min(len(np.unique(halo[mask])) for mask in sides.values()) < 2:
            continue
        result += [
            Half(by, side, float(value[mask].min()), float(value[mask].max()), mask)
            for side, mask in sides.items()
        ]
    return result
