"""Power laws: exact in every bin."""

from itertools import pairwise

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.emission import powerlaw

EDGES = np.array([0.5, 0.7, 1.9, 2.0, 10.0])


@pytest.mark.parametrize("index", [-0.5, 0.0, 0.999999999, 1.0, 1.47, 2.0, 3.5])
def test_equals_fine_quadrature(index):
    ours = powerlaw(EDGES, index, 2.5)
    for k, (lo, hi) in enumerate(pairwise(EDGES)):
        x = np.linspace(np.log(lo), np.log(hi), 20_001)
        integrand = 2.5 * np.exp(x * (1 - index))
        assert ours[k] == pytest.approx(np.trapezoid(integrand, x), rel=1e-7)


def test_merged_bins_hold_the_sum():
    assert powerlaw(EDGES, 1.9).sum() == pytest.approx(powerlaw(EDGES[[0, -1]], 1.9)[0], rel=1e-14)


@pytest.mark.parametrize("edges", [[0.0, 1.0], [2.0, 1.0], [1.0], [[1.0, 2.0]]])
def test_bad_edges(edges):
    with pytest.raises(InputError, match="edges_kev"):
        powerlaw(np.array(edges), 2.0)


def test_bad_numbers():
    for wrong in (np.nan, np.inf, 400.0, -10.1):
        with pytest.raises(InputError, match=r"photon_index: must lie in -10 to 10; got .*about 2"):
            powerlaw(EDGES, wrong)
    for steepest in (-10.0, 10.0):
        assert np.isfinite(powerlaw(EDGES, steepest)).all()
    with pytest.raises(InputError, match="norm_1kev: must be finite and not negative"):
        powerlaw(EDGES, 2.0, -1.0)
