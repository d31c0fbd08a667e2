"""The event file: FITS, laid out as eSASS event files are, with the truth in columns of their own.

Energies are in eV, sky pixels are 0.05 arcsec, RA and Dec are double precision degrees.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from icmass.simulate.fits_opening import write_fits
from icmass.simulate.products.event_table import (
    COMMENTS,
    EV_PER_KEV,
    EventHeader,
    Rows,
    SkyPixels,
    class_cards,
    event_hdu,
    good_times,
)
from icmass.simulate.products.header import (
    add_cards,
    add_history,
    observation_cards,
    primary_hdu,
    table_cards,
)

if TYPE_CHECKING:
    from icmass.simulate.observation import Observation

__all__ = ["write_events"]

_COMMENTS: Final = COMMENTS | {
    "SRC_ID": "row of the source table, from 1; 0 none",
    "RA_TRUE": "position before the mirror",
    "DEC_TRUE": "position before the mirror",
    "PARENT": "row of the particle or source that emitted it",
}


def write_events(
    observation: "Observation", path: Path, *, respfile: str = "NONE", ancrfile: str = "NONE"
) -> None:
    """Write the events with their good time intervals.

    Parameters
    ----------
    observation : Observation
        Holds the events.
    path : Path
        File to make; must not exist.
    respfile, ancrfile : str
        Names of the redistribution and area files beside it.
    """
    view, redistribution = observation.view, observation.response.redistribution
    sky = SkyPixels(view.width_arcsec, observation.instrument.pixel_arcsec)
    cards = observation_cards(observation)
    events = event_hdu(_rows(observation, sky), "EVENTS")
    add_cards(events.header, class_cards("EVENTS", "ALL") + cards + table_cards())
    what = EventHeader(sky, view.ra_deg, view.dec_deg, redistribution, respfile, ancrfile)
    what.add(events.header, _COMMENTS)
    add_history(events.header, observation)
    modules = [module.number for module in observation.instrument.modules]
    times = good_times(observation.exposure_s, modules, cards)
    write_fits([primary_hdu(observation), events, *times], path)


def _rows(observation: "Observation", sky: SkyPixels) -> Rows:
    events, view = observation.events, observation.view
    ra, dec = events.ra_dec(view)
    ra_true, dec_true = events.true_ra_dec(view)
    channel = events.channel.astype(np.int32) + observation.response.redistribution.first_channel
    energy_ev = events.energy_kev * np.float32(EV_PER_KEV)
    true_energy_ev = events.true_energy_kev * np.float32(EV_PER_KEV)
    return [
        ("TIME", "D", "s", events.time_s),
        ("X", "D", "pixel", sky.x(events.east_arcsec)),
        ("Y", "D", "pixel", sky.y(events.north_arcsec)),
        ("PHA", "J", "chan", channel),
        ("PI", "E", "eV", energy_ev),
        ("ENERGY", "E", "eV", energy_ev),
        ("RA", "D", "deg", ra),
        ("DEC", "D", "deg", dec),
        ("TM_NR", "B", None, events.module),
        ("ORIGIN", "B", None, events.origin),
        ("SRC_ID", "J", None, events.source_id),
        ("ENERGY_TRUE", "E", "eV", true_energy_ev),
        ("RA_TRUE", "D", "deg", ra_true),
        ("DEC_TRUE", "D", "deg", dec_true),
        ("PARENT", "K", None, events.parent),
    ]
