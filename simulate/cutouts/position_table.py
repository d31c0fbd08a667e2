"""Read positions from a table: truth haloes, or a list of clusters such as that of eRASS1 or eFEDS.

A table may be FITS, ECSV, CSV, HDF5 or Parquet; its columns are known by their usual names. Columns
that bear the names of the catalog's schema are taken over as they are, so that the truth of a
survey reaches its catalog. Masses, radii and redshifts of 0 or below count as not known, for that
is what catalogs of clusters write where they have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.cosmology import FLRW
from astropy.units import Unit
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.cutouts.positions import TAKEN_OVER, Positions
from icmass.simulate.emission.absorption import require_columns
from icmass.simulate.photons.gas_component import kpc_per_arcsec
from icmass.simulate.snapshots import table_file

__all__ = ["ALIASES", "read_positions"]

Floats = NDArray[np.float64]

# Names a column may have, in lower case and without an ending that says the unit; the first that is
# there wins. eRASS1 (Bulbul et al. 2024) has BEST_Z, M500, R500, EXT_LIKE and DET_LIKE_0; eFEDS has
# z (Liu et al. 2022), Z_BEST_COMB and RA_CORR (Klein et al. 2022).
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "ra": ("ra_deg", "ra_corr", "ra", "raj2000", "_raj2000", "ra_icrs", "ra_cl"),
    "dec": ("dec_deg", "dec_corr", "dec", "dej2000", "_dej2000", "de_icrs", "dec_icrs", "dec_cl"),
    "redshift": (
        "redshift", "best_z", "z_best", "z_best_comb", "zbest", "z", "z_cl", "z_spec", "zspec",
        "z_lambda", "zlambda", "z_phot", "zphot", "redshift_r", "redshift_s",
    ),
    "halo_id": ("halo_id", "id", "id_src", "id_cluster", "cluster_id", "haloid", "source_id"),
    "m500c": ("m500c", "m500", "m_500c", "m_500", "m500_crit"),
    "m200c": ("m200c", "m200", "m_200c", "m_200", "m200_crit"),
    "r500c": ("r500c", "r500", "r_500c", "r_500", "r500_crit"),
    "r200c": ("r200c", "r200", "r_200c", "r_200", "r200_crit"),
    "nh": ("nh_cm2", "nh"),
    "extent_likelihood": ("extent_likelihood", "ext_like"),
    "detection_likelihood": ("detection_likelihood", "det_like", "det_like_0"),
    "extent": ("extent_arcsec", "ext"),
}  # fmt: skip
_MASSES: Final = {"m500c": "m500c_msun", "m200c": "m200c_msun"}
_RADII: Final = {"r500c": "r500c_kpc", "r200c": "r200c_kpc"}
_PLAIN: Final = {
    "extent_likelihood": "extent_likelihood",
    "detection_likelihood": "detection_likelihood",
    "extent": "extent_arcsec",
    "nh": "nh_cm2",
}
_ANGLES: Final = {"arcsec": 1.0, "arcmin": 60.0, "deg": 3600.0}
# Without a unit, smaller numbers are no masses in Msun and no columns in cm^-2.
_LEAST: Final = {"m500c": 1e10, "m200c": 1e10, "nh": 1e17}
_EXAMPLES: Final = {
    "ra": "deg",
    "dec": "deg",
    "nh": "1e20 cm-2",
    "r500c": "kpc",
    "r200c": "kpc",
    "extent": "arcsec",
}
_PURE: Final = ("redshift", "halo_id", "extent_likelihood", "detection_likelihood")


def read_positions(
    path: str | Path,
    cosmology: FLRW,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> Positions:
    """Read positions, and all that the catalog can take over, from a table.

    Parameters
    ----------
    path : str or Path
        FITS (first table), ECSV, CSV, HDF5 or Parquet.
    cosmology : FLRW
        Its h is that of units such as ``Msun/h``; radii given as angles, and R500c where there is
        M500c alone, are computed with it.
    columns : mapping, optional
        Which column is which, where the usual names do not tell: a key of `ALIASES` to a name in
        the table; an empty name leaves it out.
    units : mapping, optional
        Units of columns that carry none, such as ``{"m500c": "1e13 Msun"}``.

    Returns
    -------
    Positions
        In the order of the table. Its ids are those of the table if they are whole and differ, else
        the numbers of the rows, from 0.

    Raises
    ------
    InputError
        If there is no such table, it has no positions, a mass or radius has no unit, or a value is
        impossible.
    """
    table = _Table(str(path), _read(Path(path)), dict(columns or {}), dict(units or {}), cosmology)
    ra, dec = table.angle("ra"), table.angle("dec")
    stored = table.find("redshift")
    redshift = np.full(len(ra), np.nan) if stored is None else _above_zero(stored.values)
    found = table.schema_columns()
    for key, name in _MASSES.items():
        found |= table.mass(key, name)
    for key, name in _RADII.items():
        found |= table.radius(key, name, redshift)
    for key, name in _PLAIN.items():
        found |= table.plain(key, name)
    found = _with_radius(found, redshift, cosmology)
    try:
        return Positions(np.mod(ra, 360.0), dec, redshift, table.ids(len(ra)), found)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


Found = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Table:
    """Columns of a file, by plain names in lower case."""

    path: str
    stored: dict[str, table_file.Column]
    choices: dict[str, str]
    units: dict[str, str]
    cosmology: FLRW

    def __post_init__(self) -> None:
        for what, given in (("columns", self.choices), ("units", self.units)):
            for key in given:
                if key not in ALIASES:
                    raise InputError(
                        f"{what}: must be for one of {', '.join(ALIASES)}; got '{key}'."
                    )
        for key, unit in self.units.items():
            if key in _PURE:
                raise InputError(f"units: {key} is a pure number; got '{unit}'. Leave it out.")
            if not _is_unit(unit):
                raise InputError(
                    f"units: {key} must have a unit such as "
                    f"'{_EXAMPLES.get(key, '1e13 Msun')}'; got '{unit}'."
                )

    def find(self, key: str) -> table_file.Column | None:
        """Return a column by the user's choice or any of its usual names, with its unit."""
        if key in self.choices:
            name = self.choices[key].strip().lower()
            if not name:
                return None
            column = self.stored.get(name) or self.stored.get(table_file.plain_name(name)[0])
            if column is None:
                raise InputError(
                    f"{self.path}: must have the column '{self.choices[key]}', chosen for {key}; "
                    f"it has {self._names()}."
                )
        else:
            name = next((alias for alias in ALIASES[key] if alias in self.stored), "")
            if not name:
                return None
            column = self.stored[name]
        return replace(column, unit=column.unit or self.units.get(key, ""))

    def _names(self) -> str:
        return ", ".join(list(self.stored)[:30])

    def angle(self, key: str) -> Floats:
        """Return RA or Dec in degrees."""
        column = self.find(key)
        if column is None:
            raise InputError(
                f"{self.path}: must have a column {key.upper()} in degrees; it has "
                f"{self._names()}. Say which it is: columns {key}=NAME."
            )
        return self._converted(column, "deg", key)

    def mass(self, key: str, name: str) -> Found:
        """Return masses in Msun, if there are any."""
        column = self.find(key)
        if column is None:
            return {}
        column = replace(column, values=_above_zero(column.values))
        self._require_unit(key, column)
        return {name: self._physical(replace(column, unit=column.unit or "Msun"), "mass", key)}

    def radius(self, key: str, name: str, redshift: Floats) -> Found:
        """Return radii in kpc, if there are any; angles are turned into them by the redshift."""
        column = self.find(key)
        if column is None:
            return {}
        column = replace(column, values=_above_zero(column.values))
        if column.unit in _ANGLES:
            scale = [kpc_per_arcsec(z, self.cosmology) if z > 0 else np.nan for z in redshift]
            return {name: column.values * _ANGLES[column.unit] * np.array(scale)}
        self._require_unit(key, column)
        return {name: self._physical(column, "length", key)}

    def plain(self, key: str, name: str) -> Found:
        """Return a column in the unit of the schema, if there is one."""
        column = self.find(key)
        if column is None:
            return {}
        if key in _LEAST:
            self._require_unit(key, column)
        values = self._converted(column, TAKEN_OVER[name].unit, key)
        if key == "nh":
            require_columns(values[np.isfinite(values)], f"{self.path}: column nh")
        return {name: values}

    def _require_unit(self, key: str, column: table_file.Column) -> None:
        """Raise if numbers have no unit and cannot be in ours."""
        smallest = float(np.nanmin(column.values, initial=np.inf))
        if column.unit or smallest >= _LEAST.get(key, np.inf):
            return
        raise InputError(
            f"{self.path}: column {key} must have a unit; it has none, and its smallest value is "
            f"{smallest:g}. Say which it is (units {key}='{_EXAMPLES.get(key, '1e13 Msun')}'), or "
            f"leave it out (columns {key}=)."
        )

    def _physical(self, column: table_file.Column, kind: str, key: str) -> Floats:
        name = f"{self.path}: column {key}"
        hubble = float(self.cosmology.h)
        return table_file.to_physical(
            column, kind, name, hubble=hubble, scale_factor=1.0, frame="physical"
        )

    def _converted(self, column: table_file.Column, unit: str, key: str) -> Floats:
        try:
            factor = float(Unit(column.unit or unit).to(unit))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{self.path}: column {key} must be in {unit or 'pure numbers'}; its unit is "
                f"'{column.unit}'."
            ) from error
        return np.asarray(column.values, dtype=np.float64) * factor

    def ids(self, count: int) -> NDArray[np.int64]:
        """Return whole numbers: those of the table if they tell rows apart, else those of rows.

        A column that is called halo_id, or chosen, must tell them apart.
        """
        column = self.find("halo_id")
        if column is not None and column.values.dtype.kind in "iu":
            values = column.values.astype(np.int64)
            meant = "halo_id" in self.stored or "halo_id" in self.choices
            if meant or (values.min() >= 0 and len(np.unique(values)) == count):
                return values
        return np.arange(count, dtype=np.int64)

    def schema_columns(self) -> Found:
        """Return the columns that bear names of the schema, in its units and types."""
        found: Found = {}
        for name, declared in TAKEN_OVER.items():
            stored = self.stored.get(name) or self.stored.get(table_file.plain_name(name)[0])
            kind = np.dtype(declared.dtype).kind
            if stored is None or name in (*_MASSES.values(), *_RADII.values(), *_PLAIN.values()):
                continue
            if kind == "f":
                if stored.unit or not declared.unit or name in self.stored:
                    found[name] = self._converted(stored, declared.unit, name)
            elif kind == "b" and stored.values.dtype.kind == "b":
                found[name] = stored.values
            elif kind in "iu" and (whole := _whole(stored.values)) is not None:
                found[name] = whole
        return found


