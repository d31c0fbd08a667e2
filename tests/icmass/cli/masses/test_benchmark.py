"""`icmass benchmark`: the table that it prints, and what it refuses."""

import json
import re

import pytest

from icmass.estimate.benchmark import SUITES, Suite
from icmass.estimate.benchmark.suites import TrainedRow


@pytest.fixture
def tiny(monkeypatch) -> str:
    """Add a suite of seconds; returns its name."""
    row = TrainedRow("profile", "profile, one band", {"network": "profile", "inputs": ["all"]})
    common = {"validation": 0.4, "epochs": 1, "schedule": "constant"}
    suite = Suite("tiny", "tiny: for tests", 2, None, 3, common, rows=(row,))
    monkeypatch.setitem(SUITES, "tiny", suite)
    monkeypatch.setattr("icmass.estimate.benchmark.output._write_figures", lambda *_: None)
    monkeypatch.setattr("icmass.estimate.regression._PENALTIES", (1.0, 100.0))
    return "tiny"


def test_the_table_is_printed(run, place, tmp_path, tiny):
    options = ("--suite", tiny, "-o", tmp_path / "out", "--workers", 1)
    status, out, err = run("benchmark", place / "own", *options)
    assert status == 0
    assert "profile, one band" in out
    assert "tiny: for tests" in out
    assert f"tables and figures: {tmp_path / 'out'}" in out
    lines = err.splitlines()  # how far it is
    assert [line.split(":")[0] for line in lines][-1] == "profile, one band"
    assert all(re.search(r": scatter \d+\.\d{3} \+- \d\.\d{3} in ln M$", line) for line in lines)
    before = {p: p.read_bytes() for p in (tmp_path / "out").glob("table.*")}
    status, out, _ = run("benchmark", place / "own", *options, "--json")
    assert status == 0
    assert json.loads(out) == json.loads((tmp_path / "out" / "table.json").read_text())
    assert {p: p.read_bytes() for p in before} == before
    status, out, err = run("benchmark", place / "own", *options, "--seed", 1)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "expected seed 1, found 0. Choose another directory" in err


@pytest.mark.parametrize(
    ("catalog", "options", "match"),
    [
        ("own", ("--suite", "quik"), "suite 'quik': is not known; did you mean 'quick'"),
        ("own", ("--suite", "quick"), "pixels: must divide the 16 x 16 pixels of the catalog"),
        ("own", ("--seed", -1), "'--seed'"),
        ("own", ("--workers", 0), "workers: must be at least 1; got 0"),
        ("own", ("--workers", 1, "--scheduler", "tcp://a:1"), "workers: belongs to the scheduler"),
        ("few", (), "clusters: suite tiny must have at least 96; got 6"),
        ("nowhere", (), "nowhere"),
        ("thesis", (), "thesis"),
    ],
)
def test_what_cannot_be_benchmarked(one_line, place, tmp_path, tiny, catalog, options, match):
    suite = () if "--suite" in options else ("--suite", tiny)
    one_line("benchmark", place / catalog, *suite, *options, "-o", tmp_path / "out", match=match)
    assert not (tmp_path / "out").exists()
