"""Regressions: nothing leaks, a known relation comes back, and the stated width is right."""

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec
from icmass.errors import InputError
from icmass.estimate.clipped_counts import ClippedCounts, Rings
from icmass.estimate.folds import halo_folds
from icmass.estimate.metrics import bias, error_std, slope_scatter
from icmass.estimate.regression import DEFAULT_OBSERVABLES, REGRESSORS, Features, cross_predict
from tests.helpers.catalogs import SPEC, shard_data
from tests.helpers.stats import Z_MAX

N_HALOS = 400
NOISE = 0.1  # of ln M given the features of the toy


def toy(n: int = N_HALOS) -> tuple[Features, np.ndarray, np.ndarray]:
    """Make masses that a polynomial of second degree gives, but for noise; and a spoiler."""
    rng = np.random.default_rng(0)
    x, ln_z, spoiler = rng.uniform(-1.7, 1.7, (3, n))
    ln_mass = 33.0 + 0.5 * x + 0.2 * ln_z - 0.1 * x * ln_z + rng.normal(0.0, NOISE, n)
    halo = np.arange(n) * 3 + 7
    features = Features(("n_phot", "redshift", "n_gal"), np.stack([x, ln_z, spoiler], axis=1))
    return features, ln_mass, halo


@pytest.mark.parametrize(
    ("regressor", "limit"), [("ridge", 0.11), ("boosting", 0.2), ("forest", 0.3)]
)
def test_a_known_relation_comes_back_and_the_width_is_that_of_the_errors(regressor, limit) -> None:
    features, ln_mass, halo = toy()
    found = cross_predict(features, ln_mass, halo_folds(halo, 2), halo, regressor, validation=0.2)
    error = error_std(ln_mass, found.mean)
    assert 0.09 < error < limit  # never below the noise, but for its own error of 3%
    assert abs(bias(ln_mass, found.mean)) < Z_MAX * error / np.sqrt(N_HALOS)
    # Two widths of 40 residuals each: known to 10% together, which moves the coverage by 0.05.
    assert np.sqrt(np.mean(found.std**2)) == pytest.approx(error, rel=0.4)
    assert len(np.unique(found.std)) == 2
    coverage = [np.mean(np.abs(ln_mass - found.mean) < k * found.std) for k in (0.5, 1.0, 2.0)]
    assert coverage[1] == pytest.approx(0.683, abs=0.2)
    # Half of it, as residuals of the fitted clusters would be for trees, and twice, are caught.
    assert coverage[0] < 0.48
    assert coverage[2] > 0.88


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_shuffled_masses_give_no_skill(regressor) -> None:
    features, ln_mass, halo = toy()
    shuffled = np.random.default_rng(5).permutation(ln_mass)
    found = cross_predict(features, shuffled, halo_folds(halo, 2), halo, regressor)
    correlation = np.corrcoef(found.mean, shuffled)[0, 1]
    assert abs(correlation) < Z_MAX / np.sqrt(N_HALOS)  # the real one is 0.9
    assert error_std(shuffled, found.mean) > 0.97 * shuffled.std()
    assert slope_scatter(shuffled, found.mean) > 1.0


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_masses_of_a_fold_do_not_touch_its_predictions(regressor) -> None:
    features, ln_mass, halo = toy(220)
    fold = halo_folds(halo, 2)
    before = cross_predict(features, ln_mass, fold, halo, regressor, validation=0.2)
    changed = np.where(fold == 1, 33.0 - ln_mass, ln_mass)
    after = cross_predict(features, changed, fold, halo, regressor, validation=0.2)
    np.testing.assert_array_equal(after.mean[fold == 1], before.mean[fold == 1])
    np.testing.assert_array_equal(after.std[fold == 1], before.std[fold == 1])
    assert np.all(np.abs(after.mean - before.mean)[fold != 1] > 0)


def test_features_of_a_fold_do_not_touch_the_predictions_of_its_other_clusters() -> None:
    features, ln_mass, halo = toy()
    values = features.values.copy()
    values[::9, 0] = np.nan
    fold = halo_folds(halo, 2)
    before = cross_predict(Features(features.names, values), ln_mass, fold, halo, "ridge")
    values = values.copy()
    row = np.flatnonzero(fold == 1)[4]
    values[row] = 1e3
    after = cross_predict(Features(features.names, values), ln_mass, fold, halo, "ridge")
    same = (fold == 1) & (np.arange(len(fold)) != row)
    np.testing.assert_array_equal(after.mean[same], before.mean[same])


