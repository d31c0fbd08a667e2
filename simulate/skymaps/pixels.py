"""Say which HEALPix pixel a point of the sky lies in, and draw points of a pixel.

Positions are ICRS, in degrees, float64. Pixels are numbered NESTED: the pixels of a finer map that
lie in pixel p are 4p to 4p + 3. All pixels of one nside have the same area.
"""

from collections.abc import Iterator
from typing import Final

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

__all__ = [
    "CELL_NSIDE",
    "MAX_NSIDE",
    "PIXELS_PER_CELL",
    "SKY_NSIDE",
    "blocks",
    "centres",
    "check_nside",
    "check_pixels",
    "check_positions",
    "pixel_area_deg2",
    "pixel_of",
    "separation_deg",
    "uniform_positions",
    "unit_vectors",
]

# Exposure and Galactic column are constant on these pixels of 6.9 arcmin.
SKY_NSIDE: Final = 512
# Background and AGN are drawn in these cells of 27 arcmin.
CELL_NSIDE: Final = 128
# Cell c holds the sky pixels from c times this many on.
PIXELS_PER_CELL: Final = (SKY_NSIDE // CELL_NSIDE) ** 2
# The finest pixels whose numbers fit into 64 bits, 0.4 milliarcsec wide.
MAX_NSIDE: Final = 2**29

# Pixels that are worked on at once: some 30 MB of working memory.
_BLOCK: Final = 2**18

Positions = tuple[NDArray[np.float64], NDArray[np.float64]]


def pixel_of(nside: int, ra_deg: ArrayLike, dec_deg: ArrayLike) -> NDArray[np.int64]:
    """Return the pixel that each position lies in.

    Parameters
    ----------
    nside : int
        Power of two up to `MAX_NSIDE`.
    ra_deg, dec_deg : array_like, shape (n,)
        Positions [deg]; any right ascension is taken modulo 360.

    Returns
    -------
    numpy.ndarray, shape (n,), int64
        NESTED pixels.

    Raises
    ------
    InputError
        If a position is not finite or a declination lies outside -90 to 90.
    """
    check_nside(nside)
    ra, dec = check_positions(ra_deg, dec_deg)
    return np.asarray(healpy.ang2pix(nside, ra, dec, nest=True, lonlat=True), dtype=np.int64)


def centres(nside: int, pixel: ArrayLike) -> Positions:
    """Return right ascension (0 to 360) and declination [deg] of the centres of pixels.

    Parameters
    ----------
    nside : int
        Power of two up to `MAX_NSIDE`.
    pixel : array_like of int, shape (n,)
        NESTED pixels.

    Returns
    -------
    ra_deg, dec_deg : numpy.ndarray, shape (n,)

    Raises
    ------
    InputError
        If `check_pixels` refuses them.
    """
    number = check_pixels(nside, pixel)
    ra, dec = healpy.pix2ang(nside, number, nest=True, lonlat=True)
    return np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64)


