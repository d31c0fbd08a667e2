"""A user's own spectra become a table, exactly where they are linear in metallicity."""

import h5py
import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.emission import SpectralTable
from icmass.simulate.emission.build_arrays import build_arrays


def arrays(table: SpectralTable, metals: list[float]) -> dict[str, np.ndarray]:
    spectra = table.base[:, None] + np.array(metals)[:, None] * table.metal[:, None]
    return {
        "kt_kev": table.kt_kev,
        "edges_kev": table.edges_kev,
        "metallicity": np.array(metals),
        "spectra": spectra,
    }


@pytest.mark.parametrize("metals", [[0.0, 1.0], [0.1, 0.3], [0.0, 0.2, 0.5, 2.0]])
@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_round_trip(toy_table, tmp_path, metals, suffix):
    path = tmp_path / f"spectra{suffix}"
    content = arrays(toy_table, metals)
    if suffix == ".npz":
        np.savez(path, **content)
    else:
        with h5py.File(path, "w") as file:
            file.update(content)
    built = build_arrays(path)
    scale = toy_table.metal.max()
    np.testing.assert_allclose(built.base, toy_table.base, rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(built.metal, toy_table.metal, rtol=1e-9, atol=1e-12 * scale)
    assert built.meta["nonlinear_in_z"] < 1e-9
    built.save(tmp_path / "table.h5")
    again = SpectralTable.load(tmp_path / "table.h5")
    edges = np.array([0.5, 2.0])
    wanted = toy_table.spectrum(edges, 1.3, 0.3)
    np.testing.assert_allclose(again.spectrum(edges, 1.3, 0.3), wanted, rtol=1e-4)


def test_one_metallicity_holds_for_all(toy_table, tmp_path):
    np.savez(tmp_path / "one.npz", **arrays(toy_table, [0.3]))
    built = build_arrays(tmp_path / "one.npz")
    np.testing.assert_allclose(built.base, toy_table.base + 0.3 * toy_table.metal)
    assert not built.metal.any()


def test_curved_spectra_are_reported_and_stay_positive(toy_table, tmp_path):
    content = arrays(toy_table, [0.0, 0.5, 1.0])
    content["spectra"] = toy_table.base[:, None] * np.array([0.0, 0.25, 1.0])[:, None]
    np.savez(tmp_path / "curved.npz", **content)
    built = build_arrays(tmp_path / "curved.npz")
    assert built.meta["nonlinear_in_z"] > 0.1
    assert built.base.min() >= 0
    assert built.metal.min() >= 0


def broken(content: dict[str, np.ndarray], change: str) -> dict[str, np.ndarray]:
    content = dict(content)
    if change == "missing":
        del content["spectra"]
    elif change == "shape":
        content["spectra"] = content["spectra"][:, :1]
    elif change == "nan":
        content["spectra"] = content["spectra"].copy()
        content["spectra"][0, 0, 0] = np.nan
    elif change == "order":
        content["metallicity"] = content["metallicity"][::-1]
    elif change == "edges":
        content["edges_kev"] = content["edges_kev"][::-1]
    return content


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("missing", r"must hold kt_kev .*; spectra is missing"),
        ("shape", r"got spectra \(6, 1, 699\) where the others ask for \(6, 2, 699\)"),
        ("nan", "spectra must be finite and not negative; 1 values are not"),
        ("order", "metallicity must ascend"),
        ("edges", r"spectra\.npz: edges_kev: must be positive"),
    ],
)
def test_unusable_arrays(toy_table, tmp_path, change, match):
    path = tmp_path / "spectra.npz"
    np.savez(path, **broken(arrays(toy_table, [0.0, 1.0]), change))
    with pytest.raises(InputError, match=match):
        build_arrays(path)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        build_arrays(tmp_path / "none.npz")


@pytest.mark.parametrize("name", ["x.npz", "x.h5"])
def test_another_kind_of_file(tmp_path, name):
    (tmp_path / name).write_text("not arrays at all")
    with pytest.raises(InputError, match=r"cannot be read as \.npz or HDF5"):
        build_arrays(tmp_path / name)


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", kt_kev=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"cannot be read as \.npz"):
        build_arrays(tmp_path / "x.npz")
