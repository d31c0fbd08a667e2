"""A changed view reads as the catalog that it would be, and trains; channels are sums of bands."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from operator import methodcaller

import numpy as np
import pytest

from icmass.catalog import Catalog, Change, ChangedCatalog, add_up
from icmass.errors import InputError
from icmass.estimate.runs import Run
from icmass.estimate.training import train
from icmass.interpret.interventions import AverageAzimuth, RemoveCore, RemoveOrigin
from tests.helpers.masses import make_catalog, quick


@dataclass(frozen=True)
class Mark(Change):
    """Writes the halo's number into a pixel of each origin and band, and doubles the redshift."""

    by: int = 1
    seed: int = 0

    def images(self, counts, rows, spec):
        counts[..., 3, 5] = self.by * (1 + rows["halo_id"])[:, None, None]
        return counts

    def columns(self, rows):
        rows["redshift"] *= 2.0
        return rows


def same(a: Catalog, b: Catalog) -> bool:
    return np.array_equal(a.images(apart=True), b.images(apart=True)) and bool(
        (a.rows() == b.rows()).all()
    )


def test_images_are_changed_before_bands_and_origins_are_chosen(catalog):
    view = ChangedCatalog(catalog, Mark())
    whole = catalog.images(apart=True)
    whole[..., 3, 5] = (1 + catalog.column("halo_id"))[:, None, None]
    assert np.array_equal(view.images(apart=True), whole)
    assert np.array_equal(view.images(), whole.sum(axis=1))
    some = view.images([7, 2], ["hard", "soft"], ["background", "icm"], apart=True)
    assert np.array_equal(some, whole[[7, 2]][:, [2, 0]][:, :, [2, 0]])
    assert np.array_equal(view.images(4), whole[[4]].sum(axis=1))
    assert np.array_equal(view.images(slice(3, 9, 2), dtype=np.int64), whole[3:9:2].sum(axis=1))
    assert view.images(dtype=np.uint16).dtype == np.uint16
    assert view.images([]).shape == (0, *whole.shape[2:])
    assert len(view) == len(catalog)


def test_columns_are_changed_and_the_catalog_stays(catalog):
    view = ChangedCatalog(catalog, Mark())
    assert np.array_equal(view.column("redshift"), 2.0 * catalog.column("redshift"))
    assert np.array_equal(view.rows()["redshift"], 2.0 * catalog.column("redshift"))
    assert np.array_equal(view.table(["redshift"])["redshift"], view.column("redshift"))
    before = catalog.column("redshift")
    view.column("redshift")[:] = 0.0
    assert np.array_equal(catalog.column("redshift"), before)
    view.rows()["redshift"] = 0.0
    assert np.array_equal(view.column("redshift"), 2.0 * before)
    assert len(view.galaxies(3)) == len(catalog.galaxies(3))
    with pytest.raises(InputError, match=r"^column 'redshif': is not in the catalog; did you mean"):
        view.column("redshif")


def test_views_can_be_selected_changed_again_and_joined_catalogs_too(catalog):
    view = ChangedCatalog(catalog, Mark())
    keep = np.array([9, 1, 4])
    part = view.select(keep)
    assert isinstance(part, ChangedCatalog)
    assert np.array_equal(part.images(apart=True), view.images(keep, apart=True))
    assert np.array_equal(part.select([2, 0]).rows(), view.rows()[[4, 9]])
    mask = np.isin(np.arange(len(view)), keep)
    assert np.array_equal(view.select(mask).rows(), view.rows()[np.sort(keep)])
    assert same(ChangedCatalog(catalog.select(keep), Mark()), part)
    twice = ChangedCatalog(part, RemoveOrigin("agn"))
    assert not twice.images(origins=["agn"]).any()
    assert np.array_equal(twice.column("redshift"), part.column("redshift"))
    joined = Catalog.join([catalog.select([5, 6]), catalog.select([0])])
    assert same(ChangedCatalog(joined, Mark()), view.select([5, 6, 0]))


