"""Weights of one network in a file of its own (safetensors: numbers and names, no code)."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from icmass.digests import CHECKSUM, array_digest
from icmass.errors import InputError
from icmass.estimate.estimator import Estimator
from icmass.files import atomic_write

__all__ = ["load_weights", "save_weights"]


def save_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write the weights and normalisation of `state`, tensors of any shape by name, to `path`.

    The file appears complete or not at all.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with atomic_write(path, overwrite=True) as stage:
        save_file(tensors, stage, {CHECKSUM: _digest(tensors)})


def load_weights(path: Path, estimator: Estimator) -> None:
    """Put the weights in the file at `path` into an `estimator` of the same kind.

    Raises
    ------
    InputError
        If the file is missing, truncated, or of another network: naming the first tensor that
        differs, what was expected and what was found.
    """
    try:
        found = load_file(path)
        with safe_open(path, "pt") as file:
            expected_digest = (file.metadata() or {}).get(CHECKSUM)
        if expected_digest not in (None, _digest(found)):
            raise ValueError("its numbers are not those that were written")
    except FileNotFoundError:
        raise InputError(f"{path}: must be there; it is missing. Train the run again.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: must be weights of an estimator; it is damaged or foreign ({error}). Remove "
            "it and train the run again."
        ) from error
    expected = estimator.state_dict()
    for name in (*expected, *found):
        if name not in found or name not in expected:
            where = "missing" if name in expected else "not of this network"
            raise InputError(
                f"{path}: must hold the weights of the run's network; '{name}' is {where}. Remove "
                "it and train the run again."
            )
        if found[name].shape != expected[name].shape:
            raise InputError(
                f"{path}: '{name}' must have the shape {tuple(expected[name].shape)}; got "
                f"{tuple(found[name].shape)}. Remove it and train the run again."
            )
        if not torch.isfinite(found[name]).all():
            raise InputError(
                f"{path}: '{name}' must be finite; it is not. Remove it and train the run again."
            )
    estimator.load_state_dict(found)


def _digest(state: Mapping[str, Tensor]) -> str:
    return array_digest({name: tensor.numpy() for name, tensor in state.items()})
