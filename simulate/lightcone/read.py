"""Read the haloes of a light cone from a table that somebody else made.

FITS, ECSV, CSV, HDF5 and Parquet; columns by their usual names, M500c or M200c in Msun, or in
Msun/h where the unit of the column says so. What the table does not know is drawn for each halo by
its id.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.footprints import Footprint
from icmass.simulate.lightcone.light_cone import LightCone, comoving_position
from icmass.simulate.lightcone.own_numbers import own_normals
from icmass.simulate.population.haloes import (
    CAUSES,
    Haloes,
    HaloParameters,
    concentrations,
    haloes_of,
)
from icmass.simulate.population.structure_list import r500_over_r200
from icmass.simulate.skymaps import SKY_NSIDE, pixel_of
from icmass.simulate.snapshots.table_file import Column, read_table_file, to_physical

__all__ = ["read_light_cone"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = dict[str, Column]

# Names in lower case without an ending that says the unit; the first is ours.
ALIASES: Final = {
    "ra": ("ra", "ra_deg", "ra_j2000", "raj2000", "ra_icrs", "right_ascension"),
    "dec": ("dec", "dec_deg", "dec_j2000", "decj2000", "de_icrs", "declination", "dej2000"),
    "redshift": ("redshift", "redshift_obs", "redshift_s", "redshift_r", "z_obs", "zobs",
                 "z_cgal", "z_true", "best_z", "z"),
    "m500c": ("m500c", "m_500c", "m500", "m500_crit", "halo_m500c", "mass_500c"),
    "m200c": ("m200c", "m_200c", "m200", "m200_crit", "halo_m200c", "mass_200c"),
    "concentration": ("concentration", "c200c"),
    "halo_id": ("key", "halo_id", "id", "haloid", "halo", "detuid"),
}  # fmt: skip
# A halo lighter than this, or heavier, is in another unit.
_LEAST_MSUN, _GREATEST_MSUN = 1e9, 1e16
_LEAST_LOG10, _GREATEST_LOG10 = 9.0, 16.0
_GREATEST_REDSHIFT = 10.0
_LEAST_C, _GREATEST_C = 0.5, 50.0


def read_light_cone(
    path: str | Path, parameters: HaloParameters, footprint: Footprint, seed: int
) -> LightCone:
    """Read the haloes of a table that lie in a footprint.

    Parameters
    ----------
    path : str or Path
        ``.fits``, ``.ecsv``, ``.csv``, ``.hdf5`` (one dataset per column) or ``.parquet``, with
        right ascension, declination [deg, ICRS], redshift, M500c or M200c, and if known the id,
        c200c and the causes (``disturbance``, ``cool_core``, ``star_formation``, ``baryons``,
        ``thermal``).
    parameters : HaloParameters
        Cosmology, and the spread of what is drawn.
    footprint : Footprint
    seed : int
        For what the table does not hold.

    Returns
    -------
    LightCone
        In the order of the NESTED pixels of `SKY_NSIDE`. `halo_id` counts from 1; `key` is the id
        of the table, or its row.

    Raises
    ------
    InputError
        If the table cannot be read, lacks columns, has impossible values or masses in another unit,
        an id is there twice, or no halo lies in the footprint.
    """
    columns = read_table_file(path)
    _require(path, columns)
    ra_deg, dec_deg = _place(path, columns)
    redshift = _numbers(path, columns, "redshift")
    bad = ~((redshift > 0.0) & (redshift < _GREATEST_REDSHIFT))
    must = f"redshift: must lie between 0 and {_GREATEST_REDSHIFT:g}"
    _refuse(path, bad, redshift, must, "Drop those haloes.")
    name = "m500c" if _find(columns, "m500c") is not None else "m200c"
    mass = _masses(path, columns, name, parameters)
    key = _keys(path, columns, len(redshift))
    rows = np.flatnonzero(footprint.contains(ra_deg, dec_deg))
    if len(rows) == 0:
        raise InputError(
            f"{path}: must hold haloes in the footprint; none of {len(redshift)} lies there. Are "
            f"positions in degrees (ICRS), and is it the right part of the sky?"
        )
    rows = rows[np.argsort(pixel_of(SKY_NSIDE, ra_deg[rows], dec_deg[rows]), kind="stable")]
    normal = own_normals(seed, "causes", key[rows], 6)
    haloes = _complete(
        parameters, name, mass[rows], redshift[rows], normal, _concentration(path, columns, rows)
    )
    place = comoving_position(parameters, ra_deg[rows], dec_deg[rows], redshift[rows])
    causes: dict[str, Any] = {
        cause: _numbers(path, columns, cause)[rows] for cause in CAUSES if cause in columns
    }
    haloes = replace(haloes, box_position_mpc=place, **causes)
    return LightCone(haloes, ra_deg[rows], dec_deg[rows], key[rows])


def _complete(
    parameters: HaloParameters,
    name: str,
    mass_msun: Floats,
    redshift: Floats,
    normal: Floats,
    concentration: Floats | None,
) -> Haloes:
    """Complete haloes of known M500c or M200c (`name`); their concentration leads to the other."""
    m500c_msun = mass_msun
    if name == "m200c":
        if concentration is None:
            concentration = concentrations(
                parameters, mass_msun, redshift, normal[:, 0], normal[:, 1]
            )
        m500c_msun = mass_msun * 2.5 * r500_over_r200(concentration) ** 3
    haloes = haloes_of(
        parameters,
        m500c_msun,
        redshift,
        normal,
        snapshot_id=np.zeros(len(mass_msun), dtype=np.int64),
        halo_id=np.arange(1, len(mass_msun) + 1),
        box_position_mpc=np.zeros((len(mass_msun), 3)),
    )
    if concentration is None:
        return haloes
    ratio = r500_over_r200(concentration)
    return replace(
        haloes,
        concentration=concentration,
        m200c_msun=m500c_msun / (2.5 * ratio**3),
        r200c_kpc=haloes.r500c_kpc / ratio,
    )


def _find(columns: Columns, name: str) -> Column | None:
    return next((columns[alias] for alias in ALIASES[name] if alias in columns), None)


def _require(path: str | Path, columns: Columns) -> None:
    """Refuse a table that lacks columns, naming all of them."""
    groups = (("ra",), ("dec",), ("redshift",), ("m500c", "m200c"))
    missing = [
        " or ".join(group)
        for group in groups
        if all(_find(columns, name) is None for name in group)
    ]
    if missing:
        held = ", ".join(list(columns)[:30]) or "no numbers"
        raise InputError(
            f"{path}: must have the columns {', '.join(missing)}; it has {held}. Add or rename "
            f"them."
        )


def _numbers(path: str | Path, columns: Columns, name: str) -> Floats:
    """A column as floats, one number for each halo."""
    column = columns[name] if name in CAUSES else _find(columns, name)
    values = np.asarray(np.ma.filled(column.values), dtype=np.float64)  # type: ignore[union-attr]
    if values.ndim != 1:
        raise InputError(
            f"{path}: the column '{name}' must hold one number per halo; got shape {values.shape}."
        )
    _refuse(path, ~np.isfinite(values), values, f"{name}: must be finite", "Drop those haloes.")
    return values


def _refuse(
    path: str | Path, bad: NDArray[np.bool_], values: Floats, must: str, remedy: str
) -> None:
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            f"{path}: {must}; {bad.sum()} of {len(bad)} are not, the first is row {first} with "
            f"{values[first]:g}. {remedy}"
        )


def _place(path: str | Path, columns: Columns) -> tuple[Floats, Floats]:
    """Right ascension and declination in degrees."""
    place = []
    for name in ("ra", "dec"):
        values = _numbers(path, columns, name)
        unit = _find(columns, name).unit.lower()  # type: ignore[union-attr]
        if unit in ("rad", "radian", "radians"):
            values = np.degrees(values)
        elif unit not in ("", "deg", "degree", "degrees"):
            raise InputError(
                f"{path}: {name}: must be in deg or rad; got '{unit}'. Convert the column."
            )
        place.append(values)
    ra_deg, dec_deg = place
    bad = np.abs(dec_deg) > 90.0
    _refuse(path, bad, dec_deg, "dec: must lie between -90 and 90 deg", "Give ICRS degrees.")
    return ra_deg % 360.0, dec_deg


def _masses(path: str | Path, columns: Columns, name: str, parameters: HaloParameters) -> Floats:
    """Masses in Msun, told from logarithms and other units by their size."""
    values = _numbers(path, columns, name)
    column = _find(columns, name)
    if column is None:
        raise InputError(f"{path}: must have a column {name}.")
    stated = replace(column, unit=column.unit or "Msun")
    masses = to_physical(
        stated, "mass", f"{path}: column '{name}'", hubble=parameters.h, scale_factor=1.0,
        frame="physical",
    )  # fmt: skip
    if len(masses) and not _LEAST_MSUN <= np.median(masses) <= _GREATEST_MSUN:
        middle = float(np.median(values))
        hint = " which looks like log10 of a mass; store the mass itself"
        raise InputError(
            f"{path}: {name}: must be masses of haloes in Msun; got {middle:.4g} in the middle,"
            f"{hint if _LEAST_LOG10 < middle < _GREATEST_LOG10 else ' so give its unit'}, such as "
            f"2e14 in Msun, 20 in '1e13 Msun' or 1.4e14 in 'Msun/h'."
        )
    _refuse(path, ~(masses > 0.0), masses, f"{name}: must be above 0", "Drop those haloes.")
    return masses


def _concentration(path: str | Path, columns: Columns, rows: Ints) -> Floats | None:
    if _find(columns, "concentration") is None:
        return None
    values = _numbers(path, columns, "concentration")[rows]
    bad = ~((values > _LEAST_C) & (values < _GREATEST_C))
    must = f"concentration: must lie between {_LEAST_C:g} and {_GREATEST_C:g}"
    _refuse(path, bad, values, must, "Drop the column, and c200c is drawn.")
    return values


def _keys(path: str | Path, columns: Columns, count: int) -> Ints:
    """Ids of the table, or its rows from 1 on."""
    if _find(columns, "halo_id") is None:
        return np.arange(1, count + 1)
    column = _find(columns, "halo_id")
    stored = np.asarray(column.values)  # type: ignore[union-attr]
    numbers = _numbers(path, columns, "halo_id")
    bad = (numbers < 0) | (numbers != np.round(numbers))
    _refuse(path, bad, numbers, "halo_id: must be whole numbers from 0", "Number the haloes.")
    names, counts = np.unique(stored, return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"{path}: halo_id: must name one halo each; {int(names[counts > 1][0])} is there "
            f"{int(counts.max())} times. Number the haloes, or drop the column."
        )
    return stored.astype(np.int64)
