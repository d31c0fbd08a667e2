"""Can these be drawn: columns of numbers, and how many rows or panels fit into a figure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

__all__ = ["check_amount", "check_column", "check_error"]

Floats = NDArray[np.float64]


def check_amount(what: str, given: Sequence[Any], most: int) -> None:
    """Accept some things, but not too many to be drawn.

    Parameters
    ----------
    what : str
        Their name in the message.
    given : sequence
    most : int
        How many there may be.

    Raises
    ------
    InputError
        If there are none or too many.
    """
    if not 1 <= len(given) <= most:
        raise InputError(f"{what}: must be 1 to {most}; got {len(given)}. Draw fewer.")


def check_column(values: ArrayLike, what: str, n: int | None = None) -> Floats:
    """Return numbers as an array; NaN marks what is not known.

    Parameters
    ----------
    values : array, shape (n,)
        At least one.
    what : str
        Their name in the message.
    n : int, optional
        How many there must be.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    InputError
        If they have another shape.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or (n is not None and len(array) != n):
        wanted = "(n,)" if n is None else f"({n},)"
        raise InputError(
            f"{what}: must have the shape {wanted}; got {array.shape}. Give one number of each."
        )
    return array


def check_error(what: str, value: float) -> None:
    """Accept `value` as an error: 0 or more, or NaN where it is not known.

    `what` names it in the message.

    Raises
    ------
    InputError
        If it is neither.
    """
    if not (np.isnan(value) or 0.0 <= value < np.inf):
        raise InputError(f"{what}: must be 0 or more, or NaN; got {value}. Give NaN if unknown.")
