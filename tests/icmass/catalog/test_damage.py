"""Damaged, missing and foreign shards are told by name and dropped; the rest stays usable."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.errors import InputError
from tests.helpers.catalogs import SPEC, shard_data


def shard(catalog, number):
    return catalog.path / "shards" / f"shard-{number:06d}.h5"


def truncate(catalog):
    path = shard(catalog, 1)
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(catalog):
    path = shard(catalog, 1)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)


def remove(catalog):
    shard(catalog, 1).unlink()


def swap_with_another_catalog(catalog):
    """The stranger is sound and was made from another configuration."""
    other = replace(SPEC, provenance={"seed": 4})
    stranger = Catalog.create(catalog.path.with_name("stranger"), other)
    stranger.append(shard_data())
    shutil.copy(shard(stranger, 0), shard(catalog, 1))


def put_another_shard_in_its_place(catalog):
    shutil.copy(shard(catalog, 2), shard(catalog, 1))


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (truncate, "damaged"),
        (flip_a_bit, "damaged"),
        (remove, "missing"),
        (swap_with_another_catalog, "foreign"),
        (put_another_shard_in_its_place, "foreign"),
    ],
)
def test_told_and_dropped(catalog, damage, kind):
    catalog.write_predictions("net", np.arange(15.0), np.ones(15))
    damage(catalog)
    with pytest.raises(InputError, match=r"shard 'shard-000001.h5' is .*--repair"):
        Catalog.open(catalog.path).validate()
    (problem,) = Catalog.repair(catalog.path, drop=False)
    assert str(problem) == f"shard 'shard-000001.h5' is {kind}"
    assert Catalog.repair(catalog.path) == [problem]

    rest = Catalog.open(catalog.path)
    rest.validate()
    assert [record.name for record in rest.shards] == ["shard-000000.h5", "shard-000002.h5"]
    assert rest.predictions("net").mean.tolist() == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    assert Catalog.repair(catalog.path) == []
    dropped = shard(catalog, 1).with_name("shard-000001.h5.dropped")
    assert dropped.exists() == (kind != "missing")

    rest.register(rest.write_shard(1, shard_data(first=100)))
    assert Catalog.open(catalog.path).column("halo_id").tolist() == [
        first + k for first in (0, 100, 200) for k in (0, 0, 1, 1, 2)
    ]


def test_a_sound_catalog_has_no_problems(catalog):
    catalog.validate()
    before = (catalog.path / "manifest.json").read_bytes()
    assert Catalog.repair(catalog.path) == []
    assert (catalog.path / "manifest.json").read_bytes() == before


def test_damage_met_while_reading(catalog):
    """The size is right, so opening does not notice; reading does."""
    path = shard(catalog, 1)
    path.write_bytes(b"\0" * path.stat().st_size)
    opened = Catalog.open(catalog.path)
    assert opened.images([0, 14]).shape == (2, 3, 12, 10)  # the other shards are fine
    for read in (
        lambda: opened.images([7]),
        lambda: opened.column("redshift"),
        lambda: opened.galaxies(7),
        lambda: opened.expectations([7]),
    ):
        with pytest.raises(InputError, match=r"'shard-000001.h5' is damaged: it cannot be read"):
            read()


def test_places_outside_of_the_image_are_damage(catalog):
    import h5py

    path = shard(catalog, 1)
    with h5py.File(path, "r+") as file:
        file["images/agn/pixel"][:] = 60_000
    opened = Catalog.open(catalog.path)
    with pytest.raises(InputError, match="is damaged: its images cannot be read"):
        opened.images([5, 6, 7])


def test_shard_that_vanishes_after_opening(catalog):
    shard(catalog, 1).unlink()
    with pytest.raises(InputError, match=r"'shard-000001\.h5' is damaged: it is missing"):
        catalog.images([7])


def test_columns_of_another_schema_in_a_shard(catalog):
    import h5py

    path = shard(catalog, 1)
    with h5py.File(path, "r+") as file:
        rows = file["rows"][()]
        del file["rows"]
        file["rows"] = rows[["halo_id", "redshift"]]
    manifest = catalog.path / "manifest.json"
    size = next(record.size for record in catalog.shards if record.name == path.name)
    text = manifest.read_text().replace(f'"size": {size}', f'"size": {path.stat().st_size}')
    manifest.write_text(text)
    with pytest.raises(InputError, match="its columns are not those of the manifest"):
        Catalog.open(catalog.path).column("redshift")
