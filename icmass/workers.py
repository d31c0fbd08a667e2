"""Who does the work of a job: this process, processes of this machine, or those of a dask cluster.

Local workers hold one end of a pipe of which the driver holds the other, and end as soon as that is
closed: when the driver wants it, and when the driver is killed. So nobody goes on writing.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
)
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final, ParamSpec, TypeVar

from icmass.errors import InputError

__all__ = ["open_workers", "usable_cores"]

_ENDED: Final = (
    "workers: a worker ended before its work, killed or out of memory. What is finished is kept: "
    "run it again, with fewer workers if memory is short."
)

_TASKS_PER_WORKER: Final = 2  # so that nobody waits for the driver

P = ParamSpec("P")
T = TypeVar("T")


def usable_cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def open_workers(workers: int | None, scheduler: str | None) -> Iterator[tuple[Executor, int]]:
    """Provide an executor and how many tasks to hand it at once; when the block fails, work stops.

    Parameters
    ----------
    workers : int, optional
        Local processes; 1 works in this process. By default one per core.
    scheduler : str, optional
        Address of a dask scheduler, such as ``tcp://host:8786``, whose workers take their place.

    Raises
    ------
    InputError
        If both are given, there is not at least one worker, or nobody answers at the address.
    """
    if scheduler is not None:
        if workers is not None:
            raise InputError("workers: belongs to the scheduler; leave it out with scheduler.")
        with _dask(scheduler) as found:
            yield found
        return
    count = usable_cores() if workers is None else workers
    if count < 1:
        raise InputError(f"workers: must be at least 1; got {count}.")
    if count == 1:
        yield _Here(), 1
        return
    with _processes(count) as executor:
        yield executor, _TASKS_PER_WORKER * count


class _Here(Executor):
    """Works in the calling thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    context = multiprocessing.get_context("spawn")  # numba's threads do not survive a fork
    reader, writer = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(
        count, mp_context=context, initializer=_start_worker, initargs=(reader,)
    )
    try:
        yield executor
        executor.shutdown()
    except BrokenExecutor as error:
        raise InputError(_ENDED) from error
    finally:
        writer.close()  # whoever still works is told to end
        executor.shutdown(cancel_futures=True)
        reader.close()


def _start_worker(reader: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver ends us
    threading.Thread(target=_end_with_driver, args=(reader,), daemon=True).start()


def _end_with_driver(reader: Connection) -> None:
    reader.poll(None)  # nothing is ever sent: it returns when the other end is closed
    os._exit(1)


@contextmanager
def _dask(address: str) -> Iterator[tuple[Executor, int]]:
    from distributed import Client, KilledWorker  # noqa: PLC0415  (slow to import, rarely needed)

    try:
        client = Client(address, timeout="20s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"scheduler: must be the address of a dask scheduler, such as tcp://host:8786; "
            f"got '{address}' ({reason})."
        ) from error
    with client:
        executor: Any = client.get_executor(pure=False)
        try:
            yield executor, _TASKS_PER_WORKER * max(sum(client.nthreads().values()), 1)
        except (KilledWorker, CancelledError) as error:
            raise InputError(_ENDED) from error
        finally:
            executor.shutdown(wait=False)
