"""Where is the cluster, and how massive is it: centre by shrinking sphere, mass by overdensity.

Inputs are the matter of a snapshot as one `Matter` per particle species, physical kpc and Msun;
outputs are physical too (no h, no scale factor). A periodic box is given by its physical side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

__all__ = [
    "SEARCH_RADIUS_KPC",
    "Matter",
    "Overdensity",
    "find_center",
    "offset",
    "overdensity_sphere",
    "select_sphere",
    "shrink_center",
]

Array = NDArray[Any]
Floats = NDArray[np.float64]

CHUNK_ROWS = 1 << 18  # rows treated at once, so that temporaries stay small
MESH_CELLS = 128  # per side, at most
MESH_CELL_KPC = 250.0  # not finer than this: a cluster core
SHRINK = 0.9  # radius of each sphere relative to the one before
REACH = 1.3  # particles this far out, relative to the radius, stay in play: the centre moves
CORE_PARTICLES = 100  # the smallest sphere holds this many
SEARCH_RADIUS_KPC = 5000.0  # beyond R200c of any cluster
INNERMOST = 32  # particles whose enclosed density is noise


@dataclass(frozen=True)
class Matter:
    """One species of particles: position_kpc, shape (n, 3), and mass_msun, shape (n,)."""

    position_kpc: Array
    mass_msun: Array

    def __len__(self) -> int:
        return len(self.mass_msun)


@dataclass(frozen=True)
class Overdensity:
    """Sphere whose mean density is a multiple of the critical one; NaN where there is none."""

    mass_msun: float
    radius_kpc: float


def offset(position_kpc: Array, center_kpc: Floats, box_kpc: float | None = None) -> Floats:
    """Return positions about a centre, by the nearest image in a periodic box.

    Parameters
    ----------
    position_kpc : ndarray, shape (n, 3)
        Positions in the frame of the snapshot.
    center_kpc : ndarray, shape (3,)
        Centre in the same frame.
    box_kpc : float, optional
        Side of the periodic box; None for a box that does not repeat.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        In kpc; within half a box of 0 where the box repeats.
    """
    step = position_kpc.astype(np.float64) - center_kpc
    if box_kpc is not None:
        step -= box_kpc * np.round(step / box_kpc)
    return step


def select_sphere(
    position_kpc: Array, center_kpc: Floats, radius_kpc: float, box_kpc: float | None = None
) -> tuple[NDArray[np.int64], Floats]:
    """Find the particles inside a sphere.

    Parameters
    ----------
    position_kpc : ndarray, shape (n, 3)
        Positions in the frame of the snapshot.
    center_kpc : ndarray, shape (3,)
        Centre in the same frame.
    radius_kpc : float
        Radius of the sphere; may be infinite.
    box_kpc : float, optional
        Side of the periodic box; None for a box that does not repeat.

    Returns
    -------
    rows : ndarray of int64, shape (m,)
        Which particles are inside, ascending.
    offsets_kpc : ndarray, shape (m, 3)
        Their positions about the centre.
    """
    rows, steps = [], []
    for start, chunk in _chunks(position_kpc):
        step = offset(chunk, center_kpc, box_kpc)
        inside = np.flatnonzero(np.einsum("ij,ij->i", step, step) <= radius_kpc**2)
        rows.append(inside + start)
        steps.append(step[inside])
    if not rows:
        return np.empty(0, np.int64), np.empty((0, 3))
    return np.concatenate(rows), np.concatenate(steps)


def find_center(species: Sequence[Matter], box_kpc: float | None = None) -> Floats:
    """Find the centre of the most massive concentration by a shrinking sphere.

    The sphere starts around the most massive cube of three mesh cells, so that a box with many
    haloes leads to its largest one, and shrinks about its own centre of mass (Power et al. 2003,
    MNRAS 338, 14) until it holds 100 particles.

    Parameters
    ----------
    species : sequence of Matter
        All matter that counts; at least one particle.
    box_kpc : float, optional
        Side of the periodic box.

    Returns
    -------
    ndarray, shape (3,)
        Centre in the frame of the positions [kpc].
    """
    peak_kpc, cell_kpc = _densest_cube(species, box_kpc)
    radius_kpc = 3 * cell_kpc
    found = [select_sphere(part.position_kpc, peak_kpc, radius_kpc, box_kpc) for part in species]
    steps = np.concatenate([step for _, step in found])
    mass = np.concatenate(
        [part.mass_msun[rows] for part, (rows, _) in zip(species, found, strict=True)]
    )
    center = peak_kpc + shrink_center(steps, mass.astype(np.float64), radius_kpc)
    if box_kpc is None:
        return center
    low = _box_origin(species, box_kpc)
    return low + (center - low) % box_kpc


def overdensity_sphere(
    radius_kpc: Floats, mass_msun: Floats, contrast: float, critical_msun_kpc3: float
) -> Overdensity:
    """Measure the sphere inside which the mean density is `contrast` times the critical one.

    Parameters
    ----------
    radius_kpc : ndarray, shape (n,)
        Distance from the centre of all particles, ascending.
    mass_msun : ndarray, shape (n,)
        Their masses in the same order.
    contrast : float
        500 for M500c.
    critical_msun_kpc3 : float
        Critical density at the redshift of the snapshot [Msun/kpc^3].

    Returns
    -------
    Overdensity
        At the first radius, going outwards from the dense part, where the mean density falls below
        the threshold. NaN where it never reaches or never leaves it.
    """
    enclosed = np.cumsum(mass_msun)
    threshold = 4 / 3 * np.pi * contrast * critical_msun_kpc3  # Msun/kpc^3, times r^3
    dense = enclosed >= threshold * radius_kpc**3
    dense[:INNERMOST] = False
    if not dense.any():
        return Overdensity(np.nan, np.nan)
    first = int(dense.argmax())
    leaves = np.flatnonzero(~dense[first:])
    if len(leaves) == 0:
        return Overdensity(np.nan, np.nan)
    last = first + int(leaves[0]) - 1
    mass = float(enclosed[last])
    radius = (mass / threshold) ** (1 / 3)  # lies between this particle and the next
    return Overdensity(mass, float(min(radius, radius_kpc[last + 1])))


def shrink_center(steps_kpc: Floats, mass_msun: Floats, radius_kpc: float) -> Floats:
    """Find the densest place inside a sphere by shrinking it about its centre of mass.

    Parameters
    ----------
    steps_kpc : ndarray, shape (n, 3)
        Positions about the first centre.
    mass_msun : ndarray, shape (n,)
        Their masses.
    radius_kpc : float
        Radius of the first sphere.

    Returns
    -------
    ndarray, shape (3,)
        Where it ends, with 100 particles left, about the first centre.
    """
    center = np.zeros(3)
    while True:
        step = steps_kpc - center
        distance2 = np.einsum("ij,ij->i", step, step)
        inside = distance2 <= radius_kpc**2
        if inside.sum() < CORE_PARTICLES:
            return center
        weight = mass_msun[inside]
        center = center + weight @ step[inside] / weight.sum()
        near = distance2 <= (REACH * radius_kpc) ** 2
        steps_kpc, mass_msun = steps_kpc[near], mass_msun[near]
        radius_kpc *= SHRINK


def _chunks(rows: Array) -> Iterator[tuple[int, Array]]:
    for start in range(0, len(rows), CHUNK_ROWS):
        yield start, rows[start : start + CHUNK_ROWS]


def _box_origin(species: Sequence[Matter], box_kpc: float) -> Floats:
    """Corner of a periodic box: the origin, unless coordinates run from minus to plus half."""
    lowest = np.min([part.position_kpc.min(axis=0) for part in species if len(part)], axis=0)
    return np.where(lowest < -0.01 * box_kpc, -box_kpc / 2, 0.0)


def _densest_cube(species: Sequence[Matter], box_kpc: float | None) -> tuple[Floats, float]:
    """Return the middle of the most massive cube of 3 x 3 x 3 mesh cells, and the cell's side."""
    if box_kpc is None:
        low = np.min([part.position_kpc.min(axis=0) for part in species if len(part)], axis=0)
        high = np.max([part.position_kpc.max(axis=0) for part in species if len(part)], axis=0)
        low, side_kpc = low.astype(np.float64), float((high - low).max())
    else:
        low, side_kpc = _box_origin(species, box_kpc), box_kpc
    side_kpc = max(side_kpc, 1e-3)
    cells = int(np.clip(side_kpc / MESH_CELL_KPC, 8, MESH_CELLS))
    cell_kpc = side_kpc / cells
    mesh = np.zeros(cells**3)
    for part in species:
        for start, chunk in _chunks(part.position_kpc):
            index = ((chunk - low) / cell_kpc).astype(np.int64)
            index = np.clip(index, 0, cells - 1) if box_kpc is None else index % cells
            flat = (index[:, 0] * cells + index[:, 1]) * cells + index[:, 2]
            mesh += np.bincount(flat, part.mass_msun[start : start + len(chunk)], len(mesh))
    mode = "constant" if box_kpc is None else "wrap"
    cube = uniform_filter(mesh.reshape(cells, cells, cells), 3, mode=mode)
    peak = np.array(np.unravel_index(cube.argmax(), cube.shape))
    return low + (peak + 0.5) * cell_kpc, cell_kpc
