"""Turn directions between the frames that maps of the sky are drawn in.

All three are fixed on the sky, so that the matrix which astropy gives for the axes turns any
direction. Angles are in degrees.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

__all__ = ["FRAMES", "FRAME_OF_WORD", "check_frame", "from_icrs", "to_icrs"]

# Names that astropy gives them. The ecliptic is that of the equinox J2000.
_ASTROPY_NAMES: Final = {
    "icrs": "icrs",
    "galactic": "galactic",
    "ecliptic": "barycentricmeanecliptic",
}
FRAMES: Final = tuple(_ASTROPY_NAMES)
# What COORDSYS says in files, in upper case.
FRAME_OF_WORD: Final = {
    **dict.fromkeys(("C", "Q", "ICRS", "EQ", "EQU", "EQUATORIAL", "CELESTIAL", "CEL"), "icrs"),
    "FK5": "icrs",
    **dict.fromkeys(("G", "GAL", "GALACTIC"), "galactic"),
    **dict.fromkeys(("E", "ECL", "ECLIPTIC"), "ecliptic"),
}

Angles = tuple[NDArray[np.float64], NDArray[np.float64]]


def from_icrs(ra_deg: ArrayLike, dec_deg: ArrayLike, frame: str) -> Angles:
    """Turn ICRS positions to another frame.

    Parameters
    ----------
    ra_deg, dec_deg : array_like, shape (n,)
        Any right ascension [deg] is taken modulo 360.
    frame : str
        One of `FRAMES`.

    Returns
    -------
    longitude_deg, latitude_deg : numpy.ndarray, shape (n,)
        Longitude from 0 to 360.

    Raises
    ------
    InputError
        If the frame is none of `FRAMES`.
    """
    return _turn(ra_deg, dec_deg, _matrix(frame))


def to_icrs(longitude_deg: ArrayLike, latitude_deg: ArrayLike, frame: str) -> Angles:
    """Turn positions of a frame to ICRS.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (n,)
        NaN stays NaN.
    frame : str
        One of `FRAMES`.

    Returns
    -------
    ra_deg, dec_deg : numpy.ndarray, shape (n,)
        Right ascension from 0 to 360.

    Raises
    ------
    InputError
        If the frame is none of `FRAMES`.
    """
    return _turn(longitude_deg, latitude_deg, _matrix(frame).T)


def check_frame(frame: str) -> None:
    """Raise InputError unless `frame` is one of `FRAMES`."""
    if frame not in FRAMES:
        raise InputError(f"frame: must be one of {', '.join(FRAMES)}; got '{frame}'. Choose one.")


@lru_cache
def _matrix(frame: str) -> NDArray[np.float64]:
    """Orthogonal matrix that takes an ICRS vector to `frame`."""
    check_frame(frame)
    if frame == "icrs":
        return np.eye(3)
    from astropy.coordinates import SkyCoord  # noqa: PLC0415 - slow to import

    axes = SkyCoord([0.0, 90.0, 0.0], [0.0, 0.0, 90.0], unit="deg", frame="icrs")
    turned = axes.transform_to(_ASTROPY_NAMES[frame]).cartesian.xyz.value
    return np.asarray(turned, dtype=np.float64)


def _turn(longitude: ArrayLike, latitude: ArrayLike, matrix: NDArray[np.float64]) -> Angles:
    lon = np.asarray(longitude, dtype=np.float64)
    lat = np.asarray(latitude, dtype=np.float64)
    if np.array_equal(matrix, np.eye(3)):
        return lon % 360.0, lat + 0.0
    lon, lat = np.broadcast_arrays(np.radians(lon), np.radians(lat))
    vector = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    # Not a matrix product, whose last digits depend on the library and on how many points it gets.
    x, y, z = (row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2] for row in matrix)
    # The arctangent keeps its precision at the poles, where the arcsine loses it.
    turned = np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
    return np.asarray(turned[0]), np.asarray(turned[1])