def test_the_fingerprint_names_rows_and_change(catalog):
    views = [
        catalog,
        ChangedCatalog(catalog, Mark()),
        ChangedCatalog(catalog, Mark(2)),
        ChangedCatalog(catalog.select([0, 1]), Mark()),
        ChangedCatalog(ChangedCatalog(catalog, Mark()), Mark()),
        ChangedCatalog(catalog, RemoveCore(radius_kpc=100.0)),
        ChangedCatalog(catalog, RemoveCore(radius_r500c=100.0)),
    ]
    assert len({view.fingerprint() for view in views}) == len(views)
    again = ChangedCatalog(Catalog.open(catalog.path), Mark())
    assert again.fingerprint() == views[1].fingerprint()


def test_a_view_is_sent_to_other_processes(catalog):
    view = ChangedCatalog(catalog, AverageAzimuth(3)).select([8, 2, 5])
    assert same(pickle.loads(pickle.dumps(view)), view)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        images = pool.submit(methodcaller("images", apart=True), view).result()
        fingerprint = pool.submit(methodcaller("fingerprint"), view).result()
    assert np.array_equal(images, view.images(apart=True))
    assert fingerprint == view.fingerprint()


def test_generators_are_named_by_key_seed_and_change(catalog):
    rows = catalog.rows()

    def first(change, rows):
        return [rng.integers(2**62) for rng in change.generators(rows)]

    numbers = first(Mark(), rows)
    assert len(set(numbers)) == len(rows)
    assert first(Mark(), rows[[6, 1]]) == [numbers[6], numbers[1]]
    assert not set(first(Mark(seed=1), rows)) & set(numbers)
    assert not set(first(AverageAzimuth(), rows)) & set(numbers)
    negative = rows.copy()
    negative["halo_id"] *= -1  # -0 is 0: the haloes of number 0 stay
    same_key = rows["halo_id"] == 0
    assert [
        a == b for a, b in zip(first(Mark(), negative), numbers, strict=True)
    ] == same_key.tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda view: view.expectations([0]), r"a changed view has no noise-free images; leave"),
        (lambda view: view.shard_data(), r"a changed view cannot be copied; copy the catalog"),
        (lambda view: view.append(None), r"append: must be called on a catalog; this is a changed"),
        (lambda view: view.validate(), r"validate: must be called on a catalog; this is a changed"),
        (
            lambda view: view.write_predictions("x", np.zeros(15), np.ones(15)),
            r"write_predictions: must be called on a catalog; this is a changed view",
        ),
        (lambda view: view.images([99]), r"rows: must be from 0 to 14; got 99"),
        (lambda view: view.images([0], ["sof"]), r"band 'sof': is not in the catalog; did you"),
    ],
)
def test_what_a_view_cannot_do_is_refused(catalog, call, message):
    with pytest.raises(InputError, match=message):
        call(ChangedCatalog(catalog, Mark()))


def test_a_view_trains_and_the_run_knows_it(tmp_path):
    catalog = make_catalog(tmp_path / "catalog", 104)
    view = ChangedCatalog(ChangedCatalog(catalog, RemoveCore(radius_kpc=300.0)), Mark())
    train(view, quick(epochs=1), tmp_path / "run", workers=1)
    run = Run.open(tmp_path / "run")
    run.require_complete()
    assert run.fingerprint == view.fingerprint() != catalog.fingerprint()
    assert (run.folds_of(view) >= 0).all()


@pytest.mark.parametrize("before", [(), (2,), (2, 3)])
def test_bands_and_pixels_are_added(before):
    maps = np.random.default_rng(0).integers(0, 9, (*before, 3, 6, 4)).astype(np.uint32)
    assert add_up(maps, [[0], [1], [2]]) is maps
    assert np.array_equal(add_up(maps, [[2], [0, 1]])[..., 0, :, :], maps[..., 2, :, :])
    both = add_up(maps, [[2], [0, 1]], 2)
    assert both.dtype == maps.dtype
    assert both.shape == (*before, 2, 3, 2)
    for y in range(3):
        for x in range(2):
            block = maps[..., 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].sum(axis=(-1, -2))
            assert np.array_equal(both[..., 0, y, x], block[..., 2])
            assert np.array_equal(both[..., 1, y, x], block[..., 0] + block[..., 1])
