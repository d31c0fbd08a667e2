"""Find the haloes of a snapshot that comes without a table: spheres of 500 critical densities.

Dense cells of a fine mesh are tried from the densest on. Each leads, by a shrinking sphere, to the
middle of a halo, whose M500c is then measured; what lies inside its R500c is not tried again. In
the end a halo inside R500c of a more massive one is taken for a part of it. Physical kpc and Msun.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from icmass.errors import InputError
from icmass.simulate.gas import Halo
from icmass.simulate.halo import offset, overdensity_sphere, shrink_center
from icmass.simulate.snapshots.box import Box
from icmass.simulate.snapshots.halo_table import HaloTable

__all__ = ["find_halos"]

Floats = NDArray[np.float64]
CONTRAST = 500.0
CELLS_PER_R500C = 3.0  # of the least massive halo
DENSE = 0.5  # of 500 critical densities: what a cell must hold to be tried
FEWEST_PARTICLES = 100  # inside R500c of the least massive halo
FURTHEST_KPC = 5000.0  # beyond R500c of any halo


@dataclass(frozen=True)
class _Matter:
    """All matter with a tree over it."""

    position_kpc: Floats
    mass_msun: Floats
    tree: cKDTree
    box_kpc: float | None
    critical: float  # Msun/kpc^3

    def wrapped(self, position_kpc: Floats) -> Floats:
        """Return positions inside the box, if there is one."""
        return position_kpc if self.box_kpc is None else _wrapped(position_kpc, self.box_kpc)

    def around(self, center_kpc: Floats, radius_kpc: float) -> tuple[Floats, Floats]:
        """Return offsets and masses inside a sphere."""
        center = self.wrapped(center_kpc)
        rows = np.asarray(self.tree.query_ball_point(center, radius_kpc), dtype=np.int64)
        return offset(self.position_kpc[rows], center, self.box_kpc), self.mass_msun[rows]

    def radius_500c(self, center_kpc: Floats, first_kpc: float) -> float:
        """Measure R500c in ever larger spheres; NaN where nothing is that dense."""
        radius = first_kpc
        while True:
            step, mass = self.around(center_kpc, radius)
            full = mass.sum() >= 4 / 3 * np.pi * CONTRAST * self.critical * radius**3
            if not full or radius > FURTHEST_KPC:
                distance = np.linalg.norm(step, axis=1)
                order = np.argsort(distance)
                sphere = overdensity_sphere(distance[order], mass[order], CONTRAST, self.critical)
                return sphere.radius_kpc
            radius *= 1.5


def find_halos(box: Box, min_m500c_msun: float) -> HaloTable:
    """Find all haloes above a mass.

    Parameters
    ----------
    box : Box
        Snapshot with dark matter.
    min_m500c_msun : float
        Lowest M500c.

    Returns
    -------
    HaloTable
        By falling M500c, numbered from 0.

    Raises
    ------
    InputError
        If there is no dark matter, or the lowest mass is less than 100 particles.
    """
    matter = _read(box, min_m500c_msun)
    lowest_kpc = float(np.cbrt(3 * min_m500c_msun / (4 * np.pi * CONTRAST * matter.critical)))
    centers = _try_cells(matter, lowest_kpc, min_m500c_msun)
    halos = [box.measure(matter.wrapped(center)) for center in centers]
    halos = [halo for halo in halos if halo.m500c_msun >= min_m500c_msun]
    halos.sort(key=lambda halo: -halo.m500c_msun)
    return _as_table(_apart(halos, box.box_kpc))


def _read(box: Box, min_m500c_msun: float) -> _Matter:
    source = box.gas.info.source
    if not box.has_total_mass:
        raise InputError(
            f"{source}: must hold dark matter to search it for haloes; it has none. Give a halo "
            f"table (halos)."
        )
    position = np.concatenate([part.position_kpc for part in box.matter.values()]).astype(float)
    mass = np.concatenate([part.mass_msun for part in box.matter.values()]).astype(float)
    dark = float(max(np.median(part.mass_msun) for part in box.matter.values()))
    if not min_m500c_msun >= FEWEST_PARTICLES * dark:
        raise InputError(
            f"{source}: min_m500c_msun must be at least {FEWEST_PARTICLES} particles of "
            f"{dark:.3g} Msun to search for haloes; got {min_m500c_msun:.3g}."
        )
    if box.box_kpc is not None:
        position = _wrapped(position, box.box_kpc)
    tree = cKDTree(position, boxsize=box.box_kpc, balanced_tree=False, compact_nodes=False)
    return _Matter(position, mass, tree, box.box_kpc, box.header.critical_msun_kpc3)


def _wrapped(position_kpc: Floats, box_kpc: float) -> Floats:
    wrapped = position_kpc % box_kpc
    return np.where(wrapped < box_kpc, wrapped, 0.0)  # a tiny negative number is rounded up


def _try_cells(matter: _Matter, lowest_kpc: float, min_m500c_msun: float) -> Floats:
    """Return centres of haloes from dense cells in falling order, the least massive too small."""
    places = _dense_cells(matter, lowest_kpc / CELLS_PER_R500C)
    tree = cKDTree(places, boxsize=matter.box_kpc)
    is_open = np.ones(len(places), bool)
    centers = []
    for number, place in enumerate(places):
        if not is_open[number]:
            continue
        claims = [(place, lowest_kpc / 2)]
        step, mass = matter.around(place, 2 * lowest_kpc)
        if mass.sum() >= min_m500c_msun:  # else no sphere about a place nearby holds as much
            near = np.linalg.norm(step, axis=1) <= lowest_kpc
            center = place + shrink_center(step[near], mass[near], lowest_kpc)
            radius = matter.radius_500c(center, 1.5 * lowest_kpc)
            if radius >= lowest_kpc:
                centers.append(center)
                claims += [(place, radius), (center, radius)]
        for about, reach in claims:
            is_open[tree.query_ball_point(matter.wrapped(about), reach)] = False
    return np.array(centers).reshape(-1, 3)


def _dense_cells(matter: _Matter, cell_kpc: float) -> Floats:
    """Return the middles of dense cells of a mesh, the densest first; empty ones cost nothing."""
    low = matter.position_kpc.min(axis=0)
    index = ((matter.position_kpc - low) / cell_kpc).astype(np.int64)
    shape = index.max(axis=0) + 1
    flat = np.ravel_multi_index(tuple(index.T), tuple(shape))
    cells, inverse = np.unique(flat, return_inverse=True)
    mass = np.bincount(inverse, matter.mass_msun)
    dense = mass >= DENSE * CONTRAST * matter.critical * cell_kpc**3
    order = np.flatnonzero(dense)[np.argsort(-mass[dense], kind="stable")]
    places = np.stack(np.unravel_index(cells[order], tuple(shape)), axis=1)
    return matter.wrapped(low + (places + 0.5) * cell_kpc)


def _apart(halos: list[Halo], box_kpc: float | None) -> list[Halo]:
    """Leave out haloes inside R500c of a more massive one."""
    kept: list[Halo] = []
    for halo in halos:
        center = np.array(halo.center_kpc)
        distances = [
            float(np.linalg.norm(offset(center, np.array(other.center_kpc), box_kpc)))
            for other in kept
        ]
        if all(d > other.r500c_kpc for d, other in zip(distances, kept, strict=True)):
            kept.append(halo)
    return kept


def _as_table(halos: list[Halo]) -> HaloTable:
    def column(name: str) -> Floats:
        return np.array([getattr(halo, name) for halo in halos], dtype=np.float64)

    return HaloTable(
        halo_id=np.arange(len(halos)),
        center_kpc=column("center_kpc").reshape(-1, 3),
        m500c_msun=column("m500c_msun"),
        r500c_kpc=column("r500c_kpc"),
        m200c_msun=column("m200c_msun"),
        r200c_kpc=column("r200c_kpc"),
        concentration=np.full(len(halos), np.nan),
        velocity_kms=column("velocity_kms").reshape(-1, 3),
    )
