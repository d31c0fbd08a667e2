"""Where a result came from: versions, seed and configuration, and never the clock or the machine.

The same command on the same input therefore writes the same bytes.
"""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from icmass import __version__

__all__ = ["provenance", "versions"]

_PACKAGES = ("numpy", "numba", "scipy", "astropy", "h5py", "pynbody")


def versions(*others: str) -> dict[str, str]:
    """Versions of icmass, Python and the packages whose arithmetic enters a result.

    Parameters
    ----------
    *others : str
        Packages beside those that every result depends on.
    """
    found = {"icmass": __version__, "python": platform.python_version()}
    for name in (*_PACKAGES, *others):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def provenance(config: Mapping[str, Any], seed: int, **origin: Any) -> dict[str, Any]:
    """Record what is needed to make a result again, in values that JSON can hold.

    Parameters
    ----------
    config : mapping
        What was asked for.
    seed : int
        Seed of every random stage.
    **origin
        What else the result depends on, such as the source of the gas or of the responses.
    """
    return {"versions": versions(), "seed": seed, "config": dict(config), **origin}
