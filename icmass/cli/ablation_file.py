"""The table that `icmass ablate` writes: what became of a run without something, in a file."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from icmass.errors import InputError
from icmass.estimate.runs import Run
from icmass.files import write_text
from icmass.interpret.ablations import AblationResult

__all__ = ["RESULTS", "read_results", "run_digest", "write_results"]

#: Written when all ablations asked for are trained.
RESULTS: Final = "ablations.json"
_FORMAT: Final = "icmass ablations"
# Of what is written about an ablation; all else are numbers.
_KINDS: Final = {"name": str, "words": str, "control": bool, "n": int}


def write_results(directory: Path, run: Run, results: Sequence[AblationResult]) -> dict[str, Any]:
    """Write what was found into a directory.

    Parameters
    ----------
    directory : Path
        Where the trained estimators are.
    run : Run
        The estimator that is ablated.
    results : sequence of AblationResult

    Returns
    -------
    dict
        What the file holds; numbers that are not known are None.
    """
    rows = [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        for row in map(asdict, results)
    ]
    values = {
        "format": _FORMAT,
        "run": str(run.path),
        "run_digest": run_digest(run),
        "catalog_fingerprint": run.fingerprint,
        "ablations": rows,
    }
    text = json.dumps(values, indent=1, allow_nan=False) + "\n"
    write_text(directory / RESULTS, text, overwrite=True)
    return values


def read_results(directory: Path, run: Run) -> list[AblationResult]:
    """Return what `icmass ablate` wrote into `directory` about `run`.

    Raises
    ------
    InputError
        If it is not there, damaged, or of another run.
    """
    path = directory / RESULTS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        rows = [_checked(AblationResult(**_known(row))) for row in values["ablations"]]
        of = str(values["run_digest"])
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{directory}: must hold {RESULTS}; it does not. Give a directory in which icmass "
            "ablate came to its end."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: must hold results of icmass ablate; it is damaged ({error}). Give the same "
            "icmass ablate again."
        ) from error
    if of != run_digest(run):
        raise InputError(
            f"{path}: must be of the run {run.path}, {run_digest(run)[:16]}; got {of[:16]}. Give "
            "ablations of this run."
        )
    return rows


def run_digest(run: Run) -> str:
    """Return a hash of what `run` is: its configuration, inputs and catalog."""
    values = {
        "config": run.config.model_dump(mode="json"),
        "inputs": run.inputs.to_dict(),
        "catalog": run.fingerprint,
    }
    text = json.dumps(values, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it with NaN in place of null."""
    return {key: math.nan if value is None else value for key, value in row.items()}


def _checked(result: AblationResult) -> AblationResult:
    """Return a result if its values are of their kinds.

    Raises
    ------
    TypeError
    """
    for name, value in asdict(result).items():
        if not isinstance(value, _KINDS.get(name, (int, float))):
            raise TypeError(f"{name}: {value!r}")
    return result
