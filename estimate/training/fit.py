"""Trains the networks of one fold: from rows to weights, uncertainties put right, and a note."""

import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.augmentation import Augmentation
from icmass.estimate.data import ClusterData, flat_weights
from icmass.estimate.ensemble import mixture
from icmass.estimate.estimator import Estimator, learn_normalisation
from icmass.estimate.folds import Split
from icmass.estimate.metrics import Predictive
from icmass.estimate.prediction import look, stated
from icmass.estimate.reading import HeldReader, Reader, reader_of, thinning_slope
from icmass.estimate.recalibration import Recalibration
from icmass.estimate.runs import CHECKPOINT, WEIGHTS, Run, load_weights, save_weights
from icmass.estimate.threads import one_thread
from icmass.estimate.training.keeper import Keeper
from icmass.estimate.training.module import Training, hash_seed
from icmass.estimate.training.plan import Plan
from icmass.estimate.training.trainer import make_trainer, quiet

__all__ = ["fit_fold"]

_EXPOSURES = ("exposure_s", "exposure_vignetted_s")


@dataclass(frozen=True)
class _Part:
    """What the networks of a fold have in common."""

    run: Run
    plan: Plan
    split: Split
    reader: Reader | HeldReader
    test_reader: Reader | HeldReader
    ln_mass: NDArray[np.float64]
    exposure_s: NDArray[np.float64]
    thinning: tuple[float, float] | None


def fit_fold(run: Run, catalog: Catalog, split: Split, fold: int) -> int:
    """Train every network of a fold that is not trained yet, and write it into the run.

    Parameters
    ----------
    run : Run
    catalog : Catalog
        That of the run.
    split : Split
        Rows of the fold.
    fold : int

    Returns
    -------
    int
        The fold.

    Raises
    ------
    InputError
        If a loss is not finite, or the device is not there.
    """
    with one_thread(), quiet():
        part = _part(run, catalog, split)
        summary = []
        estimators = []
        for member in range(run.config.members):
            directory = run.member_directory(fold, member)
            directory.mkdir(parents=True, exist_ok=True)
            estimator, note = _fit_member(part, fold, member, directory)
            estimators.append(estimator)
            summary.append(note)
        seen = [
            Predictive(*stated(look(e, part.test_reader, split.validation, run.turns)))
            for e in estimators
        ]
        scores = mixture(seen).normal_score(part.ln_mass[split.validation])
        recalibration = Recalibration.fit(run.config.recalibration, scores)
        run.write_fold(fold, recalibration, summary, part.thinning)
        for member in range(run.config.members):
            (run.member_directory(fold, member) / CHECKPOINT).unlink(missing_ok=True)
    return fold


def _part(run: Run, catalog: Catalog, split: Split) -> _Part:
    """Read what the networks of a fold share."""
    config = run.config
    slope, furthest = None, 0.0
    if config.equal_weight:
        slope = thinning_slope(catalog, split.train)
        furthest = float(catalog.column("redshift")[split.train].max())
    thinning = None if slope is None else (slope, furthest)
    plain = Reader(catalog, run.inputs, thinning=slope, z_reference=furthest, seed=config.seed)
    test_reader = reader_of(plain, config.memory_gb)
    drawn = Reader(catalog, run.inputs, rates=True)
    return _Part(
        run,
        Plan(**run.plan),
        split,
        reader_of(drawn, config.memory_gb) if config.redraw else test_reader,
        test_reader,
        np.log(catalog.column("m500c_msun")),
        catalog.column("exposure_s"),
        thinning,
    )


