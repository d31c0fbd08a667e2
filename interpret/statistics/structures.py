"""Whether networks look at substructures and neighbours as at other pixels of their radius.

Expected of a structure is the mean saliency of the pixels of the same cluster, channel and ring
that lie in none; structures that fill their ring are left out. Pixels of structures are brighter,
and saliency by ln(1 + n) grows with brightness; so it is also told per photon, as |gradient| over
n + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import bootstrap
from icmass.catalog import RegionKind
from icmass.errors import InputError
from icmass.interpret.regions import RADIAL_EDGES
from icmass.interpret.statistics.batches import check_batch, radial_bins, require_once
from icmass.interpret.statistics.number import Number, Result, numbers
from icmass.interpret.statistics.ring_kernels import masked_sums

__all__ = ["Structure", "StructureTable"]

_N_KIND: Final = len(RegionKind) + 1


@dataclass(frozen=True)
class Structure(Result):
    """Saliency in structures of one kind.

    Attributes
    ----------
    kind : str
        substructure, companion or neighbour.
    n_clusters : int
        That have any.
    n_pixels : int
        Of all channels.
    ratio : Number
        Sum of |gradient| in structures over what is expected of other pixels of their radii.
    ratio_per_photon : Number
        The same of |gradient| over (n + 1).
    """

    kind: str
    n_clusters: int
    n_pixels: int
    ratio: Number
    ratio_per_photon: Number


class StructureTable:
    """Sums pixels of structures as batches of clusters come in.

    Parameters
    ----------
    origins, channels : sequence of str
        Of the counts, in their order.
    """

    def __init__(self, origins: Sequence[str], channels: Sequence[str]) -> None:
        self.origins, self.channels = tuple(origins), tuple(channels)
        self._parts: list[tuple[NDArray[Any], NDArray[Any]]] = []

    def add(
        self,
        rows: NDArray[np.int64],
        gradient: NDArray[np.floating[Any]],
        counts: NDArray[Any],
        radius: NDArray[np.floating[Any]],
        kind: NDArray[np.uint8],
    ) -> None:
        """Add clusters.

        Parameters
        ----------
        rows, gradient, counts, radius
            As of `PixelTable.add`, and of the same shapes.
        kind : ndarray of uint8, shape (m, n_y, n_x)
            Structure in each pixel (`icmass.interpret.regions.structures`).

        Raises
        ------
        InputError
            If shapes do not fit or a gradient is not finite.
        """
        check_batch(rows, gradient, counts, radius, (len(self.origins), len(self.channels)))
        if kind.shape != radius.shape:
            raise InputError(f"kind: must have shape {radius.shape}; got {kind.shape}.")
        seen = counts.sum(axis=1, dtype=np.float64)
        bins = radial_bins(radius)
        sums = masked_sums(gradient, seen, kind, bins, _N_KIND, len(RADIAL_EDGES) - 1)
        free, inside = sums[:, :, :1], sums[:, :, 1:]  # (m, C, kind, ring, 3)
        n_free = free[..., :1]
        mean = free[..., 1:] / np.maximum(n_free, 1.0)
        known = n_free > 0.0
        found = np.where(known, inside[..., 1:], 0.0)
        expected = np.where(known, inside[..., :1] * mean, 0.0)
        n = np.where(known, inside[..., :1], 0.0)
        table = np.concatenate([n, found, expected], axis=-1).sum(axis=(1, 3))  # (m, kind, 5)
        self._parts.append((np.array(rows, np.int64), table))

    def result(self, halo: ArrayLike, *, n_resamples: int = 200, seed: int = 0) -> list[Structure]:
        """Return what was found of each kind that was met.

        Parameters
        ----------
        halo : array of int, shape (n,)
            The halo that each cluster is of, in ascending order of its row.
        n_resamples, seed : int
            Of the bootstrap.

        Raises
        ------
        InputError
            If no cluster came in, or one twice.
        """
        if not self._parts:
            raise InputError("structures: must be of at least 1 cluster; none came in.")
        rows, tables = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.argsort(rows, kind="stable")
        require_once(rows[order])
        table = tables[order]

        def ratios(chosen: NDArray[Any]) -> NDArray[np.float64]:
            total = table[chosen].sum(axis=0)
            safe = np.where(total[:, 3:] > 0.0, total[:, 3:], np.nan)
            result: NDArray[np.float64] = (total[:, 1:3] / safe).ravel()
            return result

        drawn = bootstrap(ratios, halo, n_resamples=n_resamples, seed=seed)
        found = numbers(ratios(np.arange(len(table))), drawn)
        n_pixels = table[:, :, 0]
        return [
            Structure(
                kind.name.lower(),
                int(np.count_nonzero(n_pixels[:, k])),
                int(n_pixels[:, k].sum()),
                *found[2 * k : 2 * k + 2],
            )
            for k, kind in enumerate(RegionKind)
            if n_pixels[:, k].any()
        ]
