"""Read a list of HEALPix pixels: which numbers, of which nside, ordering and frame.

A FITS table says so by its keywords NSIDE, ORDERING and COORDSYS; a text file by its first line,
for instance ``# nside=64 ordering=nested frame=galactic``, with one number on each line below.
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.skymaps.frames import FRAME_OF_WORD
from icmass.simulate.skymaps.map_columns import NESTED_OF_WORD, index_column

__all__ = ["PixelList", "read_pixel_list"]


@dataclass(frozen=True)
class PixelList:
    """Pixels as a file lists them; None for what it does not say.

    Attributes
    ----------
    pixel : ndarray of int64, shape (n,)
    nside : int or None
    nest : bool or None
    frame : {"icrs", "galactic", "ecliptic"} or None
    """

    pixel: NDArray[np.int64]
    nside: int | None
    nest: bool | None
    frame: str | None


def read_pixel_list(path: str | Path) -> PixelList:
    """Read pixel numbers from a FITS table or a text file.

    Parameters
    ----------
    path : str or Path
        See the module for what it may say of its pixels.

    Returns
    -------
    PixelList

    Raises
    ------
    InputError
        If the file is missing or damaged, has no column of pixels, or a keyword unknown here.
    """
    try:
        with Path(path).open("rb") as file:
            is_fits = file.read(6) == b"SIMPLE"
        if not Path(path).is_file():
            raise ValueError("a device or pipe")
        numbers, words = _read_fits(path) if is_fits else _read_text(path)
        nside = None if words.get("NSIDE") is None else int(words["NSIDE"])
    except InputError:
        raise
    except Exception as error:  # in astropy, damaged headers end in almost any exception
        reason = str(getattr(error, "strerror", None) or error).split("\n", 1)[0].rstrip(".")
        raise InputError(
            f"{path}: must be a list of HEALPix pixels (FITS table or text); got: {reason}. "
            "Write it again."
        ) from error
    return PixelList(
        numbers,
        nside,
        _known(path, "ORDERING", words.get("ORDERING"), NESTED_OF_WORD),
        _known(path, "COORDSYS", words.get("COORDSYS"), FRAME_OF_WORD),
    )


def _read_fits(path: str | Path) -> tuple[NDArray[np.int64], dict[str, Any]]:
    from astropy.io import fits  # noqa: PLC0415 - slow to import

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # truncated files only give one
        with fits.open(path, memmap=False) as units:
            tables = [unit for unit in units if isinstance(unit, fits.BinTableHDU)]
            if not tables:
                raise ValueError("no table in it")
            header, names = tables[0].header, tables[0].columns.names
            column = index_column(names)
            if column is None:
                raise InputError(
                    f"{path}: must have a column of pixels, named PIXEL, IPIX or HPXINDEX; got "
                    f"{', '.join(names)}. Rename it."
                )
            return _whole(np.asarray(tables[0].data[column]).ravel()), dict(header)


def _read_text(path: str | Path) -> tuple[NDArray[np.int64], dict[str, Any]]:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    notes = " ".join(line for line in lines if line.startswith("#"))
    words: dict[str, Any] = {
        key.upper(): value for key, value in re.findall(r"(\w+)\s*[=:]\s*(\w+)", notes)
    }
    words.setdefault("COORDSYS", words.get("FRAME"))
    numbers = [int(part) for line in lines if not line.startswith("#") for part in line.split()]
    return np.array(numbers, dtype=np.int64), words


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu":
        raise ValueError(f"pixels of type {values.dtype}, no whole numbers")
    return values.astype(np.int64)


def _known(path: str | Path, key: str, word: Any, known: dict[str, Any]) -> Any:
    if word is None:
        return None
    meaning = known.get(str(word).strip().upper())
    if meaning is None:
        raise InputError(
            f"{path}: {key} must be one of {', '.join(known)}; got {word}. Correct it."
        )
    return meaning
