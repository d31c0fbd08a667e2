"""One halo seen from one line of sight: all that a telescope could see there, and what is true.

Snapshots and the embedded population make scenes; whoever observes them cannot tell which did.
Everything is in the observer's frame: x to the east, y to the north, z away from the observer,
physical kpc about the centre of the halo and km/s about its bulk motion.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.gas import Gas

__all__ = ["MemberAgn", "Scene", "SceneGalaxies", "SceneKey", "SceneRegions"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SceneKey:
    """What names a row of the catalog."""

    sample_id: int
    snapshot_id: int
    halo_id: int
    line_of_sight: int


@dataclass(frozen=True)
class SceneGalaxies:
    """Galaxies in front of, in and behind the halo, one row each.

    Attributes
    ----------
    position_kpc : ndarray, shape (n, 3)
        The third column is the true distance along the line of sight.
    v_los_km_s : ndarray, shape (n,)
        Away from the observer, about that of the halo; Hubble flow included.
    stellar_mass_msun : ndarray, shape (n,)
        Stars of each galaxy.
    member : ndarray of bool, shape (n,)
        Bound to the halo: inside its R200c and no part of another halo along the line of sight.
    """

    position_kpc: Floats
    v_los_km_s: Floats
    stellar_mass_msun: Floats
    member: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.v_los_km_s)


@dataclass(frozen=True)
class MemberAgn:
    """Active galaxies among those of the scene, one row each.

    Attributes
    ----------
    east_kpc, north_kpc : ndarray, shape (n,)
        Physical, about the centre of the halo.
    log_hard_luminosity : ndarray, shape (n,)
        log10 of the intrinsic luminosity in 2-10 keV, erg/s.
    """

    east_kpc: Floats
    north_kpc: Floats
    log_hard_luminosity: Floats

    def __len__(self) -> int:
        return len(self.east_kpc)


@dataclass(frozen=True)
class SceneRegions:
    """What the scene holds besides the main halo, one row each, shape (n,).

    Attributes
    ----------
    kind : ndarray of uint8
        `icmass.catalog.RegionKind`.
    east_kpc, north_kpc, radius_kpc : ndarray
        Circle on the sky, physical, about the centre of the halo.
    mass_msun : ndarray
        Its mass.
    """

    kind: NDArray[np.uint8]
    east_kpc: Floats
    north_kpc: Floats
    radius_kpc: Floats
    mass_msun: Floats

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Scene:
    """One halo from one line of sight.

    Attributes
    ----------
    key : SceneKey
        Names the row, and its random streams.
    gas : Gas
        In the observer's frame; its info holds redshift, cosmology and halo.
    truth : dict
        Columns of the catalog that only the maker of the scene knows, such as ``concentration``,
        ``dynamical_state`` or ``box_x_mpc``.
    galaxies : SceneGalaxies, optional
        None where the simulation has none.
    member_agn : MemberAgn, optional
        None where they are to be drawn from the mass of the halo.
    regions : SceneRegions, optional
        Other haloes and substructure; None where the simulation does not tell.
    flags : int
        Bits of the catalog's flags that the maker of the scene knows.
    """

    key: SceneKey
    gas: Gas
    truth: dict[str, float] = field(default_factory=dict)
    galaxies: SceneGalaxies | None = None
    member_agn: MemberAgn | None = None
    regions: SceneRegions | None = None
    flags: int = 0
