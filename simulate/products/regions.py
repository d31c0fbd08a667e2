"""Regions on the tangent plane, in arcsec about the pointing (or about a place of their own)."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.view import View

__all__ = ["Annulus", "Box", "Circle", "Region", "area_arcmin2"]

# Points per side of the raster that measures a region which the edge of the field cuts.
_RASTER = 1000


class Region(Protocol):
    """Anything that can tell which offsets it holds, and how large it is."""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(east lo, east hi, north lo, north hi) in arcsec."""

    @property
    def full_area_arcmin2(self) -> float:
        """Solid angle, the edge of the field left aside."""

    def contains(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> NDArray[np.bool_]:
        """Tell which offsets lie inside.

        `east_arcsec` and `north_arcsec` may have any shapes that broadcast; the mask has both.
        """


def _positive(name: str, **sizes: float) -> None:
    for what, size in sizes.items():
        if not 0.0 < size < np.inf:
            raise InputError(f"{name}: {what} must be above 0 arcsec and finite; got {size}.")


@dataclass(frozen=True)
class Annulus:
    """Ring between two radii, the inner one included, the outer one not."""

    inner_arcsec: float
    outer_arcsec: float
    east_arcsec: float = 0.0
    north_arcsec: float = 0.0

    def __post_init__(self) -> None:
        _positive("Annulus", outer_arcsec=self.outer_arcsec)
        if not 0.0 <= self.inner_arcsec < self.outer_arcsec:
            raise InputError(
                f"Annulus: must have 0 <= inner < outer; got inner {self.inner_arcsec} and outer "
                f"{self.outer_arcsec} arcsec."
            )

    def __str__(self) -> str:
        return _text("annulus", self, self.inner_arcsec, self.outer_arcsec)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(east lo, east hi, north lo, north hi) in arcsec."""
        return _bounds(self, self.outer_arcsec, self.outer_arcsec)

    @property
    def full_area_arcmin2(self) -> float:
        """Solid angle, the edge of the field left aside."""
        return float(np.pi * (self.outer_arcsec**2 - self.inner_arcsec**2) / 3600.0)

    def contains(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> NDArray[np.bool_]:
        """Tell which `east_arcsec` and `north_arcsec` lie inside; shapes as in `Region`."""
        radius = _radius(east_arcsec, north_arcsec, self.east_arcsec, self.north_arcsec)
        return (radius >= self.inner_arcsec) & (radius < self.outer_arcsec)


@dataclass(frozen=True)
class Circle:
    """Disc, without its edge."""

    radius_arcsec: float
    east_arcsec: float = 0.0
    north_arcsec: float = 0.0

    def __post_init__(self) -> None:
        _positive("Circle", radius_arcsec=self.radius_arcsec)

    def __str__(self) -> str:
        return _text("circle", self, self.radius_arcsec)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(east lo, east hi, north lo, north hi) in arcsec."""
        return _bounds(self, self.radius_arcsec, self.radius_arcsec)

    @property
    def full_area_arcmin2(self) -> float:
        """Solid angle, the edge of the field left aside."""
        return float(np.pi * self.radius_arcsec**2 / 3600.0)

    def contains(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> NDArray[np.bool_]:
        """Tell which `east_arcsec` and `north_arcsec` lie inside; shapes as in `Region`."""
        radius = _radius(east_arcsec, north_arcsec, self.east_arcsec, self.north_arcsec)
        return radius < self.radius_arcsec


@dataclass(frozen=True)
class Box:
    """Rectangle along east and north; its lower edges are included, its upper ones not."""

    width_arcsec: float
    height_arcsec: float
    east_arcsec: float = 0.0
    north_arcsec: float = 0.0

    def __post_init__(self) -> None:
        _positive("Box", width_arcsec=self.width_arcsec, height_arcsec=self.height_arcsec)

    def __str__(self) -> str:
        return _text("box", self, self.width_arcsec, self.height_arcsec)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(east lo, east hi, north lo, north hi) in arcsec."""
        return _bounds(self, 0.5 * self.width_arcsec, 0.5 * self.height_arcsec)

    @property
    def full_area_arcmin2(self) -> float:
        """Solid angle, the edge of the field left aside."""
        return self.width_arcsec * self.height_arcsec / 3600.0

    def contains(self, east_arcsec: ArrayLike, north_arcsec: ArrayLike) -> NDArray[np.bool_]:
        """Tell which `east_arcsec` and `north_arcsec` lie inside; shapes as in `Region`."""
        east = np.asarray(east_arcsec, dtype=np.float64)
        north = np.asarray(north_arcsec, dtype=np.float64)
        east_lo, east_hi, north_lo, north_hi = self.bounds
        return (east >= east_lo) & (east < east_hi) & (north >= north_lo) & (north < north_hi)


def _bounds(
    region: "Annulus | Circle | Box", half_x: float, half_y: float
) -> tuple[float, float, float, float]:
    east, north = region.east_arcsec, region.north_arcsec
    return (east - half_x, east + half_x, north - half_y, north + half_y)


def _text(shape: str, region: "Annulus | Circle | Box", *sizes: float) -> str:
    numbers = (region.east_arcsec, region.north_arcsec, *sizes)
    return f"{shape}({','.join(f'{number:.6g}' for number in numbers)})"


def _radius(east: ArrayLike, north: ArrayLike, east0: float, north0: float) -> NDArray[Any]:
    return np.hypot(
        np.asarray(east, dtype=np.float64) - east0, np.asarray(north, dtype=np.float64) - north0
    )


def area_arcmin2(region: Region, view: View) -> float:
    """Return the solid angle of `region` inside the field of `view`, arcmin2.

    Exact where the field holds the bounding box of the region, else found on a raster of
    1000 x 1000 points over that box (relative error about 1e-3).
    """
    east_lo, east_hi, north_lo, north_hi = region.bounds
    corners = view.contains([east_lo, east_lo, east_hi, east_hi], [north_lo, north_hi] * 2)
    if corners.all():
        return region.full_area_arcmin2
    steps = (np.arange(_RASTER) + 0.5) / _RASTER
    east = (east_lo + (east_hi - east_lo) * steps)[None, :]
    north = (north_lo + (north_hi - north_lo) * steps)[:, None]
    inside = region.contains(east, north) & view.contains(east, north)
    box = (east_hi - east_lo) * (north_hi - north_lo) / 3600.0
    return float(inside.mean()) * box
