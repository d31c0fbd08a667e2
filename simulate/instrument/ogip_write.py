"""Write effective areas and redistribution matrices as OGIP files that X-ray fitting tools read.

Formats: OGIP memo CAL/GEN/92-002 and 92-002a. The same response gives the same bytes: no dates.
"""

from pathlib import Path

import numpy as np
from astropy.io import fits

from icmass.files import atomic_write
from icmass.simulate.fits_opening import write_fits
from icmass.simulate.instrument.redistribution import Redistribution
from icmass.simulate.instrument.response import Response

__all__ = ["write_arf", "write_rmf"]


def write_arf(
    path: str | Path,
    response: Response,
    *,
    telescope: str = "UNKNOWN",
    instrument: str = "UNKNOWN",
    overwrite: bool = False,
) -> None:
    """Write the effective area of a response.

    Parameters
    ----------
    path : str or Path
        File to write.
    response : Response
        Its area is written, and its energy bins.
    telescope, instrument : str
        Names for the header.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the file exists and must not be replaced, or cannot be written.
    """
    lo, hi = _bins(response.redistribution.energy_edges_kev)
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("ENERG_LO", "E", "keV", array=lo),
            fits.Column("ENERG_HI", "E", "keV", array=hi),
            fits.Column("SPECRESP", "E", "cm**2", array=response.area_cm2),
        ],
        name="SPECRESP",
    )
    _describe(table, "SPECRESP", telescope, instrument)
    table.header["HDUVERS"] = "1.1.0"
    _write(path, [table], overwrite)


def write_rmf(
    path: str | Path,
    redistribution: Redistribution,
    *,
    telescope: str = "UNKNOWN",
    instrument: str = "UNKNOWN",
    overwrite: bool = False,
) -> None:
    """Write a redistribution matrix with its channel energies.

    Parameters
    ----------
    path, telescope, instrument, overwrite
        As for `write_arf`, whose errors are raised.
    redistribution : Redistribution
        Written with one group of channels per row.
    """
    matrix = _matrix_table(redistribution)
    _describe(matrix, "RSP_MATRIX", telescope, instrument)
    last_channel = redistribution.first_channel + redistribution.n_channel - 1
    matrix.header["HDUCLAS3"] = "REDIST"
    matrix.header["HDUVERS"] = "1.3.0"
    matrix.header["CHANTYPE"] = "PI"
    matrix.header["DETCHANS"] = redistribution.n_channel
    matrix.header["LO_THRES"] = 0.0
    matrix.header["NUMGRP"] = int(np.sum(np.diff(redistribution.row_start) > 0))
    matrix.header["NUMELT"] = redistribution.probability.size
    matrix.header["TLMIN4"] = redistribution.first_channel
    matrix.header["TLMAX4"] = last_channel

    lo, hi = _bins(redistribution.channel_edges_kev)
    channel = np.arange(redistribution.first_channel, last_channel + 1)
    bounds = fits.BinTableHDU.from_columns(
        [
            fits.Column("CHANNEL", "J", array=channel),
            fits.Column("E_MIN", "E", "keV", array=lo),
            fits.Column("E_MAX", "E", "keV", array=hi),
        ],
        name="EBOUNDS",
    )
    _describe(bounds, "EBOUNDS", telescope, instrument)
    bounds.header["HDUVERS"] = "1.2.0"
    bounds.header["CHANTYPE"] = "PI"
    bounds.header["DETCHANS"] = redistribution.n_channel
    bounds.header["TLMIN1"] = redistribution.first_channel
    bounds.header["TLMAX1"] = last_channel
    _write(path, [matrix, bounds], overwrite)


def _matrix_table(redistribution: Redistribution) -> fits.BinTableHDU:
    """One group of channels per row."""
    lo, hi = _bins(redistribution.energy_edges_kev)
    start = redistribution.row_start
    length = np.diff(start)
    rows = np.empty(length.size, dtype=object)
    rows[:] = np.split(redistribution.probability, start[1:-1])
    longest = int(length.max())
    return fits.BinTableHDU.from_columns(
        [
            fits.Column("ENERG_LO", "E", "keV", array=lo),
            fits.Column("ENERG_HI", "E", "keV", array=hi),
            fits.Column("N_GRP", "I", array=(length > 0).astype(np.int16)),
            fits.Column(
                "F_CHAN", "J", array=redistribution.row_channel + redistribution.first_channel
            ),
            fits.Column("N_CHAN", "J", array=length),
            fits.Column("MATRIX", f"PE({longest})", array=rows),
        ],
        name="MATRIX",
    )


def _bins(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    single = edges.astype(np.float32)
    return single[:-1], single[1:]


def _describe(table: fits.BinTableHDU, kind: str, telescope: str, instrument: str) -> None:
    table.header["HDUCLASS"] = "OGIP"
    table.header["HDUCLAS1"] = "RESPONSE"
    table.header["HDUCLAS2"] = kind
    table.header["TELESCOP"] = telescope
    table.header["INSTRUME"] = instrument
    table.header["FILTER"] = "NONE"


def _write(path: str | Path, tables: list[fits.BinTableHDU], overwrite: bool) -> None:
    with atomic_write(path, overwrite=overwrite) as stage:
        write_fits([fits.PrimaryHDU(), *tables], stage)
