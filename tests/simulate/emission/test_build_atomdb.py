"""AtomDB's files: every line, continuum and temperature of small files with known content."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from scipy.stats import norm

from icmass.errors import InputError
from icmass.simulate.emission import SpectralTable
from icmass.simulate.emission.build_atomdb import build_atomdb

KT = np.array([0.5, 1.0, 2.0])
EDGES = np.geomspace(0.3, 9.0, 2001)
KEV_ANGSTROM = 12.398419843
# energy [keV], emissivity at the first temperature, atomic number, ion
LINES = (
    (0.6536, 3e-16, 8, 8),
    (6.7004, 2e-17, 26, 25),
    (2.0055, 5e-17, 14, 14),
    (0.7, 4e-18, 1, 1),
    (1.0, 7e-18, 2, 2),
)
MASS = {1: 1.008, 2: 4.0026, 8: 15.999, 14: 28.085, 26: 55.845}
# atomic number: continuum [E, photons s^-1 cm^3 keV^-1] and pseudo-continuum
CONTINUA = {
    1: (([0.2, 1.0, 10.0], [8e-15, 4e-15, 0.0]), ([0.0], [0.0])),
    26: (([0.1, 9.5], [1e-16, 1e-16]), ([1.0, 2.0, 3.0], [0.0, 6e-16, 0.0])),
}


def parameters(kt: np.ndarray) -> fits.BinTableHDU:
    columns = [
        fits.Column("kT", "1E", "keV", array=kt),
        fits.Column("EDensity", "1E", array=kt * 0 + 1),
    ]
    return fits.BinTableHDU.from_columns(columns, name="PARAMETERS")


def line_table(scale: float) -> fits.BinTableHDU:
    energy, strength, element, ion = (np.array(column) for column in zip(*LINES, strict=True))
    columns = [
        fits.Column("Lambda", "1E", "A", array=KEV_ANGSTROM / energy),
        fits.Column("Epsilon", "1E", "photons cm^3 s^-1", array=strength * scale),
        fits.Column("Element", "1J", array=element),
        fits.Column("Ion", "1J", array=ion),
    ]
    return fits.BinTableHDU.from_columns(columns, name="EMISSIVITY")


def continuum_table(scale: float, ion: int = 0) -> fits.BinTableHDU:
    """As AtomDB's, with arrays padded to one length beyond N_Cont and N_Pseudo."""

    def padded(values: list[float], factor: float = 1.0) -> np.ndarray:
        return np.array(values + [777.0] * (4 - len(values))) * factor

    rows = list(CONTINUA.items())
    columns = [
        fits.Column("Z", "1J", array=[z for z, _ in rows]),
        fits.Column("rmJ", "1J", array=[ion for _ in rows]),
        fits.Column("N_Cont", "1J", array=[len(c[0]) for _, (c, _) in rows]),
        fits.Column("E_Cont", "4E", array=[padded(c[0]) for _, (c, _) in rows]),
        fits.Column("Continuum", "4E", array=[padded(c[1], scale) for _, (c, _) in rows]),
        fits.Column("N_Pseudo", "1J", array=[len(p[0]) for _, (_, p) in rows]),
        fits.Column("E_Pseudo", "4E", array=[padded(p[0]) for _, (_, p) in rows]),
        fits.Column("Pseudo", "4E", array=[padded(p[1], scale) for _, (_, p) in rows]),
    ]
    return fits.BinTableHDU.from_columns(columns, name="EMISSIVITY")


def write(folder: Path, kt=KT, version="3.1.3", ion=0, lines=True, continua=True) -> Path:
    """Emissivities grow as kT: a linear law, which the reader's interpolation keeps exactly."""
    tables = {
        "line": [line_table(t / kt[0] * lines) for t in kt],
        "coco": [continuum_table(t / kt[0] * continua, ion) for t in kt],
    }
    for kind, hdus in tables.items():
        path = folder / f"apec_v{version}_{kind}.fits"
        fits.HDUList([fits.PrimaryHDU(), parameters(kt), *hdus]).writeto(path)
    return folder


