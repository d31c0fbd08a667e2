"""Several catalogs made into one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from icmass.catalog.catalog import Catalog
from icmass.catalog.manifest import ShardRecord
from icmass.catalog.shard_data import ShardData, row_keys
from icmass.errors import InputError

__all__ = ["concatenate"]


def concatenate(catalogs: Sequence[Catalog], path: str | Path) -> Catalog:
    """Write the rows of catalogs of equal kind into a new one.

    Parameters
    ----------
    catalogs : sequence of Catalog
        At least one; selections give their rows only.
    path : str or Path
        The new catalog.

    Raises
    ------
    InputError
        If there are none, or they differ in what they hold.
    """
    if not catalogs:
        raise InputError("concatenate: must be given at least one catalog; got none.")
    for other in catalogs[1:]:
        _require_alike(catalogs[0], other)
    origin = [
        {"fingerprint": catalog.fingerprint(), **catalog.spec.provenance} for catalog in catalogs
    ]
    spec = replace(catalogs[0].spec, provenance={"concatenated": origin})
    result = Catalog.create(path, spec)
    with result.lock():
        records: list[ShardRecord] = []
        for shift, catalog in zip(_shifts(catalogs), catalogs, strict=True):
            for data in catalog.shard_data():
                shifted = _shifted(data, shift)
                records.append(result.write_shard(len(records), shifted))
        if records:
            result.register(*records)
    return result


def _require_alike(first: Catalog, other: Catalog) -> None:
    """See that two catalogs hold the same things."""
    one, two = first.spec.to_dict(), other.spec.to_dict()
    for name in one:
        if name != "provenance" and one[name] != two[name]:
            raise InputError(
                f"{other.path}: must have the same {name} as {first.path}; "
                f"{_difference(one[name], two[name])}. Simulate them with one configuration."
            )


def _difference(one: Any, two: Any) -> str:
    if isinstance(one, list) and isinstance(two, list):
        changed = [
            str(item["name"] if isinstance(item, dict) else item)
            for item in (*one, *two)
            if item not in one or item not in two
        ]
        if changed:
            return f"they differ in {', '.join(dict.fromkeys(changed))}"
    return f"got {two} and {one}"


def _shifts(catalogs: Sequence[Catalog]) -> list[int]:
    """Return what to add to the sample numbers of each catalog so that no key stands twice."""
    everything = np.concatenate([row_keys(catalog.rows()) for catalog in catalogs])
    if len(np.unique(everything)) == len(everything):
        return [0] * len(catalogs)
    shifts, free = [], 0
    for catalog in catalogs:
        shifts.append(free)
        free += 1 + int(catalog.column("sample_id").max(initial=-1))
    return shifts


def _shifted(data: ShardData, shift: int) -> ShardData:
    columns = {**data.columns, "sample_id": data.columns["sample_id"] + shift}
    failures = tuple(replace(f, sample_id=f.sample_id + shift) for f in data.failures)
    return replace(data, columns=columns, failures=failures)
