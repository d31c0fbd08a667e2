"""Read and write one HEALPix map as a table in a FITS file, and say what is wrong with one.

Understood are whole maps, one pixel or a block of pixels a row, and lists of (pixel, value) for a
part of the sky, as healpy, the archives of CMB experiments and HI4PI write them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import healpy
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

import icmass
from icmass.errors import InputError
from icmass.files import atomic_write
from icmass.simulate.fits_opening import open_whole_fits, write_fits
from icmass.simulate.skymaps.frames import FRAME_OF_WORD, FRAMES, check_frame
from icmass.simulate.skymaps.map_columns import NESTED_OF_WORD, index_column, value_column
from icmass.simulate.skymaps.map_units import factor_to
from icmass.simulate.skymaps.pixels import check_nside

__all__ = ["HealpixMap", "read_healpix", "write_healpix"]

_LETTER_OF: Final = {"icrs": "C", "galactic": "G", "ecliptic": "E"}
# A whole map of this nside, which a list of a few pixels is made to, has 400 MB.
_FINEST_LIST: Final = 2048


@dataclass(frozen=True, eq=False)
class HealpixMap:
    """What a file holds: values of all pixels, NESTED, NaN where there are none.

    Attributes
    ----------
    values : ndarray, shape (12 * nside**2,)
    nside : int
    frame : str
        One of `icmass.simulate.skymaps.frames.FRAMES`.
    unit, name : str
        Of the values; the unit in astropy's notation.
    """

    values: NDArray[np.float64]
    nside: int
    frame: str
    unit: str
    name: str


def read_healpix(
    path: str | Path,
    *,
    unit: str | None = None,
    frame: str | None = None,
    column: str | None = None,
) -> HealpixMap:
    """Read a map from a FITS file.

    Parameters
    ----------
    path : str or Path
        File with a HEALPix table, gzipped or not.
    unit : str, optional
        Convert the values to this unit; a file without units is taken to be in it.
    frame : str, optional
        Frame of a map whose header does not say; it cannot contradict the header.
    column : str, optional
        Column of values, needed only where the file has several that may be meant.

    Returns
    -------
    HealpixMap
        NaN where a pixel is marked as unknown or not listed.

    Raises
    ------
    InputError
        If there is no such map, or its keywords are missing, unknown or contradict its data.
    """
    if frame is not None:
        check_frame(frame)
    # Mapped: HI4PI's table has 500 MB, of which two columns are wanted.
    with open_whole_fits(Path(path), mapped=True) as file:
        hdu = _table(file, path)
        header = hdu.header
        nested = _nested(header, path)
        map_frame = _frame(header, frame, path)
        name = value_column(hdu.columns.names, column, path)
        index = index_column(hdu.columns.names)
        data = np.array(hdu.data[name], dtype=np.float64).ravel()
        pixel = None if index is None else np.array(hdu.data[index]).ravel()
        unit_in_file = (hdu.columns[name].unit or "").strip()
    values = _known(data, header)
    values *= factor_to(unit, unit_in_file, path)
    nside = _nside(header, None if pixel is not None else values.size, path)
    if pixel is not None:
        values = _spread(pixel, values, nside, path)
    if not nested:
        values = healpy.reorder(values, r2n=True)
    return HealpixMap(values, nside, map_frame, unit or unit_in_file, name)


def write_healpix(
    path: str | Path,
    content: HealpixMap,
    *,
    overwrite: bool = False,
) -> None:
    """Write a map, NESTED: all pixels, or a list of the known ones if some are unknown.

    Parameters
    ----------
    path : str or Path
    content : HealpixMap
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is not set, or it cannot be written.
    """
    known = np.flatnonzero(np.isfinite(content.values))
    whole = known.size == content.values.size
    value = {"name": content.name, "unit": content.unit or None}
    if whole:
        block = min(content.values.size & -content.values.size, 1024)
        columns = [
            fits.Column(format=f"{block}D", array=content.values.reshape(-1, block), **value)
        ]
    else:
        columns = [
            fits.Column(name="PIXEL", format="K", array=known),
            fits.Column(format="D", array=content.values[known], **value),
        ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    cards = [
        ("PIXTYPE", "HEALPIX", "equal-area pixels of the sphere"),
        ("ORDERING", "NESTED", "numbering of the pixels"),
        ("NSIDE", content.nside, "12 nside^2 pixels make the sphere"),
        ("COORDSYS", _LETTER_OF[content.frame], "C equatorial (ICRS), G Galactic, E ecliptic"),
        ("INDXSCHM", "IMPLICIT" if whole else "EXPLICIT", "whether the pixels are listed"),
        ("OBJECT", "FULLSKY" if whole else "PARTIAL", "part of the sky"),
        ("FIRSTPIX", 0, "first pixel of the sphere"),
        ("LASTPIX", content.values.size - 1, "last pixel of the sphere"),
        ("BAD_DATA", float(healpy.UNSEEN), "value of unknown pixels"),
        ("CREATOR", f"ICMass {icmass.__version__}", "software that made this map"),
    ]
    table.header.extend(cards)
    with atomic_write(path, overwrite=overwrite) as stage:
        write_fits([fits.PrimaryHDU(), table], stage)


def _table(file: Any, path: str | Path) -> Any:
    """Find the one table that holds a HEALPix map."""
    tables = [hdu for hdu in file if isinstance(hdu, fits.BinTableHDU) and hdu.columns.names]
    marked = [
        hdu
        for hdu in tables
        if str(hdu.header.get("PIXTYPE", "")).strip().upper() == "HEALPIX"
        or "ORDERING" in hdu.header
        or "NSIDE" in hdu.header
    ]
    found = marked or tables
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"{path}: must hold a HEALPix map in a binary table; got none. Images in a projection "
            "are not read: download the HEALPix form of the map."
        )
    names = ", ".join(hdu.name or "unnamed" for hdu in found)
    raise InputError(
        f"{path}: must hold one HEALPix map; got tables {names}. Copy one into a file of its own."
    )


def _nested(header: Any, path: str | Path) -> bool:
    if "ORDERING" not in header:
        raise InputError(
            f"{path}: must say with the keyword ORDERING whether its pixels are RING or NESTED; "
            "got no such keyword. Ask the map's maker, and add it."
        )
    ordering = str(header["ORDERING"]).strip().upper()
    if ordering not in NESTED_OF_WORD:
        raise InputError(
            f"{path}: ORDERING must be RING or NESTED; got '{ordering}'. "
            "Convert the map, for instance with healpy.reorder."
        )
    return NESTED_OF_WORD[ordering]


def _frame(header: Any, given: str | None, path: str | Path) -> str:
    """Take the frame from COORDSYS; where it is silent, what the user says."""
    text = str(header.get("COORDSYS", "")).strip()
    stated = FRAME_OF_WORD.get(text.upper())
    if stated is None and given is None:
        raise InputError(
            f"{path}: COORDSYS must be C, G or E; got {repr(text) if text else 'no such keyword'}. "
            f"Say which frame the map is in: {', '.join(FRAMES)}."
        )
    if stated is not None and given is not None and stated != given:
        raise InputError(
            f"{path}: frame must be that of the map, {stated} (COORDSYS {text}); got {given}. "
            "Leave the frame out, or correct the file."
        )
    return stated or given or ""


def _nside(header: Any, size: int | None, path: str | Path) -> int:
    """Take nside from the keyword; a whole map of `size` pixels must agree with it."""
    if "NSIDE" in header:
        nside = header["NSIDE"]
        if isinstance(nside, bool) or not isinstance(nside, int):
            raise InputError(
                f"{path}: NSIDE must be a whole number; got {nside!r}. Correct the file."
            )
    elif size is None:
        raise InputError(
            f"{path}: must give the NSIDE of the pixels it lists; got no such keyword. Add it."
        )
    else:
        nside = round((size / 12) ** 0.5)
    check_nside(nside, f"{path}: NSIDE")
    pixels = 12 * nside * nside
    if size is not None and size != pixels:
        raise InputError(
            f"{path}: must hold {pixels} pixels, 12 nside^2 for nside {nside}; got {size}. "
            "Correct NSIDE, or list the pixels of a part of the sky in a column PIXEL."
        )
    return int(nside)


def _known(data: NDArray[np.float64], header: Any) -> NDArray[np.float64]:
    """Put NaN in place where there is no value: HEALPix's UNSEEN, BAD_DATA, what is not finite."""
    data[~np.isfinite(data)] = np.nan
    for mark in (healpy.UNSEEN, header.get("BAD_DATA")):
        if isinstance(mark, float | int):
            data[np.abs(data - mark) <= 1e-5 * abs(mark)] = np.nan
    return data


