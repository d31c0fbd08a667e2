"""What is explained: trained networks, the clusters they judge, and what of their saying is asked.

Nothing here knows how networks are made or trained. A network is any module that standardises what
it sees of clusters, turns it into features and these into quantiles of ln M500c/Msun; whoever calls
gives the networks, and how they read a catalog (`icmass.cli.explaining` does for runs).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from torch import Tensor, nn

from icmass.catalog import KEY, Catalog, add_up
from icmass.errors import InputError

__all__ = ["ALL_FOLDS", "Channel", "Judge", "Seen", "Subject", "Target"]

#: Marks a cluster that no fold was trained on: all folds judge it.
ALL_FOLDS: Final = -1


class Seen(Protocol):
    """What a network is given of n clusters: a named tuple of tensors.

    `counts` (n, n_channel, n_y, n_x) are photons, `cube` (n, v, y, x) the density of galaxies, of
    size 0 where the network does not look at them.
    """

    counts: Tensor
    cube: Tensor

    def _replace(self, **parts: Any) -> Self: ...
    def __iter__(self) -> Iterator[Tensor]: ...


class Judge(Protocol):
    """A trained network with its normalisation inside; also an `nn.Module`."""

    def standardise(self, clusters: Any) -> Any:
        """Return what the network works on, of `clusters` (a `Seen`)."""
        ...

    def features(self, seen: Any) -> Tensor:
        """Return features of what is `seen`, shape (n, width)."""
        ...

    def quantiles(self, features: Tensor) -> Tensor:
        """Return ln M500c/Msun of `features` at fixed normal scores, shape (n, n_score)."""
        ...


class CatalogReader(Protocol):
    """Reads what networks see of the rows of one catalog."""

    def read(self, rows: NDArray[np.int64]) -> Seen:
        """Return `rows`, shape (n,), as tensors."""
        ...


@dataclass(frozen=True)
class Channel:
    """An image that networks see: its name and the bands that are added in it."""

    name: str
    bands: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """The number that is explained, of a distribution of ln M.

    Attributes
    ----------
    name : str
        mean, std, median, or a probability between 0 and 1 whose quantile is meant.
    """

    name: str = "mean"

    def __post_init__(self) -> None:
        if self.name in ("mean", "std", "median"):
            return
        try:
            probability = float(self.name)
        except ValueError:
            probability = math.nan
        if not 0.0 < probability < 1.0:
            raise InputError(
                f"target: must be mean, std, median or a probability between 0 and 1; got "
                f"'{self.name}'."
            )

    @property
    def words(self) -> str:
        """What it is called in a sentence."""
        return self.name if self.name in ("mean", "std", "median") else f"{self.name} quantile"

    def of(self, quantiles: Tensor, scores: Sequence[float]) -> Tensor:
        """Return the number for each cluster, shape (n,), in ln M.

        Parameters
        ----------
        quantiles : Tensor, shape (n, n_score)
            ln M at normal scores.
        scores : sequence of float
            Ascending and evenly spaced.

        Raises
        ------
        InputError
            If the probability wanted lies beyond these scores.
        """
        z = torch.as_tensor(scores, dtype=quantiles.dtype, device=quantiles.device)
        if self.name in ("mean", "std"):
            weight = torch.exp(-0.5 * z**2)
            weight = weight / weight.sum()
            mean = quantiles @ weight
            if self.name == "mean":
                return mean
            # Scores end at +-3: so that a Gaussian has its own deviation.
            unit = (weight * z**2).sum()
            return ((quantiles - mean[:, None]) ** 2 @ weight / unit).clamp(min=1e-12).sqrt()
        wanted = 0.0 if self.name == "median" else float(ndtri(float(self.name)))
        if not z[0] <= wanted <= z[-1]:
            low, high = ndtr(float(z[0])), ndtr(float(z[-1]))
            raise InputError(
                f"target: must be a probability from {low:.4f} to {high:.4f}; got {self.name}."
            )
        place = min(int(torch.searchsorted(z, wanted, right=True)), len(z) - 1) - 1
        share = float((wanted - z[place]) / (z[place + 1] - z[place]))
        return (1.0 - share) * quantiles[:, place] + share * quantiles[:, place + 1]


@dataclass(frozen=True)
class Subject:
    """Networks and the clusters that they judge.

    Attributes
    ----------
    catalog : Catalog
        Its clusters, with their truth.
    judges : tuple of tuples of nn.Module
        Networks by fold and member, each a `Judge` in evaluation mode. Their weights must not ask
        for gradients.
    fold : ndarray of int, shape (n,)
        The fold that judges each cluster of the catalog: the one that did not train on it, or
        `ALL_FOLDS`.
    reader : callable
        From a catalog, also a changed one of the same rows, to a `CatalogReader` of it.
    channels : tuple of Channel
        Images that networks see, in their order.
    origins : tuple of str
        Origins of the photons that they see.
    factor : int
        So many pixels of the catalog on a side make one of theirs.
    scores : tuple of float
        Normal scores of the quantiles.
    target : Target
        What is explained.
    """

    catalog: Catalog
    judges: tuple[tuple[nn.Module, ...], ...]
    fold: NDArray[np.int64]
    reader: Callable[[Catalog], CatalogReader]
    channels: tuple[Channel, ...]
    origins: tuple[str, ...]
    factor: int
    scores: tuple[float, ...]
    target: Target = Target()

    def __len__(self) -> int:
        return len(self.catalog)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.judges[0][0].parameters()).device

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of what networks see of a cluster: channels, rows, columns."""
        geometry = self.catalog.spec.geometry
        return len(self.channels), geometry.n_y // self.factor, geometry.n_x // self.factor

    @property
    def sees_galaxies(self) -> bool:
        """Whether networks look at the cube of galaxies."""
        return any(seen.cube.numel() > 0 for _, _, seen in self.batches(1, np.arange(1)))

    @property
    def band_names(self) -> tuple[str, ...]:
        """Bands that are read, each once."""
        return tuple(dict.fromkeys(name for channel in self.channels for name in channel.bands))

    def select(self, rows: NDArray[np.int64]) -> "Subject":
        """Return the subject of some `rows` of its catalog, by number, shape (n,)."""
        return replace(self, catalog=self.catalog.select(rows), fold=self.fold[rows])

    def with_catalog(self, catalog: Catalog) -> "Subject":
        """Return the same networks before a changed `catalog` of the same rows."""
        return replace(self, catalog=catalog)

    def networks(self, fold: int) -> tuple[nn.Module, ...]:
        """Return the networks that judge a cluster of a `fold`: of all folds for `ALL_FOLDS`."""
        if fold == ALL_FOLDS:
            return tuple(network for members in self.judges for network in members)
        return self.judges[fold]

    def batches(
        self, size: int, rows: NDArray[np.int64] | None = None
    ) -> Iterator[tuple[NDArray[np.int64], tuple[nn.Module, ...], Seen]]:
        """Yield clusters that the same networks judge.

        Parameters
        ----------
        size : int
            Clusters at most.
        rows : ndarray of int, optional
            Rows wanted; all by default.

        Yields
        ------
        rows : ndarray of int, shape (m,)
        networks : tuple of nn.Module
        seen : Seen
            On the device of the networks.
        """
        wanted = np.arange(len(self)) if rows is None else np.asarray(rows, np.int64)
        reader = self.reader(self.catalog)
        for fold in np.unique(self.fold[wanted]):
            of_fold = wanted[self.fold[wanted] == fold]
            for start in range(0, len(of_fold), size):
                some = of_fold[start : start + size]
                seen = reader.read(some)
                moved = {
                    name: part.to(self.device)
                    for name, part in zip(type(seen)._fields, seen, strict=True)  # type: ignore[attr-defined]
                }
                yield some, self.networks(int(fold)), seen._replace(**moved)

    def value(self, networks: Sequence[nn.Module], seen: Seen) -> Tensor:
        """Return the explained number of clusters, shape (n,): the mean over `networks`.

        These look at what is `seen`.
        """
        values = [self.target.of(_quantiles(network, seen), self.scores) for network in networks]
        return torch.stack(values).mean(dim=0)

    def values(self, batch_size: int = 64) -> NDArray[np.float64]:
        """Return the explained number of all clusters, shape (n,), in ln M.

        Networks are shown `batch_size` clusters at once.
        """
        result = np.empty(len(self))
        with torch.no_grad():
            for rows, networks, seen in self.batches(batch_size):
                result[rows] = self.value(networks, seen).cpu().double().numpy()
        return result

    def counts(self, rows: NDArray[np.int64], origins: Sequence[str] | None = None) -> NDArray[Any]:
        """Return photons in the channels and pixels of the networks, by origin.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
        origins : sequence of str, optional
            Origins wanted; those that networks see by default.

        Returns
        -------
        ndarray of uint32, shape (n, n_origin, n_channel, n_y, n_x)

        Raises
        ------
        InputError
            If an origin was not stored.
        """
        bands = self.band_names
        maps = self.catalog.images(rows, bands, origins or self.origins, apart=True)
        places = [[bands.index(name) for name in channel.bands] for channel in self.channels]
        return add_up(maps, places, self.factor)

    def require_origins(self, *origins: str) -> None:
        """Refuse a question about photons of `origins` that are not kept apart or not seen.

        Raises
        ------
        InputError
            Naming the first such origin.
        """
        for origin in origins:
            if origin not in self.catalog.spec.origins:
                raise InputError(
                    f"{self.catalog.path}: must keep {origin} apart; got "
                    f"{', '.join(self.catalog.spec.origins)}. Simulate it with origins, or leave "
                    f"out what asks for {origin}."
                )
            if origin not in self.origins:
                raise InputError(
                    f"origins: the networks must see {origin}; they see {', '.join(self.origins)}. "
                    f"Leave out what asks for {origin}."
                )

    def place(self, name: str) -> int:
        """Return the row of a cluster given by its number or its key.

        Parameters
        ----------
        name : str
            A row number, or SAMPLE/SNAPSHOT/HALO/LINE.

        Raises
        ------
        InputError
            If there is no such cluster.
        """
        try:
            numbers = [int(part) for part in name.split("/")]
        except ValueError:
            numbers = []
        if len(numbers) == 1 and 0 <= numbers[0] < len(self):
            return numbers[0]
        if len(numbers) == len(KEY):
            keys = np.stack([self.catalog.column(column) for column in KEY], axis=1)
            found = np.flatnonzero((keys == numbers).all(axis=1))
            if len(found):
                return int(found[0])
        raise InputError(
            f"cluster: must be a row from 0 to {len(self) - 1}, or SAMPLE/SNAPSHOT/HALO/LINE of a "
            f"cluster in {self.catalog.path}; got '{name}'."
        )


def _quantiles(network: Any, seen: Seen) -> Tensor:
    result: Tensor = network.quantiles(network.features(network.standardise(seen)))
    return result
