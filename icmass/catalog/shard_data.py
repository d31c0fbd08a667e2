"""The clusters of one shard as their producer hands them over, checked against the schema."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.catalog.columns import GALAXY_COLUMNS, KEY, REGION_COLUMNS, Column, rows_dtype
from icmass.catalog.spec import CatalogSpec
from icmass.errors import InputError
from icmass.names import nearest
from icmass.units import to_value

__all__ = [
    "RAGGED",
    "Failure",
    "Ragged",
    "ShardData",
    "check_rows",
    "galaxy_rows",
    "region_rows",
    "row_keys",
]

# What a cluster has any number of, and the columns of it.
RAGGED: Final[dict[str, tuple[Column, ...]]] = {
    "galaxies": GALAXY_COLUMNS,
    "regions": REGION_COLUMNS,
}


@dataclass(frozen=True)
class Failure:
    """A halo and line of sight that gave no row, and why."""

    sample_id: int
    snapshot_id: int
    halo_id: int
    line_of_sight: int
    reason: str


@dataclass(frozen=True)
class Ragged:
    """Lists of different lengths, one per cluster, one after the other.

    Attributes
    ----------
    rows : structured ndarray, shape (n_rows,)
        All lists.
    start : ndarray of int64, shape (n_cluster + 1,)
        Where each list begins.
    """

    rows: NDArray[np.void]
    start: NDArray[np.int64]

    @classmethod
    def join(cls, lists: Sequence[NDArray[np.void]], kind: str) -> "Ragged":
        """Join the lists of clusters.

        Parameters
        ----------
        lists : sequence of structured ndarray, shape (m,)
            One per cluster, as `galaxy_rows` or `region_rows` makes them.
        kind : str
            galaxies or regions.
        """
        empty = np.zeros(0, rows_dtype(RAGGED[kind]))
        lengths = [len(one) for one in lists]
        return cls(np.concatenate([empty, *lists]), np.cumsum([0, *lengths], dtype=np.int64))

    def __getitem__(self, cluster: int) -> NDArray[np.void]:
        return self.rows[self.start[cluster] : self.start[cluster + 1]]


def galaxy_rows(**columns: ArrayLike) -> NDArray[np.void]:
    """Make the galaxies of one cluster.

    Parameters
    ----------
    **columns : array or Quantity, shape (n,)
        ``east_kpc``, ``north_kpc``, ``v_los_km_s``, ``stellar_mass_msun``, ``member``.

    Returns
    -------
    structured ndarray, shape (n,)

    Raises
    ------
    InputError
        If a column is missing, unknown, of another length or unit, or out of its limits.
    """
    return _structured("galaxies", GALAXY_COLUMNS, columns)


def region_rows(**columns: ArrayLike) -> NDArray[np.void]:
    """Make the regions (substructures, companions, neighbours) of one cluster.

    Parameters
    ----------
    **columns : array or Quantity, shape (n,)
        ``kind``, ``east_kpc``, ``north_kpc``, ``radius_kpc``, ``mass_msun``.

    Returns
    -------
    structured ndarray, shape (n,)

    Raises
    ------
    InputError
        As for `galaxy_rows`.
    """
    return _structured("regions", REGION_COLUMNS, columns)


@dataclass(frozen=True)
class ShardData:
    """What one shard is made of: n clusters, each one halo seen from one direction.

    Attributes
    ----------
    columns : mapping of str to array or Quantity, shape (n,)
        Every column of the catalog's spec; bare numbers are in the unit of the schema.
    images : ndarray of int, shape (n, n_origin, n_band, n_y, n_x)
        Counts.
    expectations : ndarray of float, shape (n, n_origin, n_band, n_y, n_x), optional
        Expected counts without noise; present just if the spec says so, as are the following.
    exposure_maps : ndarray of float, shape (n, n_y, n_x), optional
        Exposure with vignetting, s.
    galaxies, regions : Ragged, optional
        Of n clusters.
    failures : tuple of Failure
        Clusters that were meant to be in the shard and are not.
    """

    columns: Mapping[str, Any]
    images: NDArray[Any]
    expectations: NDArray[Any] | None = None
    exposure_maps: NDArray[Any] | None = None
    galaxies: Ragged | None = None
    regions: Ragged | None = None
    failures: tuple[Failure, ...] = ()

    def rows(self, spec: CatalogSpec) -> NDArray[np.void]:
        """Return the columns of `spec` as one structured array, shape (n,), checked.

        Raises
        ------
        InputError
            If a column is missing, unknown, of another length or unit, or out of its limits.
        """
        return _structured("columns", spec.columns, self.columns)

    def check(self, spec: CatalogSpec) -> None:
        """Check that everything but the columns fits `spec`.

        Raises
        ------
        InputError
            Naming the first part that is missing, not asked for, of wrong shape or out of range.
        """
        n = len(self.images)
        _check_array("images", self.images, (n, *spec.image_shape), "iu")
        parts: list[tuple[str, Any, bool]] = [
            ("expectations", self.expectations, spec.expectations is not None),
            ("exposure_maps", self.exposure_maps, spec.exposure_maps),
            ("galaxies", self.galaxies, spec.galaxies),
            ("regions", self.regions, spec.regions),
        ]
        for name, part, wanted in parts:
            if (part is not None) != wanted:
                rule = "must be given, for the catalog has them" if wanted else "must be left out"
                raise InputError(f"{name}: {rule}; the spec of the catalog says {wanted}.")
        if self.expectations is not None:
            _check_array("expectations", self.expectations, (n, *spec.image_shape), "f")
            _check_expectations(self.expectations, str(spec.expectations))
        if self.exposure_maps is not None:
            shape = (n, spec.geometry.n_y, spec.geometry.n_x)
            _check_array("exposure_maps", self.exposure_maps, shape, "f")
        for name in RAGGED:
            _check_ragged(name, getattr(self, name), n)


def row_keys(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return the columns of `rows`, shape (n,), that together name one: structured, shape (n,)."""
    result = np.empty(len(rows), [(name, "i8") for name in KEY])
    for name in KEY:
        result[name] = rows[name]
    return result


