"""What a field holds: the main halo, what falls into it, and what lies near its line of sight.

One list feeds gas, galaxies and AGN, so that a companion or a neighbour moves the photons, the
number of galaxies and their velocities together. Physical kpc, km/s and Msun in the frame of the
observer: x to the east, y to the north, z away, about the centre and motion of the main halo.
"""

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Filaments", "StructureKind", "Structures", "r500_over_r200"]

Floats = NDArray[np.float64]


class StructureKind(IntEnum):
    """What a structure is to the main halo; from 1 on as the regions of the catalog."""

    MAIN = 0
    SUBSTRUCTURE = 1
    COMPANION = 2
    NEIGHBOUR = 3


@dataclass(frozen=True)
class Filaments:
    """Straight bridges of warm gas from the main halo, one row each.

    Attributes
    ----------
    start_kpc, end_kpc : ndarray, shape (n, 3)
        Ends of the axis.
    radius_kpc : ndarray, shape (n,)
        Of the cylinder.
    gas_mass_msun, kt_kev : ndarray, shape (n,)
    """

    start_kpc: Floats
    end_kpc: Floats
    radius_kpc: Floats
    gas_mass_msun: Floats
    kt_kev: Floats

    def __len__(self) -> int:
        return len(self.radius_kpc)

    def turned(self, turn: Floats) -> "Filaments":
        """Return them turned by `turn`, shape (3, 3), from the halo's frame to the observer's."""
        return replace(self, start_kpc=self.start_kpc @ turn.T, end_kpc=self.end_kpc @ turn.T)


@dataclass(frozen=True)
class Structures:
    """Haloes of one field, one row each; row 0 is the main halo.

    Attributes
    ----------
    kind : ndarray of uint8, shape (n,)
        See `StructureKind`.
    m500c_msun, r500c_kpc, r200c_kpc : ndarray, shape (n,)
        Those of substructures and companions are from before they fell in.
    concentration : ndarray, shape (n,)
        r200c over the scale radius.
    position_kpc : ndarray, shape (n, 3)
    velocity_kms : ndarray, shape (n, 3)
        About the main halo; along the line of sight with the Hubble flow of neighbours.
    gas_kept : ndarray, shape (n,)
        Gas still there over the gas that a halo of this mass has.
    truncation_r500 : ndarray, shape (n,)
        Where the gas ends, in units of the structure's own R500c; infinite where nothing cut it.
    cool_core, disturbance, star_formation : ndarray, shape (n,)
        Standard normal; as for the main halo.
    orientation : ndarray, shape (n, 3, 3)
        Rows are the long, middle and short axis.
    axis_ratio : ndarray, shape (n, 2)
        Middle over long and short over long axis of the gas.
    filaments : Filaments
    """

    kind: NDArray[np.uint8]
    m500c_msun: Floats
    r500c_kpc: Floats
    r200c_kpc: Floats
    concentration: Floats
    position_kpc: Floats
    velocity_kms: Floats
    gas_kept: Floats
    truncation_r500: Floats
    cool_core: Floats
    disturbance: Floats
    star_formation: Floats
    orientation: Floats
    axis_ratio: Floats
    filaments: Filaments

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def m200c_msun(self) -> Floats:
        """M200c, from the radii, shape (n,)."""
        return 0.4 * self.m500c_msun * (self.r200c_kpc / self.r500c_kpc) ** 3

    @staticmethod
    def array_names() -> tuple[str, ...]:
        """Names of the arrays with one row per structure."""
        return tuple(f.name for f in fields(Structures) if f.name != "filaments")

    def select(self, mask: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the rows chosen by `mask`, boolean or of row numbers, by the name of the array."""
        return {name: getattr(self, name)[mask] for name in self.array_names()}


_NODES = np.geomspace(0.3, 60.0, 400)  # concentrations
_STEPS = np.linspace(0.05, 1.0, 400)  # R500c / R200c


def _enclosed(x: Floats) -> Floats:
    """Mass of an NFW halo inside x scale radii, without its norm."""
    return np.log1p(x) - x / (1.0 + x)


def r500_over_r200(concentration: ArrayLike) -> Floats:
    """Return R500c over R200c of NFW haloes, of the shape of `concentration`, which is c200c.

    From a table, where the mean density inside is 500 times the critical one.
    """
    return np.interp(np.asarray(concentration, dtype=np.float64), _NODES, _ratio_at_nodes())


@cache
def _ratio_at_nodes() -> Floats:
    """Where the mean density is 500 of the critical, for every node."""
    overdensity = _enclosed(np.outer(_NODES, _STEPS)) / _enclosed(_NODES)[:, None] / _STEPS**3
    return np.array([np.interp(-2.5, -row, _STEPS) for row in overdensity])
