"""Binned shares and Wilson's intervals."""

import numpy as np
import pytest
from scipy import stats

from icmass.errors import InputError
from icmass.simulate.detection import completeness, purity, wilson_interval


def test_bins_hold_their_lower_edge_and_the_last_both():
    share = completeness([1, 0, 1, 1, 0], [0.0, 0.5, 1.0, 2.0, np.nan], [0.0, 1.0, 2.0])
    assert share.number.tolist() == [2, 2]
    assert share.chosen.tolist() == [1, 2]
    assert share.share.tolist() == [0.5, 1.0]


def test_an_empty_bin_says_nothing():
    share = purity([True], [0.5], [0.0, 1.0, 3.0])
    assert np.isnan(share.share[1])
    assert (share.low[1], share.high[1]) == (0.0, 1.0)


def test_interval_solves_the_equation_of_wilson():
    """Its ends are the shares p for which the observed one is sigma standard deviations off."""
    k, n, sigma = np.array([3, 17, 40]), np.array([20, 20, 55]), 1.7
    for p in wilson_interval(k, n, sigma):
        np.testing.assert_allclose(np.abs(k / n - p), sigma * np.sqrt(p * (1 - p) / n), rtol=1e-12)


def test_none_and_all_have_an_end_at_the_limit():
    low, high = wilson_interval([0, 9], [9, 9])
    assert (low[0], high[1]) == (0.0, 1.0)
    assert high[0] == pytest.approx(1.0 / 10.0)  # z^2 / (n + z^2)
    assert low[1] == pytest.approx(9.0 / 10.0)


def coverage(p: float, n: int, width: float = 1.0) -> float:
    k = np.arange(n + 1)
    low, high = wilson_interval(k, np.full(n + 1, n), 1.96 * width)
    return float(stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum())


@pytest.mark.parametrize("p", [0.07, 0.3, 0.5, 0.86])
def test_interval_covers_as_often_as_it_says(p):
    assert 0.91 < coverage(p, 30) < 0.985


def test_negative_control_a_narrower_interval_covers_too_seldom():
    assert coverage(0.3, 30, width=0.7) < 0.91


def test_lengths_must_agree():
    with pytest.raises(InputError, match="by: must have one value for each of 2 rows; got 3"):
        completeness([True, False], [1.0, 2.0, 3.0], [0, 1])


@pytest.mark.parametrize("edges", [[1.0], [0.0, 0.0, 1.0], [2.0, 1.0], [[0.0, 1.0]]])
def test_edges_must_ascend(edges):
    with pytest.raises(InputError, match="edges: must be at least 2 ascending numbers; got"):
        completeness([True], [0.5], edges)
