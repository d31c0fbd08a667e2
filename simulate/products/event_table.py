"""What event files of every kind share: layout of eSASS, sky pixels, channels, good times.

Energies are in eV, sky pixels are 0.05 arcsec that grow to the west and to the north.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from astropy.io import fits

from icmass.simulate.products.header import Card, add_cards, table_cards

if TYPE_CHECKING:
    from icmass.simulate.instrument.redistribution import Redistribution

__all__ = [
    "COMMENTS",
    "EV_PER_KEV",
    "SKY_PIXEL_ARCSEC",
    "EventHeader",
    "Rows",
    "SkyPixels",
    "class_cards",
    "event_hdu",
    "good_times",
]

# Pixel of the X and Y columns in eSASS event files.
SKY_PIXEL_ARCSEC: Final = 0.05

EV_PER_KEV: Final = 1000.0

#: Name, FITS format, unit and values of columns.
Rows = list[tuple[str, str, str | None, np.ndarray]]

# How FITS formats stand in the file.
_BYTES: Final = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}

#: What the columns hold that all event files have.
COMMENTS: Final = {
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
    "ENERGY_TRUE": "energy before the detector",
}


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
        """Column coordinate of offsets `east_arcsec`, of any shape, float64 in the same."""
        return self.centre - np.asarray(east_arcsec, dtype=np.float64) / SKY_PIXEL_ARCSEC

    def y(self, north_arcsec: np.ndarray) -> np.ndarray:
        """Row coordinate of offsets `north_arcsec`, of any shape, float64 in the same."""
        return self.centre + np.asarray(north_arcsec, dtype=np.float64) / SKY_PIXEL_ARCSEC


@dataclass(frozen=True)
class EventHeader:
    """What the header of an event table says beside who looked where.

    Attributes
    ----------
    sky : SkyPixels
        System of the columns X and Y.
    ra_deg, dec_deg : float
        Where the middle of the sky pixels lies.
    redistribution : Redistribution
        Channels of the column PHA.
    respfile, ancrfile : str
        Names of the redistribution and area files; NONE where there are none.
    """

    sky: SkyPixels
    ra_deg: float
    dec_deg: float
    redistribution: "Redistribution"
    respfile: str = "NONE"
    ancrfile: str = "NONE"

    def add(self, header: fits.Header, comments: Mapping[str, str]) -> None:
        """Write all of it into the `header` of a table, with `comments` by name of the column."""
        header["RESPFILE"] = (self.respfile, "redistribution matrix of the channels")
        header["ANCRFILE"] = (self.ancrfile, "effective area")
        header["CHANTYPE"] = ("PHA", "column that holds the channel of the matrix")
        header["DETCHANS"] = self.redistribution.n_channel
        self._add_sky(header)
        self._add_channels(header)
        for name, comment in comments.items():
            header.comments[f"TTYPE{_position(header, name)}"] = comment

    def _add_sky(self, header: fits.Header) -> None:
        sky, step = self.sky, SKY_PIXEL_ARCSEC / 3600.0
        axes = (("X", "RA---TAN", self.ra_deg, -step), ("Y", "DEC--TAN", self.dec_deg, step))
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
        header["REFXCRVL"], header["REFYCRVL"] = self.ra_deg, self.dec_deg
        header["REFXCRPX"], header["REFYCRPX"] = sky.centre, sky.centre
        header["REFXCDLT"], header["REFYCDLT"] = -step, step
        header["REFXCUNI"], header["REFYCUNI"] = "deg", "deg"

    def _add_channels(self, header: fits.Header) -> None:
        first, edges = self.redistribution.first_channel, self.redistribution.channel_edges_kev
        n = _position(header, "PHA")
        header[f"TLMIN{n}"] = first
        header[f"TLMAX{n}"] = first + self.redistribution.n_channel - 1
        for name in ("PI", "ENERGY"):
            n = _position(header, name)
            header[f"TLMIN{n}"] = float(edges[0]) * EV_PER_KEV
            header[f"TLMAX{n}"] = float(edges[-1]) * EV_PER_KEV


def event_hdu(rows: Rows, name: str) -> fits.BinTableHDU:
    """Return the table `name` of `rows`; SOXS and CIAO expect X, Y and PHA in the second to fourth.

    Columns are copied once, in the order of bytes that the file has: astropy would copy them when
    it makes the table, when it writes them and when it lets go of them.
    """
    table = np.empty(len(rows[0][3]), [(column, _BYTES[form]) for column, form, *_ in rows])
    for column, _, _, values in rows:
        table[column] = values
    hdu = fits.BinTableHDU(table.view(fits.FITS_rec), name=name)
    for column, _, unit, _ in rows:
        if unit is not None:
            hdu.columns.change_unit(column, unit)
    return hdu


def class_cards(first: str, second: str) -> list[Card]:
    """Return the cards of the OGIP classes of an extension: its `first` and its `second` class."""
    return [
        ("HDUCLASS", "OGIP", "format conforms to OGIP standards"),
        ("HDUCLAS1", first, "kind of extension"),
        ("HDUCLAS2", second, "kind of content"),
    ]


def good_times(end_s: float, modules: Iterable[int], cards: list[Card]) -> list[fits.BinTableHDU]:
    """Return the good times from 0 to the end, for all together and for each module.

    Parameters
    ----------
    end_s : float
        Where they end.
    modules : iterable of int
        Numbers of the modules.
    cards : list of Card
        Of the observation, for each header.

    Returns
    -------
    list of astropy.io.fits.BinTableHDU
        GTI, then one ``GTI<number>`` per module.
    """
    table = np.array([(0.0, end_s)], [("START", ">f8"), ("STOP", ">f8")])
    first = fits.BinTableHDU(table.view(fits.FITS_rec), name="GTI")
    for column in ("START", "STOP"):
        first.columns.change_unit(column, "s")
    add_cards(first.header, class_cards("GTI", "STANDARD"))
    add_cards(first.header, cards + table_cards())
    hdus = [first]
    for number in modules:
        # All say the same; to make a header takes long.
        hdu = fits.BinTableHDU(first.data, first.header.copy())
        hdu.header["EXTNAME"] = f"GTI{number}"
        hdus.append(hdu)
    return hdus


def _position(header: fits.Header, column: str) -> int:
    names = [header[f"TTYPE{i}"] for i in range(1, header["TFIELDS"] + 1)]
    return names.index(column) + 1
