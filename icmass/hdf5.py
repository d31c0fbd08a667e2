"""Read arrays out of HDF5 files, but not more than the files hold.

A damaged dataset of some bytes can promise a terabyte, which would be made of zeros when it is
read.
"""

from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

__all__ = ["read_array", "require_stored"]

_FEW_BYTES: Final = 2**26  # that anything may promise
_MOST_PACKED: Final = 1100  # deflate, the strongest filter in use, packs 1032 bytes into one


def require_stored(dataset: Any) -> None:
    """Raise unless `dataset`, an h5py dataset, holds about what it promises.

    Raises
    ------
    OSError
        As HDF5 does for what is damaged.
    """
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise OSError("an array is missing: a group, or nothing, stands in its place")
    promised = dataset.size * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    if promised > _FEW_BYTES and promised > _MOST_PACKED * stored:
        raise OSError(f"'{dataset.name}' must have {promised:,} bytes; {stored:,} are stored")


def read_array(dataset: Any) -> NDArray[Any]:
    """Return all of `dataset`, an h5py dataset, in its shape.

    Raises
    ------
    OSError
        If it holds far less than it promises, or is no dataset.
    """
    require_stored(dataset)
    return np.asarray(dataset[()])
