"""Conditions of a survey as partial HEALPix maps in FITS, and read back from them.

`exposure.fits` (s) and `column.fits` (cm^-2) list their pixels, nested and equatorial, as
``healpy.read_map(..., partial=True)`` and Aladin read them.
"""

from pathlib import Path
from typing import Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from icmass.files import atomic_write
from icmass.simulate.footprints import Footprint
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE
from icmass.simulate.survey.conditions import Conditions
from icmass.simulate.survey.damage import undamaged

__all__ = ["COLUMN", "EXPOSURE", "read_conditions", "write_conditions", "write_pixels"]

EXPOSURE: Final = "exposure.fits"
COLUMN: Final = "column.fits"


def write_conditions(conditions: Conditions, directory: Path) -> None:
    """Write both maps into a directory, in place of what was there."""
    write_pixels(
        directory / EXPOSURE,
        SKY_NSIDE,
        conditions.footprint.pixel,
        ("EXPOSURE", conditions.exposure_s, "s", "on axis, unvignetted"),
    )
    write_pixels(
        directory / COLUMN,
        CELL_NSIDE,
        conditions.cell,
        ("NH", conditions.column_cm2, "cm-2", "Galactic column of hydrogen"),
    )


def read_conditions(directory: Path, name: str) -> Conditions:
    """Read what `write_conditions` wrote.

    Parameters
    ----------
    directory : Path
    name : str
        Of the footprint.

    Raises
    ------
    InputError
        If a map is missing or damaged.
    """
    pixel, exposure_s = _read(directory / EXPOSURE, "EXPOSURE")
    cell, column_cm2 = _read(directory / COLUMN, "NH")
    return Conditions(Footprint(pixel, name), exposure_s, cell, column_cm2)


def write_pixels(
    path: Path,
    nside: int,
    pixel: NDArray[np.int64],
    column: tuple[str, NDArray[np.generic], str, str],
) -> None:
    """Write the pixels of a partial map, nested and equatorial.

    Parameters
    ----------
    path : Path
    nside : int
    pixel : ndarray of int64, shape (n,)
    column : (name, values of shape (n,), unit, meaning)
    """
    name, values, unit, meaning = column
    form = {"f": "D", "i": "K"}[values.dtype.kind]
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column("PIXEL", "K", array=pixel),
            fits.Column(name, form, unit=unit, array=values),
        ],
        name="HEALPIX",
    )
    cards = {
        "PIXTYPE": ("HEALPIX", "pixels of equal area"),
        "ORDERING": ("NESTED", "numbering of the pixels"),
        "COORDSYS": ("C", "celestial: ICRS"),
        "NSIDE": (nside, "resolution"),
        "INDXSCHM": ("EXPLICIT", "pixels are listed"),
        "OBJECT": ("PARTIAL", "part of the sky"),
        "FIRSTPIX": (0, ""),
        "LASTPIX": (12 * nside**2 - 1, ""),
    }
    for keyword, card in cards.items():
        hdu.header[keyword] = card
    hdu.header.comments["TTYPE2"] = meaning
    with atomic_write(path, overwrite=True) as stage:
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(stage)


def _read(path: Path, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    advice = "Remove the directory and make the survey again."
    with undamaged(path, advice), fits.open(path) as file:
        table = file["HEALPIX"].data
        return table["PIXEL"].astype(np.int64), table[name].astype(np.float64)
