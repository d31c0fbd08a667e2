"""What a reader makes of a cluster does not depend on how it is written, split or moved."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from icmass.errors import InputError
from icmass.simulate.gas import Gas
from icmass.simulate.readers import gas_from_arrays, load_gas
from tests.helpers.snapshots import (
    Truth,
    make_truth,
    write_gadget_binary,
    write_gadget_hdf5,
    write_swift,
)
from tests.properties.contract import answer_or_line, examples

WRITERS = {
    "binary": write_gadget_binary,
    "gadget4": write_gadget_hdf5,
    "tng": lambda path, truth: write_gadget_hdf5(path, truth, flavour="tng"),
    "eagle": lambda path, truth: write_gadget_hdf5(path, truth, flavour="eagle"),
    "swift": write_swift,
}
TRUTH = make_truth(gas_count=200, dark_count=200, fully_ionised=True)


def gas_of(truth: Truth, folder: Path, writer: str = "gadget4", **options: Any) -> Gas:
    """Write a cluster and read it about its true centre."""
    path = folder / "snap.hdf5"
    WRITERS[writer](path, truth, **options)
    return load_gas(path, center=truth.center_kpc, radius=truth.radius_kpc * 1.01)


def assert_like_truth(gas: Gas, truth: Truth) -> None:
    """Totals, distances and speeds that are physical, whatever the units of the file."""
    assert len(gas) == len(truth.gas["mass"])
    np.testing.assert_allclose(gas.mass_msun.sum(), truth.gas["mass"].sum(), rtol=1e-5)
    measure = truth.emission_measure()
    np.testing.assert_allclose(np.sort(gas.emission_measure_cm3), np.sort(measure), rtol=1e-3)
    distance = np.sort(truth.gas["distance"])
    np.testing.assert_allclose(np.sort(gas.radius_kpc()), distance, rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(np.sort(gas.kt_kev), np.sort(truth.gas["kt"]), rtol=1e-3)


@examples(8)
@given(
    st.sampled_from(sorted(WRITERS)),
    st.floats(0.02, 3.0),
    st.floats(60_000.0, 200_000.0),
    st.tuples(*[st.floats(0.0, 1.0, exclude_max=True)] * 3),
)
def test_units_scale_factor_and_place(tmp_path_factory, writer, redshift, box_kpc, center):
    """At any redshift, across the borders of a box that is no denser than the sky, so periodic."""
    truth = make_truth(
        redshift=redshift, box_kpc=box_kpc, center=center, gas_count=200, dark_count=200,
        fully_ionised=True,
    )  # fmt: skip
    assert_like_truth(gas_of(truth, tmp_path_factory.mktemp("snap"), writer), truth)


@examples(5)
@given(st.integers(1, 5), st.permutations(range(200)), st.booleans())
def test_order_and_number_of_files(tmp_path_factory, files, order, binary):
    gas = {name: values[np.array(order)] for name, values in TRUTH.gas.items()}
    folder = tmp_path_factory.mktemp("snap")
    write = write_gadget_binary if binary else write_gadget_hdf5
    write(folder / "snap", replace(TRUTH, gas=gas), files=files)
    found = load_gas(folder, center=TRUTH.center_kpc, radius=TRUTH.radius_kpc * 1.01)
    assert_like_truth(found, TRUTH)


@examples(4)
@given(st.permutations(range(3)))
def test_axes(tmp_path_factory, axes):
    """With its axes exchanged the cluster is the same with its axes exchanged."""
    turned = replace(
        TRUTH,
        center_kpc=TRUTH.center_kpc[axes],
        gas={k: v[:, axes] if v.ndim == 2 else v for k, v in TRUTH.gas.items()},
        dark={k: v[:, axes] if v.ndim == 2 else v for k, v in TRUTH.dark.items()},
    )
    usual = gas_of(TRUTH, tmp_path_factory.mktemp("snap"))
    other = gas_of(turned, tmp_path_factory.mktemp("snap"))
    np.testing.assert_allclose(other.position_kpc, usual.position_kpc[:, axes], atol=0.05)
    np.testing.assert_allclose(other.velocity_kms, usual.velocity_kms[:, axes], atol=0.05)
    assert not np.allclose(usual.position_kpc, usual.position_kpc[:, [1, 0, 2]], atol=1.0)


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(1e-30, 1e-20),
    st.floats(1.0, 1e9),
    st.sampled_from([0.0, -1.0, 1e7, 5e-27, np.nan, np.inf]),
)


@st.composite
def arrays(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `gas_from_arrays`, most of them of right shape."""
    n = draw(st.integers(0, 5))
    shape = st.sampled_from([(n,), (n,), (n,), (), (n + 1,), (n, 1)])

    def column(usual: float) -> Any:
        right = st.just(np.full(n, usual))
        return draw(
            st.one_of(right, right, shape.flatmap(lambda s: hnp.arrays(float, s, elements=numbers)))
        )

    rows = hnp.arrays(float, (n, 3), elements=st.one_of(st.floats(-900.0, 900.0), numbers))
    given_values = {"position": draw(rows), "mass": column(1e10)}
    given_values[draw(st.sampled_from(["density", "electron_density"]))] = column(1e-26)
    given_values[draw(st.sampled_from(["temperature", "kt", "internal_energy"]))] = column(5e7)
    optional = {"metallicity": 0.3, "smoothing": 20.0, "electron_abundance": 1.16,
                "hydrogen_fraction": 0.76, "star_formation_rate": 0.0}  # fmt: skip
    for name in draw(st.lists(st.sampled_from(sorted(optional)), unique=True, max_size=3)):
        given_values[name] = column(optional[name])
    for name in draw(st.lists(st.sampled_from(["radius", "redshift", "box"]), unique=True)):
        given_values[name] = draw(st.one_of(st.floats(0.1, 5000.0), numbers))
    if draw(st.booleans()):
        given_values["center"] = draw(hnp.arrays(float, 3, elements=st.floats(-900.0, 900.0)))
    return given_values


@examples(150)
@given(arrays())
def test_any_arrays(given_values):
    found = answer_or_line(lambda: gas_from_arrays(**given_values))
    if isinstance(found, InputError):
        return
    assert 0 < len(found) <= len(given_values["position"])
    for name in ("position_kpc", "velocity_kms", "kt_kev", "emission_measure_cm3", "mass_msun",
                 "metallicity_solar", "smoothing_kpc"):  # fmt: skip
        assert np.isfinite(getattr(found, name)).all(), name
    assert (found.kt_kev > 0).all()
    assert (found.emission_measure_cm3 > 0).all()
    assert (found.mass_msun > 0).all()
