"""Which event files hold photons of which part of the sky, found out once so that few are opened.

The part that a file covers is the set of HEALPix pixels (0.9 deg) in which it has good events:
where it has none, nothing is there to be counted.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Final

import healpy
import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.cutouts.event_list import EventList, Selection, read_event_list
from icmass.simulate.fits_opening import open_whole_fits
from icmass.simulate.skymaps.pixels import pixel_of

__all__ = ["COVER_NSIDE", "EventFile", "FileIndex", "find_event_files", "scan_event_files"]

COVER_NSIDE: Final = 64
_INDEX_NSIDE: Final = 256  # pixels of 14 arcmin by which the events of a file are found
# How event files are named in a survey of ours and in the archives of eROSITA.
_NAMES: Final = ("events.fits", "*EventList*.fits", "*EventList*.fits.gz")


@dataclass(frozen=True)
class EventFile:
    """What must be known of an event file before it is read.

    Attributes
    ----------
    path : str
    pixels : ndarray of int32
        NESTED pixels of `COVER_NSIDE` in which it has events, ascending.
    events : int
        Number of good events.
    has_origins : bool
        Whether it tells whence each photon came.
    digest : str
        Of positions and energies, so that a changed file is noticed.
    exposure_s, nh_cm2 : float
        On axis, and Galactic column, where it is a file of ours that says so; else NaN. EXPOSURE of
        a sky tile of eSASS is that of the whole tile and tells nothing of one place.
    """

    path: str
    pixels: NDArray[np.int32]
    events: int
    has_origins: bool
    digest: str = ""
    exposure_s: float = float("nan")
    nh_cm2: float = float("nan")


def find_event_files(names: Iterable[str | Path]) -> list[str]:
    """Find event files by `names`, patterns and folders (a survey, or an archive of sky tiles).

    Raises
    ------
    InputError
        If a name leads to no file.
    """
    found: dict[str, None] = {}
    for name in map(str, names):
        place = Path(os.path.expanduser(name))  # which leaves a user that is unknown as it is
        if place.is_dir():
            paths = {str(p) for pattern in _NAMES for p in place.rglob(pattern)}
        elif has_magic(name):
            paths = set(glob(str(place)))
        else:
            paths = {str(place)} if place.exists() else set()
        if not paths:
            raise InputError(
                f"{name}: must be an event file, a pattern or a folder of them "
                f"({', '.join(_NAMES)}); there is none."
            )
        found |= dict.fromkeys(sorted(paths))
    return list(found)


def scan_event_files(
    names: Iterable[str | Path], selection: Selection | None = None
) -> tuple[EventFile, ...]:
    """Read each file once and note what it covers; one is held at a time.

    Parameters
    ----------
    names : iterable of str or Path
        As for `find_event_files`.
    selection : Selection, optional
        What is good; by default what eSASS4DR1 recommends.

    Returns
    -------
    tuple of EventFile

    Raises
    ------
    InputError
        If a file cannot be used, none has a good event, or some tell origins and others do not.
    """
    files = tuple(_scan(path, selection or Selection()) for path in find_event_files(names))
    if not any(file.events for file in files):
        raise InputError(
            f"events: must hold good events; got none in {len(files)} file(s). Allow more flags or "
            "patterns, or give other files."
        )
    silent = [file.path for file in files if not file.has_origins]
    if silent and len(silent) < len(files):
        raise InputError(
            f"events: all files must have the column ORIGIN, or none; {silent[0]} has none. Give "
            "simulated and real ones apart."
        )
    return files


def _scan(path: str, selection: Selection) -> EventFile:
    events = read_event_list(path, selection)
    digest = hashlib.sha256()
    for array in (events.ra_deg, events.dec_deg, events.energy_kev):
        digest.update(array.tobytes())
    exposure_s, nh_cm2 = _own_numbers(path)
    return EventFile(
        path=path,
        pixels=np.unique(pixel_of(COVER_NSIDE, events.ra_deg, events.dec_deg)).astype(np.int32),
        events=len(events),
        has_origins=events.origin is not None,
        digest=digest.hexdigest()[:32],
        exposure_s=exposure_s,
        nh_cm2=nh_cm2,
    )


def _own_numbers(path: str) -> tuple[float, float]:
    """Return EXPOSURE and NH of a file of ours, NaN of others."""
    with open_whole_fits(Path(path), mapped=True, what="event file") as file:
        header = file["EVENTS"].header
        if not str(header.get("CREATOR", "")).startswith("ICMass"):
            return np.nan, np.nan
        return float(header.get("EXPOSURE", np.nan)), float(header.get("NH", np.nan))


class FileIndex:
    """Finds the files that hold events near a position.

    Parameters
    ----------
    files : sequence of EventFile
    """

    def __init__(self, files: Sequence[EventFile]) -> None:
        numbers = np.repeat(np.arange(len(files), dtype=np.int32), [len(f.pixels) for f in files])
        pixels = np.concatenate([f.pixels for f in files]) if files else np.empty(0, np.int32)
        order = np.argsort(pixels, kind="stable")
        self._pixels, self._numbers = pixels[order], numbers[order]

    def near(self, ra_deg: float, dec_deg: float, radius_deg: float) -> NDArray[np.int32]:
        """Find the files with events near a position.

        Parameters
        ----------
        ra_deg, dec_deg : float
            Middle of a disc, ICRS.
        radius_deg : float
            Of the disc.

        Returns
        -------
        ndarray of int32, shape (m,)
            Numbers of the files with events in pixels that touch it, ascending.
        """
        wanted = disc_pixels(COVER_NSIDE, ra_deg, dec_deg, radius_deg)
        return np.unique(self._numbers[spans(self._pixels, wanted)])

    def covers(self, ra_deg: NDArray[Any], dec_deg: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell of positions `ra_deg`, `dec_deg` whether a file has events near, shape (n,) each.

        Near is what lies in the same pixel of `COVER_NSIDE`.
        """
        return np.isin(pixel_of(COVER_NSIDE, ra_deg, dec_deg), self._pixels)


