"""One image: the photons about a position, on the pixels of the catalog, by origin and interval.

Offsets are gnomonic about the position, as everywhere (`icmass.simulate.view`): rows of an image
grow to the north, columns to the west. Energies are keV, offsets arcsec.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import ImageGeometry
from icmass.errors import InputError
from icmass.simulate.cutouts.event_list import EventList
from icmass.simulate.cutouts.sky_values import Values
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.rows.count_kernels import count_photons
from icmass.simulate.view import ARCSEC_PER_RADIAN, View

__all__ = ["Cut", "count_image", "exposure_image", "without_duplicates"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """Where one image lies.

    Attributes
    ----------
    view : View
        About the position; as wide as the image.
    grid : PixelGrid
        Its pixels.
    """

    view: View
    grid: PixelGrid

    @classmethod
    def about(
        cls, ra_deg: float, dec_deg: float, geometry: ImageGeometry, kpc_per_arcsec: float | None
    ) -> "Cut":
        """Place an image of a geometry about a position.

        Parameters
        ----------
        ra_deg, dec_deg : float
            ICRS.
        geometry : ImageGeometry
        kpc_per_arcsec : float or None
            At the redshift of the cluster; needed if the geometry is in kpc.

        Raises
        ------
        InputError
            If the image is in kpc and there is no scale, or is wider than 20 deg.
        """
        pixel = geometry.pixel
        if geometry.unit == "kpc":
            if kpc_per_arcsec is None:
                raise InputError(
                    "redshift: must be known for an image in kpc; give it, or a width in arcmin."
                )
            pixel /= kpc_per_arcsec
        grid = PixelGrid(geometry.n_x, geometry.n_y, pixel)
        return cls(View(ra_deg, dec_deg, "survey", pixel * max(grid.shape)), grid)

    @property
    def radius_deg(self) -> float:
        """Radius of a disc on the sky that holds the image."""
        half = 0.5 * self.grid.pixel_arcsec * np.hypot(self.grid.n_x, self.grid.n_y)
        return float(np.degrees(np.arctan(half / ARCSEC_PER_RADIAN)))

    def inside(self, events: EventList) -> EventList:
        """Return those of `events` that lie in the image."""
        east, north = self.offsets(events)
        half_x = 0.5 * self.grid.pixel_arcsec * self.grid.n_x
        half_y = 0.5 * self.grid.pixel_arcsec * self.grid.n_y
        return events.select((np.abs(east) <= half_x) & (np.abs(north) <= half_y))

    def offsets(self, events: EventList) -> tuple[Floats, Floats]:
        """Return the offsets of `events` to the east and north, arcsec, shape (n,) each."""
        return self.view.offsets(events.ra_deg, events.dec_deg)


def without_duplicates(parts: Sequence[EventList]) -> EventList:
    """Join the events of several files, each photon once.

    Sky tiles of eRASS overlap and repeat their events there: those of equal time, module and
    position are the same. Files without times cannot be told apart, and all their events stay.

    Parameters
    ----------
    parts : sequence of EventList
        Of one image, at least one.

    Returns
    -------
    EventList
        In the order of the files.
    """
    parts = [part for part in parts if len(part)] or list(parts[:1])
    joined = _joined(parts)
    if len(parts) == 1 or joined.time_s is None:
        return joined
    module = np.zeros(len(joined), np.uint8) if joined.module is None else joined.module
    order = np.lexsort((module, joined.dec_deg, joined.ra_deg, joined.time_s))
    again = np.ones(len(order), dtype=bool)
    for values in (joined.time_s, joined.ra_deg, joined.dec_deg, module):
        again[1:] &= values[order[1:]] == values[order[:-1]]
    again[0] = False
    return joined.select(np.sort(order[~again]))


def count_image(
    cut: Cut,
    events: EventList,
    intervals: Sequence[tuple[float, float]],
    origins: int,
    r500c_arcsec: float,
) -> tuple[Counts, Counts]:
    """Count photons by origin and interval: per pixel, and inside the projected R500c.

    Parameters
    ----------
    cut : Cut
    events : EventList
        Those of `Cut.inside`.
    intervals : sequence of (float, float), keV
        Disjoint, ascending.
    origins : int
        3, or 1 if the events do not tell whence they came.
    r500c_arcsec : float
        NaN if it is not known: then nothing lies inside.

    Returns
    -------
    counts : ndarray of int64, shape (origins, n_interval, n_y, n_x)
    inside : ndarray of int64, shape (origins, n_interval)
    """
    edges = np.array(intervals, dtype=np.float64)
    counts = np.zeros((origins, len(edges), *cut.grid.shape), dtype=np.int64)
    inside = np.zeros(counts.shape[:2], dtype=np.int64)
    east, north = cut.offsets(events)
    origin = events.origin if origins > 1 else None
    count_photons(
        (
            east,
            north,
            events.energy_kev,
            np.ones(len(events), np.uint8) if origin is None else origin,
        ),
        np.ascontiguousarray(edges[:, 0]),
        np.ascontiguousarray(edges[:, 1]),
        cut.grid.east_edge_arcsec,
        cut.grid.south_edge_arcsec,
        cut.grid.pixel_arcsec,
        r500c_arcsec,
        counts,
        inside,
    )
    return counts, inside


def exposure_image(cut: Cut, exposure: Values) -> NDArray[np.float32]:
    """Sample the exposure at the centres of pixels.

    Parameters
    ----------
    cut : Cut
    exposure : callable
        Of RA and Dec; NaN, where it does not know, counts as not exposed.

    Returns
    -------
    ndarray of float32, shape (n_y, n_x)
        s, 0 where the image was not exposed.
    """
    east, north = (axis.ravel() for axis in np.meshgrid(*cut.grid.centres_arcsec()))
    values = np.nan_to_num(exposure(*cut.view.sky(east, north)), nan=0.0)
    return np.maximum(values, 0.0).reshape(cut.grid.shape).astype(np.float32)


def _joined(parts: Sequence[EventList]) -> EventList:
    if len(parts) == 1:
        return parts[0]
    columns: dict[str, Any] = {}
    for name in EventList.__dataclass_fields__:
        arrays = [getattr(part, name) for part in parts]
        columns[name] = None if any(a is None for a in arrays) else np.concatenate(arrays)
    return EventList(**columns)
