"""Who judges whom: out of fold at home, all together elsewhere; and what stands in the catalog."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icmass.catalog import Band, Catalog
from icmass.errors import InputError, OutputError
from icmass.estimate import prediction
from icmass.estimate.ensemble import disagreement, mixture
from icmass.estimate.metrics import Predictive
from icmass.estimate.prediction import QUANTILES, look, predict, stated, write_predictions
from icmass.estimate.reading import Reader
from icmass.estimate.runs import WEIGHTS
from icmass.estimate.training import run_folds, train
from tests.helpers.masses import make_catalog, mass_spec, quick


@pytest.fixture(scope="module")
def said(trained_run, mass_catalog):
    return predict(trained_run, mass_catalog)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Catalog:
    path = tmp_path_factory.mktemp("elsewhere") / "catalog"
    return make_catalog(path, 40, seed=2, sample=5)


def of_fold(run: Any, catalog: Catalog, fold: int, rows: np.ndarray) -> Predictive:
    loaded = run.load_fold(fold)
    seen = look(loaded.members[0], Reader(catalog, run.inputs), rows, run.turns)
    return loaded.recalibration.apply(Predictive(*stated(seen)))


def test_each_cluster_is_judged_by_whom_has_not_seen_it(trained_run, mass_catalog, said) -> None:
    _, parts = run_folds(mass_catalog, trained_run.config)
    for number, split in enumerate(parts):
        assert np.all(said.fold[split.test] == number)
        assert not set(split.test) & set(split.train) | set(split.test) & set(split.validation)
        own = of_fold(trained_run, mass_catalog, number, split.test)
        np.testing.assert_allclose(said.predictive.value[split.test], own.value, rtol=1e-6)
        other = of_fold(trained_run, mass_catalog, 1 - number, split.test)
        assert np.abs(other.value - own.value).max() > 0.01


def test_the_judge_did_not_see_even_the_counts(tmp_path, trained_run, mass_catalog) -> None:
    """Its weights are the same if the clusters it judges are others, and not if others are."""
    _, parts = run_folds(mass_catalog, trained_run.config)
    mass = mass_catalog.column("m500c_msun")
    nh = mass_catalog.column("nh_cm2")
    changed = mass.copy()
    changed[parts[0].test] *= np.random.default_rng(1).uniform(0.3, 3.0, len(parts[0].test))
    other = make_catalog(tmp_path / "other", columns={"m500c_msun": changed, "nh_cm2": nh})
    run = train(other, trained_run.config, tmp_path / "run", workers=1)
    one, two = (
        [(r.member_directory(k, 0) / WEIGHTS).read_bytes() for k in range(2)]
        for r in (trained_run, run)
    )
    assert one[0] == two[0]
    assert one[1] != two[1]


def test_clusters_of_elsewhere_are_judged_by_all(trained_run, elsewhere) -> None:
    found = predict(trained_run, elsewhere)
    assert np.all(found.fold == -1)
    every = np.arange(40)
    parts = [of_fold(trained_run, elsewhere, k, every) for k in range(2)]
    np.testing.assert_allclose(found.predictive.value, mixture(parts).value, rtol=1e-6)
    assert np.all(found.disagreement > 0)
    plain = [
        Predictive(
            *stated(look(trained_run.load_fold(k).members[0], Reader(elsewhere, trained_run.inputs),
                         every, False))
        )
        for k in range(2)
    ]  # fmt: skip
    np.testing.assert_allclose(found.disagreement, disagreement(plain), rtol=1e-5)


def test_another_line_of_sight_of_a_known_halo(tmp_path, trained_run, mass_catalog) -> None:
    more = make_catalog(tmp_path / "more", 210, lines_of_sight=3)
    found = predict(trained_run, more)
    fold = dict(
        zip(mass_catalog.column("halo_id"), trained_run.folds_of(mass_catalog), strict=True)
    )
    expected = [fold.get(halo, -1) for halo in more.column("halo_id")]
    assert found.fold.tolist() == expected
    assert set(expected) == {-1, 0, 1}
    rows = np.flatnonzero(found.fold == 1)
    own = of_fold(trained_run, more, 1, rows)
    np.testing.assert_allclose(found.predictive.value[rows], own.value, rtol=1e-6)


def test_rows_do_not_depend_on_their_company(trained_run, mass_catalog, said, monkeypatch) -> None:
    monkeypatch.setattr(prediction, "_CHUNK", 7)
    rows = np.array([90, 3, 4, 55, 20, 21, 22, 23, 24, 25, 26, 27])
    told: list[int] = []
    found = predict(trained_run, mass_catalog.select(rows), report=told.append)
    np.testing.assert_allclose(found.predictive.value, said.predictive.value[rows], rtol=1e-5)
    np.testing.assert_allclose(found.strangeness, said.strangeness[rows], rtol=1e-3)
    assert sum(told) == len(rows)
    assert len(predict(trained_run, mass_catalog.select(rows[:0])).fold) == 0


def test_one_cluster_is_thinned_as_in_training(tmp_path, mass_catalog) -> None:
    config = quick(epochs=1, equal_weight=True)
    run = train(mass_catalog, config, tmp_path / "run", workers=1)
    slope, furthest = run.load_fold(0).thinning
    z = mass_catalog.column("redshift")
    _, parts = run_folds(mass_catalog, config)
    assert furthest == z[parts[0].train].max()
    assert slope < 0.0
    seen: list[Reader] = []

    def spy(reader: Reader) -> Reader:
        seen.append(reader)
        return reader

    nearest = np.flatnonzero(run.folds_of(mass_catalog) == 0)[:1]
    predict(run, mass_catalog.select(nearest), change=spy)
    assert (seen[0].thinning, seen[0].z_reference) == (slope, furthest)
    assert (seen[1].thinning, seen[1].z_reference) == run.load_fold(1).thinning


def test_what_stands_in_the_catalog(tmp_path, trained_run) -> None:
    catalog = make_catalog(tmp_path / "catalog", 130)
    found = predict(trained_run, catalog)
    path = write_predictions(catalog, "quick", found)
    assert path == Path(catalog.path) / "predictions" / "quick.h5"
    there = Catalog.open(catalog.path).predictions("quick")
    mean, std = found.predictive.mean_std()
    np.testing.assert_array_equal(there.mean, mean)
    np.testing.assert_array_equal(there.std, std)
    assert np.all(std > 0)
    assert there.quantity == "ln(M500c / Msun)"
    assert set(there.extra) == {"fold", "strangeness", "disagreement"}
    for name, values in there.extra.items():
        np.testing.assert_array_equal(values, getattr(found, name))
    assert set(there.extra["fold"]) == {-1, 0, 1}
    values = np.stack([there.quantiles[p] for p in sorted(there.quantiles)])
    assert len(values) == len(QUANTILES) == 13
    assert np.all(np.diff(values, axis=0) > 0)
    assert np.all((mean > values[3]) & (mean < values[-4]))
    again = Predictive.from_predictions(there)
    np.testing.assert_allclose(again.mean_std()[0], mean, atol=0.05 * std.min())
    with pytest.raises(OutputError, match="has predictions 'quick' already"):
        write_predictions(catalog, "quick", found)
    write_predictions(catalog, "quick", found, overwrite=True)


def test_aliens_are_strange(tmp_path, trained_run, elsewhere) -> None:
    alike = predict(trained_run, elsewhere)
    aliens = make_catalog(tmp_path / "aliens", 40, seed=2, sample=6, brighter=30.0)
    found = predict(trained_run, aliens)
    assert 0.3 < np.median(alike.strangeness) < 3.0
    assert np.median(found.strangeness) > 2.0 * np.median(alike.strangeness)
    assert np.mean(found.disagreement) > np.mean(alike.disagreement)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands": (Band("soft", 0.5, 2.0),)}, r"other: must have the band soft 0.5-1.2 keV"),
        ({"geometry": mass_spec().geometry.__class__(8, 8, 400.0)}, "other: must have images of"),
    ],
)
def test_a_catalog_of_something_else_is_refused(tmp_path, trained_run, changes, message) -> None:
    other = make_catalog(tmp_path / "other", 4, spec=mass_spec(galaxies=False, **changes))
    with pytest.raises(InputError, match=message):
        predict(trained_run, other)


def test_quantiles_that_rounding_made_alike_increase() -> None:
    seen = prediction.Look(np.full((2, 25), 33.0), np.empty((2, 0), np.float32), np.ones(2))
    seen.quantiles[1, 12] = 32.0
    found = Predictive(*stated(seen))
    assert np.all(np.diff(found.value) > 0)
    assert np.abs(found.value - 33.0).max() < 1e-4
