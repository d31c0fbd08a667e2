"""Pixels by whose photons fill them, brightness, radius and saliency: counted cluster by cluster.

What is kept of a cluster is a sparse histogram, so that medians of any selection of clusters, and
of thousands of samples drawn again, cost little. Saliency is |gradient|, in whatever unit it comes;
its logarithm is kept to 0.05 dex, and medians are interpolated within.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.interpret.statistics.batches import check_batch, radial_bins, require_once
from icmass.interpret.statistics.pixel_kernels import (
    code_pixels,
    matched_histograms,
    paired_histograms,
    tabulate,
    weighted_histogram,
)

__all__ = [
    "COUNT_EDGES",
    "LOG_SALIENCY",
    "MATCH_EDGES",
    "MIXED",
    "Histogram",
    "Matched",
    "Pairs",
    "PixelTable",
    "bin_edges",
    "log_quantiles",
]

#: The class of pixels in which several origins have most photons.
MIXED: Final = "mixed"
_PER_DEX: Final = 20
#: log10 saliency from and to; what lies outside, and zero, is counted at the ends. It is largest
#: over what a proxy implies: thousands in faint pixels of bright clusters.
LOG_SALIENCY: Final = (-10.0, 4.0)
_N_BIN: Final = round((LOG_SALIENCY[1] - LOG_SALIENCY[0]) * _PER_DEX)
# Pixels are matched in bins of photons and radius. In wide ones pixels of AGN would lie further out
# and be fainter than those of gas: with rings of 0.25 R500c this feigned 0.04 dex.
#: Photons of a pixel, lower edges: each number apart up to 8, then six bins to a factor of 2.
COUNT_EDGES: Final[tuple[int, ...]] = tuple(
    dict.fromkeys([*range(1, 9), *(round(2.0 ** (k / 6)) for k in range(18, 97))])
)
#: Edges of rings in which pixels are matched, projected R500c; finer than those of profiles.
MATCH_EDGES: Final[tuple[float, ...]] = (
    *(k / 20 for k in range(20)),
    *(k / 10 for k in range(10, 20)),
    *(k / 4 for k in range(8, 17)),
    math.inf,
)


class Histogram(NamedTuple):
    """Pixels of some clusters.

    Attributes
    ----------
    filled : ndarray, shape (class, channel, counts, radius, saliency)
        Number of pixels that hold photons; classes are the origins and `MIXED`.
    summed : ndarray, shape (class, channel, counts, radius)
        Sum of their saliency.
    log_low : float
        log10 saliency at which the first bin begins.
    """

    filled: NDArray[np.float64]
    summed: NDArray[np.float64]
    log_low: float


class Pairs(NamedTuple):
    """Pixels of two classes, the second weighted to the cells of the first, by cluster.

    `filled` has shape (n, 2, channel, saliency), `summed`, of saliency, (n, 2, channel).
    """

    filled: NDArray[np.float64]
    summed: NDArray[np.float64]


class Matched(NamedTuple):
    """Pixels of two classes over all clusters, plainly and matched.

    `filled` has shape (plain or matched, class, channel, saliency); `summed`, of saliency, shape
    (plain or matched, class, channel). The first bin of saliency begins at `log_low`.
    """

    filled: NDArray[np.float64]
    summed: NDArray[np.float64]
    log_low: float


@dataclass
class _Compiled:
    """All clusters in the order of their rows; codes without counts and saliencies never met."""

    rows: NDArray[np.int64]
    every: NDArray[np.int32]
    filled: NDArray[np.float32]
    shape: tuple[int, int, int, int, int]
    log_low: float
    start: NDArray[np.int64]
    cell: NDArray[np.int32]
    saliency: NDArray[np.int16]
    number: NDArray[np.float32]
    cell_start: NDArray[np.int64]
    cells: NDArray[np.int32]
    n_there: NDArray[np.float32]
    summed: NDArray[np.float32]

    @property
    def lists(self) -> tuple[NDArray[Any], ...]:
        """Codes of all clusters, then cells, as kernels take them."""
        codes = self.start, self.cell, self.saliency, self.number
        return *codes, self.cell_start, self.cells, self.n_there, self.summed


class PixelTable:
    """Counts pixels as batches of clusters come in.

    Parameters
    ----------
    origins : sequence of str
        Of the photons, in the order of the counts.
    channels : sequence of str
        Names of the images.
    """

    def __init__(self, origins: Sequence[str], channels: Sequence[str]) -> None:
        self.origins = tuple(origins)
        self.channels = tuple(channels)
        self.n_pixel = 0
        self._first = np.zeros(len(channels))
        self._second = np.zeros(len(channels))
        self._count_bin = _count_bins()
        self._shape = (
            *(len(origins) + 1, len(channels), len(COUNT_EDGES)),
            *(len(MATCH_EDGES) - 1, _N_BIN),
        )
        self._place = np.full(math.prod(self._shape), -1, np.int32)
        self._parts: list[tuple[NDArray[Any], ...]] = []
        self._compiled: _Compiled | None = None

    def add(
        self,
        rows: NDArray[np.int64],
        gradient: NDArray[np.floating[Any]],
        counts: NDArray[Any],
        radius: NDArray[np.floating[Any]],
    ) -> None:
        """Count the pixels of clusters.

        Parameters
        ----------
        rows : ndarray of int, shape (m,)
            Each row once.
        gradient : ndarray, shape (m, n_channel, n_y, n_x)
        counts : ndarray of int, shape (m, n_origin, n_channel, n_y, n_x)
        radius : ndarray, shape (m, n_y, n_x)
            In projected R500c.

        Raises
        ------
        InputError
            If shapes do not fit or a gradient is not finite.
        """
        check_batch(rows, gradient, counts, radius, (len(self.origins), len(self.channels)))
        every = np.zeros((len(rows), len(self.channels), _N_BIN), np.int32)
        coded = code_pixels(
            *(np.abs(gradient), counts.astype(np.int64)),
            *(radial_bins(radius, MATCH_EDGES), self._count_bin),
            *(LOG_SALIENCY[0], _PER_DEX, len(MATCH_EDGES) - 1, _N_BIN, every),
        )
        codes, cells = tabulate(*coded, self._place, _N_BIN)
        self._parts.append((np.array(rows, np.int64), every, *codes, *cells))
        seen = np.log1p(counts.sum(axis=1, dtype=np.float64))
        self.n_pixel += len(rows) * math.prod(gradient.shape[2:])
        self._first += seen.sum(axis=(0, 2, 3))
        self._second += np.square(seen).sum(axis=(0, 2, 3))
        self._compiled = None

    def __len__(self) -> int:
        return sum(len(part[0]) for part in self._parts)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows that came in, ascending, shape (n,): the order of the clusters everywhere here."""
        return self._compile().rows

    @property
    def log_low(self) -> float:
        """log10 saliency at which the first bin of histograms begins."""
        return self._compile().log_low

    def pixel_std(self) -> NDArray[np.float64]:
        """Return the standard deviation of ln(1 + N) over all pixels, shape (n_channel,).

        Times the gradient by ln(1 + N) this is that by a standardised input.
        """
        n = max(self.n_pixel, 1)
        variance = self._second / n - np.square(self._first / n)
        return np.sqrt(np.maximum(variance, 0.0))

    def histogram(self, weight: ArrayLike | None = None) -> Histogram:
        """Return the pixels of clusters that count as often as their `weight` says, shape (n,)."""
        table = self._compile()
        times, shape = self._weight(weight), table.shape
        filled = weighted_histogram(*table.lists[:4], times, math.prod(shape[:-1]), shape[-1])
        summed = weighted_histogram(
            *(table.cell_start, table.cells, np.zeros(len(table.cells), np.int16), table.summed),
            *(times, math.prod(shape[:-1]), 1),
        )
        return Histogram(filled.reshape(shape), summed.reshape(shape[:-1]), table.log_low)

    def by_channel(
        self, weight: ArrayLike | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return numbers by saliency of all pixels, of filled ones, and where bins begin.

        Both have shape (channel, saliency); clusters count as often as their `weight` says.
        """
        table = self._compile()
        times = self._weight(weight)
        every, filled = (np.tensordot(times, n, axes=1) for n in (table.every, table.filled))
        return every, filled, table.log_low

    def pairs(self, first: str, second: str) -> Pairs:
        """Return pixels of two classes matched inside each cluster: by channel, counts, radius.

        Parameters
        ----------
        first, second : str
            Origins.
        """
        table = self._compile()
        places = [self.class_of(name) for name in (first, second)]
        return Pairs(*paired_histograms(*table.lists, *places, table.shape))

    def matched(self, first: str, second: str, weight: ArrayLike | None = None) -> Matched:
        """Return pixels of two classes, the second weighted to the counts and radii of the first.

        Parameters
        ----------
        first, second : str
            Origins.
        weight : array, shape (n,), optional
            How often each cluster counts.
        """
        table = self._compile()
        filled, summed = matched_histograms(
            *(
                *table.lists,
                self._weight(weight),
                self.class_of(first),
                self.class_of(second),
                table.shape,
            ),
        )
        return Matched(filled, summed, table.log_low)

    def class_of(self, origin: str) -> int:
        """Return the place of the class of an `origin`.

        Raises
        ------
        InputError
            If its photons were not counted.
        """
        if origin not in self.origins:
            raise InputError(
                f"origin: must be one of {', '.join(self.origins)}, whose photons were counted; "
                f"got '{origin}'."
            )
        return self.origins.index(origin)

    def _weight(self, weight: ArrayLike | None) -> NDArray[np.float64]:
        n = len(self._compile().rows)
        times = np.ones(n) if weight is None else np.asarray(weight, np.float64)
        if times.shape != (n,):
            raise InputError(
                f"weight: must have shape ({n},), one for each cluster; got {times.shape}."
            )
        return times

    def _compile(self) -> _Compiled:
        if self._compiled is None:
            self._compiled = _compile(self._parts, self._shape)
        return self._compiled


def bin_edges(log_low: float, n_bin: int) -> NDArray[np.float64]:
    """Return edges of `n_bin` bins of log10 saliency, shape (n_bin + 1,), from `log_low` on."""
    return log_low + np.arange(n_bin + 1) / _PER_DEX


def log_quantiles(
    number: NDArray[np.floating[Any]], log_low: float, probability: float = 0.5
) -> NDArray[np.float64]:
    """Return a quantile of log10 saliency from numbers by bin, the last axis; NaN where none is.

    Parameters
    ----------
    number : ndarray, shape (..., n_bin)
        Also weighted ones.
    log_low : float
        Where the first bin begins.
    probability : float
        0.5 for the median. Within a bin the distribution is taken as even.
    """
    running = np.cumsum(number, axis=-1, dtype=np.float64)
    wanted = probability * running[..., -1:]
    place = np.minimum((running < wanted).sum(axis=-1, keepdims=True), number.shape[-1] - 1)
    inside = np.take_along_axis(number, place, axis=-1)
    before = np.take_along_axis(running, place, axis=-1) - inside
    share = (wanted - before) / np.where(inside > 0.0, inside, 1.0)
    found = log_low + (place + np.clip(share, 0.0, 1.0)) / _PER_DEX
    return np.where(running[..., -1] > 0.0, found[..., 0], np.nan)


def _count_bins() -> NDArray[np.int64]:
    """Return the bin of 0, 1, 2 ... photons; more than the last are in its bin."""
    top = COUNT_EDGES[-1]
    found = np.searchsorted(np.asarray(COUNT_EDGES), np.arange(top + 1), side="right") - 1
    return np.maximum(found, 0)


def _compile(
    parts: list[tuple[NDArray[Any], ...]], shape: tuple[int, int, int, int, int]
) -> _Compiled:
    """Join what came in, in the order of rows, and leave out ranges that never occur."""
    if not parts:
        raise InputError("pixels: must be of at least 1 cluster; none came in.")
    rows = np.concatenate([part[0] for part in parts])
    order = np.argsort(rows, kind="stable")
    every = np.concatenate([part[1] for part in parts])[order]
    met = np.flatnonzero(every.any(axis=(0, 1)))
    low, high = (int(met[0]), int(met[-1]) + 1) if len(met) else (0, 1)
    require_once(rows[order])
    place = np.cumsum([0, *(len(part[0]) for part in parts)])
    of_part = np.searchsorted(place, order, side="right") - 1
    where = list(zip(of_part.tolist(), (order - place[of_part]).tolist(), strict=True))
    (cell, saliency, number), start = _in_order([part[2:6] for part in parts], where)
    (cells, n_there, summed), cell_start = _in_order([part[6:] for part in parts], where)
    n_counts = int((cells // shape[3] % shape[2]).max()) + 1 if len(cells) else 1
    cut = np.int32(shape[2] - n_counts) * np.int32(shape[3])
    per_channel = np.int32(shape[2] * shape[3])
    for one in (cell, cells):  # in place: these are long
        np.subtract(one, one // per_channel * cut, out=one)
    saliency -= np.int16(low)
    filled = np.zeros((len(rows), shape[1], high - low), np.float32)
    for k in range(len(rows)):
        span = slice(start[k], start[k + 1])
        channel = cell[span] // np.int32(n_counts * shape[3]) % shape[1]
        np.add.at(filled[k], (channel, saliency[span]), number[span])
    return _Compiled(
        rows=rows[order],
        every=np.ascontiguousarray(every[:, :, low:high]),
        filled=filled,
        shape=(*shape[:2], n_counts, shape[3], high - low),
        log_low=LOG_SALIENCY[0] + low / _PER_DEX,
        start=start,
        cell=cell,
        saliency=saliency,
        number=number,
        cell_start=cell_start,
        cells=cells,
        n_there=n_there,
        summed=summed,
    )


def _in_order(
    parts: list[tuple[NDArray[Any], ...]], where: list[tuple[int, int]]
) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Join lists of clusters, the last of each part saying where each begins.

    `where` names the part and the place in it of each cluster, in the order wanted.
    """
    size = [int(parts[p][-1][k + 1] - parts[p][-1][k]) for p, k in where]
    start = np.cumsum([0, *size])
    joined = [np.empty(start[-1], one.dtype) for one in parts[0][:-1]]
    for (p, k), first, last in zip(where, start[:-1], start[1:], strict=True):
        *lists, begin = parts[p]
        for one, target in zip(lists, joined, strict=True):
            target[first:last] = one[begin[k] : begin[k + 1]]
    return joined, start