def uniform_positions(nside: int, pixel: ArrayLike, rng: np.random.Generator) -> Positions:
    """Draw one point in each pixel given, uniform on the sphere inside it.

    HEALPix pixels have equal areas, so the centre of a random one of the finest pixels in it is
    such a point, to 0.4 milliarcsec. A pixel given several times gets as many points.

    Parameters
    ----------
    nside : int
        Of `pixel`.
    pixel : array_like, shape (n,), int
        NESTED pixels.
    rng : numpy.random.Generator
        Gives one number for each point.

    Returns
    -------
    ra_deg, dec_deg : numpy.ndarray, shape (n,)
        Positions [deg].
    """
    number = check_pixels(nside, pixel)
    inside = (MAX_NSIDE // nside) ** 2
    finest = number * inside + rng.integers(0, inside, size=number.shape, dtype=np.int64)
    return centres(MAX_NSIDE, finest)


def separation_deg(
    ra1_deg: ArrayLike, dec1_deg: ArrayLike, ra2_deg: ArrayLike, dec2_deg: ArrayLike
) -> NDArray[np.float64]:
    """Return the angle between positions [deg], exact for small and for opposite ones.

    By the formula of Vincenty (1975, Survey Review 23, 88) for the sphere.

    Parameters
    ----------
    ra1_deg, dec1_deg : array_like, shape (n,)
        First positions [deg].
    ra2_deg, dec2_deg : array_like, shape (n,)
        Second ones; all four are broadcast against each other.

    Returns
    -------
    numpy.ndarray, shape (n,)
        From 0 to 180.
    """
    ra1, dec1, ra2, dec2 = (
        np.radians(np.asarray(angle, dtype=np.float64))
        for angle in (ra1_deg, dec1_deg, ra2_deg, dec2_deg)
    )
    # Written with half angles where a difference of cosines would lose small angles.
    half = np.sin(0.5 * (ra2 - ra1)) ** 2
    across = np.cos(dec2) * np.sin(ra2 - ra1)
    along = np.sin(dec2 - dec1) + 2.0 * np.sin(dec1) * np.cos(dec2) * half
    inner = np.cos(dec2 - dec1) - 2.0 * np.cos(dec1) * np.cos(dec2) * half
    return np.asarray(np.degrees(np.arctan2(np.hypot(across, along), inner)))


def unit_vectors(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the directions `ra_deg` and `dec_deg`, shape (n,), as vectors of length 1, (n, 3)."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def pixel_area_deg2(nside: int) -> float:
    """Return the area of a pixel [deg^2] of `nside`; InputError if that is no power of two."""
    check_nside(nside)
    return float(healpy.nside2pixarea(nside, degrees=True))


def blocks(number: int, size: int = _BLOCK) -> Iterator[NDArray[np.int64]]:
    """Yield 0 to `number` - 1 in arrays of shape (`size`,), the last shorter, to save memory."""
    for first in range(0, number, size):
        yield np.arange(first, min(first + size, number), dtype=np.int64)


def check_nside(nside: int, what: str = "nside") -> None:
    """Raise InputError, naming it `what`, unless `nside` is a power of two up to `MAX_NSIDE`."""
    if not 1 <= nside <= MAX_NSIDE or int(nside) != nside or int(nside) & (int(nside) - 1):
        raise InputError(
            f"{what}: must be a power of two from 1 to {MAX_NSIDE}; got {nside}. "
            "Choose one, for instance 512."
        )


def check_positions(ra_deg: ArrayLike, dec_deg: ArrayLike) -> Positions:
    """Return `ra_deg` and `dec_deg`, shape (n,), as float64; InputError if some are no positions.

    Right ascensions must be finite, declinations lie in -90 to 90 deg.
    """
    ra = np.asarray(ra_deg, dtype=np.float64)
    dec = np.asarray(dec_deg, dtype=np.float64)
    if not np.isfinite(ra).all():
        raise InputError(
            "right ascension: must be finite; got NaN or infinity. Remove those positions."
        )
    wrong = ~(np.abs(dec) <= 90.0)
    if wrong.any():
        raise InputError(
            f"declination: must lie between -90 and 90 deg; got {dec[wrong].flat[0]:g}. "
            "Give positions in degrees, right ascension first."
        )
    return ra, dec


def check_pixels(nside: int, pixel: ArrayLike, what: str = "pixel") -> NDArray[np.int64]:
    """Return pixel numbers as int64, or refuse them.

    Parameters
    ----------
    nside : int
        Of the pixels.
    pixel : array_like of int, shape (n,)
        In either ordering.
    what : str
        What they are, for the message.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)

    Raises
    ------
    InputError
        If nside is no power of two, or they are no whole numbers from 0 to 12 nside^2 - 1.
    """
    check_nside(nside)
    number = np.asarray(pixel)
    if number.size == 0:
        return number.astype(np.int64)
    if number.dtype.kind not in "iu":
        raise InputError(
            f"{what}: must be whole numbers; got {number.dtype}. Give HEALPix pixel numbers."
        )
    lowest, highest = int(number.min()), int(number.max())
    last = 12 * nside * nside - 1
    if lowest < 0 or highest > last:
        wrong = lowest if lowest < 0 else highest
        raise InputError(
            f"{what}: must lie between 0 and {last} at nside {nside}; got {wrong}. "
            "Check the nside of the list."
        )
    return number.astype(np.int64)
