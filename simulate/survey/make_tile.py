"""The task of a worker: draw one tile, look for sources in it, write its files.

The directory of a tile appears whole or not at all; `tile.json` in it says whose it is and what is
in it.
"""

import json
import warnings
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from icmass.digests import CHECKSUM, require_sealed, sealed
from icmass.errors import InputError, InputWarning
from icmass.files import checksum, staged_directory
from icmass.simulate.instrument import Instrument
from icmass.simulate.origin import Origin
from icmass.simulate.production.tasks import one_thread
from icmass.simulate.skymaps import (
    PIXELS_PER_CELL,
    SKY_NSIDE,
    centres,
    pixel_area_deg2,
    pixel_of,
)
from icmass.simulate.survey.cells import background_rates
from icmass.simulate.survey.conditions_file import write_pixels
from icmass.simulate.survey.faint_light import HaloLight
from icmass.simulate.survey.find_in_tile import find_in_tile
from icmass.simulate.survey.plan import TILES, Plan, open_plan
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tables import agn_table, halo_table
from icmass.simulate.survey.tile_cards import TileCards
from icmass.simulate.survey.tile_files import write_tile
from icmass.simulate.survey.tile_maps import MAP_BANDS, VIGNETTED_BAND, TileMaps
from icmass.simulate.survey.tile_sky import draw_tile
from icmass.simulate.survey.tiles import Tile
from icmass.simulate.survey.vignetting import vignetted_share

__all__ = ["COUNTS", "TileRecord", "make_tile", "read_record"]

Floats = NDArray[np.float64]

COUNTS: Final = "counts.fits"
_RECORD: Final = "tile.json"


@dataclass(frozen=True)
class TileRecord:
    """What is known of a finished tile without opening its files.

    Attributes
    ----------
    fingerprint : str
        Of its survey.
    name : str
    area_deg2 : float
        Of the footprint that it owns.
    events, icm, agn_events, background : int
        Photons, altogether and by origin.
    haloes, agn : int
        Whose centres it owns.
    sources, extended : int
        Found; -1 where nobody looked.
    sizes : dict of str to int
        Bytes of its files by their names.
    sha256 : dict of str to str
        Of its files by their names.
    """

    fingerprint: str
    name: str
    area_deg2: float
    events: int
    icm: int
    agn_events: int
    background: int
    haloes: int
    agn: int
    sources: int
    extended: int
    sizes: dict[str, int]
    sha256: dict[str, str]

    def damage(self, directory: Path) -> str | None:
        """Say which file of the tile in `directory` is not as it was made; None if all are."""
        for name, size in self.sizes.items():
            path = directory / name
            found = path.stat().st_size if path.is_file() else 0
            if found != size:
                return f"{name} must have {size} bytes, and has {found}"
            if checksum(path) != self.sha256.get(name):
                return f"{name} must have the SHA-256 that it was made with, and has another"
        return None


def read_record(directory: Path) -> TileRecord | None:
    """Read what `make_tile` noted in `directory`, that of a tile; None if it is no tile."""
    try:
        values = json.loads((directory / _RECORD).read_text(encoding="utf-8"))
        require_sealed(directory / _RECORD, values, "")
        return TileRecord(**{name: one for name, one in values.items() if name != CHECKSUM})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def make_tile(directory: Path, fingerprint: str, number: int) -> TileRecord:
    """Make one tile of a survey.

    Parameters
    ----------
    directory : Path
        Of the survey.
    fingerprint : str
        Of the survey that the driver means.
    number : int
        Of the tile.

    Returns
    -------
    TileRecord

    Raises
    ------
    InputError
        If this worker sees another survey than the driver.
    """
    plan = open_plan(directory)
    if plan.fingerprint != fingerprint:
        raise InputError(
            "workers: must be set up as the driver is; a worker sees another survey in "
            f"{directory}, or has other versions installed."
        )
    tile = next(tile for tile in plan.tiles if tile.number == number)
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return _make(plan, tile)