def gaussian(energy: float, strength: float, element: int, kt: float) -> np.ndarray:
    sigma = energy * np.sqrt(kt / (MASS[element] * 931494.1))
    return strength * np.diff(norm.cdf(EDGES, energy, sigma))


def test_lines_one_by_one(tmp_path):
    table = build_atomdb(write(tmp_path, continua=False), edges_kev=EDGES)
    for node, kt in ((0, 0.5), (4, 1.0), (8, 2.0)):
        assert table.kt_kev[node] == pytest.approx(kt, rel=1e-6)
        base, metal = np.zeros(2000), np.zeros(2000)
        for energy, strength, element, _ in LINES:
            line = gaussian(energy, strength * kt / 0.5, element, kt)
            base, metal = (base + line, metal) if element <= 2 else (base, metal + line)
        for ours, exact in ((table.base[node], base), (table.metal[node], metal)):
            np.testing.assert_allclose(ours.sum(), exact.sum(), rtol=1e-6)
            # wavelengths are stored in single precision: 1e-7 of the energy, 1e-3 of a line's width
            np.testing.assert_allclose(ours, exact, atol=2e-3 * exact.max())


def test_lines_are_broadened_by_ions_not_by_bins(tmp_path):
    fine = np.linspace(0.99, 1.01, 4001)
    table = build_atomdb(write(tmp_path, continua=False), edges_kev=fine)
    middle = 0.5 * (fine[1:] + fine[:-1])
    for node, kt in ((0, 0.5), (8, 2.0)):
        weight = table.base[node] / table.base[node].sum()
        mean = weight @ middle
        width = np.sqrt(weight @ (middle - mean) ** 2)
        assert width == pytest.approx(np.sqrt(kt / (4.0026 * 931494.1)), rel=2e-3)


def test_continua_are_integrated_exactly(tmp_path):
    table = build_atomdb(write(tmp_path, lines=False), edges_kev=EDGES)
    lo, hi = EDGES[:-1], EDGES[1:]

    def ramp(x):  # integral from 0.2 of hydrogen's continuum
        low = 8e-15 * (x - 0.2) - 0.5 * 5e-15 * (x - 0.2) ** 2
        high = 4.8e-15 + 4e-15 * (x - 1) - 0.5 * 4e-15 / 9 * (x - 1) ** 2
        return np.where(x < 1, low, high)

    def tent(x):  # integral of iron's pseudo-continuum
        x = np.clip(x, 1, 3)
        return np.where(x < 2, 3e-16 * (x - 1) ** 2, 6e-16 - 3e-16 * (3 - x) ** 2)

    # float32 points put the corner at 0.2 off by 1e-8
    np.testing.assert_allclose(table.base[0], ramp(hi) - ramp(lo), rtol=1e-5)
    np.testing.assert_allclose(table.metal[0], 1e-16 * (hi - lo) + tent(hi) - tent(lo), rtol=1e-4)


def test_between_temperatures_linear_in_kt(tmp_path):
    """The files' emissivities are proportional to kT, and so must all nodes between be."""
    table = build_atomdb(write(tmp_path, lines=False), edges_kev=EDGES)
    assert table.kt_kev.size == 9
    np.testing.assert_allclose(np.diff(np.log(table.kt_kev)), np.log(2) / 4, rtol=1e-6)
    total = table.base.sum(axis=1)
    np.testing.assert_allclose(total / total[0], table.kt_kev / 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "oxygen", "iron"),
    [
        ("aspl", 10 ** (8.69 - 8.93), 10 ** (7.50 - 7.67)),
        ("wilm", 10 ** (8.69 - 8.93), 10 ** (7.43 - 7.67)),
    ],
)
def test_abundances_rescale_each_element(tmp_path, name, oxygen, iron):
    folder = write(tmp_path, continua=False)
    standard = build_atomdb(folder, edges_kev=EDGES).metal[0]
    scaled = build_atomdb(folder, abundance_set=name, edges_kev=EDGES).metal[0]
    for energy, ratio in ((0.6536, oxygen), (6.7004, iron)):
        place = np.searchsorted(EDGES, energy) - 1
        assert scaled[place] / standard[place] == pytest.approx(ratio, rel=1e-9)


