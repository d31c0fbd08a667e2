"""Begin a catalog, or go on with one if it is sound and that of the same configuration.

All shards that are there are compared with their checksums: reading them takes seconds, making a
catalog on top of damaged ones hours.
"""

import json
from pathlib import Path
from typing import Any

from icmass.catalog import Catalog, CatalogSpec, Problem
from icmass.catalog.manifest import Manifest
from icmass.errors import InputError
from icmass.files import MANIFEST

__all__ = ["first_difference", "open_or_create"]

_SHORT = 60


def open_or_create(
    directory: Path, spec: CatalogSpec, *, repair: bool
) -> tuple[Catalog, list[Problem]]:
    """Open the catalog of a directory, or create it.

    Parameters
    ----------
    directory : Path
        New, empty, or a catalog.
    spec : CatalogSpec
        What it must hold.
    repair : bool
        Whether to drop shards that are damaged, missing or foreign.

    Returns
    -------
    Catalog
    list of Problem
        What was dropped.

    Raises
    ------
    InputError
        If it is the catalog of another configuration, or has shards that cannot be used.
    OutputError
        If the directory holds something else, or another run writes into it.
    """
    if not (directory / MANIFEST).exists():
        return Catalog.create(directory, spec), []
    manifest = Manifest.load(directory)
    difference = first_difference(manifest.spec, spec)
    if difference is not None:
        key, there, here = difference
        raise InputError(
            f"{directory}: holds a catalog of another configuration: {key} is {there} there and "
            f"{here} now. Go on with the same one, or choose another directory."
        )
    problems = Catalog.repair(directory, drop=repair)
    if problems and not repair:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(
            f"{directory}: {problems[0]}{others}. Give --repair to drop it and make it again."
        )
    return Catalog.open(directory), problems


def first_difference(there: CatalogSpec, here: CatalogSpec) -> tuple[str, str, str] | None:
    """Return the first key in which the specs `there` and `here` differ, and both values; or None.

    Keys of the configuration come first, for the others follow from them.
    """
    if there.identifier == here.identifier:
        return None
    left, right = (json.loads(json.dumps(spec.to_dict())) for spec in (there, here))
    old, new = left.pop("provenance"), right.pop("provenance")
    pairs = [(old.pop("config", {}), new.pop("config", {})), (old, new), (left, right)]
    for before, after in pairs:
        found = _difference(before, after, "")
        if found is not None:
            return found
    return None


def _difference(there: Any, here: Any, name: str) -> tuple[str, str, str] | None:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted({*there, *here}, key=[*there, *here].index):
            inner = f"{name}.{key}" if name else key
            found = _difference(there.get(key), here.get(key), inner)
            if found is not None:
                return found
        return None
    return None if there == here else (name, _shown(there), _shown(here))


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."
