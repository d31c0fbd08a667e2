"""What heads say: losses in closed form, quantiles that increase and fit the density."""

import math

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from scipy.stats import norm

from icmass.errors import InputError
from icmass.estimate.ensemble import even_scores
from icmass.estimate.heads import HEADS, SCORES, make_head

WIDTH, N = 5, 7


def features(n: int = N) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(2).normal(size=(n, WIDTH)).astype(np.float32))


def trained(name: str) -> torch.nn.Module:
    """Return a head that has learnt something lopsided, so that nothing is at its start."""
    torch.manual_seed(4)
    head = make_head(name, WIDTH)
    rng = np.random.default_rng(5)
    x = torch.from_numpy(rng.normal(size=(512, WIDTH)).astype(np.float32))
    noise = torch.from_numpy(rng.exponential(0.4, 512).astype(np.float32))
    optimiser = torch.optim.Adam(head.parameters(), 0.02)
    with torch.enable_grad():
        for _ in range(60):
            optimiser.zero_grad()
            head.loss(x, x[:, 0] + noise).mean().backward()
            optimiser.step()
    return head.eval()


def test_scores_are_those_of_ensembles() -> None:
    np.testing.assert_array_equal(SCORES, even_scores())
    assert sorted(HEADS) == ["flow", "gaussian", "point"]


@pytest.mark.parametrize("name", ["point", "gaussian", "flow"])
def test_quantiles_increase(name: str) -> None:
    with torch.no_grad():
        value = trained(name).quantiles(features())
        fresh = make_head(name, WIDTH).quantiles(features())
    for one in (value, fresh):
        assert one.shape == (N, 25)
        assert (one.diff(dim=1) > 0).all()


def test_point() -> None:
    head = trained("point")
    with torch.no_grad():
        value, target = head.quantiles(features()), torch.linspace(-1, 1, N)
        loss = head.loss(features(), target)
    np.testing.assert_allclose(loss, (value[:, 12] - target) ** 2, rtol=1e-5)
    np.testing.assert_allclose(value - value[:, 12:13], np.tile(SCORES, (N, 1)), atol=1e-5)
    assert not head.distribution


def test_the_gaussian_loss_is_its_likelihood() -> None:
    head, target = trained("gaussian"), torch.linspace(-3, 3, N)
    with torch.no_grad():
        value, loss = head.quantiles(features()).double().numpy(), head.loss(features(), target)
    mean, std = value[:, 12], value[:, 16] - value[:, 12]
    np.testing.assert_allclose(loss, -norm.logpdf(target.numpy(), mean, std), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(value, mean[:, None] + std[:, None] * np.array(SCORES), atol=1e-5)
    assert np.ptp(std) > 0.01


@pytest.mark.parametrize("size", [0.0, 1e4])
def test_the_gaussian_loss_stays_finite(size: float) -> None:
    head = trained("gaussian")
    with torch.no_grad():
        assert torch.isfinite(head.loss(features() * size, torch.linspace(-9, 9, N))).all()
        assert torch.isfinite(head.mean_and_ln_std(features() * size)[1]).all()


@pytest.mark.parametrize("name", ["gaussian", "flow"])
def test_density_and_quantiles_agree(name: str) -> None:
    head, some = trained(name), features(4)
    x = torch.linspace(-14.0, 14.0, 8001)
    with torch.no_grad():
        density = torch.stack(
            [torch.exp(-head.loss(row.expand(len(x), -1), x)) for row in some]
        ).double()
        value = head.quantiles(some).double().numpy()
    step = float(x[1] - x[0])
    middle = (density[:, 1:] + density[:, :-1]).numpy() / 2.0 * step
    below = np.concatenate([np.zeros((4, 1)), np.cumsum(middle, axis=1)], axis=1)
    np.testing.assert_allclose(below[:, -1], 1.0, atol=2e-4)
    found = np.stack(
        [np.interp(v, x.double().numpy(), b) for v, b in zip(value, below, strict=True)]
    )
    np.testing.assert_allclose(found, np.tile(ndtr(SCORES), (4, 1)), atol=5e-4)
    # A flow that were turned around, or widths off by a percent, would be seen.
    other = np.stack(
        [
            np.interp(v[12] + 1.01 * (v - v[12]), x.double().numpy(), b)
            for v, b in zip(value, below, strict=True)
        ]
    )
    assert np.abs(other - ndtr(SCORES)).max() > 1e-3


def test_the_flow_takes_a_shape() -> None:
    with torch.no_grad():
        value = trained("flow").quantiles(features()).numpy()
    upper, lower = value[:, 18] - value[:, 12], value[:, 12] - value[:, 6]
    assert np.median(upper / lower) > 1.5  # what it learnt is exponential
    assert math.isfinite(value.sum())


def test_unknown_heads_are_refused() -> None:
    with pytest.raises(InputError, match="head 'gausian': is not known; did you mean 'gaussian'"):
        make_head("gausian", 3)
