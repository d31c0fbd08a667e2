"""`icmass ablate`: the table it makes, what it keeps, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import pytest

from icmass.catalog import Catalog
from icmass.cli.ablation_file import read_results
from icmass.estimate.runs import Run
from icmass.estimate.training import train
from tests.helpers.masses import make_catalog, quick
from tests.helpers.trainings import KilledError, interrupt

NAMES = ["reference", "agn", "redshift", "shuffled"]


@pytest.fixture(scope="module")
def others(judged, tmp_path_factory) -> Path:
    """Other runs and catalogs; read only."""
    folder = tmp_path_factory.mktemp("others")
    own = Catalog.open(judged / "own")
    make_catalog(folder / "other", 30, seed=5, sample=5)
    shutil.copytree(judged / "run", folder / "half-run")
    (folder / "half-run" / "fold-1" / "fold.json").unlink()
    train(own, quick(epochs=1, redraw=True), folder / "redrawn-run", workers=1)
    train(own, quick(epochs=1, equal_weight=True), folder / "thinned-run", workers=1)
    counted = ["bands", "redshift", "exposure_s", "n_phot"]
    train(own, quick(epochs=1, inputs=counted), folder / "counting-run", workers=1)
    return folder


@pytest.fixture
def command(judged, tmp_path) -> list[object]:
    return ["ablate", judged / "run", judged / "own", "-o", tmp_path / "out", "--workers", 1]


def test_the_table(judged, ablated):
    place, printed = ablated
    values = json.loads((place / "ablations.json").read_text())
    assert [row["name"] for row in values["ablations"]] == NAMES
    assert values["catalog_fingerprint"] == Run.open(judged / "run").fingerprint
    assert {row["n"] for row in values["ablations"]} == {120}
    reference, *rest = values["ablations"]
    assert (reference["change"], reference["change_error"]) == (0.0, 0.0)
    for row in rest:
        assert row["change"] == pytest.approx(row["error_std"] - reference["error_std"])
        assert row["change_error"] > 0.0
    assert [row["control"] for row in values["ablations"]] == [False, False, False, True]
    assert values["ablations"][-1]["scatter"] is None
    for text in ("as it is", "without AGN", "redshift withheld", "masses of other clusters"):
        assert text in printed
    assert printed.splitlines()[-1] == f"trained estimators and table: {place}"
    assert sorted(path.name for path in (place / "runs").iterdir()) == sorted(NAMES[1:])


def test_each_is_trained_without_what_it_names(ablated):
    place, _ = ablated
    runs = {name: Run.open(place / "runs" / name) for name in NAMES[1:]}
    assert runs["agn"].inputs.origins == ("icm", "background")
    assert runs["redshift"].inputs.scalars == ("exposure_s",)
    assert runs["shuffled"].fingerprint != runs["agn"].fingerprint


def test_a_table_is_read_as_it_was_written(judged, ablated):
    place, _ = ablated
    found = read_results(place, Run.open(judged / "run"))
    assert [row.name for row in found] == NAMES
    assert found[-1].scatter != found[-1].scatter  # not a number


def test_given_again_it_only_looks(run, judged, ablated, tmp_path):
    place = Path(shutil.copytree(ablated[0], tmp_path / "out"))
    before = (place / "ablations.json").read_bytes()
    weights = {p: p.stat().st_mtime_ns for p in place.rglob("*.safetensors")}
    command = ["ablate", judged / "run", judged / "own", "-o", place, "--workers", 1, "--json"]
    status, out, err = run(*command, "--only", "agn,redshift,shuffled")
    assert (status, err) == (0, "")
    assert out.encode() == before
    assert {p: p.stat().st_mtime_ns for p in place.rglob("*.safetensors")} == weights


def test_interrupted_and_resumed_it_is_the_same(run, ablated, command, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, fold=1, epoch=0, after=True)
        with pytest.raises(KilledError):
            run(*command, "--only", "agn,redshift,shuffled")
    assert not (tmp_path / "out" / "ablations.json").exists()
    assert (tmp_path / "out" / "runs" / "agn" / "fold-0" / "fold.json").exists()
    assert run(*command, "--only", "agn,redshift,shuffled")[0] == 0
    again, once = (p / "ablations.json" for p in (tmp_path / "out", ablated[0]))
    assert again.read_bytes() == once.read_bytes()


def test_with_fewer_epochs_the_estimator_is_trained_again_too(run, command, tmp_path):
    status, out, err = run(*command, "--only", "agn", "--epochs", 1, "--json")
    assert (status, err) == (0, "")
    assert [row["name"] for row in json.loads(out)["ablations"]] == ["reference", "agn"]
    assert Run.open(tmp_path / "out" / "runs" / "reference").config.epochs == 1
    status, out, err = run(*command, "--only", "agn", "--epochs", 2)
    assert (status, out) == (2, "")
    assert re.search(r"epochs.*1.*2|epochs.*2.*1", err), err


def test_what_cannot_be_made_of_a_run_is_left_out(run, judged, others, tmp_path):
    """Networks that are told numbers of photons cannot be told those of a changed cluster."""
    options = ["-o", tmp_path / "out", "--workers", 1, "--epochs", 1, "--json"]
    status, out, err = run("ablate", others / "counting-run", judged / "own", *options)
    assert (status, err) == (0, "")
    names = [row["name"] for row in json.loads(out)["ablations"]]
    assert not {"core", "outskirts"} & set(names)
    assert {"reference", "azimuth", "agn", "only-hard", "shuffled"} < set(names)


CASES = [
    ("run", "own", ["--only", "agm"], r"ablation 'agm': is not known; did you mean 'agn'"),
    ("run", "own", ["--only", ""], r"ablation '': is not known; known: core, outskirts"),
    ("run", "own", ["--only", "only-radio"], r"ablation 'only-radio': is not known"),
    ("run", "own", ["--epochs", "0"], r"--epochs"),
    ("run", "own", ["--workers", "0"], r"workers"),
    ("run", "other", [], r"must be the catalog that .* was trained on, \w{16}; got \w{16}"),
    ("run", "absent", [], r"absent"),
    ("own", "own", [], r"must hold run\.json; it does not"),
    ("run", "run", [], r"run: must be a catalog"),
    ("half-run", "own", [], r"must have all 2 folds trained; fold 1 is not"),
    ("redrawn-run", "own", ["--only", "agn"], r"must see photons as they are .*with redraw"),
    ("thinned-run", "own", [], r"must see photons as they are .*with equal_weight"),
    ("counting-run", "own", ["--only", "core"], r"ablation 'core': cannot be made; .*n_phot"),
]


@pytest.mark.parametrize(
    ("run_name", "catalog_name", "options", "match"),
    CASES,
    ids=[" ".join([a, b, *c]) for a, b, c, _ in CASES],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    run, judged, others, tmp_path, run_name, catalog_name, options, match
):
    def place(name):
        return judged / name if (judged / name).exists() else others / name

    status, out, err = run(
        "ablate", place(run_name), place(catalog_name), "-o", tmp_path / "out", *options
    )
    assert (status, out) == (2, ""), err
    assert err.count("\n") == 1, err
    assert re.search(match, err), err
    assert len(err) < 900
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_taken(run, judged, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("ten years")
    for place, match in (
        ("file", "must be a directory; it is a file"),
        ("thesis", "must be new, empty or of icmass ablate; it holds others"),
        ("no/where", "its folder does not exist; create it: mkdir -p"),
    ):
        status, out, err = run(
            "ablate", judged / "run", judged / "own", "-o", tmp_path / place, "--only", "agn"
        )
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert match in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["chapter.tex", "file", "thesis"]
