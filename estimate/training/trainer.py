"""Lightning's trainer as we use it, and whether the device that a user wants is there."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from icmass.config import TrainConfig
from icmass.errors import InputError

__all__ = ["make_trainer", "quiet", "require_device"]


def make_trainer(config: TrainConfig, **options: Any) -> lightning.Trainer:
    """Return a trainer on the device of a `config`; `options` are further ones of Lightning's.

    Raises
    ------
    InputError
        If accelerator, devices, strategy or precision cannot be had here.
    """
    cpu = config.accelerator == "cpu"
    devices: Any = config.devices
    if isinstance(devices, str) and devices.isdigit():
        devices = int(devices)
    try:
        return lightning.Trainer(
            accelerator=config.accelerator,
            devices=1 if cpu and config.strategy == "auto" else devices,
            strategy=config.strategy,
            precision=config.precision,  # type: ignore[arg-type]
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            gradient_clip_val=10.0,
            enable_progress_bar=False,
            enable_model_summary=False,
            **options,
        )
    except (MisconfigurationException, ValueError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"accelerator '{config.accelerator}', devices '{config.devices}', strategy "
            f"'{config.strategy}', precision '{config.precision}': cannot be had here ({reason}). "
            "Give accelerator: cpu, or what this machine has."
        ) from error


def require_device(config: TrainConfig) -> None:
    """Refuse a `config` whose device is not here, before any work.

    Raises
    ------
    InputError
        As `make_trainer`.
    """
    with quiet():
        make_trainer(config, logger=False, enable_checkpointing=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning from telling what it found; what concerns the user is raised."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
