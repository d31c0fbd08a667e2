"""`icmass train`: what it makes, prints and refuses."""

import json
import re
import shutil

import pytest
import torch
import yaml

from icmass.estimate.runs import WEIGHTS
from icmass.estimate.training import fit
from tests.estimate.training.test_train import outcome
from tests.helpers.trees import files

N = 120  # clusters of the catalog "own"


def test_a_run_is_trained_and_left_alone(run, command, place, tmp_path, monkeypatch):
    status, out, err = run(*command)
    assert (status, err) == (0, "")
    assert f"{tmp_path / 'run'}: profile on soft, medium, hard; head point; 2 folds of 120" in out
    assert re.search(r"^scatter .residual of ln M_pred over its slope. +0\.\d{4}$", out, re.M)
    assert "each cluster judged by the fold that did not train on it" in out
    assert outcome(tmp_path / "run") == outcome(place / "run")
    before = files(tmp_path / "run")

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(fit, "fit_fold", refuse)
    assert run(*command) == (0, out, "")
    assert files(tmp_path / "run") == before
    status, out, _ = run(*command, "--json")
    values = json.loads(out)
    assert status == 0
    assert values["channels"] == ["soft", "medium", "hard"]
    assert values["scalars"] == ["redshift", "exposure_s"]
    assert (values["clusters"], values["folds"], values["head"]) == (N, 2, "point")
    assert {"slope_scatter", "error_std", "bias", "coverage_68", "crps"} < set(values["metrics"])
    # The configuration that a run holds makes the same run.
    again = ["train", place / "own", "-c", tmp_path / "run" / "config.yaml"]
    assert run(*again, "-o", tmp_path / "run", "--workers", 1)[0] == 0


def test_what_is_missing_is_trained(run, command, place, tmp_path):
    shutil.copytree(place / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "fold-1")
    kept = tmp_path / "run" / "fold-0" / "member-0" / WEIGHTS
    before = kept.stat().st_mtime_ns
    assert run(*command)[0] == 0
    assert kept.stat().st_mtime_ns == before
    assert outcome(tmp_path / "run") == outcome(place / "run")


