"""`icmass tables build` and `icmass tables info`."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from icmass.cli.tables import tables_app
from icmass.errors import InputError
from icmass.simulate.emission import SpectralTable


@pytest.fixture
def spectra(tmp_path: Path) -> Path:
    """A file of arrays such as `--source arrays` takes."""
    path = tmp_path / "spectra.npz"
    edges = np.geomspace(0.1, 15.0, 51)
    values = np.ones((3, 2, 50)) * np.array([1.0, 2.0])[:, None] * 1e-16
    np.savez(path, kt_kev=[0.5, 1.0, 5.0], edges_kev=edges, metallicity=[0.0, 1.0], spectra=values)
    return path


def call(*arguments: object) -> str:
    """Run the sub-commands; errors of the user come out as they are."""
    result = CliRunner().invoke(tables_app, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_info_shows_residuals_of_shipped_table():
    text = call("info")
    assert "0.5-0.7" in text
    assert "residuals against the band" in text
    assert "7.2-7.6 keV" in text


def test_info_json_is_the_tables_own_account():
    found = json.loads(call("info", "--json"))
    assert found["source"] == "builtin"
    assert len(found["residuals"]["bands"]) == 6


def test_build_from_arrays(spectra, tmp_path):
    output = tmp_path / "mine.h5"
    text = call("build", spectra, "--source", "arrays", "-o", output)
    assert "arrays" in text
    table = SpectralTable.load(output)
    np.testing.assert_allclose(table.metal, 1e-16, rtol=1e-4)
    with pytest.raises(InputError, match="already exists"):
        call("build", spectra, "--source", "arrays", "-o", output)
    call("build", spectra, "--source", "arrays", "-o", output, "--overwrite")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["x", "--source", "builtin"], "takes no path"),
        (["--abundances", "aspl"], "builtin knows ag89 alone"),
        (["--source", "atomdb"], r"PATH: must be AtomDB's folder"),
        (["--source", "arrays"], "PATH: must be a file of arrays"),
    ],
)
def test_wrong_use(tmp_path, arguments, match):
    with pytest.raises(InputError, match=match):
        call("build", *arguments, "-o", tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []
