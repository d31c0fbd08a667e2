"""How commands print: numbers as JSON, and tables that keep their columns in a narrow terminal."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer

__all__ = ["print_json", "print_wide_table"]

_WIDTH = 200


def print_json(values: Any) -> None:
    """Print `values` as JSON; what is not known is None, for NaN is refused."""
    typer.echo(json.dumps(values, indent=1, allow_nan=False))


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
