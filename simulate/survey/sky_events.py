"""Photons of a survey: a struct of arrays, one row per event, placed on the sky and not in a field.

Positions are ICRS degrees, so that events of different tiles may be joined; energies are in keV.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.event_arrays import EventArrays
from icmass.simulate.events import Events

__all__ = ["SkyEvents"]


@dataclass(frozen=True)
class SkyEvents(EventArrays):
    """Struct of arrays, one row per detected photon (44 bytes each).

    Attributes
    ----------
    ra_deg, dec_deg : float64
        Measured position, ICRS.
    energy_kev : float32
        Measured energy, uniform inside the channel.
    channel : int16
        Detector channel, counted from 0 whatever the response file counts from.
    module : uint8
        Telescope module number.
    origin : uint8
        `Origin` of the photon.
    source_id : int64
        Of the ICM: `halo_id` of the light cone. Of AGN: ``((2**20 + cell) << 20) + k``, where `k`
        from 1 counts the AGN of a sky cell. Of the background: 0.
    time_s : float64
        Time since the start of the exposure.
    true_energy_kev : float32
        Energy before the detector.
    """

    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    energy_kev: NDArray[np.float32]
    channel: NDArray[np.int16]
    module: NDArray[np.uint8]
    origin: NDArray[np.uint8]
    source_id: NDArray[np.int64]
    time_s: NDArray[np.float64]
    true_energy_kev: NDArray[np.float32]

    DTYPES: ClassVar[dict[str, str]] = {
        "ra_deg": "f8",
        "dec_deg": "f8",
        "energy_kev": "f4",
        "channel": "i2",
        "module": "u1",
        "origin": "u1",
        "source_id": "i8",
        "time_s": "f8",
        "true_energy_kev": "f4",
    }

    @classmethod
    def of(
        cls,
        events: Events,
        ra_deg: NDArray[np.float64],
        dec_deg: NDArray[np.float64],
        source_id: NDArray[np.int64],
    ) -> "SkyEvents":
        """Put the events of a field on the sky, with the numbers that their sources have there.

        Parameters
        ----------
        events : Events
            Of a field.
        ra_deg, dec_deg : ndarray, shape (n,)
            Their places.
        source_id : ndarray of int64, shape (n,)
            As the survey counts sources.

        Returns
        -------
        SkyEvents
        """
        kept = ("energy_kev", "channel", "module", "origin", "time_s", "true_energy_kev")
        return cls(ra_deg, dec_deg, source_id=source_id, **{n: getattr(events, n) for n in kept})
