"""What gas may be, and what is said of gas that may not."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.gas import Census, Gas, GasInfo
from tests.helpers.forward import COSMOLOGY, gas_of

SCALARS = [n for n in Gas.array_names() if n not in ("position_kpc", "velocity_kms")]


def arrays(n: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        name: rng.random((n, 3)) if name in ("position_kpc", "velocity_kms") else rng.random(n)
        for name in Gas.array_names()
    }


INFO = GasInfo("test", "test", COSMOLOGY)


def test_arrays_become_contiguous_doubles():
    values = {k: v.astype(np.float32)[::-1] for k, v in arrays().items()}
    gas = Gas(**values, info=INFO)
    for name in Gas.array_names():
        array = getattr(gas, name)
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        np.testing.assert_array_equal(array, values[name])


def test_gas_without_particles_is_gas():
    gas = Gas(**{k: v[:0] for k, v in arrays().items()}, info=INFO)
    assert len(gas) == 0
    assert gas.radius_kpc().shape == (0,)


@pytest.mark.parametrize("name", Gas.array_names())
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_none_are_refused_with_their_row(name, bad):
    values = arrays()
    values[name][4] = bad
    message = rf"gas\.{name}: must be finite .*; 1 of 6 rows .* the first is row 4"
    with pytest.raises(InputError, match=message):
        Gas(**values, info=INFO)


@pytest.mark.parametrize("name", SCALARS)
def test_negative_amounts_are_refused(name):
    values = arrays()
    values[name][[2, 3]] = -1e-9
    with pytest.raises(InputError, match=rf"gas\.{name}: .* 2 of 6 rows .* the first is row 2"):
        Gas(**values, info=INFO)
    values[name][[2, 3]] = 0.0
    assert len(Gas(**values, info=INFO)) == 6


@pytest.mark.parametrize("name", ["position_kpc", "velocity_kms"])
def test_vectors_may_be_negative(name):
    values = arrays()
    values[name] *= -1.0
    assert len(Gas(**values, info=INFO)) == 6


@pytest.mark.parametrize("name", Gas.array_names())
def test_shapes_must_agree(name):
    values = arrays()
    values[name] = values[name][:-1]
    with pytest.raises(InputError, match=r"gas\.\w+: must have shape \(\d.*\); got \("):
        Gas(**values, info=INFO)


def test_transposed_positions_are_refused():
    values = arrays(6)
    values["position_kpc"] = values["position_kpc"].T
    with pytest.raises(
        InputError, match=r"gas\.position_kpc: must have shape \(6, 3\); got \(3, 6"
    ):
        Gas(**values, info=INFO)


def test_select_takes_the_same_rows_of_all_arrays():
    gas = Gas(**arrays(), info=INFO)
    for chosen in (np.array([4, 0]), np.arange(6) > 3):
        part = gas.select(chosen)
        for name in Gas.array_names():
            np.testing.assert_array_equal(getattr(part, name), getattr(gas, name)[chosen])
        assert part.info is gas.info


def test_radius_is_the_distance_from_the_centre():
    gas = gas_of(position_kpc=[[3.0, 4.0, 12.0], [0.0, 0.0, 0.0]])
    assert gas.radius_kpc().tolist() == [13.0, 0.0]


def test_the_census_names_the_first_cut_that_left_nothing():
    assert Census((("read", 5), ("hot", 0), ("dense", 0))).first_empty() == "hot"
    assert Census((("read", 5),)).first_empty() is None
