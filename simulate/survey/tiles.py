"""The sky cut into tiles: which one owns a point, which cells it needs, which image covers it.

Every point of the sphere has one owner, so that a photon is in one event file and no other. Angles
are in degrees, positions ICRS; pixels are HEALPix, NESTED, of `SKY_NSIDE` or (cells) `CELL_NSIDE`.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from icmass.errors import InputError
from icmass.simulate.footprints import Footprint
from icmass.simulate.skymaps import (
    CELL_NSIDE,
    PIXELS_PER_CELL,
    SKY_NSIDE,
    centres,
    pixel_of,
    separation_deg,
)
from icmass.simulate.skymaps.pixels import check_positions

__all__ = ["ErassTiling", "HealpixTiling", "Tile", "Tiling", "parse_tiling"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# No point of a pixel is farther from its centre; with an allowance for rounding.
_PIXEL_RADIUS_DEG: Final = float(healpy.max_pixrad(SKY_NSIDE, degrees=True)) + 1e-6
_BLOCK: Final = 2**16

# The eRASS sky tiles (Merloni et al. 2024, A&A 682, A34; from SKYMAPS_052022_MPE.fits of the
# first data release): polar caps of 1.5 deg, between them 59 bands of 3 deg, the right ascension
# divided evenly into as many tiles as are 3 deg wide at the band's edge nearer to the equator.
_BAND_DEG: Final = 3.0
_CAP_DEG: Final = 1.5
_BANDS: Final = 61

_NSIDES: Final = tuple(2**order for order in range(3, CELL_NSIDE.bit_length()))


@dataclass(frozen=True)
class Tile:
    """One piece of the sky.

    Attributes
    ----------
    number : int
        Of the tile in its tiling.
    name : str
        Of its directory.
    ra_deg, dec_deg : float
        Middle of the square tangent-plane image, north up, that covers it.
    width_deg : float
        Side of that image in the tangent plane [deg], a whole number of arcmin.
    """

    number: int
    name: str
    ra_deg: float
    dec_deg: float
    width_deg: float


class Tiling(ABC):
    """A way to cut the sphere into tiles.

    Attributes
    ----------
    name : str
        As `parse_tiling` reads it.
    """

    name: str

    @abstractmethod
    def owner(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Ints:
        """Return the number of the one tile that owns each `ra_deg`, `dec_deg`, shape (n,)."""

    @abstractmethod
    def tile(self, number: int) -> Tile:
        """Return a tile by its `number`; InputError if there is none."""

    @abstractmethod
    def pixels(self, tile: Tile) -> Ints:
        """Return the pixels of `SKY_NSIDE` that may hold a point of `tile`, (n,), ascending."""

    @abstractmethod
    def _numbers_in(self, pixel: Ints) -> Ints:
        """Return the numbers of the tiles that own a point of these pixels of `SKY_NSIDE`."""

    def tiles(self, footprint: Footprint) -> tuple[Tile, ...]:
        """Return the tiles that own some of `footprint`, by ascending number.

        One that does no more than touch the footprint's edge may be among them.
        """
        return tuple(self.tile(int(number)) for number in self._numbers_in(footprint.pixel))

    def cells(self, tile: Tile, margin_deg: float = 0.0) -> Ints:
        """Return the pixels of `CELL_NSIDE` that may hold a point of a tile, ascending.

        Parameters
        ----------
        tile : Tile
        margin_deg : float
            Also those with a point as near to the tile as this, for light that is spread.

        Returns
        -------
        ndarray of int64, shape (n,)
            None is missing; those too many reach nearer to the tile than 0.25 deg (with a margin:
            nearer than 0.5 deg beyond it).
        """
        pixel = self.pixels(tile)
        if margin_deg > 0.0:
            pixel = _grown(pixel, tile, margin_deg)
        return np.unique(pixel // PIXELS_PER_CELL)


class HealpixTiling(Tiling):
    """Tiles that are HEALPix pixels: equal areas, and cells that belong to one tile each.

    Parameters
    ----------
    nside : int
        From 8 (tiles of 7 deg) to `CELL_NSIDE`; at 16 a tile has 13 deg^2.

    Raises
    ------
    InputError
        If nside is none of these.
    """

    def __init__(self, nside: int = 16) -> None:
        if nside not in _NSIDES:
            raise InputError(
                f"tiles: nside must be one of {', '.join(map(str, _NSIDES))}; got {nside}. "
                "Choose one, for instance healpix:16."
            )
        self.nside = nside
        self.name = f"healpix:{nside}"
        self._shift = 2 * ((SKY_NSIDE // nside).bit_length() - 1)

    def owner(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Ints:
        """Return the number of the one tile that owns each `ra_deg`, `dec_deg`, shape (n,)."""
        # By way of the footprint's pixels, so that the last digits decide once only.
        return pixel_of(SKY_NSIDE, ra_deg, dec_deg) >> self._shift

    def tile(self, number: int) -> Tile:
        """Return a tile by its `number`, that of the pixel; InputError if there is none."""
        last = 12 * self.nside**2 - 1
        if not 0 <= number <= last:
            raise InputError(
                f"tile: must be from 0 to {last} in {self.name}; got {number}. Choose another."
            )
        ra_deg, dec_deg = (float(angle[0]) for angle in centres(self.nside, np.array([number])))
        edge = healpy.boundaries(self.nside, number, step=64, nest=True)
        ra_edge, dec_edge = healpy.vec2ang(edge.T, lonlat=True)
        width = _covering_width(ra_deg, dec_deg, ra_edge, dec_edge)
        return Tile(number, f"h{self.nside}-{number:05d}", ra_deg, dec_deg, width)

    def pixels(self, tile: Tile) -> Ints:
        """Return the pixels of `SKY_NSIDE` that `tile` consists of, ascending, shape (n,)."""
        return np.arange(tile.number << self._shift, (tile.number + 1) << self._shift)

    def _numbers_in(self, pixel: Ints) -> Ints:
        return np.unique(pixel >> self._shift)


class ErassTiling(Tiling):
    """The 4,700 sky tiles of the eROSITA all-sky survey, by their own numbers RRRDDD.

    Degrees of right ascension and of distance from the north pole of the middle, rounded. Owned is
    what lies between the tile's meridians and parallels; the published images reach 0.3 deg beyond.
    The number of the southern cap is that of the published table, 001180; the northern one, which
    was not published, is taken to be 001000.
    """

    def __init__(self) -> None:
        self.name = "erass"
        dec_min = -90.0 + _CAP_DEG + _BAND_DEG * (np.arange(_BANDS) - 1)
        nearest = np.maximum(np.abs(dec_min + 0.5 * _BAND_DEG) - 0.5 * _BAND_DEG, 0.0)
        count = np.rint(360.0 / _BAND_DEG * np.cos(np.radians(nearest))).astype(np.int64)
        count[[0, -1]] = 1
        self._count = count
        self._first = np.concatenate([[0], np.cumsum(count)])

    def owner(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Ints:
        """Return the number of the one tile that owns each `ra_deg`, `dec_deg`, shape (n,)."""
        return self._numbers[self._row(*check_positions(ra_deg, dec_deg))]

    def tile(self, number: int) -> Tile:
        """Return a tile by its `number`; InputError if there is none."""
        row = self._row_of(number)
        low, high, south, north = self._limits(row)
        dec_deg = float(self._dec_deg[np.searchsorted(self._first, row, side="right") - 1])
        ra_deg = float(0.5 * (low + high)) if high - low < 360.0 else 0.0
        steps = np.linspace(0.0, 1.0, 33)
        ra_edge = np.concatenate([low + (high - low) * steps] * 2 + [np.repeat([low, high], 33)])
        dec_edge = np.concatenate(
            [np.repeat([south, north], 33), np.tile(south + (north - south) * steps, 2)]
        )
        near = separation_deg(ra_deg, dec_deg, ra_edge, dec_edge) < 90.0
        width = _covering_width(ra_deg, dec_deg, ra_edge[near], dec_edge[near])
        return Tile(number, f"{number:06d}", ra_deg, dec_deg, width)

    def pixels(self, tile: Tile) -> Ints:
        """Return the pixels of `SKY_NSIDE` that may hold a point of `tile`, ascending, shape (n,).

        Those whose centre is no farther from the tile than a pixel reaches.
        """
        limits = self._limits(self._row_of(tile.number))
        corners = separation_deg(tile.ra_deg, tile.dec_deg, *_corners(*limits))
        radius = np.radians(corners.max() + 2.0 * _PIXEL_RADIUS_DEG)
        vector = healpy.ang2vec(tile.ra_deg, tile.dec_deg, lonlat=True)
        pixel = np.sort(healpy.query_disc(SKY_NSIDE, vector, radius, nest=True)).astype(np.int64)
        ra_deg, dec_deg = centres(SKY_NSIDE, pixel)
        distance = _distance_from(ra_deg, dec_deg, *limits)
        return pixel[distance <= _PIXEL_RADIUS_DEG]

    def _numbers_in(self, pixel: Ints) -> Ints:
        """Owners of centres and corners of the pixels, and tiles with a corner in one of them.

        Pixels extend farthest north, south, east and west at their corners, and are far smaller
        than tiles; so a tile that holds some of a pixel holds one of its corners, or the pixel
        holds one of the tile's.
        """
        owns = np.zeros(len(self._numbers), dtype=bool)
        for first in range(0, len(pixel), _BLOCK):
            part = pixel[first : first + _BLOCK]
            corners = healpy.boundaries(SKY_NSIDE, part, step=1, nest=True)
            ra_deg, dec_deg = healpy.vec2ang(corners.transpose(0, 2, 1).reshape(-1, 3), lonlat=True)
            owns[self._row(ra_deg, dec_deg)] = True
            owns[self._row(*centres(SKY_NSIDE, part))] = True
        rows = np.arange(1, len(owns) - 1)  # caps have no corners
        low, high, south, north = self._limits(rows)
        for ra_corner in (low, high):
            for dec_corner in (south, north):
                inside = np.isin(pixel_of(SKY_NSIDE, ra_corner, dec_corner), pixel)
                owns[rows[inside]] = True
        return np.sort(self._numbers[owns])

    def _row(self, ra_deg: Floats, dec_deg: Floats) -> Ints:
        """Row of the owner, counted from the south pole and eastward from 0."""
        band = np.floor((dec_deg + 90.0 - _CAP_DEG) / _BAND_DEG).astype(np.int64) + 1
        band = np.clip(band, 0, _BANDS - 1)
        count = self._count[band]
        # Rounding may give 360 for angles just below 0, or a step too many just below 360.
        step = np.floor((ra_deg % 360.0) * count / 360.0).astype(np.int64)
        return self._first[band] + np.minimum(step, count - 1)

    def _row_of(self, number: int) -> int:
        row = self._rows.get(int(number))
        if row is None:
            raise InputError(
                f"tile: must be the number of one of the {len(self._rows)} eRASS sky tiles; got "
                f"{number}. Look it up in SKYMAPS_052022_MPE.fits (SRVMAP)."
            )
        return row

    def _limits(self, row: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
        """First and last right ascension, and declination, of rows."""
        band = np.searchsorted(self._first, row, side="right") - 1
        step, count = np.asarray(row) - self._first[band], self._count[band]
        south = -90.0 + _CAP_DEG + _BAND_DEG * (band - 1)
        return (
            step * (360.0 / count),
            (step + 1) * (360.0 / count),
            np.maximum(south, -90.0),
            np.minimum(south + _BAND_DEG, 90.0),
        )

    @cached_property
    def _dec_deg(self) -> Floats:
        """Declination of the middles, of each band.

        In the orthographic projection about the middle the side nearer to the equator ends (on its
        own meridian) as far below as the corners of the other lie above.
        """
        south = -90.0 + _CAP_DEG + _BAND_DEG * (np.arange(_BANDS) - 1)
        ends = np.stack([south, south + _BAND_DEG])
        near, far = np.radians(np.sort(np.abs(ends), axis=0))
        half = np.pi / self._count
        dec = np.arctan2(
            np.sin(far) + np.sin(near), np.cos(near) + np.cos(far) * np.cos(half)
        ) * np.sign(ends.mean(axis=0).round(9))
        dec[[0, -1]] = -np.pi / 2.0, np.pi / 2.0
        return np.degrees(dec)

    @cached_property
    def _numbers(self) -> Ints:
        """Number of each row."""
        band = np.repeat(np.arange(_BANDS), self._count)
        step = np.arange(self._first[-1]) - self._first[band]
        ra_deg = (step + 0.5) * 360.0 / self._count[band]
        number = 1000 * np.floor(ra_deg + 0.5) + np.floor(90.5 - self._dec_deg[band])
        number[[0, -1]] = 1180, 1000
        return number.astype(np.int64)

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {number: row for row, number in enumerate(self._numbers.tolist())}


def parse_tiling(text: str) -> Tiling:
    """Return the tiling that `text` names: ``healpix:NSIDE`` (or ``healpix``: 16), or ``erass``.

    Raises
    ------
    InputError
        If it names none.
    """
    words = text.strip().lower()
    if words == "erass":
        return ErassTiling()
    given = re.fullmatch(r"healpix(?::(\d+))?", words)
    if given is None:
        raise InputError(
            f"tiles: must be healpix:NSIDE or erass; got '{text}'. Give for instance healpix:16."
        )
    return HealpixTiling(int(given[1] or 16))


def _grown(pixel: Ints, tile: Tile, margin_deg: float) -> Ints:
    """Pixels of `SKY_NSIDE` that may hold a point within a margin of these, ascending."""
    reach = margin_deg + 2.0 * _PIXEL_RADIUS_DEG
    vectors = np.asarray(healpy.pix2vec(SKY_NSIDE, pixel, nest=True)).T
    middle = healpy.ang2vec(tile.ra_deg, tile.dec_deg, lonlat=True)
    farthest = separation_deg(tile.ra_deg, tile.dec_deg, *centres(SKY_NSIDE, pixel)).max()
    radius = min(np.radians(farthest + reach), np.pi)
    around = np.sort(healpy.query_disc(SKY_NSIDE, middle, radius, nest=True)).astype(np.int64)
    places = np.asarray(healpy.pix2vec(SKY_NSIDE, around, nest=True)).T
    chord = 2.0 * np.sin(0.5 * np.radians(min(reach, 180.0)))
    distance, _ = cKDTree(vectors).query(places, distance_upper_bound=chord * (1.0 + 1e-9))
    return around[np.isfinite(distance)]


def _covering_width(ra_deg: float, dec_deg: float, ra_edge: Floats, dec_edge: Floats) -> float:
    """Side of the square in the tangent plane that holds an edge, whole arcmin upward [deg]."""
    offset, middle, edge = np.radians(ra_edge - ra_deg), np.radians(dec_deg), np.radians(dec_edge)
    depth = np.sin(middle) * np.sin(edge) + np.cos(middle) * np.cos(edge) * np.cos(offset)
    east = np.cos(edge) * np.sin(offset) / depth
    north = (np.cos(middle) * np.sin(edge) - np.sin(middle) * np.cos(edge) * np.cos(offset)) / depth
    half_deg = float(np.degrees(max(np.abs(east).max(), np.abs(north).max())))
    return float(np.ceil(120.0 * half_deg * (1.0 + 1e-4))) / 60.0


def _corners(
    low: ArrayLike, high: ArrayLike, south: ArrayLike, north: ArrayLike
) -> tuple[Floats, Floats]:
    return np.array([low, low, high, high]), np.array([south, north, south, north])


def _distance_from(
    ra_deg: Floats, dec_deg: Floats, low: Floats, high: Floats, south: Floats, north: Floats
) -> Floats:
    """Angle [deg] between points and what lies between two meridians and two parallels."""
    inside = (ra_deg - low) % 360.0 <= high - low
    along = np.abs(dec_deg - np.clip(dec_deg, south, north))
    aside = np.minimum(
        *(_from_meridian(ra_deg, dec_deg, ra_edge, south, north) for ra_edge in (low, high))
    )
    return np.where(inside, along, aside)


def _from_meridian(
    ra_deg: Floats, dec_deg: Floats, meridian: Floats, south: Floats, north: Floats
) -> Floats:
    """Angle [deg] to the nearest point of a piece of a meridian."""
    offset, dec = np.radians(ra_deg - meridian), np.radians(dec_deg)
    foot = np.degrees(np.arctan2(np.sin(dec), np.cos(dec) * np.cos(offset)))
    return separation_deg(ra_deg, dec_deg, meridian, np.clip(foot, south, north))
