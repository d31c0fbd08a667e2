"""Open a FITS file that is whole, or say in one line what is wrong with it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from icmass.errors import InputError

__all__ = ["open_whole_fits"]


@contextmanager
def open_whole_fits(path: Path, *, mapped: bool) -> Iterator[Any]:
    """Open a FITS file for as long as it is read; whatever damage leads to is an InputError.

    Parameters
    ----------
    path : Path
    mapped : bool
        Whether to map it into memory and read only what is asked for, headers apart; otherwise all
        of it is read at once.

    Yields
    ------
    astropy.io.fits.HDUList

    Raises
    ------
    InputError
        If it does not exist, ends early, or cannot be read in the block.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.filterwarnings("error", message="File may have been truncated")
            with fits.open(path, memmap=mapped) as file:
                # Both look at every header, and whether the file ends early.
                _ = len(file) if mapped else file.readall()
                yield file
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: must be an existing FITS file; no such file.") from None
    except Exception as error:  # in astropy, damaged headers end in almost any exception
        reason = str(error).split("\n")[0]
        raise InputError(
            f"{path}: must be a whole FITS file; got: {reason}. Copy it again."
        ) from error