def _make(plan: Plan, tile: Tile) -> TileRecord:
    sky = draw_tile(plan, tile)
    tables = {"haloes": halo_table(sky.haloes), "agn": agn_table(sky.agn)}
    share = vignetted_share(plan.telescope, VIGNETTED_BAND)
    if plan.config.detect:
        tables = find_in_tile(plan, tile, sky, tables, share)
    for name in ("haloes", "agn"):  # others stand in the tables of the tiles that own them
        tables[name] = tables[name][np.asarray(tables[name]["owned"])]
        tables[name].remove_column("owned")
    pixel = _near_pixels(plan, tile)
    exposure_s = plan.conditions.exposure_of(pixel)
    nh_cm2 = plan.conditions.column_of(pixel // PIXELS_PER_CELL)
    seen, counts = np.unique(
        pixel_of(SKY_NSIDE, sky.events.ra_deg, sky.events.dec_deg), return_counts=True
    )
    cards = TileCards(
        instrument=plan.telescope,
        exposure_s=min(float(exposure_s.mean()), plan.conditions.longest_s),  # means are rounded
        end_s=plan.conditions.longest_s,
        nh_cm2=float(nh_cm2.mean()),
        seed=plan.config.seed,
        provenance=plan.provenance,
    )
    with staged_directory(plan.directory / TILES / tile.name, overwrite=True) as stage:
        write_tile(stage, tile, sky.events, cards, maps=_maps(plan, tile, share), tables=tables)
        write_pixels(
            stage / COUNTS,
            SKY_NSIDE,
            seen,
            ("COUNTS", counts, "count", "photons of all energies"),
        )
        record = _record(plan, tile, sky.events, tables, stage)
        text = json.dumps(sealed(asdict(record)), indent=1) + "\n"
        (stage / _RECORD).write_text(text, encoding="utf-8")
    return record


def _near_pixels(plan: Plan, tile: Tile) -> NDArray[np.int64]:
    """Pixels of the footprint that may hold something of the tile."""
    return np.intersect1d(plan.tiling.pixels(tile), plan.conditions.footprint.pixel)


def _owned_area(plan: Plan, tile: Tile) -> float:
    """Solid angle of the footprint that the tile owns, by the centres of its pixels."""
    pixel = _near_pixels(plan, tile)
    mine = plan.tiling.owner(*centres(SKY_NSIDE, pixel)) == tile.number
    return pixel_area_deg2(SKY_NSIDE) * int(mine.sum())


def _record(
    plan: Plan, tile: Tile, events: SkyEvents, tables: dict[str, Table], stage: Path
) -> TileRecord:
    found = tables.get("sources")
    files = sorted(stage.iterdir())
    return TileRecord(
        fingerprint=plan.fingerprint,
        name=tile.name,
        area_deg2=_owned_area(plan, tile),
        events=len(events),
        icm=int((events.origin == Origin.ICM).sum()),
        agn_events=int((events.origin == Origin.AGN).sum()),
        background=int((events.origin == Origin.BACKGROUND).sum()),
        haloes=len(tables["haloes"]),
        agn=len(tables["agn"]),
        sources=-1 if found is None else len(found),
        extended=-1 if found is None else int((found["extent_arcsec"] > 0.0).sum()),
        sizes={path.name: path.stat().st_size for path in files},
        sha256={path.name: checksum(path) for path in files},
    )


def _maps(plan: Plan, tile: Tile, share: float) -> TileMaps:
    conditions = plan.conditions

    def background(ra_deg: Floats, dec_deg: Floats) -> Floats:
        exposure_s = plan.exposure_in(tile, ra_deg, dec_deg)
        column, place = np.unique(conditions.column_at(ra_deg, dec_deg), return_inverse=True)
        rates = np.array(
            [_rates(plan.telescope, nh, plan.light, plan.agn_flux_limit) for nh in column.tolist()]
        )
        wanted = 1.0 if plan.config.background else 0.0
        return wanted * rates[place].T * exposure_s / 3600.0

    return TileMaps(
        exposure_s=partial(plan.exposure_in, tile),
        vignetted_share=share,
        background_per_arcmin2=background,
        nh_cm2=conditions.column_at,
    )


@lru_cache(maxsize=256)
def _rates(
    telescope: Instrument, nh_cm2: float, light: HaloLight, agn_flux_limit: float
) -> tuple[float, ...]:
    """Background in the bands of the maps, counts/s/deg^2; 0 where the column is not known."""
    if not np.isfinite(nh_cm2):
        return (0.0,) * len(MAP_BANDS)
    return tuple(
        sum(background_rates(telescope, nh_cm2, light, agn_flux_limit, band).values())
        for band in MAP_BANDS
    )
