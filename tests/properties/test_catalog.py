"""A catalog gives back what was put in; views of it are what NumPy makes of the same rows."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from icmass.catalog import Band, Catalog, CatalogSpec, ImageGeometry, ShardData
from icmass.digests import CHECKSUM
from icmass.errors import InputError
from tests.helpers.catalogs import SPEC, make_columns, shard_data
from tests.properties.contract import answer_or_line, examples

OPTIONAL = ["gas_mass_msun", "n_gal", "detected", "box_x_mpc", "lx_bolometric_erg_s", "dec_deg"]


@st.composite
def specs(draw: st.DrawFn) -> CatalogSpec:
    """What a small catalog may hold."""
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), min_size=1,
                          max_size=3, unique=True))  # fmt: skip
    low = draw(st.floats(0.0, 5.0))
    return CatalogSpec(
        optional_columns=tuple(draw(st.lists(st.sampled_from(OPTIONAL), unique=True))),
        bands=tuple(Band(name, low, low + k + 1.0) for k, name in enumerate(names)),
        geometry=ImageGeometry(draw(st.integers(1, 5)), draw(st.integers(1, 5)), 100.0),
        origins=draw(st.sampled_from([("icm", "agn", "background"), ("all",)])),
        expectations=draw(st.sampled_from([None, "float16", "float32"])),
        exposure_maps=draw(st.booleans()),
        provenance=draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)),
    )


@st.composite
def shards(draw: st.DrawFn, spec: CatalogSpec, first: int) -> ShardData:
    """Up to four rows with images that are empty, dense or bright."""
    shape = (draw(st.integers(0, 4)), *spec.image_shape)
    dtype = draw(st.sampled_from(["u1", "u2", "u4", "i8"]))
    counts = st.one_of(st.integers(0, 2), st.integers(0, min(np.iinfo(dtype).max, 2**30)))
    images = draw(hnp.arrays(dtype, shape, elements=counts, fill=st.just(0)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    columns = make_columns(spec, images, first, rng)
    for name in OPTIONAL[-2:]:
        if name in columns and len(images):
            columns[name][draw(st.integers(0, len(images) - 1))] = np.nan
    maps = rng.uniform(1.0, 2.0, (shape[0], *shape[3:]))
    return ShardData(
        columns=columns,
        images=images,
        expectations=rng.uniform(0.0, 9.0, shape) if spec.expectations else None,
        exposure_maps=maps if spec.exposure_maps else None,
    )


@examples(20)
@given(st.data())
def test_round_trip(tmp_path_factory, data):
    spec = data.draw(specs())
    parts = [data.draw(shards(spec, 10 * k)) for k in range(data.draw(st.integers(1, 3)))]
    catalog = Catalog.create(tmp_path_factory.mktemp("catalog") / "one", spec)
    for part in parts:
        catalog.append(part)
    catalog = Catalog.open(catalog.path)
    images = np.concatenate([part.images for part in parts])
    assert len(catalog) == len(images)
    for place, origin in enumerate(spec.origins):
        np.testing.assert_array_equal(catalog.images(origins=[origin]), images[:, place])
    images = images.sum(axis=1, dtype=np.int64)
    np.testing.assert_array_equal(catalog.images(), images)
    for column in spec.columns:
        whole = np.concatenate([np.asarray(part.columns[column.name]) for part in parts])
        np.testing.assert_array_equal(catalog.column(column.name), whole.astype(column.dtype))
    if len(images):
        rows = data.draw(st.lists(st.integers(0, len(images) - 1), max_size=5))
        chosen = catalog.select(np.array(rows, np.int64))
        np.testing.assert_array_equal(chosen.images(), images[rows])
        band = data.draw(st.integers(0, len(spec.bands) - 1))
        one = catalog.images(rows, bands=[spec.bands[band].name])
        np.testing.assert_array_equal(one, images[rows][:, [band]])
        mask = np.array(
            data.draw(st.lists(st.booleans(), min_size=len(images), max_size=len(images)))
        )
        np.testing.assert_array_equal(catalog.select(mask).images(), images[mask])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Catalog]]:
    """Two catalogs of one spec, read only."""
    place = tmp_path_factory.mktemp("pair")
    catalogs = []
    for k, name in enumerate("ab"):
        catalog = Catalog.create(place / name, SPEC)
        for first in (0, 20):
            catalog.append(shard_data(n=4, first=first + 100 * k, seed=k))
        catalogs.append(catalog)
    return catalogs


NUMBERS = ["0", "0.5", "-1", "1e14", "25", "+.5", "3.", "1e-300", "99999999999999999999", "49"]
OPERATORS = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "!=": np.not_equal,
}  # fmt: skip


@examples(80)
@given(st.sampled_from(SPEC.columns), st.sampled_from(sorted(OPERATORS)), st.sampled_from(NUMBERS))
def test_where_is_what_numpy_says(pair, column, operator, number):
    catalog = pair[0]
    found = answer_or_line(lambda: catalog.where(f" {column.name}{operator} {number} "))
    if column.dtype == "?":
        assert isinstance(found, InputError)
        return
    values = catalog.column(column.name)
    wanted = OPERATORS[operator](values, float(number)) & ~np.isnan(values.astype(float))
    if column.lowest == -1 and values.dtype.kind == "i":
        wanted &= values >= 0
    if isinstance(found, InputError):
        assert not wanted.any()
    else:
        np.testing.assert_array_equal(found.rows(), catalog.rows()[wanted])


PIECES = st.sampled_from(
    [
        *(
            "redshift",
            "flags",
            "detected",
            "halo_id",
            "not",
            "has",
            "lacks",
            "BLENDED",
            "and",
            "or",
        ),
        *(
            "<",
            ">",
            "=",
            "==",
            "!=",
            "0.3",
            "1e400",
            "nan",
            "-1",
            "(",
            ")",
            "'",
            '"',
            ";",
            "__import__",
        ),
        *(
            "('os').system('touch owned')",
            "lambda: 0",
            "\n",
            "\t",
            "\0",
            "é",
            "٣",
            "%s",
            "{0}",
            "\\",
        ),
    ]
)
CONDITIONS = st.one_of(
    st.lists(PIECES, max_size=6).map(" ".join), st.lists(PIECES, max_size=4).map("".join), st.text()
)


@examples(250)
@given(st.lists(CONDITIONS, max_size=3))
def test_any_text_as_a_condition(pair, tmp_path_factory, conditions):
    found = answer_or_line(lambda: pair[0].where(*conditions))
    assert isinstance(found, InputError) or 0 < len(found) <= len(pair[0])
    assert not Path("owned").exists()


@examples(25)
@given(st.data())
def test_join_and_concatenate_are_rows_after_rows(pair, tmp_path_factory, data):
    chosen = [
        catalog.select(
            np.array(data.draw(st.lists(st.integers(0, 7), max_size=6, unique=True)), int)
        )
        for catalog in pair
    ]
    rows = np.concatenate([part.rows() for part in chosen])
    images = np.concatenate([part.images() for part in chosen])
    joined = answer_or_line(lambda: Catalog.join(chosen))
    np.testing.assert_array_equal(joined.rows(), rows)
    np.testing.assert_array_equal(joined.images(), images)
    place = tmp_path_factory.mktemp("both") / "both"
    written = Catalog.concatenate([joined], place)
    # A selection is written in the order of its shards.
    order = np.argsort(rows, order=["sample_id", "halo_id", "line_of_sight"])
    there = np.argsort(written.rows(), order=["sample_id", "halo_id", "line_of_sight"])
    np.testing.assert_array_equal(written.rows()[there], rows[order])
    np.testing.assert_array_equal(written.images()[there], images[order])
    np.testing.assert_array_equal(
        written.select(there).expectations(), joined.select(order).expectations()
    )


NAMES = [
    *(
        "a",
        "A.b-c_1",
        "../x",
        "/tmp/x",
        ".",
        "..",
        "",
        "a/b",
        "a\\b",
        "a\0b",
        "a\n",
        " a",
        "-a",
        ".a",
    ),
    *("x" * 250, "x" * 5000, "é", "a\u202e", "~", "a:b", "*", "a.h5", "CON", "a..b", "_", "\u0661"),
]


@examples(60)
@given(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), st.booleans())
def test_predictions_stay_in_their_folder(pair, tmp_path_factory, name, overwrite):
    root = tmp_path_factory.mktemp("names")
    catalog = Catalog.concatenate([pair[0].select([0, 3])], root / "catalog")
    before = {path for path in root.rglob("*")}
    values = np.array([1.0, np.nan]), np.array([0.5, 0.0])
    found = answer_or_line(lambda: catalog.write_predictions(name, *values, overwrite=overwrite))
    new = {path for path in root.rglob("*")} - before - {root / "catalog" / "predictions"}
    if isinstance(found, InputError):
        assert not new
        assert isinstance(answer_or_line(lambda: catalog.predictions(name)), InputError)
        return
    assert new == {root / "catalog" / "predictions" / f"{name}.h5"}
    np.testing.assert_array_equal(catalog.predictions(name).mean, values[0])
    assert catalog.prediction_names() == [name]


@examples(60)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(NAMES), st.text(max_size=6)),
        hnp.arrays(st.sampled_from(["f4", "f8", "i2", "i8", "u1", "?", "S2", "c8"]), 2),
        max_size=2,
    ),
    st.lists(st.one_of(st.floats(), st.floats(0.01, 0.99)), max_size=2, unique=True),
)
def test_predictions_round_trip(pair, tmp_path_factory, extra, probabilities):
    catalog = pair[0].select([5, 2])
    quantiles = {p: [p, 1.0] for p in probabilities}
    name = "extra"

    def write() -> Any:
        return catalog.write_predictions(name, [1, 2], [0, 1], quantiles=quantiles, extra=extra)

    written = answer_or_line(write)
    if isinstance(written, InputError):
        return
    found = catalog.predictions(name)
    written.unlink()
    assert set(found.extra) == set(extra)
    for key, values in extra.items():
        np.testing.assert_array_equal(found.extra[key], values)
    assert list(found.quantiles) == sorted(probabilities)


def test_a_shard_named_outside_the_catalog_is_never_touched(pair, tmp_path):
    """Repair renames damaged shards: of a manifest that somebody else wrote, any file."""
    catalog = Catalog.concatenate([pair[0]], tmp_path / "catalog")
    treasure = tmp_path / "treasure.h5"
    treasure.write_text("mine")
    manifest = catalog.path / "manifest.json"
    values = json.loads(manifest.read_text())
    values.pop(CHECKSUM, None)
    for name in ("../../treasure.h5", str(treasure), "a/../../../treasure.h5", "..", ""):
        values["shards"][0]["name"] = name
        manifest.write_text(json.dumps(values))
        for call in (Catalog.open, Catalog.repair):
            found = answer_or_line(lambda call=call: call(catalog.path), "manifest.json")
            assert isinstance(found, InputError)
        assert treasure.read_text() == "mine"
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["catalog", "treasure.h5"]


def test_negative_control(pair):
    """The comparisons above would see a row that moved."""
    catalog = pair[0]
    assert not np.array_equal(catalog.images([0, 1]), catalog.images([1, 0]))
    assert replace(SPEC, galaxies=False).identifier != SPEC.identifier
