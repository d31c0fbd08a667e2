"""Haloes on the sky: a light cone in memory and in a file.

Redshifts are those of the expansion alone; positions ICRS, in degrees.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from icmass.digests import CHECKSUM, array_digest
from icmass.errors import InputError
from icmass.files import atomic_write
from icmass.hdf5 import read_array
from icmass.simulate.population.haloes import Haloes, HaloParameters, MainHalo

__all__ = ["LightCone", "comoving_position"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FORMAT = "icmass light cone 1"
_UNITS = {
    "ra_deg": "deg", "dec_deg": "deg", "m500c_msun": "Msun", "m200c_msun": "Msun",
    "r500c_kpc": "kpc", "r200c_kpc": "kpc", "box_position_mpc": "Mpc",
}  # fmt: skip
_HALOES = tuple(field.name for field in fields(Haloes))


@dataclass(frozen=True)
class LightCone:
    """Haloes with their places on the sky, one row each.

    Attributes
    ----------
    haloes : Haloes
        `halo_id` counts from 1 in the order of drawing, `snapshot_id` is 0, and `box_position_mpc`
        is comoving about the observer (x to RA 0, Dec 0; z to the north pole).
    ra_deg, dec_deg : ndarray, shape (n,)
        ICRS [deg].
    key : ndarray of int64, shape (n,)
        Names a halo for random numbers of its own. Unlike `halo_id` it does not depend on the
        footprint, so that the haloes of a part of the sky look alike in any larger part.
    template : ndarray of int64, shape (n,), or None
        Which simulated halo stands for this one, see `with_templates`.
    """

    haloes: Haloes
    ra_deg: Floats
    dec_deg: Floats
    key: Ints
    template: Ints | None = None

    def __len__(self) -> int:
        return len(self.ra_deg)

    def select(self, mask: NDArray[Any]) -> "LightCone":
        """Return the haloes chosen by `mask`, boolean or of row numbers; they keep their ids."""
        haloes = Haloes(**{name: getattr(self.haloes, name)[mask] for name in _HALOES})
        template = None if self.template is None else self.template[mask]
        return LightCone(haloes, self.ra_deg[mask], self.dec_deg[mask], self.key[mask], template)

    def row(self, index: int) -> MainHalo:
        """Return the halo of row `index` as plain numbers."""
        return self.haloes.row(index)

    def stable_row(self, index: int) -> MainHalo:
        """Return the halo of row `index` under its `key`, which is the same in any footprint."""
        return replace(self.haloes.row(index), halo_id=int(self.key[index]))

    def write(
        self,
        path: str | Path,
        provenance: Mapping[str, Any] | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Write an HDF5 file with one dataset per column.

        Parameters
        ----------
        path : str or Path
        provenance : mapping, optional
            Where the light cone came from, as JSON can hold it; see `icmass.provenance`.
        overwrite : bool
            Whether an existing file may be replaced.

        Raises
        ------
        OutputError
            If the file exists and `overwrite` is not set, or it cannot be written.
        """
        with atomic_write(path, overwrite=overwrite) as stage, h5py.File(stage, "w") as file:
            file.attrs["format"] = _FORMAT
            file.attrs["provenance"] = json.dumps(dict(provenance or {}), sort_keys=True)
            for name, values in self._columns().items():
                dataset = file.create_dataset(name, data=values, track_times=False)
                dataset.attrs["unit"] = _UNITS.get(name, "")
                dataset.flush()
            file.attrs[CHECKSUM] = array_digest(self._columns())

    @classmethod
    def read(cls, path: str | Path) -> "LightCone":
        """Read the file `path` that `write` made.

        Raises
        ------
        InputError
            If there is no such file, or it is not a light cone of icmass.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"{path}: must be a light cone; there is no such file.")
        try:
            with h5py.File(path, "r") as file:
                if file.attrs.get("format") != _FORMAT:
                    raise InputError(
                        f"{path}: must be a light cone that icmass wrote ('{_FORMAT}'); got "
                        f"'{file.attrs.get('format', 'another file')}'. Read a table of your own "
                        f"by read_light_cone."
                    )
                columns = {name: read_array(item) for name, item in file.items()}
                if file.attrs.get(CHECKSUM, "") not in ("", array_digest(columns)):
                    raise OSError("its values are not those that were written")
            if len({len(values) for values in columns.values()}) != 1:
                raise OSError("its columns have different lengths")
            haloes = Haloes(**{name: columns[name] for name in _HALOES})
            return cls(
                haloes,
                columns["ra_deg"],
                columns["dec_deg"],
                columns["key"],
                columns.get("template"),
            )
        except InputError:
            raise
        except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"{path}: must be a whole light cone; it is not ({reason}). Make it again."
            ) from error

    def _columns(self) -> dict[str, NDArray[Any]]:
        columns = {"ra_deg": self.ra_deg, "dec_deg": self.dec_deg, "key": self.key}
        columns |= {name: getattr(self.haloes, name) for name in _HALOES}
        if self.template is not None:
            columns["template"] = self.template
        return columns


def comoving_position(
    parameters: HaloParameters, ra_deg: Floats, dec_deg: Floats, redshift: Floats
) -> Floats:
    """Return places about the observer.

    Distances are read off a table that ends at redshift 12, to 1e-6.

    Parameters
    ----------
    parameters : HaloParameters
        Of which the cosmology is used.
    ra_deg, dec_deg : ndarray, shape (n,)
    redshift : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n, 3)
        Comoving Mpc: x to RA 0 and Dec 0, y to RA 90, z to the north pole.
    """
    distance = np.interp(redshift, *_distances(parameters))
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    place = np.empty((len(redshift), 3))
    place[:, 0] = distance * np.cos(dec) * np.cos(ra)
    place[:, 1] = distance * np.cos(dec) * np.sin(ra)
    place[:, 2] = distance * np.sin(dec)
    return place


@lru_cache(maxsize=4)
def _distances(parameters: HaloParameters) -> tuple[Floats, Floats]:
    """Redshifts and comoving distances [Mpc]; the same for all light cones of a cosmology."""
    grid = np.geomspace(1e-4, 12.0, 8000)
    return grid, parameters.cosmology().comoving_distance(grid).to_value("Mpc")
