"""Tables that are wider than a log or a small terminal: they keep their columns."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from collections.abc import Iterable, Sequence

__all__ = ["print_wide_table"]

_WIDTH = 200


def print_wide_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[int] = (0,)
) -> None:
    """Print a table whose numbers are never cut, whatever the width of the terminal.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequence of str
        Texts of the cells.
    left : sequence of int
        Columns of words, which begin at the left and may be wrapped.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*heads, box=box.SIMPLE_HEAD)
    for place, column in enumerate(table.columns):
        if place not in left:
            column.justify, column.no_wrap = "right", True
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False)
    Console(markup=False, width=max(console.width, _WIDTH)).print(table)
