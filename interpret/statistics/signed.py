"""Do photons of AGN raise the mass as those of gas do? Gradients with sign, at equal brightness.

Saliency is large where networks subtract as well as where they add. So the mean gradient of pixels
of AGN is set beside that of pixels of gas of the same cluster, channel, counts and radius: zero
means that networks do not count a photon there, below zero that they take it off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import bootstrap
from icmass.errors import InputError
from icmass.interpret.regions import dominant
from icmass.interpret.statistics.batches import check_batch, radial_bins, require_once
from icmass.interpret.statistics.number import Number, Result, numbers
from icmass.interpret.statistics.pixels import COUNT_EDGES, MATCH_EDGES

__all__ = ["INSIDE", "Signed", "SignedTable"]

#: Where pixels are compared: name and outer radius, projected R500c.
INSIDE: Final = (("everywhere", np.inf), ("inside R500c", 1.0))
_N, _AGN, _GAS = range(3)


@dataclass(frozen=True)
class Signed(Result):
    """Mean gradients with their sign.

    Attributes
    ----------
    channel, where : str
    n_pixels : int
        Of AGN, that have pixels of gas of their counts and radius in the same cluster.
    agn, icm : Number
        Mean gradient of pixels of AGN, and of the pixels of gas that they are matched to.
    difference : Number
        AGN minus gas.
    """

    channel: str
    where: str
    n_pixels: int
    agn: Number
    icm: Number
    difference: Number


class SignedTable:
    """Adds gradients as batches of clusters come in; keeps a few numbers of each.

    Parameters
    ----------
    origins, channels : sequence of str
        Of the counts, in their order.

    Raises
    ------
    InputError
        If AGN or gas are not among the origins.
    """

    def __init__(self, origins: Sequence[str], channels: Sequence[str]) -> None:
        self.origins, self.channels = tuple(origins), tuple(channels)
        for name in ("agn", "icm"):
            if name not in self.origins:
                raise InputError(
                    f"origins: must hold {name} to compare AGN and gas; got "
                    f"{', '.join(self.origins)}."
                )
        self._rows: list[NDArray[np.int64]] = []
        self._sums: list[NDArray[np.float64]] = []

    def add(
        self,
        rows: NDArray[np.int64],
        gradient: NDArray[np.floating[Any]],
        counts: NDArray[Any],
        radius: NDArray[np.floating[Any]],
    ) -> None:
        """Add the pixels of clusters.

        Parameters
        ----------
        rows, gradient, counts, radius
            As of `PixelTable.add`, and of the same shapes.

        Raises
        ------
        InputError
            If shapes do not fit or a gradient is not finite.
        """
        check_batch(rows, gradient, counts, radius, (len(self.origins), len(self.channels)))
        owner = dominant(counts, self.origins)
        photons = counts.sum(axis=1, dtype=np.int64)
        brightness = np.searchsorted(np.array(COUNT_EDGES), photons, side="right")
        cell = brightness * len(MATCH_EDGES) + radial_bins(radius, MATCH_EDGES)[:, None]
        sums = np.zeros((len(rows), len(INSIDE), len(self.channels), 3))
        agn, icm = self.origins.index("agn"), self.origins.index("icm")
        for k in range(len(rows)):
            for c in range(len(self.channels)):
                for place, (_, limit) in enumerate(INSIDE):
                    within = radius[k] < limit
                    sums[k, place, c] = _matched(
                        gradient[k, c],
                        cell[k, c],
                        (owner[k, c] == agn) & within,
                        (owner[k, c] == icm) & within,
                    )
        self._rows.append(np.array(rows, np.int64))
        self._sums.append(sums)

    def result(
        self, halo: ArrayLike, name_of_all: str, *, n_resamples: int = 200, seed: int = 0
    ) -> list[Signed]:
        """Return all channels first if there are several, then each.

        Parameters
        ----------
        halo : array of int, shape (n,)
            The halo that each cluster is of, in ascending order of the rows.
        name_of_all : str
            What all channels together are called.
        n_resamples, seed : int
            Of the bootstrap.

        Raises
        ------
        InputError
            If no cluster came in, or one twice.
        """
        if not self._rows:
            raise InputError("gradients: must be of at least 1 cluster; none came in.")
        rows = np.concatenate(self._rows)
        order = np.argsort(rows)
        require_once(rows[order])
        sums = np.concatenate(self._sums)[order]
        every = [(name, sums[:, :, k]) for k, name in enumerate(self.channels)]
        if len(every) > 1:
            every.insert(0, (name_of_all, sums.sum(axis=2)))
        table = np.stack([part for _, part in every], axis=1)  # (n, channel, where, 3)

        def statistic(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
            total = table[chosen].sum(axis=0)
            n = np.where(total[..., _N] > 0.0, total[..., _N], np.nan)
            agn, gas = total[..., _AGN] / n, total[..., _GAS] / n
            return np.stack([agn, gas, agn - gas], axis=-1).ravel()

        drawn = bootstrap(statistic, halo, n_resamples=n_resamples, seed=seed)
        found = iter(numbers(statistic(np.arange(len(table))), drawn))
        return list(_named([name for name, _ in every], table.sum(axis=0), found))


def _named(
    channels: Sequence[str], total: NDArray[np.float64], found: Iterator[Number]
) -> Iterator[Signed]:
    for c, channel in enumerate(channels):
        for place, (where, _) in enumerate(INSIDE):
            n = int(total[c, place, _N])
            yield Signed(channel, where, n, next(found), next(found), next(found))


def _matched(
    gradient: NDArray[np.floating[Any]],
    cell: NDArray[np.int64],
    agn: NDArray[np.bool_],
    icm: NDArray[np.bool_],
) -> tuple[float, float, float]:
    """Return how many pixels of AGN have matches, the sum of their gradients, and of the matches'.

    A pixel of AGN is matched to the mean of the pixels of gas in its cell.
    """
    if not agn.any() or not icm.any():
        return 0.0, 0.0, 0.0
    name, place = np.unique(cell[icm], return_inverse=True)
    mean = np.bincount(place, gradient[icm].astype(np.float64)) / np.bincount(place)
    wanted = np.searchsorted(name, cell[agn])
    there = name[np.minimum(wanted, len(name) - 1)] == cell[agn]
    return (
        float(there.sum()),
        float(gradient[agn][there].sum(dtype=np.float64)),
        float(mean[wanted[there]].sum()),
    )
