"""Catalogs as a telescope gives them: origins of photons are not told apart."""

from dataclasses import replace
from pathlib import Path

from icmass.catalog import Catalog, ShardData

__all__ = ["joined"]


def joined(catalog: Catalog, path: Path, origin: str = "all") -> Catalog:
    """Write a copy of a catalog whose photons have one origin, without maps and galaxies."""
    optional = tuple(name for name in catalog.spec.optional_columns if "agn" not in name)
    spec = replace(
        catalog.spec,
        origins=(origin,),
        optional_columns=optional,
        expectations=None,
        galaxies=False,
    )
    made = Catalog.create(path, spec)
    columns = {column.name: catalog.column(column.name) for column in spec.columns}
    images = catalog.images().astype("uint16")[:, None]
    made.append(ShardData(columns=columns, images=images))
    return made
