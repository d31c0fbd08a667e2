"""A catalog of clusters: a directory of immutable shards behind one manifest.

Opening reads the manifest and nothing else; columns and images are read when asked for. Rows are
numbered from 0 in the order of the shards; a selection is a view with rows of its own numbering.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.catalog import predictions as _predictions
from icmass.catalog.joined import JoinedStore
from icmass.catalog.manifest import Manifest, ShardRecord
from icmass.catalog.reading import CatalogReader
from icmass.catalog.shard_data import ShardData, row_keys
from icmass.catalog.spec import CatalogSpec
from icmass.catalog.store import Store
from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.catalog.predictions import Predictions
    from icmass.catalog.repairs import Problem

__all__ = ["Catalog"]


class Catalog(CatalogReader):
    """One row per halo and line of sight; made by `create`, `open` and `join`.

    Two catalogs made by `select` share what they read. A catalog can be pickled for worker
    processes, which open it anew; it holds no file open.
    """

    @classmethod
    def create(cls, path: str | Path, spec: CatalogSpec) -> "Catalog":
        """Create an empty catalog.

        Parameters
        ----------
        path : str or Path
            New or empty directory; its parent must exist.
        spec : CatalogSpec
            What every shard will hold.

        Raises
        ------
        OutputError
            If the place is taken or cannot be written.
        """
        return cls(Store.create(Path(path), Manifest(spec)))

    @classmethod
    def open(cls, path: str | Path, *, sound: bool = False) -> "Catalog":
        """Open the catalog in the directory `path`.

        Parameters
        ----------
        path : str or Path
        sound : bool
            Whether to compare every shard with its checksum, for which all of it is read: little
            work beside what an estimator does with it.

        Raises
        ------
        InputError
            If it is not a catalog, is of a newer schema, or one of its shards is missing or of
            another size than the manifest says; if asked for, of other contents.
        """
        found = cls(Store.open(Path(path)))
        if sound:
            from icmass.catalog.repairs import require_sound  # noqa: PLC0415  (it knows this class)

            require_sound(found.path)
        return found

    @classmethod
    def join(cls, catalogs: "Sequence[Catalog | str | Path]") -> "Catalog":
        """Return a view of the rows of several catalogs, one after the other; nothing is copied.

        It reads as one catalog does; predictions are written into, and read from, each of its
        catalogs. Keys are read to see that none stands twice. A single catalog is returned as it
        is.

        Parameters
        ----------
        catalogs : sequence of Catalog, str or Path
            At least one; selections give their rows only.

        Raises
        ------
        InputError
            If there are none, they differ in bands, geometry, origins or columns, or two of them
            share a key.
        """
        from icmass.catalog.combine import join  # noqa: PLC0415  (it knows this class)

        return join([c if isinstance(c, Catalog) else cls.open(c) for c in catalogs])

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self._store, JoinedStore):
            parts = self._store.directories
            return _rejoin, (parts, self.spec, self.fingerprint(), self._rows)
        return _reopen, (self.path, self.fingerprint(), self._rows)

    # Writing

    def append(self, data: ShardData) -> ShardRecord:
        """Write `data` as a shard behind those that there are.

        Raises
        ------
        InputError
            If the data do not fit the spec, or this is a selection.
        OutputError
            If another run writes into the catalog.
        """
        self._require_whole("append")
        with self.lock():
            return self.register(self.write_shard(self._store.next_index(), data))

    def write_shard(self, index: int, data: ShardData) -> ShardRecord:
        """Write `data` as shard number `index` without telling the manifest; workers do this.

        The order of shards is that of their numbers. `register` or `adopt` takes them up.

        Raises
        ------
        InputError
            If the data do not fit the spec, or this is a view of several catalogs.
        """
        self._require_single("write_shard")
        return self._store.write_shard(index, data)

    def register(self, *records: ShardRecord) -> ShardRecord:
        """List `records`, of shards that `write_shard` wrote, in the manifest; returns the last.

        Raises
        ------
        InputError
            If this is a selection or a view of several catalogs.
        OutputError
            If another run writes into the catalog.
        """
        self._require_whole("register")
        with self.lock():
            self._store.register(records)
        return records[-1]

    def adopt(self) -> list[str]:
        """List complete shards that a killed run left unlisted; returns their names."""
        self._require_whole("adopt")
        with self.lock():
            return self._store.adopt()

    def lock(self) -> Any:
        """Return a context manager that keeps other runs from writing into the catalog.

        Raises
        ------
        OutputError
            On entry, if another run does.
        """
        self._require_single("lock")
        return self._store.lock

    def write_predictions(
        self,
        name: str,
        mean: ArrayLike,
        std: ArrayLike,
        *,
        quantiles: Mapping[float, ArrayLike] | None = None,
        extra: Mapping[str, ArrayLike] | None = None,
        quantity: str = "ln(M500c / Msun)",
        overwrite: bool = False,
    ) -> Path:
        """Write what an estimator says of each row into a file of its own.

        Parameters
        ----------
        name : str
            Of the estimator: letters, digits, ``. _ -``.
        mean, std : array, shape (n,)
            Prediction and its spread; NaN where there is none.
        quantiles : mapping of float to array, shape (n,), optional
            From the probability, between 0 and 1, to the value.
        extra : mapping of str to array, shape (n,), optional
            Further columns, such as the fold.
        quantity : str
            What is predicted.
        overwrite : bool
            Whether to replace predictions of that name.

        Raises
        ------
        InputError
            If a length, name or probability is wrong, or this is a view of several catalogs.
        OutputError
            If predictions of that name exist.
        """
        self._require_single("write_predictions")
        found = _predictions.make(len(self), quantity, mean, std, quantiles or {}, extra or {})
        return _predictions.write(
            self.path, name, row_keys(self.rows()), found, overwrite=overwrite
        )

    def predictions(self, name: str) -> "Predictions":
        """Return predictions by `name` for these rows, NaN where there are none.

        Whole numbers, such as the fold, are -1 (or 0 where they have no sign) in place of NaN.

        Raises
        ------
        InputError
            If there are none of that name, or this is a view of several catalogs.
        """
        self._require_single("predictions", "Read those of each")
        return super().predictions(name)

    def prediction_names(self) -> list[str]:
        """Return the names of all predictions.

        Raises
        ------
        InputError
            If this is a view of several catalogs.
        """
        self._require_single("prediction_names", "Read those of each")
        return super().prediction_names()

    # Care

    def validate(self) -> None:
        """Read everything and check it: checksums, limits of values, keys, images against counts.

        Predictions are read too.

        Raises
        ------
        InputError
            Naming the first problem and the number of others.
        """
        self._require_single("validate", "Validate each")
        from icmass.catalog.repairs import validate  # noqa: PLC0415  (it knows this class)

        validate(self)

    @classmethod
    def repair(cls, path: str | Path, *, drop: bool = True) -> "list[Problem]":
        """Find damaged, missing and foreign shards; drop them and take up unlisted ones.

        Parameters
        ----------
        path : str or Path
            A catalog, which need not open.
        drop : bool
            Whether to change the manifest; a dropped file stays, with ``.dropped`` at its name.

        Returns
        -------
        list of Problem
            What was found.
        """
        from icmass.catalog.repairs import repair  # noqa: PLC0415

        return repair(Path(path), drop=drop)

    @classmethod
    def concatenate(cls, catalogs: "Sequence[Catalog | str | Path]", path: str | Path) -> "Catalog":
        """Write the rows of several catalogs into a new one.

        Samples are renumbered (``sample_id``) where rows of two catalogs would share their key.

        Parameters
        ----------
        catalogs : sequence of Catalog, str or Path
            At least one; selections give their rows only.
        path : str or Path
            New or empty directory; its parent must exist.

        Raises
        ------
        InputError
            If there are none, or they differ in bands, geometry, origins or columns.
        OutputError
            If the place is taken or cannot be written.
        """
        from icmass.catalog.combine import concatenate  # noqa: PLC0415  (it knows this class)

        opened = [c if isinstance(c, Catalog) else cls.open(c) for c in catalogs]
        return concatenate(opened, path)

    def export(
        self,
        path: str | Path,
        *,
        file_format: Literal["fits", "parquet", "ecsv"] | None = None,
        predictions: str | Iterable[str] = (),
        overwrite: bool = False,
    ) -> None:
        """Write the columns as a table that other programs read.

        Parameters
        ----------
        path : str or Path
            File to write.
        file_format : str, optional
            fits, parquet or ecsv; by default the suffix of the file says which.
        predictions : str or iterable of str
            Names of predictions to add, as in `table`.
        overwrite : bool
            Whether an existing file may be replaced.

        Raises
        ------
        InputError
            If the format is unknown, or there are no such predictions.
        MissingDependencyError
            If Parquet is wanted and pyarrow is absent.
        OutputError
            If the place is taken or cannot be written.
        """
        from icmass.catalog.export import export_table  # noqa: PLC0415

        export_table(self, Path(path), file_format, predictions, overwrite)

    def _require_single(self, what: str, advice: str = "Write into each") -> None:
        if isinstance(self._store, JoinedStore):
            raise InputError(
                f"{what}: must be called on one catalog; {self.path} is a view of several "
                f"catalogs. {advice}."
            )

    def _require_whole(self, what: str) -> None:
        self._require_single(what)
        if self._rows is not None:
            raise InputError(f"{what}: must be called on a catalog; this is a selection of rows.")


def _reopen(path: Path, fingerprint: str, rows: NDArray[np.int64] | None) -> Catalog:
    return _unchanged(Catalog(Store.open(path), rows), fingerprint)


def _rejoin(
    paths: Sequence[Path], spec: CatalogSpec, fingerprint: str, rows: NDArray[np.int64] | None
) -> Catalog:
    store = JoinedStore([Store.open(path) for path in paths], spec)
    return _unchanged(Catalog(store, rows), fingerprint)


def _unchanged(catalog: Catalog, fingerprint: str) -> Catalog:
    if catalog.fingerprint() != fingerprint:
        raise InputError(f"{catalog.path}: changed since it was opened; open it again.")
    return catalog
