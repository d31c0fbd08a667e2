"""Predictions, catalogs made of catalogs, files for other programs, and the page of the schema."""

import importlib.util
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.table import QTable

from icmass.catalog import COLUMNS, Catalog, CatalogSpec, Failure, expand
from icmass.catalog.describe import schema_page
from icmass.errors import InputError, MissingDependencyError
from tests.helpers.catalogs import SPEC, shard_data

PAGE = Path(__file__).resolve().parents[3] / "docs" / "catalog-schema.md"


def test_predictions_find_their_clusters(catalog):
    chosen = [12, 3, 7]
    catalog.select(chosen).write_predictions(
        "resnet.v2",
        mean=[32.0, 33.0, np.nan],
        std=[0.1, 0.2, np.nan],
        quantiles={0.84: [32.1, 33.2, np.nan], 0.16: [31.9, 32.8, np.nan]},
        extra={"fold": [0, 1, 2], "seen": [True, False, True]},
        quantity="ln(M200c / Msun)",
    )
    assert catalog.prediction_names() == ["resnet.v2"]
    found = catalog.predictions("resnet.v2")
    assert found.quantity == "ln(M200c / Msun)"
    assert found.mean[[12, 3]].tolist() == [32.0, 33.0]
    assert np.isnan(found.mean).sum() == 13
    assert list(found.quantiles) == [0.16, 0.84]
    assert found.quantiles[0.84][3] == 33.2
    assert found.extra["fold"][[12, 3, 7, 0]].tolist() == [0, 1, 2, -1]
    assert found.extra["seen"][[12, 3, 7, 0]].tolist() == [True, False, True, False]
    table = catalog.table(["halo_id"], predictions=["resnet.v2"])
    assert table["resnet.v2_q0.16"][12] == 31.9
    assert table["resnet.v2_mean"].description == "ln(M200c / Msun) by resnet.v2: mean"


def test_one_name_may_be_a_text(catalog):
    catalog.write_predictions("net", np.arange(15.0), np.ones(15))
    table = catalog.table("redshift", predictions="net")
    assert table.colnames == ["redshift", "net_mean", "net_std"]
    assert np.array_equal(catalog.images(bands="soft"), catalog.images(bands=["soft"]))
    with pytest.raises(InputError, match="column 'redshfit': is not in the catalog; did you mean"):
        catalog.table("redshfit")


def test_predictions_for_nobody(catalog):
    catalog.select([]).write_predictions("none", [], [])
    assert np.isnan(catalog.predictions("none").mean).all()


@pytest.mark.parametrize("suffix", ["fits", "ecsv"])
def test_export_keeps_values_units_and_types(catalog, tmp_path, suffix):
    catalog.write_predictions("net", np.arange(15.0), np.ones(15))
    path = tmp_path / f"table.{suffix}"
    catalog.export(path, predictions=["net"])
    kind = {"ecsv": "ascii.ecsv"}.get(suffix, suffix)
    table = QTable.read(path, format=kind)
    assert len(table.columns) == len(catalog.columns) + 2
    for column in catalog.columns:
        values = table[column.name]
        expected = catalog.column(column.name)
        if column.unit:
            assert values.unit == units.Unit(column.unit)
            values = values.value
        assert np.array_equal(values, expected), column.name
        assert np.asarray(values).dtype.kind == expected.dtype.kind
    with pytest.raises(InputError, match="already exists"):
        catalog.export(path)
    catalog.export(path, overwrite=True)


def test_parquet(catalog, tmp_path):
    """Read by pyarrow; astropy keeps the units in the metadata."""
    parquet = pytest.importorskip("pyarrow.parquet")
    catalog.export(tmp_path / "table.parquet")
    table = parquet.read_table(tmp_path / "table.parquet")
    for column in catalog.columns:
        assert np.array_equal(table[column.name].to_numpy(), catalog.column(column.name))
    assert b"solMass" in b"".join(table.schema.metadata.values())