def test_default_grid_and_provenance(tmp_path):
    table = build_atomdb(write(tmp_path))
    np.testing.assert_array_equal(table.edges_kev, SpectralTable.load().edges_kev)
    assert table.meta["made_from"]["AtomDB"] == "3.1.3"
    assert table.meta["abundances"] == "ag89"


def test_newest_pair_is_taken(tmp_path):
    write(tmp_path, version="3.0.9")
    write(tmp_path, version="3.0.10")
    assert build_atomdb(tmp_path).meta["made_from"]["AtomDB"] == "3.0.10"


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match="must be the folder of AtomDB's files"):
        build_atomdb(tmp_path / "none")


def test_half_a_pair(tmp_path):
    write(tmp_path)
    (tmp_path / "apec_v3.1.3_coco.fits").unlink()
    with pytest.raises(InputError, match="must hold a pair"):
        build_atomdb(tmp_path)


def test_not_fits(tmp_path):
    write(tmp_path)
    (tmp_path / "apec_v3.1.3_line.fits").write_text("nothing")
    with pytest.raises(InputError, match="cannot be read as FITS"):
        build_atomdb(tmp_path)


def test_no_table(tmp_path):
    write(tmp_path)
    fits.PrimaryHDU().writeto(tmp_path / "apec_v3.1.3_line.fits", overwrite=True)
    with pytest.raises(InputError, match="must begin with a table PARAMETERS"):
        build_atomdb(tmp_path)


def test_missing_temperature_table(tmp_path):
    write(tmp_path)
    hdus = [fits.PrimaryHDU(), parameters(KT), line_table(1.0)]
    fits.HDUList(hdus).writeto(tmp_path / "apec_v3.1.3_line.fits", overwrite=True)
    with pytest.raises(InputError, match="must hold a table for each of 3 temperatures; got 1"):
        build_atomdb(tmp_path)


def test_missing_column(tmp_path):
    write(tmp_path)
    columns = [column for column in line_table(1.0).columns if column.name != "Epsilon"]
    tables = [fits.BinTableHDU.from_columns(columns, name="EMISSIVITY") for _ in KT]
    path = tmp_path / "apec_v3.1.3_line.fits"
    fits.HDUList([fits.PrimaryHDU(), parameters(KT), *tables]).writeto(path, overwrite=True)
    with pytest.raises(InputError, match="must hold column Epsilon"):
        build_atomdb(tmp_path)


def test_temperatures_differ(tmp_path):
    write(tmp_path)
    path = tmp_path / "apec_v3.1.3_coco.fits"
    hdus = [fits.PrimaryHDU(), parameters(KT * 1.1), *(continuum_table(1.0) for _ in KT)]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    with pytest.raises(InputError, match=r"must have the temperatures of apec_v3\.1\.3_line\.fits"):
        build_atomdb(tmp_path)


def test_temperatures_out_of_order(tmp_path):
    with pytest.raises(InputError, match="kT must be positive and ascending"):
        build_atomdb(write(tmp_path, kt=np.array([2.0, 1.0, 3.0])))


def test_temperatures_out_of_range(tmp_path):
    with pytest.raises(InputError, match="two temperatures or more"):
        build_atomdb(write(tmp_path, kt=np.array([0.01, 0.02, 1.0])))


def test_non_equilibrium_file(tmp_path):
    with pytest.raises(InputError, match="rows of whole elements"):
        build_atomdb(write(tmp_path, ion=3))


def test_impossible_element(tmp_path, monkeypatch):
    monkeypatch.setitem(CONTINUA, 99, CONTINUA[26])
    with pytest.raises(InputError, match="atomic numbers must lie in 1-30; got 1 to 99"):
        build_atomdb(write(tmp_path))


def test_unknown_abundances(tmp_path):
    with pytest.raises(
        InputError, match=r"must be one of ag89, aspl, wilm; got 'aspn'\. Did you mean aspl"
    ):
        build_atomdb(write(tmp_path), abundance_set="aspn")
