"""Footprints of simple shapes, and those that files list.

One rule for all: a pixel of the sky (6.9 arcmin) belongs to the footprint if its centre lies in the
shape. So areas are right on average, and shapes that share a border share no pixel. Angles are in
degrees; positions are ICRS unless a frame says otherwise.
"""

from pathlib import Path
from typing import Final, TypeVar

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.footprints.footprint import Footprint
from icmass.simulate.footprints.moc_files import read_moc
from icmass.simulate.footprints.pixel_files import PixelList, read_pixel_list
from icmass.simulate.skymaps import SKY_NSIDE, centres, pixel_of
from icmass.simulate.skymaps.frames import check_frame, from_icrs
from icmass.simulate.skymaps.pixels import check_nside, check_pixels, check_positions
from icmass.simulate.skymaps.sky_map import SkyMap

__all__ = [
    "cone",
    "from_map",
    "from_moc",
    "from_pixels",
    "latitude",
    "rectangle",
    "whole_sky",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ORDER: Final = SKY_NSIDE.bit_length() - 1
_FINEST_ORDER: Final = 29

T = TypeVar("T")


def cone(ra_deg: float, dec_deg: float, radius_deg: float) -> Footprint:
    """Return what lies within an angle of a position.

    Parameters
    ----------
    ra_deg, dec_deg : float
        Centre.
    radius_deg : float
        Above 0, up to 180. However small it is, the pixel of the centre belongs to the footprint.

    Raises
    ------
    InputError
        If the centre is none on the sphere, or the radius lies outside.
    """
    check_positions(ra_deg, dec_deg)
    if not 0.0 < radius_deg <= 180.0:
        raise InputError(
            f"cone: radius must be above 0 and at most 180 deg; got {radius_deg}. Change it."
        )
    vector = healpy.ang2vec(ra_deg, dec_deg, lonlat=True)
    inside = healpy.query_disc(SKY_NSIDE, vector, np.radians(radius_deg), nest=True)
    middle = pixel_of(SKY_NSIDE, [ra_deg], [dec_deg])
    name = f"cone:{ra_deg:g},{dec_deg:g},{radius_deg:g}"
    return Footprint(np.concatenate([inside, middle]).astype(np.int64), name)


def rectangle(
    ra_min_deg: float,
    ra_max_deg: float,
    dec_min_deg: float,
    dec_max_deg: float,
    frame: str = "icrs",
    name: str | None = None,
) -> Footprint:
    """Return what lies between two meridians and two parallels.

    Parameters
    ----------
    ra_min_deg, ra_max_deg : float
        Longitudes, from the first eastward to the second: 350 to 10 (or -10 to 10) crosses 0.
    dec_min_deg, dec_max_deg : float
        Latitudes, from -90 to 90.
    frame : {"icrs", "galactic", "ecliptic"}
        In which they are meant.
    name : str, optional
        Of the footprint.

    Raises
    ------
    InputError
        If the limits enclose nothing or are none on the sphere.
    """
    check_frame(frame)
    width = _width(ra_min_deg, ra_max_deg)
    if not -90.0 <= dec_min_deg < dec_max_deg <= 90.0:
        raise InputError(
            "box: the latitudes must ascend between -90 and 90 deg; got "
            f"{dec_min_deg} to {dec_max_deg}. Give RA1,RA2,DEC1,DEC2."
        )
    pixel = _strip(dec_min_deg, dec_max_deg) if frame == "icrs" else _every_pixel()
    longitude, latitude_deg = _centres_in(frame, pixel)
    inside = (latitude_deg >= dec_min_deg) & (latitude_deg < dec_max_deg)
    if width < 360.0:
        inside &= (longitude - ra_min_deg) % 360.0 < width
    limits = f"{ra_min_deg:g},{ra_max_deg:g},{dec_min_deg:g},{dec_max_deg:g}"
    prefix = "box:" if frame == "icrs" else f"{frame} box:"
    return Footprint(pixel[inside], name or prefix + limits)


def from_pixels(
    pixels: str | Path | ArrayLike,
    nside: int | None = None,
    nest: bool | None = None,
    frame: str | None = None,
    name: str | None = None,
) -> Footprint:
    """Return what a list of HEALPix pixels covers.

    Parameters
    ----------
    pixels : str, Path or array_like of int, shape (n,)
        A file (see `pixel_files`), or the numbers themselves.
    nside : int, optional
        Of the pixels, any power of two; needed where the file does not say.
    nest : bool, optional
        Whether they are NESTED and not RING; of an array NESTED if not given.
    frame : {"icrs", "galactic", "ecliptic"}, optional
        Of the pixels; of an array ICRS if not given.
    name : str, optional
        Of the footprint.

    Raises
    ------
    InputError
        If the file is damaged, something is said neither there nor here or differs, or the pixels
        are none of that nside.
    """
    if isinstance(pixels, str | Path):
        what = str(pixels)
        listed = read_pixel_list(pixels)
    else:
        what = "pixels"
        listed = PixelList(np.asarray(pixels), None, None, None)
        nest = True if nest is None else nest
        frame = "icrs" if frame is None else frame
    nside = _agreed(what, "nside", listed.nside, nside)
    nest = _agreed(what, "ordering", listed.nest, nest)
    frame = _agreed(what, "frame", listed.frame, frame)
    check_nside(nside, f"{what}: nside")
    check_frame(frame)
    wanted = np.unique(check_pixels(nside, listed.pixel, what))
    if not nest:
        wanted = np.sort(healpy.ring2nest(nside, wanted))
    order = nside.bit_length() - 1
    if frame == "icrs":
        near = _resized(wanted, order)
        holding = _centre_numbers(near) >> 2 * (_FINEST_ORDER - order)
    else:
        near = _every_pixel()
        holding = healpy.ang2pix(nside, *_centres_in(frame, near), nest=True, lonlat=True)
    return Footprint(near[_among(holding, wanted)], name or f"pixels:{Path(what).name}")


def from_moc(path: str | Path, name: str | None = None) -> Footprint:
    """Return what a multi-order coverage map covers.

    Parameters
    ----------
    path : str or Path
        MOC of the sky in ICRS, FITS, JSON or ASCII.
    name : str, optional
        Of the footprint.

    Raises
    ------
    InputError
        If the file is damaged or no MOC, or covers no centre of a pixel.
    """
    ranges = np.asarray(read_moc(path).to_depth29_ranges, dtype=np.int64).reshape(-1, 2)
    every = _every_pixel()
    centre = _centre_numbers(every)
    within = np.searchsorted(ranges[:, 0], centre, side="right") - 1
    inside = np.zeros(every.shape, dtype=bool)
    if len(ranges):
        inside = (within >= 0) & (centre < ranges[within, 1])
    return Footprint(every[inside], name or f"moc:{Path(path).name}")


def latitude(min_abs_b_deg: float = 20.0, frame: str = "galactic") -> Footprint:
    """Return what lies farther than an angle from the equator of a frame.

    Parameters
    ----------
    min_abs_b_deg : float
        Latitude, north and south, from 0 to below 90.
    frame : {"galactic", "ecliptic", "icrs"}
        Whose equator is meant.

    Raises
    ------
    InputError
        If the latitude lies outside, or the frame is unknown.
    """
    check_frame(frame)
    if not 0.0 <= min_abs_b_deg < 90.0:
        raise InputError(
            f"|b|: must be at least 0 and below 90 deg; got {min_abs_b_deg}. Give a latitude."
        )
    symbol = {"galactic": "b", "ecliptic": "beta", "icrs": "dec"}[frame]
    every = _every_pixel()
    inside = np.abs(_centres_in(frame, every)[1]) > min_abs_b_deg
    return Footprint(every[inside], f"|{symbol}|>{min_abs_b_deg:g}")


def whole_sky() -> Footprint:
    """Return the whole sphere."""
    return Footprint(_every_pixel(), "all")


def from_map(sky_map: SkyMap, name: str | None = None) -> Footprint:
    """Return where `sky_map` is known and above 0, such as where an exposure map was observed.

    Parameters
    ----------
    sky_map : SkyMap
    name : str, optional
        Of the footprint; by default that of the map.

    Raises
    ------
    InputError
        If it is so nowhere.
    """
    every = _every_pixel()
    values = sky_map.on_pixels(SKY_NSIDE, every)
    inside = np.isfinite(values) & (values > 0.0)
    return Footprint(every[inside], name or f"map:{sky_map.name}")


def _every_pixel() -> Ints:
    return np.arange(12 * SKY_NSIDE**2, dtype=np.int64)


def _strip(dec_min_deg: float, dec_max_deg: float) -> Ints:
    """Pixels whose centres may lie between two parallels, ascending."""
    north, south = np.radians([90.0 - dec_max_deg, 90.0 - dec_min_deg])
    ring = healpy.query_strip(SKY_NSIDE, max(north - 1e-6, 0.0), min(south + 1e-6, np.pi))
    return np.sort(healpy.ring2nest(SKY_NSIDE, ring)).astype(np.int64)


def _resized(pixel: Ints, order: int) -> Ints:
    """Pixels of the sky that lie in these pixels of another order, or hold one of them."""
    finer = 2 * (_ORDER - order)
    if finer <= 0:
        return np.unique(pixel >> -finer)
    return ((pixel[:, None] << finer) + np.arange(1 << finer)).ravel()


def _centre_numbers(pixel: Ints) -> Ints:
    """Of the finest pixels, those just north of the centres: a centre is a corner of four."""
    depth = 2 * (_FINEST_ORDER - _ORDER)
    return (pixel << depth) + (3 << (depth - 2))


def _centres_in(frame: str, pixel: Ints) -> tuple[Floats, Floats]:
    """Longitude and latitude of the centres of pixels in a frame."""
    ra_deg, dec_deg = centres(SKY_NSIDE, pixel)
    return (ra_deg, dec_deg) if frame == "icrs" else from_icrs(ra_deg, dec_deg, frame)


def _width(first: float, last: float) -> float:
    """Degrees from one meridian eastward to another."""
    if not (-360.0 <= first <= 360.0 and -360.0 <= last <= 360.0):
        raise InputError(
            f"box: the longitudes must lie between -360 and 360 deg; got {first} to {last}. "
            "Give RA1,RA2,DEC1,DEC2 in degrees."
        )
    if last - first >= 360.0:
        return 360.0
    width = (last - first) % 360.0
    if width == 0.0:
        raise InputError(
            f"box: the longitudes must differ; got {first} to {last}. Give 0,360 for all of them."
        )
    return width


def _agreed(what: str, key: str, stated: T | None, given: T | None) -> T:
    """What the file or the caller says; they must not contradict each other."""
    if stated is not None and given is not None and stated != given:
        raise InputError(
            f"{what}: {key} must be that of the file, {stated}; got {given}. Leave it out."
        )
    known = given if stated is None else stated
    if known is None:
        raise InputError(
            f"{what}: must say the {key} of its pixels; got nothing. Add the keywords NSIDE, "
            "ORDERING and COORDSYS, or a first line '# nside=64 ordering=nested frame=icrs'."
        )
    return known


def _among(values: Ints, wanted: Ints) -> NDArray[np.bool_]:
    """Which values are among the wanted ones, which ascend."""
    if not wanted.size:
        return np.zeros(values.shape, dtype=bool)
    place = np.minimum(np.searchsorted(wanted, values), wanted.size - 1)
    return np.asarray(wanted[place] == values)
