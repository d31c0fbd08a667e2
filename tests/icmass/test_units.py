"""The gate between quantities and plain floats."""

import numpy as np
import pytest
from astropy import units as u

from icmass.errors import InputError
from icmass.units import to_value


def test_numbers_pass_and_quantities_are_converted():
    assert to_value(3, "kpc", "radius") == 3.0
    assert isinstance(to_value(np.float32(3), "kpc", "radius"), float)
    assert to_value(2 * u.Mpc, "kpc", "radius") == 2000.0
    np.testing.assert_array_equal(to_value([1, 2] * u.ks, "s", "exposure"), [1000.0, 2000.0])
    assert to_value([1, 2], "s", "exposure").dtype == np.float64


def test_wrong_units_and_things_that_are_no_numbers():
    with pytest.raises(
        InputError, match=r"radius: must be convertible to kpc; got unit 's'\. Give"
    ):
        to_value(2 * u.s, "kpc", "radius")
    for wrong in ("far", None, [[1], [2, 3]]):
        with pytest.raises(InputError, match="radius: must be a number in kpc; got"):
            to_value(wrong, "kpc", "radius")
