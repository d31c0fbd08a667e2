"""Under which conditions each place of a survey is observed: how long, and behind how much gas.

The exposure is constant in a pixel of the sky (6.9 arcmin), the Galactic column in a cell (27
arcmin), both far finer than either changes; so expectations are sums and no integrals.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.footprints import Footprint
from icmass.simulate.skymaps import CELL_NSIDE, PIXELS_PER_CELL, SKY_NSIDE, SkyMap, pixel_of

__all__ = ["Conditions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Columns are rounded to steps of 5%, so that spectra folded behind one serve many cells.
_COLUMN_STEP = 0.05


@dataclass(frozen=True)
class Conditions:
    """Exposure and Galactic column over a footprint.

    Attributes
    ----------
    footprint : Footprint
    exposure_s : ndarray, shape (n,)
        On axis, unvignetted, for each pixel of the footprint.
    cell : ndarray of int64, shape (m,)
        Cells that hold some of the footprint, ascending.
    column_cm2 : ndarray, shape (m,)
        Galactic hydrogen column of each.
    """

    footprint: Footprint
    exposure_s: Floats
    cell: Ints
    column_cm2: Floats

    @classmethod
    def over(cls, footprint: Footprint, exposure: SkyMap, column: SkyMap) -> "Conditions":
        """Read both maps on a footprint.

        Parameters
        ----------
        footprint : Footprint
        exposure : SkyMap
            Seconds on axis, unvignetted. Pixels without any leave the footprint.
        column : SkyMap
            cm^-2.

        Returns
        -------
        Conditions

        Raises
        ------
        InputError
            If no pixel of the footprint was exposed, or a column is not known.
        """
        seconds = exposure.on_pixels(SKY_NSIDE, footprint.pixel)
        seen = np.isfinite(seconds) & (seconds > 0.0)
        if not seen.any():
            raise InputError(
                f"exposure: must be above 0 somewhere in the footprint {footprint.name}; the map "
                f"{exposure.name} has none there. Give a map that overlaps it."
            )
        exposed = Footprint(footprint.pixel[seen], footprint.name)
        cell = exposed.cells()
        nh_cm2 = column.on_pixels(CELL_NSIDE, cell)
        unknown = ~(np.isfinite(nh_cm2) & (nh_cm2 >= 0.0))
        if unknown.any():
            raise InputError(
                f"column: must be known all over the footprint; the map {column.name} has no value "
                f"in {int(unknown.sum())} of {len(cell)} cells. Give one that covers it."
            )
        return cls(exposed, seconds[seen], cell, _rounded(nh_cm2))

    def exposure_at(self, ra_deg: Floats, dec_deg: Floats) -> Floats:
        """Return the exposure at `ra_deg`, `dec_deg`, seconds on axis; 0 outside the footprint."""
        return self.exposure_of(pixel_of(SKY_NSIDE, ra_deg, dec_deg))

    def exposure_of(self, pixel: Ints) -> Floats:
        """Return the exposure of each `pixel` of `SKY_NSIDE`, seconds; 0 outside the footprint."""
        place = np.searchsorted(self.footprint.pixel, pixel)
        place = np.minimum(place, len(self.footprint.pixel) - 1)
        inside = self.footprint.pixel[place] == pixel
        return np.where(inside, self.exposure_s[place], 0.0)

    def column_at(self, ra_deg: Floats, dec_deg: Floats) -> Floats:
        """Return the Galactic column at `ra_deg`, `dec_deg`, cm^-2; NaN outside all cells."""
        return self.column_of(pixel_of(CELL_NSIDE, ra_deg, dec_deg))

    def column_of(self, cell: Ints) -> Floats:
        """Return the Galactic column of each `cell`, cm^-2; NaN for those without footprint."""
        place = np.minimum(np.searchsorted(self.cell, cell), len(self.cell) - 1)
        return np.where(self.cell[place] == cell, self.column_cm2[place], np.nan)

    @cached_property
    def longest_s(self) -> float:
        """The longest exposure of the survey; photons arrive between 0 and it."""
        return float(self.exposure_s.max())

    def pixels_in(self, cell: int) -> Ints:
        """Return the pixels of the footprint in one cell, ascending."""
        first, last = np.searchsorted(
            self.footprint.pixel, [cell * PIXELS_PER_CELL, (cell + 1) * PIXELS_PER_CELL]
        )
        return self.footprint.pixel[first:last]


def _rounded(column_cm2: Floats) -> Floats:
    positive = np.maximum(column_cm2, 1.0)
    steps = np.round(np.log(positive) / np.log1p(_COLUMN_STEP))
    return np.where(column_cm2 > 0.0, (1.0 + _COLUMN_STEP) ** steps, 0.0)
