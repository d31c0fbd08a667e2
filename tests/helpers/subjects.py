"""Subjects to be explained: networks whose answer is known, and estimators with random weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from icmass.catalog import Catalog
from icmass.estimate.estimator import Estimator, learn_normalisation, tensors
from icmass.estimate.heads import SCORES
from icmass.estimate.inputs import Inputs
from icmass.estimate.reading import Reader
from icmass.interpret.subject import Channel, Subject, Target

__all__ = ["LinearJudge", "estimator_subject", "linear_subject", "subject_of_judges"]

CONSTANT = 32.0  # ln M without photons


class LinearJudge(nn.Module):
    """ln M = w . x + b, x = ln(1 + N), photons N or the galaxy cube; deviation 0.1."""

    def __init__(self, weight: np.ndarray, space: str = "inputs") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(np.asarray(weight, np.float32)))
        self.space = space

    def standardise(self, clusters: Any) -> Tensor:
        if self.space == "galaxies":
            return clusters.cube
        counts = clusters.counts.float()
        return torch.log1p(counts) if self.space == "inputs" else counts

    def features(self, seen: Tensor) -> Tensor:
        return (seen * self.weight).flatten(1).sum(dim=1, keepdim=True)

    def quantiles(self, features: Tensor) -> Tensor:
        return CONSTANT + features + 0.1 * torch.tensor(SCORES)


@dataclass(frozen=True)
class _TensorReader:
    reader: Reader

    def read(self, rows: np.ndarray) -> Any:
        return tensors(self.reader.read(rows))


def subject_of_judges(
    catalog: Catalog,
    judges: Sequence[Sequence[nn.Module]],
    inputs: Inputs,
    *,
    target: str = "mean",
    fold: np.ndarray | None = None,
) -> Subject:
    """Return networks by fold and member before a catalog; folds of halos by default."""
    for network in (one for members in judges for one in members):
        network.eval().requires_grad_(False)
    if fold is None:
        fold = catalog.column("halo_id").astype(np.int64) % len(judges)
    return Subject(
        catalog=catalog,
        judges=tuple(tuple(members) for members in judges),
        fold=fold,
        reader=_reader_maker(inputs),
        channels=tuple(
            Channel(c.name, tuple(name for name, _, _ in c.bands)) for c in inputs.channels
        ),
        origins=inputs.origins or catalog.spec.origins,
        factor=inputs.rebinning(catalog.spec),
        scores=SCORES,
        target=Target(target),
    )


def linear_subject(
    catalog: Catalog,
    weight: Any,
    *,
    space: str = "inputs",
    folds: int = 2,
    origins: Sequence[str] | None = None,
) -> Subject:
    """Return networks whose gradient is `weight`, one channel per band.

    Parameters
    ----------
    catalog : Catalog
    weight : array, shape (n_channel, n_y, n_x), (v, y, x) for galaxies, or (folds, ...) of these
        Of fewer pixels than the catalog has, which are then added up.
    space : str
        inputs (ln(1 + N)), photons (N) or galaxies.
    """
    weight = np.asarray(weight, np.float32)
    each = weight if weight.ndim == 4 else np.broadcast_to(weight, (folds, *weight.shape))
    galaxies = space == "galaxies"
    inputs = Inputs.resolve(
        ["bands", "galaxies"] if galaxies else ["bands"],
        catalog.spec,
        origins=origins,
        pixels=None if galaxies else weight.shape[-1],
        cube_cells=weight.shape[-1] if galaxies else 64,
    )
    return subject_of_judges(catalog, [[LinearJudge(w, space)] for w in each], inputs)


def estimator_subject(
    catalog: Catalog,
    network: str = "paper-multiband",
    inputs: Sequence[str] = ("bands", "redshift", "exposure_s"),
    origins: Sequence[str] | None = None,
    folds: int = 2,
    seed: int = 0,
    head: str = "point",
    *,
    members: int = 1,
    pixels: int | None = None,
    cells: int = 16,
    target: str = "mean",
    gain: float = 1.0,
) -> Subject:
    """Return estimators of random weights, each its own, normalised by the whole catalog.

    Random weights hardly move ln M; those of every layer are multiplied by `gain`.
    """
    seen = Inputs.resolve(inputs, catalog.spec, origins=origins, pixels=pixels, cube_cells=cells)
    rows = np.arange(len(catalog))
    ln_mass = np.log(catalog.column("m500c_msun").astype(np.float64))
    judges = []
    for fold in range(folds):
        judges.append([])
        for member in range(members):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(1000 * seed + 10 * fold + member)
                estimator = Estimator(network, head, seen)
            with torch.no_grad():
                learn_normalisation(
                    estimator, Reader(catalog, seen), rows, ln_mass, np.ones(len(rows))
                )
            for layer in estimator.modules():
                if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)):
                    layer.weight.data *= gain
            judges[-1].append(estimator)
    return subject_of_judges(catalog, judges, seen, target=target)


def _reader_maker(inputs: Inputs) -> Callable[[Catalog], _TensorReader]:
    return lambda catalog: _TensorReader(Reader(catalog, inputs))
