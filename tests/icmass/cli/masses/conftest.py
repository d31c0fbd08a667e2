"""Catalogs and a run that the commands of mass estimates are tried on, made once."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from icmass.catalog import Band, ImageGeometry
from icmass.estimate.training import train
from tests.helpers.masses import QUICK, make_catalog, mass_spec, quick

N = 120  # clusters of the catalog "own"


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Path:
    """A folder with catalogs, a configuration and a run of it; read only."""
    folder = tmp_path_factory.mktemp("train")
    catalog = make_catalog(folder / "own", N)
    make_catalog(folder / "other", 50, seed=5, sample=5)
    bands = (Band("soft", 0.5, 1.2), Band("medium", 1.2, 2.4))
    bare = {"galaxies": False, "expectations": None, "optional_columns": ()}
    make_catalog(folder / "bands", 4, spec=mass_spec(bands=bands, **bare))
    make_catalog(folder / "pixels", 4, spec=mass_spec(geometry=ImageGeometry(16, 16, 100.0)))
    make_catalog(folder / "few", 6, spec=mass_spec(**bare))
    (folder / "thesis").mkdir()
    (folder / "thesis" / "chapter.tex").write_text("ten years")
    (folder / "quick.yaml").write_text(yaml.safe_dump({**QUICK, "epochs": 2}))
    train(catalog, quick(epochs=2), folder / "run", workers=1)
    return folder


@pytest.fixture
def copied(tmp_path, place) -> Path:
    """A copy of the run that a test may damage."""
    return Path(shutil.copytree(place / "run", tmp_path / "copied"))


@pytest.fixture
def free(tmp_path, place) -> Path:
    """A copy of the catalog that a test may write into."""
    return Path(shutil.copytree(place / "own", tmp_path / "free"))


@pytest.fixture
def command(place, tmp_path) -> list[object]:
    """Train with the quick configuration."""
    options = ["-c", place / "quick.yaml", "-o", tmp_path / "run", "--workers", 1]
    return ["train", place / "own", *options]


@pytest.fixture
def one_line(run):
    """Assert that a command is refused in one line."""

    def one_line(*arguments: object, match: str) -> None:
        status, out, err = run(*arguments)
        assert (status, out) == (2, ""), err
        assert err.count("\n") == 1, err
        assert re.search(match, err), err
        assert len(err) < 900

    return one_line
