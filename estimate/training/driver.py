"""A whole training: every fold of a catalog, on the workers there are, until the run is complete.

What is finished is kept; the same command goes on after an interruption. The result does not
depend on the number of workers.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from icmass.bootstrap import haloes_of
from icmass.catalog import Catalog
from icmass.catalog.lock import DirectoryLock
from icmass.config import TrainConfig
from icmass.errors import InputError
from icmass.estimate.folds import Split, catalog_folds, splits
from icmass.estimate.recalibration import MIN_CLUSTERS
from icmass.estimate.runs import HISTORY, Run
from icmass.estimate.training.plan import Plan, make_plan
from icmass.files import clear_partial
from icmass.workers import open_workers, usable_cores

__all__ = [
    "Progress",
    "chosen_clusters",
    "is_first_device",
    "run_folds",
    "train",
    "training_workers",
]

_LOOK_EVERY_S: Final = 0.5


class Progress(NamedTuple):
    """How far a training is: epochs done and at most to come, folds done and all."""

    epochs: int
    all_epochs: int
    folds: int
    all_folds: int


Report = Callable[[Progress], None]


def train(
    catalog: Catalog,
    config: TrainConfig,
    path: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    report: Report | None = None,
) -> Run:
    """Train an estimator on all folds of a catalog, or go on with it.

    Parameters
    ----------
    catalog : Catalog
    config : TrainConfig
    path : str or Path
        Directory of the run.
    workers : int, optional
        Local processes, each of which trains a fold; one per core by default, and one where the
        accelerator is not the CPU.
    scheduler : str, optional
        Address of a dask scheduler in their place; all must see catalog and run.
    executor : Executor, optional
        Workers that are there already (`training_workers`), in place of both.
    report : callable, optional
        Is told of the progress.

    Returns
    -------
    Run
        Complete, but for predictions of its own clusters.

    Raises
    ------
    InputError
        If the catalog lacks what is wanted or is too small, the run is of something else, a device
        is not there, or a loss is not finite.
    OutputError
        If the place is taken, or another process trains there.
    """
    # Lightning is slow to load.
    from icmass.estimate.training.fit import fit_fold  # noqa: PLC0415
    from icmass.estimate.training.trainer import require_device  # noqa: PLC0415

    chosen = chosen_clusters(catalog, config)
    plan, inputs = make_plan(config, chosen)
    fold, parts = run_folds(chosen, config)
    if scheduler is None and executor is None:
        require_device(config)
    crew = (
        training_workers(config.accelerator, workers, scheduler, config.folds)
        if executor is None
        else nullcontext(executor)
    )
    with crew as team:
        run = Run.create(Path(path), config, plan.to_dict(), inputs, chosen)
        lock = DirectoryLock(run.path) if is_first_device() else nullcontext()
        with lock, _watch(run, plan, report):
            if is_first_device():
                networks = run.path.glob("fold-*/member-*")
                clear_partial(run.path, *run.path.glob("fold-*"), *networks, run.out_of_fold.parent)
            run.write_haloes(chosen, fold)
            waiting = [k for k in range(config.folds) if not run.fold_done(k)]
            futures: list[Future[int]] = []
            for k in waiting:
                futures.append(team.submit(fit_fold, run, chosen, parts[k], k))
                if futures[-1].done():  # in this process: a failure stops what would come next
                    futures[-1].result()
            wait(futures, return_when="FIRST_EXCEPTION")
            for future in futures:
                if future.done():
                    future.result()
    return run


@contextmanager
def training_workers(
    accelerator: str, workers: int | None, scheduler: str | None, at_most: int
) -> Iterator[Executor]:
    """Provide workers that train: by default one per core, or one where it is not the CPU.

    Parameters
    ----------
    accelerator : str
    workers, scheduler
        As for `train`.
    at_most : int
        Number of folds that wait: more workers than that would idle.
    """
    if scheduler is None:
        if workers is None:
            workers = usable_cores() if accelerator == "cpu" else 1
        if workers > 0:
            workers = min(workers, max(at_most, 1))
    with open_workers(workers, scheduler) as (executor, _):
        yield executor


def is_first_device() -> bool:
    """Return whether this process leads; strategies such as ddp start one per device."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def chosen_clusters(catalog: Catalog, config: TrainConfig) -> Catalog:
    """Return the clusters of `catalog` that a `config` asks for; all by default.

    These are the clusters for which the conditions of ``where`` hold, and of them those of the
    first ``max_clusters`` haloes of a random order.

    Raises
    ------
    InputError
        If a condition cannot be read or leaves nothing, or the mass of a cluster is not known.
    """
    catalog = catalog.where(*config.where)
    mass = catalog.column("m500c_msun")
    usable = (mass > 0) & np.isfinite(mass)
    if not usable.all():
        raise InputError(
            f"{catalog.path}: must know m500c_msun of every cluster to train; "
            f"{np.sum(~usable)} of {len(mass)} are not known. Select those that are, by "
            "where: m500c_msun > 0."
        )
    if config.max_clusters is None or config.max_clusters >= len(catalog):
        return catalog
    halo = haloes_of(catalog)
    order = np.random.default_rng([config.seed, 0]).permutation(np.unique(halo))
    return catalog.select(np.isin(halo, order[: config.max_clusters]))


def run_folds(catalog: Catalog, config: TrainConfig) -> tuple[NDArray[np.int64], list[Split]]:
    """Return the fold of each cluster of `catalog`, shape (n,), and the rows of each fold's parts.

    Number of folds, size of the validation part and seed are those of `config`.

    Raises
    ------
    InputError
        If there are fewer haloes than folds, or too few to validate.
    """
    halo = haloes_of(catalog)
    fold = catalog_folds(catalog, config.folds, config.seed)
    parts = list(splits(fold, halo, config.validation, config.seed))
    fewest = min(len(part.validation) for part in parts)
    if config.recalibration != "none" and fewest < MIN_CLUSTERS:
        raise InputError(
            f"validation: must hold at least {MIN_CLUSTERS} clusters for recalibration; got "
            f"{fewest} of {len(catalog)} clusters. Give more clusters, a larger validation, or "
            "recalibration: none."
        )
    return fold, parts


@contextmanager
def _watch(run: Run, plan: Plan, report: Report | None) -> Iterator[None]:
    """Report the progress, which stands in the histories that workers write, until the end."""
    if report is None:
        yield
        return
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_EVERY_S):
            report(_progress(run, plan))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _progress(run: Run, plan: Plan) -> Progress:
    done = folds = 0
    for fold in range(run.config.folds):
        finished = run.fold_done(fold)
        folds += finished
        for member in range(run.config.members):
            history = run.member_directory(fold, member) / HISTORY
            epochs = len(history.read_text().splitlines()) - 1 if history.exists() else 0
            done += plan.epochs if finished else max(epochs, 0)
    networks = run.config.folds * run.config.members
    return Progress(done, plan.epochs * networks, folds, run.config.folds)