def _fit_member(
    part: _Part, fold: int, member: int, directory: Path
) -> tuple[Estimator, dict[str, Any]]:
    """Train one network, or load it if it is trained; return it and what to note of it."""
    run, plan = part.run, part.plan
    seed = (run.config.seed, fold, member)
    torch.manual_seed(hash_seed(*seed))
    estimator = run.new_estimator()
    train = part.split.train
    weight = flat_weights(part.ln_mass[train]) if plan.flat_mass else np.ones(len(train))
    learn_normalisation(estimator, part.reader, train, part.ln_mass[train], weight)
    keeper = Keeper(directory, plan.patience)
    if not (directory / WEIGHTS).exists():
        data = ClusterData(
            part.reader,
            part.test_reader,
            part.ln_mass,
            part.exposure_s,
            part.split,
            batch_size=min(plan.batch_size, len(train)),
            seed=seed,
            augmentation=_augmentation(run),
            weight=weight if plan.flat_mass else None,
        )
        _train(run, plan, estimator, data, keeper)
        estimator.load_state_dict(keeper.best)
        estimator.eval()
        features = look(estimator, part.test_reader, train, turns=False).features
        estimator.learn_features(torch.from_numpy(features))
        save_weights(directory / WEIGHTS, estimator.state_dict())
    load_weights(directory / WEIGHTS, estimator)
    return estimator.eval(), _note(estimator, run)


def _train(run: Run, plan: Plan, estimator: Estimator, data: ClusterData, keeper: Keeper) -> None:
    """Run Lightning's loop, from the checkpoint of a killed run if there is one."""
    config = run.config
    module = Training(
        estimator,
        learning_rate=plan.learning_rate,
        weight_decay=plan.weight_decay,
        schedule=plan.schedule,
        decoupled=plan.decoupled,
        seed=data.seed,
    )
    trainer = make_trainer(
        config,
        max_epochs=plan.epochs,
        callbacks=[keeper],
        logger=_logger(keeper.directory),
        default_root_dir=str(keeper.directory),
    )
    checkpoint = keeper.directory / CHECKPOINT
    try:
        trainer.fit(
            module,
            datamodule=data,
            ckpt_path=_sound_checkpoint(checkpoint, module),
            weights_only=True,
        )
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):  # Lightning makes another end of it
            raise KeyboardInterrupt from stop
        if trainer.received_sigterm:
            raise SystemExit(128 + signal.SIGTERM) from stop
        raise


def _sound_checkpoint(path: Path, module: Training) -> Path | None:
    """Return a checkpoint to go on from, if there is one; refuse one that is not of this network.

    Normalisation and seed come from the run, so weights of the same shape are its own.
    """
    if not path.exists():
        return None
    try:
        with ZipFile(path) as file:
            if file.testzip() is not None:  # PyTorch does not look at the checksums in it
                raise ValueError("its checksums differ")
        found = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: tensor.shape for name, tensor in found["state_dict"].items()}
        kept = found["callbacks"][Keeper.__qualname__]
        sound = len(kept["history"]) == found["epoch"] + 1 and "optimizer_states" in found
        reason = "it is of another network"
    except Exception as error:
        raise InputError(_foreign(path, f"it is damaged or foreign: {type(error).__name__}")) from (
            error
        )
    if not sound or shapes != {name: t.shape for name, t in module.state_dict().items()}:
        raise InputError(_foreign(path, reason))
    return path


def _foreign(path: Path, reason: str) -> str:
    return (
        f"{path}: must be a checkpoint of this run; {reason}. Remove it: the network is then "
        "trained from its start."
    )


def _augmentation(run: Run) -> Augmentation:
    config = run.config
    places = tuple(k for k, name in enumerate(run.inputs.scalars) if name in _EXPOSURES)
    return Augmentation(run.turns, config.shift_pixels, config.exposure_range_s, places)


def _note(estimator: Estimator, run: Run) -> dict[str, Any]:
    """Say in plain numbers how a network sees the world."""
    scale = estimator.scalar_scale.flatten().tolist()
    mean = estimator.scalar_mean.flatten().tolist()
    return {
        "ln_mass_mean": float(estimator.target_mean),
        "ln_mass_std": float(estimator.target_scale),
        "ln_scalars_mean": dict(zip(run.inputs.scalars, mean, strict=True)),
        "ln_scalars_std": {
            name: 1.0 / one if one > 0 else 0.0
            for name, one in zip(run.inputs.scalars, scale, strict=True)
        },
        "parameters": sum(p.numel() for p in estimator.parameters()),
    }


def _logger(directory: Path) -> Any:
    """Return TensorBoard's logger if it is installed; the history is written in any case."""
    if find_spec("tensorboard") is None:
        return False
    from pytorch_lightning.loggers import TensorBoardLogger  # noqa: PLC0415

    return TensorBoardLogger(str(directory), name="tensorboard", version="")
