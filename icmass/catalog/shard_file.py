"""One shard on the disk: an HDF5 file, written once and never changed.

Images lie uncompressed in the file as filled pixels (`icmass.catalog.sparse`), so that they are
mapped into memory and read without HDF5; everything else is read through h5py. A reader holds no
open file, so it can be used after a fork.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from icmass.catalog.shard_data import RAGGED, Failure, Ragged, ShardData
from icmass.catalog.sparse import add_block, encode
from icmass.catalog.spec import CatalogSpec
from icmass.errors import InputError
from icmass.files import atomic_write
from icmass.hdf5 import read_array

__all__ = ["ShardFile", "read_label", "write_shard"]

_FORMAT: Final = "icmass catalog shard"
# Not LZF: what it writes depends on what it compressed before, and catalogs must not.
_MAP_OPTIONS: Final = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def write_shard(path: Path, spec: CatalogSpec, data: ShardData) -> int:
    """Write a shard, which appears complete or not at all, and return its number of rows.

    Parameters
    ----------
    path : Path
        File to write; its name is kept in it.
    spec : CatalogSpec
        Of the catalog.
    data : ShardData
        What the shard holds.

    Raises
    ------
    InputError
        If the data do not fit the spec.
    """
    data.check(spec)
    rows = data.rows(spec)
    if len(rows) != len(data.images):
        raise InputError(
            f"images: must be as many as rows; got {len(data.images)} images, {len(rows)} rows."
        )
    with atomic_write(path, overwrite=True) as stage, h5py.File(stage, "w") as file:
        file.attrs["format"] = _FORMAT
        file.attrs["catalog"] = spec.identifier
        file.attrs["name"] = path.name
        file.attrs["failures"] = json.dumps([failure.__dict__ for failure in data.failures])
        units = json.dumps({c.name: c.unit for c in spec.columns})
        _write(file, "rows", rows).attrs["units"] = units
        for place, origin in enumerate(spec.origins):
            group = file.create_group(f"images/{origin}")
            for name, stream in encode(data.images[:, place]).__dict__.items():
                _write(group, name, stream)
        _write_maps(file, spec, data)
        for name in RAGGED:
            lists: Ragged | None = getattr(data, name)
            if lists is not None:
                _write(file, f"{name}/rows", lists.rows)
                _write(file, f"{name}/start", lists.start)
    return len(rows)


def _write(group: h5py.Group, name: str, data: NDArray[Any], **options: Any) -> h5py.Dataset:
    """Write an array into the file at once, and not when Python lets go of it.

    That moment is not ours: a profiler that looks at the stack of a worker delays it, and the parts
    of the file then lie in another order.
    """
    dataset = group.create_dataset(name, data=data, **options)
    dataset.flush()
    return dataset


def _write_maps(file: h5py.File, spec: CatalogSpec, data: ShardData) -> None:
    """Write the maps of floats, one chunk per cluster (and origin)."""
    if not len(data.images):
        return
    if data.expectations is not None:
        maps = data.expectations.astype(spec.expectations)
        chunks = (1, 1, *maps.shape[2:])
        _write(file, "expectations", maps, chunks=chunks, **_MAP_OPTIONS)
    if data.exposure_maps is not None:
        maps = data.exposure_maps.astype(np.float32)
        _write(file, "exposure_maps", maps, chunks=(1, *maps.shape[1:]), **_MAP_OPTIONS)


def read_label(path: Path) -> tuple[str, str, int] | None:
    """Return (catalog identifier, name, number of rows) of the shard at `path`, or None."""
    try:
        with h5py.File(path, "r") as file:
            if file.attrs["format"] != _FORMAT:
                return None
            return str(file.attrs["catalog"]), str(file.attrs["name"]), len(file["rows"])
    except (OSError, KeyError, RuntimeError, TypeError):
        return None


@dataclass(frozen=True)
class _Stream:
    """Where an array lies in the file."""

    offset: int
    dtype: np.dtype[Any]
    length: int

    def of(self, raw: NDArray[np.uint8]) -> NDArray[Any]:
        return np.frombuffer(raw, self.dtype, self.length, self.offset) if self.length else _EMPTY


_EMPTY: Final = np.zeros(0, np.uint8)


@dataclass(frozen=True)
class _Layout:
    """Where the images of one origin lie: streams of places and counts, and their beginnings."""

    pixel: _Stream
    count: _Stream
    pixel_start: list[int]
    count_start: list[int]


class ShardFile:
    """Reads one shard.

    Parameters
    ----------
    path : Path
        The file.
    spec : CatalogSpec
        Of its catalog.
    mapped : callable
        Gives the bytes of the file, mapped into memory.
    """

    def __init__(
        self, path: Path, spec: CatalogSpec, mapped: Callable[[Path], NDArray[np.uint8]]
    ) -> None:
        self._path = path
        self._spec = spec
        self._mapped = mapped

    def rows(self) -> NDArray[np.void]:
        """Return all columns as one structured array, shape (n,).

        Raises
        ------
        InputError
            If the file is missing or damaged, or its columns are not those of the spec.
        """
        with self._open() as file:
            rows = read_array(file["rows"])
        if rows.dtype != self._spec.row_dtype:
            raise self._damaged("its columns are not those of the manifest")
        return rows

    def failures(self) -> list[Failure]:
        """Return the clusters that could not be made."""
        with self._open() as file:
            return [Failure(**one) for one in json.loads(file.attrs["failures"])]

    def add_counts(
        self, origin: int, rows: list[int], places: Iterable[int], target: NDArray[Any]
    ) -> None:
        """Add the counts of one origin to flat images.

        Parameters
        ----------
        origin : int
            Place of the origin in the spec.
        rows : list of int
            Rows of this shard.
        places : iterable of int
            Where each row stands in `target`.
        target : ndarray, shape (n, n_band * n_y * n_x)
            Images to add to.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        layout = self._layouts[origin]
        pixel_start, count_start = layout.pixel_start, layout.count_start
        try:
            raw = self._mapped(self._path)
            pixel, count = layout.pixel.of(raw), layout.count.of(raw)
            for place, row in zip(places, rows, strict=True):
                add_block(
                    target[place],
                    pixel[pixel_start[row] : pixel_start[row + 1]],
                    count[count_start[row] : count_start[row + 1]],
                )
        except (OSError, IndexError, ValueError) as error:
            raise self._damaged(f"its images cannot be read: {error}") from error

    def maps(self, name: str, rows: Iterable[int]) -> Iterator[NDArray[Any]]:
        """Yield maps of `rows`, one by one.

        `name` is expectations, shape (n_origin, n_band, n_y, n_x), or exposure_maps, (n_y, n_x), s.
        """
        with self._open() as file:
            dataset = file[name]
            for row in rows:
                yield dataset[row]

    def ragged(self, name: str) -> Ragged:
        """Return the lists of all rows; `name` is galaxies or regions."""
        with self._open() as file:
            group = file[name]
            return Ragged(read_array(group["rows"]), read_array(group["start"]))

    def ragged_rows(self, name: str, row: int) -> NDArray[np.void]:
        """Return the list of one `row`, structured, shape (m,); `name` is galaxies or regions."""
        with self._open() as file:
            start, stop = file[f"{name}/start"][row : row + 2]
            return file[f"{name}/rows"][start:stop]

    @cached_property
    def _layouts(self) -> list[_Layout]:
        with self._open() as file:
            return [self._layout(file[f"images/{origin}"]) for origin in self._spec.origins]

    def _layout(self, group: h5py.Group) -> _Layout:
        pixel, count = (self._stream(group[name]) for name in ("pixel", "count"))
        starts = (read_array(group[f"{name}_start"]).tolist() for name in ("pixel", "count"))
        return _Layout(pixel, count, *starts)

    def _stream(self, dataset: h5py.Dataset) -> _Stream:
        offset = dataset.id.get_offset() if len(dataset) else 0
        if offset is None:
            raise self._damaged("its images are not stored in one piece")
        return _Stream(offset, dataset.dtype, len(dataset))

    @contextmanager
    def _open(self) -> Iterator[h5py.File]:
        try:
            with h5py.File(self._path, "r") as file:
                yield file
        except InputError:
            raise
        except FileNotFoundError:
            raise self._damaged("it is missing") from None
        except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
            raise self._damaged(f"it cannot be read: {error}") from error

    def _damaged(self, why: str) -> InputError:
        directory = self._path.parents[1]
        return InputError(
            f"{directory}: shard '{self._path.name}' is damaged: {why}. "
            f"Drop it: icmass info {directory} --repair; then make it again."
        )
