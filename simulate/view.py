"""How the telescope looks at the sky: pointing, line of sight, field.

Offsets are gnomonic (tangent-plane) coordinates in arcsec about the pointing, positive to the east
and to the north. The line of sight points away from the observer, so that east, north and away form
a right-handed system and a positive velocity along it is a redshift.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

__all__ = ["ARCSEC_PER_RADIAN", "Mode", "View", "rotation_from_axis"]

ARCSEC_PER_RADIAN = 180.0 * 3600.0 / np.pi

Floats = NDArray[np.float64]
Mode = Literal["survey", "pointed"]

# Rows are the simulation axes that point east, north and away from the observer.
_AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}


def rotation_from_axis(axis: str | ArrayLike) -> Floats:
    """Return the matrix that turns simulation vectors into (east, north, away).

    Parameters
    ----------
    axis : {"x", "y", "z"}, array of shape (3,) or array of shape (3, 3)
        The line of sight, away from the observer, as the name of an axis or a vector; or the whole
        rotation, its rows being the directions east, north and away.

    Returns
    -------
    ndarray, shape (3, 3)
        Orthonormal, determinant +1.

    Raises
    ------
    InputError
        If the axis is unknown, of zero length, or the matrix is no rotation.
    """
    if isinstance(axis, str):
        if axis not in _AXES:
            raise InputError(f"axis: must be x, y, z, a vector or a rotation; got '{axis}'.")
        return np.eye(3)[list(_AXES[axis])]
    array = np.asarray(axis, dtype=np.float64)
    if array.shape == (3, 3):
        if not np.allclose(array @ array.T, np.eye(3), atol=1e-6) or np.linalg.det(array) < 0:
            raise InputError("axis: a 3x3 matrix must be a rotation (orthonormal, determinant +1).")
        return array
    length = float(np.linalg.norm(array)) if array.shape == (3,) else 0.0
    if not np.isfinite(length) or length == 0.0:
        raise InputError(f"axis: a vector must have 3 finite components and a length; got {axis}.")
    away = array / length
    helper = np.eye(3)[int(np.argmin(np.abs(away)))]
    east = np.cross(helper, away)
    east /= np.linalg.norm(east)
    return np.stack([east, np.cross(away, east), away])


@dataclass(frozen=True)
class View:
    """Pointing, orientation and field of one observation.

    Attributes
    ----------
    ra_deg, dec_deg : float
        Direction of the field centre, where the gas centre is put (ICRS).
    mode : {"survey", "pointed"}
        Survey: the scan-averaged telescope sees a square field; pointed: the field of view is a
        circle and the off-axis angle counts.
    width_arcsec : float
        Side of the square, or diameter of the circle.
    rotation : ndarray, shape (3, 3)
        See `rotation_from_axis`.
    """

    ra_deg: float
    dec_deg: float
    mode: Mode
    width_arcsec: float
    rotation: Floats = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        if not -90.0 <= self.dec_deg <= 90.0:
            raise InputError(f"dec: must lie in [-90, 90] deg; got {self.dec_deg}.")
        if not 0.0 <= self.ra_deg < 360.0:
            raise InputError(f"ra: must lie in [0, 360) deg; got {self.ra_deg}.")
        if self.mode not in ("survey", "pointed"):
            raise InputError(f"mode: must be survey or pointed; got '{self.mode}'.")
        if not 0.0 < self.width_arcsec <= 20.0 * 3600.0:
            raise InputError(
                f"field width: must be above 0 and at most 20 deg; got {self.width_arcsec / 3600}."
            )

    @property
    def area_arcmin2(self) -> float:
        """Solid angle of the field."""
        side = self.width_arcsec / 60.0
        return side**2 if self.mode == "survey" else np.pi * side**2 / 4.0

    def contains(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> NDArray[np.bool_]:
        """Tell which offsets lie inside the field, its edge included.

        `east_arcsec` and `north_arcsec` may have any shape in common, which the mask has too.
        """
        east, north = np.asarray(east_arcsec), np.asarray(north_arcsec)
        half = self.width_arcsec / 2.0
        if self.mode == "survey":
            return (np.abs(east) <= half) & (np.abs(north) <= half)
        return east.astype(np.float64) ** 2 + north.astype(np.float64) ** 2 <= half**2

    def offsets(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Project (RA, Dec) to offsets (east, north) in arcsec, float64.

        `ra_deg` and `dec_deg` may have any shape in common, which the offsets have too. The inverse
        of `sky`, for directions less than 90 deg from the pointing; NaN for others.
        """
        ra = np.radians(np.asarray(ra_deg, dtype=np.float64) - self.ra_deg)
        dec, dec0 = np.radians(np.asarray(dec_deg, dtype=np.float64)), np.radians(self.dec_deg)
        away = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra)
        scale = ARCSEC_PER_RADIAN / np.where(away > 0.0, away, np.nan)
        east = scale * np.cos(dec) * np.sin(ra)
        north = scale * (np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra))
        return east, north

    def sky(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> tuple[Floats, Floats]:
        """Deproject offsets to (RA, Dec) in degrees, float64 (inverse gnomonic projection).

        `east_arcsec` and `north_arcsec` may have any shape in common, which the positions have too.
        RA lies in [0, 360).
        """
        xi = np.asarray(east_arcsec, dtype=np.float64) / ARCSEC_PER_RADIAN
        eta = np.asarray(north_arcsec, dtype=np.float64) / ARCSEC_PER_RADIAN
        dec0 = np.radians(self.dec_deg)
        denominator = np.cos(dec0) - eta * np.sin(dec0)
        ra = self.ra_deg + np.degrees(np.arctan2(xi, denominator))
        dec = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, denominator))
        # Twice: the remainder of a tiny negative angle is rounded up to 360 itself.
        return np.mod(np.mod(ra, 360.0), 360.0), np.degrees(dec)
