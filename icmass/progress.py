"""Progress bars with an estimate of the rest; silent where nobody watches."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["progress", "track"]

T = TypeVar("T")


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar on the error stream while the block runs, if that is a terminal.

    Parameters
    ----------
    description : str
        What is going on.
    total : int, optional
        Steps expected; without it only the time spent is shown.

    Yields
    ------
    callable
        Call it with the number of steps just done.
    """
    if not sys.stderr.isatty():
        yield _nothing
        return
    from rich import progress as bars  # noqa: PLC0415  (slow to import, rarely needed)
    from rich.console import Console  # noqa: PLC0415

    columns: list[bars.ProgressColumn] = [
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
    ]
    if total is not None:
        columns += [bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeRemainingColumn()]
    columns.append(bars.TimeElapsedColumn())
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(description, total=total)
        yield lambda steps: display.advance(task, steps)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate over items and show how far it has come.

    Parameters
    ----------
    items : iterable
        What is done one by one.
    description : str
        What is going on.
    total : int, optional
        How many there are; by default their length, where they have one.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress(description, total) as advance:
        for item in items:
            yield item
            advance(1)


def _nothing(steps: int) -> None:
    """Take the place of a bar that nobody sees."""