def test_a_halo_on_both_sides_is_refused_for_it_would_be_known() -> None:
    # Lines of sight of a halo share numbers that say which it is, and its mass, which is noise.
    rng = np.random.default_rng(2)
    halo = np.repeat(np.arange(130), 3)
    ln_mass = np.repeat(rng.normal(33.0, 0.5, 130), 3)
    label = np.repeat(rng.normal(0.0, 1.0, (130, 2)), 3, axis=0)
    features = Features(("n_phot", "n_gal"), label)
    rows = np.arange(390) % 3
    with pytest.raises(InputError, match="must hold whole halos; 130 halos are in several folds"):
        cross_predict(features, ln_mass, rows, halo, "boosting")
    fold = halo_folds(halo, 3)
    honest = cross_predict(features, ln_mass, fold, halo, "forest")
    assert error_std(ln_mass, honest.mean) > 0.5 * 0.97
    # Without telling which rows are one halo, the same numbers look like skill.
    leaking = cross_predict(features, ln_mass, rows, np.arange(390), "forest")
    assert error_std(ln_mass, leaking.mean) < 0.4


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_unknown_numbers_cost_their_clusters_only(regressor) -> None:
    features, ln_mass, halo = toy()
    fold = halo_folds(halo, 2)
    values = np.hstack([features.values, np.tile([np.nan, 2.0], (N_HALOS, 1))])
    unknown = np.random.default_rng(4).random(N_HALOS) < 0.2
    values[unknown, 0] = np.nan
    spoiled = Features((*features.names, "extent_arcsec", "nh_cm2"), values)
    found = cross_predict(spoiled, ln_mass, fold, halo, regressor)
    whole = cross_predict(features, ln_mass, fold, halo, regressor)
    assert np.isfinite(found).all()
    error = error_std(ln_mass[unknown], found.mean[unknown])
    assert 0.3 < error < 0.65  # redshift alone leaves 0.5
    known = error_std(ln_mass[~unknown], found.mean[~unknown])
    assert known < 1.6 * error_std(ln_mass[~unknown], whole.mean[~unknown])


