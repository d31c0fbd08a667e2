"""Whether networks look away from AGN, or only from bright pixels: AGN against gas.

A pixel is an AGN's or the gas's by most of its photons. The two are compared plainly, and at equal
brightness: pixels of gas are weighted so that in each channel they have the counts and radii of the
pixels of AGN. Where faint clusters have more AGN than bright ones this compares clusters as well as
pixels; so they are also compared inside the same clusters. Differences are in dex of saliency, AGN
minus gas; errors are of haloes drawn again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from icmass.bootstrap import bootstrap
from icmass.errors import InputError
from icmass.interpret.statistics.number import Number, Result, numbers
from icmass.interpret.statistics.pixels import Pairs, PixelTable, log_quantiles

__all__ = ["ALL_CHANNELS", "COMPARED", "AgnIcm", "Comparison", "Spread", "agn_to_icm"]

#: What all channels together are called.
ALL_CHANNELS: Final = "all"
#: The ways in which pixels are compared.
COMPARED: Final = ("plain", "equal_brightness", "same_cluster")
_PROBABILITIES: Final = (0.5, 0.16, 0.84)
Way = Literal["plain", "equal_brightness", "same_cluster"]


@dataclass(frozen=True)
class Spread(Result):
    """Saliency of pixels.

    Attributes
    ----------
    n_pixels : float
        For weighted pixels, of those that they are weighted to.
    median, low, high : float
        log10: median, and 16 and 84 percent.
    mean : float
        Not a logarithm.
    """

    n_pixels: float
    median: float
    low: float
    high: float
    mean: float


@dataclass(frozen=True)
class Comparison(Result):
    """Saliency of pixels of AGN against that of pixels of gas.

    Attributes
    ----------
    way : str
        One of `COMPARED`.
    agn, icm : Spread
    difference_dex : Number
        Of the medians of log10, AGN minus gas.
    mean_ratio_dex : Number
        log10 of the ratio of the means.
    share : float
        Of the pixels of AGN that could be matched; 1 if plain.
    """

    way: str
    agn: Spread
    icm: Spread
    difference_dex: Number
    mean_ratio_dex: Number
    share: float

    @property
    def sigma(self) -> float:
        """How many errors the difference is from none; negative where AGN count for less."""
        return self.difference_dex.sigma()

    @override
    def to_dict(self) -> dict[str, Any]:
        """Return its fields and sigma."""
        return super().to_dict() | {"sigma": self.sigma if np.isfinite(self.sigma) else None}


@dataclass(frozen=True)
class AgnIcm(Result):
    """The comparison of one channel, or of all, in the ways of `COMPARED`."""

    channel: str
    n_clusters: int
    plain: Comparison
    equal_brightness: Comparison
    same_cluster: Comparison


@dataclass(frozen=True)
class _Sides:
    """Pixels of both classes by saliency: numbers (2, C, S), sums of saliency (2, C).

    `share` (C + 1,) is the share of the pixels of AGN that are matched, in channels and in all.
    """

    filled: NDArray[Any]
    summed: NDArray[Any]
    share: NDArray[Any]

    def scope(self, channel: int | None) -> tuple[NDArray[Any], NDArray[Any]]:
        if channel is None:
            return self.filled.sum(axis=1), self.summed.sum(axis=1)
        return self.filled[:, channel], self.summed[:, channel]


def agn_to_icm(
    table: PixelTable,
    halo: ArrayLike,
    selection: ArrayLike | None = None,
    *,
    pairs: Pairs | None = None,
    n_resamples: int = 200,
    seed: int = 0,
) -> list[AgnIcm]:
    """Compare pixels of AGN with those of gas in each channel, and in all if there are several.

    Parameters
    ----------
    table : PixelTable
        It must have counted photons of `agn` and `icm`.
    halo : array of int, shape (n,)
        The halo that each of its clusters is of, in the order of `table.rows`.
    selection : array of bool, shape (n,), optional
        Clusters wanted; all by default.
    pairs : Pairs, optional
        ``table.pairs("agn", "icm")``, where it is there already.
    n_resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    list of AgnIcm
        All channels first if there are several.

    Raises
    ------
    InputError
        If photons of AGN or gas were not counted, or clusters of fewer than two haloes are wanted.
    """
    table.class_of("agn"), table.class_of("icm")
    owner = np.asarray(halo)
    if owner.shape != table.rows.shape:
        raise InputError(
            f"halo: must have shape {table.rows.shape}, one for each cluster; got {owner.shape}."
        )
    chosen = np.arange(len(owner)) if selection is None else np.flatnonzero(selection)
    matched = table.pairs("agn", "icm") if pairs is None else pairs
    several = len(table.channels) > 1
    scopes = ([None] if several else []) + list(range(len(table.channels)))

    log_low = table.log_low

    def sides(rows: NDArray[np.int64]) -> list[_Sides]:
        weight = np.bincount(chosen[rows], minlength=len(owner)).astype(np.float64)
        return list(_sides(table, matched, weight))

    def statistic(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        found = sides(rows)
        return _differences([side.scope(scope) for scope in scopes for side in found], log_low)

    drawn = bootstrap(statistic, owner[chosen], n_resamples=n_resamples, seed=seed)
    every = np.arange(len(chosen))
    told = iter(numbers(statistic(every), drawn))
    found = sides(every)
    return [
        AgnIcm(
            ALL_CHANNELS if scope is None else table.channels[scope],
            len(chosen),
            *(
                _comparison(way, side, scope, log_low, next(told), next(told))
                for way, side in zip(COMPARED, found, strict=True)
            ),
        )
        for scope in scopes
    ]


def _sides(table: PixelTable, pairs: Pairs, weight: NDArray[np.float64]) -> Iterator[_Sides]:
    """Yield both classes plainly, at equal brightness, and inside the same clusters."""
    found = table.matched("agn", "icm", weight)
    n_agn = found.filled[0, 0].sum(axis=-1)
    inside = np.tensordot(weight, pairs.filled, axes=1), np.tensordot(weight, pairs.summed, axes=1)
    for filled, summed in (*zip(found.filled, found.summed, strict=True), inside):
        n = filled[0].sum(axis=-1)
        shares = np.append(n, n.sum()) / np.maximum(np.append(n_agn, n_agn.sum()), 1.0)
        yield _Sides(filled, summed, shares)


def _differences(
    scopes: Sequence[tuple[NDArray[Any], NDArray[Any]]], log_low: float
) -> NDArray[np.float64]:
    """Return two numbers by scope, shape (2 n,), both in dex.

    They are the difference of the medians, and the log10 of the ratio of the means.
    """
    filled = np.stack([number for number, _ in scopes])
    median = log_quantiles(filled, log_low)
    mean = np.stack([total for _, total in scopes]) / np.maximum(filled.sum(axis=-1), 1e-30)
    there = (mean > 0.0).all(axis=-1)
    ratio = np.full(len(mean), np.nan)
    ratio[there] = np.log10(mean[there, 0] / mean[there, 1])
    return np.stack([median[:, 0] - median[:, 1], ratio], axis=1).ravel()


def _comparison(
    way: str, side: _Sides, scope: int | None, log_low: float, median: Number, mean: Number
) -> Comparison:
    filled, summed = side.scope(scope)
    n = filled.sum(axis=-1)
    levels = [log_quantiles(filled, log_low, p) for p in _PROBABILITIES]
    agn, icm = (
        Spread(
            float(n[k]),
            float(levels[0][k]),
            float(levels[1][k]),
            float(levels[2][k]),
            float(summed[k] / n[k]) if n[k] > 0 else float("nan"),
        )
        for k in (0, 1)
    )
    share = side.share[-1 if scope is None else scope]
    return Comparison(way, agn, icm, median, mean, float(share))
