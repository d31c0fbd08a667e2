"""Attributions of networks whose answer is known, and of estimators by laws they must obey."""

from pathlib import Path

import numpy as np
import pytest
import torch
from captum.attr import NoiseTunnel
from captum.attr import Saliency as CaptumSaliency

from icmass.catalog import Catalog, Change, ChangedCatalog
from icmass.interpret.attribution.attribute import Attributed, attributions
from icmass.interpret.attribution.methods import (
    METHODS,
    IntegratedGradients,
    Method,
    Occlusion,
    Saliency,
    SmoothGrad,
    make_method,
)
from icmass.interpret.attribution.question import ask
from icmass.interpret.attribution.spaces import function, others, variable
from icmass.interpret.subject import ALL_FOLDS, Subject
from tests.helpers.masses import make_catalog, mass_spec
from tests.helpers.subjects import estimator_subject, linear_subject

SHAPE = (3, 16, 16)
ROUNDING = 3e-5  # of ln M = 30 in single precision, a few times


def random_weight(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def found(subject: Subject, method: str | Method = "saliency", **asked: object) -> Attributed:
    """Return attributions of all wanted rows, in ascending order of rows."""
    parts = list(attributions(subject, method, **asked))  # type: ignore[arg-type]
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS]
    order = np.argsort(joined[0])
    return Attributed(*(part[order] for part in joined))


_FIELDS = ("rows", "values", "prediction", "baseline_prediction", "completeness")


def seen_counts(subject: Subject) -> np.ndarray:
    return subject.counts(np.arange(len(subject))).sum(axis=1).astype(np.float64)


@pytest.mark.parametrize("pixels", [16, 8])
def test_gradient_of_a_linear_network_is_its_weight(catalog: Catalog, pixels: int) -> None:
    weight = random_weight(shape=(3, pixels, pixels))
    result = found(linear_subject(catalog, weight))
    assert result.values.dtype == np.float32
    assert result.rows.tolist() == list(range(14))
    expected = np.broadcast_to(weight, result.values.shape)
    np.testing.assert_allclose(result.values, expected, rtol=2e-6)
    # Negative controls: a fixture that a turned or mirrored map would pass proves nothing.
    for wrong in (weight[:, ::-1], weight[:, :, ::-1], weight.swapaxes(1, 2), weight[::-1]):
        assert np.abs(wrong - weight).max() > 100 * np.abs(result.values - expected).max()


def test_gradients_by_photons_and_by_inputs_differ_by_one_more_photon(catalog: Catalog) -> None:
    weight = random_weight()
    photons = linear_subject(catalog, weight, space="photons")
    expected = np.broadcast_to(weight, (14, *SHAPE))
    np.testing.assert_allclose(found(photons, space="photons").values, expected, rtol=1e-6)
    more = 1.0 + seen_counts(photons)
    assert more.max() > 5
    np.testing.assert_allclose(found(photons, space="inputs").values, weight * more, rtol=1e-5)
    inputs = linear_subject(catalog, weight)
    np.testing.assert_allclose(found(inputs, space="photons").values, weight / more, rtol=1e-5)


def test_only_photons_that_networks_see_count(catalog: Catalog) -> None:
    weight = random_weight()
    subject = linear_subject(catalog, weight, origins=["icm"])
    expected = weight * np.log1p(subject.counts(np.arange(14), ["icm"])[:, 0])
    np.testing.assert_allclose(found(subject, "input-x-gradient").values, expected, rtol=1e-5)


@pytest.mark.parametrize("method", ["input-x-gradient", IntegratedGradients(n_steps=4)])
@pytest.mark.parametrize("space", ["inputs", "photons"])
def test_linear_parts_are_weight_times_value(
    catalog: Catalog, method: str | Method, space: str
) -> None:
    weight = random_weight()
    subject = linear_subject(catalog, weight, space=space)
    counts = seen_counts(subject)
    expected = weight * (np.log1p(counts) if space == "inputs" else counts)
    result = found(subject, method, space=space)
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(
        result.prediction, 32.0 + expected.sum(axis=(1, 2, 3)), atol=ROUNDING
    )
    np.testing.assert_allclose(result.prediction, subject.values(), atol=1e-6)


