"""Networks: they learn, do not know turns where they should not, and are the study's by layers."""

import numpy as np
import pytest
import torch

from icmass.errors import InputError
from icmass.estimate.augmentation import N_TURNS, turned
from icmass.estimate.estimator import Estimator, learn_normalisation, tensors
from icmass.estimate.heads import HEADS
from icmass.estimate.inputs import Inputs
from icmass.estimate.networks import NETWORKS, InputShape, network_class
from icmass.estimate.networks.base import Defaults, Network, register
from icmass.estimate.networks.resnet import RingPooling, _radius
from icmass.estimate.reading import HeldReader
from icmass.estimate.threads import one_thread
from tests.helpers.masses import mass_spec, ones

N = 12
LN_MASS = np.random.default_rng(3).permutation(np.linspace(32.0, 34.0, N))
NAMES = ("paper-multiband", "paper-multimodal", "paper-single", "profile", "resnet")


def inputs_of(name: str, *bands: str) -> Inputs:
    wanted = [*(bands or network_class(name).defaults.inputs[:1]), "redshift", "exposure_s"]
    if network_class(name).sees_galaxies:
        wanted.append("galaxies")
    return Inputs.resolve(wanted, mass_spec(), cube_cells=8)


def estimator_of(name: str, head: str, *bands: str) -> tuple[Estimator, HeldReader]:
    torch.manual_seed(1)
    inputs = inputs_of(name, *bands)
    held = HeldReader(ones(inputs, N))
    estimator = Estimator(name, head, inputs)
    learn_normalisation(estimator, held, np.arange(N), LN_MASS, np.ones(N))
    return estimator, held


def test_the_registry() -> None:
    assert sorted(NETWORKS) == sorted(NAMES)
    with pytest.raises(InputError, match="network 'resnt': is not known; did you mean 'resnet'"):
        network_class("resnt")


@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize("name", NAMES)
def test_every_network_and_head_learns_a_batch_by_heart(name: str, head: str) -> None:
    estimator, held = estimator_of(name, head)
    clusters = tensors(held.read(np.arange(N)))
    target = torch.from_numpy(LN_MASS.astype(np.float32))
    optimiser = torch.optim.Adam(estimator.parameters(), 4e-3)
    with one_thread():
        for _ in range(120):
            optimiser.zero_grad()
            estimator.loss(clusters, target).mean().backward()
            torch.nn.utils.clip_grad_norm_(estimator.parameters(), 5.0)
            optimiser.step()
        estimator.eval()
        with torch.no_grad():
            found = estimator(clusters)
            loss = float(estimator.loss(clusters, target).mean())
    # Of random counts nothing can be said: whoever knows the masses has them by heart.
    assert float((found - target).abs().median()) < 0.25 * float(target.std())
    assert loss < (0.1 if head == "point" else 0.4)  # at first 1, and 1.4 or more


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bands", [("soft",), ("soft", "hard", "all", "medium+hard")])
def test_any_number_of_bands(name: str, bands: tuple[str, ...]) -> None:
    estimator, held = estimator_of(name, "point", *bands)
    seen = estimator.standardise(tensors(held.read(np.arange(3))))
    assert estimator.features(seen).shape == (3, estimator.network.width)


@pytest.mark.parametrize("side", [16, 33, 64])
def test_profiles_do_not_know_turns(side: int) -> None:
    torch.manual_seed(2)
    network = network_class("profile")(InputShape(3, side, side, 100.0, 1)).eval()
    counts = torch.poisson(torch.rand(4, 3, side, side) * 4.0)
    clusters = tensors(ones(inputs_of("profile"), 4))._replace(counts=counts)
    with torch.no_grad():
        seen = [network.prepare(turned(clusters, turn).counts) for turn in range(N_TURNS)]
        said = [network(one, torch.ones(4, 1), clusters.cube) for one in seen]
    for one in said[1:]:
        torch.testing.assert_close(one, said[0], rtol=0.0, atol=1e-5)
    assert float(said[0].std()) > 1e-3
    assert not network.turns_matter


def test_profiles_sort_the_sectors_of_rings() -> None:
    network = network_class("profile")(InputShape(1, 32, 32, 200.0, 0))
    n_ring = network.prepare(torch.ones(1, 1, 32, 32)).shape[2]
    flat = torch.expm1(network.prepare(torch.full((1, 1, 32, 32), 7.0)))[0]
    area = network.area.reshape(n_ring, 8).sum(dim=1)
    # Even light: each sector says what a ring like it would hold.
    torch.testing.assert_close(flat, (7.0 * area).expand(8, -1), rtol=1e-4, atol=1e-3)
    # Together they are the disc that fits into the image, none of it twice.
    assert float(area.sum()) == pytest.approx(np.pi * 16.0**2, rel=5e-3)
    assert float(network.pixels.sum(dim=1).max()) <= 1.0 + 1e-6
    point = torch.zeros(1, 1, 32, 32)
    point[0, 0, 16, 26] = 50.0  # between two sectors at most
    lit = torch.expm1(network.prepare(point))[0]
    assert (lit[-1] > 0).any()
    assert not lit[:6].any()
    assert (lit.diff(dim=0) >= 0).all()


