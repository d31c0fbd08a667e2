"""Shuffled weights must destroy maps, and what is normalised must stay."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from icmass.errors import InputError
from icmass.estimate.inputs import Inputs
from icmass.interpret.statistics.sanity import check_sanity, map_correlation, permuted
from tests.helpers.subjects import LinearJudge, linear_subject, subject_of_judges


class BumpyJudge(nn.Module):
    """Two layers with random weights; which are used depends on the image. Has a buffer."""

    def __init__(self, n: int, seed: int) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        # Of very different sizes, as trained weights are.
        weight = rng.normal(size=(8, n)) * np.exp(1.5 * rng.normal(size=n))
        self.first = nn.Linear(n, 8)
        self.first.weight.data = torch.tensor(weight, dtype=torch.float32)
        self.second = nn.Parameter(torch.tensor(rng.normal(size=8), dtype=torch.float32))
        self.register_buffer("mean", torch.full((1,), 0.3))

    def standardise(self, clusters):
        return torch.log1p(clusters.counts.float()) - self.mean

    def features(self, seen):
        return torch.tanh(0.02 * self.first(seen.flatten(1))) @ self.second[:, None]

    def quantiles(self, features):
        return features + torch.linspace(-3, 3, 25)


@pytest.fixture
def catalog(clusters, tmp_path):
    rng = np.random.default_rng(2)
    return clusters(tmp_path / "c", rng.poisson(1.5, (20, 2, 3, 14, 12)).astype(np.uint16))


def bumpy(catalog, seed=0):
    inputs = Inputs.resolve(["bands"], catalog.spec)
    judges = [[BumpyJudge(3 * 14 * 12, 10 * seed + fold)] for fold in range(2)]
    return subject_of_judges(catalog, judges, inputs)


def maps(subject, rows):
    for some, networks, seen in subject.batches(7, rows):
        x = torch.log1p(seen.counts.float()).requires_grad_(True)
        value = subject.value(networks, seen._replace(counts=torch.expm1(x)))
        yield some, torch.autograd.grad(value.sum(), x)[0].numpy()


def test_weights_are_shuffled_and_buffers_kept(catalog):
    subject = bumpy(catalog)
    subject.judges[0][0].mean.fill_(0.7)
    before = [p.clone() for fold in subject.judges for p in fold[0].parameters()]
    other = permuted(subject, 3)
    assert other.judges[0][0].mean.item() == pytest.approx(0.7)
    after = [p for fold in other.judges for p in fold[0].parameters()]
    for a, b in zip(before, after, strict=True):
        assert torch.equal(a.flatten().sort()[0], b.flatten().sort()[0])
        assert not torch.equal(a, b)
        assert not b.requires_grad
    assert all(
        torch.equal(a, b)
        for a, b in zip(before, (p for f in subject.judges for p in f[0].parameters()), strict=True)
    )
    again = [p for fold in permuted(subject, 3).judges for p in fold[0].parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, again, strict=True))
    third = [p for fold in permuted(subject, 4).judges for p in fold[0].parameters()]
    assert not torch.equal(after[0], third[0])


def test_layouts_of_memory_stay(catalog):
    subject = bumpy(catalog)
    network = subject.judges[0][0]
    network.conv = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    network.requires_grad_(False)
    weight = permuted(subject).judges[0][0].conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(weight.flatten().sort()[0], network.conv.weight.flatten().sort()[0])
    assert not torch.equal(weight, network.conv.weight)


def test_rank_correlation_is_spearmans_of_sizes():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4, 2, 5, 6))
    b = a + rng.normal(size=a.shape) * np.array([0.0, 0.5, 2.0, 0.0])[:, None, None, None]
    b[2] = np.round(b[2])  # ties
    b[3] = 1.0
    found = map_correlation(a, b)
    for k in range(3):
        expected = spearmanr(np.abs(a[k]).ravel(), np.abs(b[k]).ravel()).statistic
        assert found[k] == pytest.approx(expected)
    assert found[0] == pytest.approx(1.0)
    assert map_correlation(a, -a) == pytest.approx(1.0)
    assert np.isnan(found[3])


def test_maps_of_one_shape():
    with pytest.raises(InputError, match=r"maps: must have one shape; got \(2, 3\) and \(2, 4\)"):
        map_correlation(np.zeros((2, 3)), np.zeros((2, 4)))


def test_shuffled_weights_destroy_maps_and_the_same_do_not(catalog):
    subject = bumpy(catalog)
    kwargs = {"slopes": {"n_phot": 1.3}, "n_resamples": 20}
    same = check_sanity(subject, subject, maps, name="itself", **kwargs)
    assert same.correlation.value == pytest.approx(1.0)
    shuffled = check_sanity(
        subject,
        permuted(subject, 1),
        maps,
        name="permuted weights",
        rows=np.arange(3, 15),
        **kwargs,
    )
    assert shuffled.name == "permuted weights"
    assert shuffled.n_clusters == 12
    # 504 pixels: chance gives 0.045 for each of two networks; the median over clusters, less.
    assert abs(shuffled.correlation.value) < 0.15
    assert shuffled.core.radius == 0.285
    assert shuffled.same_cluster_dex.error > 0.0
    assert shuffled.to_dict()["correlation"]["value"] == shuffled.correlation.value


def test_another_subject_may_come_in_other_batches(catalog):
    weight = np.random.default_rng(0).normal(size=(3, 14, 12))
    inputs = Inputs.resolve(["bands"], catalog.spec)
    subject = subject_of_judges(catalog, [[LinearJudge(weight)]] * 2, inputs)
    other = subject_of_judges(
        catalog, [[LinearJudge(weight)]] * 3, inputs, fold=np.arange(20)[::-1] % 3
    )
    found = check_sanity(subject, other, maps, name="same", slopes={}, n_resamples=3)
    assert found.correlation.value == pytest.approx(1.0)
    assert found.core is None
    assert found.difference_dex is not None


def test_other_images_are_refused(catalog):
    subject, other = bumpy(catalog), linear_subject(catalog, np.zeros((3, 14, 12)))
    with pytest.raises(InputError, match=r"other networks: must see the same clusters .* got 5 x"):
        check_sanity(subject, other.select(np.arange(5)), maps, name="few", slopes={})
