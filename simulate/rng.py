"""Independent random streams: one per (seed, halo, line of sight, stage).

A stage asks for its stream by name, so that switching one stage off leaves the draws of every other
unchanged. Kernels receive a 128-bit key and number their draws, so that a result does not depend on
the number of threads.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError

__all__ = ["kernel_key", "stream"]

_END_OF_SEEDS = 2**63  # that of configurations, files and kernels


def stream(seed: int, *path: int | str) -> np.random.SeedSequence:
    """Return the seed sequence of one stage.

    Parameters
    ----------
    seed : int
        Seed of the whole job, from 0 and below 2^63.
    *path : int or str
        What the stream belongs to, for instance ``(halo_id, line_of_sight, "agn")``.

    Returns
    -------
    numpy.random.SeedSequence
        Statistically independent of that of any other path.

    Raises
    ------
    InputError
        If the seed is no such number.
    """
    if not isinstance(seed, int | np.integer) or not 0 <= seed < _END_OF_SEEDS:
        raise InputError(f"seed: must be a whole number from 0, below 2^63; got {seed!r}.")
    # A digest, since numpy would cut long numbers into words, as if they were steps of the path.
    steps = [step if isinstance(step, str) else int(step) for step in path]
    digest = hashlib.sha256(repr(steps).encode()).digest()
    return np.random.SeedSequence(seed, spawn_key=tuple(np.frombuffer(digest, "<u4").tolist()))


def kernel_key(sequence: np.random.SeedSequence) -> NDArray[np.uint64]:
    """Return the 128-bit key of the stream of a `sequence` for kernels, uint64 of shape (2,)."""
    return sequence.generate_state(2, np.uint64).astype(np.uint64)
