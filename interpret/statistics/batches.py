"""What tables take as batches of clusters come in: checked, and put into rings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.interpret.regions import RADIAL_EDGES

__all__ = ["check_batch", "radial_bins", "require_once"]


def radial_bins(
    radius: NDArray[np.floating[Any]], edges: Sequence[float] = RADIAL_EDGES
) -> NDArray[np.int64]:
    """Return the bin of each `radius` between `edges`, those of profiles by default; same shape."""
    inner = np.asarray(edges[1:-1], radius.dtype)
    return np.searchsorted(inner, radius, side="right")


def check_batch(
    rows: NDArray[Any],
    gradient: NDArray[Any],
    counts: NDArray[Any],
    radius: NDArray[Any],
    shape: tuple[int, int],
) -> None:
    """Refuse arrays that are not of the same clusters, origins, channels and pixels.

    Parameters
    ----------
    rows : ndarray of int, shape (m,)
    gradient : ndarray, shape (m, n_channel, n_y, n_x)
    counts : ndarray of int, shape (m, n_origin, n_channel, n_y, n_x)
    radius : ndarray, shape (m, n_y, n_x)
    shape : (int, int)
        Numbers of origins and channels.

    Raises
    ------
    InputError
        If a shape does not fit, or a gradient is not finite.
    """
    n_origin, n_channel = shape
    if gradient.ndim != 4 or gradient.shape[:2] != (len(rows), n_channel):
        raise InputError(
            f"gradient: must have shape ({len(rows)}, {n_channel}, n_y, n_x), one map for each "
            f"row and channel; got {gradient.shape}."
        )
    wanted = (len(rows), n_origin, *gradient.shape[1:])
    if counts.shape != wanted:
        raise InputError(f"counts: must have shape {wanted}; got {counts.shape}.")
    if radius.shape != (len(rows), *gradient.shape[2:]):
        raise InputError(
            f"radius: must have shape {(len(rows), *gradient.shape[2:])}; got {radius.shape}."
        )
    if not np.isfinite(gradient).all():
        bad = np.unique(np.nonzero(~np.isfinite(gradient))[0])
        raise InputError(
            f"gradient: must be finite; it is not for {len(bad)} of {len(rows)} clusters, first "
            f"row {rows[bad[0]]}. Look at the weights of the network."
        )


def require_once(rows: NDArray[np.int64]) -> None:
    """Refuse ascending `rows`, shape (n,), of which some stand twice.

    Raises
    ------
    InputError
        If some do.
    """
    if (np.diff(rows) == 0).any():
        raise InputError("rows: must come once each; some came twice. Give each cluster once.")