def check_rows(rows: NDArray[np.void], columns: Iterable[Column]) -> None:
    """Check that known values lie within the limits of the schema and that no key stands twice.

    `rows` is a structured array of shape (n,) that has these `columns`.

    Raises
    ------
    InputError
        Naming the column, the first wrong row and its value.
    """
    for column in columns:
        values = rows[column.name]
        wrong = (values < column.lowest) | (values > column.highest) | np.isinf(values)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            limits = f"between {column.lowest:g} and {column.highest:g}"
            raise InputError(
                f"column '{column.name}': must be finite and {limits} {column.unit}, or NaN; "
                f"got {values[row]} in row {row}."
            )
    if set(KEY) <= set(rows.dtype.names or ()):
        _check_keys(rows)


def _check_keys(rows: NDArray[np.void]) -> None:
    order = np.lexsort([rows[name] for name in KEY])
    keys = row_keys(rows)[order]
    again = np.flatnonzero(keys[1:] == keys[:-1])
    if len(again):
        twice = int(order[again[0]])
        values = ", ".join(f"{name} {rows[name][twice]}" for name in KEY)
        raise InputError(f"rows: must differ in {', '.join(KEY)}; {values} stands there twice.")


def _structured(
    what: str, columns: tuple[Column, ...], values: Mapping[str, Any]
) -> NDArray[np.void]:
    names = [column.name for column in columns]
    for name in values:
        if name not in names:
            raise InputError(f"{what}: '{name}' is not among its columns; {nearest(name, names)}.")
    missing = [name for name in names if name not in values]
    if missing:
        raise InputError(f"{what}: must hold every column; missing: {', '.join(missing)}.")
    arrays = [_convert(column, values[column.name]) for column in columns]
    lengths = {name: len(array) for name, array in zip(names, arrays, strict=True)}
    if len(set(lengths.values())) > 1:
        name = next(n for n in names if lengths[n] != lengths[names[0]])
        raise InputError(
            f"{what}: must be of one length; '{names[0]}' has {lengths[names[0]]} and "
            f"'{name}' has {lengths[name]}."
        )
    rows = np.zeros(lengths[names[0]], rows_dtype(columns))
    for name, array in zip(names, arrays, strict=True):
        rows[name] = array
    check_rows(rows, columns)
    return rows


def _convert(column: Column, values: Any) -> NDArray[Any]:
    """Return values in the unit and type of a column, refusing what would change them."""
    dtype = np.dtype(column.dtype)
    if dtype.kind == "f":
        return np.atleast_1d(to_value(values, column.unit, column.name))
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind == "b" if dtype.kind == "b" else array.dtype.kind in "iu":
        return array
    if len(array) == 0:
        return array.astype(dtype)
    rule = "true or false" if dtype.kind == "b" else "whole numbers"
    raise InputError(f"column '{column.name}': must be {rule}; got {array.dtype}.")


def _check_array(name: str, array: NDArray[Any], shape: tuple[int, ...], kinds: str) -> None:
    if array.shape != shape:
        raise InputError(f"{name}: must have the shape {shape}; got {array.shape}.")
    if array.dtype.kind not in kinds:
        rule = "whole numbers" if "u" in kinds else "floats"
        raise InputError(f"{name}: must be {rule}; got {array.dtype}.")
    if array.size and not array.min() >= 0:
        raise InputError(f"{name}: must be at least 0 and not NaN; got {array.min()}.")


def _check_expectations(maps: NDArray[Any], dtype: str) -> None:
    highest = float(np.finfo(dtype).max)
    if maps.size and maps.max() > highest:
        raise InputError(
            f"expectations: must be at most {highest:g} in {dtype}; got {maps.max():g}. "
            "Create the catalog with expectations in float32."
        )


def _check_ragged(name: str, part: Ragged | None, n: int) -> None:
    if part is None:
        return
    if part.rows.dtype != rows_dtype(RAGGED[name]):
        raise InputError(
            f"{name}: must be made by {name[:-1].replace('ie', 'y')}_rows; got {part.rows.dtype}."
        )
    start = part.start
    if start.shape != (n + 1,) or start[0] != 0 or start[-1] != len(part.rows):
        raise InputError(f"{name}: must be lists of {n} clusters; got {len(start) - 1} lists.")