def disc_pixels(nside: int, ra_deg: float, dec_deg: float, radius_deg: float) -> NDArray[np.int64]:
    """Return the NESTED pixels that touch a disc, ascending."""
    centre = healpy.ang2vec(ra_deg, dec_deg, lonlat=True)
    return np.sort(
        healpy.query_disc(nside, centre, np.radians(radius_deg), inclusive=True, nest=True)
    )


def spans(ascending: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Return the places in an ascending array whose values are wanted, ascending."""
    first = np.searchsorted(ascending, wanted, "left")
    counts = np.searchsorted(ascending, wanted, "right") - first
    first, counts = first[counts > 0], counts[counts > 0]
    ends = np.cumsum(counts)
    return np.arange(counts.sum()) + np.repeat(first - (ends - counts), counts)


@dataclass(frozen=True)
class PlacedEvents:
    """Events of one file in the order of the sky, so that those of an image are found at once."""

    events: EventList
    pixel: NDArray[np.int64]

    def near(self, ra_deg: float, dec_deg: float, radius_deg: float) -> EventList:
        """Return the events in pixels that touch a disc: all inside it, and some beside it."""
        wanted = disc_pixels(_INDEX_NSIDE, ra_deg, dec_deg, radius_deg)
        return self.events.select(spans(self.pixel, wanted))


@lru_cache(maxsize=2)
def placed_events(path: str, selection: Selection, run: str) -> PlacedEvents:
    """Read a file and put it in order; the last two of a process are kept.

    `run` names the run, for a later one reads its files anew.
    """
    events = replace(read_event_list(path, selection), source_id=None)
    pixel = pixel_of(_INDEX_NSIDE, events.ra_deg, events.dec_deg)
    order = np.argsort(pixel, kind="stable")
    return PlacedEvents(events.select(order), pixel[order])
