"""A part of the sky: which points lie in it, how large it is, which cells and what share of it.

Positions are ICRS degrees; areas are in square degrees; pixels are HEALPix, NESTED, ICRS, of
`SKY_NSIDE`. Since it is made of whole pixels, its area is exact and every point is in or out.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.files import atomic_write
from icmass.simulate.skymaps import (
    PIXELS_PER_CELL,
    SKY_NSIDE,
    centres,
    pixel_area_deg2,
    pixel_of,
    separation_deg,
)
from icmass.simulate.skymaps.pixels import check_pixels

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = ["Footprint"]

Ints = NDArray[np.int64]

_ORDER: Final = SKY_NSIDE.bit_length() - 1
# A mean direction shorter than this has no meaning: the footprint lies all around.
_SHORTEST_MEAN: Final = 1e-3


@dataclass(frozen=True, eq=False)
class Footprint:
    """A set of pixels of the sky.

    Parameters
    ----------
    pixel : array_like of int, shape (n,)
        NESTED pixels of `SKY_NSIDE` in ICRS, in any order; kept ascending, each once, read-only.
    name : str
        Says in messages and on figures which part of the sky it is.

    Raises
    ------
    InputError
        If it holds no pixel, or numbers that are none.
    """

    pixel: Ints
    name: str

    def __post_init__(self) -> None:
        given = np.asarray(self.pixel)
        if given.size == 0:
            raise InputError(
                f"footprint {self.name}: must hold the centre of a sky pixel (7 arcmin wide); got "
                "no part of the sky. Give a larger region, or regions that overlap."
            )
        number = check_pixels(SKY_NSIDE, given, f"pixels of footprint {self.name}")
        pixel = _distinct(np.sort(number, axis=None))
        pixel.flags.writeable = False
        object.__setattr__(self, "pixel", pixel)

    def __len__(self) -> int:
        return len(self.pixel)

    def __repr__(self) -> str:
        return f"<Footprint {self.name}: {self.area_deg2:.5g} deg2>"

    def __and__(self, other: "Footprint") -> "Footprint":
        """Return what lies in both; InputError if nothing does."""
        common = np.intersect1d(self.pixel, other.pixel, assume_unique=True)
        return Footprint(common, f"{self.name} & {other.name}")

    @property
    def area_deg2(self) -> float:
        """Its area [deg^2]."""
        return len(self.pixel) * pixel_area_deg2(SKY_NSIDE)

    def contains(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> NDArray[np.bool_]:
        """Say of each position `ra_deg`, `dec_deg`, shape (n,), whether it lies inside.

        InputError if one is not on the sphere.
        """
        return self.holds(pixel_of(SKY_NSIDE, ra_deg, dec_deg))

    def holds(self, pixel: ArrayLike) -> NDArray[np.bool_]:
        """Say of each pixel of `SKY_NSIDE`, shape (n,), whether it belongs to the footprint."""
        wanted = np.asarray(pixel, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.pixel, wanted), len(self.pixel) - 1)
        return np.asarray(self.pixel[place] == wanted)

    def cells(self) -> Ints:
        """Return the pixels of `CELL_NSIDE` that hold some of it, ascending."""
        return _distinct(self.pixel // PIXELS_PER_CELL)

    def centre(self) -> tuple[float, float]:
        """Return right ascension and declination [deg] of its middle.

        The mean direction of its pixels; where they lie all around, the centre of its first pixel.
        """
        vectors = np.asarray(healpy.pix2vec(SKY_NSIDE, self.pixel, nest=True))
        mean = vectors.mean(axis=1)
        if float(np.linalg.norm(mean)) < _SHORTEST_MEAN:
            ra, dec = centres(SKY_NSIDE, self.pixel[:1])
            return float(ra[0]), float(dec[0])
        ra_deg = float(np.degrees(np.arctan2(mean[1], mean[0]))) % 360.0
        return ra_deg, float(np.degrees(np.arctan2(mean[2], np.hypot(mean[0], mean[1]))))

    def fraction(self, share: float) -> "Footprint":
        """Return the part nearest to its centre that has a share of its area.

        A smaller share lies inside a larger one. Of a convex footprint the part is in one piece.

        Parameters
        ----------
        share : float
            Above 0, up to 1; the area is right to one pixel, and at least one pixel.

        Raises
        ------
        InputError
            If the share lies outside.
        """
        if not 0.0 < share <= 1.0:
            raise InputError(
                f"fraction: must be above 0 and at most 1; got {share}. "
                "Give the share of the footprint, for instance 0.05."
            )
        count = max(1, round(share * len(self.pixel)))
        if count == len(self.pixel):
            return self
        distance = separation_deg(*self.centre(), *centres(SKY_NSIDE, self.pixel))
        nearest = np.argsort(distance, kind="stable")[:count]
        return Footprint(self.pixel[nearest], f"{100.0 * share:g}% of {self.name}")

    def moc(self) -> "MOC":
        """Return it as a multi-order coverage map."""
        from mocpy import MOC  # noqa: PLC0415 - slow to import

        order = np.uint8(_ORDER)
        return MOC.from_healpix_cells(self.pixel.astype(np.uint64), order, order)

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write it to `path` as a FITS MOC (IVOA 2.0), which `from_moc`, Aladin and TOPCAT read.

        OutputError if the file exists and `overwrite` is not set, or it cannot be written.
        """
        with atomic_write(path, overwrite=overwrite) as stage:
            self.moc().save(stage, format="fits", overwrite=True)

    def fingerprint(self) -> str:
        """Return a hash of its pixels; the name does not enter."""
        return hashlib.sha256(self.pixel.astype("<i8").tobytes()).hexdigest()


def _distinct(ascending: Ints) -> Ints:
    """Each number once; ten times as fast as numpy.unique, which does not know the order."""
    return ascending[np.concatenate([[True], ascending[1:] != ascending[:-1]])]
