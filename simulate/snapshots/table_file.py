"""Read a table of haloes or galaxies, whatever file it is in: named columns with their units.

Units stay words here, for "h" in them is the Hubble constant and not an hour, and whether a length
is comoving is said in words. `to_physical` turns a column into kpc, Msun or km/s.
"""

import os
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from astropy.table import Table
from astropy.units import Unit, UnitBase
from numpy.typing import NDArray

from icmass.errors import InputError, MissingDependencyError
from icmass.hdf5 import read_array
from icmass.simulate.fits_opening import open_whole_fits

__all__ = ["Column", "Frame", "plain_name", "read_table_file", "to_physical", "unit_of"]

Frame = Literal["comoving", "physical"]
FORMATS = {".ecsv": "ascii.ecsv", ".csv": "ascii.csv", ".fits": "fits", ".fit": "fits"}
HDF5 = (".hdf5", ".h5", ".hdf")
PARQUET = (".parquet", ".pq")
# Endings of names that say the unit, as in the catalog's own columns.
SUFFIXES = {
    "_kpc": "kpc", "_mpc": "Mpc", "_msun": "Msun", "_km_s": "km/s", "_kms": "km/s",
    "[kpc]": "kpc", "[mpc]": "Mpc", "[msun]": "Msun", "[km/s]": "km/s",
    "[kpc/h]": "kpc/h", "[mpc/h]": "Mpc/h", "[msun/h]": "Msun/h",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """Numbers as stored; the unit in words, empty where none is given.

    Attributes
    ----------
    values : ndarray, shape (n,) or (n, k)
    unit : str
    frame : {"comoving", "physical"} or None
        Of lengths; None where the file does not say it.
    """

    values: NDArray[Any]
    unit: str = ""
    frame: Frame | None = None


def read_table_file(path: str | Path) -> dict[str, Column]:
    """Read all numeric columns of a table.

    Parameters
    ----------
    path : str or Path
        ECSV, CSV, FITS (first table), HDF5 (one dataset per column, in the file or its only group)
        or Parquet.

    Returns
    -------
    dict
        Columns by their names in lower case, without an ending that says the unit.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or two columns have the same name.
    MissingDependencyError
        If it is Parquet and pyarrow is absent.
    """
    path = Path(os.path.expanduser(path))  # which leaves a user that is unknown as it is
    if not path.is_file():
        raise InputError(f"{path}: must be a table of haloes or galaxies; there is no such file.")
    suffix = path.suffix.lower() if path.suffix.lower() != ".gz" else path.suffixes[-2].lower()
    known = (*FORMATS, *HDF5, *PARQUET)
    if suffix not in known:
        raise InputError(f"{path}: must end in one of {', '.join(known)}; got '{path.suffix}'.")
    try:
        found = _read(path, suffix)
    except InputError:
        raise
    except Exception as error:  # the readers raise many unrelated types
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: must be a readable table; it is not ({reason}).") from error
    return _by_plain_name(path, found)


def plain_name(name: str) -> tuple[str, str]:
    """Return `name` in lower case without an ending that says the unit, and that unit or ""."""
    plain = name.strip().lower()
    for ending, unit in SUFFIXES.items():
        if plain.endswith(ending):
            return plain.removesuffix(ending).strip(), unit
    return plain, ""


def to_physical(
    column: Column, kind: str, name: str, *, hubble: float, scale_factor: float, frame: Frame
) -> NDArray[np.float64]:
    """Turn a column into physical kpc, Msun or km/s.

    Parameters
    ----------
    column : Column
        As read.
    kind : {"length", "mass", "velocity"}
        What it measures.
    name : str
        Table and column, for messages.
    hubble, scale_factor : float
        Of the snapshot: what ``/h`` divides by, and what comoving lengths are multiplied by.
    frame : {"comoving", "physical"}
        Of lengths whose column does not say it.

    Returns
    -------
    ndarray, of the shape of the column

    Raises
    ------
    InputError
        If there is no unit, or it is of another kind.
    """
    wanted = {"length": "kpc", "mass": "Msun", "velocity": "km/s"}[kind]
    text, said = _frame_of(column.unit)
    if not text:
        raise InputError(
            f"{name}: must have a unit; got none. Write it into the file, or give it in "
            f"table_units, e.g. '{wanted}/h' or 'comoving {wanted}'."
        )
    text, powers = _without_h(text)
    try:
        factor = float(Unit(text).to(wanted))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{name}: must be in a unit of {kind} such as '{wanted}' or '{wanted}/h'; got "
            f"'{column.unit}'."
        ) from error
    if powers:
        factor /= hubble
    if kind == "length" and (column.frame or said or frame) == "comoving":
        factor *= scale_factor
    return np.asarray(column.values, dtype=np.float64) * factor


