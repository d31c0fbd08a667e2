"""Guide tables give the same bin as a plain search."""

import numba
import numpy as np
import pytest

from icmass.simulate.photons.inverse_cdf_kernels import draw_bin, fill_guide
from tests.helpers.stats import assert_chi_square

LARGEST = 1.0 - 2.0**-53


@numba.njit
def _draw_all(cdf, guide, u, out):
    for i in range(u.shape[0]):
        out[i] = draw_bin(cdf, guide, u[i])


def table(weight: np.ndarray, n_guide: int) -> tuple[np.ndarray, np.ndarray]:
    cdf = (np.cumsum(weight) / np.sum(weight)).astype(np.float32)
    cdf[-1] = 1.0
    guide = np.empty((1, n_guide), np.int16)
    fill_guide(cdf[None], guide)
    return cdf, guide[0]


def bins(cdf: np.ndarray, guide: np.ndarray, u: np.ndarray) -> np.ndarray:
    out = np.empty(len(u), np.int64)
    _draw_all(cdf, guide, u, out)
    return out


def weights(kind: str) -> np.ndarray:
    rng = np.random.default_rng(5)
    return {
        "one bin": np.ones(1),
        "two bins": np.array([1.0, 3.0]),
        "even": np.ones(300),
        "wild": rng.lognormal(0.0, 4.0, 1000),
        "gaps": rng.random(500) * (rng.random(500) < 0.1) + np.eye(1, 500, 499)[0],
        "dark ends": np.r_[np.zeros(40), np.ones(20), np.zeros(40)],
        "one spike": np.r_[np.full(100, 1e-12), 1.0, np.full(100, 1e-12)],
    }[kind]


KINDS = ["one bin", "two bins", "even", "wild", "gaps", "dark ends", "one spike"]


@pytest.mark.parametrize("n_guide", [1, 7, 256, 512])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_a_plain_search(kind, n_guide):
    cdf, guide = table(weights(kind), n_guide)
    edges = cdf[cdf < 1.0].astype(np.float64)
    u = np.concatenate([
        np.random.default_rng(1).random(20_000),
        edges,
        np.nextafter(edges[edges > 0], 0.0),
        np.arange(n_guide) / n_guide,
        [0.0, LARGEST],
    ])  # fmt: skip
    twin = np.searchsorted(cdf.astype(np.float64), u, side="right")
    assert np.array_equal(bins(cdf, guide, u), twin)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_bins_are_never_drawn(kind):
    weight = weights(kind)
    cdf, guide = table(weight, 64)
    u = np.r_[np.random.default_rng(2).random(50_000), 0.0, LARGEST]
    assert (weight[bins(cdf, guide, u)] > 0).all()


@pytest.mark.parametrize("kind", ["two bins", "wild", "gaps"])
def test_bins_occur_as_often_as_their_weight(kind):
    weight = weights(kind)
    cdf, guide = table(weight, 512)
    n = 100_000
    counts = np.bincount(
        bins(cdf, guide, np.random.default_rng(3).random(n)), minlength=weight.size
    )
    assert_chi_square(counts, n * weight / weight.sum())
    with pytest.raises(AssertionError):
        assert_chi_square(counts, n * np.roll(weight, 1) / weight.sum())


def test_guide_of_many_rows_is_that_of_each():
    cdf = np.stack([table(w, 8)[0] for w in (np.ones(9), np.arange(1.0, 10.0))])
    guide = np.empty((2, 8), np.int16)
    fill_guide(cdf, guide)
    for row in range(2):
        steps = (np.arange(8) / 8).astype(np.float32)
        assert np.array_equal(guide[row], np.searchsorted(cdf[row], steps, side="right"))
