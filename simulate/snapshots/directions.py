"""From where a halo is seen: a fixed list of directions, so that more of them extend a sample."""

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.view import rotation_from_axis

__all__ = ["check_lines_of_sight", "line_of_sight"]

AXES = ("x", "y", "z")
# Steps of a sequence that fills the plane evenly, by the real root of x^3 = x + 1 (M. Roberts 2018,
# "The unreasonable effectiveness of quasirandom sequences").
PLASTIC = 1.3247179572447460
MOST = 1000


def check_lines_of_sight(count: int) -> int:
    """Return `count`, a number of directions; InputError if it is not 1 to 1000."""
    if not 1 <= count <= MOST:
        raise InputError(f"lines_of_sight: must be 1 to {MOST}; got {count}.")
    return int(count)


def line_of_sight(number: int) -> NDArray[np.float64]:
    """Return the rotation (east, north, away) of a direction by its number.

    Parameters
    ----------
    number : int
        0, 1 and 2 look along x, y and z. From 3 on the directions fill one half of the sphere
        evenly: opposite ones would show the same projection.

    Returns
    -------
    ndarray, shape (3, 3)
        See `rotation_from_axis`.
    """
    if number < len(AXES):
        return rotation_from_axis(AXES[number])
    step = number - len(AXES) + 1
    height = (0.5 + step / PLASTIC) % 1.0  # uniform: equal areas of the sphere
    angle = 2 * np.pi * ((0.5 + step / PLASTIC**2) % 1.0)
    flat = np.sqrt(1 - height**2)
    return rotation_from_axis([flat * np.cos(angle), flat * np.sin(angle), height])
