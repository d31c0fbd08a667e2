"""What is written into a catalog comes back, whatever it is."""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from astropy import units
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icmass.catalog import Band, Catalog, CatalogSpec, Failure, ImageGeometry
from icmass.catalog.sparse import add_block, encode
from icmass.errors import InputError
from tests.helpers.catalogs import SPEC, shard_data

SHARDS = [shard_data(first=100 * shard) for shard in range(3)]
IMAGES = np.concatenate([data.images for data in SHARDS])


@given(
    hnp.arrays(
        hnp.unsigned_integer_dtypes(sizes=(8, 16, 32), endianness="="),
        hnp.array_shapes(min_dims=4, max_dims=4, max_side=5),
    )
)
@settings(max_examples=60)
def test_counts_of_any_size_survive_encoding(images):
    blocks = encode(images)
    decoded = np.zeros((len(images), images[0].size), np.int64)
    for row, target in enumerate(decoded):
        pixel = blocks.pixel[blocks.pixel_start[row] : blocks.pixel_start[row + 1]]
        count = blocks.count[blocks.count_start[row] : blocks.count_start[row + 1]]
        add_block(target, pixel, count)
    assert np.array_equal(decoded, images.reshape(len(images), -1))
    assert blocks.count.nbytes + blocks.pixel.nbytes <= images.nbytes


def test_empty_images_take_no_room_and_large_ones_wide_places():
    assert encode(np.zeros((3, 1, 4, 4), np.uint8)).count.size == 0
    image = np.zeros((1, 1, 300, 300), np.uint32)
    image[0, 0, 299, 299] = 70_000
    blocks = encode(image)
    assert blocks.pixel.dtype == np.uint32
    assert blocks.pixel.tolist() == [89_999]
    assert blocks.count.tolist() == [70_000]


@given(st.data())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_spec_and_data_come_back(tmp_path_factory, data):
    names = data.draw(st.lists(st.sampled_from(["a", "b", "c1"]), unique=True, min_size=1))
    spec = CatalogSpec(
        optional_columns=tuple(
            data.draw(st.sets(st.sampled_from(["n_agn", "dec_deg", "detected"])))
        ),
        bands=tuple(Band(name, k / 2, k + 1.0) for k, name in enumerate(names)),
        geometry=ImageGeometry(*data.draw(st.tuples(*[st.integers(1, 6)] * 2)), 3.5, "arcsec"),
        origins=data.draw(st.sampled_from([("all",), ("icm", "agn", "background")])),
        expectations=data.draw(st.sampled_from([None, "float32"])),
        exposure_maps=data.draw(st.booleans()),
        galaxies=data.draw(st.booleans()),
        regions=data.draw(st.booleans()),
        box_size_mpc=data.draw(st.none() | st.floats(1, 1e4)),
        provenance={"seed": data.draw(st.integers(0, 9)), "config": {"a": [1, None, "x"]}},
    )
    given_data = shard_data(spec, n=data.draw(st.integers(0, 4)), seed=data.draw(st.integers(0, 5)))
    path = tmp_path_factory.mktemp("any") / "catalog"
    Catalog.create(path, spec).append(given_data)
    catalog = Catalog.open(path)
    catalog.validate()
    assert catalog.spec.to_dict() == spec.to_dict()
    assert catalog.spec.identifier == spec.identifier
    assert np.array_equal(catalog.images(apart=True), given_data.images)
    for name, values in given_data.columns.items():
        assert np.array_equal(catalog.column(name), values)
    if spec.expectations:
        assert np.array_equal(catalog.expectations(apart=True), given_data.expectations)
    if spec.galaxies:
        for row in range(len(catalog)):
            assert np.array_equal(catalog.galaxies(row), given_data.galaxies[row])


def test_images_by_rows_bands_and_origins(catalog):
    rows = [14, 0, 7, 0]
    assert np.array_equal(catalog.images(rows, apart=True), IMAGES[rows])
    assert np.array_equal(catalog.images(rows), IMAGES[rows].sum(axis=1))
    assert np.array_equal(catalog.images(slice(3, 9)), IMAGES[3:9].sum(axis=1))
    assert np.array_equal(catalog.images(6), IMAGES[[6]].sum(axis=1))
    assert catalog.images([]).shape == (0, 3, 12, 10)
    chosen = catalog.images(rows, bands=["hard", "soft"], origins=["agn", "icm"], apart=True)
    assert np.array_equal(chosen, IMAGES[rows][:, [1, 0]][:, :, [2, 0]])
    assert catalog.images(rows, bands="hard", dtype=np.float32).dtype == np.float32


def test_maps_and_lists(catalog):
    expected = np.concatenate([data.expectations for data in SHARDS])
    assert np.array_equal(catalog.expectations([13, 2], apart=True), expected[[13, 2]])
    gas = catalog.expectations([13, 2], bands=["hard"], origins=["icm"])
    assert np.array_equal(gas, expected[[13, 2]][:, 0][:, [2]])
    exposure = np.concatenate([data.exposure_maps for data in SHARDS])
    assert np.array_equal(catalog.exposure_maps([9]), exposure[[9]].astype(np.float32))
    assert np.array_equal(catalog.galaxies(8), SHARDS[1].galaxies[3])
    assert np.array_equal(catalog.regions(11), SHARDS[2].regions[1])


