"""Counts per detector channel inside a region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import ALL
from icmass.simulate.products.images import select_events
from icmass.simulate.products.regions import Region, area_arcmin2
from icmass.simulate.view import View

__all__ = ["Spectrum", "count_spectrum"]


@dataclass(frozen=True)
class Spectrum:
    """Counts per channel.

    Attributes
    ----------
    counts : ndarray of int64, shape (n_channel,)
        Counts in each channel, the first of the response first.
    channel_edges_kev : ndarray, shape (n_channel + 1,)
        Nominal energies of the channel edges.
    exposure_s : float
        Exposure on axis, unvignetted.
    area_arcmin2 : float
        Solid angle of the region inside the field.
    region : Region or None
        Where the counts were taken; None for the whole field.
    origin : Origin or None
        The one origin that is in it; None for all.
    """

    counts: NDArray[np.int64]
    channel_edges_kev: NDArray[np.float64]
    exposure_s: float
    area_arcmin2: float
    region: Region | None = None
    origin: Origin | None = None

    def rate(self) -> NDArray[np.float64]:
        """Counts/s/keV per channel, shape (n_channel,)."""
        return self.counts / self.exposure_s / np.diff(self.channel_edges_kev)


def count_spectrum(
    events: Events,
    view: View,
    channel_edges_kev: NDArray[np.float64],
    exposure_s: float,
    region: Region | None = None,
    origin: Origin | None = None,
) -> Spectrum:
    """Count the events of a region in each channel.

    Parameters
    ----------
    events : Events
        Offsets and channels as measured.
    view : View
        Its field cuts the solid angle of the region.
    channel_edges_kev : ndarray, shape (n_channel + 1,)
        Of the response.
    exposure_s : float
        On axis, unvignetted.
    region : Region, optional
        The whole field when not given.
    origin : Origin, optional
        All origins when not given.

    Returns
    -------
    Spectrum
    """
    chosen = select_events(events, ALL, origin)
    if region is not None:
        chosen &= region.contains(events.east_arcsec, events.north_arcsec)
    counts = np.bincount(events.channel[chosen], minlength=len(channel_edges_kev) - 1)
    area = view.area_arcmin2 if region is None else area_arcmin2(region, view)
    return Spectrum(counts.astype(np.int64), channel_edges_kev, exposure_s, area, region, origin)
