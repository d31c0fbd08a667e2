"""From a run and a catalog to what `icmass.interpret` explains: here the two parts meet."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog
from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.estimate.reading import Reader
    from icmass.estimate.runs import Run
    from icmass.interpret.subject import Subject

__all__ = ["subject_of"]


@dataclass(frozen=True)
class _TensorReader:
    """Reads a catalog as networks of a run do, into tensors."""

    reader: "Reader"

    def read(self, rows: NDArray[np.int64]) -> Any:
        from icmass.estimate.estimator import tensors

        return tensors(self.reader.read(rows))


def subject_of(
    run: "Run", catalog: Catalog, *, target: str = "mean", all_folds: bool = False
) -> "Subject":
    """Return what a run judges of a catalog, to be explained.

    Parameters
    ----------
    run : Run
        Complete.
    catalog : Catalog
        Each of its clusters is judged by the fold that did not train on it.
    target : str
        What is explained (`icmass.interpret.subject.Target`).
    all_folds : bool
        Whether clusters that the run does not know are judged by all folds together.

    Raises
    ------
    InputError
        If the catalog does not hold what the run sees, holds clusters that it does not know, or
        what is asked does not depend on the images.
    """
    from icmass.estimate.heads import HEADS, SCORES
    from icmass.estimate.reading import Reader
    from icmass.interpret.subject import Channel, Subject, Target

    run.require_complete()
    run.inputs.require(catalog.spec, str(catalog.path))
    if not len(catalog):
        raise InputError(f"{catalog.path}: must hold clusters; got none. Give another catalog.")
    wanted = Target(target)
    if target == "std" and not HEADS[run.config.head].distribution:
        raise InputError(
            f"target: std must be of a head that says a distribution; {run.path} has the head "
            f"{run.config.head}. Train it with --head gaussian or flow, or ask for the mean."
        )
    fold = run.folds_of(catalog)
    unknown = int(np.count_nonzero(fold < 0))
    if unknown and not all_folds:
        raise InputError(
            f"{catalog.path}: must hold clusters that {run.path} was trained on, so that each has "
            f"a fold that was not; {unknown:,} of {len(catalog):,} are unknown to it. Give the "
            "catalog of the training, or --all-folds to have these judged by all folds together."
        )
    folds = [run.load_fold(k) for k in range(run.config.folds)]
    thinned = next((one.thinning for one in folds if one.thinning is not None), None)
    if thinned is not None:
        raise InputError(
            f"{run.path}: must see photons as they are; it was trained with equal_weight, which "
            "thins them. Explain a run without it."
        )
    for one in folds:
        for network in one.members:
            network.requires_grad_(False)
    plain = Reader(catalog, run.inputs, seed=run.config.seed)
    return Subject(
        catalog=catalog,
        judges=tuple(one.members for one in folds),
        fold=fold,
        reader=lambda other: _TensorReader(replace(plain, catalog=other)),
        channels=tuple(
            Channel(channel.name, tuple(name for name, _, _ in channel.bands))
            for channel in run.inputs.channels
        ),
        origins=run.inputs.origins or catalog.spec.origins,
        factor=run.inputs.rebinning(catalog.spec),
        scores=SCORES,
        target=wanted,
    )
