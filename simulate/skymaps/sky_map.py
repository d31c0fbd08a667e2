"""One number for every direction: a HEALPix map of the whole sky, in any of three frames.

Positions are ICRS degrees whatever the frame of the map. Where nothing is known the value is NaN.
"""

from dataclasses import dataclass
from pathlib import Path

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.skymaps.frames import check_frame, from_icrs
from icmass.simulate.skymaps.healpix_file import HealpixMap, read_healpix, write_healpix
from icmass.simulate.skymaps.pixels import (
    SKY_NSIDE,
    blocks,
    centres,
    check_nside,
    check_pixels,
    check_positions,
)

__all__ = ["SkyMap"]

# Fine pixels that are looked up at once: 100 MB of working memory at most.
_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class SkyMap:
    """A map of the whole sky.

    Parameters
    ----------
    values : array_like, shape (12 * nside**2,)
        Value of each pixel, numbered NESTED; NaN where nothing is known. Kept as read-only float64.
    nside : int
        Fineness, a power of two.
    frame : str
        ``"icrs"``, ``"galactic"`` or ``"ecliptic"`` (J2000).
    unit : str
        Unit of the values in astropy's notation; empty for pure numbers.
    name : str
        What the values are.

    Raises
    ------
    InputError
        If nside is no power of two, the frame unknown, or there are too many or too few values.
    """

    values: NDArray[np.float64]
    nside: int
    frame: str = "icrs"
    unit: str = ""
    name: str = "VALUE"

    def __post_init__(self) -> None:
        check_nside(self.nside)
        check_frame(self.frame)
        values = np.asarray(self.values, dtype=np.float64).view()
        pixels = 12 * self.nside * self.nside
        if values.shape != (pixels,):
            raise InputError(
                f"values: must have shape ({pixels},), 12 nside^2 for nside {self.nside}; "
                f"got {values.shape}. Give one value for each pixel of the sphere."
            )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @classmethod
    def uniform(
        cls, value: float, *, frame: str = "icrs", unit: str = "", name: str = "VALUE"
    ) -> "SkyMap":
        """Return a map of twelve pixels that has the same value everywhere.

        Parameters
        ----------
        value : float
        frame, unit, name : str
            As of any map.
        """
        return cls(np.full(12, float(value)), 1, frame, unit, name)

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        unit: str | None = None,
        frame: str | None = None,
        column: str | None = None,
    ) -> "SkyMap":
        """Read a map from a FITS file, RING or NESTED, of the whole sky or a part of it.

        Parameters
        ----------
        path : str or Path
            File with a HEALPix table, gzipped or not.
        unit : str, optional
            Convert the values to this unit; a file without units is taken to be in it.
        frame : str, optional
            Frame of a map whose header does not say; it cannot contradict the header.
        column : str, optional
            Column of values, needed only where the file has several that may be meant.

        Returns
        -------
        SkyMap
            Pixels that the file marks as unknown (UNSEEN, BAD_DATA, not finite) or does not list
            are NaN.

        Raises
        ------
        InputError
            If there is no such map, or its keywords are missing, unknown or contradict its data.
        """
        content = read_healpix(path, unit=unit, frame=frame, column=column)
        return cls(content.values, content.nside, content.frame, content.unit, content.name)

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the map to `path`, FITS that healpy reads; of a partial map the known pixels alone.

        Raises
        ------
        OutputError
            If the place is taken and `overwrite` not set, or it cannot be written.
        """
        content = HealpixMap(self.values, self.nside, self.frame, self.unit, self.name)
        write_healpix(path, content, overwrite=overwrite)

    def check_range(self, low: float, high: float, what: str) -> None:
        """Refuse a map with values that it cannot have.

        Parameters
        ----------
        low, high : float
            Limits of the known values, in the unit of the map.
        what : str
            What they are, for the message.

        Raises
        ------
        InputError
            If one lies outside.
        """
        wrong = (self.values < low) | (self.values > high)
        if wrong.any():
            raise InputError(
                f"{what}: must lie between {low:g} and {high:g} {self.unit}; got "
                f"{self.values[wrong][0]:g} in {np.count_nonzero(wrong)} of {wrong.size} pixels. "
                "Correct the map, or mark unknown pixels with UNSEEN."
            )

    def at(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> NDArray[np.float64]:
        """Return the value of the pixel that each position lies in, shape (n,).

        `ra_deg` and `dec_deg` are ICRS; InputError if one is not on the sphere.
        """
        ra, dec = check_positions(ra_deg, dec_deg)
        if self.nside == 1 and np.all(self.values == self.values[0]):
            return np.full(np.broadcast_shapes(ra.shape, dec.shape), self.values[0])
        longitude, latitude = from_icrs(ra, dec, self.frame)
        pixel = healpy.ang2pix(self.nside, longitude, latitude, nest=True, lonlat=True)
        return np.asarray(self.values[pixel])

    def on_pixels(self, nside: int, pixel: ArrayLike) -> NDArray[np.float64]:
        """Return the map on ICRS pixels of any nside.

        Pixels as fine as `SKY_NSIDE` and as the map itself take the value at their centre. Coarser
        ones take the mean over the pixels of that fineness inside them, so that the mean over the
        `SKY_NSIDE` pixels of a cell is the value of the cell.

        Parameters
        ----------
        nside : int
            Of `pixel`.
        pixel : array_like, shape (n,), int
            NESTED pixels, ICRS.

        Returns
        -------
        numpy.ndarray, shape (n,)
            Means are over what is known; NaN where nothing is.
        """
        number = check_pixels(nside, pixel)
        if self.nside == 1 and np.all(self.values == self.values[0]):
            return np.full(number.shape, self.values[0])
        if nside >= max(SKY_NSIDE, self.nside):
            return self.at(*centres(nside, number))
        fine = max(SKY_NSIDE, self.nside)
        inside = (fine // nside) ** 2
        mean = np.empty(number.shape)
        for row in blocks(number.size, max(1, _BLOCK // inside)):
            finer = number[row, None] * inside + np.arange(inside)
            mean[row] = _mean_of_known(self.at(*centres(fine, finer)))
        return mean


def _mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each row over its finite values; NaN where there are none."""
    known = np.isfinite(values)
    number = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
