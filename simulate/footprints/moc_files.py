"""Read a multi-order coverage map (MOC), and refuse a damaged one.

mocpy reads a truncated table as an empty sky and wraps pixel numbers that are too large, so that
what a file says is checked before it is handed over.
"""

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = ["read_moc"]

_MAX_ORDER: Final = 29
_FINEST: Final = 12 * 4**_MAX_ORDER


def read_moc(path: str | Path) -> "MOC":
    """Read a MOC of the sky from FITS (versions 1 and 2), JSON or ASCII; the content tells which.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    mocpy.MOC
        ICRS.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind or of another frame.
    """
    from mocpy import MOC  # noqa: PLC0415 - slow to import

    try:
        with Path(path).open("rb") as file:
            start = file.read(4096)
    except (OSError, ValueError) as error:  # a name with NUL is a ValueError
        raise _unusable(path, f"{getattr(error, 'strerror', error)}") from error
    if not Path(path).is_file():
        raise _unusable(path, "a device or pipe")
    try:
        if start.startswith(b"SIMPLE"):
            _check_fits(Path(path))
            return MOC.from_fits(str(path))
        text = Path(path).read_text(encoding="utf-8").strip()
        if text.startswith("{"):
            cells = json.loads(text)
            _check_cells(cells)
            return MOC.from_json(cells)
        _check_orders(int(order) for order in re.findall(r"(\d+)\s*/", text))
        return MOC.from_string(text, format="ascii")
    except Exception as error:  # in astropy, damaged headers end in almost any exception
        reason = str(error).split("\n", 1)[0].rstrip(".") or type(error).__name__
        raise _unusable(path, reason) from error


def _unusable(path: str | Path, reason: str) -> InputError:
    return InputError(
        f"{path}: must be a MOC of the sky (FITS, JSON or ASCII); got: {reason}. "
        "Download or write it again."
    )


def _check_fits(path: Path) -> None:
    """Raise ValueError or a warning unless the table is whole and its numbers are cells."""
    from astropy.io import fits  # noqa: PLC0415 - slow to import

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # truncated files only give one
        with fits.open(path, memmap=False) as units:
            if len(units) < 2 or not isinstance(units[1], fits.BinTableHDU):
                raise ValueError("no table in it")
            header, table = units[1].header, units[1].data
            frame = header.get("COORDSYS", "C")
            if str(frame).strip().upper() not in {"C", "ICRS"}:
                raise ValueError(f"COORDSYS {frame}, where the standard has C")
            values = np.asarray(table.field(0)).ravel()
    if values.dtype.kind not in "iu":
        raise ValueError("a first column without whole numbers")
    ordering = str(header.get("ORDERING", "NUNIQ")).strip().upper()
    _check_ranges(values) if ordering == "RANGE" else _check_unique(values)


def _check_ranges(values: NDArray[Any]) -> None:
    """Pairs of first and one-past-last cells of order 29, ascending."""
    bounds = values.astype(np.int64)
    if len(bounds) % 2 or (np.diff(bounds) < 0).any() or not _within(bounds, 0, _FINEST):
        raise ValueError("ranges that are no cells of the sky")


def _check_unique(values: NDArray[Any]) -> None:
    """``4 x 4^order + cell`` each."""
    if not _within(values.astype(np.int64), 4, 16 * 4**_MAX_ORDER - 1):
        raise ValueError("numbers that are no cells of the sky")


def _check_cells(cells: Any) -> None:
    """An object of lists of cells by their order."""
    if not isinstance(cells, dict):
        raise ValueError("no object of cells by order")
    _check_orders(int(order) for order in cells)
    for order, members in cells.items():
        last = 12 * 4 ** int(order) - 1
        if not isinstance(members, list) or not all(
            type(cell) is int and 0 <= cell <= last for cell in members
        ):
            raise ValueError(f"members of order {order} that are no cells from 0 to {last}")


def _check_orders(orders: Any) -> None:
    for order in orders:
        if not 0 <= order <= _MAX_ORDER:
            raise ValueError(f"order {order}, where at most {_MAX_ORDER} exists")


def _within(values: NDArray[np.int64], lowest: int, highest: int) -> bool:
    return bool(((values >= lowest) & (values <= highest)).all())
