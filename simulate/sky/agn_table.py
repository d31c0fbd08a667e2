"""The truth about the point sources of an observation: one row per AGN."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["AgnKind", "AgnTable"]

Floats = NDArray[np.float64]


class AgnKind(IntEnum):
    """Where an AGN belongs."""

    FIELD = 1
    CLUSTER = 2


# Name in the astropy table, and unit, of the columns that have one.
_COLUMNS = {
    "source_id": ("source_id", None),
    "ra_deg": ("ra", "deg"),
    "dec_deg": ("dec", "deg"),
    "east_arcsec": ("east", "arcsec"),
    "north_arcsec": ("north", "arcsec"),
    "flux": ("flux_0p5_2", "erg / (s cm2)"),
    "photon_index": ("photon_index", None),
    "nh_cm2": ("nh_intrinsic", "cm-2"),
    "redshift": ("redshift", None),
    "luminosity": ("luminosity_0p5_2", "erg / s"),
}


@dataclass(frozen=True)
class AgnTable:
    """Struct of arrays, one row per AGN, shape (n,) each.

    Attributes
    ----------
    source_id : int32
        From 1, as written into the events.
    ra_deg, dec_deg : float64
        ICRS.
    east_arcsec, north_arcsec : float64
        Offset from the pointing.
    flux : float64
        0.5-2 keV observed, erg/s/cm^2, before Galactic absorption.
    photon_index : float64
        Of the unabsorbed power law.
    nh_cm2 : float64
        Column in the source; of field AGN, whose redshift is not drawn, its equivalent at
        redshift 0.
    redshift : float64
        NaN for field AGN drawn by their flux.
    luminosity : float64
        0.5-2 keV rest frame, erg/s, after intrinsic absorption; NaN where the redshift is.
    kind : uint8
        `AgnKind`.
    """

    source_id: NDArray[np.int32]
    ra_deg: Floats
    dec_deg: Floats
    east_arcsec: Floats
    north_arcsec: Floats
    flux: Floats
    photon_index: Floats
    nh_cm2: Floats
    redshift: Floats
    luminosity: Floats
    kind: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.source_id)

    @classmethod
    def concatenate(cls, tables: "Sequence[AgnTable]") -> "AgnTable":
        """Join `tables` in the order given; their source ids must already differ."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(t, name) for t in tables]) for name in names})

    def to_table(self, expected_counts: Floats | None = None) -> "QTable":
        """Return the rows as an astropy table with units.

        Parameters
        ----------
        expected_counts : ndarray, shape (n,), optional
            Added as a column.

        Returns
        -------
        astropy.table.QTable
            Its column ``kind`` holds the names of `AgnKind`.
        """
        from astropy import units as u  # noqa: PLC0415 - slow to import
        from astropy.table import QTable  # noqa: PLC0415

        table = QTable()
        for name, (column, unit) in _COLUMNS.items():
            values = getattr(self, name)
            table[column] = values if unit is None else values * u.Unit(unit)
        table["kind"] = np.array([AgnKind(kind).name for kind in self.kind], dtype="U7")
        if expected_counts is not None:
            table["expected_counts"] = expected_counts
        return table
