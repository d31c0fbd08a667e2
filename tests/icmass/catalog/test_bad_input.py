"""What cannot be stored or found is refused in one line that says what to do."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from astropy import units

from icmass.catalog import Band, Catalog, CatalogSpec, ImageGeometry, Ragged, galaxy_rows
from icmass.catalog import manifest as manifest_module
from icmass.errors import InputError, OutputError
from tests.helpers.catalogs import SPEC, shard_data

DATA = shard_data()


def with_column(name, values):
    return replace(DATA, columns={**DATA.columns, name: values})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            with_column("m500_msun", np.ones(5)),
            "columns: 'm500_msun' is not among its columns; did you",
        ),
        (with_column("xyzzy", np.ones(5)), "'xyzzy' is not among its columns; known: sample_id,"),
        (
            replace(DATA, columns={k: v for k, v in DATA.columns.items() if k != "redshift"}),
            "columns: must hold every column; missing: redshift",
        ),
        (with_column("redshift", np.ones(4)), "one length; 'sample_id' has 5 and 'redshift' has 4"),
        (with_column("redshift", -np.ones(5)), "'redshift': must be finite and between 0 and inf"),
        (with_column("redshift", np.full(5, np.inf)), "'redshift': must be finite"),
        (with_column("r500c_kpc", np.ones(5) * units.keV), "r500c_kpc: must be convertible to kpc"),
        (with_column("halo_id", np.ones(5)), "'halo_id': must be whole numbers; got float64"),
        (with_column("detected", np.ones(5)), "'detected': must be true or false; got float64"),
        (with_column("line_of_sight", np.zeros(5, int)), "halo_id 0, line_of_sight 0 stands there"),
        (replace(DATA, images=DATA.images[:, :2]), "images: must have the shape .5, 3, 3, 12, 10."),
        (replace(DATA, images=DATA.images * 1.0), "images: must be whole numbers; got float64"),
        (replace(DATA, images=DATA.images.astype(int) - 9), "images: must be at least 0"),
        (replace(DATA, expectations=None), "expectations: must be given, for the catalog has them"),
        (
            replace(DATA, expectations=DATA.expectations * np.nan),
            "expectations: must be at least 0",
        ),
        (replace(DATA, exposure_maps=np.ones((5, 3, 3))), "exposure_maps: must have the shape"),
        (replace(DATA, galaxies=DATA.regions), "galaxies: must be made by galaxy_rows"),
        (replace(DATA, regions=DATA.galaxies), "regions: must be made by region_rows"),
        (
            replace(DATA, galaxies=Ragged(DATA.galaxies.rows, DATA.galaxies.start[:-1])),
            "galaxies: must be lists of 5 clusters; got 4 lists",
        ),
        (
            replace(shard_data(n=4), columns=DATA.columns),
            "images: must be as many as rows; got 4 images, 5 rows",
        ),
    ],
)
def test_data_that_do_not_fit(tmp_path, data, message):
    catalog = Catalog.create(tmp_path / "catalog", SPEC)
    with pytest.raises(InputError, match=message) as caught:
        catalog.append(data)
    assert "\n" not in str(caught.value)
    assert len(Catalog.open(catalog.path)) == 0
    assert list((catalog.path / "shards").iterdir()) == []


def test_parts_not_asked_for_are_refused(tmp_path):
    spec = replace(SPEC, galaxies=False)
    with pytest.raises(InputError, match="galaxies: must be left out"):
        Catalog.create(tmp_path / "catalog", spec).append(DATA)


def test_expectations_beyond_half_precision(tmp_path):
    spec = replace(SPEC, expectations="float16")
    data = replace(DATA, expectations=DATA.expectations + 1e5)
    with pytest.raises(InputError, match=r"at most 65504 in float16.*Create .* in float32"):
        Catalog.create(tmp_path / "catalog", spec).append(data)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Band("Soft", 0.5, 2), "band name: must be small letters"),
        (lambda: Band("soft", 2, 0.5), "band 'soft': must have 0 <= lo < hi"),
        (lambda: ImageGeometry(n_y=0), "at least 1 x 1 pixels; got 0 x 128"),
        (lambda: ImageGeometry(pixel=math.nan), "image pixel: must be above 0"),
        (lambda: ImageGeometry(unit="Mpc"), "image unit: must be kpc or arcsec; got 'Mpc'"),
        (lambda: CatalogSpec(bands=()), "bands: must be one or more different names; got"),
        (lambda: CatalogSpec(origins=("icm", "icm")), "origins: must be one or more different"),
        (lambda: CatalogSpec(expectations="float64"), "must be float16, float32 or none"),
        (lambda: CatalogSpec(box_size_mpc=-1.0), "box_size_mpc: must be above 0; got -1"),
        (lambda: CatalogSpec(optional_columns=("gas_mass",)), "did you mean 'gas_mass_msun'"),
        (lambda: CatalogSpec(provenance={"a": object()}), "provenance: must hold values that JSON"),
        (lambda: galaxy_rows(east_kpc=[1.0]), "galaxies: must hold every column; missing: north"),
    ],
)
def test_specs_that_cannot_be(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: c.column("gas_mass"), "column 'gas_mass': is not in the catalog; did you mean"),
        (lambda c: c.table(["nothing"]), "column 'nothing': is not in the catalog; known"),
        (
            lambda c: c.images(bands=["sfot"]),
            "band 'sfot': is not in the catalog; did you mean 'soft'",
        ),
        (lambda c: c.images(origins=["star"]), "origin 'star': is not in the catalog; known: icm"),
        (lambda c: c.images([15]), "rows: must be from 0 to 14; got 15 to 15"),
        (lambda c: c.galaxies(-1), "rows: must be from 0 to 14"),
        (lambda c: c.images([0.5]), "rows: must be whole numbers; got float64"),
        (lambda c: c.select([True]), r"mask: must have the shape \(15,\); got \(1,\)"),
        (lambda c: c.select([0]).append(DATA), "append: must be called on a catalog"),
        (lambda c: c.predictions("net"), "has no predictions 'net'; there are none"),
        (lambda c: c.write_predictions("../net", [], []), "mean: must have the shape"),
        (
            lambda c: c.write_predictions("../net", np.ones(15), np.ones(15)),
            "predictions: must be named by letters",
        ),
        (lambda c: c.write_predictions("n", np.ones(15), -np.ones(15)), "std: must be at least 0"),
        (
            lambda c: c.write_predictions(
                "n", np.ones(15), np.ones(15), quantiles={50: np.ones(15)}
            ),
            "probabilities between 0 and 1; got 50",
        ),
        (
            lambda c: c.write_predictions("n", *[np.ones(15)] * 2, extra={"std": np.ones(15)}),
            "extra: must not be named as another column; got std",
        ),
        (
            lambda c: c.write_predictions("n", *[np.ones(15)] * 2, extra={"f": np.full(15, "a")}),
            "f: must be numbers",
        ),
        (lambda c: c.export("x.csv"), "x.csv: must end in .fits, .parquet, .ecsv; got 'csv'"),
    ],
)
def test_questions_that_cannot_be_answered(catalog, ask, message):
    with pytest.raises(InputError, match=message) as caught:
        ask(catalog)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["expectations", "exposure_maps", "galaxies", "regions"])
def test_what_was_not_stored(tmp_path, name):
    spec = CatalogSpec(geometry=SPEC.geometry)
    catalog = Catalog.create(tmp_path / "bare", spec)
    catalog.append(shard_data(spec))
    with pytest.raises(InputError, match=f"has no {name}; simulate it again with them"):
        getattr(catalog, name)(0)


def test_places_that_are_no_catalog(tmp_path, catalog):
    with pytest.raises(InputError, match=r"must be a catalog; it holds no manifest\.json"):
        Catalog.open(tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('{"files": []}')
    with pytest.raises(InputError, match=r"its manifest.json is of another kind"):
        Catalog.open(tmp_path / "other")
    (tmp_path / "loop").symlink_to("loop")
    message = r"cannot be (the place of a catalog;|read:) .* Give the directory"
    for path in ("a\0b", tmp_path / "loop"):
        for use in (Catalog.open, Catalog.repair):
            with pytest.raises(InputError, match=message):
                use(path)
    with pytest.raises(OutputError, match=r"already exists\. Choose another name\.$"):
        Catalog.create(catalog.path, SPEC)
    with pytest.raises(OutputError, match="its folder does not exist"):
        Catalog.create(tmp_path / "a" / "b", SPEC)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m | {"schema_version": 99}, "must have schema version 1 or older; got 99"),
        (lambda m: m | {"schema_version": 0}, "schema version 0 cannot be read any more"),
        (lambda m: m | {"schema_version": "1"}, "schema_version must be a whole number; got '1'"),
        (lambda m: m | {"shards": [{"name": "x"}]}, "it is damaged .TypeError"),
        (
            lambda m: {k: v for k, v in m.items() if k != "bands"},
            "it is damaged .KeyError: 'bands'",
        ),
        (
            lambda m: m | {"columns": [c for c in m["columns"] if c["name"] != "redshift"]},
            "does not fit the schema: column 'redshift': is required",
        ),
        (
            lambda m: (
                m
                | {
                    "columns": [
                        c | ({"unit": "Msun / h"} if c["name"] == "m500c_msun" else {})
                        for c in m["columns"]
                    ]
                }
            ),
            r"'m500c_msun': must be .Msun, f8. by the schema; got .Msun / h, f8.",
        ),
        (
            lambda m: m | {"columns": [*m["columns"], {"name": "new", "unit": "", "dtype": "f8"}]},
            "column 'new': is not in the schema",
        ),
    ],
)
def test_manifests_that_do_not_fit(catalog, change, message):
    path = catalog.path / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InputError, match=message):
        Catalog.open(catalog.path)


def test_manifest_that_is_not_json(catalog):
    (catalog.path / "manifest.json").write_text('{"format": ')
    with pytest.raises(InputError, match=r"manifest.json: must be JSON.*Restore it"):
        Catalog.open(catalog.path)


def test_older_schema_is_migrated(catalog, monkeypatch):
    """As if version 1 had called the bands energies, and version 2 were today's."""
    path = catalog.path / "manifest.json"
    old = json.loads(path.read_text())
    old["energies"] = old.pop("bands")
    del old["checksum"]  # version 1 of this test is not sealed
    path.write_text(json.dumps(old))
    monkeypatch.setattr(manifest_module, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(
        manifest_module._MIGRATIONS,
        1,
        lambda m: {("bands" if k == "energies" else k): v for k, v in m.items()},
    )
    assert len(Catalog.open(catalog.path)) == 15


def test_predictions_are_not_replaced_by_accident(catalog):
    catalog.write_predictions("net", np.ones(15), np.ones(15))
    with pytest.raises(OutputError, match="has predictions 'net' already"):
        catalog.write_predictions("net", np.ones(15), np.ones(15))
    catalog.write_predictions("net", np.zeros(15), np.ones(15), overwrite=True)
    assert catalog.predictions("net").mean.sum() == 0
    with pytest.raises(InputError, match="has no predictions 'nte'; did you mean 'net'"):
        catalog.predictions("nte")
    path = catalog.path / "predictions" / "net.h5"
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(InputError, match=r"net.h5: is damaged .*write the predictions again"):
        catalog.predictions("net")


def test_images_must_be_those_that_were_counted(tmp_path):
    catalog = Catalog.create(tmp_path / "catalog", SPEC)
    wrong = np.asarray(DATA.columns["n_phot_medium"]) + np.array([0, 0, 1, 0, 0])
    catalog.append(with_column("n_phot_medium", wrong))
    with pytest.raises(InputError, match="row 2: n_phot_medium must be the sum of its image"):
        catalog.validate()


def test_keys_differ_between_shards_too(tmp_path):
    catalog = Catalog.create(tmp_path / "catalog", SPEC)
    catalog.append(DATA)
    catalog.append(DATA)
    with pytest.raises(InputError, match="halo_id 0, line_of_sight 0 stands there twice"):
        catalog.validate()