def test_expectations_in_half_precision(tmp_path):
    data = shard_data()
    catalog = Catalog.create(tmp_path / "half", replace(SPEC, expectations="float16"))
    catalog.append(data)
    np.testing.assert_allclose(
        catalog.expectations(apart=True), data.expectations, rtol=2.0**-11, atol=2.0**-25
    )


def test_quantities_are_converted(tmp_path):
    data = shard_data()
    radius = np.asarray(data.columns["r500c_kpc"])
    columns = {**data.columns, "r500c_kpc": (radius / 1000) * units.Mpc}
    catalog = Catalog.create(tmp_path / "units", SPEC)
    catalog.append(replace(data, columns=columns))
    np.testing.assert_allclose(catalog.column("r500c_kpc"), radius)
    table = catalog.table(["r500c_kpc", "n_gal"])
    assert table["r500c_kpc"].unit == units.kpc
    assert "500 critical" in table["r500c_kpc"].info.description
    assert list(table.columns) == ["r500c_kpc", "n_gal"]


def test_selection_is_a_view(catalog):
    near = catalog.select(catalog.column("m500c_msun") > 1e14)
    assert 0 < len(near) < 15
    assert np.all(near.column("m500c_msun") > 1e14)
    places = np.flatnonzero(catalog.column("m500c_msun") > 1e14)
    assert np.array_equal(near.images([1, 0], apart=True), IMAGES[places[[1, 0]]])
    again = near.select([1])
    assert np.array_equal(again.galaxies(0), catalog.galaxies(places[1]))
    assert len(catalog.select([])) == 0
    assert near.fingerprint() != catalog.fingerprint()


def test_fingerprint_is_that_of_the_contents(catalog, tmp_path):
    twin = Catalog.create(tmp_path / "twin", SPEC)
    for data in SHARDS:
        twin.append(data)
    assert twin.fingerprint() == catalog.fingerprint()
    twin.write_predictions("net", np.zeros(15), np.ones(15))
    assert twin.fingerprint() == catalog.fingerprint()
    twin.append(shard_data(first=900))
    assert twin.fingerprint() != catalog.fingerprint()


def test_the_same_data_give_the_same_bytes(catalog, tmp_path):
    """In whatever order shards are written."""
    twin = Catalog.create(tmp_path / "twin", SPEC)
    records = [twin.write_shard(shard, SHARDS[shard]) for shard in (2, 0, 1)]
    twin.register(*records[:1])
    twin.register(*records[1:])
    files = sorted(p.relative_to(twin.path) for p in twin.path.rglob("*") if p.is_file())
    assert len(files) == 5
    for file in files:
        assert (twin.path / file).read_bytes() == (catalog.path / file).read_bytes()


def _halos(catalog: Catalog) -> list[int]:
    return catalog.column("halo_id").tolist() + catalog.images([0]).ravel().tolist()


def test_worker_processes_read_it(catalog):
    view = catalog.select([12, 3])
    view.images()  # mapped before the fork
    reopen, arguments = view.__reduce__()  # what is sent to a worker
    assert _halos(reopen(*arguments)) == _halos(view)
    if hasattr(os, "fork"):
        with ProcessPoolExecutor(1) as pool:
            assert pool.submit(_halos, view).result() == _halos(view)


def test_changed_catalogs_are_not_reopened_by_workers(catalog):
    reopen, arguments = catalog.__reduce__()
    catalog.append(shard_data(first=900))
    with pytest.raises(InputError, match="changed since it was opened"):
        reopen(*arguments)


def test_failures_are_kept(tmp_path):
    failure = Failure(0, 1, 2, 0, "no gas inside the aperture")
    catalog = Catalog.create(tmp_path / "failed", SPEC)
    catalog.append(replace(shard_data(n=0), failures=(failure,)))
    assert Catalog.open(catalog.path).failures() == [failure]
    assert len(catalog) == 0
    assert len(catalog.table()) == 0
    joined = Catalog.concatenate([catalog], tmp_path / "joined")
    assert joined.failures() == [failure]


def test_pixels_lie_where_the_geometry_says():
    geometry = ImageGeometry(n_y=4, n_x=6, pixel=2.0)
    east, north = geometry.offsets()
    assert east.ravel().tolist() == [5.0, 3.0, 1.0, -1.0, -3.0, -5.0]  # columns to the west
    assert north.ravel().tolist() == [-3.0, -1.0, 1.0, 3.0]
    row, column = geometry.pixel_of(east=3.0, north=-3.0)
    assert (row, column) == (0.0, 1.0)
    assert geometry.radius()[0, 1] == pytest.approx(18**0.5)
    study = ImageGeometry()
    assert study.pixel * study.n_x * 0.704 == pytest.approx(2 * 2300.0)
