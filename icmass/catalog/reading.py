"""Reading a catalog: its columns as arrays or a table, its images, galaxies and regions.

Opening has read the manifest and nothing else; the rest is read when asked for. Rows are numbered
from 0 in the order of the shards; a selection is a view with a numbering of its own.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from icmass.catalog import predictions as _predictions
from icmass.catalog.columns import Column
from icmass.catalog.conditions import rows_where
from icmass.catalog.manifest import ShardRecord
from icmass.catalog.names import known
from icmass.catalog.shard_data import Failure, ShardData, row_keys
from icmass.catalog.spec import CatalogSpec
from icmass.catalog.store import Store
from icmass.errors import InputError

if TYPE_CHECKING:
    from astropy.table import QTable

    from icmass.catalog.predictions import Predictions

__all__ = ["CatalogReader"]

Rows = int | slice | Sequence[int] | NDArray[Any] | None


class CatalogReader:
    """What can be read of a catalog, or of a selection of its rows.

    Parameters
    ----------
    store : Store
        Of the directory; selections share it.
    rows : ndarray of int, optional
        Rows of the store that are selected; all by default.
    """

    def __init__(self, store: Store, rows: NDArray[np.int64] | None = None) -> None:
        self._store = store
        self._rows = rows

    # What it is

    @property
    def path(self) -> Path:
        """Its directory."""
        return self._store.directory

    @property
    def spec(self) -> CatalogSpec:
        """Bands, geometry, origins, columns and provenance."""
        return self._store.manifest.spec

    @property
    def shards(self) -> tuple[ShardRecord, ...]:
        """Its shards, whatever is selected."""
        return self._store.manifest.shards

    def __len__(self) -> int:
        return len(self._store) if self._rows is None else len(self._rows)

    def __repr__(self) -> str:
        return f"<Catalog {self.path}: {len(self)} clusters>"

    def fingerprint(self) -> str:
        """Return a hash of the contents and the selected rows, which predictions do not change.

        Nothing is read: it is made of the checksums in the manifest.
        """
        digest = hashlib.sha256(self.spec.identifier.encode())
        for record in self.shards:
            digest.update(f"{record.name} {record.sha256}\n".encode())
        if self._rows is not None:
            digest.update(self._rows.tobytes())
        return digest.hexdigest()

    # Columns

    @property
    def columns(self) -> tuple[Column, ...]:
        """Declarations of its columns."""
        return self.spec.columns

    def column(self, name: str) -> NDArray[Any]:
        """Return the column of this `name`, shape (n,), in the unit that its declaration says.

        Raises
        ------
        InputError
            If the catalog does not have it.
        """
        known("column", name, self.spec.row_dtype.names or ())
        values = self._store.rows[name]
        return values.copy() if self._rows is None else values[self._rows]

    def rows(self) -> NDArray[np.void]:
        """Return all columns as one structured array, shape (n,)."""
        return self._store.rows.copy() if self._rows is None else self._store.rows[self._rows]

    def table(
        self, names: str | Sequence[str] | None = None, predictions: str | Iterable[str] = ()
    ) -> "QTable":
        """Return columns as a table with units and descriptions.

        Parameters
        ----------
        names : str or sequence of str, optional
            Columns wanted; all by default.
        predictions : str or iterable of str
            Predictions to add, as columns ``NAME_mean``, ``NAME_std`` and one per quantile.
        """
        from icmass.catalog.export import to_table  # noqa: PLC0415  (astropy is slow to import)

        return to_table(self, names, predictions)

    # Images and lists

    def images(
        self,
        rows: Rows = None,
        bands: str | Iterable[str] | None = None,
        origins: str | Iterable[Any] | None = None,
        *,
        apart: bool = False,
        dtype: DTypeLike = np.uint32,
    ) -> NDArray[Any]:
        """Return images of counts.

        Parameters
        ----------
        rows : int, slice or array of int, optional
            Rows wanted; all by default.
        bands : str or iterable of str, optional
            Bands wanted, in this order; all by default.
        origins : str or iterable of str or Origin, optional
            Origins wanted; all by default, which is what a telescope sees.
        apart : bool
            Whether to keep the origins apart instead of adding them.
        dtype : dtype
            Type of the result, which must hold the counts.

        Returns
        -------
        ndarray, shape (n, n_band, n_y, n_x), or (n, n_origin, n_band, n_y, n_x) if `apart`
            n is 1 for a single row.
        """
        chosen, band, origin = self._wanted(rows, bands, origins)
        layers = len(origin) if apart else 1
        n_band, *shape = self.spec.image_shape[1:]
        result = np.zeros((len(chosen), layers, n_band, *shape), dtype)
        flat = result.reshape(len(chosen), layers, math.prod((n_band, *shape)))
        for shard, places, local in self._store.by_shard(chosen):
            for layer, index in enumerate(origin):
                target = flat[:, layer if apart else 0]
                self._store.files[shard].add_counts(index, local, places, target)
        if band != list(range(n_band)):
            result = result[:, :, band]
        return result if apart else result[:, 0]

    def expectations(
        self,
        rows: Rows = None,
        bands: str | Iterable[str] | None = None,
        origins: str | Iterable[Any] | None = None,
        *,
        apart: bool = False,
    ) -> NDArray[np.float32]:
        """Return noise-free images: the expected counts of which the photons were drawn.

        Parameters
        ----------
        rows, bands, origins, apart
            As for `images`.

        Returns
        -------
        ndarray of float32
            Of the shape that `images` returns.

        Raises
        ------
        InputError
            If the catalog has none.
        """
        if self.spec.expectations is None:
            raise self._absent("expectations")
        chosen, band, origin = self._wanted(rows, bands, origins)
        shape = (len(chosen), len(origin), len(band), *self.spec.image_shape[2:])
        result = np.empty(shape if apart else (shape[0], *shape[2:]), np.float32)
        for place, maps in self._maps("expectations", chosen):
            part = maps[np.ix_(origin, band)]
            result[place] = part if apart else part.sum(axis=0, dtype=np.float32)
        return result

    def exposure_maps(self, rows: Rows = None) -> NDArray[np.float32]:
        """Return exposures of `rows` with vignetting, s, shape (n, n_y, n_x); of all by default.

        Raises
        ------
        InputError
            If the catalog has none.
        """
        if not self.spec.exposure_maps:
            raise self._absent("exposure_maps")
        chosen = self._global(rows)
        result = np.empty((len(chosen), *self.spec.image_shape[2:]), np.float32)
        for place, maps in self._maps("exposure_maps", chosen):
            result[place] = maps
        return result

    def galaxies(self, row: int) -> NDArray[np.void]:
        """Return the galaxies of the cluster of a `row`, structured (`GALAXY_COLUMNS`), shape (m,).

        Raises
        ------
        InputError
            If the catalog has none, or no such row.
        """
        return self._ragged("galaxies", row)

    def regions(self, row: int) -> NDArray[np.void]:
        """Return the regions of the cluster of a `row`, structured (`REGION_COLUMNS`), shape (m,).

        Raises
        ------
        InputError
            If the catalog has none, or no such row.
        """
        return self._ragged("regions", row)

    def failures(self) -> list[Failure]:
        """Return the clusters that were meant to be in the catalog and could not be made."""
        return [failure for file in self._store.files for failure in file.failures()]

    def shard_data(self) -> Iterator[ShardData]:
        """Yield the selected rows of each shard as data that can be appended elsewhere."""
        return self._store.shard_data(self._rows)

    def predictions(self, name: str) -> "Predictions":
        """Return predictions by `name` for these rows, NaN where there are none.

        Whole numbers, such as the fold, are -1 (or 0 where they have no sign) in place of NaN.

        Raises
        ------
        InputError
            If there are none of that name.
        """
        return _predictions.read(self.path, name, row_keys(self.rows()))

    def prediction_names(self) -> list[str]:
        """Return the names of all predictions."""
        return _predictions.names(self.path)

    # Views

    def select(self, mask: ArrayLike) -> Self:
        """Return a view of some rows.

        Parameters
        ----------
        mask : array of bool, shape (n,), or array of int
            Rows to keep, or their numbers in the order wanted.

        Raises
        ------
        InputError
            If the mask is of another length, or there is no such row.
        """
        chosen = np.asarray(mask)
        if chosen.dtype.kind == "b":
            if chosen.shape != (len(self),):
                raise InputError(f"mask: must have the shape ({len(self)},); got {chosen.shape}.")
            chosen = np.flatnonzero(chosen)
        return type(self)(self._store, self._global(chosen))

    def where(self, *conditions: str) -> Self:
        """Return a view of the rows for which all conditions hold; with none, all of this.

        Parameters
        ----------
        *conditions : str
            ``detected``, ``not detected``, ``redshift < 0.3``, ``flags lacks BLENDED``: a column, a
            column and a number in its unit, or a flag (`icmass.catalog.conditions.rows_where`). A
            row of which the value is not known fails.

        Returns
        -------
        Catalog
            As `select` gives it.

        Raises
        ------
        InputError
            If a condition cannot be read, its column is not in the catalog, or no row is left.
        """
        return self.select(rows_where(self, conditions)) if conditions else self

    # Inside

    def _global(self, rows: Rows) -> NDArray[np.int64]:
        """Return numbers of rows in the whole catalog."""
        chosen = self._chosen(rows)
        return chosen if self._rows is None else self._rows[chosen]

    def _chosen(self, rows: Rows) -> NDArray[np.int64]:
        """Return numbers of rows here, checked; of all for None."""
        n = len(self)
        if rows is None or isinstance(rows, slice):
            chosen = np.arange(n)[slice(None) if rows is None else rows]
        else:
            chosen = np.atleast_1d(np.asarray(rows))
            if chosen.size == 0:
                chosen = chosen.astype(np.int64)
            if chosen.dtype.kind not in "iu" or chosen.ndim != 1:
                raise InputError(f"rows: must be whole numbers; got {chosen.dtype} {chosen.shape}.")
            if chosen.size and not (chosen.min() >= 0 and chosen.max() < n):
                raise InputError(
                    f"rows: must be from 0 to {n - 1}; got {chosen.min()} to {chosen.max()}."
                )
        return chosen.astype(np.int64)

    def _wanted(
        self, rows: Rows, bands: Iterable[str] | None, origins: Iterable[Any] | None
    ) -> tuple[NDArray[np.int64], list[int], list[int]]:
        return (
            self._global(rows),
            self.spec.band_indices(bands),
            self.spec.origin_indices(origins),
        )

    def _maps(self, name: str, rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[Any]]]:
        for shard, places, local in self._store.by_shard(rows):
            yield from zip(places, self._store.files[shard].maps(name, local), strict=True)

    def _ragged(self, name: str, row: int) -> NDArray[np.void]:
        if not getattr(self.spec, name):
            raise self._absent(name)
        ((shard, _, local),) = self._store.by_shard(self._global(row))
        return self._store.files[shard].ragged_rows(name, local[0])

    def _absent(self, name: str) -> InputError:
        return InputError(f"{self.path}: has no {name}; simulate it again with them.")
