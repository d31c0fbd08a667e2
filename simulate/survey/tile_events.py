"""The event file of a tile, laid out as those of eSASS are, with the truth in columns of its own.

Beside the columns of single observations it has PAT_TYP and FLAG, by which real event files are
cleaned: all events are singles without a flag. Energies are in eV, sky pixels are 0.05 arcsec.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from icmass.errors import InputError
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
    add_provenance,
    empty_primary,
    table_cards,
)
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tile_cards import TileCards, tile_view

if TYPE_CHECKING:
    from icmass.simulate.survey.tiles import Tile

__all__ = ["write_tile_events"]

_COMMENTS: Final = COMMENTS | {
    "PAT_TYP": "pixels of the event's pattern",
    "FLAG": "what is wrong with the event",
    "SRC_ID": "halo_id or agn_id; 0 background",
}
_SINGLE: Final = 1


def write_tile_events(
    path: Path,
    tile: "Tile",
    events: SkyEvents,
    cards: TileCards,
) -> None:
    """Write the events of a tile with their good time intervals.

    Parameters
    ----------
    path : Path
        File to make; must not exist.
    tile : Tile
    events : SkyEvents
        In the order of the rows; all inside the square of the tile.
    cards : TileCards

    Raises
    ------
    InputError
        If an event lies outside the square.

    Notes
    -----
    Needs about 200 bytes of memory per event, beside the events themselves.
    """
    sky = SkyPixels(3600.0 * tile.width_deg, cards.instrument.pixel_arcsec)
    redistribution = cards.instrument.redistribution
    rows = _rows(tile, events, sky, redistribution.first_channel)
    table = event_hdu(rows, "EVENTS")
    del rows
    common = cards.cards(tile)
    add_cards(table.header, class_cards("EVENTS", "ALL") + common + table_cards())
    what = EventHeader(sky, tile.ra_deg, tile.dec_deg, redistribution, "NONE", "NONE")
    what.add(table.header, _COMMENTS)
    add_provenance(table.header, cards.provenance)
    modules = [module.number for module in cards.instrument.modules]
    times = good_times(cards.end_s, modules, common)
    write_fits([empty_primary(common), table, *times], path)


def _rows(tile: "Tile", events: SkyEvents, sky: SkyPixels, first_channel: int) -> Rows:
    energy_ev = events.energy_kev * np.float32(EV_PER_KEV)
    x, y = _sky_pixels(tile, events, sky)
    return [
        ("TIME", "D", "s", events.time_s),
        ("X", "D", "pixel", x),
        ("Y", "D", "pixel", y),
        ("PHA", "J", "chan", events.channel + np.int32(first_channel)),
        ("PI", "E", "eV", energy_ev),
        ("ENERGY", "E", "eV", energy_ev),
        ("RA", "D", "deg", events.ra_deg),
        ("DEC", "D", "deg", events.dec_deg),
        ("TM_NR", "B", None, events.module),
        ("PAT_TYP", "I", None, np.full(len(events), _SINGLE, np.int16)),
        ("FLAG", "J", None, np.zeros(len(events), np.int32)),
        ("ORIGIN", "B", None, events.origin),
        ("SRC_ID", "K", None, events.source_id),
        ("ENERGY_TRUE", "E", "eV", events.true_energy_kev * np.float32(EV_PER_KEV)),
    ]


def _sky_pixels(tile: "Tile", events: SkyEvents, sky: SkyPixels) -> tuple[np.ndarray, np.ndarray]:
    east, north = tile_view(tile).offsets(events.ra_deg, events.dec_deg)
    x, y = sky.x(east), sky.y(north)
    limit = 0.5 * sky.number + 1e-6  # a millionth of a pixel for rounding
    inside = (np.abs(x - sky.centre) <= limit) & (np.abs(y - sky.centre) <= limit)
    if not inside.all():
        raise InputError(
            f"events of tile {tile.name}: must lie in its square of {tile.width_deg:g} deg; "
            f"{int(np.sum(~inside))} of {len(events)} do not. Choose those that the tile owns."
        )
    return x, y
