"""Everything that falls into one tile: its photons, and what is true of haloes and AGN in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import healpy
import numpy as np
from numpy.typing import NDArray

from icmass.simulate.skymaps import CELL_NSIDE, separation_deg
from icmass.simulate.survey.cells import AgnCell, draw_agn, draw_background
from icmass.simulate.survey.haloes import TRUTH, HaloPhotons, draw_halo
from icmass.simulate.survey.plan import Plan
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tiles import Tile

__all__ = ["TileSky", "draw_tile"]

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class TileSky:
    """What falls into a tile.

    Attributes
    ----------
    events : SkyEvents
        Whose measured position the tile owns, inside the footprint.
    haloes, agn : dict of ndarray
        Truth of the sources whose centre the tile owns. ``n_photons`` were drawn, ``n_in_tile``
        fell into this tile, ``n_outside`` beyond the footprint, the rest into other tiles.
    """

    events: SkyEvents
    haloes: Columns
    agn: Columns


def draw_tile(plan: Plan, tile: Tile) -> TileSky:
    """Draw a tile.

    Parameters
    ----------
    plan : Plan
    tile : Tile
        One of the plan's.

    Returns
    -------
    TileSky
        The same, bit by bit, whoever draws it, and next to whatever tiles.
    """
    cells = np.intersect1d(plan.tiling.cells(tile), plan.conditions.cell)
    background = _background(plan, tile, cells) if plan.config.background else []
    agn_events, agn = _agn(plan, tile, cells)
    halo_events, haloes = _haloes(plan, tile, cells)
    events = SkyEvents.concatenate([*background, *agn_events, *halo_events])
    return TileSky(events, haloes, agn)


def _owned(plan: Plan, tile: Tile, events: SkyEvents) -> tuple[NDArray[np.bool_], int]:
    """Tell which photons are the tile's, and how many fell beyond the footprint."""
    inside = plan.conditions.exposure_at(events.ra_deg, events.dec_deg) > 0.0
    here = inside & (plan.tiling.owner(events.ra_deg, events.dec_deg) == tile.number)
    return here, int((~inside).sum())


def _background(plan: Plan, tile: Tile, cells: Ints) -> list[SkyEvents]:
    parts = []
    for cell in cells.tolist():
        events = draw_background(
            cell,
            plan.conditions,
            plan.telescope,
            plan.light,
            plan.agn_flux_limit,
            plan.config.seed,
        )
        parts.append(events.select(_owned(plan, tile, events)[0]))
    return parts


def _agn(plan: Plan, tile: Tile, cells: Ints) -> tuple[list[SkyEvents], Columns]:
    """AGN of the tile and of the cells around it, whose wings reach into it."""
    if not plan.config.agn:
        return [], _agn_columns([], [])
    around = healpy.get_all_neighbours(CELL_NSIDE, cells, nest=True)
    reached = np.intersect1d(np.union1d(cells, around[around >= 0]), plan.conditions.cell)
    events, found, rows = [], [], []
    for cell in reached.tolist():
        drawn = draw_agn(
            cell, plan.conditions, plan.telescope, plan.agn_flux_limit, plan.config.seed
        )
        here, _ = _owned(plan, tile, drawn.events)
        outside = plan.conditions.exposure_at(drawn.events.ra_deg, drawn.events.dec_deg) <= 0.0
        events.append(drawn.events.select(here))
        owner = plan.tiling.owner(drawn.table.ra_deg, drawn.table.dec_deg)
        mine = np.flatnonzero(owner == tile.number)
        if len(mine):
            found.append((drawn, mine))
            rows.append(np.stack([_per_source(drawn, some)[mine] for some in (here, outside)]))
    return events, _agn_columns(found, rows)


def _per_source(drawn: AgnCell, chosen: NDArray[np.bool_]) -> Ints:
    """Count the chosen photons of each AGN."""
    row = np.searchsorted(drawn.source_id, drawn.events.source_id[chosen])
    return np.bincount(row, minlength=len(drawn.source_id))


