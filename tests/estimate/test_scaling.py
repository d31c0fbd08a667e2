"""Relations recover what made the sample; combinations have the variance that theory says."""

import math

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.estimate.combination import combine, cross_validate, mean_scatter
from icmass.estimate.folds import halo_folds
from icmass.estimate.proxies import ProxySample
from icmass.estimate.scaling import PIVOT_MASS_MSUN, Binned, Smooth, fit_relations
from icmass.estimate.search import all_sets, binned_scatter, score_sets

REDSHIFTS = np.array([0.07, 0.21, 0.47])
SLOPE = np.array([0.6, 1.2, -0.8])
SIGMA = np.array([0.07, 0.12, 0.3])
CORRELATION = np.array([[1.0, 0.4, 0.1], [0.4, 1.0, -0.5], [0.1, -0.5, 1.0]])
COVARIANCE = CORRELATION * np.outer(SIGMA, SIGMA)
NAMES = ("T", "gas", "odd")


def make_sample(n: int = 6000, seed: int = 1, rows_per_halo: int = 1) -> ProxySample:
    """Three proxies whose norms and slopes change with redshift."""
    rng = np.random.default_rng(seed)
    redshift = rng.choice(REDSHIFTS, n)
    ln_m = rng.normal(0.2, 0.6, n)
    residual = rng.multivariate_normal(np.zeros(3), COVARIANCE, n)
    u = np.log1p(redshift)[:, None]
    norm = np.array([1.0, 2.0, 3.0]) + u * [0.5, -1.0, 2.0]
    ln_proxy = norm + (SLOPE + 0.3 * u) * ln_m[:, None] + residual
    halo = np.arange(n) // rows_per_halo
    return ProxySample(NAMES, ln_proxy, ln_m + math.log(PIVOT_MASS_MSUN), redshift, halo)


@pytest.mark.parametrize("evolution", [Binned, Smooth])
def test_relations_recover_the_truth(evolution) -> None:
    sample = make_sample(60_000)
    relations = fit_relations(sample, evolution.of(sample.redshift))
    norm, slope, covariance = relations.at(REDSHIFTS)
    u = np.log1p(REDSHIFTS)[:, None]
    error = SIGMA / math.sqrt(20_000)  # of the norm; that of the slope is 1/0.6 times it
    assert np.all(np.abs(norm - [1.0, 2.0, 3.0] - u * [0.5, -1.0, 2.0]) < 5 * error)
    assert np.all(np.abs(slope - SLOPE - 0.3 * u) < 5 * error / 0.6)
    np.testing.assert_allclose(covariance, np.broadcast_to(COVARIANCE, (3, 3, 3)), atol=2e-3)
    np.testing.assert_allclose(relations.correlation(), CORRELATION, atol=0.03)


def test_binned_is_least_squares_in_each_bin() -> None:
    sample = make_sample(400)
    relations = fit_relations(sample)
    for z in REDSHIFTS:
        inside = sample.redshift == z
        x = sample.ln_mass[inside] - math.log(PIVOT_MASS_MSUN)
        slope, norm = np.polyfit(x, sample.ln_proxy[inside], 1)
        found = relations.at(z)
        np.testing.assert_allclose(found[0][0], norm, rtol=1e-9)
        np.testing.assert_allclose(found[1][0], slope, rtol=1e-9)
        residual = sample.ln_proxy[inside] - norm - x[:, None] * slope
        expected = residual.T @ residual / (inside.sum() - 2)
        np.testing.assert_allclose(found[2][0], expected, rtol=1e-9)


def test_a_single_proxy_gives_residual_over_slope() -> None:
    sample = make_sample(500).proxies(["odd"])
    relations = fit_relations(sample, Binned((), (0.2,)))
    x = sample.ln_mass - math.log(PIVOT_MASS_MSUN)
    slope, norm = np.polyfit(x, sample.ln_proxy[:, 0], 1)
    sigma = np.sqrt(np.sum((sample.ln_proxy[:, 0] - norm - slope * x) ** 2) / 498)
    assert mean_scatter(relations) == pytest.approx(sigma / abs(slope), rel=1e-9)


def test_the_combination_has_the_closed_form() -> None:
    """Two proxies of slope 1: variance s1^2 s2^2 (1 - r^2) / (s1^2 + s2^2 - 2 r s1 s2)."""
    sample = make_sample(200_000)
    pair = fit_relations(sample, Binned((), (0.2,))).subset(("T", "gas"))
    s1, s2 = np.sqrt(np.diag(pair.covariance[0])) / pair.slope()
    r = pair.correlation()[0, 1]
    variance = s1**2 * s2**2 * (1 - r**2) / (s1**2 + s2**2 - 2 * r * s1 * s2)
    assert mean_scatter(pair) == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert mean_scatter(pair) < min(s1, s2)


def test_predictions_are_unbiased_with_the_stated_spread() -> None:
    fitted, sample = make_sample(60_000, seed=1), make_sample(60_000, seed=2)
    prediction = combine(fit_relations(fitted), sample)
    error = (prediction.mean - sample.ln_mass) / prediction.std
    assert abs(error.mean()) < 5 * math.sqrt(2 / 60_000)
    assert abs(error.std() - 1.0) < 5 * math.sqrt(1 / 60_000)
    slope = np.polyfit(sample.ln_mass, prediction.mean, 1)[0]
    assert abs(slope - 1.0) < 5 * prediction.std.mean() / 0.6 * math.sqrt(2 / 60_000)