@pytest.mark.parametrize("side", [16, 31])
def test_ring_pooling_does_not_know_turns(side: int) -> None:
    pool = RingPooling(_radius(side, side, 100.0), 100.0)
    maps = torch.rand(2, 3, side, side)
    expected = pool(maps)
    for turn in range(N_TURNS):
        other = torch.rot90(maps, turn % 4, (-2, -1))
        other = other.flip(-1) if turn >= 4 else other
        torch.testing.assert_close(pool(other), expected, rtol=1e-5, atol=1e-6)
    assert expected.shape == (2, 24)
    torch.testing.assert_close(pool(torch.full_like(maps, 3.0)), torch.full((2, 24), 3.0))
    rings = pool(_radius(side, side, 1.0).expand(1, 1, -1, -1))[0]
    assert (rings.diff() > 0).all()


@pytest.mark.parametrize(
    ("side", "pixel", "seen"),
    [
        (128, 51.05, 32),
        (64, 102.1, 32),
        (32, 204.2, 16),
        (33, 204.2, 15),
        (16, 200.0, 16),
        (65, 51.05, 63),
        (127, 51.05, 63),
    ],
)
def test_the_central_part_lies_about_the_centre(side: int, pixel: float, seen: int) -> None:
    network = network_class("resnet")(InputShape(1, side, side, pixel, 0))
    counts = torch.rand(1, 1, side, side)
    found = torch.expm1(network.prepare(counts))
    assert found.shape == (1, 1, seen, seen)
    torch.testing.assert_close(
        torch.expm1(network.prepare(torch.rot90(counts, 1, (-2, -1)))),
        torch.rot90(found, 1, (-2, -1)),
    )
    margin = (side - seen * network.factor) // 2
    inside = counts[..., margin : side - margin, margin : side - margin]
    torch.testing.assert_close(found.sum(), inside.sum(), rtol=1e-5, atol=0.0)
    images = network.prepare(counts)
    assert network(images, torch.empty(1, 0), torch.empty(1, 0)).shape == (1, 64)


def test_the_single_network_of_the_study() -> None:
    network = network_class("paper-single")(InputShape(1, 128, 128, 51.05, 0))
    x, shapes = torch.zeros(1, 1, 128, 128), []
    for layer in network.convolutions:
        x = layer(x)
        if not isinstance(layer, torch.nn.ReLU):
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [
        (24, 128, 128),
        (10, 128, 128),
        (10, 32, 32),
        (24, 32, 32),
        (10, 32, 32),
        (10, 16, 16),
        (2560,),
    ]
    convolutions = (1 * 25 + 1) * 24 + (24 * 9 + 1) * 10 + (10 * 25 + 1) * 24 + (24 * 9 + 1) * 10
    dense = (2560 + 1) * 128 + (128 + 1) * 128 + (128 + 1) * 64
    assert sum(p.numel() for p in network.parameters()) == convolutions + dense == 363_564
    estimator = Estimator(
        "paper-single", "point", Inputs.resolve(["all"], mass_spec(geometry=_study()))
    )
    assert sum(p.numel() for p in estimator.parameters()) == convolutions + dense + 64 + 1


def _study():
    from icmass.catalog import ImageGeometry

    return ImageGeometry()


def test_the_multimodal_network_sees_galaxies_where_they_are() -> None:
    torch.manual_seed(0)
    network = network_class("paper-multimodal")(InputShape(3, 16, 16, 200.0, 0, 16)).eval()
    images, cube = torch.rand(2, 3, 16, 16), torch.rand(2, 16, 16, 16)
    with torch.no_grad():
        plain = network(images, torch.empty(2, 0), cube)
        other = network(images, torch.empty(2, 0), cube.flip(1))
    assert plain.shape == (2, 64)
    assert float((plain - other).abs().max()) > 1e-5


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("paper-single", InputShape(1, 7, 16, 200.0, 0), "at least 8 x 8 pixels; got 7 x 16"),
        (
            "resnet",
            InputShape(1, 7, 7, 200.0, 0),
            r"'resnet': must see at least 8 x 8 .* got 7 x 7",
        ),
        ("resnet", InputShape(1, 16, 16, 600.0, 0), "got 6 x 6 of 16 x 16"),
        ("profile", InputShape(1, 6, 6, 600.0, 0), "'profile': must see at least 8 x 8 pixels"),
        ("paper-multimodal", InputShape(3, 16, 16, 200.0, 0), "must see galaxies; add galaxies"),
    ],
)
def test_too_little_to_see_is_refused(name: str, shape: InputShape, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network_class(name)(shape)


def test_a_new_network_is_one_class() -> None:
    @register
    class Total(Network):
        name = "total"
        defaults = Defaults(("all",))

        def __init__(self, shape: InputShape) -> None:
            super().__init__(shape)
            self.width = shape.n_channel

        def forward(self, images, scalars, cube):
            return images.sum(dim=(2, 3))

    try:
        estimator, held = estimator_of("total", "gaussian")
        assert estimator(tensors(held.read(np.arange(5)))).shape == (5,)
    finally:
        del NETWORKS["total"]
