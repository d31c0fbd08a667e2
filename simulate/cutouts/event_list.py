"""Read the photons of an event file: ours, and those that eSASS writes (eRASS1, eFEDS, pointings).

Both have a table EVENTS with RA and DEC (or X, Y and their WCS keywords), PI in eV, TIME, TM_NR,
FLAG and PAT_TYP; ours say in ORIGIN and SRC_ID whence a photon came. Positions are ICRS degrees,
energies keV. What is bad is left out as eSASS's evtool does: a bit mask on FLAG, the patterns by
their size, and whatever has no positive PI, for that is not the main pixel of a pattern.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.fits_opening import open_whole_fits

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, Header

__all__ = ["BAD_FLAGS", "EventList", "Selection", "read_event_list"]

# Bits of FLAG that make an event bad: corrupt (29-31), outside the good times (16, 17) or the field
# of view (15), beside bad pixels (8-14), with a minimum ionising particle (18, 19), trailing (4) or
# at the border of the CCD (5). Owner (0, 1) and quality of the amplitude (24-26) do not count. This
# mask is what data reduction with eSASS4DR1 passes to evtool; with the Early Data Release it was
# 0xC00FFF30 (https://erosita.mpe.mpg.de/edr/DataAnalysis/prod_descript/EventFiles_edr.html, 1.1.2).
BAD_FLAGS: Final = 0xE00FFF30
_ALL_PATTERNS: Final = 15
_LARGEST_PATTERN: Final = 4

# Factor from the unit of PI to keV. eSASS says eV; channels of other telescopes are no energies.
_KEV: Final = {"": 1e-3, "ev": 1e-3, "kev": 1.0}
# Attributes of a WCS and what follows T, or REFX, in the keywords of a table.
_WCS: Final = {"ctype": "CTYP", "crval": "CRVL", "crpix": "CRPX", "cdelt": "CDLT"}


@dataclass(frozen=True)
class Selection:
    """Which events of a file count; columns that it lacks are not asked.

    Attributes
    ----------
    bad_flags : int
        An event is left out if it has one of these bits in FLAG.
    patterns : int
        Sum of 1 for singles, 2 doubles, 4 triples, 8 quadruples, as evtool's parameter pattern.
    """

    bad_flags: int = BAD_FLAGS
    patterns: int = _ALL_PATTERNS

    def __post_init__(self) -> None:
        if not 0 <= self.bad_flags < 2**32:
            raise InputError(f"bad_flags: must be a mask of 32 bits; got {self.bad_flags:#x}.")
        if not 1 <= self.patterns <= _ALL_PATTERNS:
            raise InputError(
                f"patterns: must be a sum of 1 (singles), 2, 4 and 8 (quadruples); "
                f"got {self.patterns}."
            )


@dataclass(frozen=True)
class EventList:
    """Good events of one file, in its order; None where the file does not tell.

    Attributes
    ----------
    ra_deg, dec_deg : float64, shape (n,)
        Measured position, ICRS.
    energy_kev : float32, shape (n,)
        Measured energy.
    origin : uint8, shape (n,), or None
        `icmass.simulate.origin.Origin`; only in simulated files.
    source_id : int64, shape (n,), or None
        Of the source; only in simulated files.
    time_s : float64, shape (n,), or None
    module : uint8, shape (n,), or None
        Number of the telescope module.
    """

    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    energy_kev: NDArray[np.float32]
    origin: NDArray[np.uint8] | None
    source_id: NDArray[np.int64] | None
    time_s: NDArray[np.float64] | None
    module: NDArray[np.uint8] | None

    def __len__(self) -> int:
        return len(self.ra_deg)

    def select(self, chosen: NDArray[Any]) -> "EventList":
        """Return the events `chosen` by a mask or by numbers, shape (m,), in that order."""
        columns: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        columns = {k: None if v is None else v[chosen] for k, v in columns.items()}
        return EventList(**columns)


def read_event_list(path: str | Path, selection: Selection | None = None) -> EventList:
    """Read the good events of a file.

    Parameters
    ----------
    path : str or Path
        FITS, may be compressed (.gz). Only the columns needed are read.
    selection : Selection, optional
        What is good; by default what eSASS4DR1 recommends.

    Returns
    -------
    EventList

    Raises
    ------
    InputError
        If the file is missing or damaged, has no table EVENTS, no positions or no energies, or
        holds values that no event can have.
    """
    with open_whole_fits(Path(path), mapped=True, what="event file") as file:
        tables = [hdu for hdu in file if hdu.name.upper() == "EVENTS" and hdu.header["NAXIS"] == 2]
        if not tables:
            found = ", ".join(hdu.name or "unnamed" for hdu in file)
            raise InputError(
                f"{path}: must have a table EVENTS; it has {found}. It is no event file, or it was "
                "cut short: give files such as em01_*_EventList_c010.fits, or events.fits of ours."
            )
        if len(tables) > 1:
            raise InputError(
                f"{path}: must have one table EVENTS; it has {len(tables)}. Merge them with evtool."
            )
        return _read_table(str(path), tables[0], selection or Selection())


def _read_table(path: str, table: "BinTableHDU", selection: Selection) -> EventList:
    rows = table.data
    names = {name.upper(): name for name in rows.dtype.names or ()}

    def column(name: str, dtype: str) -> NDArray[Any] | None:
        return np.array(rows[names[name]], dtype) if name in names else None

    energy = column("PI", "f4")
    if energy is None:
        raise InputError(
            f"{path}: must have the column PI, the energy in eV; it has {', '.join(names)}."
        )
    energy *= np.float32(_kev_per_unit(path, table))
    ra, dec = _positions(path, table, column)
    good = (energy > 0.0) & np.isfinite(ra) & np.isfinite(dec)
    flag, pattern = column("FLAG", "i8"), column("PAT_TYP", "i8")
    if flag is not None:
        good &= (flag & selection.bad_flags) == 0
    if pattern is not None:
        sizes = [n for n in range(1, _LARGEST_PATTERN + 1) if selection.patterns >> (n - 1) & 1]
        good &= np.isin(pattern, sizes)
    origin = column("ORIGIN", "u1")
    if origin is not None and not np.isin(origin, (1, 2, 3)).all():
        raise InputError(
            f"{path}: ORIGIN must be 1 (gas), 2 (AGN) or 3 (background); got "
            f"{origin[~np.isin(origin, (1, 2, 3))][0]}."
        )
    if len(dec) and not np.abs(dec[good]).max(initial=0.0) <= 90.0:
        raise InputError(f"{path}: DEC must lie in -90 to 90 deg; the file is damaged.")
    events = EventList(
        ra_deg=np.mod(ra, 360.0),
        dec_deg=dec,
        energy_kev=energy,
        origin=origin,
        source_id=column("SRC_ID", "i8"),
        time_s=column("TIME", "f8"),
        module=column("TM_NR", "u1"),
    )
    return events if good.all() else events.select(good)


def _kev_per_unit(path: str, table: "BinTableHDU") -> float:
    name = next(name for name in table.columns.names if name.upper() == "PI")
    unit = (table.columns[name].unit or "").strip()
    if unit.lower() not in _KEV:
        raise InputError(
            f"{path}: PI must be an energy in eV or keV; its unit is '{unit}'. Channels are not "
            "turned into energies here."
        )
    return _KEV[unit.lower()]


def _positions(
    path: str, table: "BinTableHDU", column: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return RA and Dec: columns, else X and Y through the WCS keywords beside them."""
    ra, dec = column("RA", "f8"), column("DEC", "f8")
    if ra is not None and dec is not None:
        return ra, dec
    x, y = column("X", "f8"), column("Y", "f8")
    wcs = _sky_wcs(table.header, [name.upper() for name in table.columns.names])
    if x is None or y is None or wcs is None:
        raise InputError(
            f"{path}: must have the columns RA and DEC, or X and Y with their WCS keywords; it has "
            f"{', '.join(table.columns.names)}."
        )
    ra, dec = wcs.all_pix2world(x, y, 1)
    return ra, dec


def _sky_wcs(header: "Header", names: list[str]) -> Any:
    """Return the WCS of X and Y from TCTYPn and the like, or from REFXCTYP and the like."""
    from astropy.wcs import WCS  # noqa: PLC0415  (slow to import)

    if "X" not in names or "Y" not in names:
        return None
    axes = [names.index(axis) + 1 for axis in ("X", "Y")]
    ways = (
        [{k: f"T{w}{n}" for k, w in _WCS.items()} for n in axes],
        [{k: f"REF{a}{w}" for k, w in _WCS.items()} for a in ("X", "Y")],
    )
    for way in ways:
        if all(keyword in header for axis in way for keyword in axis.values()):
            wcs = WCS(naxis=2)
            for word in _WCS:
                setattr(wcs.wcs, word, [header[axis[word]] for axis in way])
            wcs.wcs.cunit = ["deg", "deg"]
            wcs.wcs.set()
            return wcs
    return None
