"""Signed gradients of AGN and gas: matched inside clusters, with known answers."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.interpret.statistics.signed import SignedTable

ORIGINS = ("agn", "icm")  # not the usual order


def clusters(n: int, agn: float, gas: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Gradients of pixels of AGN and gas; radius, brightness and cluster change them as well."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :20]
    radius = np.broadcast_to(np.hypot(y - 9.0, x - 13.0) / 8.0, (n, 24, 20))
    is_agn = (rng.random((n, 1, 24, 20)) < 0.02 + 0.3 * (radius[:, None] > 1.5)).repeat(2, axis=1)
    level = rng.integers(1, 6, (n, 2, 24, 20))
    counts = np.stack([np.where(is_agn, level, 0), np.where(is_agn, 0, level)], axis=1)
    offset = 5.0 * rng.normal(size=(n, 1, 1, 1)) - 3.0 * np.floor(20.0 * radius[:, None]) + level**2
    noise = rng.normal(0.0, 0.3, level.shape)
    gradient = offset + np.where(is_agn, agn, gas) + noise
    return np.arange(n), gradient.astype(np.float32), counts, radius.astype(np.float32)


@pytest.mark.parametrize(("agn", "gas"), [(0.2, 1.0), (0.7, 0.7)])
def test_difference_of_equal_pixels_is_found(agn, gas):
    """Over 5 sigma where there is one, and none (within 3.5 sigma) in the control."""
    rows, *maps = clusters(30, agn, gas)
    table = SignedTable(ORIGINS, ("soft", "hard"))
    for some in (slice(20, 30), slice(0, 20)):
        table.add(rows[some], *(one[some] for one in maps))
    found = table.result(rows, "all")
    assert [(one.channel, one.where) for one in found[:3]] == [
        ("all", "everywhere"),
        ("all", "inside R500c"),
        ("soft", "everywhere"),
    ]
    for one in found:
        assert abs(one.difference.sigma(agn - gas)) < 3.5
        assert one.difference.error < 0.1
        assert one.agn.value - one.icm.value == pytest.approx(one.difference.value)
    whole = found[0].difference
    assert (abs(whole.sigma()) > 5.0) == (agn != gas)
    assert 0 < found[1].n_pixels < found[0].n_pixels


def test_pixels_without_a_match_are_left_out():
    gradient = np.array([[[[1.0, 2.0, 4.0, 8.0]]]], np.float32)
    counts = np.array([[[[[3, 0, 0, 7]]], [[[0, 3, 9, 0]]]]], np.int64).reshape(1, 2, 1, 1, 4)
    table = SignedTable(ORIGINS, ("all",))
    table.add(np.array([4]), gradient, counts, np.full((1, 1, 4), 0.5, np.float32))
    table.add(np.array([2]), gradient, counts[:, ::-1], np.full((1, 1, 4), 0.5, np.float32))
    one = table.result(np.array([0, 1]), "all", n_resamples=4)[0]
    # Of row 4: the first pixel matches the second; of row 2 the reverse.
    assert one.n_pixels == 2
    assert one.agn.value == pytest.approx(1.5)
    assert one.icm.value == pytest.approx(1.5)


def test_refuses_what_cannot_be_compared():
    with pytest.raises(InputError, match="origins: must hold icm to compare AGN and gas; got agn"):
        SignedTable(("agn",), ("all",))
    rows, *maps = clusters(2, 0.0, 0.0)
    table = SignedTable(ORIGINS, ("soft", "hard"))
    with pytest.raises(InputError, match="gradients: must be of at least 1 cluster; none came in"):
        table.result(np.arange(0), "all")
    for _ in range(2):
        table.add(rows, *maps)
    with pytest.raises(InputError, match="rows: must come once each"):
        table.result(np.arange(4), "all")
