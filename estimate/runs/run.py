"""A run: one estimator, trained on all folds of a catalog, in a directory that explains itself.

::

    RUN/
      run.json                   configuration, plan, inputs, fingerprint of the catalog, versions
      config.yaml                what icmass train --config takes to make it again
      haloes.npy                 which fold tests each halo
      fold-0/fold.json           recalibration, epochs, normalisation, checksums; written last
      fold-0/member-0/weights.safetensors, history.csv
      predictions/out-of-fold.h5 each cluster as said by the fold that did not train on it

Loading checks each part and names the first that differs, with what was expected and found.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from icmass import __version__
from icmass.bootstrap import HALO
from icmass.catalog import Catalog
from icmass.catalog.predictions import PREDICTIONS
from icmass.config import TrainConfig
from icmass.digests import require_sealed, sealed
from icmass.errors import InputError, OutputError
from icmass.estimate.estimator import Estimator
from icmass.estimate.inputs import Inputs
from icmass.estimate.networks import network_class
from icmass.estimate.recalibration import Recalibration
from icmass.estimate.runs.weights import load_weights
from icmass.files import PARTIAL, atomic_write, checksum, require_directory, write_text
from icmass.provenance import versions

__all__ = [
    "CHECKPOINT",
    "FOLD_FILE",
    "HALOES",
    "HISTORY",
    "OUT_OF_FOLD",
    "RUN_FILE",
    "WEIGHTS",
    "Fold",
    "Run",
]

RUN_FILE: Final = "run.json"
FOLD_FILE: Final = "fold.json"
WEIGHTS: Final = "weights.safetensors"
HISTORY: Final = "history.csv"
CHECKPOINT: Final = "checkpoint.ckpt"
HALOES: Final = "haloes.npy"
OUT_OF_FOLD: Final = "out-of-fold"
_FORMAT: Final = "icmass run"
_VERSION: Final = 1
# What may differ between a run and the same run given again: where and how fast it is computed.
_MACHINE: Final = ("accelerator", "devices", "strategy", "memory_gb")


@dataclass(frozen=True)
class Fold:
    """The trained networks of one fold, and the map that puts their uncertainties right.

    `thinning` is the slope and the redshift by which images are thinned to equal weight, or None.
    """

    number: int
    members: tuple[Estimator, ...]
    recalibration: Recalibration
    thinning: tuple[float, float] | None = None


@dataclass(frozen=True)
class Run:
    """A run directory that was found sound.

    Attributes
    ----------
    path : Path
    config : TrainConfig
    plan : dict
        Settings of the training (`icmass.estimate.training.Plan`).
    inputs : Inputs
    fingerprint : str
        Of the catalog that it was trained on.
    n_clusters : int
        Rows of that catalog.
    """

    path: Path
    config: TrainConfig
    plan: Mapping[str, Any]
    inputs: Inputs
    fingerprint: str
    n_clusters: int

    @classmethod
    def create(
        cls,
        path: Path,
        config: TrainConfig,
        plan: Mapping[str, Any],
        inputs: Inputs,
        catalog: Catalog,
    ) -> Self:
        """Begin a run, or go on with one that asks for the same.

        Parameters
        ----------
        path : Path
            Directory, new or empty or of the same run; its parent must exist.
        config : TrainConfig
            What the user asked for.
        plan : mapping
            Settings of the training with nothing left open (`icmass.estimate.training.Plan`).
        inputs : Inputs
            What the networks see.
        catalog : Catalog
            What is trained on, with its selection.

        Raises
        ------
        OutputError
            If the place is taken by something else.
        InputError
            If a run is there that asks for something else: naming the first key that differs.
        """
        run = cls(path, config, dict(plan), inputs, catalog.fingerprint(), len(catalog))
        if path.is_dir() and not all(entry.match(PARTIAL) for entry in path.iterdir()):
            if not (path / RUN_FILE).exists():
                raise OutputError(f"{path}: must be new, empty or a run; it holds other files.")
            cls.open(path, complete=False)._require_same(run)
            run._write_config()
            return run
        require_directory(path)
        path.mkdir(exist_ok=True)
        # First: what has it can be gone on with.
        text = json.dumps(sealed(run._to_dict()), indent=1, allow_nan=False) + "\n"
        write_text(path / RUN_FILE, text)
        run._write_config()
        return run

    @classmethod
    def open(cls, path: str | Path, *, complete: bool = True) -> Self:
        """Open a run.

        Parameters
        ----------
        path : str or Path
        complete : bool
            Whether every fold must be trained.

        Raises
        ------
        InputError
            If it is not a run, is of another version, or is not complete.
        """
        directory = Path(path)
        values = _read_json(directory / RUN_FILE, "Give a directory that icmass train wrote.")
        if values.get("format") != _FORMAT:
            raise InputError(
                f"{directory / RUN_FILE}: format must be '{_FORMAT}'; got "
                f"{values.get('format')!r}. Give a directory that icmass train wrote."
            )
        if values.get("version") != _VERSION:
            raise InputError(
                f"{directory / RUN_FILE}: version must be {_VERSION}; got "
                f"{values.get('version')!r}, written by {values.get('written_by')}. Train it again."
            )
        try:
            run = cls(
                directory,
                TrainConfig.parse(values["config"], lambda key: f"{directory / RUN_FILE}: {key}"),
                values["plan"],
                Inputs.from_dict(values["inputs"]),
                str(values["catalog"]["fingerprint"]),
                int(values["catalog"]["clusters"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{directory / RUN_FILE}: must describe a run; it is damaged "
                f"({type(error).__name__}: {error}). Train it again."
            ) from error
        require_sealed(directory / RUN_FILE, values, "Train it again.")
        if complete:
            run.require_complete()
        return run

    @property
    def turns(self) -> bool:
        """Whether clusters are turned in training and predictions averaged over the views."""
        return self.config.turns and network_class(self.config.network).turns_matter

    @property
    def out_of_fold(self) -> Path:
        """File of the predictions of its own clusters."""
        return self.path / PREDICTIONS / f"{OUT_OF_FOLD}.h5"

    def member_directory(self, fold: int, member: int) -> Path:
        """Return where network number `member` of a `fold` lies."""
        return self.path / f"fold-{fold}" / f"member-{member}"

    def fold_done(self, fold: int) -> bool:
        """Return whether a `fold`, by its number, is trained."""
        return (self.path / f"fold-{fold}" / FOLD_FILE).exists()

    def require_complete(self) -> None:
        """Refuse a run of which a fold is not trained.

        Raises
        ------
        InputError
            Naming the folds that are not.
        """
        missing = [k for k in range(self.config.folds) if not self.fold_done(k)]
        if missing:
            raise InputError(
                f"{self.path}: must have all {self.config.folds} folds trained; fold "
                f"{', '.join(map(str, missing))} {'is' if len(missing) == 1 else 'are'} not. Give "
                "the same icmass train again to go on."
            )

    def new_estimator(self) -> Estimator:
        """Return an estimator of this run's kind, not trained."""
        return Estimator(
            self.config.network,
            self.config.head,
            self.inputs,
            redshift_scaling=self.config.redshift_scaling,
        )

    def write_haloes(self, catalog: Catalog, fold: NDArray[np.int64]) -> None:
        """Note which `fold`, shape (n,), tests the halo of each cluster of `catalog`."""
        keys = [catalog.column(name) for name in HALO]
        table = np.unique(np.stack([*keys, fold], axis=1), axis=0)
        with atomic_write(self.path / HALOES, overwrite=True) as stage:
            np.save(stage, table, allow_pickle=False)

    def folds_of(self, catalog: Catalog) -> NDArray[np.int64]:
        """Return the fold that did not train on each cluster of `catalog`, shape (n,).

        -1 where no fold trained on its halo.

        Raises
        ------
        InputError
            If the list of haloes is missing or damaged.
        """
        path = self.path / HALOES
        fold = _read_json(self.path / "fold-0" / FOLD_FILE, "Train the run again.")
        try:
            if checksum(path) != fold["sha256"][HALOES]:
                raise ValueError("its SHA-256 is not that in fold-0/fold.json")
            table = np.load(path, allow_pickle=False)
            known = {tuple(row[:3]): row[3] for row in table.tolist()}
            if not set(known.values()) <= set(range(self.config.folds)):
                raise ValueError("it names folds that there are not")
        except (OSError, ValueError, LookupError, TypeError, EOFError) as error:
            raise InputError(
                f"{path}: must list the haloes of the run; it is missing or damaged ({error}). "
                "Give the same icmass train again."
            ) from error
        keys = zip(*(catalog.column(name).tolist() for name in HALO), strict=True)
        return np.array([known.get(key, -1) for key in keys], np.int64)

    def write_fold(
        self,
        fold: int,
        recalibration: Recalibration,
        summary: Any,
        thinning: tuple[float, float] | None = None,
    ) -> None:
        """Note that a fold is trained; its weights are in their places.

        What was said by the networks before, if any, holds no more.

        Parameters
        ----------
        fold : int
        recalibration : Recalibration
            Of the stated uncertainties of its networks.
        summary : list of dict
            Notes on each network, in values that JSON can hold.
        thinning : (float, float), optional
            Slope and redshift by which its images are thinned to equal weight.
        """
        self.out_of_fold.unlink(missing_ok=True)
        directory = self.path / f"fold-{fold}"
        hashes = {
            f"member-{m}/{WEIGHTS}": checksum(self.member_directory(fold, m) / WEIGHTS)
            for m in range(self.config.members)
        }
        hashes[HALOES] = checksum(self.path / HALOES)
        values = {
            "recalibration": recalibration.to_dict(),
            "thinning": thinning,
            "members": summary,
            "sha256": hashes,
        }
        text = json.dumps(sealed(values), indent=1, allow_nan=False) + "\n"
        write_text(directory / FOLD_FILE, text, overwrite=True)

    def load_fold(self, fold: int) -> Fold:
        """Load the trained networks of a `fold`, by its number.

        Raises
        ------
        InputError
            If a file is missing, damaged or another than was written.
        """
        path = self.path / f"fold-{fold}" / FOLD_FILE
        values = _read_json(path, "Train the run again.")
        try:
            hashes = dict(values["sha256"])
            recalibration = Recalibration.from_dict(values["recalibration"])
            slope_and_z = values.get("thinning")
            thinning = slope_and_z and (float(slope_and_z[0]), float(slope_and_z[1]))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(
                f"{path}: must describe a fold; it is damaged ({error}). Remove it and train the "
                "run again."
            ) from error
        require_sealed(path, values, "Remove it and train the run again.")
        members = []
        for member in range(self.config.members):
            weights = self.member_directory(fold, member) / WEIGHTS
            expected = hashes.get(f"member-{member}/{WEIGHTS}")
            found = checksum(weights) if weights.is_file() else "no file"
            if found != expected:
                raise InputError(
                    f"{weights}: must have the SHA-256 {expected}; got {found}. Remove {path} and "
                    "train the run again."
                )
            estimator = self.new_estimator()
            load_weights(weights, estimator)
            members.append(estimator.eval())
        return Fold(fold, tuple(members), recalibration, thinning)

    def _write_config(self) -> None:
        if not (self.path / "config.yaml").exists():
            write_text(self.path / "config.yaml", self.config.to_yaml())

    def _to_dict(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "written_by": f"icmass {__version__}",
            "config": self.config.model_dump(mode="json"),
            "plan": dict(self.plan),
            "inputs": self.inputs.to_dict(),
            "catalog": {"fingerprint": self.fingerprint, "clusters": self.n_clusters},
            "versions": versions("torch", "pytorch-lightning", "zuko", "safetensors"),
        }

    def _require_same(self, other: "Run") -> None:
        """Refuse to go on with a run as if it were another."""
        found, expected = self._to_dict(), other._to_dict()
        parts = ("catalog", "config", "inputs", "plan")
        keys = [(part, key) for part in parts for key in expected[part] if key not in _MACHINE]
        # Another selection is another catalog: what was asked for says more than a fingerprint.
        for part, key in [("config", "where"), *keys]:
            value, got = expected[part][key], found[part].get(key)
            if got != value:
                raise InputError(
                    f"{self.path}: is a run with another {part} {key}: expected {value}, found "
                    f"{got}. Give another directory for this one."
                )


def _read_json(path: Path, advice: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.parent}: must hold {path.name}; it does not. {advice}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}. {advice}") from error
    except ValueError as error:
        raise InputError(f"{path}: must be JSON; it is damaged ({error}). {advice}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: must hold keys and values; got {type(values).__name__}.")
    return values
