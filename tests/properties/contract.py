"""What every entry point promises: an answer, or one line that says what to do.

And both within bounds: a small file cannot make it take minutes or gigabytes.
"""

import contextlib
import os
import re
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from icmass.errors import InputError

__all__ = ["answer_or_line", "assert_one_line", "bounded", "examples"]

#: How many times the usual number of examples are drawn; of other numbers than 1, at random.
TIMES = float(os.environ.get("ICMASS_FUZZ", "1"))
MOST_SECONDS = 60.0
MOST_BYTES = 1_200_000_000  # beyond what the process has


def examples(number: int) -> settings:
    """Draw so many examples in the suite."""
    return settings(
        max_examples=max(round(number * TIMES), 1),
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def answer_or_line(call: Callable[[], Any], *names: str) -> Any:
    """Return what a call gives, or its InputError, whose line must hold all `names`."""
    with bounded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except InputError as error:
            assert_one_line(str(error), *names)
            return error


def assert_one_line(text: str, *names: str) -> None:
    assert text.strip(), "an empty message"
    assert not re.search(r"[\r\n]", text), text
    assert "Traceback" not in text
    assert len(text) < 20_000, f"{len(text)} letters: {text[:300]}"
    for name in names:
        assert name in text, f"{name} is not in: {text}"


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raise in a block that takes too long or too much memory."""
    with _bounded_time(), _bounded_memory():
        yield


@contextlib.contextmanager
def _bounded_time() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise AssertionError(f"took more than {MOST_SECONDS:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _bounded_memory() -> Iterator[None]:
    """Limit what the process may add to its data; where /proc does not tell it, nothing is done."""
    status = Path("/proc/self/status")
    found = re.search(r"VmData:\s+(\d+) kB", status.read_text()) if status.exists() else None
    if found is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (1024 * int(found[1]) + MOST_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
