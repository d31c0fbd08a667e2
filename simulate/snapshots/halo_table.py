"""Which haloes a simulation holds, and which galaxies: tables of halo finders in physical units.

Tables come as `Column`s of any unit; what is kept is physical kpc, Msun and km/s in the frame of
the snapshot. Mass and radius must agree with each other, by which a forgotten h or scale factor is
found out.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.readers.snapshot import Header
from icmass.simulate.snapshots.table_file import Column, Frame, to_physical

__all__ = ["GalaxyTable", "HaloTable", "galaxy_table", "halo_table"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TOLERANCE = 0.1  # of M500c against 500 critical densities in R500c

# Names a column may have, in lower case. The first is ours.
ALIASES = {
    "halo_id": ("halo_id", "id", "haloid", "halo"),
    "snapshot_id": ("snapshot_id", "snapshot"),
    "center": ("center", "centre", "position", "pos"),
    "m500c": ("m500c", "m500", "m_500c", "m500_crit"),
    "r500c": ("r500c", "r500", "r_500c", "r500_crit"),
    "m200c": ("m200c", "m200", "m_200c", "m200_crit"),
    "r200c": ("r200c", "r200", "r_200c", "r200_crit"),
    "velocity": ("velocity", "vel"),
    "concentration": ("concentration", "c200c"),
    "stellar_mass": ("stellar_mass", "mstar"),
    "host_id": ("host_id", "host"),
}
PARTS = {"center": ("x", "y", "z"), "velocity": ("vx", "vy", "vz")}
KINDS = {
    "center": "length", "r500c": "length", "r200c": "length", "m500c": "mass", "m200c": "mass",
    "stellar_mass": "mass", "velocity": "velocity",
}  # fmt: skip
# Halo finders store positions comoving; radii differ, so that the mass has to confirm them.
FRAMES: dict[str, Frame] = {"center": "comoving", "r500c": "physical", "r200c": "physical"}
UNIT_KEYS = {
    "center": "position", "r500c": "radius", "r200c": "radius", "m500c": "mass", "m200c": "mass",
    "stellar_mass": "mass", "velocity": "velocity",
}  # fmt: skip


@dataclass(frozen=True)
class HaloTable:
    """Haloes of one snapshot, physical units in its frame; NaN where not known.

    Attributes
    ----------
    halo_id : ndarray of int64, shape (n,)
    center_kpc : ndarray, shape (n, 3)
    m500c_msun, r500c_kpc, m200c_msun, r200c_kpc, concentration : ndarray, shape (n,)
    velocity_kms : ndarray, shape (n, 3)
        Peculiar bulk velocity.
    """

    halo_id: Ints
    center_kpc: Floats
    m500c_msun: Floats
    r500c_kpc: Floats
    m200c_msun: Floats
    r200c_kpc: Floats
    concentration: Floats
    velocity_kms: Floats

    def __len__(self) -> int:
        return len(self.halo_id)

    def select(self, mask: NDArray[Any]) -> "HaloTable":
        """Return the haloes chosen by `mask`, boolean or of row numbers."""
        return HaloTable(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})


@dataclass(frozen=True)
class GalaxyTable:
    """Galaxies of one snapshot, physical units in its frame.

    Attributes
    ----------
    center_kpc : ndarray, shape (n, 3)
    velocity_kms : ndarray, shape (n, 3)
    stellar_mass_msun : ndarray, shape (n,)
    host_id : ndarray of int64, shape (n,), or None
        Halo that holds the galaxy.
    """

    center_kpc: Floats
    velocity_kms: Floats
    stellar_mass_msun: Floats
    host_id: Ints | None

    def __len__(self) -> int:
        return len(self.stellar_mass_msun)


@dataclass(frozen=True)
class _Columns:
    """Columns of one table in one snapshot's units."""

    source: str
    columns: Mapping[str, Column]
    header: Header
    units: Mapping[str, str]
    rows: NDArray[np.bool_]

    def find(self, name: str) -> Column | None:
        """Return a column by any of its names; three of them side by side for a vector."""
        for alias in ALIASES[name]:
            if alias in self.columns:
                return self.columns[alias]
        parts = [self.columns.get(part) for part in PARTS.get(name, ())]
        present = [part for part in parts if part is not None]
        if not parts or len(present) < len(parts):
            return None
        if len({(part.unit, part.frame) for part in present}) > 1:
            raise InputError(
                f"{self.source}: the columns {', '.join(PARTS[name])} must have one unit; got "
                f"{', '.join(part.unit or 'none' for part in present)}."
            )
        values = np.column_stack([part.values for part in present])
        return Column(values, present[0].unit, present[0].frame)

    def physical(self, name: str) -> Floats | None:
        """Return a column in kpc, Msun or km/s, None where it is missing."""
        column = self.find(name)
        if column is None:
            return None
        if name in KINDS:
            if not column.unit:
                column = Column(column.values, self.units.get(UNIT_KEYS[name], ""), column.frame)
            values = to_physical(
                column, KINDS[name], f"{self.source}: column '{name}'",
                hubble=self.header.hubble, scale_factor=self.header.scale_factor,
                frame=FRAMES.get(name, "physical"),
            )  # fmt: skip
        else:
            values = np.asarray(column.values, np.float64)
        return values[self.rows]

    def require(self, *names: str) -> None:
        """Refuse a table that lacks columns, naming all of them."""
        missing = [name for name in names if self.find(name) is None]
        if missing:
            labels = [
                f"{name} (or {', '.join(PARTS[name])})" if name in PARTS else name
                for name in missing
            ]
            raise InputError(
                f"{self.source}: must have the columns {', '.join(labels)}; it has "
                f"{', '.join(list(self.columns)[:30])}. Add or rename them."
            )


