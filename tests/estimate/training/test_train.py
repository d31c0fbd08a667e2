"""A training is the same each time, whatever the workers, and stops where it should."""

import csv
from pathlib import Path

import numpy as np
import pytest

from icmass.estimate.prediction import predict
from icmass.estimate.runs import HISTORY, WEIGHTS, Run
from icmass.estimate.training import Progress, train
from tests.helpers.masses import quick
from tests.helpers.trainings import outcome


def losses(path: Path, name: str = "validation_loss") -> list[float]:
    with (path / "fold-0" / "member-0" / HISTORY).open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def test_a_run_holds_what_it_should(trained_run) -> None:
    found = {p.relative_to(trained_run.path).as_posix() for p in trained_run.path.rglob("*")}
    files = {"fold.json", "member-0", f"member-0/{WEIGHTS}", f"member-0/{HISTORY}"}
    assert found == {
        "run.json",
        "config.yaml",
        "haloes.npy",
        ".lock",
        *("fold-0", "fold-1"),
        *(f"fold-{k}/{name}" for k in range(2) for name in files),
    }
    assert losses(trained_run.path, "epoch") == [0.0, 1.0, 2.0]


def test_one_seed_one_result(tmp_path, mass_catalog, trained_run) -> None:
    again = train(mass_catalog, quick(head="gaussian"), tmp_path / "again", workers=1)
    assert outcome(again.path) == outcome(trained_run.path)
    other = train(mass_catalog, quick(head="gaussian", seed=1), tmp_path / "other", workers=1)
    same = outcome(other.path).items() & outcome(trained_run.path).items()
    assert not same


def test_members_differ(tmp_path, mass_catalog) -> None:
    run = train(mass_catalog, quick(members=2, epochs=1), tmp_path / "run", workers=1)
    one, other = (run.member_directory(0, m) / WEIGHTS for m in range(2))
    assert one.read_bytes() != other.read_bytes()
    assert len(run.load_fold(0).members) == 2


@pytest.mark.slow
def test_two_workers_do_the_same(tmp_path, mass_catalog, trained_run) -> None:
    told: list[Progress] = []
    config = quick(head="gaussian")
    run = train(mass_catalog, config, tmp_path / "run", workers=2, report=told.append)
    assert outcome(run.path) == outcome(trained_run.path)
    assert told
    assert {(p.all_epochs, p.all_folds) for p in told} == {(6, 2)}
    epochs = [p.epochs for p in told]
    assert epochs == sorted(epochs)


def test_masses_are_learnt(tmp_path, mass_catalog) -> None:
    config = quick(epochs=40, learning_rate=6e-3, schedule="one-cycle", flat_mass=False)
    run = train(mass_catalog, config, tmp_path / "run", workers=1)
    said = predict(run, mass_catalog)
    mean, _ = said.predictive.mean_std()
    truth = np.log(mass_catalog.column("m500c_msun"))
    assert np.std(mean - truth) < 0.5 * np.std(truth)
    every = losses(run.path, "train_loss")
    assert every[-1] < 0.3 * every[0]
    # Its own clusters' predictions are for others' masses if masses are exchanged.
    assert np.std(mean - np.roll(truth, 2)) > 0.9 * np.std(truth)


def test_patience_keeps_the_best(tmp_path, mass_catalog) -> None:
    config = quick(epochs=60, patience=3, learning_rate=2e-2)
    run = train(mass_catalog, config, tmp_path / "run", workers=1)
    found = losses(run.path)
    best = int(np.argmin(found))
    assert len(found) - 1 - best == 3
    assert len(found) < 60
    # A training that ends with that epoch has the same weights.
    short = config.model_copy(update={"epochs": best + 1})
    other = train(mass_catalog, short, tmp_path / "other", workers=1)
    name = f"fold-0/member-0/{WEIGHTS}"
    assert outcome(other.path)[name] == outcome(run.path)[name]
    shorter = train(
        mass_catalog, config.model_copy(update={"epochs": best + 3}), tmp_path / "third", workers=1
    )
    assert len(losses(shorter.path)) == best + 3


def test_one_cycle_goes_to_its_end(tmp_path, mass_catalog) -> None:
    config = quick(schedule="one-cycle", learning_rate=0.5, epochs=6)
    run = train(mass_catalog, config, tmp_path / "run", workers=1)
    assert len(losses(run.path)) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"redraw": True, "shift_pixels": 1, "exposure_range_s": (400.0, 1600.0)},
        {"exposure_range_s": (400.0, 1600.0), "head": "flow", "recalibration": "conformal"},
        {"equal_weight": True, "redshift_scaling": True, "origins": ["icm"]},
        {"network": "resnet", "inputs": ["soft", "medium+hard", "n_phot"], "turns": False},
        {"network": "paper-single", "inputs": ["all"], "pixels": 8, "max_clusters": 52},
        {
            "network": "paper-multimodal",
            "inputs": ["bands", "galaxies", "redshift"],
            "cube_cells": 8,
            "shift_pixels": 2,
        },
        {"head": "gaussian", "recalibration": "none", "flat_mass": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_option_trains_and_predicts(tmp_path, mass_catalog, changes) -> None:
    run = train(mass_catalog, quick(epochs=1, **changes), tmp_path / "run", workers=1)
    said = predict(Run.open(run.path), mass_catalog.select(np.arange(9)))
    assert np.isfinite(said.predictive.value).all()
    assert np.isfinite(said.strangeness).all()


def test_progress_is_told(tmp_path, mass_catalog, monkeypatch) -> None:
    monkeypatch.setattr("icmass.estimate.training.driver._LOOK_EVERY_S", 0.02)
    told: list[Progress] = []
    train(mass_catalog, quick(epochs=2), tmp_path / "run", workers=1, report=told.append)
    assert told
    assert all(p.all_epochs == 4 and p.all_folds == 2 for p in told)
    assert told[-1].epochs > told[0].epochs
