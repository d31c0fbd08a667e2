"""Parts of a fold, their order, and what the network is handed: no halo on both sides."""

import numpy as np
import pytest
import torch

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.augmentation import Augmentation
from icmass.estimate.data import ClusterData, EpochOrder, flat_weights
from icmass.estimate.folds import Split
from icmass.estimate.inputs import Inputs
from icmass.estimate.reading import Reader, reader_of
from icmass.estimate.training import chosen_clusters, run_folds
from tests.helpers.masses import make_catalog, mass_spec, quick
from tests.helpers.stats import Z_MAX


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Catalog:
    path = tmp_path_factory.mktemp("data") / "catalog"
    return make_catalog(path, 240, spec=mass_spec(galaxies=False, expectations=None))


def shared_haloes(catalog: Catalog, split: Split) -> int:
    """Count haloes of which rows are in several parts."""
    names = ("sample_id", "snapshot_id", "halo_id")
    keys = np.stack([catalog.column(name) for name in names], axis=1)
    parts = [{tuple(key) for key in keys[rows].tolist()} for rows in split]
    return sum(len(parts[a] & parts[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize("folds", [2, 5, 8])
def test_no_halo_is_on_both_sides(catalog, folds: int) -> None:
    fold, parts = run_folds(catalog, quick(folds=folds))
    assert len(parts) == folds
    tested = np.concatenate([split.test for split in parts])
    np.testing.assert_array_equal(np.sort(tested), np.arange(240))
    for number, split in enumerate(parts):
        assert shared_haloes(catalog, split) == 0
        assert sorted(np.concatenate(split)) == list(range(240))
        assert np.all(fold[split.test] == number)
    if folds == 8:  # octants of the box
        assert all(len(np.unique(catalog.column("halo_id")[s.test] % 8)) == 1 for s in parts)


def test_a_halo_on_both_sides_is_seen(tmp_path, catalog) -> None:
    _, parts = run_folds(catalog, quick())
    halo = catalog.column("halo_id")
    halo[parts[0].train[0]] = halo[parts[0].test[0]]
    line = np.arange(240)
    spec = mass_spec(galaxies=False, expectations=None)
    wrong = {"halo_id": halo, "line_of_sight": line}
    other = make_catalog(tmp_path / "catalog", 240, spec=spec, columns=wrong)
    assert shared_haloes(other, parts[0]) == 1
    # The halo of that number lies in two octants now, which folds refuse.
    with pytest.raises(InputError, match="folds: must hold whole halos; 1 halos are in several"):
        run_folds(other, quick(folds=8))
    _, again = run_folds(other, quick(folds=5))
    assert all(shared_haloes(other, split) == 0 for split in again)


def test_fewer_haloes_are_whole_haloes(catalog) -> None:
    some = chosen_clusters(catalog, quick(max_clusters=30))
    assert len(some) == 60
    assert len(np.unique(some.column("halo_id"))) == 30
    more = chosen_clusters(catalog, quick(max_clusters=50))
    assert set(some.column("halo_id")) < set(more.column("halo_id"))
    other = chosen_clusters(catalog, quick(max_clusters=30, seed=1))
    assert set(some.column("halo_id")) != set(other.column("halo_id"))
    assert chosen_clusters(catalog, quick(max_clusters=1000)) is catalog


def test_flat_weights_spread_masses_evenly() -> None:
    rng = np.random.default_rng(4)
    ln_mass = -0.8 * np.log1p(-rng.random(20_000) * -np.expm1(-2.5))  # exponential, from 0 to 2
    weight = flat_weights(ln_mass)
    assert weight.mean() == pytest.approx(1.0)
    edges = np.linspace(0.2, 1.8, 9)
    found, _ = np.histogram(ln_mass, edges, weights=weight)
    variance, _ = np.histogram(ln_mass, edges, weights=weight**2)
    z = (found - found.mean()) / np.sqrt(variance)
    assert np.abs(z).max() < Z_MAX
    plain, _ = np.histogram(ln_mass, edges)
    assert (np.abs(plain - plain.mean()) / np.sqrt(plain)).max() > 5.0 * Z_MAX


def test_flat_weights_do_not_let_a_few_fill_the_batches() -> None:
    ln_mass = np.append(np.random.default_rng(1).normal(0.0, 0.2, 2000), 6.0)
    weight = flat_weights(ln_mass)
    assert weight[-1] == weight.max()
    assert weight[-1] <= 6.5
    np.testing.assert_allclose(flat_weights(np.full(7, 33.0)), 1.0)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    rows = np.arange(100, 175)

    def batches(epoch: int, before: int = 0, seed: int = 3) -> list[list[int]]:
        order = EpochOrder(rows, 10, (seed, 1, 0))
        for k in range(before):
            order.set_epoch(k)
            list(order)
        order.set_epoch(epoch)
        return [batch.tolist() for batch in order]

    fourth = batches(4)
    assert fourth == batches(4, before=4)
    assert fourth != batches(5)
    assert fourth != batches(4, seed=2)
    assert [len(batch) for batch in fourth] == [10] * 7
    flat = [row for batch in fourth for row in batch]
    assert len(set(flat)) == 70
    assert set(flat) <= set(rows.tolist())


def test_weights_draw_with_replacement() -> None:
    weight = np.array([1.0, 3.0, 0.0, 4.0])
    order = EpochOrder(np.arange(4), 2, (1,), weight)
    drawn = np.zeros(4)
    for epoch in range(2000):
        order.set_epoch(epoch)
        drawn += np.bincount(np.concatenate(list(order)), minlength=4)
    expected = 8000 * weight / weight.sum()
    variance = expected * (1 - weight / weight.sum())
    z = (drawn - expected)[variance > 0] / np.sqrt(variance[variance > 0])
    assert np.abs(z).max() < Z_MAX
    assert drawn[2] == 0


@pytest.mark.parametrize(("n", "size", "each"), [(75, 10, 3), (64, 16, 2), (9, 16, 1)])
def test_devices_share_the_batches(n: int, size: int, each: int) -> None:
    parts = [
        list(EpochOrder(np.arange(n), size, (2,), rank=rank, n_ranks=2, epoch=1))
        for rank in range(2)
    ]
    flat = np.concatenate([batch for part in parts for batch in part])
    assert len(np.unique(flat)) == len(flat)
    assert [len(part) for part in parts] == [each, each]
    assert all(len(batch) == min(size, n // 2) for part in parts for batch in part)
    assert len(EpochOrder(np.arange(n), size, (2,), rank=0, n_ranks=2)) == each


def cluster_data(catalog: Catalog, split: Split, memory_gb: float) -> ClusterData:
    inputs = Inputs.resolve(["bands", "redshift"], catalog.spec)
    reader = reader_of(Reader(catalog, inputs), memory_gb)
    return ClusterData(
        reader,
        reader,
        np.log(catalog.column("m500c_msun")),
        catalog.column("exposure_s"),
        split,
        batch_size=16,
        seed=(0, 1, 0),
        augmentation=Augmentation(),
    )


def test_batches_hold_the_rows_of_their_part(catalog) -> None:
    _, parts = run_folds(catalog, quick())
    data = cluster_data(catalog, parts[0], 1.0)
    ln_mass = np.log(catalog.column("m500c_msun"))
    by_exposure = {x: k for k, x in enumerate(catalog.column("exposure_s").astype(np.float32))}
    for loader, rows in (
        (data.train_dataloader(), parts[0].train),
        (data.val_dataloader(), parts[0].validation),
    ):
        seen = []
        for batch in loader:
            places = np.array([by_exposure[x] for x in batch.exposure_s.numpy()])
            np.testing.assert_array_equal(batch.clusters.counts, catalog.images(places))
            np.testing.assert_allclose(batch.ln_mass, ln_mass[places], rtol=1e-6)
            seen += places.tolist()
        assert len(set(seen)) == len(seen)
        assert set(seen) <= set(rows.tolist())
    assert sorted(seen) == sorted(parts[0].validation.tolist())


@pytest.mark.slow
def test_read_ahead_by_other_processes_is_alike(catalog) -> None:
    _, parts = run_folds(catalog, quick())
    held = cluster_data(catalog, parts[0], 1.0).train_dataloader()
    streamed = cluster_data(catalog, parts[0], 1e-6).train_dataloader()
    assert (held.num_workers, streamed.num_workers) == (0, 2)
    for epoch in (0, 1):
        held.sampler.set_epoch(epoch)
        streamed.sampler.set_epoch(epoch)
        pairs = list(zip(held, streamed, strict=True))
        for one, other in pairs:
            torch.testing.assert_close(one.ln_mass, other.ln_mass, rtol=0.0, atol=0.0)
            for part, again in zip(one.clusters, other.clusters, strict=True):
                assert torch.equal(part.float(), again.float())
    assert len(pairs) == len(parts[0].train) // 16


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_an_empty_part_is_refused(catalog, name: str) -> None:
    _, parts = run_folds(catalog, quick())
    split = parts[0]._replace(**{name: np.empty(0, np.int64)})
    with pytest.raises(InputError, match=f"folds: must leave clusters for the {name} part"):
        cluster_data(catalog, split, 1.0)
