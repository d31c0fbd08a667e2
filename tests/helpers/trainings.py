"""What a training leaves behind, and how to end one in the middle."""

from pathlib import Path
from typing import Any

import pytest

from icmass.estimate.training.keeper import Keeper

__all__ = ["KilledError", "interrupt", "outcome"]


class KilledError(Exception):
    """Takes the place of the end of a process."""


def outcome(path: Path) -> dict[str, bytes]:
    """Return what a training leaves, but for run.json and config.yaml, which name versions."""
    names = ("*.safetensors", "history.csv", "fold.json", "haloes.npy")
    return {
        found.relative_to(path).as_posix(): found.read_bytes()
        for name in names
        for found in path.rglob(name)
    }


def interrupt(monkeypatch: pytest.MonkeyPatch, fold: int, epoch: int, *, after: bool) -> None:
    """End the training of a fold in an epoch, before or after its checkpoint is written."""
    whole = Keeper.on_train_epoch_end

    def broken(self: Keeper, trainer: Any, module: Any) -> None:
        now = trainer.current_epoch == epoch and f"fold-{fold}" in str(self.directory)
        if now and not after:
            raise KilledError
        whole(self, trainer, module)
        if now:
            raise KilledError

    monkeypatch.setattr(Keeper, "on_train_epoch_end", broken)
