"""What cannot be trained says why, in one line, and keeps what is finished."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from icmass.catalog import Band, Catalog, ImageGeometry
from icmass.catalog.lock import DirectoryLock
from icmass.errors import InputError, OutputError
from icmass.estimate.heads import GaussianHead
from icmass.estimate.runs import CHECKPOINT, WEIGHTS, Run
from icmass.estimate.training import train
from tests.helpers.masses import make_catalog, mass_spec, quick
from tests.helpers.trainings import KilledError, interrupt, outcome

CONFIG = quick(head="gaussian")


def refused(catalog: Catalog, path: Path, message: str, **changes: Any) -> InputError:
    """Assert that a training is refused in one line, before it writes anything."""
    with pytest.raises(InputError, match=message) as found:
        train(catalog, quick(**changes), path, workers=1)
    assert "\n" not in str(found.value)
    assert not path.exists()
    return found.value


# Losses


@pytest.fixture
def poison(monkeypatch) -> dict[str, Any]:
    """Make losses NaN where `when(training, call)` says so."""
    rule: dict[str, Any] = {"when": lambda training, call: False, "calls": 0}
    sound = GaussianHead.loss

    def loss(self: GaussianHead, features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        rule["calls"] += self.training
        bad = rule["when"](self.training, rule["calls"])
        return sound(self, features, target) * (float("nan") if bad else 1.0)

    monkeypatch.setattr(GaussianHead, "loss", loss)
    return rule


def test_a_loss_that_is_not_finite_stops(tmp_path, mass_catalog, trained_run, poison) -> None:
    path = tmp_path / "run"
    poison["when"] = lambda training, call: training and call == 5  # of 3 per epoch
    with pytest.raises(InputError, match=r"loss is not finite at batch 1 of epoch 1; the check"):
        train(mass_catalog, CONFIG, path, workers=1)
    kept = path / f"fold-0/member-0/{CHECKPOINT}"
    assert torch.load(kept, weights_only=True)["epoch"] == 0
    assert not (path / "fold-1").exists()  # nobody goes on when it is over
    poison["when"] = lambda training, call: False
    train(mass_catalog, CONFIG, path, workers=1)
    assert outcome(path) == outcome(trained_run.path)


def test_a_validation_loss_that_is_not_finite_stops(tmp_path, mass_catalog, poison) -> None:
    path = tmp_path / "run"
    poison["when"] = lambda training, call: not training and call > 5
    with pytest.raises(InputError, match="validation loss is not finite after epoch 1; the check"):
        train(mass_catalog, CONFIG, path, workers=1)
    kept = torch.load(path / f"fold-0/member-0/{CHECKPOINT}", weights_only=True)
    assert kept["epoch"] == 0
    assert len(kept["callbacks"]["Keeper"]["history"]) == 1


def test_weights_that_burst_do_not_reach_a_checkpoint(tmp_path, mass_catalog) -> None:
    path = tmp_path / "run"
    config = quick(learning_rate=1e30, epochs=4)
    with pytest.raises(InputError, match=r"the .*loss is not finite"):
        train(mass_catalog, config, path, workers=1)
    for kept in path.rglob(CHECKPOINT):
        weights = torch.load(kept, weights_only=True)["state_dict"]
        assert all(torch.isfinite(tensor).all() for tensor in weights.values())


@pytest.mark.parametrize("bad", [0.0, np.nan])
def test_masses_that_are_not_known(tmp_path, bad: float) -> None:
    mass = np.full(60, 2e14)
    mass[3:5] = bad
    catalog = make_catalog(tmp_path / "catalog", 60, columns={"m500c_msun": mass})
    refused(catalog, tmp_path / "run", "must know m500c_msun of every .* 2 of 60 are not known")


# Catalogs


def test_a_catalog_without_what_is_wanted(tmp_path, mass_catalog) -> None:
    path = tmp_path / "run"
    bare = make_catalog(
        tmp_path / "bare",
        60,
        spec=mass_spec(galaxies=False, expectations=None, bands=(Band("broad", 0.2, 2.3),)),
    )
    refused(bare, path, "inputs: must have galaxies", network="paper-multimodal", inputs=None)
    refused(bare, path, "inputs: 'soft' is not known; ", inputs=["soft", "redshift"])
    refused(bare, path, "redraw: .*bare must hold noise-free images", redraw=True)
    refused(bare, path, "inputs: 'n_gal' is not in this catalog", inputs=["all", "n_gal"])
    refused(mass_catalog, path, "'m500c_msun' is truth", inputs=["all", "m500c_msun"])
    refused(mass_catalog, path, "pixels: must divide the 16 x 16 pixels", pixels=5)
    refused(
        mass_catalog,
        path,
        "network 'profile' does not look at galaxies",
        inputs=["all", "galaxies"],
    )
    refused(mass_catalog, path, "network 'reset': is not known; did you mean", network="reset")
    refused(mass_catalog, path, "head 'flo': is not known; did you mean 'flow'", head="flo")


def test_images_that_cannot_be_turned(tmp_path) -> None:
    spec = mass_spec(geometry=ImageGeometry(16, 14, 200.0), galaxies=False)
    catalog = make_catalog(tmp_path / "catalog", 120, spec=spec)
    refused(catalog, tmp_path / "run", "turns: images must be square .* got 16 x 14. Give turns")
    config = quick(turns=False, epochs=1, network="resnet")
    train(catalog, config, tmp_path / "run", workers=1).require_complete()


def test_too_few_clusters(tmp_path, mass_catalog) -> None:
    path = tmp_path / "run"
    few = mass_catalog.select(np.arange(6))
    refused(few, path, "folds: must be from 2 to the 3 halos; got 8", folds=8)
    message = "validation: must hold at least 20 clusters for recalibration; got 6 of 120 clusters"
    refused(mass_catalog, path, message, validation=0.1)
    with pytest.raises(InputError, match="folds: must leave clusters for the validation part"):
        config = quick(head="gaussian", recalibration="none", validation=0.1)
        train(few, config, path, workers=1)


# Settings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"schedule": "one-cycle", "patience": 3},
            "patience: cannot go with the schedule one-cycle",
        ),
        ({"recalibration": "none"}, "recalibration: must be temperature or conformal for the head"),
        ({"shift_pixels": 16}, "shift_pixels: must be below the 16 pixels of the images; got 16"),
    ],
)
def test_settings_that_contradict_each_other(tmp_path, mass_catalog, changes, message) -> None:
    refused(mass_catalog, tmp_path / "run", message, **changes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("accelerator", ["gpu", "cuda"])
def test_a_gpu_that_is_not_there(tmp_path, mass_catalog, accelerator: str) -> None:
    config = quick(accelerator=accelerator)
    with pytest.raises(InputError, match=f"accelerator '{accelerator}', .* cannot be had") as found:
        train(mass_catalog, config, tmp_path / "run")
    assert "\n" not in str(found.value)
    assert "Give accelerator: cpu" in str(found.value)


@pytest.mark.parametrize(
    "changes", [{"accelerator": "abacus"}, {"precision": "3-true"}, {"strategy": "luck"}]
)
def test_devices_that_do_not_exist(tmp_path, mass_catalog, changes: dict[str, str]) -> None:
    (value,) = changes.values()
    with pytest.raises(InputError, match=f"'{value}'.*cannot be had here"):
        train(mass_catalog, quick(**changes), tmp_path / "run", workers=1)


@pytest.mark.parametrize("workers", [0, -2])
def test_workers_that_are_none(tmp_path, mass_catalog, workers: int) -> None:
    with pytest.raises(InputError, match=f"workers: must be at least 1; got {workers}"):
        train(mass_catalog, quick(), tmp_path / "run", workers=workers)


# Places


def test_places_that_are_taken(tmp_path, mass_catalog) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    for path, message in {
        "file": "file: must be a directory; it is a file",
        "other": "other: must be new, empty or a run; it holds other files",
        "not/there": "its folder does not exist; create it: mkdir -p",
    }.items():
        with pytest.raises(OutputError, match=message):
            train(mass_catalog, quick(), tmp_path / path, workers=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 4}, "is a run with another config epochs: expected 4, found 3. Give another"),
        ({"head": "flow"}, "another config head: expected flow, found gaussian"),
        ({"inputs": ["all"]}, r"another config inputs: expected \['all'\], found \['bands', "),
    ],
)
def test_a_run_of_something_else(mass_catalog, trained_run, changes, message) -> None:
    with pytest.raises(InputError, match=message):
        train(mass_catalog, CONFIG.model_copy(update=changes), trained_run.path, workers=1)


def test_a_run_on_another_catalog(mass_catalog, trained_run) -> None:
    with pytest.raises(InputError, match="is a run with another catalog fingerprint: expected "):
        train(mass_catalog.select(np.arange(118)), CONFIG, trained_run.path, workers=1)


def test_two_trainings_in_one_place(mass_catalog, copied_run) -> None:
    with DirectoryLock(copied_run):
        before = outcome(copied_run)
        with pytest.raises(OutputError, match=r"another run writes into it .process"):
            train(mass_catalog, CONFIG, copied_run, workers=1)
    assert outcome(copied_run) == before
    train(mass_catalog, CONFIG, copied_run, workers=1)


# Checkpoints


@pytest.fixture
def stopped(tmp_path, mass_catalog) -> Path:
    """A run that was interrupted after its first epoch; returns the checkpoint."""
    path = tmp_path / "stopped"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        interrupt(patch, 0, 0, after=True)
        train(mass_catalog, CONFIG, path, workers=1)
    return path / f"fold-0/member-0/{CHECKPOINT}"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def foreign(path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.ones(3)}}, path)


def text(path: Path) -> None:
    path.write_text("weights")


def code(path: Path) -> None:
    torch.save({"state_dict": os.system}, path)


def other_network(path: Path) -> None:
    values = torch.load(path, weights_only=True)
    values["state_dict"]["estimator.head.linear.weight"] = torch.ones(2, 9)
    torch.save(values, path)


@pytest.mark.parametrize("damage", [truncate, foreign, text, code, other_network])
def test_a_checkpoint_that_is_not_sound(mass_catalog, trained_run, stopped, damage) -> None:
    damage(stopped)
    run = stopped.parents[2]
    message = f"{CHECKPOINT}: must be a checkpoint of this run; it is .* Remove it: the network"
    with pytest.raises(InputError, match=message) as found:
        train(mass_catalog, CONFIG, run, workers=1)
    assert "\n" not in str(found.value)
    stopped.unlink()
    train(mass_catalog, CONFIG, run, workers=1)
    assert outcome(run) == outcome(trained_run.path)


def test_weights_that_are_damaged_before_the_fold_is_done(tmp_path, mass_catalog) -> None:
    path = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):

        def fail(*_: Any) -> None:
            raise KilledError

        patch.setattr(Run, "write_fold", fail)
        train(mass_catalog, CONFIG, path, workers=1)
    truncate(path / f"fold-0/member-0/{WEIGHTS}")
    with pytest.raises(InputError, match=f"{WEIGHTS}: must be weights of an estimator; it is dam"):
        train(mass_catalog, CONFIG, path, workers=1)
