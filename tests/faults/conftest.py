"""Tiny jobs of the program, and a process to fork them from, started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.faults.jobs import Zygote
from tests.helpers.masses import QUICK, make_catalog, mass_spec, quick
from tests.helpers.tiny_survey import write_config

SIMULATE = """
clusters: 8
particles: 1000
pixels: 8
rows_per_shard: 1
exposure_s: 500
agn: none
"""
SURVEY = {
    "footprint": "cone:45,0.597,0.25",
    "tiles": "healpix:128",  # of a fifth of a square degree each
    "agn": False,
    "background": False,
    "detect": False,
}


@pytest.fixture(scope="session")
def ingredients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with configurations of tiny jobs, and a catalog and a run on it; read only."""
    from icmass.estimate.training import train

    folder = tmp_path_factory.mktemp("ingredients")
    (folder / "simulate.yaml").write_text(SIMULATE)
    (folder / "train.yaml").write_text(yaml.safe_dump({**QUICK, "members": 2, "epochs": 2}))
    (folder / "observe.yaml").write_text("width_deg: 0.1\nseed: 3\nexposure_s: 500\n")
    write_config(folder / "survey.yaml", **SURVEY)
    telescope = {"config": {"instrument": "erosita", "mode": "survey"}}
    catalog = make_catalog(folder / "own", 120, spec=mass_spec(provenance=telescope))
    train(catalog, quick(epochs=1), folder / "run", workers=1)
    return folder


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """The process; nothing is warm in it."""
    started = Zygote(tmp_path_factory.mktemp("zygote"))
    yield started
    started.close()
