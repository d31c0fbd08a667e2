"""Snapshots that pynbody reads for this package: Tipsy, of Gasoline and ChaNGa.

Units are those that pynbody finds in the files, converted to physical ones. A further format is one
more name in `LOADERS` and a test; mesh codes come through yt (`gas_from_yt`).
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.readers.plasma import SPH_NEIGHBOURS
from icmass.simulate.readers.snapshot import GAS, Header, Snapshot, build_cosmology

__all__ = ["PynbodySnapshot"]

FAMILIES = {GAS: "gas", 1: "dm", 4: "star"}
ARRAYS = {
    "position": ("pos", "kpc"),
    "velocity": ("vel", "km s^-1"),
    "mass": ("mass", "Msol"),
    "density": ("rho", "Msol kpc^-3"),
    "temperature": ("temp", "K"),
    "smoothing": ("smooth", "kpc"),
    "metallicity": ("metals", "1"),
}
LOADERS = ["TipsySnap"]
SUPPORT_FACTOR = 2.0  # pynbody's smoothing length is half the radius at which its kernel ends


class PynbodySnapshot(Snapshot):
    """A snapshot of a format in `LOADERS`.

    Parameters
    ----------
    path : Path
        File, as pynbody takes it.
    """

    remedy = "Check the units that pynbody finds: its .param or units file may be missing."

    def __init__(self, path: Path) -> None:
        import pynbody  # noqa: PLC0415 - takes seconds, and most snapshots do not need it

        self.source = str(path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._data = pynbody.load(str(path), priority=LOADERS)
                if type(self._data).__name__ not in LOADERS:  # it takes any text for a table
                    raise OSError("no simulation format")
                self._data.physical_units()
        except Exception as error:  # its loaders raise whatever their parsing hits
            raise InputError(
                f"{path}: must be a snapshot of Gadget, AREPO, GIZMO, SWIFT (binary or HDF5) or "
                f"in Tipsy's format; it is of another type or damaged."
            ) from error
        properties = self._data.properties
        notes: list[str] = []
        cosmology, hubble = build_cosmology(
            float(properties.get("h", 0.0)),
            {
                "omega_m": float(properties.get("omegaM0", 0.0)),
                "omega_l": float(properties.get("omegaL0", 0.0)),
            },
            notes,
        )
        scale_factor = float(properties.get("a", 1.0))
        self.counts = {
            kind: len(getattr(self._data, name))
            for kind, name in FAMILIES.items()
            if len(getattr(self._data, name))
        }
        self.header = Header(
            code=f"pynbody {type(self._data).__name__}",
            redshift=max(1 / scale_factor - 1, 0.0),
            hubble=hubble,
            cosmology=cosmology,
            box_kpc=_box(properties, self._data),
            units_known=True,
            support_neighbours=SPH_NEIGHBOURS,
            notes=notes,
        )

    def has(self, kind: int, name: str) -> bool:
        """Tell whether a field called `name` is there for particles of one `kind`."""
        if kind not in self.counts or name not in ARRAYS:
            return False
        family = getattr(self._data, FAMILIES[kind])
        return ARRAYS[name][0] in {*family.loadable_keys(), *family.keys()}

    def _load(self, kind: int, name: str) -> NDArray[Any]:
        array, unit = ARRAYS[name]
        values = getattr(self._data, FAMILIES[kind])[array]
        if unit != "1":
            values = values.in_units(unit, **self._data.conversion_context())
        return np.array(values) * (SUPPORT_FACTOR if name == "smoothing" else 1)


def _box(properties: Any, data: Any) -> float | None:
    if "boxsize" not in properties:
        return None
    return float(properties["boxsize"].in_units("kpc", **data.conversion_context()))