def test_integrated_gradients_start_at_the_baseline(catalog: Catalog) -> None:
    weight = random_weight()
    subject = linear_subject(catalog, weight)
    expectation = catalog.expectations(np.arange(14), None, ["background"])
    expected = weight * (np.log1p(seen_counts(subject)) - np.log1p(expectation))
    result = found(subject, IntegratedGradients(n_steps=4), baseline="background")
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-8)
    start = 32.0 + (weight * np.log1p(expectation)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(result.baseline_prediction, start, atol=ROUNDING)
    empty = found(subject, IntegratedGradients(n_steps=4)).baseline_prediction
    np.testing.assert_allclose(empty, 32.0, atol=ROUNDING)
    assert np.isnan(found(subject).baseline_prediction).all()
    assert np.isnan(found(subject).completeness).all()


@pytest.mark.parametrize(
    ("network", "n_steps"), [("paper-multiband", 800), ("resnet", 50), ("profile", 100)]
)
@pytest.mark.parametrize("baseline", ["empty", "background"])
def test_integrated_gradients_of_estimators_are_complete(
    catalog: Catalog, network: str, n_steps: int, baseline: str
) -> None:
    """To 1%, with steps as the kinks of the network ask for."""
    subject = estimator_subject(catalog, network, gain=2.0)
    rows = [1, 2, 5, 8]
    result = found(subject, IntegratedGradients(n_steps), baseline=baseline, rows=rows)
    change = result.prediction - result.baseline_prediction
    assert np.abs(change).min() > 100 * ROUNDING  # else the test would be of rounding
    np.testing.assert_allclose(result.values.sum(axis=(1, 2, 3)), change, rtol=0.01)
    sums = result.values.sum(axis=(1, 2, 3), dtype=np.float64)
    np.testing.assert_allclose(result.completeness, sums - change, atol=1e-7)
    # Negative control: the gradient at the cluster itself is not complete.
    local = found(subject, "input-x-gradient", rows=rows).values.sum(axis=(1, 2, 3))
    assert np.abs(local / change - 1.0).max() > 0.03


@pytest.mark.parametrize("stride", [None, 2])
@pytest.mark.parametrize("baseline", ["empty", "background"])
def test_occlusion_of_a_linear_network(catalog: Catalog, stride: int | None, baseline: str) -> None:
    weight = random_weight()
    subject = linear_subject(catalog, 10.0 * weight)
    expectation = catalog.expectations(np.arange(14), None, ["background"])
    start = np.log1p(expectation) if baseline == "background" else 0.0
    change = 10.0 * weight * (np.log1p(seen_counts(subject)) - start)
    expected, windows = np.zeros_like(change), np.zeros(SHAPE[1:])
    for y in range(0, 13, stride or 4):
        for x in range(0, 13, stride or 4):
            place = np.s_[..., y : y + 4, x : x + 4]
            expected[place] += change[place].sum(axis=(-2, -1), keepdims=True)
            windows[place] += 1.0
    result = found(subject, Occlusion(window=4, stride=stride), baseline=baseline, batch_size=8)
    np.testing.assert_allclose(result.values, expected / windows, atol=2 * ROUNDING)
    assert np.abs(expected).max() > 1000 * ROUNDING


@pytest.mark.parametrize("space", ["inputs", "photons"])
def test_smoothgrad_of_a_linear_network_is_its_weight(catalog: Catalog, space: str) -> None:
    weight = random_weight()
    subject = linear_subject(catalog, weight, space=space)
    result = found(subject, SmoothGrad(n_samples=3), space=space)
    np.testing.assert_allclose(result.values, np.broadcast_to(weight, (14, *SHAPE)), rtol=1e-5)


def test_smoothgrad_agrees_with_captum(catalog: Catalog) -> None:
    """Other random numbers, the same law: where no pixel is so dark that noise ends at zero.

    Means of 200 gradients each; their scatter is measured, and 5 of it allowed on the projection
    on the mean map. Noise of twice the size fails.
    """
    subject = estimator_subject(catalog, "resnet", folds=1)
    _, networks, seen = next(iter(subject.batches(1, np.array([3]))))
    bright = seen._replace(counts=seen.counts.float() + 20.0)
    f, x, beside = function(subject, networks, "inputs"), None, others(bright, "inputs")
    x = variable(bright, "inputs")
    scale = 0.05 * float(x.max() - x.min())

    def ours(noise: float) -> np.ndarray:
        question = ask(
            subject, np.array([3]), networks, bright,
            space="inputs", wanted_baseline=None, batch_size=64,
        )  # fmt: skip
        return SmoothGrad(n_samples=200, noise=noise).attribute(question).numpy().ravel()

    torch.manual_seed(0)
    tunnel = NoiseTunnel(CaptumSaliency(f))
    batches = [
        tunnel.attribute(
            x.clone().requires_grad_(), nt_samples=20, stdevs=scale, abs=False,
            additional_forward_args=beside,
        ).detach().numpy().ravel()
        for _ in range(10)
    ]  # fmt: skip
    mean = np.mean(batches, axis=0)
    projected = np.array([one @ mean for one in batches]) / (mean @ mean)
    error = projected.std(ddof=1) / np.sqrt(10) * np.sqrt(2)
    assert abs(ours(0.05) @ mean / (mean @ mean) - 1.0) < 5 * error
    assert abs(ours(0.4) @ mean / (mean @ mean) - 1.0) > 5 * error


def test_smoothgrad_draws_by_cluster(catalog: Catalog) -> None:
    subject = estimator_subject(catalog, "paper-multiband")
    method = SmoothGrad(n_samples=2, noise=0.3)
    whole = found(subject, method).values
    alone = found(subject, method, rows=[9]).values
    scale = np.abs(whole).max()
    np.testing.assert_allclose(alone[0], whole[9], atol=1e-5 * scale)
    other = found(subject, SmoothGrad(n_samples=2, noise=0.3, seed=1), rows=[9]).values
    assert np.abs(other[0] - whole[9]).max() > 1e-3 * scale


@pytest.mark.parametrize("network", ["paper-multiband", "resnet", "profile"])
def test_gradient_is_what_changed_inputs_do(catalog: Catalog, network: str) -> None:
    """Along the gradient, ln M grows by its square; half of it is not enough.

    Not at whole photons: many pixels are alike there, and networks that order or compare them have
    one slope to each side.
    """
    subject = estimator_subject(catalog, network, folds=1, head="gaussian", gain=2.0)
    for one in subject.networks(0):
        one.target_mean.zero_()  # type: ignore[operator]  # so that rounding is small
    rows, networks, seen = next(iter(subject.batches(4, np.arange(4))))
    more = torch.rand(seen.counts.shape, generator=torch.Generator().manual_seed(0))
    seen = seen._replace(counts=seen.counts.float() + 0.1 + more)
    question = ask(
        subject, rows, networks, seen, space="inputs", wanted_baseline=None, batch_size=64
    )
    gradient = Saliency().attribute(question)
    x, beside, f = question.x, question.others, question.function
    step = 1e-3 * gradient / gradient.abs().max()
    change = ((f(x + step, *beside) - f(x - step, *beside)) / 2.0).double().numpy()
    expected = (gradient * step).double().sum(dim=(1, 2, 3)).numpy()
    np.testing.assert_allclose(change, expected, rtol=0.05)
    assert np.abs(change / (0.5 * expected) - 1.0).min() > 0.5


@pytest.mark.parametrize("method", sorted(METHODS))
def test_result_does_not_depend_on_the_batch(catalog: Catalog, method: str) -> None:
    subject = estimator_subject(catalog, "paper-multiband", seed=3, gain=2.0)
    settings = {"integrated-gradients": {"n_steps": 6}, "smoothgrad": {"n_samples": 2}}
    chosen = make_method(method, **settings.get(method, {}))
    one, five, all_ = (
        found(subject, chosen, batch_size=size, baseline="background") for size in (1, 5, 64)
    )
    for other in (five, all_):
        assert np.array_equal(one.rows, other.rows)
        np.testing.assert_allclose(
            other.values, one.values, atol=2e-4 * np.abs(one.values).max() + 1e-5
            if method == "occlusion" else 1e-4 * np.abs(one.values).max(),
        )  # fmt: skip
        np.testing.assert_allclose(other.prediction, one.prediction, atol=1e-5)


def test_each_cluster_is_judged_by_its_own_fold(catalog: Catalog) -> None:
    weight = np.stack([random_weight(1), random_weight(2)])
    subject = linear_subject(catalog, weight)
    assert set(subject.fold) == {0, 1}
    rows = np.array([13, 0, 5, 2, 6])
    result = found(subject, rows=rows)
    assert result.rows.tolist() == sorted(rows)
    np.testing.assert_allclose(result.values, weight[subject.fold[result.rows]], rtol=2e-6)


def test_networks_of_all_folds_are_averaged(catalog: Catalog) -> None:
    weight = np.stack([random_weight(1), random_weight(2)])
    subject = linear_subject(catalog, weight)
    both = Subject(**{**subject.__dict__, "fold": np.full(14, ALL_FOLDS)})
    expected = np.broadcast_to(weight.mean(axis=0), (14, *SHAPE))
    np.testing.assert_allclose(found(both).values, expected, rtol=1e-5, atol=1e-8)


def test_target_decides_what_is_explained(catalog: Catalog) -> None:
    """Of a Gaussian, mean and median are alike, and a quantile is mean + z std."""
    subjects = {
        name: estimator_subject(catalog, "paper-multiband", head="gaussian", target=name)
        for name in ("mean", "std", "median", "0.16")
    }
    maps = {name: found(subject).values for name, subject in subjects.items()}
    scale = np.abs(maps["std"]).max()
    assert np.abs(maps["std"] - maps["mean"]).max() > 0.1 * scale
    np.testing.assert_allclose(maps["median"], maps["mean"], atol=1e-3 * scale)
    # Quantiles are given at every quarter of a deviation, linear between: exact for a Gaussian.
    np.testing.assert_allclose(
        maps["0.16"], maps["mean"] - 0.99446 * maps["std"], atol=2e-3 * scale
    )
    values = found(subjects["std"]).prediction
    assert (values > 0.0).all()
    np.testing.assert_allclose(values, subjects["std"].values(), rtol=1e-5)


def test_gradient_by_galaxies(catalog: Catalog) -> None:
    weight = random_weight(shape=(8, 8, 8))
    subject = linear_subject(catalog, weight, space="galaxies")
    result = found(subject, space="galaxies")
    np.testing.assert_allclose(result.values, np.broadcast_to(weight, (14, 8, 8, 8)), rtol=1e-6)
    cube = next(iter(subject.batches(14, np.arange(0, 14, 4))))[2].cube.numpy()
    rows = np.arange(0, 14, 4)
    assert set(subject.fold[rows]) == {0}
    expected = weight * cube
    for method in ("input-x-gradient", IntegratedGradients(n_steps=3)):
        values = found(subject, method, space="galaxies", rows=rows).values
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-9)
    assert not found(subject, space="inputs").values.any()