def halo_table(
    source: str,
    columns: Mapping[str, Column],
    header: Header,
    *,
    snapshot_id: int = 0,
    units: Mapping[str, str] | None = None,
    min_m500c_msun: float | None = None,
) -> HaloTable:
    """Take the haloes of one snapshot out of a table.

    Parameters
    ----------
    source : str
        Name of the file, for messages.
    columns : mapping
        From `read_table_file`.
    header : Header
        Of the snapshot: its h, scale factor, cosmology and box.
    snapshot_id : int
        Which rows to take, where the table has the column ``snapshot_id``; else all.
    units : mapping, optional
        Units of columns that carry none, by ``position``, ``radius``, ``mass``, ``velocity``.
    min_m500c_msun : float, optional
        Less massive haloes are left out.

    Returns
    -------
    HaloTable
        In the order of the file.

    Raises
    ------
    InputError
        If a column is missing or has no unit, a value is impossible, an id is there twice, mass and
        radius contradict each other, or a halo lies outside the box.
    """
    table = _Columns(source, columns, header, _checked_units(units), _rows(columns, snapshot_id))
    table.require("halo_id", "center", "m500c", "r500c")
    count = int(table.rows.sum())
    blank = np.full(count, np.nan)

    def optional(name: str) -> Floats:
        values = table.physical(name)
        return blank if values is None else values

    velocity = table.physical("velocity")
    halos = HaloTable(
        halo_id=_whole(source, "halo_id", optional("halo_id")),
        center_kpc=_vectors(source, "center", optional("center")),
        m500c_msun=optional("m500c"),
        r500c_kpc=optional("r500c"),
        m200c_msun=optional("m200c"),
        r200c_kpc=optional("r200c"),
        concentration=optional("concentration"),
        velocity_kms=np.full((count, 3), np.nan)
        if velocity is None
        else _vectors(source, "velocity", velocity),
    )
    if min_m500c_msun is not None:
        halos = halos.select(halos.m500c_msun >= min_m500c_msun)
    _refuse_impossible(source, halos)
    _refuse_contradiction(source, halos, header)
    _refuse_outside(source, "halo", halos.halo_id, halos.center_kpc, header)
    return halos


def galaxy_table(
    source: str,
    columns: Mapping[str, Column],
    header: Header,
    *,
    snapshot_id: int = 0,
    units: Mapping[str, str] | None = None,
) -> GalaxyTable:
    """Take the galaxies of one snapshot out of a table.

    Parameters
    ----------
    source : str
        Name of the file, for messages.
    columns : mapping
        From `read_table_file`.
    header : Header
        Of the snapshot.
    snapshot_id : int
        Which rows to take, where the table has the column ``snapshot_id``; else all.
    units : mapping, optional
        Units of columns that carry none, as in `halo_table`.

    Returns
    -------
    GalaxyTable
        In the order of the file.

    Raises
    ------
    InputError
        If a column is missing or has no unit, a value is impossible, or a galaxy lies outside the
        box.
    """
    table = _Columns(source, columns, header, _checked_units(units), _rows(columns, snapshot_id))
    table.require("center", "velocity", "stellar_mass")
    center, velocity = table.physical("center"), table.physical("velocity")
    mass, host = table.physical("stellar_mass"), table.physical("host_id")
    if center is None or velocity is None or mass is None:  # required above
        raise InputError(f"{source}: must have center, velocity and stellar_mass.")
    galaxies = GalaxyTable(
        center_kpc=_vectors(source, "center", center),
        velocity_kms=_vectors(source, "velocity", velocity),
        stellar_mass_msun=mass,
        host_id=None if host is None else _whole(source, "host_id", host),
    )
    bad = ~(np.isfinite(mass) & (mass >= 0))
    bad |= ~np.isfinite(center).all(axis=1) | ~np.isfinite(velocity).all(axis=1)
    if bad.any():
        raise InputError(
            f"{source}: galaxies must have finite positions, velocities and masses from 0; "
            f"{bad.sum()} of {len(mass)} have not, the first is row {int(bad.argmax())}. Drop them."
        )
    _refuse_outside(source, "galaxy in row", np.arange(len(mass)), galaxies.center_kpc, header)
    return galaxies


