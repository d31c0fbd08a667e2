"""Folds: the right octant, whole halos, nothing of one halo on both sides."""

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec
from icmass.errors import InputError
from icmass.estimate.folds import catalog_folds, halo_folds, require_apart, spatial_folds, splits
from tests.helpers.catalogs import SPEC, shard_data


def test_octants_are_numbered_by_the_axis() -> None:
    position = [[1, 1, 1], [1, 1, 9], [1, 9, 1], [9, 1, 1], [9, 9, 10.0], [5.0, 0.0, 4.999]]
    assert spatial_folds(position, 10.0).tolist() == [0, 1, 2, 4, 7, 4]
    assert spatial_folds(position, 10.0, cells=3).max() == 26


@pytest.mark.parametrize("bad", [np.nan, -0.1, 10.1])
def test_positions_outside_the_box_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="1 of 2 rows are not"):
        spatial_folds([[1, 1, 1], [1, bad, 1]], 10.0)


def test_halo_folds_are_equal_whole_and_reproducible() -> None:
    halo = np.repeat(np.arange(40) * 7, 3)
    fold = halo_folds(halo, 8, seed=3)
    assert np.bincount(fold).tolist() == [15] * 8
    require_apart(fold, halo)
    np.testing.assert_array_equal(fold, halo_folds(halo, 8, seed=3))
    assert (fold != halo_folds(halo, 8, seed=4)).any()


@pytest.mark.parametrize("n_folds", [1, 5])
def test_fewer_halos_than_folds_are_refused(n_folds: int) -> None:
    with pytest.raises(InputError, match="folds: must be from 2 to the 4 halos"):
        halo_folds([0, 1, 2, 3, 3], n_folds)


def test_a_halo_on_both_sides_is_refused() -> None:
    halo, fold = np.array([5, 5, 6, 7]), np.array([0, 1, 0, 1])
    with pytest.raises(InputError, match=r"1 halos are in several folds, the first is number 5\."):
        next(splits(fold, halo))


def test_splits_cover_everything_once_and_share_no_halo() -> None:
    halo = np.repeat(np.arange(100), 3)
    fold = halo_folds(halo, 4)
    tested = []
    for split in splits(fold, halo, validation=0.2):
        parts = [set(halo[rows]) for rows in split]
        assert not (parts[0] & parts[1])
        assert not (parts[0] & parts[2])
        assert not (parts[1] & parts[2])
        assert sum(map(len, split)) == 300
        assert len(split.validation) == 3 * 15
        tested.extend(split.test)
    assert sorted(tested) == list(range(300))


def test_validation_must_leave_something_to_train_on() -> None:
    with pytest.raises(InputError, match="validation: must be from 0 to below 1; got 1"):
        next(splits([0, 1], [0, 1], validation=1.0))


def test_a_catalog_with_a_box_is_split_in_octants(tmp_path) -> None:
    spec = CatalogSpec(
        optional_columns=("box_x_mpc", "box_y_mpc", "box_z_mpc"),
        geometry=SPEC.geometry,
        box_size_mpc=2.0,
    )
    data = shard_data(spec, n=64)
    corner = np.random.default_rng(1).permutation(np.arange(32) % 8)[data.columns["halo_id"]]
    for bit, axis in zip((4, 2, 1), "xyz", strict=True):
        data.columns[f"box_{axis}_mpc"] = 0.3 + ((corner & bit) > 0)
    catalog = Catalog.create(tmp_path / "with", spec)
    catalog.append(data)
    np.testing.assert_array_equal(catalog_folds(catalog), corner)
    assert np.unique(catalog_folds(catalog, n_folds=5)).tolist() == [0, 1, 2, 3, 4]


def test_a_catalog_without_a_box_is_split_by_halo(tmp_path) -> None:
    catalog = Catalog.create(tmp_path / "without", CatalogSpec(geometry=SPEC.geometry))
    catalog.append(shard_data(catalog.spec, n=40))
    fold = catalog_folds(catalog)
    require_apart(fold, catalog.column("halo_id"))
    assert len(np.unique(fold)) == 8
