"""The plasma table: rebinning, mixing, luminosities, and what it refuses."""

import warnings

import h5py
import numpy as np
import pytest

from icmass.errors import InputError, InputWarning, OutputError
from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.emission import SpectralTable, resolve_table


def rebinned_slowly(table: SpectralTable, part: np.ndarray, edges: np.ndarray, z: float):
    """Twin of `photons` for one node: overlap of every bin with every other, and time dilation."""
    rest = edges * (1 + z)
    out = np.zeros(edges.size - 1)
    for k in range(out.size):
        for j in range(part.size):
            low = max(rest[k], table.edges_kev[j])
            high = min(rest[k + 1], table.edges_kev[j + 1])
            out[k] += part[j] * max(high - low, 0) / (table.edges_kev[j + 1] - table.edges_kev[j])
    return out / (1 + z)


@pytest.mark.parametrize("redshift", [0.0, 0.37])
def test_photons_equal_overlap_of_bins(toy_table, redshift):
    edges = np.array([0.1, 0.1004, 0.3, 0.35, 1.0, 1.9, 2.0, 7.0])
    base, metal = toy_table.photons(edges, redshift)
    assert base.shape == metal.shape == (6, 7)
    for node in (0, 3, 5):
        for ours, part in ((base, toy_table.base), (metal, toy_table.metal)):
            twin = rebinned_slowly(toy_table, part[node], edges, redshift)
            np.testing.assert_allclose(ours[node], twin, rtol=1e-9, atol=1e-15 * part[node].sum())


def test_all_photons_arrive_at_a_slower_rate(toy_table):
    """Photons are neither lost nor made, but their rate is (1 + z) lower: time dilation."""
    for redshift in (0.0, 0.1, 1.2):
        observed = toy_table.edges_kev / (1 + redshift)
        base, metal = toy_table.photons(observed, redshift)
        dilated = base * (1 + redshift)
        np.testing.assert_allclose(dilated, toy_table.base, rtol=1e-6, atol=1e-25)
        assert metal.sum() * (1 + redshift) == pytest.approx(
            toy_table.metal.sum(), rel=1e-12, abs=0.0
        )


def test_photons_beyond_table_warn_and_are_none(toy_table):
    with pytest.warns(InputWarning, match=r"2 of 4 bins reach beyond"):
        base, _ = toy_table.photons(np.array([0.01, 0.05, 1.0, 20.0, 41.0]), 0.0)
    assert (base[:, 0] == 0).all()
    assert (base[:, 2] > 0).all()


def test_spectrum_is_mixture_in_log_temperature(toy_table):
    edges = np.array([0.2, 1.0, 3.0])
    kt = np.sqrt(0.5 * 1.1) * (1.1 / 0.5) ** 0.25  # three quarters of the way in ln kT
    base, metal = toy_table.photons(edges, 0.2)
    wanted = 0.25 * (base[1] + 0.4 * metal[1]) + 0.75 * (base[2] + 0.4 * metal[2])
    np.testing.assert_allclose(toy_table.spectrum(edges, kt, 0.4, 0.2), wanted, rtol=1e-12)


def test_luminosity_equals_energy_of_mixture(toy_table):
    rng = np.random.default_rng(1)
    kt, metals = rng.uniform(0.3, 9.0, 20), rng.uniform(0, 2, 20)
    band = (0.5, 2.0)
    fine = np.linspace(*band, 20_001)
    ours = toy_table.luminosity(kt, metals, *band)
    for k in range(kt.size):
        photons = toy_table.spectrum(fine, kt[k], metals[k])
        energy = photons @ (0.5 * (fine[1:] + fine[:-1])) * ERG_PER_KEV
        assert ours[k] == pytest.approx(energy, rel=1e-6, abs=0.0)


def test_luminosity_without_band_is_that_of_whole_table(toy_table):
    middle = 0.5 * (toy_table.edges_kev[1:] + toy_table.edges_kev[:-1])
    wanted = toy_table.base[2] @ middle * ERG_PER_KEV
    assert toy_table.luminosity(np.array(1.1), np.array(0.0)) == pytest.approx(
        wanted, rel=1e-12, abs=0.0
    )


