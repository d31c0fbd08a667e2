"""Where images are cut out, and what is known of those places besides: truth, detection, column.

Masses are Msun and radii kpc; what is not known is NaN. `position_table` reads them from files.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from icmass.catalog.columns import COLUMNS, KEY, Column
from icmass.errors import InputError
from icmass.names import nearest
from icmass.simulate.skymaps import unit_vectors

__all__ = ["TAKEN_OVER", "Positions"]

Floats = NDArray[np.float64]

# Columns of the schema that a cut-out measures or places itself, and those of each band. Of the
# rest a table of positions may hold any.
_MEASURED: Final = (
    *("ra_deg", "dec_deg", "redshift", "halo_id", "line_of_sight", "flags"),
    *("exposure_s", "exposure_vignetted_s", "n_background", "n_background_500"),
    *("n_phot", "n_phot_icm", "n_phot_agn", "n_phot_500", "n_phot_icm_500", "n_phot_agn_500"),
)
TAKEN_OVER: Final[dict[str, Column]] = {
    c.name: c for c in COLUMNS if "{" not in c.name and c.name not in _MEASURED
}
_PLAIN: Final = ("ra_deg", "dec_deg", "redshift", "halo_id")
_GREATEST_REDSHIFT: Final = 20.0  # before the first clusters
_BLENDED_MASS_RATIO: Final = 0.5  # as the meaning of the flag says


@dataclass(frozen=True)
class Positions:
    """Struct of arrays, one row per position, shape (n,) each.

    Attributes
    ----------
    ra_deg, dec_deg : float64
        ICRS.
    redshift : float64
        NaN where it is not known.
    halo_id : int64
        Different in all rows.
    columns : mapping of str to array
        What else the catalog shall hold, by the names and in the units of its schema
        (`TAKEN_OVER`): truth such as ``m500c_msun`` and ``r500c_kpc``, detection such as
        ``detected`` and ``extent_likelihood``, ``nh_cm2``, ``tile_id``, ``snapshot_id``.

    Raises
    ------
    InputError
        If lengths differ, a position is outside the sky, an id stands there twice, or a column is
        not in the schema or has a value that it does not allow.
    """

    ra_deg: Floats
    dec_deg: Floats
    redshift: Floats
    halo_id: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self._arrays().items():
            if np.shape(values) != (len(self),):
                raise InputError(
                    f"positions: {name} must have the shape ({len(self)},); got {np.shape(values)}."
                )
        _check_sky(self.ra_deg, self.dec_deg)
        _check_ids(self._arrays())
        if np.isinf(self.redshift).any():
            raise InputError("positions: redshift must be finite, or NaN; got inf.")
        if (self.redshift > _GREATEST_REDSHIFT).any():
            row = int(np.flatnonzero(self.redshift > _GREATEST_REDSHIFT)[0])
            raise InputError(
                f"positions: redshift must be at most {_GREATEST_REDSHIFT:g}; row {row} has "
                f"{self.redshift[row]:g}. Mend the table, or choose another column."
            )
        for name, values in self.columns.items():
            if name not in TAKEN_OVER:
                raise InputError(
                    f"positions: '{name}' is no column that can be taken over; "
                    f"{nearest(name, list(TAKEN_OVER))}."
                )
            _check_limits(TAKEN_OVER[name], values)

    def __len__(self) -> int:
        return len(self.ra_deg)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, name) for name in _PLAIN} | dict(self.columns)

    def select(self, chosen: NDArray[Any] | slice) -> "Positions":
        """Return the rows `chosen` by a mask, numbers or a slice, in that order."""
        values = {name: array[chosen] for name, array in self._arrays().items()}
        return Positions(**{name: values.pop(name) for name in _PLAIN}, columns=values)

    def known(self, name: str) -> Floats:
        """Return the column `name` as floats, NaN all over if it is not there."""
        return np.asarray(self.columns.get(name, np.full(len(self), np.nan)), dtype=np.float64)

    def digest(self) -> str:
        """Return a hash of all values."""
        found = hashlib.sha256()
        for name, values in sorted(self._arrays().items()):
            found.update(f"{name} {values.dtype}".encode())
            found.update(np.ascontiguousarray(values).tobytes())
        return found.hexdigest()[:32]

    def blended(self, r500c_arcsec: Floats) -> NDArray[np.bool_]:
        """Tell which have another of at least half their mass inside their projected R500c.

        Parameters
        ----------
        r500c_arcsec : ndarray, shape (n,)
            NaN where it is not known, and then the answer is no.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        mass = self.known("m500c_msun")
        result = np.zeros(len(self), dtype=bool)
        rows = np.flatnonzero(np.isfinite(mass) & np.isfinite(r500c_arcsec))
        if not len(rows):
            return result
        places = unit_vectors(self.ra_deg, self.dec_deg)[rows]
        chord = 2.0 * np.sin(np.radians(np.minimum(r500c_arcsec[rows] / 3600.0, 180.0)) / 2.0)
        near = cKDTree(places).query_ball_point(places, chord)
        for row, others in zip(rows, near, strict=True):
            heavy = rows[others][mass[rows[others]] >= _BLENDED_MASS_RATIO * mass[row]]
            result[row] = bool((heavy != row).any())
        return result


def _check_sky(ra: Floats, dec: Floats) -> None:
    wrong = ~(np.isfinite(ra) & (np.abs(dec) <= 90.0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"positions: RA must be finite and Dec in -90 to 90 deg; row {row} has "
            f"({ra[row]:g}, {dec[row]:g})."
        )


def _check_ids(arrays: Mapping[str, NDArray[Any]]) -> None:
    keys = np.stack([arrays[name] for name in KEY if name in arrays])
    _, first, counts = np.unique(keys, axis=1, return_index=True, return_counts=True)
    if (counts > 1).any():
        twice = arrays["halo_id"][first[counts > 1][0]]
        raise InputError(f"positions: halo_id must differ in all rows; {twice} is there twice.")


def _check_limits(declared: Column, values: NDArray[Any]) -> None:
    wrong = (values < declared.lowest) | (values > declared.highest)
    if values.dtype.kind == "f":
        wrong |= np.isinf(values)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"positions: {declared.name} must be finite and between {declared.lowest:g} and "
            f"{declared.highest:g} {declared.unit}, or not known; row {row} has {values[row]}."
        )
