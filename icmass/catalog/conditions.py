"""Which rows of a catalog are meant: conditions on its columns, as short texts that a user writes.

``detected``, ``not detected``, ``redshift < 0.3``, ``flags has BLENDED``. All that are given must
hold. A row of which a value is not known (NaN, or -1 of a count) fails every condition on it.
Numbers are in the units of the columns; nothing of a text is run as code.
"""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.catalog.columns import COLUMNS, Column, Flag, expand
from icmass.errors import InputError
from icmass.names import nearest

if TYPE_CHECKING:
    from icmass.catalog.reading import CatalogReader

__all__ = ["rows_where"]

_COMPARE: Final[dict[str, np.ufunc]] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
}
_NAME: Final = r"[^\s<>=!]+"
_NUMBER: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_COMPARISON: Final = re.compile(rf"({_NAME})\s*({'|'.join(_COMPARE)})\s*({_NUMBER})")
_FLAG: Final = re.compile(r"flags\s+(has|lacks)\s+(\w+)")
_TRUTH: Final = re.compile(rf"(not\s+)?(?!not$)({_NAME})")
_FORMS: Final = (
    f"COLUMN, 'not COLUMN', 'COLUMN OP NUMBER' with OP one of {', '.join(_COMPARE)}, "
    "'flags has FLAG' or 'flags lacks FLAG'"
)


def rows_where(catalog: "CatalogReader", conditions: Sequence[str]) -> NDArray[np.int64]:
    """Return the numbers of the rows for which all conditions hold, in their order.

    Parameters
    ----------
    catalog : Catalog
        Any, also a selection.
    conditions : sequence of str
        ``COLUMN`` and ``not COLUMN`` for columns that are true or false; ``COLUMN OP NUMBER``, with
        OP one of ``>= <= > < == !=``, for the others; ``flags has FLAG`` and ``flags lacks FLAG``
        with a name of `icmass.catalog.Flag`. None at all leave every row.

    Returns
    -------
    ndarray of int, shape (n_left,)

    Raises
    ------
    InputError
        If a condition is none of these, its column is not in the catalog or of the other kind, or
        no row is left.
    """
    texts = [conditions] if isinstance(conditions, str) else list(conditions)
    if not texts:
        return np.arange(len(catalog), dtype=np.int64)
    holds = [_holds(catalog, text) for text in texts]
    rows = np.flatnonzero(np.logical_and.reduce(holds)).astype(np.int64)
    if not len(rows):
        found = ", ".join(
            f"'{text}' holds for {np.count_nonzero(one):,}"
            for text, one in zip(texts, holds, strict=True)
        )
        together = ", all together for none" if len(texts) > 1 else ""
        raise InputError(
            f"where: must leave at least one row; of {len(catalog):,} in {catalog.path} "
            f"{found}{together}. Ask for less."
        )
    return rows


def _holds(catalog: "CatalogReader", text: str) -> NDArray[np.bool_]:
    """Return for which rows a condition holds, shape (n,)."""
    stripped = text.strip()
    if (found := _FLAG.fullmatch(stripped)) is not None:
        has = (catalog.column("flags") & _flag(text, found[2])) != 0
        return has if found[1] == "has" else ~has
    if (found := _COMPARISON.fullmatch(stripped)) is not None:
        name, operator, number = found.groups()
        return _compared(catalog, text, name, operator, number)
    if (found := _TRUTH.fullmatch(stripped)) is not None:
        column = _column(catalog, text, found[2])
        if column.dtype != "?":
            raise InputError(
                f"where '{text}': must compare {column.name}, which is a number; write "
                f"'{column.name} > 0', or another number."
            )
        values = catalog.column(column.name)
        return ~values if found[1] else values
    raise InputError(f"where: must be {_FORMS}; got '{text}'. Give each condition by itself.")


def _compared(
    catalog: "CatalogReader", text: str, name: str, operator: str, number: str
) -> NDArray[np.bool_]:
    """Return for which rows a comparison with a number holds, shape (n,)."""
    column = _column(catalog, text, name)
    if column.dtype == "?":
        raise InputError(
            f"where '{text}': must not compare {name}, which is true or false; write '{name}' or "
            f"'not {name}'."
        )
    bound: int | float = float(number)
    if not math.isfinite(bound):
        raise InputError(f"where '{text}': must compare with a finite number; got {number}.")
    values = catalog.column(name)
    if values.dtype.kind in "iu" and number.lstrip("+-").isdigit():
        bound = int(number)  # numbers of haloes and tiles may be beyond what a float tells apart
    return np.asarray(_COMPARE[operator](values, bound)) & _known(column, values)


def _known(column: Column, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values are known: not NaN, and not -1 of a count."""
    if values.dtype.kind == "f":
        return ~np.isnan(values)
    return values >= 0 if column.lowest == -1 else np.ones(len(values), np.bool_)


def _column(catalog: "CatalogReader", text: str, name: str) -> Column:
    """Return the declaration of a column that the catalog has."""
    by_name = {column.name: column for column in catalog.columns}
    if name in by_name:
        return by_name[name]
    if any(column.name == name for column in expand(COLUMNS, catalog.spec.band_names)):
        raise InputError(
            f"where '{text}': {catalog.path} must have the column {name}; it does not. Leave this "
            "condition out, or give a catalog that has it."
        )
    raise InputError(
        f"where '{text}': column '{name}' is not in the schema; {nearest(name, list(by_name))}."
    )


def _flag(text: str, name: str) -> int:
    """Return the bit of a flag."""
    names = list(Flag.__members__)
    if name not in names:
        raise InputError(
            f"where '{text}': flag '{name}' is not known; {nearest(name.upper(), names)}."
        )
    return int(Flag[name])