def test_temperatures_outside_are_clamped_and_counted(toy_table):
    kt = np.array([0.1, 0.3, 9.0, 9.1, 50.0])
    with pytest.warns(InputWarning, match=r"3 of 5 temperatures lie outside .*0\.3-9 keV"):
        nodes = toy_table.nodes(kt)
    np.testing.assert_array_equal(nodes, [0, 0, 5, 5, 5])


def test_temperatures_at_ends_do_not_warn(toy_table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        toy_table.nodes(np.float32([0.3, 9.0]).astype(np.float64).clip(0.3, 9.0))


@pytest.mark.parametrize("kt", [-1.0, 0.0, np.nan, np.inf])
def test_impossible_temperature(toy_table, kt):
    with pytest.raises(InputError, match=r"kt_kev: must be positive and finite; got 1 of 2"):
        toy_table.nodes(np.array([1.0, kt]))


@pytest.mark.parametrize("metallicity", [-0.1, np.nan])
def test_impossible_metallicity(toy_table, metallicity):
    with pytest.raises(InputError, match="metallicity: must be finite and not negative; got 1"):
        toy_table.luminosity(np.ones(2), np.array([0.3, metallicity]), 0.5, 2.0)


@pytest.mark.parametrize("band", [(0.01, 2.0), (2.0, 2.0), (1.0, 50.0)])
def test_band_outside_table(toy_table, band):
    with pytest.raises(InputError, match=r"must be a band inside the table's 0\.05-40 keV"):
        toy_table.luminosity(np.ones(2), np.ones(2), *band)


@pytest.mark.parametrize("redshift", [-0.1, np.nan])
def test_impossible_redshift(toy_table, redshift):
    with pytest.raises(InputError, match="redshift: must be finite and not negative"):
        toy_table.photons(np.array([0.5, 2.0]), redshift)


@pytest.mark.parametrize("edges", [[1.0], [2.0, 1.0], [0.0, 1.0], [1.0, np.nan]])
def test_bad_edges(toy_table, edges):
    with pytest.raises(InputError, match="edges_kev: must be"):
        toy_table.photons(np.array(edges), 0.0)


def test_table_rejects_wrong_shape(toy_table):
    with pytest.raises(InputError, match=r"base: must have shape .*\(6, 699\); got \(5, 699\)"):
        SpectralTable(toy_table.edges_kev, toy_table.kt_kev, toy_table.base[1:], toy_table.metal)


def test_table_rejects_negative_emission(toy_table):
    metal = toy_table.metal.copy()
    metal[2, 3] = -1e-20
    with pytest.raises(InputError, match="metal: must be finite and not negative; got 1 values"):
        SpectralTable(toy_table.edges_kev, toy_table.kt_kev, toy_table.base, metal)


def test_saved_table_is_read_back(toy_table, tmp_path):
    path = tmp_path / "table.h5"
    toy_table.save(path)
    again = SpectralTable.load(path)
    assert again.meta == {"source": "toy"}
    np.testing.assert_array_equal(again.edges_kev, toy_table.edges_kev)
    seen = toy_table.base > 1e-30
    np.testing.assert_allclose(again.base[seen], toy_table.base[seen], rtol=1.3e-4)
    assert resolve_table(path).kt_kev.size == 6
    assert resolve_table(again) is again


def test_saving_twice_needs_permission_and_gives_same_bytes(toy_table, tmp_path):
    path = tmp_path / "table.h5"
    toy_table.save(path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="already exists"):
        toy_table.save(path)
    toy_table.save(path, overwrite=True)
    assert path.read_bytes() == before


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        SpectralTable.load(tmp_path / "none.h5")


def test_file_of_another_kind(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(InputError, match="must hold 'icmass plasma table 1'; got 'None'"):
        SpectralTable.load(path)


def test_truncated_file(toy_table, tmp_path):
    path = tmp_path / "table.h5"
    toy_table.save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="cannot be read as a plasma table"):
        SpectralTable.load(path)


def test_file_with_bad_numbers_is_named(toy_table, tmp_path):
    path = tmp_path / "table.h5"
    toy_table.save(path)
    with h5py.File(path, "r+") as file:
        file["kt_kev"][0] = 3.0
        del file.attrs["checksum"]  # else that is what is wrong
    with pytest.raises(InputError, match=r"table\.h5: kt_kev: must be positive"):
        SpectralTable.load(path)


def test_table_of_wrong_type():
    with pytest.raises(InputError, match="table: must be a SpectralTable or a path; got int"):
        resolve_table(3)
