"""Damaged files of a survey, told in one line with what to do."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astropy.utils.exceptions import AstropyWarning

from icmass.errors import InputError

__all__ = ["undamaged"]


@contextmanager
def undamaged(path: Path, advice: str) -> Iterator[Path]:
    """Read a FITS file, or those of a directory, in this block.

    Parameters
    ----------
    path : Path
        Yielded, and named if something is wrong.
    advice : str
        What to do then.

    Raises
    ------
    InputError
        If a file is missing, cut short or cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.filterwarnings("error", message="File may have been truncated")
            yield path
    except (OSError, LookupError, ValueError, TypeError, AstropyWarning) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: is damaged ({reason}). {advice}") from error