def _checked_units(units: Mapping[str, str] | None) -> Mapping[str, str]:
    keys = sorted(set(UNIT_KEYS.values()))
    for key in units or {}:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(f"table_units: must have keys among {keys}; got '{key}'.{hint}")
    return units or {}


def _rows(columns: Mapping[str, Column], snapshot_id: int) -> NDArray[np.bool_]:
    """Rows that belong to the snapshot."""
    for alias in ALIASES["snapshot_id"]:
        if alias in columns:
            return np.asarray(columns[alias].values) == snapshot_id
    return np.ones(len(next(iter(columns.values())).values) if columns else 0, bool)


def _whole(source: str, name: str, values: Floats) -> Ints:
    bad = ~np.isfinite(values) | (values != np.round(values))
    if bad.any():
        raise InputError(
            f"{source}: the column '{name}' must hold whole numbers; row {int(bad.argmax())} is "
            f"{values[bad.argmax()]:g}."
        )
    return values.astype(np.int64)


def _vectors(source: str, name: str, values: Floats) -> Floats:
    if values.ndim != 2 or values.shape[1] != 3:
        raise InputError(
            f"{source}: the column '{name}' must have three components; got shape {values.shape}."
        )
    return values


def _refuse_impossible(source: str, halos: HaloTable) -> None:
    good = np.isfinite(halos.center_kpc).all(axis=1)
    for values in (halos.m500c_msun, halos.r500c_kpc):
        good &= np.isfinite(values) & (values > 0)
    if not good.all():
        first = int(np.argmin(good))
        raise InputError(
            f"{source}: haloes must have finite centres and positive M500c and R500c; "
            f"{(~good).sum()} of {len(halos)} have not, the first is halo {halos.halo_id[first]}. "
            f"Drop them, or leave small ones out by min_m500c_msun."
        )
    if (halos.halo_id < 0).any():
        raise InputError(
            f"{source}: halo ids must not be negative; got {halos.halo_id.min()}. Renumber them."
        )
    names, counts = np.unique(halos.halo_id, return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"{source}: a halo id must be there once in a snapshot; {names[counts > 1][0]} is "
            f"there {counts.max()} times. Number the haloes, or add the column snapshot_id."
        )


def _refuse_contradiction(source: str, halos: HaloTable, header: Header) -> None:
    """Refuse masses that are not 500 critical densities in R500c: a unit is wrong."""
    if len(halos) == 0:
        return
    sphere = 4 / 3 * np.pi * halos.r500c_kpc**3 * 500 * header.critical_msun_kpc3
    ratio = float(np.median(halos.m500c_msun / sphere))
    if not 1 / (1 + TOLERANCE) <= ratio <= 1 + TOLERANCE:
        raise InputError(
            f"{source}: M500c must be 500 critical densities in R500c at redshift "
            f"{header.redshift:.4g}; it is {ratio:.3g} times that (median). A unit is wrong: is h "
            f"left out, or the radius comoving (table_units: radius: 'comoving kpc/h')?"
        )


def _refuse_outside(
    source: str, what: str, names: Ints, center_kpc: Floats, header: Header
) -> None:
    """Refuse positions outside the box, which begins at 0 or has 0 in its middle."""
    if header.box_kpc is None or len(center_kpc) == 0:
        return
    slack = 1e-6 * header.box_kpc  # rounding
    inside = (center_kpc >= -header.box_kpc / 2 - slack) & (center_kpc <= header.box_kpc + slack)
    bad = ~inside.all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            f"{source}: positions must lie in the box of {header.box_kpc:.5g} kpc (physical); "
            f"{bad.sum()} of {len(names)} do not, the first is {what} {names[first]} at "
            f"{', '.join(f'{x:.5g}' for x in center_kpc[first])} kpc. Check the unit, and whether "
            f"it is comoving."
        )
