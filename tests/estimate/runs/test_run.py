"""Run directories: what is written is read back, and what is damaged or foreign is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from icmass.config import TrainConfig
from icmass.errors import InputError
from icmass.estimate.runs import WEIGHTS, Run, load_weights, save_weights
from tests.helpers.masses import quick


def change(path: Path, **values: Any) -> None:
    """Replace keys of a JSON file; None removes one."""
    found = json.loads(path.read_text()) | values
    path.write_text(json.dumps({k: v for k, v in found.items() if v is not None}))


def test_round_trip(trained_run, mass_catalog) -> None:
    run = Run.open(trained_run.path)
    assert run == trained_run
    assert run.fingerprint == mass_catalog.fingerprint()
    assert run.n_clusters == 120
    assert run.config == quick(head="gaussian") == TrainConfig.from_yaml(run.path / "config.yaml")
    assert run.plan["epochs"] == 3
    assert not run.turns  # a profile does not know them
    values = json.loads((run.path / "run.json").read_text())
    assert {"torch", "pytorch-lightning", "icmass"} <= set(values["versions"])
    fold = run.load_fold(1)
    assert fold.number == 1
    assert fold.recalibration.method == "temperature"
    assert fold.thinning is None
    assert not fold.members[0].training
    with (run.path / "fold-1" / "fold.json").open() as file:
        note = json.load(file)["members"][0]
    mean = float(np.log(mass_catalog.column("redshift")).mean())
    assert note["ln_scalars_mean"]["redshift"] == pytest.approx(mean, abs=0.2)
    assert note["parameters"] == sum(p.numel() for p in fold.members[0].parameters())


def test_folds_of_clusters(trained_run, mass_catalog) -> None:
    fold = trained_run.folds_of(mass_catalog)
    assert set(fold) == {0, 1}
    halo = mass_catalog.column("halo_id")
    assert all(len(np.unique(fold[halo == k])) == 1 for k in np.unique(halo))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"version": 2},
            r"run.json: version must be 1; got 2, written by icmass .* Train it again",
        ),
        ({"format": "icmass catalog"}, "format must be 'icmass run'; got 'icmass catalog'. Give a"),
        ({"format": None}, "format must be 'icmass run'; got None"),
        ({"plan": None}, r"run.json: must describe a run; it is damaged \(KeyError: 'plan'\)"),
        ({"inputs": {"channels": [{"name": "x", "bands": [[1]]}]}}, "must describe a run; it is"),
        ({"catalog": 3}, "must describe a run; it is damaged"),
        ({"config": {"network": "resnet", "head": 7}}, "run.json: head: must be a valid string"),
    ],
)
def test_another_run_file(copied_run, values: dict[str, Any], message: str) -> None:
    change(copied_run / "run.json", **values)
    with pytest.raises(InputError, match=message):
        Run.open(copied_run)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": "icmass', "run.json: must be JSON; it is damaged"),
        ("[1, 2]", "run.json: must hold keys and values; got list"),
    ],
)
def test_a_run_file_that_is_none(copied_run, text: str, message: str) -> None:
    (copied_run / "run.json").write_text(text)
    with pytest.raises(InputError, match=message):
        Run.open(copied_run)


def test_no_run_at_all(tmp_path) -> None:
    with pytest.raises(InputError, match=r"must hold run.json; it does not. Give a directory that"):
        Run.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"run.json: cannot be read: Not a directory"):
        Run.open(tmp_path / "file")


def test_a_fold_that_is_not_trained(copied_run) -> None:
    (copied_run / "fold-1" / "fold.json").unlink()
    assert not Run.open(copied_run, complete=False).fold_done(1)
    with pytest.raises(InputError, match=r"must have all 2 folds trained; fold 1 is not. Give the"):
        Run.open(copied_run)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sha256": None}, "fold.json: must describe a fold; it is damaged"),
        ({"recalibration": {"method": "temperature"}}, "fold.json|recalibration"),
        ({"thinning": [1]}, "fold.json: must describe a fold; it is damaged"),
    ],
)
def test_a_fold_file_that_is_damaged(copied_run, values: dict[str, Any], message: str) -> None:
    change(copied_run / "fold-0" / "fold.json", **values)
    with pytest.raises(InputError, match=message):
        Run.open(copied_run).load_fold(0)


@pytest.mark.parametrize("damage", ["truncated", "exchanged", "missing"])
def test_weights_that_are_not_those_of_the_fold(copied_run, damage: str) -> None:
    run = Run.open(copied_run)
    path, other = (run.member_directory(k, 0) / WEIGHTS for k in (0, 1))
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-8])
    elif damage == "exchanged":
        path.write_bytes(other.read_bytes())
    else:
        path.unlink()
    message = r"fold-0.member-0.weights.safetensors: must have the SHA-256 \w+; got .*Remove .*fold"
    with pytest.raises(InputError, match=message):
        run.load_fold(0)
    assert run.load_fold(1).number == 1


@pytest.mark.parametrize(
    ("change_weights", "message"),
    [
        (lambda w: w.pop("head.linear.bias"), "'head.linear.bias' is missing"),
        (lambda w: w.update(extra=torch.ones(2)), "'extra' is not of this network"),
        (
            lambda w: w.update({"scalar_mean": torch.ones(1, 5)}),
            r"'scalar_mean' must have the shape \(1, 2\); got \(1, 5\)",
        ),
        (lambda w: w["image_mean"].fill_(torch.nan), "'image_mean' must be finite; it is not"),
    ],
)
def test_weights_of_another_network(trained_run, tmp_path, change_weights, message: str) -> None:
    weights = load_file(trained_run.member_directory(0, 0) / WEIGHTS)
    change_weights(weights)
    save_file(weights, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=f"other.safetensors: .*{message}"):
        load_weights(tmp_path / "other.safetensors", trained_run.new_estimator())


def test_weights_that_are_none(trained_run, tmp_path) -> None:
    path = tmp_path / "other.safetensors"
    with pytest.raises(InputError, match="must be there; it is missing"):
        load_weights(path, trained_run.new_estimator())
    path.write_bytes(b"weights of nobody" * 3)
    with pytest.raises(InputError, match="must be weights of an estimator; it is damaged or fore"):
        load_weights(path, trained_run.new_estimator())


def test_weights_round_trip(trained_run, tmp_path) -> None:
    estimator = trained_run.load_fold(0).members[0]
    save_weights(tmp_path / "copy.safetensors", estimator.state_dict())
    again = trained_run.new_estimator()
    load_weights(tmp_path / "copy.safetensors", again)
    for name, tensor in estimator.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY rubbish"])
def test_a_list_of_haloes_that_is_damaged(copied_run, mass_catalog, content) -> None:
    path = copied_run / "haloes.npy"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"haloes.npy: must list the haloes of the run; it is miss"
    ):
        Run.open(copied_run).folds_of(mass_catalog)
