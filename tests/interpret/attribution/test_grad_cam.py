"""Grad-CAM: it finds a known place, in the pixels of the image, and refuses what has no maps."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.inputs import Inputs
from icmass.interpret.attribution.attribute import attributions
from icmass.interpret.attribution.grad_cam import last_maps
from icmass.interpret.attribution.question import Question, ask
from icmass.interpret.subject import Subject
from tests.helpers.subjects import estimator_subject, subject_of_judges


class Finder(nn.Module):
    """ln M = 30 + the mean of a map that answers to photons; `cut` pixels are not looked at.

    Its convolution takes channel `channel` alone and halves the pixels; a pooling follows.
    """

    def __init__(self, channel: int, cut: int = 0, sign: float = 1.0) -> None:
        super().__init__()
        self.cut, self.sign = cut, sign
        self.convolution = nn.Conv2d(3, 1, 2, stride=2, bias=False)
        self.activation = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.convolution.weight.data.zero_()
        self.convolution.weight.data[0, channel] = 0.25

    def standardise(self, clusters: Any) -> Tensor:
        counts = clusters.counts.float()
        return counts[:, :, self.cut :, self.cut // 2 :]

    def features(self, seen: Tensor) -> Tensor:
        maps = self.pool(self.activation(self.convolution(seen)))
        return self.sign * maps.mean(dim=(2, 3))

    def quantiles(self, features: Tensor) -> Tensor:
        return 30.0 + features.expand(-1, 25)


def question_of(subject: Subject, counts: np.ndarray | None = None) -> Question:
    rows, networks, seen = next(iter(subject.batches(64, np.arange(4))))
    if counts is not None:
        seen = seen._replace(counts=torch.from_numpy(np.stack([counts] * len(rows))))
    return ask(
        subject, rows, networks, seen, space="inputs", wanted_baseline=None, batch_size=64
    )  # fmt: skip


def finder_subject(catalog: Catalog, *finders: Finder) -> Subject:
    inputs = Inputs.resolve(["bands"], catalog.spec)
    return subject_of_judges(catalog, [finders], inputs, fold=np.zeros(len(catalog), np.int64))


@pytest.mark.parametrize("cut", [0, 4, 8])
def test_a_source_is_found_where_it_is(catalog: Catalog, cut: int) -> None:
    from icmass.interpret.attribution.grad_cam import grad_cam

    counts = np.zeros((3, 16, 16), np.float32)
    counts[1, 12:14, 6:8] = 40.0  # seen
    counts[2, 9:11, 10:12] = 400.0  # in a channel that is not
    maps = grad_cam(question_of(finder_subject(catalog, Finder(1, cut)), counts)).numpy()
    assert maps.shape == (4, 3, 16, 16)
    assert np.array_equal(maps[:, 0], maps[:, 2])
    peak = np.argwhere(maps[0, 0] == maps[0, 0].max())
    assert peak[:, 0].min() >= 12
    assert peak[:, 0].max() <= 13
    assert peak[:, 1].min() >= 6
    assert peak[:, 1].max() <= 7
    assert not maps[0, 0, :cut].any()  # where it does not look
    assert not maps[0, 0, :, : cut // 2].any()
    # Centre of light, which a map spread over other pixels would move.
    light = maps[0, 0] / maps[0, 0].sum()
    np.testing.assert_allclose((light.sum(axis=1) * np.arange(16)).sum(), 12.5, atol=0.05)
    np.testing.assert_allclose((light.sum(axis=0) * np.arange(16)).sum(), 6.5, atol=0.05)


def test_sign_and_mean_over_networks(catalog: Catalog) -> None:
    from icmass.interpret.attribution.grad_cam import grad_cam

    counts = np.random.default_rng(0).poisson(2.0, (3, 16, 16)).astype(np.float32)
    up, down = Finder(0), Finder(1, sign=-1.0)
    first, second, both = (
        grad_cam(question_of(finder_subject(catalog, *finders), counts))
        for finders in ((up,), (down,), (up, down))
    )
    assert first.min() >= 0.0 > second.min()
    torch.testing.assert_close(both, (first + second) / 2.0)


@pytest.mark.parametrize(
    ("network", "size"), [("paper-multiband", (4, 4)), ("resnet", (8, 8)), ("finder", (8, 8))]
)
def test_last_maps_are_those_after_the_last_convolution(
    catalog: Catalog, network: str, size: tuple[int, int]
) -> None:
    subject = (
        finder_subject(catalog, Finder(0))
        if network == "finder"
        else estimator_subject(catalog, network, folds=1)
    )
    question = question_of(subject)
    judge = question.function.networks[0]
    layer = last_maps(judge, question.function, question)
    if network == "resnet":
        assert layer is judge.network.blocks  # type: ignore[union-attr]
    else:
        assert isinstance(layer, nn.ReLU)
    sizes: list[tuple[int, ...]] = []
    layer.register_forward_hook(lambda module, given, result: sizes.append(result.shape[2:]))
    question.predict()
    assert sizes == [size]


def test_estimators_in_both_spaces(catalog: Catalog) -> None:
    subject = estimator_subject(catalog, "resnet", gain=2.0)
    inputs, photons = (
        next(attributions(subject, "grad-cam", space=space, rows=[0, 1]))
        for space in ("inputs", "photons")
    )
    assert np.ptp(inputs.values) > 0.0
    scale = np.abs(inputs.values).max()
    np.testing.assert_allclose(inputs.values, photons.values, atol=1e-4 * scale)
    np.testing.assert_allclose(inputs.prediction, subject.values()[inputs.rows], atol=1e-5)


def test_networks_without_convolutions_are_refused(catalog: Catalog) -> None:
    subject = estimator_subject(catalog, "profile")
    with pytest.raises(
        InputError,
        match=r"grad-cam: must have convolutions over images; network 'profile' has none\. Take",
    ):
        list(attributions(subject, "grad-cam"))
