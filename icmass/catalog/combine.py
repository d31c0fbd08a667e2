"""Several catalogs made into one: copied into a new one, or seen as one where they are."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.catalog.catalog import Catalog
from icmass.catalog.columns import KEY
from icmass.catalog.joined import JoinedStore
from icmass.catalog.manifest import ShardRecord
from icmass.catalog.shard_data import ShardData, row_keys
from icmass.catalog.spec import CatalogSpec
from icmass.errors import InputError

__all__ = ["concatenate", "join"]


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
    spec = _common_spec("concatenate", "concatenated", catalogs)
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


def join(catalogs: Sequence[Catalog]) -> Catalog:
    """Return a view of the rows of `catalogs`, which are of equal kind; see `Catalog.join`."""
    spec = _common_spec("join", "joined", catalogs)
    if len(catalogs) == 1:
        return catalogs[0]
    store = JoinedStore([catalog._store for catalog in catalogs], spec)
    rows = None
    if any(catalog._rows is not None for catalog in catalogs):
        starts = np.cumsum([0, *(len(catalog._store) for catalog in catalogs)])
        rows = np.concatenate(
            [start + c._global(None) for start, c in zip(starts[:-1], catalogs, strict=True)]
        )
    result = Catalog(store, rows)
    _require_different(catalogs, row_keys(result.rows()))
    return result


def _common_spec(what: str, word: str, catalogs: Sequence[Catalog]) -> CatalogSpec:
    """Return the spec of catalogs that hold the same things, whose provenance is that of all."""
    if not catalogs:
        raise InputError(f"{what}: must be given at least one catalog; got none.")
    for other in catalogs[1:]:
        _require_alike(catalogs[0], other)
    origin = [
        {"fingerprint": catalog.fingerprint(), **catalog.spec.provenance} for catalog in catalogs
    ]
    return replace(catalogs[0].spec, provenance={word: origin})


def _require_different(catalogs: Sequence[Catalog], keys: NDArray[np.void]) -> None:
    """See that no two catalogs share a key; `keys` are those of all, one after the other."""
    part = np.repeat(np.arange(len(catalogs)), [len(catalog) for catalog in catalogs])
    known, number = np.unique(keys, return_inverse=True)
    first = np.full(len(known), len(catalogs))
    last = np.full(len(known), -1)
    np.minimum.at(first, number, part)
    np.maximum.at(last, number, part)
    shared = first < last
    if not shared.any():
        return
    place = int(np.argmax(shared))
    one, other = catalogs[first[place]].path, catalogs[last[place]].path
    both = int(np.sum((first == first[place]) & (last == last[place])))
    named = ", ".join(f"{name} {known[name][place]}" for name in KEY)
    raise InputError(
        f"{other}: must not share clusters with {one}; {both} have the same numbers, such as "
        f"{named}. Simulate one with another seed (of snapshots: another sample_id); if their "
        "haloes differ in spite of the numbers, Catalog.concatenate renumbers them."
    )


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
