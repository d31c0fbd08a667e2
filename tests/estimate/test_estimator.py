"""Normalisation from the training part alone, redshift scaling as in the study, derivatives."""

import math

import numpy as np
import pytest
import torch

from icmass.estimate.estimator import Estimator, learn_normalisation, tensors
from icmass.estimate.inputs import Inputs
from icmass.estimate.prediction import look
from icmass.estimate.reading import Clusters, HeldReader
from tests.helpers.masses import mass_spec, ones

N = 40
TRAIN = np.arange(0, N, 2)
SPEC = mass_spec()


def held_clusters(*wanted: str) -> tuple[Inputs, Clusters]:
    inputs = Inputs.resolve(wanted or ("bands", "redshift", "exposure_s"), SPEC, cube_cells=8)
    return inputs, ones(inputs, N)


def learnt(
    inputs: Inputs, clusters: Clusters, network: str = "resnet", **options: bool
) -> Estimator:
    torch.manual_seed(5)
    estimator = Estimator(network, "gaussian", inputs, **options)
    ln_mass = np.random.default_rng(1).normal(33.0, 0.4, N)
    weight = np.random.default_rng(2).uniform(0.5, 2.0, len(TRAIN))
    learn_normalisation(estimator, HeldReader(clusters), TRAIN, ln_mass[TRAIN], weight)
    expected = np.average(ln_mass[TRAIN], weights=weight)
    assert float(estimator.target_mean) == pytest.approx(expected, rel=1e-6)
    std = math.sqrt(np.average((ln_mass[TRAIN] - expected) ** 2, weights=weight))
    assert float(estimator.target_scale) == pytest.approx(std, rel=1e-5)
    return estimator.eval()


@pytest.mark.parametrize("network", ["resnet", "profile", "paper-multimodal"])
def test_what_is_seen_has_mean_0_and_std_1(network: str) -> None:
    wanted = ["bands", "redshift", "exposure_s"]
    wanted += ["galaxies"] if network == "paper-multimodal" else []
    inputs, clusters = held_clusters(*wanted)
    estimator = learnt(inputs, clusters, network)
    seen = estimator.standardise(tensors(HeldReader(clusters).read(TRAIN)))
    over = estimator.network.standardised_over
    torch.testing.assert_close(
        seen.images.mean(dim=over), torch.zeros_like(seen.images.mean(dim=over)), rtol=0, atol=1e-4
    )
    spread = seen.images.std(dim=over, unbiased=False)
    assert ((spread - 1.0).abs() < 1e-3).logical_or(spread == 0.0).all()
    assert float(spread.max()) > 0.99
    torch.testing.assert_close(seen.scalars.std(dim=0, unbiased=False), torch.ones(2))
    if network == "paper-multimodal":
        assert abs(float(seen.cube.mean())) < 1e-4
        assert float(seen.cube.std()) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("scaling", [False, True])
def test_nothing_is_learnt_of_the_other_parts(scaling: bool) -> None:
    inputs, clusters = held_clusters()
    before = learnt(inputs, clusters, redshift_scaling=scaling).state_dict()
    changed = Clusters(*(part.copy() for part in clusters))
    changed.counts[1::2] *= 7
    changed.scalars[1::2] += 3.0
    changed.redshift[1::2] *= 2.0
    after = learnt(inputs, changed, redshift_scaling=scaling).state_dict()
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]), name
    changed.counts[0] += 1  # whereas one photon of the training part is seen
    other = learnt(inputs, changed, redshift_scaling=scaling).state_dict()
    assert not torch.equal(before["image_mean"], other["image_mean"])


def test_what_is_constant_is_left_out() -> None:
    inputs, clusters = held_clusters()
    clusters.scalars[:, 1] = 7.4
    clusters.counts[:, 2] = 3
    estimator = learnt(inputs, clusters)
    assert estimator.scalar_scale[0, 1] == 0.0
    assert estimator.scalar_scale[0, 0] > 0.0
    assert estimator.image_scale[0, 2] == 0.0
    there = tensors(HeldReader(clusters).read(TRAIN))
    elsewhere = there._replace(scalars=there.scalars + torch.tensor([0.0, 5.0]))
    torch.testing.assert_close(estimator(elsewhere), estimator(there), rtol=0.0, atol=0.0)


