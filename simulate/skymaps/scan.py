"""How long an all-sky survey sees each direction: great circles through the ecliptic poles.

The telescope turns about an axis in the plane of the ecliptic and scans a great circle through both
ecliptic poles every four hours. The axis follows the Sun, so that half a year's circles cover the
whole sky once. Averaged over the half year, the middle of the field of view is spread evenly in
ecliptic longitude and evenly in latitude along the circle:

    p(beta) = 1 / (2 pi^2 cos(beta))  per steradian.

A direction is exposed while it lies in the field of view, a circle of radius r. Its exposure is the
time of the pass times the integral of p over the circle of radius r around it: T r^2 / (2 pi) near
the ecliptic, growing as 1 / cos(beta), and T r / pi at a pole, which every scan crosses.

Exposures are seconds on axis, unvignetted. Left out: time lost to orbit corrections, calibration
and the detectors (a few per cent); the uneven pace of the axis, which follows the Sun and the Earth
from an orbit around L2 (Predehl et al. 2021, Fig. 9), so that the depth varies along the ecliptic
and the poles are less sharp; and the stripes of single scans (computed: 2% up and down, 10 arcmin
wide).
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.skymaps.frames import from_icrs
from icmass.simulate.skymaps.pixels import SKY_NSIDE, blocks, centres, check_nside
from icmass.simulate.skymaps.sky_map import SkyMap

__all__ = [
    "FIELD_OF_VIEW_DEG",
    "PASS_S",
    "SCAN_RATE_DEG_PER_S",
    "exposure_at_latitude",
    "read_exposure",
    "scan_exposure",
]

# Diameter of the field of view and speed of the scan (Predehl et al. 2021, A&A 647, A1).
FIELD_OF_VIEW_DEG: Final = 1.03
SCAN_RATE_DEG_PER_S: Final = 0.025
# Half a sidereal year, in which the circles of a half turn of the axis cover the sky once.
PASS_S: Final = 0.5 * 365.25636 * 86400.0

_RADIUS: Final = np.radians(0.5 * FIELD_OF_VIEW_DEG)
_NODES: Final = 64  # of the integral over the field of view; exact to 1e-6
_TABLE: Final = 90 * 200 + 1  # latitudes 18 arcsec apart; off by 2e-3 at most, 31 arcmin off a pole


def exposure_at_latitude(latitude_deg: ArrayLike, passes: float = 1.0) -> NDArray[np.float64]:
    """Return the unvignetted exposure of the scan at ecliptic latitudes.

    Parameters
    ----------
    latitude_deg : array_like, shape (n,)
        Ecliptic latitude [deg].
    passes : float
        Number of surveys of the whole sky, each half a year long; a fraction is allowed.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Exposure [s].

    Raises
    ------
    InputError
        If `passes` is not positive and finite, or a latitude lies outside -90 to 90.
    """
    if not 0.0 < passes < np.inf:
        raise InputError(
            f"passes: must be a positive number of surveys of the sky; got {passes}. "
            "Give 1 for eRASS1, 5 for eRASS:5."
        )
    latitude = np.asarray(latitude_deg, dtype=np.float64)
    if not (np.abs(latitude) <= 90.0).all():
        raise InputError(
            "ecliptic latitude: must lie between -90 and 90 deg; got one outside. Give degrees."
        )
    return passes * PASS_S * _seen_fraction(np.abs(np.radians(latitude)))


@lru_cache(maxsize=4)
def scan_exposure(passes: float = 1.0, nside: int = SKY_NSIDE) -> SkyMap:
    """Return the map of the unvignetted exposure of eROSITA's all-sky scan.

    The values are those at the centres of the pixels.

    Parameters
    ----------
    passes : float
        Number of surveys of the whole sky: 1 for eRASS1, 5 for eRASS:5; a fraction is allowed.
    nside : int
        Fineness of the map; its pixels should be smaller than the field of view.

    Returns
    -------
    SkyMap
        Exposure [s], in ICRS coordinates.

    Raises
    ------
    InputError
        If `passes` is not positive and finite, or nside no power of two.
    """
    check_nside(nside)
    table_deg = np.linspace(0.0, 90.0, _TABLE)
    table_s = exposure_at_latitude(table_deg, passes)
    values = np.empty(12 * nside * nside)
    for pixel in blocks(values.size):
        _, latitude = from_icrs(*centres(nside, pixel), "ecliptic")
        values[pixel] = np.interp(np.abs(latitude), table_deg, table_s)
    return SkyMap(values, nside, "icrs", "s", "EXPOSURE")


def read_exposure(
    path: str | Path, *, frame: str | None = None, column: str | None = None
) -> SkyMap:
    """Read a map of unvignetted exposures [s].

    Parameters
    ----------
    path : str or Path
    frame, column : str, optional
        As for `SkyMap.read`.

    Returns
    -------
    SkyMap

    Raises
    ------
    InputError
        If there is no such map, or an exposure is negative or beyond 1e9 s.
    """
    exposure = SkyMap.read(path, unit="s", frame=frame, column=column)
    exposure.check_range(0.0, 1e9, f"{path}: exposures")
    return exposure


def _seen_fraction(latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fraction of the time during which latitudes from 0 to pi/2 [rad] are in the field of view."""
    # Scans at latitudes beyond `turn`, between the pole and the far edge of the circle around the
    # direction, have it in view at all longitudes. Without a pole in that circle there are none.
    turn = np.pi - latitude - _RADIUS
    high = np.minimum(latitude + _RADIUS, turn)
    low = latitude - _RADIUS
    always = np.maximum(0.5 * np.pi - turn, 0.0)
    # The share of longitudes rises as a square root at both ends, which the sine takes away.
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    angle = 0.5 * np.pi * node
    middle, half = 0.5 * (high + low), 0.5 * (high - low)
    partly = np.zeros_like(latitude)
    for t, w in zip(angle, weight, strict=True):
        scan = middle + half * np.sin(t)
        partly += w * 0.5 * np.pi * np.cos(t) * half * _longitudes(latitude, scan)
    return np.asarray((partly + always) / np.pi)


def _longitudes(latitude: NDArray[np.float64], scan: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the longitudes of a scan at latitude `scan` that lie within the field of view."""
    # Haversines: the cosines of such small angles would lose digits.
    reach = np.sin(0.5 * _RADIUS) ** 2 - np.sin(0.5 * (scan - latitude)) ** 2
    sine2 = reach / np.maximum(np.cos(latitude) * np.cos(scan), 1e-300)
    return np.asarray(2.0 / np.pi * np.arcsin(np.sqrt(np.clip(sine2, 0.0, 1.0))))
