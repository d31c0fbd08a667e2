"""Pictures of surveys in which little is, or nothing."""

import numpy as np
import pytest
from astropy.table import Table

from icmass.simulate.survey.pictures import _completeness, _of_likelihood, _purity


def haloes(number: int) -> Table:
    ones = np.ones(number)
    columns = {"m500c_msun": 2e14 * ones, "redshift": 0.3 * ones, "exposure_s": 500.0 * ones}
    found = {"detected": ones > 0, "extent_likelihood": 7.0 * ones, "extent_arcsec": 20.0 * ones}
    return Table({**columns, "expected_soft": 30.0 * ones, **found})


def sources(likelihood: list[float]) -> Table:
    values = np.array(likelihood)
    kind = np.where(values > 9.0, "halo", "spurious").astype("U8")
    return Table({"kind": kind, "extent_arcsec": values, "det_like": values, "ext_like": values})


def test_one_halo_and_one_source_are_drawn():
    for figure in (_completeness(haloes(1)), _purity(sources([5.0])), _purity(sources([40.0]))):
        assert len(figure.axes) >= 2


def test_haloes_that_are_all_light():
    light = haloes(3)
    light["m500c_msun"] = 5e13
    assert len(_completeness(light).axes) == 3


def test_none_are_not_drawn():
    assert _completeness(haloes(0)) is None
    assert _purity(sources([])) is None


@pytest.mark.parametrize("values", [[5.0], [5.0, 300.0], [30.0, 30.0]])
def test_bins_hold_all_likelihoods(values):
    edges = _of_likelihood(np.array(values), 7)
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= min(values)
    assert edges[-1] > max(values)
