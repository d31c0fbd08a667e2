"""The event file: FITS, laid out as eSASS event files are, with the truth in columns of their own.

Energies are in eV, sky pixels are 0.05 arcsec, RA and Dec are double precision degrees.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from astropy.io import fits

from icmass.simulate.products.header import (
    add_cards,
    add_history,
    observation_cards,
    primary_hdu,
    table_cards,
)

if TYPE_CHECKING:
    from icmass.simulate.observation import Observation

__all__ = ["SKY_PIXEL_ARCSEC", "SkyPixels", "write_events"]

# Pixel of the X and Y columns in eSASS event files.
SKY_PIXEL_ARCSEC: Final = 0.05

_EV_PER_KEV = 1000.0


class SkyPixels:
    """The X, Y system of an event file: FITS pixels that grow to the west and to the north.

    Parameters
    ----------
    width_arcsec : float
        Side of the square to cover.
    block_arcsec : float
        The number of sky pixels is a multiple of this side, so that images binned from the event
        file in such blocks agree pixel by pixel with the images written beside it.
    """

    def __init__(self, width_arcsec: float, block_arcsec: float) -> None:
        block = max(1, round(block_arcsec / SKY_PIXEL_ARCSEC))
        blocks = max(1, math.ceil(width_arcsec / (block * SKY_PIXEL_ARCSEC) - 1e-9))
        self.number = block * blocks
        self.centre = 0.5 * (self.number + 1)

    def x(self, east_arcsec: np.ndarray) -> np.ndarray:
        """Column coordinate of an offset to the east, float64."""
        return self.centre - np.asarray(east_arcsec, dtype=np.float64) / SKY_PIXEL_ARCSEC

    def y(self, north_arcsec: np.ndarray) -> np.ndarray:
        """Row coordinate of an offset to the north, float64."""
        return self.centre + np.asarray(north_arcsec, dtype=np.float64) / SKY_PIXEL_ARCSEC


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
    sky = SkyPixels(observation.view.width_arcsec, observation.instrument.pixel_arcsec)
    events = fits.BinTableHDU.from_columns(_columns(observation, sky), name="EVENTS")
    header = events.header
    add_cards(header, _class_cards("EVENTS", "ALL"))
    add_cards(header, observation_cards(observation) + table_cards())
    header["RESPFILE"] = (respfile, "redistribution matrix of the channels")
    header["ANCRFILE"] = (ancrfile, "effective area")
    header["CHANTYPE"] = ("PHA", "column that holds the channel of the matrix")
    header["DETCHANS"] = observation.response.redistribution.n_channel
    _add_sky_keywords(header, observation, sky)
    _add_channel_limits(header, observation)
    _add_column_comments(header)
    add_history(header, observation)
    hdus = [primary_hdu(observation), events, _gti("GTI", observation)]
    hdus += [_gti(f"GTI{m.number}", observation) for m in observation.instrument.modules]
    fits.HDUList(hdus).writeto(path)


_COMMENTS: Final = {
    "TIME": "time since TSTART",
    "X": "sky pixel, grows to the west",
    "Y": "sky pixel, grows to the north",
    "PHA": "detector channel, numbered as in RESPFILE",
    "PI": "measured energy",
    "ENERGY": "measured energy, the same as PI",
    "RA": "measured position",
    "DEC": "measured position",
    "TM_NR": "telescope module",
    "ORIGIN": "1 ICM, 2 AGN, 3 background",
    "SRC_ID": "row of the source table, from 1; 0 none",
    "ENERGY_TRUE": "energy before the detector",
    "RA_TRUE": "position before the mirror",
    "DEC_TRUE": "position before the mirror",
    "PARENT": "row of the particle or source that emitted it",
}


def _columns(observation: "Observation", sky: SkyPixels) -> list[fits.Column]:
    events, view = observation.events, observation.view
    ra, dec = events.ra_dec(view)
    ra_true, dec_true = events.true_ra_dec(view)
    channel = events.channel.astype(np.int32) + observation.response.redistribution.first_channel
    energy_ev = events.energy_kev * np.float32(_EV_PER_KEV)
    true_energy_ev = events.true_energy_kev * np.float32(_EV_PER_KEV)
    # SOXS and CIAO expect X, Y and the channel in the second, third and fourth column.
    rows = [
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
    return [
        fits.Column(name=name, format=form, unit=unit, array=array)
        for name, form, unit, array in rows
    ]


def _class_cards(first: str, second: str) -> list[tuple[str, str, str]]:
    return [
        ("HDUCLASS", "OGIP", "format conforms to OGIP standards"),
        ("HDUCLAS1", first, "kind of extension"),
        ("HDUCLAS2", second, "kind of content"),
    ]


def _add_sky_keywords(header: fits.Header, observation: "Observation", sky: SkyPixels) -> None:
    view = observation.view
    step = SKY_PIXEL_ARCSEC / 3600.0
    axes = (("X", "RA---TAN", view.ra_deg, -step), ("Y", "DEC--TAN", view.dec_deg, step))
    for name, projection, value, increment in axes:
        n = _position(header, name)
        header[f"TCTYP{n}"] = projection
        header[f"TCUNI{n}"] = "deg"
        header[f"TCRVL{n}"] = value
        header[f"TCRPX{n}"] = sky.centre
        header[f"TCDLT{n}"] = increment
        header[f"TLMIN{n}"] = 0.5
        header[f"TLMAX{n}"] = sky.number + 0.5
    header["REFXCTYP"], header["REFYCTYP"] = "RA---TAN", "DEC--TAN"
    header["REFXCRVL"], header["REFYCRVL"] = view.ra_deg, view.dec_deg
    header["REFXCRPX"], header["REFYCRPX"] = sky.centre, sky.centre
    header["REFXCDLT"], header["REFYCDLT"] = -step, step
    header["REFXCUNI"], header["REFYCUNI"] = "deg", "deg"


def _add_channel_limits(header: fits.Header, observation: "Observation") -> None:
    redistribution = observation.response.redistribution
    n = _position(header, "PHA")
    header[f"TLMIN{n}"] = redistribution.first_channel
    header[f"TLMAX{n}"] = redistribution.first_channel + redistribution.n_channel - 1
    edges = redistribution.channel_edges_kev
    for name in ("PI", "ENERGY"):
        n = _position(header, name)
        header[f"TLMIN{n}"] = float(edges[0]) * _EV_PER_KEV
        header[f"TLMAX{n}"] = float(edges[-1]) * _EV_PER_KEV


def _add_column_comments(header: fits.Header) -> None:
    for name, comment in _COMMENTS.items():
        header.comments[f"TTYPE{_position(header, name)}"] = comment


def _position(header: fits.Header, column: str) -> int:
    names = [header[f"TTYPE{i}"] for i in range(1, header["TFIELDS"] + 1)]
    return names.index(column) + 1


def _gti(name: str, observation: "Observation") -> fits.BinTableHDU:
    columns = [
        fits.Column(name="START", format="D", unit="s", array=np.array([0.0])),
        fits.Column(name="STOP", format="D", unit="s", array=np.array([observation.exposure_s])),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name=name)
    add_cards(hdu.header, _class_cards("GTI", "STANDARD"))
    add_cards(hdu.header, observation_cards(observation) + table_cards())
    return hdu