def test_parquet_without_pyarrow(catalog, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("icmass.catalog.export.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'icmass\[parquet\]'"):
        catalog.export("x.parquet")


def test_concatenation_of_different_haloes_keeps_them(tmp_path):
    parts = []
    for number in range(2):
        part = Catalog.create(tmp_path / f"part{number}", SPEC)
        part.append(shard_data(first=100 * number))
        parts.append(part)
    joined = Catalog.concatenate([parts[0].path, parts[1].select([4, 0])], tmp_path / "joined")
    joined.validate()
    assert joined.column("halo_id").tolist() == [0, 0, 1, 1, 2, 102, 100]
    assert joined.column("sample_id").tolist() == [0] * 7
    images = np.concatenate([parts[0].images(apart=True), parts[1].images([4, 0], apart=True)])
    assert np.array_equal(joined.images(apart=True), images)
    assert np.array_equal(joined.galaxies(5), parts[1].galaxies(4))
    assert np.array_equal(joined.regions(3), parts[0].regions(3))
    assert np.array_equal(joined.expectations([6]), parts[1].expectations([0]))
    assert np.array_equal(joined.exposure_maps([6]), parts[1].exposure_maps([0]))
    sources = joined.spec.provenance["concatenated"]
    assert [source["fingerprint"] for source in sources] == [
        parts[0].fingerprint(),
        parts[1].select([4, 0]).fingerprint(),
    ]


def test_concatenation_of_equal_keys_renumbers_samples(tmp_path):
    part = Catalog.create(tmp_path / "part", SPEC)
    part.append(replace(shard_data(), failures=(Failure(0, 0, 9, 0, "none"),)))
    joined = Catalog.concatenate([part, part, part.select([1])], tmp_path / "joined")
    joined.validate()
    assert joined.column("sample_id").tolist() == [0] * 5 + [1] * 5 + [2]
    assert [failure.sample_id for failure in joined.failures()] == [0, 1, 2]


def test_catalogs_that_differ_are_not_joined(tmp_path, catalog):
    with pytest.raises(InputError, match="concatenate: must be given at least one catalog"):
        Catalog.concatenate([], tmp_path / "joined")
    names = tuple(name for name in SPEC.optional_columns if name != "n_gal")
    for change, message in (
        ({"optional_columns": names}, "the same columns as .*they differ in n_gal"),
        ({"bands": SPEC.bands[:2]}, "the same bands as .*they differ in hard"),
        ({"galaxies": False}, "the same galaxies as .*got False and True"),
    ):
        path = tmp_path / message[9:12]
        other = Catalog.create(path, replace(SPEC, **change))
        with pytest.raises(InputError, match=message):
            Catalog.concatenate([catalog, other], tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_page_of_the_schema_is_up_to_date():
    message = "python -m icmass.catalog.describe > docs/catalog-schema.md"
    assert PAGE.read_text() == schema_page(), message


def test_examples_of_the_page_run(tmp_path):
    spec = CatalogSpec(optional_columns=("n_gal",), galaxies=True)
    data = shard_data(spec, n=4)
    near = {**data.columns, "redshift": np.array([0.1, 0.15, 0.3, 0.4])}
    Catalog.create(tmp_path / "catalog", spec).append(replace(data, columns=near))
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    subprocess.run([sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, check=True)
    assert len(Catalog.open(tmp_path / "copy")) == 4


def test_declaration_is_sound():
    names = [column.name for column in expand(COLUMNS, ["soft"])]
    assert len(set(names)) == len(names)
    for column in COLUMNS:
        units.Unit(column.unit)
        assert "/h" not in column.unit
        assert column.meaning.endswith(".")
        assert column.unit or column.dtype != "f8" or not column.name.endswith(("_kpc", "_msun"))
    assert {column.kind for column in COLUMNS} == {"identity", "observable", "truth"}
