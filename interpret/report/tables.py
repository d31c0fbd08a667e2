"""Tables of a report as CSV and JSON, and the texts of their cells.

A cell is a text, a truth value, a number, nothing, or a value with its error, which takes two
columns in the files: `name` and `name_error`. What is not known, also NaN, is empty in CSV and null
in JSON.
"""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final

from icmass.errors import InputError
from icmass.files import write_text
from icmass.interpret.report.names import check_name
from icmass.interpret.report.rounding import plus_minus, short

__all__ = ["Cell", "Table", "cell_text", "write_table"]

Cell = Any  # text, truth value, number, None, or (value, error)
_MINUS: Final = "\N{MINUS SIGN}"


@dataclass(frozen=True, eq=False)
class Table:
    """Rows beneath named columns.

    Attributes
    ----------
    name : str
        Of its files, without suffix.
    caption : str
        What it says, with units.
    columns : tuple of str
        Names of columns, each once.
    rows : tuple of tuples
        Cells.

    Raises
    ------
    InputError
        If a name is no plain file name, columns repeat, or a row has another number of cells.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        check_name("name of a table", self.name)
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise InputError(
                f"columns of '{self.name}': must have names, each once; got "
                f"{', '.join(self.columns) or 'none'}. Rename them."
            )
        for place, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(
                    f"row {place} of '{self.name}': must have {len(self.columns)} cells; got "
                    f"{len(row)}. Give None where nothing is known."
                )

    def records(self) -> list[dict[str, Any]]:
        """Return rows as dictionaries of plain values, the same keys in each."""
        paired = [any(_is_pair(row[k]) for row in self.rows) for k in range(len(self.columns))]
        return [
            {
                name: value
                for head, cell, pair in zip(self.columns, row, paired, strict=True)
                for name, value in _entries(head, cell, pair)
            }
            for row in self.rows
        ]

    def is_numeric(self, column: int) -> bool:
        """Return whether a `column` holds numbers alone, beside what is not known."""
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and all(
            _is_pair(cell) or (isinstance(cell, Real) and not isinstance(cell, bool))
            for cell in cells
        )


def write_table(directory: Path, table: Table) -> tuple[Path, Path]:
    """Write NAME.csv and NAME.json of `table` into `directory` and return their paths.

    Raises
    ------
    OutputError
        If the place is taken.
    """
    records = table.records()
    heads = list(records[0]) if records else list(table.columns)
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    values = {"name": table.name, "caption": table.caption, "columns": heads, "rows": records}
    written = (directory / f"{table.name}.csv", directory / f"{table.name}.json")
    for path, content in zip(
        written,
        (text.getvalue(), json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n"),
        strict=True,
    ):
        write_text(path, content)
    return written


def cell_text(cell: Cell) -> str:
    """Write `cell` for readers: numbers to four digits, errors to two, nothing as a dash."""
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, str):
        return cell
    if _is_pair(cell):
        value, error = (math.nan if one is None else float(one) for one in cell)
        return plus_minus(value, error) if math.isfinite(value) else "\N{EN DASH}"
    if _is_truth(cell):
        return "yes" if cell else "no"
    if isinstance(cell, Integral):
        # Without thousands separators: such numbers are often identities.
        return str(int(cell)).replace("-", _MINUS)
    return short(float(cell))


def _is_pair(cell: Cell) -> bool:
    return isinstance(cell, Sequence) and not isinstance(cell, str) and len(cell) == 2


def _is_truth(cell: Cell) -> bool:
    return isinstance(cell, bool) or type(cell).__name__ in {"bool", "bool_"}


def _entries(head: str, cell: Cell, pair: bool) -> list[tuple[str, Any]]:
    if not pair:
        return [(head, _plain(cell))]
    value, error = cell if _is_pair(cell) else (cell, None)
    return [(head, _plain(value)), (f"{head}_error", _plain(error))]


def _plain(cell: Cell) -> str | bool | int | float | None:
    """Return what CSV and JSON can hold."""
    if cell is None or isinstance(cell, str):
        return cell
    if _is_truth(cell):
        return bool(cell)
    if isinstance(cell, Integral):
        return int(cell)
    if isinstance(cell, Real):
        return float(cell) if math.isfinite(cell) else None
    raise InputError(
        f"cell: must be a text, a number, (value, error) or None; got {type(cell).__name__}. "
        "Convert it."
    )
