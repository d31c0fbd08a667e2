"""A view of a catalog whose photons are changed as they are read: without AGN, without cores.

Because origins are kept apart, what a telescope would have seen of other clusters can be made from
the catalog that there is. Nothing is written, and whatever reads a catalog reads such a view.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from typing_extensions import override

from icmass.catalog.catalog import Catalog
from icmass.catalog.columns import KEY
from icmass.catalog.names import known
from icmass.catalog.shard_data import ShardData
from icmass.catalog.spec import CatalogSpec
from icmass.errors import InputError

__all__ = ["Change", "ChangedCatalog"]

Counts = NDArray[Any]


class Change:
    """What becomes of the photons of clusters, or of what is told beside them.

    A change is a frozen dataclass of plain values, so that it can be sent to other processes. What
    it does to a row must depend on nothing but the row and its values, not on the rows read with
    it; random ones take their generators from `generators`.
    """

    #: Tells its random numbers from those of others.
    seed: int = 0

    def images(self, counts: Counts, rows: NDArray[np.void], spec: CatalogSpec) -> Counts:
        """Return changed counts.

        Parameters
        ----------
        counts : ndarray of unsigned int, shape (n, n_origin, n_band, n_y, n_x)
            Photons of all origins and bands; may be written to.
        rows : structured ndarray, shape (n,)
            All columns of these rows, as `columns` leaves them.
        spec : CatalogSpec
            Of the catalog.

        Returns
        -------
        ndarray of unsigned int, same shape
        """
        return counts

    def columns(self, rows: NDArray[np.void]) -> NDArray[np.void]:
        """Return changed columns of `rows`: structured, shape (n,), which may be written to."""
        return rows

    def generators(self, rows: NDArray[np.void]) -> list[np.random.Generator]:
        """Return a random generator for each of `rows`, shape (n,), of its key and this change."""
        digest = hashlib.sha256(type(self).__name__.encode()).digest()
        stage = int.from_bytes(digest[:4], "little")
        keys = np.stack([rows[name] for name in KEY], axis=1).tolist()
        return [np.random.default_rng([stage, self.seed, *_naturals(key)]) for key in keys]


class ChangedCatalog(Catalog):
    """A catalog as it would be after a change; it can be read, selected and sent, not written.

    Noise-free images are those of the catalog before the change and are not given.

    Parameters
    ----------
    catalog : Catalog
        Any, also a selection or another changed one.
    change : Change
    """

    def __init__(self, catalog: Catalog, change: Change) -> None:
        super().__init__(catalog._store, catalog._rows)
        self._base = catalog
        self._last: tuple[tuple[bytes, np.dtype[Any]], Counts] | None = None
        self._told: NDArray[np.void] | None = None
        self.change = change

    def __reduce__(self) -> tuple[Any, ...]:
        return ChangedCatalog, (self._base, self.change)

    @override
    def fingerprint(self) -> str:
        """Return a hash of the contents, the selected rows and the change."""
        text = f"{self._base.fingerprint()} {self.change!r}"
        return hashlib.sha256(text.encode()).hexdigest()

    @override
    def column(self, name: str) -> NDArray[Any]:
        """Return a column, shape (n,), changed."""
        known("column", name, self.spec.row_dtype.names or ())
        return self._changed_rows()[name].copy()

    @override
    def rows(self) -> NDArray[np.void]:
        """Return all columns, shape (n,), changed."""
        return self._changed_rows().copy()

    @override
    def images(
        self,
        rows: Any = None,
        bands: Iterable[str] | None = None,
        origins: Iterable[Any] | None = None,
        *,
        apart: bool = False,
        dtype: DTypeLike = np.uint32,
    ) -> NDArray[Any]:
        """Return changed images of counts; arguments and shape are those of `Catalog.images`."""
        chosen = self._chosen(rows)
        band, origin = self.spec.band_indices(bands), self.spec.origin_indices(origins)
        wanted = self._changed(chosen, np.dtype(dtype))[:, origin][:, :, band]
        return wanted if apart else wanted.sum(axis=1, dtype=wanted.dtype)

    @override
    def expectations(self, *args: Any, **kwargs: Any) -> NDArray[np.float32]:
        """Refuse: noise-free images do not know of the change.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(f"{self.path}: a changed view has no noise-free images; leave redraw out.")

    @override
    def shard_data(self) -> Iterator[ShardData]:
        """Refuse: a view is not written.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(f"{self.path}: a changed view cannot be copied; copy the catalog itself.")

    @override
    def select(self, mask: ArrayLike) -> Self:
        """Return a view of some rows."""
        return type(self)(self._base.select(mask), self.change)

    @override
    def where(self, *conditions: str) -> Self:
        """Return a view of rows for which conditions hold before the change.

        So a sample that was selected, by detection say, is of the same clusters after any change.
        """
        if not conditions:
            return self
        return type(self)(self._base.where(*conditions), self.change)

    def _changed_rows(self) -> NDArray[np.void]:
        """Return all columns, changed; made once, as readers ask for each batch."""
        if self._told is None or len(self._told) != len(self):
            self._told = self.change.columns(self._base.rows())
        return self._told

    def _changed(self, rows: NDArray[Any], dtype: np.dtype[Any]) -> Counts:
        """Return changed images of all origins and bands; those read last are kept."""
        name = (rows.tobytes(), dtype)
        if self._last is None or self._last[0] != name:
            self._last = None  # frees the memory before more is taken
            whole = self._base.images(rows, apart=True, dtype=dtype)
            told = self._changed_rows()[rows]
            self._last = name, self.change.images(whole, told, self.spec)
        return self._last[1]

    @override
    def _require_single(self, what: str, advice: str = "Write into each") -> None:
        raise InputError(f"{what}: must be called on a catalog; this is a changed view of one.")


def _naturals(key: list[int]) -> list[int]:
    """Return numbers without signs, which seeds may not have; different for different ones."""
    return [2 * value if value >= 0 else -2 * value - 1 for value in key]
