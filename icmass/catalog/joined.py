"""Several catalogs read as if they were one: their shards one after the other, nothing copied.

It has no directory of its own, so nothing is written into it.
"""

from collections.abc import Sequence
from pathlib import Path

from icmass.catalog.manifest import SHARDS, Manifest
from icmass.catalog.shard_file import ShardFile
from icmass.catalog.spec import CatalogSpec
from icmass.catalog.store import Store

__all__ = ["JoinedStore"]


class JoinedStore(Store):
    """What views of several catalogs share.

    Parameters
    ----------
    parts : sequence of Store
        Of the catalogs, which hold the same things; those that are joined are taken apart.
    spec : CatalogSpec
        Of all of them, with a provenance of its own.

    Attributes
    ----------
    directories : tuple of Path
        Of the catalogs.
    directory : Path
        Names them in messages; it does not exist.
    """

    def __init__(self, parts: Sequence[Store], spec: CatalogSpec) -> None:
        plain = [
            one
            for part in parts
            for one in (part.parts if isinstance(part, JoinedStore) else (part,))
        ]
        self.parts: tuple[Store, ...] = tuple(plain)
        self.directories = tuple(part.directory for part in plain)
        shards = tuple(record for part in plain for record in part.manifest.shards)
        super().__init__(_named(self.directories), Manifest(spec, shards))

    def _use(self, manifest: Manifest) -> None:
        super()._use(manifest)
        self.files = [  # with one bound on the files that are mapped
            ShardFile(part.directory / SHARDS / record.name, manifest.spec, self._mapped)
            for part in self.parts
            for record in part.manifest.shards
        ]


def _named(directories: Sequence[Path]) -> Path:
    first, *others = directories
    return Path(f"{first} and {others[0] if len(others) == 1 else f'{len(others)} more'}")
