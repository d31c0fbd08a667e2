"""Independent random streams: one per (seed, halo, line of sight, stage).

A stage asks for its stream by name, so that switching one stage off leaves the draws of every other
unchanged. Kernels receive a 64-bit key and derive one generator per fixed block of work from it; a
result therefore does not depend on the number of threads.
"""

import zlib

import numpy as np

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


def kernel_key(sequence: np.random.SeedSequence) -> np.uint64:
    """Return the 64-bit key from which a kernel seeds its blocks."""
    return np.uint64(sequence.generate_state(1, np.uint64)[0])
