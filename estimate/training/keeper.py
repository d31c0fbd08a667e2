"""Keeps what a training has reached: history, best weights, and a checkpoint to go on from."""

import csv
import math
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor
from typing_extensions import override

from icmass.errors import InputError
from icmass.estimate.runs import CHECKPOINT, HISTORY
from icmass.files import atomic_write

__all__ = ["Keeper"]


class Keeper(Checkpoint):
    """Writes history and checkpoint after every epoch, stops early, remembers the best weights.

    Parameters
    ----------
    directory : Path
        Of one network of one fold.
    patience : int or None
        Epochs without a better validation loss after which training stops. None: it goes through
        to its end, and the last weights are the best.
    """

    def __init__(self, directory: Path, patience: int | None) -> None:
        self.directory = directory
        self.patience = patience
        self.history: list[dict[str, float]] = []
        self.best_loss = math.inf
        self.best_epoch = -1
        self.best: dict[str, Tensor] = {}

    @override
    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Stop at once if the run was killed after it had stopped early."""
        trainer.should_stop = self._lost_patience(len(self.history) - 1)

    @override
    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Take note of an epoch."""
        epoch = trainer.current_epoch
        losses = {
            name: float(trainer.callback_metrics[name])
            for name in ("train_loss", "validation_loss")
        }
        if not math.isfinite(losses["validation_loss"]):
            raise InputError(
                f"training: the validation loss is not finite after epoch {epoch}; the checkpoint "
                "of the epoch before is kept. Give a smaller learning_rate, or look for counts or "
                "masses that are not finite."
            )
        self.history.append({"epoch": epoch, **losses})
        if self.patience is None or losses["validation_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = losses["validation_loss"], epoch
            estimator: Any = pl_module.estimator
            self.best = {k: v.detach().cpu().clone() for k, v in estimator.state_dict().items()}
        elif self._lost_patience(epoch):
            trainer.should_stop = True
        if trainer.is_global_zero:
            self._write_history()
            self._write_checkpoint(trainer)
        else:  # Lightning waits for every device and lets the first one write
            trainer.save_checkpoint(self.directory / CHECKPOINT)

    def _lost_patience(self, epoch: int) -> bool:
        return self.patience is not None and epoch - self.best_epoch >= self.patience

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds of this."""
        return {
            "history": self.history,
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
            "best": self.best,
        }

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.history = list(state_dict["history"])
        self.best_loss = float(state_dict["best_loss"])
        self.best_epoch = int(state_dict["best_epoch"])
        self.best = dict(state_dict["best"])

    def _write_history(self) -> None:
        with (
            atomic_write(self.directory / HISTORY, overwrite=True) as stage,
            stage.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, ["epoch", "train_loss", "validation_loss"])
            writer.writeheader()
            writer.writerows(self.history)

    def _write_checkpoint(self, trainer: lightning.Trainer) -> None:
        with atomic_write(self.directory / CHECKPOINT, overwrite=True) as stage:
            trainer.save_checkpoint(stage)
