"""The task of a worker: make one shard and put it into the directory of the catalog.

Whoever can make a shard of given rows is a `Producer`; what is in them does not matter here.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from icmass.catalog import Catalog, CatalogSpec, ShardData, ShardRecord
from icmass.errors import InputError, InputWarning
from icmass.simulate.production.resume import first_difference

__all__ = ["Producer", "make_shard", "one_thread"]


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
        """Make rows [start, stop)."""


def make_shard(
    producer: Producer, directory: Path, number: int, start: int, stop: int
) -> ShardRecord:
    """Make rows [start, stop) and write them as the shard of a number, unlisted as yet.

    Warnings are silent: what they tell stands in the flags of the rows.

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