def _spread(
    pixel: NDArray[Any], values: NDArray[np.float64], nside: int, path: str | Path
) -> NDArray[np.float64]:
    """Put listed values into a whole map."""
    if nside > _FINEST_LIST:
        raise InputError(
            f"{path}: must list pixels of nside {_FINEST_LIST} or less; got {nside}. Degrade them, "
            "for instance with healpy.ud_grade."
        )
    pixels = 12 * nside * nside
    if pixel.dtype.kind not in "iu" or pixel.size != values.size:
        raise InputError(
            f"{path}: must list one whole pixel number with each value; got {pixel.size} of type "
            f"{pixel.dtype} for {values.size} values. Correct the file."
        )
    if pixel.size and (pixel.min() < 0 or pixel.max() >= pixels):
        wrong = pixel.min() if pixel.min() < 0 else pixel.max()
        raise InputError(
            f"{path}: must list pixels from 0 to {pixels - 1} for nside {nside}; got {wrong}. "
            "Correct NSIDE or the list."
        )
    whole = np.full(pixels, np.nan)
    whole[pixel] = values
    listed = np.zeros(pixels, dtype=bool)
    listed[pixel] = True
    twice = pixel.size - np.count_nonzero(listed)
    if twice:
        raise InputError(
            f"{path}: must list each pixel once; got {twice} more than once. Correct the list."
        )
    return whole