def test_images_are_scaled_to_4000_photons_by_the_fit() -> None:
    inputs, clusters = held_clusters("all", "redshift")
    z = np.linspace(0.1, 0.4, N).astype(np.float32)
    counts = np.zeros_like(clusters.counts)
    counts[:, 0, 3, 9] = np.round(10.0 ** (4.2 - 2.5 * z)).astype(np.uint16)  # log N is a line
    clusters = clusters._replace(counts=counts, redshift=z)
    estimator = learnt(inputs, clusters, redshift_scaling=True)
    np.testing.assert_allclose(estimator.redshift_fit, [4.2, -2.5], atol=2e-3)
    every = tensors(HeldReader(clusters).read(np.arange(N)))
    sums = torch.expm1(estimator.prepared(every)).sum(dim=(1, 2, 3))
    np.testing.assert_allclose(sums, 4000.0, rtol=2e-3)
    plain = learnt(inputs, clusters).prepared(every)
    assert torch.expm1(plain).sum(dim=(1, 2, 3)).max() > 6000.0
    # Twice the photons at one redshift are twice the scaled photons: it is not each cluster's own.
    double = every._replace(counts=every.counts.float() * 2.0)
    twice = torch.expm1(estimator.prepared(double)).sum(dim=(1, 2, 3))
    np.testing.assert_allclose(twice, 8000.0, rtol=2e-3)


@pytest.mark.parametrize("network", ["resnet", "profile", "paper-multiband"])
def test_derivatives_by_photons(network: str) -> None:
    inputs, clusters = held_clusters()
    estimator = learnt(inputs, clusters, network)
    estimator.target_mean.zero_()  # for the digits
    some = tensors(HeldReader(clusters).read(TRAIN[:3]))
    counts = (some.counts.float() + 0.5).requires_grad_()
    estimator(some._replace(counts=counts)).sum().backward()
    gradient = counts.grad
    assert torch.isfinite(gradient).all()
    direction = gradient / gradient.norm()
    with torch.no_grad():
        step = 0.1 * direction
        up, down = (
            estimator(some._replace(counts=counts + sign * step)).sum() for sign in (1.0, -1.0)
        )
    assert float(up - down) / 0.2 == pytest.approx(float(gradient.norm()), rel=0.1)  # of kinks


def test_noise_is_a_part_of_what_is_standardised_where_photons_are_drawn_anew() -> None:
    inputs, clusters = held_clusters("all", "redshift")
    rates = np.full((N, 2, 1, 16, 16), 0.05, np.float32)
    zeros = np.zeros((N, 1, 16, 16), np.uint16)
    estimator = learnt(inputs, clusters._replace(counts=zeros, rates=rates))
    drawn = tensors(clusters)._replace(counts=torch.poisson(torch.full((N, 1, 16, 16), 0.1)))
    seen = estimator.standardise(drawn).images
    assert float(seen.std()) == pytest.approx(1.0, rel=0.1)
    assert float(seen.mean()) == pytest.approx(0.0, abs=0.1)


def test_strangeness() -> None:
    inputs, clusters = held_clusters()
    estimator = learnt(inputs, clusters)
    rng = np.random.default_rng(8)
    mixing = rng.normal(size=(estimator.network.width, 6))
    features = torch.from_numpy((rng.normal(size=(4000, 6)) @ mixing.T + 3.0).astype(np.float32))
    estimator.learn_features(features)
    near = estimator.strangeness(features)
    assert float(near.square().mean()) == pytest.approx(1.0, rel=0.01)
    away = estimator.strangeness(features + 5.0 * torch.from_numpy(mixing[:, 0].astype(np.float32)))
    assert float(away.square().mean()) == pytest.approx(1.0 + 25.0 / 6.0, rel=0.05)
    # Along what never varied nothing is strange, however far.
    off = np.linalg.svd(mixing)[0][:, -1].astype(np.float32)
    torch.testing.assert_close(
        estimator.strangeness(features + 10.0 * torch.from_numpy(off)), near, rtol=0.02, atol=0.02
    )


def test_a_look_is_the_mean_of_eight_views() -> None:
    inputs, clusters = held_clusters()
    estimator, held = learnt(inputs, clusters), HeldReader(clusters)
    rows = np.array([3, 9, 4])
    plain, turned = (look(estimator, held, rows, turns) for turns in (False, True))
    total = 0.0
    for turn in range(8):
        images = np.rot90(clusters.counts, turn % 4, (2, 3))
        images = images[..., ::-1] if turn >= 4 else images
        other = HeldReader(clusters._replace(counts=np.ascontiguousarray(images)))
        total = total + look(estimator, other, rows, False).quantiles
    np.testing.assert_allclose(turned.quantiles, total / 8.0, rtol=1e-6)
    assert np.abs(turned.quantiles - plain.quantiles).max() > 1e-4
    np.testing.assert_array_equal(turned.features, plain.features)
    assert look(estimator, held, rows[:0], True).quantiles.shape == (0, 25)
