"""FITS files with checksums: write them; open one that is whole, or say what is wrong with it."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from icmass.errors import InputError, InputWarning

__all__ = ["open_whole_fits", "write_fits"]

_STALE: Final = (
    "{}: its checksums do not agree with what it holds: a program has changed it and left the old "
    "ones, or it is damaged. If you have not changed it, copy it again."
)


def write_fits(hdus: Sequence[Any], path: Path) -> None:
    """Write HDUs to a new file with the checksums of the FITS standard, without the time in them.

    Parameters
    ----------
    hdus : sequence of HDU
        The first is a primary one. The columns of tables are empty afterwards.
    path : Path
    """
    fits.HDUList(list(hdus)).writeto(path)
    with fits.open(path, mode="update", disable_image_compression=True) as file:
        for hdu in file:
            hdu.add_checksum(when="of what stands here")
    for column in (column for hdu in hdus for column in getattr(hdu, "columns", ())):
        column.array = None  # astropy would copy each when it lets go of the table


@contextmanager
def open_whole_fits(
    path: Path, *, mapped: bool, what: str = "FITS file", edited: bool = False
) -> Iterator[Any]:
    """Open a FITS file for as long as it is read; whatever damage leads to is an InputError.

    Parameters
    ----------
    path : Path
        The file; gzip is read too.
    mapped : bool
        Whether to map it into memory and read only what is asked for, headers apart; otherwise all
        of it is read at once.
    what : str
        What it should be, for the message.
    edited : bool
        Whether people write such files anew by programs that leave the old checksums in them, as
        `astropy.table.Table.write` does. One that does not agree is then a warning.

    Yields
    ------
    astropy.io.fits.HDUList

    Raises
    ------
    InputError
        If it does not exist, ends early, cannot be read in the block, or is not what its
        checksums say, where it has them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.filterwarnings("error", message="File may have been truncated")
            # So ends the look at the checksum of an extension that is cut; it would be left out.
            warnings.filterwarnings("error", message="Error validating header for HDU")
            warnings.filterwarnings("error", message="(Checksum|Datasum) verification failed")
            with fits.open(path, memmap=mapped, checksum=not edited) as file:
                # Both look at every header, and whether the file ends early.
                _ = len(file) if mapped else file.readall()
                if edited and not all(_agrees(hdu) for hdu in file):
                    warnings.warn(_STALE.format(path), InputWarning, stacklevel=4)
                yield file
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: must be an existing {what}; no such file.") from None
    except Exception as error:  # in astropy, damaged headers end in almost any exception
        reason = str(error).split("\n")[0].rstrip(".")
        raise InputError(
            f"{path}: must be a whole {what}; got: {reason}. Copy it again."
        ) from error


def _agrees(hdu: Any) -> bool:
    """Return whether an HDU is what its checksums say, where it has them."""
    return 0 not in {hdu.verify_checksum(), hdu.verify_datasum()}