def _agn_columns(found: Sequence[tuple[AgnCell, Ints]], counts: Sequence[Ints]) -> Columns:
    def join(name: str, *values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.concatenate([np.empty(0, _AGN_TYPES[name]), *values])

    columns: Columns = {
        name: join(name, *(getattr(drawn.table, name)[mine] for drawn, mine in found))
        for name in ("ra_deg", "dec_deg", "flux", "photon_index", "nh_cm2")
    }
    for name in ("source_id", "exposure_s", "expected", "expected_soft"):
        columns[name] = join(name, *(getattr(drawn, name)[mine] for drawn, mine in found))
    columns["n_photons"] = join(
        "n_photons",
        *(_per_source(d, np.ones(len(d.events), dtype=bool))[mine] for d, mine in found),
    )
    for row, name in enumerate(("n_in_tile", "n_outside")):
        columns[name] = join(name, *(both[row] for both in counts))
    return columns


_AGN_TYPES = {
    **dict.fromkeys(("ra_deg", "dec_deg", "flux", "photon_index", "nh_cm2"), np.float64),
    **dict.fromkeys(("exposure_s", "expected", "expected_soft"), np.float64),
    **dict.fromkeys(("source_id", "n_photons", "n_in_tile", "n_outside"), np.int64),
}


def _haloes(plan: Plan, tile: Tile, cells: Ints) -> tuple[list[SkyEvents], Columns]:
    """Haloes of the tile and of its surroundings; those too faint to be drawn are listed too."""
    rows, owned = _near(plan, tile, cells)
    events: list[SkyEvents] = []
    drawn: dict[int, HaloPhotons] = {}
    counts: dict[int, tuple[int, int, int]] = {}
    shining = plan.painter.shining[rows]
    # In the order of redshift, for neighbours share spectra.
    order = np.argsort(plan.light_cone.haloes.redshift[rows], kind="stable")
    for place in order[shining[order]].tolist():
        row = int(rows[place])
        halo = draw_halo(plan.painter, row, plan.conditions, plan.telescope)
        here, outside = _owned(plan, tile, halo.events)
        events.append(halo.events.select(here))
        if owned[place]:
            drawn[row] = halo
            counts[row] = (len(halo.events), int(here.sum()), outside)
    return events, _halo_columns(plan, rows[owned], drawn, counts)


def _near(plan: Plan, tile: Tile, cells: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Rows of the haloes whose photons may fall into the tile, and whether it owns their centre."""
    cone = plan.light_cone
    away = separation_deg(cone.ra_deg, cone.dec_deg, tile.ra_deg, tile.dec_deg)
    rows = np.flatnonzero(away < np.sqrt(0.5) * tile.width_deg + plan.reach_deg)
    rows = rows[plan.conditions.exposure_at(cone.ra_deg[rows], cone.dec_deg[rows]) > 0.0]
    owned = plan.tiling.owner(cone.ra_deg[rows], cone.dec_deg[rows]) == tile.number
    pairs = zip(rows.tolist(), owned.tolist(), strict=True)
    near = np.array([own or _reaches(plan, row, cells) for row, own in pairs], dtype=np.bool_)
    return rows[near], owned[near]


def _reaches(plan: Plan, row: int, cells: Ints) -> bool:
    centre = healpy.ang2vec(plan.light_cone.ra_deg[row], plan.light_cone.dec_deg[row], lonlat=True)
    radius = np.radians(plan.reach_deg[row])
    disc = healpy.query_disc(CELL_NSIDE, centre, radius, inclusive=True, nest=True)
    return bool(np.isin(disc, cells).any())


def _halo_columns(
    plan: Plan,
    rows: Ints,
    drawn: Mapping[int, HaloPhotons],
    counts: Mapping[int, tuple[int, int, int]],
) -> Columns:
    cone = plan.light_cone
    columns: Columns = {
        name: getattr(cone.haloes, name)[rows]
        for name in ("halo_id", "redshift", "m500c_msun", "r500c_kpc", "m200c_msun", "r200c_kpc")
    }
    columns |= {"ra_deg": cone.ra_deg[rows], "dec_deg": cone.dec_deg[rows]}
    columns |= {
        "exposure_s": plan.conditions.exposure_at(cone.ra_deg[rows], cone.dec_deg[rows]),
        "nh_cm2": plan.conditions.column_at(cone.ra_deg[rows], cone.dec_deg[rows]),
    }
    for name in ("expected", "expected_soft"):
        columns[name] = np.array(
            [getattr(drawn[row], name) if row in drawn else 0.0 for row in rows.tolist()], float
        )
    numbers = [counts.get(row, (0, 0, 0)) for row in rows.tolist()]
    for place, name in enumerate(("n_photons", "n_in_tile", "n_outside")):
        columns[name] = np.array([number[place] for number in numbers], np.int64)
    unknown: dict[str, float] = {}
    truths = [drawn[row].truth if row in drawn else unknown for row in rows.tolist()]
    for name in TRUTH:
        columns[name] = np.array([truth.get(name, np.nan) for truth in truths], np.float64)
    return columns
