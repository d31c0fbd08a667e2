"""The manifest: which shards a catalog is made of, and how a catalog of an older schema is read.

Migration rule: a new optional column leaves the schema version as it is. Whatever changes the
meaning or layout of what is stored raises it by one, and brings a function in `_MIGRATIONS` that
turns the manifest of the version before into that of the next when it is read; shards stay as they
are. A catalog of a newer version is refused.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from icmass import __version__
from icmass.catalog.spec import CatalogSpec
from icmass.digests import require_sealed, sealed
from icmass.errors import InputError
from icmass.files import MANIFEST, write_text

__all__ = ["SCHEMA_VERSION", "SHARDS", "Manifest", "ShardRecord"]

SCHEMA_VERSION: Final = 1
SHARDS: Final = "shards"
_FORMAT: Final = "icmass catalog"
# From a version to the function that makes the manifest of the next out of its manifest.
_MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


@dataclass(frozen=True, order=True)
class ShardRecord:
    """What the manifest knows of a shard: its file, its rows, and what its bytes must be."""

    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Spec and shards of a catalog; shards are in the order of their names."""

    spec: CatalogSpec
    shards: tuple[ShardRecord, ...] = ()

    def with_shards(self, records: Iterable[ShardRecord]) -> "Manifest":
        """Return a manifest that lists `records` as well, in place of those of equal name."""
        by_name = {record.name: record for record in (*self.shards, *records)}
        return replace(self, shards=tuple(sorted(by_name.values())))

    def without_shards(self, names: Iterable[str]) -> "Manifest":
        """Return a manifest without the shards of these `names`."""
        dropped = set(names)
        return replace(self, shards=tuple(s for s in self.shards if s.name not in dropped))

    def save(self, directory: Path) -> None:
        """Put the manifest into `directory`; the one before stays until then."""
        values = {
            "format": _FORMAT,
            "schema_version": SCHEMA_VERSION,
            "written_by": f"icmass {__version__}",
            **self.spec.to_dict(),
            "shards": [asdict(record) for record in self.shards],
        }
        text = json.dumps(sealed(values), indent=1, allow_nan=False) + "\n"
        write_text(directory / MANIFEST, text, overwrite=True)

    @classmethod
    def load(cls, directory: Path) -> "Manifest":
        """Read the manifest of the catalog in `directory`.

        Raises
        ------
        InputError
            If there is none, it is damaged, or it is of a newer schema.
        """
        read = _read(directory)
        values = _migrated(directory, read)
        path = directory / MANIFEST
        try:
            shards = tuple(ShardRecord(**record) for record in values["shards"])
            _require_names(shards)
            spec = CatalogSpec.from_dict(values)
        except InputError as error:
            raise InputError(f"{path}: does not fit the schema: {error}") from error
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(
                f"{path}: must be the manifest of a catalog; it is damaged "
                f"({type(error).__name__}: {error}). Restore it from a copy."
            ) from error
        require_sealed(path, read, "Restore it from a copy.")
        return cls(spec, shards)


def _require_names(shards: Iterable[ShardRecord]) -> None:
    """Raise ValueError if the name of a shard leads out of the folder of the shards."""
    for record in shards:
        name = record.name
        if Path(name).name != name or name in ("", "..") or "\0" in name:
            raise ValueError(f"a shard is named {name!r}")


def _read(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    advice = "Give the directory that icmass simulate wrote."
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{directory}: must be a catalog; it holds no {MANIFEST}. {advice}"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}. {advice}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: must be JSON; {error}. Restore it from a copy.") from error
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise InputError(
            f"{directory}: must be a catalog; its {MANIFEST} is of another kind. {advice}"
        )
    return values


def _migrated(directory: Path, values: dict[str, Any]) -> dict[str, Any]:
    version = values.get("schema_version")
    if not isinstance(version, int):
        raise InputError(f"{directory}: schema_version must be a whole number; got {version!r}.")
    if version > SCHEMA_VERSION:
        raise InputError(
            f"{directory}: must have schema version {SCHEMA_VERSION} or older; got {version}. "
            "Install a newer icmass."
        )
    while version < SCHEMA_VERSION:
        if version not in _MIGRATIONS:
            raise InputError(
                f"{directory}: schema version {version} cannot be read any more; make it again."
            )
        values = _MIGRATIONS[version](values)
        version += 1
    return values