def unit_of(words: str) -> UnitBase:
    """Return the unit of such `words` as ``comoving Mpc/h``, without frame and h.

    Raises
    ------
    ValueError
        If they are none.
    """
    return Unit(_without_h(_frame_of(words)[0])[0])


def _without_h(text: str) -> tuple[str, int]:
    """Return a unit without h, and how often it was there."""
    return re.subn(r"\s*/\s*(littleh|h)$|\s+(?:littleh|h)-1$", "", text)


def _frame_of(words: str) -> tuple[str, Frame | None]:
    """Split 'comoving Mpc/h' into the unit and the frame."""
    text = words.strip()
    for word, frame in (("comoving", "comoving"), ("physical", "physical"), ("proper", "physical")):
        if re.search(rf"\b{word}\b", text, re.IGNORECASE):
            text = re.sub(rf"\s*\b{word}\b\s*", " ", text, flags=re.IGNORECASE).strip()
            return text, "comoving" if frame == "comoving" else "physical"
    return text, None


def _read(path: Path, suffix: str) -> dict[str, Column]:
    if suffix in HDF5:
        return _read_hdf5(path)
    if suffix in PARQUET:
        return _read_parquet(path)
    return _read_astropy(path, FORMATS[suffix])


def _read_astropy(path: Path, kind: str) -> dict[str, Column]:
    if kind == "fits":
        with open_whole_fits(path, mapped=True, what="table", edited=True):
            pass  # looks at its checksums
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that astropy does not know: we read them as words
        table = Table.read(path, format=kind)
    columns = {}
    for name in table.colnames:
        stored = table[name]
        if stored.dtype.kind not in "iufb":
            continue
        values = stored.filled(np.nan) if _has_gaps(stored) else np.asarray(stored)
        unit = "" if stored.unit is None else str(stored.unit)
        columns[name] = Column(values, unit, _frame_of(stored.description or "")[1])
    return columns


def _has_gaps(stored: Any) -> bool:
    return bool(np.any(getattr(stored, "mask", False))) and stored.dtype.kind == "f"


def _read_hdf5(path: Path) -> dict[str, Column]:
    with h5py.File(path, "r") as file:
        group = file
        if not any(isinstance(item, h5py.Dataset) for item in file.values()) and len(file) == 1:
            group = next(iter(file.values()))
        columns = {}
        for name, item in group.items():
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "iufb":
                unit = _word(item.attrs, ("unit", "units"))
                frame = _frame_of(_word(item.attrs, ("description", "comment")))[1]
                columns[name] = Column(read_array(item), unit, frame)
    lengths = {name: len(column.values) for name, column in columns.items() if column.values.ndim}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"its columns must have one length; they have {told}")
    return columns


def _read_parquet(path: Path) -> dict[str, Column]:
    if find_spec("pyarrow") is None:
        raise MissingDependencyError(
            f"{path}: Parquet needs pyarrow; install it: pip install 'icmass[parquet]'."
        )
    from pyarrow import parquet  # noqa: PLC0415 - optional

    table = parquet.read_table(path)
    columns = {}
    for field, stored in zip(table.schema, table.columns, strict=True):
        values = stored.to_numpy()
        if values.dtype.kind in "iufb":
            unit = (field.metadata or {}).get(b"unit", b"").decode()
            columns[field.name] = Column(values, unit)
    return columns


def _word(attributes: Any, names: Iterable[str]) -> str:
    for name in names:
        if name in attributes:
            value = attributes[name]
            return value.decode() if isinstance(value, bytes) else str(value)
    return ""


def _by_plain_name(path: Path, found: dict[str, Column]) -> dict[str, Column]:
    plain: dict[str, Column] = {}
    for name, column in found.items():
        key, unit = plain_name(name)
        if key in plain:
            raise InputError(f"{path}: column names must differ; '{key}' is there twice.")
        plain[key] = replace(column, unit=column.unit or unit)
    return plain
