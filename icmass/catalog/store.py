"""The directory of a catalog: its manifest, its shards, and what has been read of them.

Several views of one catalog share a store. Files are mapped into memory when first needed and the
mappings used last are kept, so that the number of open files stays bounded.
"""

import math
import mmap
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.catalog.lock import LOCK, DirectoryLock
from icmass.catalog.manifest import SHARDS, Manifest, ShardRecord
from icmass.catalog.shard_data import RAGGED, Ragged, ShardData
from icmass.catalog.shard_file import ShardFile, read_label, write_shard
from icmass.errors import InputError, OutputError
from icmass.files import MANIFEST, PARTIAL, check_output, checksum, clear_partial

__all__ = ["Store", "resolved", "shard_name", "shard_problem"]

_MAPPED_FILES: Final = 400  # below the usual limit of 1,024 open files


class Store:
    """What views of a catalog share.

    Parameters
    ----------
    directory : Path
        Of the catalog, absolute.
    manifest : Manifest
        As it stands there.
    """

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.directory = directory
        self.lock = DirectoryLock(directory)
        self._mapped = lru_cache(maxsize=_MAPPED_FILES)(_map_file)
        self._use(manifest)

    @classmethod
    def create(cls, path: Path, manifest: Manifest) -> "Store":
        """Create a directory at `path`, new or empty, that holds `manifest`.

        Raises
        ------
        OutputError
            If the place is taken or cannot be written.
        """
        if _is_free(path):
            directory = path.resolve()
        else:
            directory = check_output(path, overwrite=None)
            directory.mkdir()
        store = cls(directory, manifest)
        with store.lock:
            if (directory / MANIFEST).exists():
                raise OutputError(f"{path}: already exists. Choose another name.")
            (directory / SHARDS).mkdir(exist_ok=True)
            manifest.save(directory)
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Read the manifest in the directory `path` and see that the shards are there.

        Raises
        ------
        InputError
            If there is no sound manifest, or a shard is missing or of another size than it says.
        """
        directory = resolved(path)
        manifest = Manifest.load(directory)
        for record in manifest.shards:
            problem = shard_problem(directory, record)
            if problem is not None:
                raise InputError(
                    f"{path}: shard '{record.name}' {problem}. "
                    f"Drop it: icmass info {path} --repair; then make it again."
                )
        return cls(directory, manifest)

    def _use(self, manifest: Manifest) -> None:
        """Take a manifest, and forget what was read under the one before."""
        self.manifest = manifest
        self.files = [
            ShardFile(self.directory / SHARDS / record.name, manifest.spec, self._mapped)
            for record in manifest.shards
        ]
        self._starts = np.cumsum([0, *(record.rows for record in manifest.shards)])
        self._mapped.cache_clear()
        self.__dict__.pop("rows", None)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @cached_property
    def rows(self) -> NDArray[np.void]:
        """All columns of all rows, structured, shape (n,)."""
        empty = np.zeros(0, self.manifest.spec.row_dtype)
        return np.concatenate([empty, *(file.rows() for file in self.files)])

    def by_shard(
        self, rows: NDArray[np.int64]
    ) -> Iterator[tuple[int, NDArray[np.int64], list[int]]]:
        """Yield, per shard that holds some of `rows`, shape (n,): where these are.

        Yields
        ------
        shard : int
            Number of the shard.
        places : ndarray of int, shape (m,)
            Places of its rows in `rows`.
        local : list of int
            Numbers of these rows in the shard.
        """
        shards = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(shards, kind="stable")
        present, first = np.unique(shards[order], return_index=True)
        for shard, places in zip(present.tolist(), np.split(order, first[1:]), strict=False):
            yield shard, places, (rows[places] - self._starts[shard]).tolist()

    def shard_data(self, rows: NDArray[np.int64] | None) -> Iterator[ShardData]:
        """Yield chosen `rows`, shape (n,), or all for None, as data to append elsewhere."""
        if rows is None:
            for shard, record in enumerate(self.manifest.shards):
                yield self._data_of(shard, list(range(record.rows)))
            return
        for shard, _, local in self.by_shard(rows):
            yield self._data_of(shard, local)

    def _data_of(self, shard: int, local: list[int]) -> ShardData:
        spec, file, n = self.manifest.spec, self.files[shard], len(local)
        rows = file.rows()[local]
        flat = np.zeros((len(spec.origins), n, math.prod(spec.image_shape[1:])), np.uint32)
        for origin, target in enumerate(flat):
            file.add_counts(origin, local, range(n), target)
        images = flat.reshape(len(spec.origins), n, *spec.image_shape[1:]).swapaxes(0, 1)
        parts: dict[str, Any] = {}
        shapes = {"expectations": spec.image_shape, "exposure_maps": spec.image_shape[2:]}
        for name, shape in shapes.items():
            if getattr(spec, name):
                parts[name] = np.array(list(file.maps(name, local)) if n else [], np.float32)
                parts[name] = parts[name].reshape(n, *shape)
        for name in RAGGED:
            if getattr(spec, name):
                lists = file.ragged(name)
                parts[name] = Ragged.join([lists[row] for row in local], name)
        columns = {name: rows[name] for name in rows.dtype.names or ()}
        return ShardData(columns, images, failures=tuple(file.failures()), **parts)

    # Writing

    def next_index(self) -> int:
        """Return the number of the shard after the last one that the manifest on the disk lists."""
        shards = Manifest.load(self.directory).shards
        return 1 + max((_index(record.name) for record in shards), default=-1)

    def write_shard(self, index: int, data: ShardData) -> ShardRecord:
        """Write `data` as shard number `index`; return what the manifest has to know of it."""
        path = self.directory / SHARDS / shard_name(index)
        rows = write_shard(path, self.manifest.spec, data)
        return ShardRecord(path.name, rows, path.stat().st_size, checksum(path))

    def register(self, records: Iterable[ShardRecord]) -> None:
        """List `records` of shards in the manifest, as it stands on the disk by now."""
        manifest = Manifest.load(self.directory).with_shards(records)
        manifest.save(self.directory)
        self._use(manifest)

    def adopt(self) -> list[str]:
        """List complete shards that are not listed; clear away what killed writers left."""
        folder = self.directory / SHARDS
        clear_partial(folder, self.directory)
        listed = {record.name for record in self.manifest.shards}
        records = []
        for path in sorted(folder.glob("shard-*.h5")):
            label = read_label(path) if path.name not in listed else None
            if label is not None and label[:2] == (self.manifest.spec.identifier, path.name):
                size, digest = path.stat().st_size, checksum(path)
                records.append(ShardRecord(path.name, label[2], size, digest))
        self.register(records)
        return [record.name for record in records]


def resolved(path: Path) -> Path:
    """Return the absolute `path` of a catalog.

    Raises
    ------
    InputError
        If there can be none, as where links lead in a circle.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{str(path)!r}: cannot be the place of a catalog; {error}. Give the directory that "
            "icmass simulate wrote."
        ) from error


def _is_free(path: Path) -> bool:
    """Tell whether a directory holds at most what a run leaves that is killed as it creates it."""
    return path.is_dir() and all(
        entry.name == LOCK
        or entry.match(PARTIAL)
        or (entry.name == SHARDS and entry.is_dir() and not any(entry.iterdir()))
        for entry in path.iterdir()
    )


def shard_name(index: int) -> str:
    """Return the file name of the shard of number `index`; names sort as numbers do."""
    return f"shard-{index:06d}.h5"


def shard_problem(directory: Path, record: ShardRecord) -> str | None:
    """Say what is wrong with the shard of a `record`, as far as a look at `directory` tells."""
    try:
        size = (directory / SHARDS / record.name).stat().st_size
    except OSError:
        return "is missing"
    if size != record.size:
        return f"is damaged or foreign: it must have {record.size} bytes, and has {size}"
    return None


def _index(name: str) -> int:
    return int(name.removeprefix("shard-").removesuffix(".h5"))


def _map_file(path: Path) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
