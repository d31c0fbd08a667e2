"""The one gate between quantities that users give and the plain floats used inside."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from icmass.errors import InputError

if TYPE_CHECKING:
    from astropy.units import Quantity

__all__ = ["to_value"]


def to_value(value: "ArrayLike | Quantity", unit: str, name: str) -> Any:
    """Convert a number or quantity to a plain float (array) in a fixed unit.

    Parameters
    ----------
    value : float, array or Quantity, any shape
        Bare numbers are taken to be in `unit` already.
    unit : str
        Target unit in astropy's notation, such as ``"kpc"`` or ``"cm-2"``.
    name : str
        Name of the argument, for the error message.

    Returns
    -------
    float or ndarray, shape of `value`
        The value in `unit`; scalars come back as float, arrays as float64 arrays.

    Raises
    ------
    InputError
        If the value is not numeric or its unit cannot be converted to `unit`.
    """
    number: Any = value
    if hasattr(number, "unit"):
        try:
            number = number.to_value(unit)
        except Exception as error:  # astropy raises several unrelated types here
            raise InputError(
                f"{name}: must be convertible to {unit}; got unit '{number.unit}'. "
                f"Give a quantity in {unit} or a bare number in {unit}."
            ) from error
    try:
        array = np.asarray(number if number is not None else "none", dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: must be a number in {unit}; got {number!r}.") from error
    return float(array) if array.ndim == 0 else array
