"""Counts in rings about a centre: surface brightness against radius."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import Band
from icmass.simulate.products.images import select_events
from icmass.simulate.products.regions import Annulus, area_arcmin2
from icmass.simulate.view import View

__all__ = ["Profile", "count_profile", "default_edges_arcsec"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Counts in rings [inner, outer).

    Attributes
    ----------
    edges_arcsec : ndarray, shape (n + 1,)
        Radii of the rings, ascending.
    counts : ndarray of int64, shape (n,)
        Events in each ring.
    area_arcmin2 : ndarray, shape (n,)
        Solid angle of each ring inside the field.
    exposure_s : float
        Exposure on axis, unvignetted.
    band_kev : (float, float)
        Measured energies [lo, hi).
    origin : Origin or None
        The one origin that is in it; None for all.
    """

    edges_arcsec: Floats
    counts: NDArray[np.int64]
    area_arcmin2: Floats
    exposure_s: float
    band_kev: Band
    origin: Origin | None = None

    @property
    def radius_arcsec(self) -> Floats:
        """Radius that halves the solid angle of each ring, shape (n,)."""
        return np.sqrt(0.5 * (self.edges_arcsec[1:] ** 2 + self.edges_arcsec[:-1] ** 2))

    @property
    def brightness(self) -> Floats:
        """Counts/s/arcmin2, shape (n,); NaN in rings outside the field."""
        return self._per_area(self.counts)

    @property
    def brightness_error(self) -> Floats:
        """Poisson error sqrt(counts) of the brightness, shape (n,)."""
        return self._per_area(np.sqrt(self.counts))

    def _per_area(self, counts: NDArray) -> Floats:
        seen = self.area_arcmin2 > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(seen, counts / (self.area_arcmin2 * self.exposure_s), np.nan)


def default_edges_arcsec(view: View, pixel_arcsec: float, number: int = 25) -> Floats:
    """Return ring edges from 0 to half the field: wider outward, the first two pixels wide.

    Parameters
    ----------
    view : View
        Gives the field.
    pixel_arcsec : float
        Side of a pixel.
    number : int
        How many rings; in a field of few pixels the first is narrower than two.

    Returns
    -------
    ndarray, shape (number + 1,)
        arcsec, ascending.
    """
    outer = view.width_arcsec / 2.0
    first = min(2.0 * pixel_arcsec, outer / number)
    return np.concatenate([[0.0], np.geomspace(first, outer, number)])


def count_profile(
    events: Events,
    view: View,
    edges_arcsec: ArrayLike,
    exposure_s: float,
    band: Band,
    origin: Origin | None = None,
    centre_arcsec: tuple[float, float] = (0.0, 0.0),
) -> Profile:
    """Count the events of a band in rings about a centre.

    Parameters
    ----------
    events : Events
        Offsets and energies as measured.
    view : View
        Its field cuts the solid angle of the rings.
    edges_arcsec : array_like, shape (n + 1,)
        Ascending radii from 0 or above.
    exposure_s : float
        On axis, unvignetted.
    band : (float, float)
        Limits in keV.
    origin : Origin, optional
        All origins when not given.
    centre_arcsec : (float, float)
        Offset of the centre to the east and to the north.

    Returns
    -------
    Profile

    Raises
    ------
    InputError
        If the edges are not ascending, finite and at least 0, or fewer than two.
    """
    edges = np.asarray(edges_arcsec, dtype=np.float64)
    if (
        edges.ndim != 1
        or len(edges) < 2
        or not np.isfinite(edges).all()
        or edges[0] < 0
        or not (np.diff(edges) > 0).all()
    ):
        raise InputError(
            "edges_arcsec: must be at least 2 ascending finite radii from 0 or above; "
            f"got shape {edges.shape}."
        )
    chosen = select_events(events, band, origin)
    east, north = centre_arcsec
    radius = np.hypot(
        events.east_arcsec[chosen].astype(np.float64) - east,
        events.north_arcsec[chosen].astype(np.float64) - north,
    )
    ring = np.searchsorted(edges, radius, side="right") - 1
    inside = (ring >= 0) & (ring < len(edges) - 1)
    counts = np.bincount(ring[inside], minlength=len(edges) - 1)
    areas = [
        area_arcmin2(Annulus(inner, outer, east, north), view) for inner, outer in pairwise(edges)
    ]
    return Profile(edges, counts, np.array(areas), exposure_s, band, origin)
