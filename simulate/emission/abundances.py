"""Elements: solar abundance sets (atoms per hydrogen atom) and atomic masses."""

import difflib
import tomllib
from importlib.resources import files

from icmass.errors import InputError

__all__ = ["ELEMENTS", "HELIUM_ABUNDANCE", "abundances", "atomic_masses"]

# Symbols in order of atomic number, from hydrogen.
ELEMENTS = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne",
    "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn",
)  # fmt: skip

# Helium atoms per hydrogen atom: Anders & Grevesse (1989, GeCoA 53, 197).
HELIUM_ABUNDANCE = 10.0**-1.01


def abundances(name: str = "ag89") -> dict[int, float]:
    """Atoms per hydrogen atom by atomic number.

    Parameters
    ----------
    name : {"ag89", "aspl", "wilm"}
        Anders & Grevesse (1989), Asplund et al. (2009) or Wilms et al. (2000).

    Returns
    -------
    dict of int to float
        For the elements of the set, at most hydrogen (1) to zinc (30).

    Raises
    ------
    InputError
        If there is no such set.
    """
    sets = tomllib.loads((files(__package__) / "data" / "abundances.toml").read_text())
    if name not in sets:
        near = difflib.get_close_matches(name, sets, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise InputError(f"abundances: must be one of {', '.join(sets)}; got '{name}'.{hint}")
    logs = {symbol: value for symbol, value in sets[name].items() if symbol != "source"}
    return {ELEMENTS.index(symbol) + 1: 10.0 ** (value - 12.0) for symbol, value in logs.items()}


def atomic_masses() -> dict[int, float]:
    """Mass of each element by atomic number, in unified atomic mass units."""
    masses = tomllib.loads((files(__package__) / "data" / "atomic_masses.toml").read_text())
    return {ELEMENTS.index(symbol) + 1: mass for symbol, mass in masses.items()}
