"""The training, validation and test parts of one fold as Lightning wants them.

A batch is read at once, never cluster by cluster. The order of epoch k depends on the seed and k
alone, so that a run that was killed goes on as if it had not been.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from typing_extensions import override

from icmass.errors import InputError
from icmass.estimate.augmentation import Augmentation
from icmass.estimate.estimator import tensors
from icmass.estimate.folds import Split
from icmass.estimate.reading import Clusters, HeldReader, Reader

__all__ = ["Batch", "ClusterData", "ClusterSet", "EpochOrder", "flat_weights"]

_EVALUATION_BATCH: Final = 256
_READERS: Final = 2  # processes that read ahead, where not all is held in memory
_CAP: Final = 6.0  # largest weight over the mean: few clusters must not stand for a decade in mass


class Batch(NamedTuple):
    """Clusters with what training needs to know of them, shape (n,) each."""

    clusters: Clusters
    ln_mass: Tensor
    exposure_s: Tensor


class ClusterSet(Dataset[Batch]):
    """Batches of clusters by their row numbers.

    Parameters
    ----------
    reader : Reader or HeldReader
    ln_mass, exposure_s : ndarray, shape (n,)
        Of all rows of the catalog; a mass may be NaN where none is needed.
    """

    def __init__(
        self,
        reader: Reader | HeldReader,
        ln_mass: NDArray[np.float64],
        exposure_s: NDArray[np.float64],
    ) -> None:
        self.reader = reader
        self.ln_mass = ln_mass.astype(np.float32)
        self.exposure_s = exposure_s.astype(np.float32)

    def __len__(self) -> int:
        return len(self.ln_mass)

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        return Batch(
            tensors(self.reader.read(rows)),
            torch.from_numpy(self.ln_mass[rows]),
            torch.from_numpy(self.exposure_s[rows]),
        )


@dataclass
class EpochOrder(Sampler[NDArray[np.int64]]):
    """Batches of row numbers, drawn anew in every epoch.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
    batch_size : int
        The last, smaller batch of an epoch is left out, unless it is the only one.
    seed : tuple of int
        Of the order.
    weight : ndarray, shape (n,), optional
        How often each row is drawn, with replacement; each once without.
    epoch : int
        Set by Lightning before each.
    rank, n_ranks : int
        Which of several devices this is; they share the batches.
    """

    rows: NDArray[np.int64]
    batch_size: int
    seed: tuple[int, ...]
    weight: NDArray[np.float64] | None = None
    epoch: int = 0
    rank: int = 0
    n_ranks: int = 1

    def set_epoch(self, epoch: int) -> None:
        """Choose the `epoch` whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.rows) // (self._size * self.n_ranks)

    @property
    def _size(self) -> int:
        """Clusters per batch: fewer where they do not fill one of each device."""
        return max(min(self.batch_size, len(self.rows) // self.n_ranks), 1)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        rng = np.random.default_rng([*self.seed, self.epoch])
        if self.weight is None:
            order = rng.permutation(self.rows)
        else:
            order = rng.choice(self.rows, len(self.rows), p=self.weight / self.weight.sum())
        for k in range(len(self)):
            start = (k * self.n_ranks + self.rank) * self._size
            yield order[start : start + self._size]


class ClusterData(lightning.LightningDataModule):
    """One fold of one or several catalogs.

    Parameters
    ----------
    reader, test_reader : Reader or HeldReader
        For training, and for everything else; they differ where photons are drawn anew.
    ln_mass, exposure_s : ndarray, shape (n,)
        Of all rows.
    split : Split
        Rows to train on, to validate, to test.
    batch_size : int
    seed : tuple of int
        Of order and augmentation.
    augmentation : Augmentation
    weight : ndarray, shape (n_train,), optional
        How often clusters of the training part are drawn.
    """

    def __init__(
        self,
        reader: Reader | HeldReader,
        test_reader: Reader | HeldReader,
        ln_mass: NDArray[np.float64],
        exposure_s: NDArray[np.float64],
        split: Split,
        *,
        batch_size: int,
        seed: tuple[int, ...],
        augmentation: Augmentation,
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__()
        for name, rows in split._asdict().items():
            if not len(rows):
                raise InputError(
                    f"folds: must leave clusters for the {name} part; there are none. Give more "
                    "clusters, fewer folds or another validation."
                )
        self.set = ClusterSet(reader, ln_mass, exposure_s)
        self.test_set = ClusterSet(test_reader, ln_mass, exposure_s)
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self.augmentation = augmentation
        self.weight = weight
        self._epoch = -1
        self._generator = torch.Generator()

    @override
    def train_dataloader(self) -> DataLoader[Batch]:
        """Return batches to train on."""
        order = EpochOrder(self.split.train, self.batch_size, self.seed, self.weight)
        if self.trainer is not None:
            order.rank, order.n_ranks = self.trainer.global_rank, self.trainer.world_size
        return _loader(self.set, order)

    @override
    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the validation part, in order."""
        return _loader(self.test_set, in_order(self.split.validation))

    def start_epoch(self, epoch: int, device: torch.device) -> None:
        """Seed the augmentation of an `epoch` on a `device`; its first batch does so."""
        self._epoch = epoch
        self._generator = torch.Generator(device).manual_seed(
            int(np.random.SeedSequence([*self.seed, epoch]).generate_state(1)[0])
        )

    @override
    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Change training batches at random, where they will be used."""
        if self.trainer is None or not self.trainer.training:
            return batch
        if self._epoch != self.trainer.current_epoch:
            self.start_epoch(self.trainer.current_epoch, batch.ln_mass.device)
        changed = self.augmentation(batch.clusters, batch.exposure_s, self._generator)
        return batch._replace(clusters=changed)


def flat_weights(ln_mass: NDArray[np.float64], bins: int = 30) -> NDArray[np.float64]:
    """Return how often to draw clusters so that their `ln_mass` are spread evenly, shape (n,).

    One over the density of ln M, by a histogram of so many `bins` smoothed over neighbouring ones;
    at most six times the mean, so that the few most massive clusters do not fill the batches.
    """
    count, edges = np.histogram(ln_mass, bins)
    padded = np.convolve(np.pad(count.astype(float), 2, mode="edge"), np.ones(5) / 5, "valid")
    place = np.clip(np.searchsorted(edges, ln_mass, side="right") - 1, 0, bins - 1)
    weight = 1.0 / padded[place]
    for _ in range(3):  # the cap lowers the mean to which it refers
        weight = np.minimum(weight, _CAP * weight.mean())
    return np.asarray(weight / weight.mean())


def in_order(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return batches of row numbers in their order, for what is not training."""
    return [rows[k : k + _EVALUATION_BATCH] for k in range(0, len(rows), _EVALUATION_BATCH)]


def _loader(clusters: ClusterSet, order: Any) -> DataLoader[Batch]:
    reads = isinstance(clusters.reader, Reader)
    return DataLoader(
        clusters,
        sampler=order,
        batch_size=None,
        num_workers=_READERS if reads else 0,
        persistent_workers=reads,
        multiprocessing_context="spawn" if reads else None,
        pin_memory=torch.cuda.is_available(),
    )
