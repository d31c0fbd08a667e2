"""Independent random streams: one per (seed, halo, line of sight, stage).

A stage asks for its stream by name, so that switching one stage off leaves the draws of every other
unchanged. Kernels receive a 128-bit key and number their draws, so that a result does not depend on
the number of threads.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["kernel_key", "stream"]


def stream(seed: int, *path: int | str) -> np.random.SeedSequence:
    """Return the seed sequence of one stage.

    Parameters
    ----------
    seed : int
        Seed of the whole job, non-negative.
    *path : int or str
        What the stream belongs to, for instance ``(halo_id, line_of_sight, "agn")``.

    Returns
    -------
    numpy.random.SeedSequence
        Statistically independent of that of any other path.
    """
    words = [zlib.crc32(step.encode()) if isinstance(step, str) else int(step) for step in path]
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(words))


def kernel_key(sequence: np.random.SeedSequence) -> NDArray[np.uint64]:
    """Return the 128-bit key of a stream for the kernels, shape (2,)."""
    return sequence.generate_state(2, np.uint64)
