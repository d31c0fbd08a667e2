"""The task of a worker: make one shard and put it into the directory of the catalog.

Whoever can make a shard of given rows is a `Producer`; what is in them does not matter here.
`as_finished` hands out tasks of any kind.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from icmass.catalog import Catalog, CatalogSpec, ShardData, ShardRecord
from icmass.errors import InputError, InputWarning
from icmass.simulate.production.resume import first_difference

__all__ = ["Producer", "as_finished", "make_shard", "one_thread"]

Task = tuple[Any, ...]
Result = TypeVar("Result")


class Producer(Protocol):
    """What `icmass.simulate.production.driver.produce` makes a catalog with.

    It is sent to workers, so it holds little. Equal arguments give equal data in every process.
    """

    @property
    def spec(self) -> CatalogSpec:
        """What the catalog holds."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def shard(self, start: int, stop: int) -> ShardData:
        """Make the rows from `start` to before `stop`."""


def make_shard(
    producer: Producer, directory: Path, number: int, start: int, stop: int
) -> ShardRecord:
    """Make some rows and write them as a shard, unlisted as yet.

    Warnings are silent: what they tell stands in the flags of the rows.

    Parameters
    ----------
    producer : Producer
    directory : Path
        Of the catalog.
    number : int
        Of the shard.
    start, stop : int
        Its rows, from the one to before the other.

    Returns
    -------
    ShardRecord
        For the manifest.

    Raises
    ------
    InputError
        If this worker would make another catalog than the driver began, or cannot write it.
    """
    catalog = Catalog.open(directory)
    difference = first_difference(catalog.spec, producer.spec)
    if difference is not None:
        key, there, here = difference
        raise InputError(
            f"workers: must be set up as the driver is; {key} is {here} on a worker and {there} "
            f"in the catalog. Install the same versions everywhere."
        )
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        data = producer.shard(start, stop)
    return catalog.write_shard(number, data)


def as_finished(
    executor: Executor, at_once: int, work: Callable[..., Result], tasks: Iterable[Task]
) -> Iterator[tuple[Task, Result]]:
    """Give tasks to workers, few at a time, and yield each with its result as it is finished.

    Parameters
    ----------
    executor : Executor
    at_once : int
        Tasks that are with workers at a time.
    work : callable
    tasks : iterable of tuple
        Arguments of `work`.
    """
    waiting = iter(tasks)
    working: dict[Future[Result], Task] = {}
    while True:
        while len(working) < at_once and (task := next(waiting, None)) is not None:
            working[executor.submit(work, *task)] = task
        if not working:
            return
        wait(working, return_when=FIRST_COMPLETED)
        for future in [future for future in working if future.done()]:
            yield working.pop(future), future.result()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let kernels use one thread, for there is a worker for each core."""
    import numba  # noqa: PLC0415  (slow to import, and the driver does without)

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)
