"""One scene out of a snapshot: what a line of sight through a halo holds, from the observer's side.

Lengths are physical kpc about the halo, velocities km/s with the Hubble flow in them.
"""

from dataclasses import asdict, replace

import numpy as np

from icmass.catalog import Flag
from icmass.errors import InputError, NoPhotonsError
from icmass.simulate.gas import Census, Gas, Halo
from icmass.simulate.readers.snapshot import Header
from icmass.simulate.scene import Scene, SceneKey
from icmass.simulate.snapshots.box import Box
from icmass.simulate.snapshots.column import SightColumn
from icmass.simulate.snapshots.companions import scene_galaxies, scene_regions
from icmass.simulate.snapshots.halo_table import GalaxyTable, HaloTable

__all__ = ["best_halo", "comoving_side_mpc", "make_scene"]

MASS_AGREES = (0.5, 2.0)  # measured over listed M500c; else the halo is elsewhere


def make_scene(
    key: SceneKey,
    box: Box,
    column: SightColumn,
    halos: HaloTable,
    row: int,
    measured: Halo,
    *,
    galaxies: GalaxyTable | None,
    redshift: float,
) -> Scene:
    """Take what lies in a column through a snapshot.

    Parameters
    ----------
    key : SceneKey
        Name of the scene.
    box : Box
        The snapshot.
    column : SightColumn
        About the halo.
    halos : HaloTable
        All haloes of the snapshot.
    row : int
        Of the halo among them.
    measured : Halo
        The same halo, as `Box.measure` finds it.
    galaxies : GalaxyTable or None
        Of the snapshot, where they are known.
    redshift : float
        At which the observer sees it.

    Returns
    -------
    Scene

    Raises
    ------
    InputError
        If the halo of the table is not in the snapshot.
    NoPhotonsError
        If nothing in the column can emit.
    """
    halo = best_halo(halos, row, measured)
    _refuse_absent(halos, row, measured)
    gas = _gas(box, column, halo, measured, redshift)
    flags = Flag.GAS_TRUNCATED if _is_truncated(gas, box, column) else Flag(0)
    halo_id, hubble = int(halos.halo_id[row]), _hubble_km_s_kpc(box.header)
    return Scene(
        key=key,
        gas=gas,
        truth=_truth(halos, row, halo, box, column),
        galaxies=None
        if galaxies is None
        else scene_galaxies(column, galaxies, halo, halo_id, hubble),
        regions=scene_regions(column, halos, row, halo.r200c_kpc),
        flags=int(flags),
    )


def best_halo(halos: HaloTable, row: int, measured: Halo) -> Halo:
    """Take the table's word for a halo where it has one, and what was measured elsewhere.

    Parameters
    ----------
    halos : HaloTable
        NaN where it does not know.
    row : int
        Of the halo.
    measured : Halo
        In the matter of the snapshot.

    Returns
    -------
    Halo
    """

    def pick(listed: float, other: float) -> float:
        return float(listed) if np.isfinite(listed) else other

    velocity = halos.velocity_kms[row]
    known = bool(np.isfinite(velocity).all())
    return Halo(
        center_kpc=tuple(halos.center_kpc[row].tolist()),
        velocity_kms=tuple(velocity.tolist()) if known else measured.velocity_kms,
        m500c_msun=pick(halos.m500c_msun[row], measured.m500c_msun),
        r500c_kpc=pick(halos.r500c_kpc[row], measured.r500c_kpc),
        m200c_msun=pick(halos.m200c_msun[row], measured.m200c_msun),
        r200c_kpc=pick(halos.r200c_kpc[row], measured.r200c_kpc),
        total_mass=True,
    )


def comoving_side_mpc(header: Header) -> float | None:
    """Return the comoving side of the box of `header` in Mpc; None for a cut-out."""
    if header.box_kpc is None:
        return None
    return float(np.round(header.box_kpc / header.scale_factor / 1e3, 9))  # a of each cancels


def _gas(box: Box, column: SightColumn, halo: Halo, measured: Halo, redshift: float) -> Gas:
    """Gas along the line of sight in the observer's frame, Hubble flow in its velocities."""
    whole = box.gas
    rows, position = column.select(whole.position_kpc, whole.smoothing_kpc)
    info = whole.info
    stages = () if info.census is None else info.census.stages
    if len(rows) == 0:
        counts = ", ".join(f"{name} {count}" for name, count in stages)
        raise NoPhotonsError(
            f"{info.source}: a line of sight must hold gas that can emit; there is none "
            f"({counts}, in the column 0). Is the centre right?"
        )
    velocity = (whole.velocity_kms[rows] - np.array(halo.velocity_kms)) @ column.rotation.T
    velocity[:, 2] += _hubble_km_s_kpc(box.header) * position[:, 2]
    gas = whole.select(rows)
    census = Census((*stages, ("in the column", len(rows))))
    extra = {**info.extra, "measured_halo": asdict(measured)}
    return replace(
        gas,
        position_kpc=position,
        velocity_kms=velocity,
        info=replace(info, redshift=redshift, halo=halo, census=census, extra=extra),
    )


def _hubble_km_s_kpc(header: Header) -> float:
    return float(header.cosmology.H(header.redshift).to_value("km / (s kpc)"))


def _refuse_absent(halos: HaloTable, row: int, measured: Halo) -> None:
    """Refuse a halo whose mass is not where the table puts it."""
    if not measured.total_mass:
        return
    share = measured.m500c_msun / halos.m500c_msun[row]
    if not MASS_AGREES[0] <= share <= MASS_AGREES[1]:
        found = (
            "nothing is so dense there" if np.isnan(share) else f"measured are {share:.3g} of it"
        )
        raise InputError(
            f"halo {halos.halo_id[row]}: the snapshot must have its M500c of "
            f"{halos.m500c_msun[row]:.3g} Msun at its centre; {found}. Is the table of this "
            f"snapshot, and are positions comoving or physical, with or without h, as said "
            f"(table_units)?"
        )


def _is_truncated(gas: Gas, box: Box, column: SightColumn) -> bool:
    """Tell whether the gas of the snapshot ends inside the image square."""
    width = 2 * column.half_width_kpc
    if box.box_kpc is not None:
        return box.box_kpc < width
    reach = gas.smoothing_kpc[:, None]
    low = (gas.position_kpc[:, :2] - reach).min()
    high = (gas.position_kpc[:, :2] + reach).max()
    return bool(min(-low, high) < column.half_width_kpc)


def _truth(
    halos: HaloTable, row: int, halo: Halo, box: Box, column: SightColumn
) -> dict[str, float]:
    """Columns of the catalog that only the simulation knows."""
    truth = {"v_los_halo_km_s": float(column.rotation[2] @ np.array(halo.velocity_kms))}
    side_mpc = comoving_side_mpc(box.header)
    if side_mpc is not None:
        comoving_mpc = halos.center_kpc[row] / box.header.scale_factor / 1e3 % side_mpc
        truth |= {f"box_{axis}_mpc": float(x) for axis, x in zip("xyz", comoving_mpc, strict=True)}
    if np.isfinite(halos.concentration[row]):
        truth["concentration"] = float(halos.concentration[row])
    return truth