def test_multimodal_estimators(catalog: Catalog) -> None:
    subject = estimator_subject(
        catalog, "paper-multimodal", ("bands", "galaxies", "redshift"), cells=8, folds=1, gain=2.0
    )
    rows = np.arange(3)
    method = IntegratedGradients(n_steps=800)
    by_galaxies = found(subject, method, space="galaxies", rows=rows)
    change = by_galaxies.prediction - by_galaxies.baseline_prediction
    assert by_galaxies.values.shape == (3, 8, 8, 8)
    np.testing.assert_allclose(by_galaxies.values.sum(axis=(1, 2, 3)), change, rtol=0.01)
    assert found(subject, rows=rows).values.shape == (3, *SHAPE)
    smooth = found(subject, SmoothGrad(n_samples=2), space="galaxies", rows=rows)
    occluded = found(subject, Occlusion(window=4), space="galaxies", rows=rows)
    assert np.isfinite(smooth.values).all()
    # Windows of 4 cells a side: every one has a single value.
    blocks = occluded.values.reshape(3, 2, 4, 2, 4, 2, 4)
    assert np.ptp(blocks, axis=(2, 4, 6)).max() == 0.0


def test_background_without_expectations_is_flat(tmp_path: Path) -> None:
    """As of a catalog without noise-free images, so of a changed view, which hides them."""
    stored = make_catalog(tmp_path / "stored", 4)
    catalog = make_catalog(tmp_path / "bare", 4, spec=mass_spec(expectations=None))
    subject = linear_subject(catalog, random_weight())
    photons = catalog.images(np.arange(4), None, ["background"])
    mean = photons.mean(axis=(2, 3), keepdims=True)
    result = found(subject, IntegratedGradients(n_steps=3), baseline="background")
    start = 32.0 + (random_weight() * np.log1p(mean)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(result.baseline_prediction, start, atol=ROUNDING)
    assert np.ptp(mean) > 0.01
    changed = linear_subject(ChangedCatalog(stored, Change()), random_weight())
    again = found(changed, IntegratedGradients(n_steps=3), baseline="background")
    np.testing.assert_allclose(again.baseline_prediction, start, atol=ROUNDING)


def test_report_counts_clusters(catalog: Catalog) -> None:
    steps: list[int] = []
    found(linear_subject(catalog, random_weight()), batch_size=4, report=steps.append)
    assert sum(steps) == 14
    assert max(steps) == 4


def test_no_gradient_is_kept(catalog: Catalog) -> None:
    subject = estimator_subject(catalog, "paper-multiband")
    found(subject)
    assert all(p.grad is None for members in subject.judges for p in members[0].parameters())
