"""Make a catalog shard by shard, or go on with one that was begun.

The driver holds the lock of the directory, hands out the numbers of the shards that are missing and
lists them in the manifest as they are finished; it never holds the data. Which rows a shard holds,
and what is in them, depends on the configuration alone, so that a catalog has the same bytes
whoever made it and however often its making was interrupted.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from icmass.catalog import Catalog, Failure, Problem, ShardRecord
from icmass.catalog.manifest import SHARDS
from icmass.catalog.store import shard_name
from icmass.config import SimulateConfig
from icmass.errors import InputError
from icmass.simulate.production.resume import open_or_create
from icmass.simulate.production.tasks import Producer, as_finished, make_shard
from icmass.workers import open_workers

__all__ = ["Progress", "Summary", "produce", "simulate_catalog"]


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes
    ----------
    rows : int
        Rows asked for.
    done : int
        Rows finished, in this run or before; failed ones count.
    before : int
        Those that were finished before this run.
    failed : int
        Rows that failed in this run.
    seconds : float
        Since this run began.
    """

    rows: int
    done: int
    before: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows per second of this run."""
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def rest_seconds(self) -> float:
        """Seconds still needed at that rate; infinite when it is not known."""
        return (self.rows - self.done) / self.rate if self.rate else float("inf")


@dataclass(frozen=True)
class Summary:
    """What a run has done.

    Attributes
    ----------
    catalog : Catalog
        Complete.
    progress : Progress
        At the end.
    failures : tuple of Failure
        Of the whole catalog.
    dropped : tuple of Problem
        Shards that were found unusable and made again.
    """

    catalog: Catalog
    progress: Progress
    failures: tuple[Failure, ...]
    dropped: tuple[Problem, ...]


def simulate_catalog(
    config: SimulateConfig,
    directory: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    repair: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Make the catalog that a configuration asks for, or go on with it.

    Parameters
    ----------
    config : SimulateConfig
    directory : str or Path
        New, empty, or a catalog that was begun with the same configuration.
    workers : int, optional
        Local processes, one per core by default.
    scheduler : str, optional
        Address of a dask scheduler whose workers take their place.
    repair : bool
        Whether to make shards again that are damaged, missing or foreign.
    report : callable
        Called at the beginning and when a shard is finished.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        If the configuration cannot be met or is not that of the catalog, the directory cannot be
        used or is in use, or workers end before their work.
    """
    from icmass.simulate.production.producer import ClusterProducer  # noqa: PLC0415  (slow)

    return produce(
        ClusterProducer(config),
        directory,
        config.shard_size,
        workers=workers,
        scheduler=scheduler,
        repair=repair,
        report=report,
    )


def produce(
    producer: Producer,
    directory: str | Path,
    shard_size: Callable[[int], int],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    repair: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Make a catalog of whatever a producer gives.

    Parameters
    ----------
    producer : Producer
    directory : str or Path
        New, empty, or a catalog of the same producer that was begun.
    shard_size : callable
        Turns the number of rows into that of the rows in a shard.
    workers, scheduler, repair, report
        As for `simulate_catalog`.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        As `simulate_catalog`.
    """
    begun = time.monotonic()
    rows = len(producer)
    size = shard_size(rows)
    ranges = [(start, min(start + size, rows)) for start in range(0, rows, size)]
    catalog, dropped = open_or_create(Path(directory), producer.spec, repair=repair)
    with catalog.lock():
        catalog.adopt()
        finished = {record.name for record in catalog.shards}
        todo = [n for n in range(len(ranges)) if shard_name(n) not in finished]
        before = rows - sum(stop - start for start, stop in (ranges[n] for n in todo))
        progress = Progress(rows, before, before, 0, 0.0)
        if todo:
            report(progress)
            with open_workers(workers, scheduler) as (executor, at_once):
                tasks = ((producer, catalog.path, n, *ranges[n]) for n in todo)
                for (*_, start, stop), record in as_finished(executor, at_once, make_shard, tasks):
                    _require_here(catalog, record, scheduler)
                    catalog.register(record)
                    wanted = stop - start
                    progress = replace(
                        progress,
                        done=progress.done + wanted,
                        failed=progress.failed + wanted - record.rows,
                        seconds=time.monotonic() - begun,
                    )
                    report(progress)
    return Summary(catalog, progress, tuple(catalog.failures()), tuple(dropped))


def _require_here(catalog: Catalog, record: ShardRecord, scheduler: str | None) -> None:
    """Raise if a worker wrote a shard that the driver does not see."""
    path = catalog.path / SHARDS / record.name
    if not path.is_file():
        raise InputError(
            f"{catalog.path}: must be seen by all workers of {scheduler}; a shard that one wrote "
            f"is not there. Write to a file system that they share."
        )
