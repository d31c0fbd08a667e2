"""What the tiles of a survey say together: tables of haloes and sources, counts, numbers."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack

from icmass.files import atomic_write
from icmass.simulate.skymaps import SKY_NSIDE
from icmass.simulate.survey.conditions_file import write_pixels
from icmass.simulate.survey.find_in_tile import FOUND
from icmass.simulate.survey.make_tile import COUNTS, TileRecord
from icmass.simulate.survey.pictures import draw_pictures
from icmass.simulate.survey.plan import TILES, Plan
from icmass.simulate.survey.tile_files import whole_tile

__all__ = ["HALOES", "SOURCES", "finish"]

HALOES: Final = "haloes.fits"
SOURCES: Final = "sources.fits"
_SUMMARY: Final = "summary.json"
_SUMS: Final = ("events", "icm", "agn_events", "background", "haloes", "agn")
_FOUND: Final = ("sources", "extended", "haloes_detected")


def finish(plan: Plan, records: list[TileRecord]) -> dict[str, Any]:
    """Write what belongs to the survey as a whole, and return its numbers.

    Parameters
    ----------
    plan : Plan
    records : list of TileRecord
        Of all tiles, in their order.

    Returns
    -------
    dict
        What ``summary.json`` holds.
    """
    haloes = _joined(plan, HALOES)
    if plan.config.detect:
        sources = _joined(plan, SOURCES)
        note_neighbours(haloes, sources)
        _write_table(plan, SOURCES, sources)
    _write_table(plan, HALOES, haloes)
    _join_counts(plan)
    draw_pictures(plan, HALOES, SOURCES if plan.config.detect else None, COUNTS)
    values = _numbers(plan, records)
    with atomic_write(plan.directory / _SUMMARY, overwrite=True) as stage:
        stage.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return values


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
        values |= {name: sum(getattr(record, name) for record in records) for name in _FOUND}
    return values


def note_neighbours(haloes: Table, sources: Table) -> None:
    """Note at haloes the sources that were found for them beyond the rim of their tile.

    Of several the most likely one counts, as inside a tile one does.
    """
    order = np.argsort(np.asarray(sources["det_like"]), kind="stable")
    order = order[np.asarray(sources["halo_id"])[order] >= 0]
    ids = np.asarray(haloes["halo_id"])
    by_id = np.argsort(ids)
    place = np.searchsorted(ids, np.asarray(sources["halo_id"])[order], sorter=by_id)
    row = by_id[np.minimum(place, len(ids) - 1)] if len(ids) else place
    haloes["detected"][row] = True
    for name, origin in FOUND.items():
        haloes[name][row] = np.asarray(sources[origin])[order]  # the most likely comes last


def _joined(plan: Plan, name: str) -> Table:
    """Join the tables of all tiles, with the number of the tile as a column."""
    parts = []
    for tile in plan.tiles:
        with whole_tile(plan.directory / TILES / tile.name) as place:
            part = Table.read(place / name, hdu=1)
        part.meta.clear()
        part["tile_id"] = np.full(len(part), tile.number, np.int64)
        parts.append(part)
    return vstack(parts, metadata_conflicts="silent")


def _write_table(plan: Plan, name: str, joined: Table) -> None:
    hdu = fits.table_to_hdu(joined)
    hdu.name = Path(name).stem.upper()
    with atomic_write(plan.directory / name, overwrite=True) as stage:
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(stage)


def _join_counts(plan: Plan) -> None:
    pixel, counts = [], []
    for tile in plan.tiles:
        with (
            whole_tile(plan.directory / TILES / tile.name) as place,
            fits.open(place / COUNTS) as file,
        ):
            table = file["HEALPIX"].data
            pixel.append(table["PIXEL"].astype(np.int64))
            counts.append(table["COUNTS"].astype(np.int64))
    footprint = plan.conditions.footprint.pixel
    row = np.searchsorted(footprint, np.concatenate(pixel))
    total = np.bincount(row, np.concatenate(counts), minlength=len(footprint))
    write_pixels(
        plan.directory / COUNTS,
        SKY_NSIDE,
        footprint,
        ("COUNTS", total.astype(np.int64), "count", "photons of all energies"),
    )
