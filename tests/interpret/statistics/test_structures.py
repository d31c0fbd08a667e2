"""Structures that are looked at by a known share of what other pixels of their radius are."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.interpret.statistics.structures import StructureTable


def batch(n=10, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.arange(30) - 12.0, np.arange(34) - 20.0
    radius = np.repeat(np.hypot(y[:, None], x)[None] / 10.0, n, axis=0)
    kind = np.zeros(radius.shape, np.uint8)
    kind[:, 20:24, 5:9] = 1
    kind[: n // 2, 3:6, 28:33] = 3  # only half the clusters have a neighbour
    counts = rng.poisson(1.0, (n, 2, 2, 30, 34))
    counts[:, 0] += 5 * (kind == 1)[:, None]
    own = rng.lognormal(0.0, 0.5, (n, 1, 1, 1))
    # Steps at edges of rings, so that all pixels of a ring are alike but for structures.
    step = np.array([3.0, 2.0, 1.0])[np.searchsorted([1.0, 2.0], radius, side="right")][:, None]
    weight = np.array([1.0, 0.4, 1.0, 1.7])[kind][:, None]
    return np.arange(n), own * step * weight, counts, radius, kind


def test_the_share_of_structures_is_recovered():
    rows, gradient, counts, radius, kind = batch()
    sign = np.random.default_rng(1).choice([-1.0, 1.0], gradient.shape)
    gradient = np.repeat(gradient * sign, 2, axis=1)
    table = StructureTable(("icm", "agn"), ("a", "b"))
    for some in (rows[6:], rows[:6]):
        table.add(some, *(part[some] for part in (gradient, counts, radius, kind)))
    found = {one.kind: one for one in table.result(rows, n_resamples=20)}
    assert set(found) == {"substructure", "neighbour"}
    assert found["substructure"].ratio.value == pytest.approx(0.4, rel=1e-6)
    assert found["neighbour"].ratio.value == pytest.approx(1.7, rel=1e-6)
    assert found["neighbour"].n_clusters == 5
    assert found["substructure"].n_pixels == 10 * 2 * 16
    # Brighter pixels: per photon they count for less than that, by about (1 + 2) / (1 + 7).
    assert 0.1 < found["substructure"].ratio_per_photon.value < 0.25


def test_structures_that_are_like_the_rest_are_not_found_to_differ():
    rows, gradient, counts, radius, kind = batch(40)
    rng = np.random.default_rng(4)
    gradient = rng.lognormal(0.0, 1.0, (40, 2, 30, 34)) * np.exp(
        0.2 * rng.normal(size=(40, 1, 1, 1))
    )
    table = StructureTable(("icm", "agn"), ("a", "b"))
    table.add(rows, gradient, counts, radius, kind)
    for one in table.result(rows):
        assert abs(one.ratio.sigma(1.0)) < 3.5
        assert one.ratio.error < 0.1  # so that a difference of 0.4 would be seen


def test_bad_input_is_refused():
    rows, gradient, counts, radius, kind = batch()
    table = StructureTable(("icm", "agn"), ("a", "b"))
    with pytest.raises(InputError, match="structures: must be of at least 1 cluster"):
        table.result(rows)
    with pytest.raises(InputError, match=r"kind: must have shape \(10, 30, 34\); got \(10, 34, 30"):
        table.add(rows, np.repeat(gradient, 2, axis=1), counts, radius, kind.swapaxes(1, 2))
