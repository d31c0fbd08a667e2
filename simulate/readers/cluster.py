"""One cluster out of a snapshot: its centre, its mass, its motion, and the gas around it.

This is the way of all gas, from a file, from arrays or from yt; only the `Snapshot` differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from warnings import warn

import numpy as np
from astropy.units import Quantity
from numpy.typing import NDArray

from icmass.errors import InputError, InputWarning
from icmass.simulate.gas import Gas, GasInfo, Halo
from icmass.simulate.halo import (
    SEARCH_RADIUS_KPC,
    Matter,
    find_center,
    overdensity_sphere,
    select_sphere,
)
from icmass.simulate.readers import checks
from icmass.simulate.readers.assemble import Cuts, RawGas, assemble
from icmass.simulate.readers.snapshot import DARK, GAS, Snapshot
from icmass.units import to_value

__all__ = ["Where", "cluster_gas", "measure_halo", "periodic_box", "read_density", "read_matter"]

RADIUS_R200C = 3.0  # of the sphere that is kept by default
PERIODIC_OVERDENSITY = 1.1  # a box denser than the cosmic mean is a piece cut out, not periodic
LONE_GAS_KPC = 500.0  # bulk motion is that of the gas inside, where no mass could be measured

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Where:
    """Which part of a snapshot to take, and where the observer sees it; None: found by itself."""

    center_kpc: Floats | None
    radius_kpc: float | None
    redshift: float | None

    @classmethod
    def checked(
        cls,
        center: Any,
        radius: float | Quantity | None,
        redshift: float | None,
    ) -> "Where":
        """Validate the user's words.

        Parameters
        ----------
        center : array_like of shape (3,) or Quantity, optional
            In the frame of the snapshot; bare numbers are physical kpc.
        radius : float or Quantity, optional
            Of the sphere that is kept; bare numbers are physical kpc.
        redshift : float, optional
            Where the observer sees the cluster, above 0 and below 20.

        Returns
        -------
        Where

        Raises
        ------
        InputError
            If a value is outside its range, or has another shape or unit.
        """
        radius_kpc = None if radius is None else float(to_value(radius, "kpc", "radius"))
        if radius_kpc is not None and not radius_kpc > 0:
            raise InputError(f"radius: must be positive; got {radius_kpc:g} kpc.")
        if redshift is not None and not 0 < redshift < 20:
            raise InputError(
                f"redshift: must lie between 0 and 20, both excluded; got {redshift!r}. A cluster "
                f"at redshift 0 has no distance; leave it out to take the snapshot's."
            )
        return cls(None if center is None else _checked_center(center), radius_kpc, redshift)


@dataclass(frozen=True)
class _Sphere:
    """One species inside the search radius."""

    rows: NDArray[np.int64]
    radius_kpc: Floats
    mass_msun: Floats


def cluster_gas(snapshot: Snapshot, where: Where, cuts: Cuts, *, overdensity: bool) -> Gas:
    """Take the gas of one cluster out of a snapshot.

    Parameters
    ----------
    snapshot : Snapshot
        Any that has gas.
    where : Where
        Centre, radius and redshift as far as the user gave them.
    cuts : Cuts
        Which gas emits.
    overdensity : bool
        Measure M500c and so on from all particles.

    Returns
    -------
    Gas

    Raises
    ------
    InputError
        If the snapshot has no gas, lacks a field or holds what is physically absurd.
    NoPhotonsError
        If no gas is left.
    """
    header = snapshot.header
    density = read_density(snapshot)
    chosen = where.center_kpc
    matter = read_matter(snapshot, gas_only=not overdensity and chosen is not None)
    box_kpc = periodic_box(snapshot, matter)
    if box_kpc is not None:
        checks.refuse_outside_box(snapshot, matter[GAS].position_kpc, box_kpc)
        if chosen is not None:
            checks.refuse_center_outside_box(chosen, box_kpc)
    center_kpc = find_center(list(matter.values()), box_kpc) if chosen is None else chosen
    halo = measure_halo(snapshot, matter, center_kpc, box_kpc, overdensity)
    if chosen is not None and halo.total_mass and np.isnan(halo.r500c_kpc):
        warn(
            f"center: no sphere around it is 500 times as dense as the critical density; got "
            f"{np.round(center_kpc, 1).tolist()} kpc. Give physical kpc in the snapshot's frame.",
            InputWarning,
            stacklevel=3,
        )
    radius_kpc = where.radius_kpc or _default_radius(halo, box_kpc)
    rows, position = select_sphere(matter[GAS].position_kpc, center_kpc, radius_kpc, box_kpc)
    raw = RawGas(
        rows=rows,
        position_kpc=position,
        mass_msun=matter[GAS].mass_msun[rows].astype(np.float64),
        density_msun_kpc3=density[rows].astype(np.float64),
    )
    del matter, density  # the largest arrays; other fields are still to be read
    redshift = where.redshift or header.redshift or None
    info = GasInfo(snapshot.source, header.code, header.cosmology, redshift, halo)
    return assemble(snapshot, raw, cuts, info)


def read_density(snapshot: Snapshot) -> NDArray[Any]:
    """Read the density of all gas of `snapshot`, Msun/kpc^3, shape (n,).

    Raises
    ------
    InputError
        If there is no gas, or the box or the density is absurd.
    """
    checks.refuse_absurd_box(snapshot)
    if GAS not in snapshot.counts:
        raise InputError(
            f"{snapshot.source}: must hold gas (particle type 0); it has particles of types "
            f"{sorted(snapshot.counts)}. Give a snapshot of a hydrodynamical simulation."
        )
    density = snapshot.read(GAS, "density")
    checks.refuse_absurd_density(snapshot, density)
    return density


def _checked_center(center: Any) -> Floats:
    value = np.asarray(to_value(center, "kpc", "center"))
    if value.shape != (3,) or not np.isfinite(value).all():
        raise InputError(
            f"center: must be three finite coordinates in kpc; got shape {value.shape}. Give "
            f"physical kpc in the snapshot's frame, e.g. center=(3700, 3700, 3700)."
        )
    return value


def read_matter(snapshot: Snapshot, *, gas_only: bool) -> dict[int, Matter]:
    """Read positions and masses of every kind of particle that has a mass.

    Of `snapshot`, or of its gas alone with `gas_only`. Returns one `Matter`, kpc and Msun, by
    number of the kind.

    Raises
    ------
    InputError
        If a mass is negative, or all are zero.
    """
    kinds = [GAS] if gas_only else sorted(snapshot.counts)
    matter = {}
    for kind in kinds:
        if kind == GAS or (snapshot.has(kind, "mass") and snapshot.has(kind, "position")):
            mass = snapshot.read(kind, "mass")
            name = f"mass of particle type {kind}"
            checks.refuse_negative(snapshot, name, mass, np.arange(len(mass)))
            matter[kind] = Matter(snapshot.read(kind, "position"), mass)
    if not sum(float(part.mass_msun.sum(dtype=np.float64)) for part in matter.values()) > 0:
        raise InputError(f"{snapshot.source}: the field 'mass' must not be zero everywhere.")
    return matter


def periodic_box(snapshot: Snapshot, matter: Mapping[int, Matter]) -> float | None:
    """Return the side in kpc of the box of `snapshot` if it repeats; None for one that does not.

    A piece cut out around a cluster, whose box is its own, is denser than the cosmic mean, as its
    `matter` (by kind of particle) tells. A full box is not, and neither is a cut-out that carries
    the box of its parent.
    """
    header = snapshot.header
    if header.box_kpc is None:
        return None
    cosmic = header.matter_msun_kpc3 * (header.box_kpc / header.scale_factor) ** 3
    mass = sum(float(part.mass_msun.sum(dtype=np.float64)) for part in matter.values())
    return header.box_kpc if mass <= PERIODIC_OVERDENSITY * cosmic else None


def _default_radius(halo: Halo, box_kpc: float | None) -> float:
    radius = RADIUS_R200C * halo.r200c_kpc
    if np.isnan(radius):
        return np.inf
    return radius if box_kpc is None else min(radius, box_kpc / 2)


def measure_halo(
    snapshot: Snapshot,
    matter: Mapping[int, Matter],
    center_kpc: Floats,
    box_kpc: float | None,
    overdensity: bool,
) -> Halo:
    """Measure mass, radius and bulk motion of the halo around a centre.

    Parameters
    ----------
    snapshot : Snapshot
        Gives velocities, cosmology and redshift.
    matter : mapping of int to Matter
        By kind of particle, as `read_matter` has it.
    center_kpc : ndarray, shape (3,)
        In the frame of the snapshot.
    box_kpc : float or None
        Side of the periodic box, from `periodic_box`.
    overdensity : bool
        Measure masses and radii; they are NaN without, or where the snapshot has no dark matter.

    Returns
    -------
    Halo
        Its velocity is the mean by mass inside R500c, or of the gas within 500 kpc without one.
    """
    spheres = {}
    for kind, part in matter.items():
        rows, step = select_sphere(part.position_kpc, center_kpc, SEARCH_RADIUS_KPC, box_kpc)
        distance = np.sqrt(np.einsum("ij,ij->i", step, step))
        spheres[kind] = _Sphere(rows, distance, part.mass_msun[rows].astype(np.float64))
    total = overdensity and any(kind in DARK for kind in matter)
    found = {500.0: (np.nan, np.nan), 200.0: (np.nan, np.nan)}
    if total:
        distance = np.concatenate([sphere.radius_kpc for sphere in spheres.values()])
        mass = np.concatenate([sphere.mass_msun for sphere in spheres.values()])
        order = np.argsort(distance)
        distance, mass = distance[order], mass[order]
        critical = snapshot.header.critical_msun_kpc3
        for contrast in found:
            sphere = overdensity_sphere(distance, mass, contrast, critical)
            found[contrast] = (sphere.mass_msun, sphere.radius_kpc)
    velocity = _bulk_velocity(snapshot, spheres, found[500.0][1])
    return Halo(
        center_kpc=tuple(center_kpc.tolist()),
        velocity_kms=tuple(velocity.tolist()),
        m500c_msun=found[500.0][0],
        r500c_kpc=found[500.0][1],
        m200c_msun=found[200.0][0],
        r200c_kpc=found[200.0][1],
        total_mass=total,
    )


def _bulk_velocity(snapshot: Snapshot, spheres: Mapping[int, _Sphere], r500c_kpc: float) -> Floats:
    """Mean velocity by mass of the matter inside R500c, or of the inner gas if there is none."""
    kinds = [kind for kind in spheres if snapshot.has(kind, "velocity")]
    radius = r500c_kpc
    if np.isnan(r500c_kpc):
        kinds, radius = [GAS], LONE_GAS_KPC
    momentum, mass = np.zeros(3), 0.0
    for kind in kinds:
        sphere = spheres[kind]
        inside = sphere.radius_kpc <= radius
        weight = sphere.mass_msun[inside]
        velocity = snapshot.read(kind, "velocity")[sphere.rows[inside]]
        momentum += weight @ velocity.astype(np.float64)
        mass += float(weight.sum())
    return momentum / mass if mass > 0 else momentum
