"""A training that was killed goes on, and ends as if it had not been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from icmass.catalog import Catalog
from icmass.estimate.runs import CHECKPOINT, HISTORY, WEIGHTS, Run
from icmass.estimate.training import fit, train
from tests.helpers.masses import quick
from tests.helpers.trainings import KilledError, interrupt, outcome

CONFIG = quick(head="gaussian")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("fold", "epoch"), [(0, 0), (1, 1), (1, 2)])
def test_an_interrupted_training_goes_on(
    tmp_path, mass_catalog, trained_run, fold: int, epoch: int, after: bool
) -> None:
    path = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        interrupt(patch, fold, epoch, after=after)
        train(mass_catalog, CONFIG, path, workers=1)
    assert not Run.open(path, complete=False).fold_done(fold)
    assert (path / f"fold-{fold}/member-0/{CHECKPOINT}").exists() == (after or epoch > 0)
    finished = path / f"fold-0/member-0/{WEIGHTS}"
    before = finished.stat().st_mtime_ns if fold == 1 else None
    train(mass_catalog, CONFIG, path, workers=1)
    assert outcome(path) == outcome(trained_run.path)
    if before is not None:  # what was finished is not trained again
        assert finished.stat().st_mtime_ns == before
    assert not list(path.rglob(CHECKPOINT))


def test_what_is_random_goes_on_alike(tmp_path, mass_catalog) -> None:
    config = quick(
        network="resnet",
        epochs=3,
        redraw=True,
        shift_pixels=1,
        exposure_range_s=(400.0, 1600.0),
        flat_mass=True,
    )
    path, whole = tmp_path / "run", tmp_path / "whole"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        interrupt(patch, 0, 1, after=True)
        train(mass_catalog, config, path, workers=1)
    train(mass_catalog, config, path, workers=1)
    assert outcome(path) == outcome(train(mass_catalog, config, whole, workers=1).path)


def test_a_complete_run_is_left_alone(tmp_path, mass_catalog, copied_run, monkeypatch) -> None:
    def refuse(*_: Any) -> None:
        raise KilledError

    monkeypatch.setattr(fit, "fit_fold", refuse)
    before = {p: p.stat().st_mtime_ns for p in copied_run.rglob("*.*") if p.suffix != ".npy"}
    run = train(mass_catalog, CONFIG, copied_run, workers=1)
    run.require_complete()
    assert all(p.stat().st_mtime_ns == t for p, t in before.items() if p.name != ".lock")


def test_members_that_are_trained_are_loaded(tmp_path, mass_catalog) -> None:
    config = quick(members=2, epochs=1)
    path, whole = tmp_path / "run", tmp_path / "whole"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        saved = fit.save_weights

        def second_fails(path: Path, state: Any) -> None:
            if "member-1" in str(path):
                raise KilledError
            saved(path, state)

        patch.setattr(fit, "save_weights", second_fails)
        train(mass_catalog, config, path, workers=1)
    before = (path / f"fold-0/member-0/{WEIGHTS}").stat().st_mtime_ns
    train(mass_catalog, config, path, workers=1)
    assert (path / f"fold-0/member-0/{WEIGHTS}").stat().st_mtime_ns == before
    assert outcome(path) == outcome(train(mass_catalog, config, whole, workers=1).path)


def test_who_had_lost_patience_does_not_try_again(tmp_path, mass_catalog) -> None:
    config = quick(epochs=60, patience=2, learning_rate=2e-2)
    path, whole = tmp_path / "run", tmp_path / "whole"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):

        def fail(*_: Any) -> None:
            raise KilledError

        patch.setattr(fit, "save_weights", fail)
        train(mass_catalog, config, path, workers=1)
    history = path / f"fold-0/member-0/{HISTORY}"
    before = history.read_text()
    train(mass_catalog, config, path, workers=1)
    assert history.read_text() == before
    assert outcome(path) == outcome(train(mass_catalog, config, whole, workers=1).path)


def test_settings_of_the_machine_may_change(mass_catalog, copied_run) -> None:
    moved = CONFIG.model_copy(update={"memory_gb": 1.0, "devices": 3})
    assert train(mass_catalog, moved, copied_run, workers=1).path == copied_run


def test_a_lost_configuration_is_written_again(mass_catalog, copied_run) -> None:
    text = (copied_run / "config.yaml").read_text()
    (copied_run / "config.yaml").unlink()
    train(mass_catalog, CONFIG, copied_run, workers=1)
    assert (copied_run / "config.yaml").read_text() == text


_TRAIN = """
import sys
from icmass.catalog import Catalog
from icmass.estimate.training import train
from tests.helpers.masses import quick
train(Catalog.open(sys.argv[1]), quick(epochs=80), sys.argv[2], workers=1)
"""


@pytest.mark.slow
def test_a_process_that_is_killed(tmp_path, mass_catalog: Catalog) -> None:
    path, whole = tmp_path / "run", tmp_path / "whole"
    command = [sys.executable, "-c", _TRAIN, str(mass_catalog.path), str(path)]
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    history = path / f"fold-0/member-0/{HISTORY}"
    try:
        deadline = time.monotonic() + 120.0
        while not (history.exists() and len(history.read_text().splitlines()) > 5):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert not (path / "fold-0" / "fold.json").exists()
    train(mass_catalog, quick(epochs=80), path, workers=1)
    train(mass_catalog, quick(epochs=80), whole, workers=1)
    assert outcome(path) == outcome(whole)