def _read(path: Path) -> dict[str, table_file.Column]:
    """Read the columns that hold one number per row."""
    flat = {
        name: replace(column, values=column.values.ravel())
        for name, column in table_file.read_table_file(path).items()
        if column.values.ndim and column.values.size == len(column.values)
    }
    if not any(len(column.values) for column in flat.values()):
        raise InputError(f"{path}: must hold positions; it has no rows, or no columns of numbers.")
    return flat


def _whole(values: NDArray[Any]) -> NDArray[np.int64] | None:
    """Return whole numbers, -1 for NaN; None if some are not whole."""
    if values.dtype.kind not in "iuf":
        return None
    known = np.nan_to_num(values, nan=-1.0)
    return known.astype(np.int64) if (known == np.rint(known)).all() else None


def _is_unit(words: str) -> bool:
    """Tell whether these `words` are a unit at all; of which kind is asked where it is needed."""
    try:
        table_file.unit_of(words)
    except (ValueError, TypeError):
        return not words
    return True


def _above_zero(values: NDArray[Any]) -> Floats:
    numbers = np.array(values, dtype=np.float64)
    numbers[~(numbers > 0.0)] = np.nan
    return numbers


def _with_radius(found: Found, redshift: Floats, cosmology: FLRW) -> Found:
    """Add R500c where M500c and the redshift say what it is."""
    if "m500c_msun" not in found:
        return found
    mass = found["m500c_msun"]
    radius = found.get("r500c_kpc", np.full(len(mass), np.nan)).copy()
    lacking = np.isnan(radius) & np.isfinite(mass) & np.isfinite(redshift)
    if lacking.any():
        density = cosmology.critical_density(redshift[lacking]).to_value("Msun/kpc3")
        radius[lacking] = np.cbrt(mass[lacking] * 3.0 / (4.0 * np.pi * 500.0 * density))
    return found | {"r500c_kpc": radius}
