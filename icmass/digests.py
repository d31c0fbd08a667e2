"""Whether what is read is what was written: digests that files carry within themselves.

A byte that a disk or a copy has changed must not become another number in silence. A JSON file has
the key ``checksum``; an HDF5 file a digest of its arrays in an attribute.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from icmass.errors import InputError

__all__ = ["CHECKSUM", "array_digest", "require_sealed", "sealed"]

CHECKSUM: Final = "checksum"


def array_digest(arrays: Mapping[str, ArrayLike], *words: str) -> str:
    """Return the SHA-256 of named arrays: of names, types, shapes and values, whatever their order.

    Parameters
    ----------
    arrays : mapping of str to array
    *words : str
        What else belongs to them, such as a unit.
    """
    digest = hashlib.sha256(json.dumps(words).encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that JSON can hold with a digest of them under the key ``checksum``."""
    return {**values, CHECKSUM: _digest(values)}


def require_sealed(path: Path, values: Mapping[str, Any], advice: str) -> None:
    """Refuse values read from the JSON file at `path` that are not those that were `sealed`.

    Those without the key, which nobody sealed, pass.

    Parameters
    ----------
    path : Path
        The file, which the refusal names.
    values : mapping
        All that was read, with the digest under the key ``checksum``.
    advice : str
        What the user can do about it, a sentence.

    Raises
    ------
    InputError
        With `advice` at its end.
    """
    expected = values.get(CHECKSUM)
    found = _digest({key: value for key, value in values.items() if key != CHECKSUM})
    if expected is not None and expected != found:
        raise InputError(
            f"{path}: must have the {CHECKSUM} {expected}; got {found}: it is damaged, or was "
            f"changed by hand. {advice}"
        )


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
