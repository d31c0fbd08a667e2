"""The columns of a catalog as an astropy table, and as files that other programs read."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from astropy import units
from astropy.table import Column, QTable

from icmass.catalog.manifest import SCHEMA_VERSION
from icmass.catalog.names import known
from icmass.errors import InputError, MissingDependencyError
from icmass.files import atomic_write

if TYPE_CHECKING:
    from icmass.catalog.reading import CatalogReader

__all__ = ["export_table", "to_table"]

# Suffix of the file to astropy's name of the format.
_FORMATS: Final = {"fits": "fits", "parquet": "parquet", "ecsv": "ascii.ecsv"}


def to_table(
    catalog: "CatalogReader", names: str | Sequence[str] | None, predictions: str | Iterable[str]
) -> QTable:
    """Return columns and predictions with units and descriptions.

    Parameters
    ----------
    catalog : CatalogReader
        n rows.
    names : str or sequence of str, optional
        Columns wanted, in this order; all by default.
    predictions : str or iterable of str
        Names of predictions to add.
    """
    declared = {column.name: column for column in catalog.columns}
    table = QTable()
    for name in declared if names is None else _listed(names):
        known("column", name, list(declared))
        column = declared[name]
        values = catalog.column(name)
        table[name] = values * units.Unit(column.unit) if column.unit else Column(values)
        table[name].info.description = column.meaning
    for name in _listed(predictions):
        found = catalog.predictions(name)
        for part, values in found.columns().items():
            table[f"{name}_{part}"] = Column(
                values, description=f"{found.quantity} by {name}: {part}"
            )
    table.meta["ICMSCHEM"] = SCHEMA_VERSION
    table.meta["ICMPRINT"] = catalog.fingerprint()
    return table


def _listed(names: str | Iterable[str]) -> list[str]:
    """Return names that may be one text."""
    return [names] if isinstance(names, str) else list(names)


def export_table(
    catalog: "CatalogReader",
    path: Path,
    file_format: str | None,
    predictions: str | Iterable[str],
    overwrite: bool,
) -> None:
    """Write the table of a catalog into a file.

    Parameters
    ----------
    catalog : CatalogReader
        Also a selection.
    path : Path
        File to write.
    file_format : str or None
        fits, parquet or ecsv; None for what the suffix of the file says.
    predictions : str or iterable of str
        Names of predictions to add.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If the format is unknown, or there are no such predictions.
    MissingDependencyError
        If Parquet is wanted and pyarrow is absent.
    """
    chosen = file_format or path.suffix.removeprefix(".")
    if chosen not in _FORMATS:
        raise InputError(f"{path}: must end in .{', .'.join(_FORMATS)}; got '{chosen}'.")
    if chosen == "parquet" and find_spec("pyarrow") is None:
        raise MissingDependencyError(
            f"{path}: Parquet needs pyarrow; install it: pip install 'icmass[parquet]'."
        )
    table = to_table(catalog, None, predictions)
    with atomic_write(path, overwrite=overwrite) as stage:
        table.write(stage, format=_FORMATS[chosen])
