"""How an estimator learns: loss, optimiser, schedule; a loss that is not finite stops it."""

from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor
from typing_extensions import override

from icmass.errors import InputError
from icmass.estimate.data import Batch
from icmass.estimate.estimator import Estimator

__all__ = ["Training", "hash_seed"]

_LOOK_EVERY = 50  # steps: looking at a loss makes a GPU wait


class Training(lightning.LightningModule):
    """Trains one estimator.

    Parameters
    ----------
    estimator : Estimator
        Its normalisation is set.
    learning_rate, weight_decay : float
    schedule : str
        constant or one-cycle.
    decoupled : bool
        AdamW, or Adam whose decay goes through the loss.
    seed : tuple of int
        Of what is random in a step (dropout), epoch by epoch.
    """

    bad_step: Tensor
    loss_sum: Tensor

    def __init__(
        self,
        estimator: Estimator,
        *,
        learning_rate: float,
        weight_decay: float,
        schedule: str,
        decoupled: bool,
        seed: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.estimator = estimator
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.decoupled = decoupled
        self.seed = seed
        self.register_buffer("bad_step", torch.tensor(-1), persistent=False)
        self.register_buffer("loss_sum", torch.tensor(0.0), persistent=False)
        self.steps = 0

    @override
    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule."""
        kind = torch.optim.AdamW if self.decoupled else torch.optim.Adam
        optimiser = kind(
            self.estimator.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        if self.schedule == "constant":
            return optimiser
        steps = int(self.trainer.estimated_stepping_batches)
        plan = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.learning_rate, total_steps=max(steps, 4)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plan, "interval": "step"}}

    def _start_epoch(self) -> None:
        """Seed everything random of this epoch, so that a resumed run goes on alike.

        Not in Lightning's hook for it, which a resumed run passes by.
        """
        torch.manual_seed(hash_seed(*self.seed, self.current_epoch))
        self.loss_sum.zero_()
        self.steps = 0

    @override
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean loss of a batch."""
        if batch_idx == 0:
            self._start_epoch()
        loss = self.estimator.loss(batch.clusters, batch.ln_mass).mean()
        finite = torch.isfinite(loss.detach())
        first = torch.where(finite, self.bad_step, torch.full_like(self.bad_step, batch_idx))
        self.bad_step.copy_(torch.where(self.bad_step < 0, first, self.bad_step))
        if self.device.type == "cpu" or batch_idx % _LOOK_EVERY == 0:
            self._require_finite()
        self.loss_sum += loss.detach()
        self.steps += 1
        return loss

    @override
    def on_train_epoch_end(self) -> None:
        """Log the mean loss of the epoch."""
        self._require_finite()
        self.log("train_loss", self.loss_sum / max(self.steps, 1))

    @override
    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the mean loss of the validation part."""
        loss = self.estimator.loss(batch.clusters, batch.ln_mass)
        self.log("validation_loss", loss.mean(), on_epoch=True, batch_size=len(loss))

    def _require_finite(self) -> None:
        step = int(self.bad_step)
        if step >= 0:
            raise InputError(
                f"training: the loss is not finite at batch {step} of epoch "
                f"{self.current_epoch}; the checkpoint of the epoch before is kept. Give a smaller "
                "learning_rate, or look for counts or masses that are not finite."
            )


def hash_seed(*parts: int) -> int:
    """Return one seed for PyTorch from several numbers (`parts`)."""
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])
