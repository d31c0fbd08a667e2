"""Turn the units that maps are written in into the one that is asked for."""

import re
from pathlib import Path

from icmass.errors import InputError

__all__ = ["factor_to"]

# Said of columns of gas, and no units: "atoms cm-2", "H/cm^2".
_PARTICLES = re.compile(r"\b(atoms?|HI|H)\b", re.IGNORECASE)


def factor_to(unit: str | None, unit_in_file: str, path: str | Path) -> float:
    """Return what values in the file's unit are multiplied by to be in `unit`.

    Parameters
    ----------
    unit : str or None
        Unit that is asked for, in astropy's notation; None keeps what the file has.
    unit_in_file : str
        What TUNIT says; an empty one is taken to be `unit`.
    path : str or Path
        File, for the message.

    Raises
    ------
    InputError
        If the file's unit is unknown or another kind of quantity.
    """
    if unit is None or not unit_in_file:
        return 1.0
    from astropy import units  # noqa: PLC0415 - slow to import

    wanted = units.Unit(unit)
    text = _PARTICLES.sub("", unit_in_file).strip(" *.")
    text = f"1{text}" if text.startswith("/") else text
    try:
        return float(units.Unit(text).to(wanted))
    except (ValueError, TypeError, units.UnitConversionError) as error:
        raise InputError(
            f"{path}: values must be in {unit} or in a unit that can be converted to it; got "
            f"'{unit_in_file}'. Convert the map, or correct its TUNIT."
        ) from error
