"""One line of progress on the error stream: renewed where somebody watches, else now and then."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import typer

__all__ = ["Progress", "duration", "show_progress"]

_LINE_EVERY_S = 10.0  # where nobody watches, as in the log of a scheduler


class Progress(Protocol):
    """How far a job has come; `icmass.simulate.production.Progress` is one."""

    @property
    def rows(self) -> int:
        """Pieces of work altogether."""

    @property
    def done(self) -> int:
        """Those that are finished."""

    @property
    def failed(self) -> int:
        """Those that gave nothing."""

    @property
    def rate(self) -> float:
        """Pieces per second."""

    @property
    def rest_seconds(self) -> float:
        """Seconds still needed; infinite when not known."""


@contextmanager
def show_progress(what: str) -> Iterator[Callable[[Progress], None]]:
    """Provide a function that shows progress while the block runs.

    Parameters
    ----------
    what : str
        Pieces of work, in the plural.
    """
    watched = sys.stderr.isatty()
    last = time.monotonic()

    def report(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if watched:
            typer.echo(f"\r\x1b[K{_line(progress, what)}", nl=False, err=True)
        elif now - last >= _LINE_EVERY_S:
            typer.echo(_line(progress, what), err=True)
            last = now

    try:
        yield report
    finally:
        if watched:
            typer.echo("\r\x1b[K", nl=False, err=True)


def duration(seconds: float) -> str:
    """Write `seconds` as hours:minutes:seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _line(progress: Progress, what: str) -> str:
    rest = progress.rest_seconds
    left = f", {duration(rest)} left" if math.isfinite(rest) else ""
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    return (
        f"{progress.done:,} of {progress.rows:,} {what}{failed}, {progress.rate:.3g} per second"
        f"{left}"
    )