def test_more_proxies_never_make_it_worse_in_sample() -> None:
    sample = make_sample(2000)
    score = {s.names: s.in_sample for s in score_sets(sample)}
    assert len(score) == len(all_sets(NAMES)) == 7
    for names, value in score.items():
        assert all(value <= score[part] + 1e-12 for part in score if set(part) < set(names))


def test_cross_validation_is_honest_and_in_sample_is_not() -> None:
    """Useless proxies sharpen the fit in sample and blur what is predicted for others."""
    sample = make_sample(240)
    noise = np.random.default_rng(5).normal(size=(240, 20))
    names = NAMES + tuple(f"noise {k}" for k in range(20))
    wide = ProxySample(
        names, np.hstack([sample.ln_proxy, noise]), sample.ln_mass, sample.redshift, sample.halo
    )
    fold = halo_folds(sample.halo, 4)
    few, many = sorted(score_sets(wide, [NAMES, names], fold=fold), key=lambda s: len(s.names))
    assert many.in_sample < few.in_sample
    assert many.cross_validated > few.cross_validated
    assert few.cross_validated == pytest.approx(few.error_std, rel=0.1)


def test_a_fold_does_not_see_its_own_clusters() -> None:
    sample = make_sample(600)
    fold = halo_folds(sample.halo, 3)
    before = cross_validate(sample, fold, [NAMES])[0]
    spoilt = sample.ln_mass.copy()
    spoilt[fold == 1] += 3.0  # the truth of the test fold must not matter to it
    changed = ProxySample(NAMES, sample.ln_proxy, spoilt, sample.redshift, sample.halo)
    after = cross_validate(changed, fold, [NAMES])[0]
    np.testing.assert_array_equal(before.mean[fold == 1], after.mean[fold == 1])
    assert (before.mean[fold == 0] != after.mean[fold == 0]).all()


def test_folds_that_share_a_halo_are_refused() -> None:
    sample = make_sample(60, rows_per_halo=2)
    with pytest.raises(InputError, match="folds: must hold whole halos"):
        cross_validate(sample, np.arange(60) % 3, [NAMES])


def test_bootstrap_error_is_that_of_repeated_samples() -> None:
    values = [score_sets(make_sample(600, seed=k), [("gas",)])[0].in_sample for k in range(60)]
    score = score_sets(make_sample(600), [("gas",)], n_resamples=100)[0]
    # Both are known to 1/sqrt(2 n): 9% and 7%.
    assert score.in_sample_error == pytest.approx(np.std(values, ddof=1), rel=0.4)


def test_unknown_and_zero_proxies_are_left_out() -> None:
    columns = {
        "m500c_msun": np.geomspace(1e14, 9e14, 40),
        "redshift": np.full(40, 0.1),
        "n_gal": np.arange(40),
        "kt": np.append(np.nan, np.linspace(2, 9, 39)),
        **{key: np.arange(40) for key in ("sample_id", "snapshot_id", "halo_id")},
    }
    columns["n_gal"][3] = -1
    sample = ProxySample.of(columns.__getitem__, {"N_gal": "n_gal", "T": "kt"})
    assert len(sample.complete()) == 38
    relations = fit_relations(sample)
    assert relations.n_clusters == 38
    prediction = combine(relations, sample)
    assert np.flatnonzero(np.isnan(prediction.mean)).tolist() == [0, 3]
    assert np.flatnonzero(np.isnan(prediction.std)).tolist() == [0, 3]
    with pytest.raises(InputError, match="proxy: must be one of N_gal, T; got 'L_X'"):
        sample.proxies(["L_X"])


def test_many_redshifts_fall_in_bins_of_equal_numbers() -> None:
    redshift = np.random.default_rng(0).uniform(0.1, 0.5, 1100)
    bins = Binned.of(redshift)
    count = np.bincount(bins.covariance_bin(redshift))
    assert len(count) == 11
    assert count.min() > 50


def test_too_few_clusters_are_refused() -> None:
    with pytest.raises(InputError, match="at least 5 clusters with all of T, gas, odd"):
        fit_relations(make_sample(8))


def test_one_mass_is_refused() -> None:
    sample = make_sample(90)
    one = ProxySample(NAMES, sample.ln_proxy, np.full(90, 33.0), sample.redshift, sample.halo)
    with pytest.raises(InputError, match="different masses"):
        fit_relations(one)


def test_samples_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"ln_proxy: must have shape \(3, 1\); got \(2, 1\)"):
        ProxySample(("a",), np.zeros((2, 1)), np.zeros(3), np.zeros(3), np.arange(3))


def test_binned_scatter_ignores_norm_slope_and_evolution() -> None:
    sample = make_sample(3000)
    prediction = combine(fit_relations(sample), sample).mean
    shifted = 0.5 * prediction + sample.redshift
    assert binned_scatter(sample, shifted) == pytest.approx(binned_scatter(sample, prediction))
