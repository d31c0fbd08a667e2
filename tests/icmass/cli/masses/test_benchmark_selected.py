"""`icmass benchmark --where`: all estimators on the same selected clusters, and what is refused.

What else it prints and refuses is tested in `test_benchmark.py`.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.estimate.benchmark import SUITES, Suite
from icmass.estimate.benchmark.suites import TrainedRow
from icmass.estimate.runs import Run
from tests.helpers.masses import make_catalog, mass_spec

N = 160
DETECTED = np.arange(N) % 5 != 3


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """A catalog of which four in five are detected; read only."""
    spec = mass_spec(
        optional_columns=("lx_0520_erg_s", "detected"), galaxies=False, expectations=None
    )
    path = tmp_path_factory.mktemp("benchmark") / "own"
    return make_catalog(path, N, spec=spec, columns={"detected": DETECTED}).path


@pytest.fixture(autouse=True)
def tiny(monkeypatch) -> None:
    """Add a suite of seconds."""
    row = TrainedRow("profile", "profile, one band", {"network": "profile", "inputs": ["all"]})
    common = {"validation": 0.4, "epochs": 1, "schedule": "constant"}
    suite = Suite("tiny", "tiny: for tests", 2, None, 3, common, rows=(row,))
    monkeypatch.setitem(SUITES, "tiny", suite)
    monkeypatch.setattr("icmass.estimate.benchmark.output._write_figures", lambda *_: None)
    monkeypatch.setattr("icmass.estimate.regression._PENALTIES", (1.0, 100.0))


def test_selected_clusters(run, own, tmp_path):
    command = ("benchmark", own, "--suite", "tiny", "-o", tmp_path / "out", "--workers", 1)
    asked = ("--where", "detected", "--where", "redshift < 0.39")
    status, out, _ = run(*command, *asked)
    assert status == 0
    chosen = Catalog.open(own).where("detected", "redshift < 0.39")
    assert len(chosen) < DETECTED.sum()
    said = "tiny: for tests; clusters where detected and redshift < 0.39."
    assert said in out
    assert said in (tmp_path / "out" / "table.md").read_text()
    values = json.loads((tmp_path / "out" / "table.json").read_text())
    assert {row["clusters"] for row in values["rows"]} == {len(chosen)}
    trained = Run.open(tmp_path / "out" / "runs" / "profile")
    assert trained.config.where == ["detected", "redshift < 0.39"]
    assert (trained.n_clusters, trained.fingerprint) == (len(chosen), chosen.fingerprint())
    assert SUITES["tiny"].statement == "tiny: for tests"  # others are not changed
    # Another selection is another benchmark.
    for other in ((), ("--where", "detected")):
        status, out, err = run(*command, *other)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert "must be new, empty or the same benchmark; expected catalog " in err


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("detectd", "where 'detectd': column 'detectd' is not in the schema; did you mean 'detect"),
        ("redshift in 0.3", "where: must be COLUMN, 'not COLUMN', 'COLUMN OP NUMBER' with OP one "),
        ("n_gal > 3", "own must have the column n_gal; it does not. Leave this condition out"),
        ("redshift > 3", "where: must leave at least one row; of 160 in"),
        ("flags has BLENDED", "'flags has BLENDED' holds for 0. Ask for less"),
    ],
)
def test_wrong_conditions(run, own, tmp_path, condition, message):
    command = ("benchmark", own, "--suite", "tiny", "-o", tmp_path / "out", "--workers", 1)
    status, out, err = run(*command, "--where", condition)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "out").exists()
