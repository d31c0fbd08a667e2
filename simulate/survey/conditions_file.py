"""Conditions of a survey as partial HEALPix maps in FITS, and read back from them.

`exposure.fits` (s) and `column.fits` (cm^-2) list their pixels, nested and equatorial, as
``healpy.read_map(..., partial=True)`` and Aladin read them.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from icmass.files import atomic_write
from icmass.simulate.fits_opening import write_fits
from icmass.simulate.footprints import Footprint
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE
from icmass.simulate.survey.conditions import Conditions
from icmass.simulate.survey.damage import undamaged

__all__ = [
    "COLUMN",
    "EXPOSURE",
    "read_conditions",
    "read_pixels",
    "write_conditions",
    "write_pixels",
]

EXPOSURE: Final = "exposure.fits"
COLUMN: Final = "column.fits"
_FORMS: Final = {"f": "D", "i": "K"}  # in FITS, of float64 and int64


def write_conditions(conditions: Conditions, directory: Path) -> None:
    """Write both maps of `conditions` into `directory`, in place of what was there."""
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
    advice = "Remove the directory and make the survey again."
    with undamaged(directory / EXPOSURE, advice) as path:
        pixel, exposure_s = read_pixels(path, "EXPOSURE")
    with undamaged(directory / COLUMN, advice) as path:
        cell, column_cm2 = read_pixels(path, "NH")
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
    form = _FORMS[values.dtype.kind]
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
        write_fits([fits.PrimaryHDU(), hdu], stage)


def read_pixels(path: Path, name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Read what `write_pixels` wrote to `path`: pixels and values, shape (n,) each.

    `name` is that of the column of values, float64 or int64. Errors are those of astropy, and
    ValueError for a column of other things; see `undamaged`.
    """
    with fits.open(path) as file:
        table = file["HEALPIX"].data
        values = table[name]
        if values.dtype.kind not in _FORMS:
            raise ValueError(f"{name} does not hold numbers")
        form = np.dtype(f"{values.dtype.kind}8")
        return table["PIXEL"].astype(np.int64), values.astype(form)
