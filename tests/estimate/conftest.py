"""A small catalog and a run on it, trained once; tests that change files work on copies."""

import shutil
from pathlib import Path

import pytest

from icmass.catalog import Catalog
from icmass.estimate.runs import Run
from icmass.estimate.training import train
from tests.helpers.masses import make_catalog, quick


@pytest.fixture(scope="session")
def mass_catalog(tmp_path_factory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("masses") / "catalog")


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory, mass_catalog) -> Run:
    """Of the quick configuration with a Gaussian head; read only."""
    path = tmp_path_factory.mktemp("trained") / "run"
    return train(mass_catalog, quick(head="gaussian"), path, workers=1)


@pytest.fixture
def copied_run(tmp_path, trained_run) -> Path:
    """A copy of the trained run that a test may damage."""
    return Path(shutil.copytree(trained_run.path, tmp_path / "copied"))
