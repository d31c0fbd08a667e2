"""What the tiles of a survey say together: tables of haloes and sources, counts, numbers."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from icmass.files import atomic_write
from icmass.simulate.fits_opening import open_whole_fits, write_fits
from icmass.simulate.skymaps import SKY_NSIDE
from icmass.simulate.survey.conditions_file import read_pixels, write_pixels
from icmass.simulate.survey.find_in_tile import FOUND
from icmass.simulate.survey.make_tile import COUNTS, TileRecord
from icmass.simulate.survey.pictures import FIGURES, draw_pictures
from icmass.simulate.survey.plan import TILES, Plan
from icmass.simulate.survey.tables import halo_table, source_table
from icmass.simulate.survey.tile_files import whole_tile

__all__ = ["HALOES", "SOURCES", "finish"]

Rows = NDArray[np.void]

HALOES: Final = "haloes.fits"
SOURCES: Final = "sources.fits"
_SUMMARY: Final = "summary.json"
_SUMS: Final = ("events", "icm", "agn_events", "background", "haloes", "agn")


def finish(plan: Plan, records: list[TileRecord], *, anew: bool) -> dict[str, Any]:
    """Write what belongs to the survey as a whole, and return its numbers.

    ``summary.json`` comes last; without it all is written anew.

    Parameters
    ----------
    plan : Plan
    records : list of TileRecord
        Of all tiles, in their order.
    anew : bool
        Whether tiles were made since; else what a run before has written is left, if it is whole.

    Returns
    -------
    dict
        What ``summary.json`` holds.
    """
    values = _numbers(plan, records)
    before = None if anew else _before(plan, values)
    if before is not None:
        return before
    pairs = None
    if plan.config.detect:
        sources = _joined(plan, SOURCES, values["sources"])
        for name in ("halo_id", "agn_id"):
            keep_most_likely(sources, name)
        pairs = sources[sources["halo_id"] >= 0]
        _write_table(plan, SOURCES, sources)
        del sources  # half the sky has millions
    haloes = _joined(plan, HALOES, values["haloes"])
    if pairs is not None:
        note_sources(haloes, pairs)
        values["haloes_detected"] = int(haloes["detected"].sum())
    _write_table(plan, HALOES, haloes)
    del haloes
    _join_counts(plan)
    draw_pictures(plan, HALOES, SOURCES if plan.config.detect else None, COUNTS)
    with atomic_write(plan.directory / _SUMMARY, overwrite=True) as stage:
        stage.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return values


def _before(plan: Plan, values: dict[str, Any]) -> dict[str, Any] | None:
    """What ``summary.json`` holds, if it is of these tiles and what was written before is whole."""
    try:
        before = json.loads((plan.directory / _SUMMARY).read_text(encoding="utf-8"))
        for name in (HALOES, COUNTS, *((SOURCES,) if plan.config.detect else ())):
            with open_whole_fits(plan.directory / name, mapped=True):
                pass
    except (OSError, ValueError):  # such as InputError
        return None
    same = isinstance(before, dict) and values.items() <= before.items()
    drawn = any((plan.directory / FIGURES).glob("*.png"))
    return before if same and drawn else None


def _numbers(plan: Plan, records: list[TileRecord]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "survey": str(plan.directory),
        "fingerprint": plan.fingerprint,
        "area_deg2": plan.conditions.footprint.area_deg2,
        "tiles": len(records),
        "median_exposure_s": float(np.median(plan.conditions.exposure_s)),
    }
    values |= {name: sum(getattr(record, name) for record in records) for name in _SUMS}
    if plan.config.detect:
        values |= {
            name: sum(getattr(record, name) for record in records)
            for name in ("sources", "extended")
        }
    return values


def keep_most_likely(sources: Rows, name: str) -> None:
    """Leave a halo or an AGN to one source alone, where tiles on two sides of a rim found it each.

    Parameters
    ----------
    sources : structured ndarray
        Changed in place: the ids of the less likely become -1.
    name : str
        Of the column of ids.
    """
    order = np.argsort(-sources["det_like"], kind="stable")
    order = order[sources[name][order] >= 0]
    _, first = np.unique(sources[name][order], return_index=True)
    others = np.ones(len(order), dtype=np.bool_)
    others[first] = False
    sources[name][order[others]] = -1


def note_sources(haloes: Rows, sources: Rows) -> None:
    """Note at haloes what they were found as, also where that lies beyond the rim of their tile.

    Parameters
    ----------
    haloes : structured ndarray
        Changed in place.
    sources : structured ndarray
        Those of a halo, one for each at most.
    """
    haloes["detected"] = False
    for name in FOUND:
        haloes[name] = np.nan
    order = np.argsort(haloes["halo_id"], kind="stable")
    place = np.searchsorted(haloes["halo_id"], sources["halo_id"], sorter=order)
    row = order[np.minimum(place, len(haloes) - 1)] if len(haloes) else place
    haloes["detected"][row] = True
    for name, origin in FOUND.items():
        haloes[name][row] = sources[origin]


def _joined(plan: Plan, name: str, rows: int) -> Rows:
    """Join the tables of all tiles, with the number of the tile as a column.

    Rows are filled in tile by tile, so that there is one copy of the whole.
    """
    joined: Rows | None = None
    first = 0
    for tile in plan.tiles:
        with whole_tile(plan.directory / TILES / tile.name) as place:
            part = Table.read(place / name, hdu=1, mask_invalid=False).as_array()
        if joined is None:
            joined = np.zeros(rows, [*part.dtype.descr, ("tile_id", "<i8")])
        here = slice(first, first + len(part))
        for column in part.dtype.names:
            joined[column][here] = part[column]
        joined["tile_id"][here] = tile.number
        first += len(part)
    return np.zeros(0, np.void) if joined is None else joined  # a survey has a tile at least


def _write_table(plan: Plan, name: str, joined: Rows) -> None:
    """Write rows with the units and meanings that the tables of the tiles have."""
    make = halo_table if name == HALOES else source_table
    described = make({column: joined[column] for column in joined.dtype.names or ()})
    hdu = fits.BinTableHDU(joined, name=Path(name).stem.upper())
    for number, column in enumerate(described.columns.values(), 1):
        if column.unit is not None:
            hdu.header[f"TUNIT{number}"] = column.unit.to_string("fits")
    with atomic_write(plan.directory / name, overwrite=True) as stage:
        write_fits([fits.PrimaryHDU(), hdu], stage)


def _join_counts(plan: Plan) -> None:
    pixel, counts = [], []
    for tile in plan.tiles:
        with whole_tile(plan.directory / TILES / tile.name) as place:
            of_tile = read_pixels(place / COUNTS, "COUNTS")
        pixel.append(of_tile[0])
        counts.append(of_tile[1])
    footprint = plan.conditions.footprint.pixel
    row = np.searchsorted(footprint, np.concatenate(pixel))
    total = np.bincount(row, np.concatenate(counts), minlength=len(footprint))
    write_pixels(
        plan.directory / COUNTS,
        SKY_NSIDE,
        footprint,
        ("COUNTS", total.astype(np.int64), "count", "photons of all energies"),
    )
