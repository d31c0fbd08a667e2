"""What else is along the line of sight of a halo: its galaxies, and the other haloes.

Distances are physical kpc about the halo in the observer's frame; velocities hold the Hubble flow.
"""

import numpy as np

from icmass.catalog import RegionKind
from icmass.simulate.gas import Halo
from icmass.simulate.scene import SceneGalaxies, SceneRegions
from icmass.simulate.snapshots.column import SightColumn
from icmass.simulate.snapshots.halo_table import GalaxyTable, HaloTable

__all__ = ["scene_galaxies", "scene_regions"]

CYLINDER_KM_S = 3785.0  # galaxies beyond are no part of the cluster's field (the study's cut)


def scene_galaxies(
    column: SightColumn,
    galaxies: GalaxyTable,
    halo: Halo,
    halo_id: int,
    hubble_km_s_kpc: float,
) -> SceneGalaxies:
    """Take the galaxies of a table that lie in the column, within 3785 km/s.

    Members are inside R200c; where the table names hosts, that host must be the halo.

    Parameters
    ----------
    column : SightColumn
        About the halo.
    galaxies : GalaxyTable
        Of the snapshot.
    halo : Halo
        Whose velocity is at rest, and whose R200c tells members.
    halo_id : int
        Of the halo, as the table of galaxies names hosts.
    hubble_km_s_kpc : float
        H(z) [km/s/kpc]: what a distance along the line of sight adds to the velocity.

    Returns
    -------
    SceneGalaxies
    """
    rows, position = column.select(galaxies.center_kpc)
    motion = galaxies.velocity_kms[rows] - np.array(halo.velocity_kms)
    v_los = motion @ column.rotation[2] + hubble_km_s_kpc * position[:, 2]
    near = np.abs(v_los) < CYLINDER_KM_S
    rows, position, v_los = rows[near], position[near], v_los[near]
    member = np.linalg.norm(position, axis=1) <= halo.r200c_kpc
    if galaxies.host_id is not None:
        member &= galaxies.host_id[rows] == halo_id
    return SceneGalaxies(position, v_los, galaxies.stellar_mass_msun[rows], member)


def scene_regions(
    column: SightColumn, halos: HaloTable, row: int, r200c_kpc: float
) -> SceneRegions:
    """Take the other haloes of the table whose R500c reaches into the image.

    Inside R200c of the main halo they are companions, else neighbours.

    Parameters
    ----------
    column : SightColumn
        About the main halo.
    halos : HaloTable
        Of the snapshot.
    row : int
        Of the main halo among them.
    r200c_kpc : float
        Of the main halo.

    Returns
    -------
    SceneRegions
    """
    rows, position = column.select(halos.center_kpc, halos.r500c_kpc)
    other = rows != row
    rows, position = rows[other], position[other]
    inside = np.linalg.norm(position, axis=1) <= r200c_kpc
    kind = np.where(inside, RegionKind.COMPANION, RegionKind.NEIGHBOUR)
    return SceneRegions(
        kind=kind.astype(np.uint8),
        east_kpc=position[:, 0],
        north_kpc=position[:, 1],
        radius_kpc=halos.r500c_kpc[rows],
        mass_msun=halos.m500c_msun[rows],
    )
