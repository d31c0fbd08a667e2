"""`icmass predict`: what it writes, and runs and catalogs that it refuses."""

import json
import shutil

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.estimate.runs import WEIGHTS
from tests.helpers.masses import mass_spec
from tests.helpers.trees import files

N = 120  # clusters of the catalog "own"


def test_predictions_of_own_clusters(run, place, free):
    status, out, err = run("predict", place / "run", free)
    assert (status, err) == (0, "")
    written = free / "predictions" / "run.h5"
    assert f"{written}: 120 clusters, 120 by the fold that did not train on them, 0 by all" in out
    assert "median uncertainty 0." in out
    found = Catalog.open(free).predictions("run")
    assert set(found.extra["fold"].tolist()) == {0, 1}
    assert np.isfinite(found.mean).all()
    assert list(found.quantiles) == sorted(found.quantiles)
    Catalog.open(free).validate()


def test_predictions_of_other_clusters(run, place, tmp_path):
    other = shutil.copytree(place / "other", tmp_path / "other")
    options = ("--name", "mine", "--json")
    status, out, _ = run("predict", place / "run", other, *options)
    values = json.loads(out)
    assert status == 0
    assert (values["clusters"], values["out_of_fold"], values["by_all_folds"]) == (50, 0, 50)
    assert values["predictions"] == str(other / "predictions" / "mine.h5")
    assert 0.0 < values["median_std"] < 3.0
    assert values["median_strangeness"] > 0.0
    found = Catalog.open(other).predictions("mine")
    assert (found.extra["fold"] == -1).all()
    assert (found.extra["disagreement"] > 0).all()
    before = (other / "predictions" / "mine.h5").read_bytes()
    status, out, err = run("predict", place / "run", other, *options)
    assert (status, out) == (2, "")
    assert "has predictions 'mine' already. Choose another name, or give --overwrite." in err
    assert run("predict", place / "run", other, *options, "--overwrite")[0] == 0
    assert (other / "predictions" / "mine.h5").read_bytes() == before
    assert Catalog.open(other).prediction_names() == ["mine"]


def test_no_clusters(run, place, tmp_path):
    Catalog.create(tmp_path / "empty", mass_spec())
    status, out, _ = run("predict", place / "run", tmp_path / "empty", "--json")
    assert status == 0
    assert json.loads(out)["median_std"] is None


def test_a_name_that_is_taken_is_refused_before_the_work(one_line, place, free, monkeypatch):
    Catalog.open(free).write_predictions("run", np.zeros(N), np.ones(N))
    before = files(free)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("predicted")

    monkeypatch.setattr("icmass.estimate.prediction.predict", refuse)
    one_line("predict", place / "run", free, match="has predictions 'run' already")
    assert files(free) == before


@pytest.mark.parametrize(
    ("what", "catalog", "match"),
    [
        ("nowhere", "other", r"nowhere: must hold run\.json; it does not\. Give a directory"),
        ("thesis", "other", r"thesis: must hold run\.json; it does not"),
        ("own", "other", r"own: must hold run\.json; it does not"),
        ("run", "nowhere", "nowhere"),
        ("run", "run", "run"),
        ("run", "bands", r"must have the band medium 1\.2-2 keV of the estimator; got soft 0\.5"),
        ("run", "pixels", "must have images of 16 x 16 pixels of 200 kpc"),
    ],
)
def test_what_cannot_predict(one_line, place, what, catalog, match):
    one_line("predict", place / what, place / catalog, match=match)
    assert not (place / catalog / "predictions").exists() or catalog == "run"


def test_a_wrong_name(one_line, place, free):
    match = "predictions: must be named by letters, digits, . _ -; got '../run'"
    one_line("predict", place / "run", free, "--name", "../run", match=match)
    assert Catalog.open(free).prediction_names() == []


def test_damaged_runs(one_line, place, copied, free):
    def refused(match: str) -> None:
        one_line("predict", copied, free, match=match)
        assert Catalog.open(free).prediction_names() == []

    weights = copied / "fold-1" / "member-0" / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-64])
    refused(rf"{WEIGHTS}: must have the SHA-256 \w+; got \w+\. Remove .*fold\.json and train")
    weights.write_bytes((copied / "fold-0" / "member-0" / WEIGHTS).read_bytes())
    refused(rf"fold-1/member-0/{WEIGHTS}: must have the SHA-256")
    weights.unlink()
    refused(rf"{WEIGHTS}: must have the SHA-256 \w+; got no file")
    weights.write_bytes(whole)
    note = copied / "fold-1" / "fold.json"
    note.unlink()
    refused("must have all 2 folds trained; fold 1 is not. Give the same icmass train again")


def test_runs_of_other_versions(one_line, place, copied, free):
    path = copied / "run.json"
    values = json.loads(path.read_text())
    for changed, match in (
        ({**values, "version": 99}, r"run\.json: version must be 1; got 99, written by icmass"),
        ({**values, "format": "other"}, r"run\.json: format must be 'icmass run'; got 'other'"),
        ({**values, "inputs": {}}, r"run\.json: must describe a run; it is damaged"),
        ({**values, "config": {"epoch": 1}}, r"run\.json: epoch: unknown key; did you mean"),
        ([1], r"run\.json: must hold keys and values; got list"),
    ):
        path.write_text(json.dumps(changed))
        one_line("predict", copied, free, match=match)
        one_line(*("train", place / "own", "-c", place / "quick.yaml", "-o", copied), match=match)
    path.write_text(json.dumps(values)[:-40])
    one_line("predict", copied, free, match=r"run\.json: must be JSON; it is damaged")
    assert Catalog.open(free).prediction_names() == []
