"""Counts per pixel in a band, with the sky coordinates of the pixels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.products.bands import Band
from icmass.simulate.view import View

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["Image", "count_image", "select_events"]


@dataclass(frozen=True)
class Image:
    """An image with its place on the sky.

    Attributes
    ----------
    data : ndarray, shape (n_y, n_x)
        Counts (int64) or expected counts (float64); row to the north, column to the west.
    grid : PixelGrid
        Where the pixels lie on the tangent plane.
    view : View
        Where the tangent plane touches the sky.
    band_kev : (float, float)
        Measured energies [lo, hi).
    origin : Origin or None
        The one origin that is in it; None for all.
    """

    data: NDArray[np.int64] | NDArray[np.float64]
    grid: PixelGrid
    view: View
    band_kev: Band
    origin: Origin | None = None

    @property
    def wcs(self) -> "WCS":
        """Celestial WCS of the pixels."""
        return self.grid.wcs(self.view)


def select_events(events: Events, band: Band, origin: Origin | None = None) -> NDArray[np.bool_]:
    """Return the mask of the events in a band [lo, hi) keV and, where given, of one origin.

    Parameters
    ----------
    events : Events
        n rows.
    band : (float, float)
        Limits in keV.
    origin : Origin, optional
        All origins when not given.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    # The limits are rounded as the energies were, so that an event on a limit falls above it.
    lo, hi = np.float32(band[0]), np.float32(band[1])
    chosen = (events.energy_kev >= lo) & (events.energy_kev < hi)
    return chosen if origin is None else chosen & (events.origin == origin)


def count_image(
    events: Events, view: View, grid: PixelGrid, band: Band, origin: Origin | None = None
) -> Image:
    """Count the events of a band in each pixel of a grid.

    Parameters
    ----------
    events : Events
        Offsets and energies as measured.
    view : View
        Goes with the image.
    grid : PixelGrid
        The pixels; events outside are left out.
    band : (float, float)
        Limits in keV.
    origin : Origin, optional
        All origins when not given.

    Returns
    -------
    Image
        Counts, int64.
    """
    chosen = select_events(events, band, origin)
    data = grid.histogram(events.east_arcsec[chosen], events.north_arcsec[chosen])
    return Image(data, grid, view, band, origin)
