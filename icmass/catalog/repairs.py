"""Whether a catalog is sound, and how to go on when it is not.

A shard is damaged when its bytes are not those that the manifest promises, missing when it is not
there, and foreign when it is a sound shard of another catalog.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from icmass.catalog.manifest import SHARDS, Manifest, ShardRecord
from icmass.catalog.shard_data import check_rows
from icmass.catalog.shard_file import read_label
from icmass.catalog.store import Store, resolved
from icmass.errors import InputError
from icmass.files import checksum

if TYPE_CHECKING:
    from icmass.catalog.catalog import Catalog

__all__ = ["Problem", "find_problems", "repair", "require_sound", "unlisted", "validate"]

_STEP: Final = 256  # images read at once


@dataclass(frozen=True)
class Problem:
    """A shard that cannot be used, and why."""

    shard: str
    kind: Literal["missing", "damaged", "foreign"]

    def __str__(self) -> str:
        return f"shard '{self.shard}' is {self.kind}"


def find_problems(path: Path) -> list[Problem]:
    """Compare every shard of the catalog at `path` with its checksum in the manifest."""
    manifest = Manifest.load(path)
    identifier = manifest.spec.identifier
    kinds = {r.name: _kind(path / SHARDS / r.name, r, identifier) for r in manifest.shards}
    return [Problem(name, kind) for name, kind in kinds.items() if kind is not None]


def _kind(
    path: Path, record: ShardRecord, identifier: str
) -> Literal["missing", "damaged", "foreign"] | None:
    if not path.is_file():
        return "missing"
    if path.stat().st_size == record.size and checksum(path) == record.sha256:
        return None
    label = read_label(path)
    own = label is None or label[:2] == (identifier, record.name)
    return "damaged" if own else "foreign"


def repair(path: Path, *, drop: bool) -> list[Problem]:
    """Drop the shards that have problems, and take up complete ones that are not listed.

    Parameters
    ----------
    path : Path
        A catalog.
    drop : bool
        Whether to change anything. A dropped file is kept under its name with ``.dropped``.

    Returns
    -------
    list of Problem
        What was found before.
    """
    if not drop:
        return find_problems(path)
    store = Store(resolved(path), Manifest.load(path))
    with store.lock:
        problems = find_problems(path)
        for problem in problems:
            file = path / SHARDS / problem.shard
            if file.exists():
                file.rename(file.with_name(file.name + ".dropped"))
        Manifest.load(path).without_shards(p.shard for p in problems).save(path)
        store.adopt()
    return problems


def require_sound(path: Path) -> None:
    """Compare every shard of the catalog at `path` with its checksum.

    Raises
    ------
    InputError
        Naming the first that cannot be used.
    """
    problems = find_problems(path)
    if problems:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(
            f"{path}: {problems[0]}{others}. "
            f"Drop it: icmass info {path} --repair; then make it again."
        )


def validate(catalog: "Catalog") -> None:
    """Read everything in `catalog` and check it.

    Raises
    ------
    InputError
        Naming the first problem.
    """
    path = catalog.path
    require_sound(path)
    try:
        check_rows(catalog.rows(), catalog.columns)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    _check_images(catalog)
    for name in catalog.prediction_names():
        catalog.predictions(name)


def unlisted(path: Path) -> list[str]:
    """Return the names of files beside the shards of the catalog at `path` that are none of it."""
    listed = {record.name for record in Manifest.load(path).shards}
    return sorted(file.name for file in (path / SHARDS).glob("[!.]*.h5") if file.name not in listed)


def _check_images(catalog: "Catalog") -> None:
    """Compare the sums of images with the columns that count their photons."""
    origins = catalog.spec.origins
    source = [name for name in origins if name in ("icm", "agn")] or list(origins)
    counted = {band: catalog.column(f"n_phot_{band}") for band in catalog.spec.band_names}
    for first in range(0, len(catalog), _STEP):
        rows = np.arange(first, min(first + _STEP, len(catalog)))
        found = catalog.images(rows, origins=source).sum(axis=(2, 3), dtype=np.int64)
        for place, (band, column) in enumerate(counted.items()):
            wrong = np.flatnonzero(found[:, place] != column[rows])
            if len(wrong):
                row = int(rows[wrong[0]])
                raise InputError(
                    f"{catalog.path}: row {row}: n_phot_{band} must be the sum of its image, "
                    f"{found[wrong[0], place]}; got {column[row]}. Make the catalog again."
                )