def test_a_seed_decides() -> None:
    features, ln_mass, halo = toy()
    one, same, other = (
        cross_predict(features, ln_mass, halo_folds(halo, 2), halo, "ridge", seed=seed)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert np.all(one.std != other.std)
    assert 0.001 < error_std(one.mean, other.mean) < 0.1


def test_observables_are_logarithms_under_their_names() -> None:
    columns = {
        "n_phot_soft": [-1, 0, 99],
        "sigma_v_clipped_km_s": [500.0, np.nan, 0.0],
        "redshift": [0.1, 0.2, 0.3],
        "exposure_s": [1600.0, 1600.0, 1600.0],
    }
    found = Features.observables(columns.__getitem__, tuple(columns))
    assert found.names == ("n_phot_soft", "sigma_v_clipped_km_s", "redshift")
    expected = [
        [np.nan, np.log(500.0), np.log(0.1)],
        [0.0, np.nan, np.log(0.2)],
        [np.log(100.0), np.nan, np.log(0.3)],
    ]
    np.testing.assert_allclose(found.values, expected, rtol=1e-14)
    columns["exposure_s"] = [1600.0, np.nan, 800.0]
    assert Features.observables(columns.__getitem__, tuple(columns)).names == tuple(columns)


def test_observables_of_a_catalog(tmp_path) -> None:
    spec = CatalogSpec(optional_columns=("n_gal", "sigma_v_clipped_km_s"), geometry=SPEC.geometry)
    catalog = Catalog.create(tmp_path / "catalog", spec)
    catalog.append(shard_data(spec, n=9))
    found = Features.observables(catalog.column)
    assert found.names == DEFAULT_OBSERVABLES
    place = DEFAULT_OBSERVABLES.index("n_gal")
    np.testing.assert_array_equal(found.values[:, place], np.log(catalog.column("n_gal") + 1.0))


@pytest.mark.parametrize(
    "name", ["m500c_msun", "gas_mass_msun", "n_phot_icm", "n_phot_agn_500", "n_phot_expected"]
)
def test_truths_are_refused_by_any_way(name) -> None:
    match = f"feature '{name}': must be something an observer knows; got a column of kind truth"
    with pytest.raises(InputError, match=match):
        Features.observables(lambda _: np.ones(3), ("redshift", name))
    with pytest.raises(InputError, match=match):
        Features((name,), np.ones((3, 1)))


def test_every_column_is_taken_or_refused_by_its_kind() -> None:
    from icmass.catalog import COLUMNS, expand

    for column in expand(COLUMNS, ("soft", "500x")):
        if column.kind == "observable":
            continue
        with pytest.raises(InputError, match=f"of kind {column.kind}"):
            Features.observables(lambda _: np.ones(3), (column.name,))


@pytest.mark.parametrize("name", ["flags", "detected", "dec_deg"])
def test_what_has_no_logarithm_is_refused(name) -> None:
    with pytest.raises(InputError, match=f"'{name}': must be a count or a positive number"):
        Features.observables(lambda _: np.ones(3), (name,))


def test_clipped_counts_with_redshift_and_exposure() -> None:
    counts = np.arange(12.0).reshape(2, 2, 3) ** 2
    clipped = ClippedCounts(("soft", "hard"), Rings((0.0, 100.0, 200.0, 300.0)), counts)
    found = Features.clipped(clipped, [0.1, 0.3], [500.0, 500.0])
    assert found.names[2:5] == ("soft, ring 3", "hard, ring 1", "hard, ring 2")
    assert found.names[6:] == ("redshift",)
    np.testing.assert_allclose(found.values[:, 3], np.log([10.0, 82.0]))
    np.testing.assert_allclose(found.values[:, 6], np.log([0.1, 0.3]))
    varying = Features.clipped(clipped.together(), [0.1, 0.3], [500.0, 800.0])
    assert varying.names[2:] == ("soft+hard, ring 3", "redshift", "exposure_s")
    np.testing.assert_allclose(varying.values[:, 4], np.log([500.0, 800.0]))
    np.testing.assert_allclose(varying.values[:, 1], np.log(1 + counts[:, :, 1].sum(axis=1)))


def test_joined_features_hold_shared_ones_once() -> None:
    one = Features(("n_phot", "redshift"), np.array([[1.0, 2.0], [3.0, np.nan]]))
    other = Features(("redshift", "n_gal"), np.array([[2.0, 5.0], [np.nan, 6.0]]))
    found = one.join(other)
    assert found.names == ("n_phot", "redshift", "n_gal")
    np.testing.assert_array_equal(found.values, [[1.0, 2.0, 5.0], [3.0, np.nan, 6.0]])
    with pytest.raises(InputError, match="feature 'redshift': must be the same in both"):
        one.join(Features(("redshift",), np.ones((2, 1))))
    with pytest.raises(InputError, match="must be of the same clusters; got 2 and 3"):
        one.join(Features(("n_gal",), np.ones((3, 1))))


def test_bad_features() -> None:
    with pytest.raises(InputError, match=r"features: must have the shape \(n, 2\); got \(4, 1\)"):
        Features(("n_phot", "n_gal"), np.ones((4, 1)))
    with pytest.raises(InputError, match="distinct names; got n_gal, n_gal"):
        Features(("n_gal", "n_gal"), np.ones((4, 2)))
    with pytest.raises(InputError, match="finite, or NaN where not known; got 4 infinite"):
        Features(("n_gal",), np.full((4, 1), -np.inf))
    with pytest.raises(InputError, match="feature 'colour': must be a column that catalogs"):
        Features.observables(lambda _: np.ones(3), ("colour",))


def test_bad_input_of_predictions() -> None:
    features, ln_mass, halo = toy()
    fold = halo_folds(halo, 3)
    with pytest.raises(InputError, match="regressor: must be one of ridge, boosting, forest; got"):
        cross_predict(features, ln_mass, fold, halo, "magic")
    with pytest.raises(InputError, match=r"ln M: must have the shape \(400,\); got \(399,\)"):
        cross_predict(features, ln_mass[1:], fold, halo, "ridge")
    with pytest.raises(InputError, match=r"folds: must have the shape \(400,\)"):
        cross_predict(features, ln_mass, fold[1:], halo, "ridge")
    with pytest.raises(InputError, match="ln M: must be finite; 1 of 400 are not"):
        cross_predict(features, np.where(halo == 7, np.nan, ln_mass), fold, halo, "ridge")
    with pytest.raises(InputError, match="must be of different masses; got one, 400 times"):
        cross_predict(features, np.full(400, 33.0), fold, halo, "ridge")
    with pytest.raises(InputError, match=r"set at least 20 clusters apart; got 3 by 0\.01"):
        cross_predict(features, ln_mass, fold, halo, "ridge", validation=0.01)
    same = Features(("n_gal", "redshift"), np.column_stack([np.ones(400), np.full(400, np.nan)]))
    with pytest.raises(InputError, match="features: must vary among the clusters fitted to"):
        cross_predict(same, ln_mass, fold, halo, "ridge")
