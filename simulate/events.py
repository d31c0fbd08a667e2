"""Detected photons: a struct of arrays, one row per event, the truth beside the measured."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.event_arrays import EventArrays
from icmass.simulate.origin import Origin
from icmass.simulate.view import View

__all__ = ["Events"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Events(EventArrays):
    """Struct of arrays, one row per detected photon (48 bytes each).

    Attributes
    ----------
    time_s : float64
        Time since the start of the exposure.
    east_arcsec, north_arcsec : float32
        Measured offset from the pointing, tangent plane.
    channel : int16
        Detector channel, counted from 0 whatever the response file counts from.
    energy_kev : float32
        Measured energy, uniform inside the channel.
    true_energy_kev, true_east_arcsec, true_north_arcsec : float32
        Before the detector and the PSF.
    module : uint8
        Telescope module number.
    origin : uint8
        `Origin` of the photon.
    source_id : int32
        Row of the truth table of sources, from 1; 0 for photons of no listed source.
    parent : int64
        Row of the gas particle, source or sky cell that emitted it, in its own component.
    """

    time_s: Floats
    east_arcsec: NDArray[np.float32]
    north_arcsec: NDArray[np.float32]
    channel: NDArray[np.int16]
    energy_kev: NDArray[np.float32]
    true_energy_kev: NDArray[np.float32]
    true_east_arcsec: NDArray[np.float32]
    true_north_arcsec: NDArray[np.float32]
    module: NDArray[np.uint8]
    origin: NDArray[np.uint8]
    source_id: NDArray[np.int32]
    parent: NDArray[np.int64]

    DTYPES: ClassVar[dict[str, str]] = {
        "time_s": "f8",
        "east_arcsec": "f4",
        "north_arcsec": "f4",
        "channel": "i2",
        "energy_kev": "f4",
        "true_energy_kev": "f4",
        "true_east_arcsec": "f4",
        "true_north_arcsec": "f4",
        "module": "u1",
        "origin": "u1",
        "source_id": "i4",
        "parent": "i8",
    }

    def from_origin(self, origin: Origin) -> "Events":
        """Return the events of one `origin`, in the same order."""
        return self.select(self.origin == origin)

    def ra_dec(self, view: View) -> tuple[Floats, Floats]:
        """Measured (RA, Dec) in degrees, float64, shape (n,) each, for the pointing of `view`."""
        return view.sky(self.east_arcsec, self.north_arcsec)

    def true_ra_dec(self, view: View) -> tuple[Floats, Floats]:
        """(RA, Dec) before the PSF in degrees, float64, shape (n,) each, as `view` points."""
        return view.sky(self.true_east_arcsec, self.true_north_arcsec)
