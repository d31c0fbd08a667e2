"""Counts in images, stored small and read quickly.

Most pixels of a cluster hold no photon. A block is the images of one cluster and origin, all bands
in one flat array. It is stored as the places of its filled pixels and their counts, or, where most
pixels are filled (background in deep images), as all counts without places. A block is read by one
assignment; nothing is decompressed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blocks", "add_block", "encode"]

_COUNT_TYPES: Final = (np.uint8, np.uint16, np.uint32, np.uint64)


@dataclass(frozen=True)
class Blocks:
    """Images of one origin, of n clusters.

    Attributes
    ----------
    pixel : ndarray, shape (n_filled,), uint16 or uint32
        Places of filled pixels in the flat (band, y, x) array, cluster after cluster, ascending.
    count : ndarray, shape (n_counts,), the smallest unsigned type that holds them
        Their counts; of all pixels where a cluster has counts but no places.
    pixel_start, count_start : ndarray, shape (n + 1,), int64
        Where each cluster begins.
    """

    pixel: NDArray[Any]
    count: NDArray[Any]
    pixel_start: NDArray[np.int64]
    count_start: NDArray[np.int64]


def encode(images: NDArray[Any]) -> Blocks:
    """Encode images.

    Parameters
    ----------
    images : ndarray of unsigned int, shape (n, n_band, n_y, n_x)
        Counts.
    """
    n_pixel = math.prod(images.shape[1:])
    flat = images.reshape(len(images), n_pixel)
    place_type = np.uint16 if n_pixel <= 2**16 else np.uint32
    count_type = _smallest_type(int(flat.max(initial=0)))
    dense_above = (
        n_pixel
        * np.dtype(count_type).itemsize
        / (np.dtype(place_type).itemsize + np.dtype(count_type).itemsize)
    )
    pixels, counts = [], []
    for image in flat:
        filled = np.flatnonzero(image)
        if len(filled) > dense_above:
            filled = filled[:0]
            counts.append(image)
        else:
            counts.append(image[filled])
        pixels.append(filled)
    return Blocks(
        pixel=_join(pixels, place_type),
        count=_join(counts, count_type),
        pixel_start=_starts(pixels),
        count_start=_starts(counts),
    )


def add_block(target: NDArray[Any], pixel: NDArray[Any], count: NDArray[Any]) -> None:
    """Add one block to a flat image, in place.

    Parameters
    ----------
    target : ndarray, shape (n_band * n_y * n_x,)
        The image.
    pixel : ndarray of int, shape (n_filled,)
        Places of the filled pixels; empty where `count` is of all pixels.
    count : ndarray of int, shape (n_filled,), or that of `target`
        Their counts; empty where there are none.
    """
    if len(pixel):
        target[pixel] += count.astype(target.dtype)
    elif len(count):
        target += count.astype(target.dtype)


def _smallest_type(highest: int) -> type:
    return next(t for t in _COUNT_TYPES if highest <= np.iinfo(t).max)


def _join(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *(part.astype(dtype) for part in parts)])


def _starts(parts: Iterable[NDArray[Any]]) -> NDArray[np.int64]:
    return np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)
