"""How large one code unit is: length, mass and velocity of a snapshot, with h taken care of.

Every field of a snapshot is a product of powers of these three and of the scale factor.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from astropy.units import Quantity

from icmass.errors import InputError
from icmass.units import to_value

__all__ = [
    "FIELDS",
    "GADGET_UNITS_NOTE",
    "UNITS_REMEDY",
    "BaseUnits",
    "Field",
    "gadget_units",
    "override_units",
]


@dataclass(frozen=True)
class Field:
    """Powers of length, mass, velocity and scale factor that turn a stored number physical."""

    length: int = 0
    mass: int = 0
    velocity: int = 0
    scale_factor: float = 0.0


# The powers of the scale factor are those of Gadget and AREPO: comoving lengths, velocities divided
# by sqrt(a), internal energies as they are (Springel 2005, MNRAS 364, 1105, and the TNG data
# release, Nelson et al. 2019). Files whose attributes give other powers override them.
FIELDS: dict[str, Field] = {
    "position": Field(length=1, scale_factor=1.0),  # kpc
    "velocity": Field(velocity=1, scale_factor=0.5),  # km/s
    "mass": Field(mass=1),  # Msun
    "density": Field(length=-3, mass=1, scale_factor=-3.0),  # Msun/kpc^3
    "internal_energy": Field(velocity=2),  # (km/s)^2
    "smoothing": Field(length=1, scale_factor=1.0),  # kpc
    "temperature": Field(),  # K
    "electron_abundance": Field(),  # n_e / n_H
    "hydrogen_fraction": Field(),  # of the mass
    "metallicity": Field(),  # mass fraction of metals
    "star_formation_rate": Field(),  # only its sign is used
    "wind_delay": Field(),  # only its sign is used
}


@dataclass(frozen=True)
class BaseUnits:
    """One code unit in kpc, Msun and km/s, any h already divided out."""

    length_kpc: float
    mass_msun: float
    velocity_kms: float

    def factor(self, field: Field, scale_factor: float) -> float:
        """Return what a stored number of `field` is multiplied by to become physical.

        `scale_factor` is that of the snapshot, 1 / (1 + z).
        """
        return (
            self.length_kpc**field.length
            * self.mass_msun**field.mass
            * self.velocity_kms**field.velocity
            * scale_factor**field.scale_factor
        )


def gadget_units(hubble: float) -> BaseUnits:
    """Return the units of the field: kpc/h, 1e10 Msun/h, km/s, with h = `hubble`."""
    return BaseUnits(1 / hubble, 1e10 / hubble, 1.0)


GADGET_UNITS_NOTE = "units: the file gives none; kpc/h, 1e10 Msun/h, km/s taken"
UNITS_REMEDY = "Give the units, for instance length = kpc/h, mass = 1e10 Msun/h, velocity = km/s"

_KEYS = {
    "length": ("length_kpc", "kpc"),
    "mass": ("mass_msun", "Msun"),
    "velocity": ("velocity_kms", "km/s"),
}


def override_units(base: BaseUnits, units: Mapping[str, Any] | None, hubble: float) -> BaseUnits:
    """Replace the size of code units by the user's word.

    Parameters
    ----------
    base : BaseUnits
        Units by default or from the file.
    units : mapping, optional
        Keys ``length``, ``mass``, ``velocity``; values such as ``"Mpc/h"``, ``"1e10 Msun/h"``, an
        astropy quantity, or a bare number in kpc, Msun or km/s. Powers of the scale factor stay
        those of the format (comoving lengths).
    hubble : float
        H0 / (100 km/s/Mpc), which ``/h`` divides by.

    Returns
    -------
    BaseUnits

    Raises
    ------
    InputError
        For an unknown key, or a value that is no unit of that dimension.
    """
    for key, value in (units or {}).items():
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(f"units: must have keys among {sorted(_KEYS)}; got '{key}'.{hint}")
        attribute, unit = _KEYS[key]
        size = _size(value, unit, f"units['{key}']", hubble)
        if not size > 0:
            raise InputError(f"units['{key}']: must be positive; got {value!r}.")
        base = replace(base, **{attribute: size})
    return base


def _size(value: Any, unit: str, name: str, hubble: float) -> float:
    if not isinstance(value, str):
        return float(to_value(value, unit, name))
    text, divided = re.subn(r"\s*/\s*h$", "", value.strip())
    try:
        quantity = Quantity(text if text[:1].isdigit() else f"1 {text}")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: must be a unit such as '{unit}' or '{unit}/h'; got {value!r}."
        ) from error
    return float(to_value(quantity, unit, name)) / (hubble if divided else 1.0)
