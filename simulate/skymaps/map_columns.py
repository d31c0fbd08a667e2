"""Understand the table of a map: which columns hold values and pixels, how these are numbered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from icmass.errors import InputError

__all__ = ["NESTED_OF_WORD", "index_column", "value_column"]

# What ORDERING says in files, in upper case, and whether pixels are NESTED then.
NESTED_OF_WORD: Final = {"NESTED": True, "NEST": True, "RING": False}

# Pixel numbers: healpy, Fermi and gamma-ray formats, HI4PI, and others that are met.
_INDEX_NAMES: Final = ("PIXEL", "PIX", "HPXINDEX", "HPX_INDEX", "HPIX", "IPIX", "HEALPIX")
# Columns that HI4PI and others add to say where the pixels are.
_POSITION_NAMES: Final = (
    "RA",
    "DEC",
    "RA2000",
    "DEC2000",
    "RAJ2000",
    "DEJ2000",
    "GLON",
    "GLAT",
    "ELON",
    "ELAT",
)
# Taken first where there are several: columns of hydrogen, exposures, then any first map.
_VALUE_NAMES: Final = (
    ("NHI", "N_HI", "NH", "N_H", "HI"),
    ("EXPOSURE", "EXPMAP", "TEXP"),
    ("TEMPERATURE", "I_STOKES", "SIGNAL", "VALUE", "I"),
)


def index_column(names: Sequence[str]) -> str | None:
    """Return which of `names` is the column of pixel numbers; None where the rows are in order."""
    return next((name for name in names if name.upper() in _INDEX_NAMES), None)


def value_column(names: Sequence[str], asked: str | None, path: str | Path) -> str:
    """Return the name of the column of values.

    Parameters
    ----------
    names : sequence of str
        Columns of the table.
    asked : str or None
        Column the user wants, upper or lower case; None takes the only one, or one whose name says
        what it holds.
    path : str or Path
        File, for the message.

    Raises
    ------
    InputError
        If there is no such column, or several may be meant.
    """
    by_name = {name.upper(): name for name in names}
    values = [n for n in by_name if n not in _INDEX_NAMES and n not in _POSITION_NAMES]
    listed = ", ".join(by_name[name] for name in values) or "none"
    if asked is not None:
        if asked.upper() not in by_name:
            raise InputError(
                f"{path}: column must be one of {listed}; got '{asked}'. Choose one of them."
            )
        return by_name[asked.upper()]
    if len(values) == 1:
        return by_name[values[0]]
    for group in _VALUE_NAMES:
        found = [name for name in group if name in values]
        if len(found) == 1:
            return by_name[found[0]]
        if found:
            break
    raise InputError(
        f"{path}: must have one column of values; got {listed}. Name the column to read."
    )
