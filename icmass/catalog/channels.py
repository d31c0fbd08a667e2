"""From bands and pixels as a catalog has them to channels and larger pixels."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["add_up"]


def add_up(maps: NDArray[Any], wanted: Sequence[Sequence[int]], factor: int = 1) -> NDArray[Any]:
    """Add bands to channels and pixels to larger ones.

    Parameters
    ----------
    maps : ndarray, shape (..., n_band, n_y, n_x)
    wanted : sequence of sequences of int
        Bands of each channel, by their places.
    factor : int
        So many pixels on a side make one; must divide both sides.

    Returns
    -------
    ndarray, shape (..., n_channel, n_y / factor, n_x / factor)
        Of the type of `maps`; `maps` itself where there is nothing to add.
    """
    if factor > 1:
        # Whole planes are added, several times as fast as sums over two axes of length `factor`.
        rows = reduce(np.add, [maps[..., k::factor, :] for k in range(factor)])
        maps = reduce(np.add, [rows[..., k::factor] for k in range(factor)])
    if [list(places) for places in wanted] == [[k] for k in range(maps.shape[-3])]:
        return maps
    added = [maps[..., list(places), :, :].sum(axis=-3, dtype=maps.dtype) for places in wanted]
    return np.stack(added, axis=-3)