def test_options_win_over_the_file(run, command, tmp_path):
    options = ("--epochs", 1, "--inputs", "soft+medium,redshift", "--head", "gaussian")
    status, out, _ = run(*command, *options, "--seed", 4, "--members", 2, "--json")
    values = json.loads(out)
    assert (status, values["head"]) == (0, "gaussian")
    assert values["channels"] == ["soft+medium"]
    assert values["scalars"] == ["redshift"]
    found = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (found["epochs"], found["seed"], found["members"], found["folds"]) == (1, 4, 2, 2)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--network", "reset"), "network 'reset': is not known; did you mean 'resnet'"),
        (("--head", "flo"), "head 'flo': is not known; did you mean 'flow'"),
        (("--inputs", "sft,redshift"), "inputs: 'sft' is not known; did you mean 'soft'"),
        (("--inputs", "all,m500c_msun"), "inputs: 'm500c_msun' is truth, not a number that an"),
        (("--inputs", "all,n_phot_500"), "'n_phot_500' is measured with the true R500c"),
        (("--inputs", "all,n_gal"), "inputs: 'n_gal' is not in this catalog"),
        (("--inputs", "all,galaxies"), "network 'profile' does not look at galaxies; leave"),
        (("--origins", "icm,agnn"), "'agnn': is not in the catalog; did you mean 'agn'"),
        (("--pixels", 5), "pixels: must divide the 16 x 16 pixels of the catalog; got 5"),
        (("--folds", 61), "folds: must be from 2 to the 60 halos; got 61"),
        (("--folds", 1), "^--folds: must be greater than or equal to 2; got 1"),
        (("--epochs", -3), "^--epochs: must be greater than or equal to 1; got -3"),
        (("--epochs", "many"), "'--epochs'"),
        (("--members", 0), "^--members: must be greater than or equal to 1; got 0"),
        (("--seed", -1), "^--seed: must be greater than or equal to 0; got -1"),
        (("--validation", 1.5), "^--validation: must be less than 1; got 1.5"),
        (("--validation", 0.1), "validation: must hold at least 20 clusters for recalibration"),
        (("--epochs", 0, "--seed", -2), r"^--seed: .*; got -2.* \| --epochs: .*; got 0"),
    ],
)
def test_wrong_options(one_line, command, tmp_path, options, match):
    one_line(*command, *options, match=match)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("epoch: 3\n", r"job\.yaml: epoch: unknown key; did you mean 'epochs'"),
        ("epochs: few\n", r"job\.yaml: epochs: must be a valid integer; got 'few'"),
        ("recalibration: some\n", r"job\.yaml: recalibration: must be 'temperature', 'conformal'"),
        ("schedule: one-cycle\npatience: 3\n", "patience: cannot go with the schedule one-cycle"),
        ("redraw: true\nequal_weight: true\n", "redraw: cannot go with equal_weight"),
        (
            "where: 3\n",
            r"job\.yaml: where: must be a valid list; got 3\. Conditions on columns, such",
        ),
        ("where: [3]\n", r"job\.yaml: where: must be a valid string; got 3"),
        ("exposure_range_s: [5, 2]\n", r"exposure_range_s: must be a range LO,HI with 0 < LO"),
        (None, r"job\.yaml: cannot be read: No such file"),
    ],
)
def test_wrong_configurations(one_line, place, tmp_path, text, match):
    if text is not None:
        (tmp_path / "job.yaml").write_text(text)
    one_line(
        "train", place / "own", "-c", tmp_path / "job.yaml", "-o", tmp_path / "run", match=match
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("catalog", "options", "match"),
    [
        ("nowhere", (), "nowhere"),
        ("thesis", (), "thesis"),
        ("quick.yaml", (), r"quick\.yaml"),
        ("run", (), "run"),
        ("bands", ("--inputs", "hard,redshift"), "inputs: 'hard' is not known; "),
        ("bands", ("--network", "paper-multimodal", "--inputs", "bands,galaxies"), "have galaxies"),
        ("few", ("--folds", 8), "folds: must be from 2 to the 3 halos; got 8"),
        ("few", (), "validation: must hold at least 20 clusters for recalibration"),
    ],
)
def test_catalogs_that_cannot_be_trained_on(one_line, place, tmp_path, catalog, options, match):
    target = ("-c", place / "quick.yaml", "-o", tmp_path / "run", "--workers", 1)
    one_line("train", place / catalog, *target, *options, match=match)
    assert not (tmp_path / "run").exists()


def test_runs_of_something_else(one_line, place, copied, tmp_path):
    before = files(copied)
    command = ("train", place / "own", "-c", place / "quick.yaml", "--workers", 1)
    one_line(
        *command, "-o", copied, "--epochs", 9, match="another config epochs: expected 9, found 2"
    )
    one_line(
        "train",
        place / "other",
        *command[2:],
        *("-o", copied, "--validation", 0.9),
        match="copied: is a run with another catalog fingerprint: expected ",
    )
    assert files(copied) == before
    one_line(*command, "-o", place / "thesis", match="new, empty or a run; it holds other files")
    one_line(*command, "-o", place / "quick.yaml", match="must be a directory; it is a file")
    one_line(*command, "-o", tmp_path / "a" / "b", match="its folder does not exist; create it")
    assert files(place / "thesis") == {"chapter.tex": b"ten years"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("accelerator", ["gpu", "cuda", "abacus"])
def test_a_device_that_is_not_there(one_line, run, command, tmp_path, accelerator):
    match = f"accelerator '{accelerator}', .*cannot be had here.* Give accelerator: cpu, or what"
    one_line(*command, "--accelerator", accelerator, match=match)
    assert not list((tmp_path / "run").rglob(WEIGHTS))
    assert run(*command, "--epochs", 2)[0] == 0  # the same place serves for the CPU


def test_no_workers(one_line, command, tmp_path):
    one_line(*command[:-1], 0, match="workers: must be at least 1; got 0")
    one_line(*command[:-2], "--scheduler", "nonsense", match="scheduler: must be the address")
    assert not list((tmp_path / "run").rglob(WEIGHTS))


@pytest.mark.parametrize("command", ["train", "predict", "benchmark"])
def test_help(run, command):
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "")
    assert f"Usage: icmass {command}" in out
