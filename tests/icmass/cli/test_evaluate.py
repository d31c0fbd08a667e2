"""`icmass evaluate`: what it prints and writes, and what it refuses."""

import csv
import json
from pathlib import Path

import pytest

from icmass.catalog import Catalog
from icmass.estimate.training import train
from tests.helpers.masses import make_catalog, quick


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a run, its catalog, and another catalog."""
    folder = tmp_path_factory.mktemp("evaluate")
    catalog = make_catalog(folder / "own", 120)
    make_catalog(folder / "other", 30, seed=5, sample=5, brighter=3.0)
    train(catalog, quick(epochs=1), folder / "run", workers=1)
    return folder


@pytest.fixture
def command(place):
    return ["evaluate", place / "run", place / "own", place / "other"]


def test_table_and_figure_are_written(run, command, tmp_path):
    output = tmp_path / "out"
    status, out, err = run(*command, "-o", output)
    assert (status, err) == (0, "")
    for text in ("strangeness", "eFEDS depth (2,400 s): left out, it must be longer exposed"):
        assert text in out
    names = {"table.csv", "table.md", "table.json", "shifts.png", "shifts.pdf", "manifest.json"}
    assert {path.name for path in output.iterdir()} == names
    values = json.loads((output / "table.json").read_text())
    data = ["own", "own, without AGN", "own, double background", "own, eRASS1 depth (300 s)"]
    assert [row["data"] for row in values["rows"]] == [*data, "other"]
    assert values["rows"][0]["judged_by"] == "own clusters, out of fold"
    assert values["rows"][0]["disagreement"] is None
    assert values["rows"][-1]["judged_by"] == "all folds"
    with (output / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["data"] for row in rows] == [*data, "other"]
    assert float(rows[1]["bias"]) == values["rows"][1]["bias"]
    lines = (output / "table.md").read_text().splitlines()
    assert lines[2].startswith("| own | 120 | own clusters, out of fold |")
    assert len({line.count("|") for line in lines[:7]}) == 1


def test_json_and_the_same_bytes_again(run, command, tmp_path):
    output = tmp_path / "out"
    status, out, _ = run(*command, "--no-shifts", "--json", "-o", output)
    assert status == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    assert json.loads(out) == json.loads(before["table.json"])
    assert [row["data"] for row in json.loads(out)["rows"]] == ["own", "other"]
    status, _, err = run(*command, "--no-shifts", "-o", output)
    assert status == 2
    assert "already exists. Choose another name, or give --overwrite." in err
    assert run(*command, "--no-shifts", "-o", output, "--overwrite")[0] == 0
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_selected_clusters(run, command, place, tmp_path):
    asked = ("--where", "redshift < 0.37", "--where", "exposure_s > 1000")
    status, out, err = run(*command, *asked, "--no-shifts", "-o", tmp_path / "out")
    assert (status, err) == (0, "")
    said = "clusters where redshift < 0.37 and exposure_s > 1000"
    assert said in out
    assert f"- {said}" in (tmp_path / "out" / "table.md").read_text().splitlines()
    values = json.loads((tmp_path / "out" / "table.json").read_text())
    assert values["where"] == ["redshift < 0.37", "exposure_s > 1000"]
    catalogs = [Catalog.open(place / name).where(*values["where"]) for name in ("own", "other")]
    assert [row["clusters"] for row in values["rows"]] == [len(one) for one in catalogs]
    assert list(values["catalogs"].values()) == [one.fingerprint() for one in catalogs]
    assert values["rows"][0]["judged_by"] == "out of fold"  # not all of the run's own
    # The same clusters as a run of selected ones was trained on are its own.
    chosen = quick(epochs=1, where="redshift < 0.37")
    train(Catalog.open(place / "own"), chosen, tmp_path / "run", workers=1)
    own = ("evaluate", tmp_path / "run", place / "own", "--no-shifts", "--json")
    for options, judged_by in (
        (("--where", "redshift < 0.37"), "own clusters, out of fold"),
        ((), r"all folds; "),
    ):
        (row,) = json.loads(run(*own, *options)[1])["rows"]
        assert row["judged_by"].startswith(judged_by)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("redshit < 0.3", "where 'redshit < 0.3': column 'redshit' is not in the schema; did you"),
        ("detected", "own must have the column detected; it does not. Leave this condition out"),
        ("redshift > 3", "must leave at least one row; of 120 in"),
        ("redshift", "must compare redshift, which is a number; write 'redshift > 0'"),
    ],
)
def test_wrong_conditions(run, command, tmp_path, condition, message):
    status, out, err = run(*command, "--where", condition, "-o", tmp_path / "out")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "out").exists()


def test_catalogs_of_one_name_are_told_apart(run, place, tmp_path):
    make_catalog(tmp_path / "own", 12, sample=7)
    status, out, _ = run(
        "evaluate", place / "run", place / "own", tmp_path / "own", "--no-shifts", "--json"
    )
    assert status == 0
    names = [row["data"] for row in json.loads(out)["rows"]]
    assert names == [str(place / "own"), str(tmp_path / "own")]


@pytest.mark.parametrize(
    ("run_name", "catalog_name", "message"),
    [
        ("own", "own", "must hold run.json; it does not"),
        ("run", "nowhere", "nowhere"),
        ("run", "narrow", "must have images of 16 x 16 pixels"),
    ],
)
def test_bad_input_is_one_line(run, place, run_name, catalog_name, message):
    from icmass.catalog import ImageGeometry
    from tests.helpers.masses import mass_spec

    if not (place / "narrow").exists():
        geometry = ImageGeometry(n_y=16, n_x=16, pixel=100.0)
        make_catalog(place / "narrow", 4, spec=mass_spec(geometry=geometry))
    status, out, err = run("evaluate", place / run_name, place / catalog_name)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
