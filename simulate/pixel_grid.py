"""Where the pixels of an image lie on the tangent plane; the one place that knows their order.

Arrays are `image[row, column]`. Rows grow to the north, columns grow to the west (RA decreasing),
so that an array shown with its origin below has north up and east left, as every FITS viewer does.
Offsets are those of `icmass.simulate.view`, in arcsec.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.view import View

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["PixelGrid"]

Floats = NDArray[np.float64]

# Some ten images are held at once; at this size they take 3 GB. 6.4 deg of 4 arcsec pixels fit.
_MOST_PIXELS = 2**25


@dataclass(frozen=True)
class PixelGrid:
    """A rectangle of square pixels on the tangent plane.

    Attributes
    ----------
    n_x, n_y : int
        Number of columns and rows.
    pixel_arcsec : float
        Side of a pixel.
    centre_east_arcsec, centre_north_arcsec : float
        Offset of the middle of the grid from the pointing.
    """

    n_x: int
    n_y: int
    pixel_arcsec: float
    centre_east_arcsec: float = 0.0
    centre_north_arcsec: float = 0.0

    def __post_init__(self) -> None:
        if self.n_x < 1 or self.n_y < 1:
            raise InputError(
                f"image: must have at least 1 x 1 pixels; got {self.n_x} x {self.n_y}."
            )
        if self.n_x * self.n_y > _MOST_PIXELS:
            raise InputError(
                f"image: must have at most {_MOST_PIXELS:,} pixels; got {self.n_x} x {self.n_y}. "
                "Take larger pixels or a narrower image."
            )
        if not 0.0 < self.pixel_arcsec < math.inf:
            raise InputError(
                f"pixel_arcsec: must be above 0 and finite; got {self.pixel_arcsec} arcsec."
            )

    @classmethod
    def cover(
        cls, view: View, pixel_arcsec: float, width_arcsec: float | None = None
    ) -> "PixelGrid":
        """Return the smallest square grid about the pointing that covers a width.

        Parameters
        ----------
        view : View
            Gives the width when none is stated: that of the field.
        pixel_arcsec : float
            Side of a pixel.
        width_arcsec : float, optional
            Side of the square to cover; the last pixels may reach beyond it.

        Returns
        -------
        PixelGrid

        Raises
        ------
        InputError
            If the pixel or the width is not above 0 and finite, or there would be too many pixels.
        """
        if not 0.0 < pixel_arcsec < math.inf:
            raise InputError(f"pixel_arcsec: must be above 0 and finite; got {pixel_arcsec}.")
        width = view.width_arcsec if width_arcsec is None else float(width_arcsec)
        if not 0.0 < width < math.inf:
            raise InputError(f"width_arcsec: must be above 0 and finite; got {width_arcsec}.")
        # A width of a whole number of pixels must not gain one by rounding.
        count = max(1, math.ceil(width / pixel_arcsec - 1e-9))
        return cls(count, count, float(pixel_arcsec))

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), the shape of an image array."""
        return (self.n_y, self.n_x)

    @property
    def pixel_area_arcmin2(self) -> float:
        """Solid angle of a pixel."""
        return (self.pixel_arcsec / 60.0) ** 2

    @property
    def east_edge_arcsec(self) -> float:
        """East offset of the left edge, where column 0 begins; columns run west from it."""
        return self.centre_east_arcsec + 0.5 * self.n_x * self.pixel_arcsec

    @property
    def south_edge_arcsec(self) -> float:
        """North offset of the lower edge, where row 0 begins; rows run north from it."""
        return self.centre_north_arcsec - 0.5 * self.n_y * self.pixel_arcsec

    def column_edges_arcsec(self) -> Floats:
        """East offsets of the column edges, descending, shape (n_x + 1,)."""
        return self.east_edge_arcsec - self.pixel_arcsec * np.arange(self.n_x + 1, dtype=np.float64)

    def row_edges_arcsec(self) -> Floats:
        """North offsets of the row edges, ascending, shape (n_y + 1,)."""
        return self.south_edge_arcsec + self.pixel_arcsec * np.arange(
            self.n_y + 1, dtype=np.float64
        )

    def centres_arcsec(self) -> tuple[Floats, Floats]:
        """East offset of each column, shape (n_x,), and north offset of each row, shape (n_y,)."""
        columns, rows = self.column_edges_arcsec(), self.row_edges_arcsec()
        return 0.5 * (columns[1:] + columns[:-1]), 0.5 * (rows[1:] + rows[:-1])

    def index(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> NDArray[np.int64]:
        """Return the flat pixel index, row * n_x + column, of each offset; -1 outside.

        A pixel holds its eastern and its southern edge; the outer edges of the grid belong to it.

        Parameters
        ----------
        east_arcsec, north_arcsec : array_like, shape (n,)
            Offsets from the pointing.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        east = np.asarray(east_arcsec, dtype=np.float64)
        north = np.asarray(north_arcsec, dtype=np.float64)
        x = (self.east_edge_arcsec - east) / self.pixel_arcsec
        y = (north - self.south_edge_arcsec) / self.pixel_arcsec
        inside = (x >= 0) & (x <= self.n_x) & (y >= 0) & (y <= self.n_y)
        column = np.minimum(np.where(inside, x, 0.0).astype(np.int64), self.n_x - 1)
        row = np.minimum(np.where(inside, y, 0.0).astype(np.int64), self.n_y - 1)
        return np.where(inside, row * self.n_x + column, -1)

    def histogram(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> NDArray[np.int64]:
        """Count offsets per pixel, shape (n_y, n_x); those outside are left out.

        `east_arcsec` and `north_arcsec`, of shape (n,), are as for `index`.
        """
        flat = self.index(east_arcsec, north_arcsec)
        counts = np.bincount(flat[flat >= 0], minlength=self.n_x * self.n_y)
        return counts.reshape(self.shape)

    def field_fraction(self, view: View, subdivisions: int = 16) -> Floats:
        """Fraction of each pixel that lies inside the field of `view`, shape (n_y, n_x).

        Exact for the square of a survey; for the circle of a pointing found by sampling
        `subdivisions` squared points in each pixel that the edge may cut.
        """
        half_field = 0.5 * view.width_arcsec
        if view.mode == "survey":
            column = np.clip(self.column_edges_arcsec(), -half_field, half_field)
            row = np.clip(self.row_edges_arcsec(), -half_field, half_field)
            return np.outer(np.diff(row), -np.diff(column)) / self.pixel_arcsec**2
        east, north = self.centres_arcsec()
        radius = np.hypot(east[None, :], north[:, None])
        fraction = (radius <= half_field).astype(np.float64)
        half = 0.5 * self.pixel_arcsec
        rows, columns = np.nonzero(np.abs(radius - half_field) <= np.sqrt(2.0) * half)
        steps = (np.arange(subdivisions) + 0.5) / subdivisions * self.pixel_arcsec - half
        inside = view.contains(
            east[columns][:, None, None] + steps[None, :, None],
            north[rows][:, None, None] + steps[None, None, :],
        )
        fraction[rows, columns] = inside.mean(axis=(1, 2))
        return fraction

    def wcs(self, view: View) -> "WCS":
        """Return the celestial WCS (RA---TAN, DEC--TAN, ICRS) of the pixels, as `view` points."""
        from astropy.wcs import WCS  # noqa: PLC0415  (astropy is slow to import)

        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.crval = [view.ra_deg, view.dec_deg]
        wcs.wcs.cdelt = [-self.pixel_arcsec / 3600.0, self.pixel_arcsec / 3600.0]
        # FITS counts pixels from 1 and puts whole numbers on their centres.
        wcs.wcs.crpix = [
            self.east_edge_arcsec / self.pixel_arcsec + 0.5,
            -self.south_edge_arcsec / self.pixel_arcsec + 0.5,
        ]
        wcs.wcs.radesys = "ICRS"
        wcs.wcs.set()
        return wcs
