"""What trained networks say of clusters: distributions of ln M, and how strange they are.

A cluster whose halo a run was trained on is judged by the fold that did not train on it; any other
by all folds together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr

from icmass.catalog import Catalog
from icmass.estimate.augmentation import N_TURNS, turned
from icmass.estimate.ensemble import disagreement as disagreement_of
from icmass.estimate.ensemble import even_scores, mixture
from icmass.estimate.estimator import Estimator, tensors
from icmass.estimate.metrics import Predictive
from icmass.estimate.reading import HeldReader, Reader
from icmass.estimate.runs import Fold, Run
from icmass.estimate.threads import one_thread

__all__ = ["QUANTILES", "Look", "Said", "look", "predict", "stated", "write_predictions"]

Floats = NDArray[np.float64]

#: Probabilities whose quantiles are written into catalogs: normal scores -3 to 3 in halves.
QUANTILES: Final = tuple(ndtr(np.linspace(-3.0, 3.0, 13)).tolist())

_BATCH: Final = 256
_CHUNK: Final = 2048
_RISE: Final = 1e-6  # least step between quantiles, so that they increase in spite of rounding


class Look(NamedTuple):
    """What one network makes of n clusters.

    Attributes
    ----------
    quantiles : ndarray, shape (n, 25)
        ln M at the normal scores of `even_scores`.
    features : ndarray of float32, shape (n, width)
        Of the clusters as they stand, not turned.
    strangeness : ndarray, shape (n,)
        How far the features are from those of the training part (`Estimator.strangeness`).
    """

    quantiles: Floats
    features: NDArray[np.float32]
    strangeness: Floats


def look(
    estimator: Estimator, reader: Reader | HeldReader, rows: NDArray[np.int64], turns: bool
) -> Look:
    """Let a network see clusters.

    Parameters
    ----------
    estimator : Estimator
        In evaluation mode; where it is decides where this is computed.
    reader : Reader or HeldReader
    rows : ndarray of int, shape (n,)
    turns : bool
        Whether to average over the eight right angles and mirrors.
    """
    device = estimator.target_mean.device
    parts: list[tuple[Any, ...]] = [
        (
            np.empty((0, len(even_scores()))),
            np.empty((0, estimator.network.width), np.float32),
            np.empty(0),
        )
    ]
    with torch.no_grad():
        for start in range(0, len(rows), _BATCH):
            clusters = tensors(reader.read(rows[start : start + _BATCH]))
            clusters = type(clusters)(*(part.to(device) for part in clusters))
            features = estimator.features(estimator.standardise(clusters))
            strangeness = estimator.strangeness(features)
            quantiles = estimator.quantiles(features).double()
            for turn in range(1, N_TURNS if turns else 1):
                seen = estimator.standardise(turned(clusters, turn))
                quantiles += estimator.quantiles(estimator.features(seen)).double()
            mean = quantiles / (N_TURNS if turns else 1)
            parts.append(
                (mean.cpu().numpy(), features.cpu().numpy(), strangeness.double().cpu().numpy())
            )
    return Look(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def stated(seen: Look) -> tuple[Floats, Floats]:
    """Return normal scores, shape (25,), and quantiles that increase, shape (n, 25).

    `seen` may hold quantiles that cross by rounding; steps between these are at least 1e-6.
    """
    step = _RISE * np.arange(seen.quantiles.shape[1])
    return even_scores(), np.maximum.accumulate(seen.quantiles, axis=1) + step


@dataclass(frozen=True)
class Said:
    """What a run says of the n clusters of a catalog.

    Attributes
    ----------
    predictive : Predictive
        Distributions of ln M500c/Msun.
    fold : ndarray of int, shape (n,)
        The fold that judged each cluster; -1 for all together.
    strangeness : ndarray, shape (n,)
        Distance of its features from those of the training part: near 1 for clusters like them.
    disagreement : ndarray, shape (n,)
        Standard deviation of the means of the networks that judged it; 0 of one alone.
    """

    predictive: Predictive
    fold: NDArray[np.int64]
    strangeness: Floats
    disagreement: Floats

    def columns(self) -> dict[str, Any]:
        """Return what a catalog keeps: mean, std, quantiles and further columns, shape (n,)."""
        mean, std = self.predictive.mean_std()
        return {
            "mean": mean,
            "std": std,
            "quantiles": dict(zip(QUANTILES, self.predictive.quantile(QUANTILES).T, strict=True)),
            "extra": {
                "fold": self.fold,
                "strangeness": self.strangeness,
                "disagreement": self.disagreement,
            },
        }


def predict(
    run: Run,
    catalog: Catalog,
    *,
    change: Callable[[Reader], Reader] | None = None,
    report: Callable[[int], None] | None = None,
) -> Said:
    """Predict the masses of a catalog, in memory that grows by 250 bytes per cluster.

    Parameters
    ----------
    run : Run
        Complete.
    catalog : Catalog
        Any that holds the inputs of the run; true masses are not looked at.
    change : callable, optional
        From the reader of the catalog to one of the same rows that reads them changed
        (`icmass.estimate.shifts`).
    report : callable, optional
        Is told how many clusters were judged since the last time.

    Raises
    ------
    InputError
        If the catalog does not hold the inputs, or a part of the run is damaged.
    """
    run.require_complete()
    run.inputs.require(catalog.spec, str(catalog.path))
    folds = [run.load_fold(k) for k in range(run.config.folds)]
    fold = run.folds_of(catalog)
    readers = _readers(run, catalog, folds, change)
    n = len(catalog)
    values = np.empty((n, len(even_scores())))
    strangeness, disagreement = np.empty(n), np.empty(n)
    with one_thread():
        for number in np.unique(fold):
            judges = range(len(folds)) if number < 0 else [int(number)]
            rows = np.flatnonzero(fold == number)
            for start in range(0, len(rows), _CHUNK):
                some = rows[start : start + _CHUNK]
                values[some], strangeness[some], disagreement[some] = _judge(
                    [folds[k] for k in judges], [readers[k] for k in judges], some, run.turns
                )
                if report is not None:
                    report(len(some))
    return Said(Predictive(even_scores(), values), fold, strangeness, disagreement)


def _judge(
    folds: list[Fold], readers: list[Reader], rows: NDArray[np.int64], turns: bool
) -> tuple[Floats, Floats, Floats]:
    """Return quantiles, strangeness and disagreement of rows by several folds."""
    held = HeldReader(readers[0].read(rows))
    places = np.arange(len(rows))
    members, of_folds, strangeness = [], [], []
    for fold, reader in zip(folds, readers, strict=True):
        if reader is not readers[0]:
            held = HeldReader(reader.read(rows))
        looks = [look(estimator, held, places, turns) for estimator in fold.members]
        said = [Predictive(*stated(one)) for one in looks]
        members += said
        of_folds.append(fold.recalibration.apply(mixture(said)))
        strangeness += [one.strangeness for one in looks]
    together = mixture(of_folds)
    return together.value, np.mean(strangeness, axis=0), disagreement_of(members)


def _readers(
    run: Run,
    catalog: Catalog,
    folds: list[Fold],
    change: Callable[[Reader], Reader] | None,
) -> list[Reader]:
    """Return readers of a catalog as each fold saw its own; one for all where they are alike."""
    plain = Reader(catalog, run.inputs, seed=run.config.seed)
    readers: list[Reader] = []
    for fold in folds:
        if fold.thinning is None and readers:
            readers.append(readers[0])
            continue
        slope, furthest = fold.thinning or (None, 0.0)
        reader = replace(plain, thinning=slope, z_reference=furthest)
        readers.append(reader if change is None else change(reader))
    return readers


def write_predictions(catalog: Catalog, name: str, said: Said, *, overwrite: bool = False) -> Path:
    """Write predictions into a catalog: mean, spread, quantiles, fold and warning signs.

    Parameters
    ----------
    catalog : Catalog
        Of whose clusters they are.
    name : str
        Of the predictions.
    said : Said
        What was said of its rows.
    overwrite : bool
        Whether to replace predictions of that name.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        If the name cannot be one.
    OutputError
        If the catalog has predictions of that name.
    """
    return catalog.write_predictions(name, **said.columns(), overwrite=overwrite)
