"""Everything that falls into one tile: its photons, and what is true of haloes and AGN in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import healpy
import numpy as np
from numpy.typing import NDArray

from icmass.simulate.lightcone import LightCone
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE, separation_deg
from icmass.simulate.survey.cells import AgnCell, draw_agn, draw_background
from icmass.simulate.survey.haloes import TRUTH, HaloPhotons, draw_halo
from icmass.simulate.survey.plan import Plan
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tiles import Tile

__all__ = ["MARGIN_DEG", "TileSky", "draw_tile"]

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[np.generic]]


# How far beyond a tile sources are looked for, so that none at its rim is cut: the PSF, six times.
MARGIN_DEG: Final = 4.0 / 60.0


@dataclass(frozen=True)
class TileSky:
    """What falls into a tile.

    Attributes
    ----------
    events : SkyEvents
        Whose measured position the tile owns, inside the footprint.
    around : SkyEvents
        Others in the footprint near the tile, which its neighbours own; of account to the search
        for sources at its rim alone, and empty without one.
    haloes, agn : dict of ndarray
        Truth of the sources whose light may reach the tile; it has those whose centre it owns
        (``owned``). ``n_photons`` were drawn, ``n_in_tile`` fell into this tile, ``n_outside``
        beyond the footprint, the rest into other tiles.
    """

    events: SkyEvents
    around: SkyEvents
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
    cells = np.intersect1d(plan.tiling.cells(tile, _margin_deg(plan)), plan.conditions.cell)
    collected = _Collected(plan, tile)
    if plan.config.background:
        _draw_background(plan, cells, collected)
    agn = _draw_agn(plan, tile, cells, collected)
    haloes = _draw_haloes(plan, tile, collected)
    return TileSky(
        SkyEvents.concatenate(collected.here), SkyEvents.concatenate(collected.around), haloes, agn
    )


def _margin_deg(plan: Plan) -> float:
    return MARGIN_DEG if plan.config.detect else 0.0


class _Collected:
    """Photons, those of the tile and those around it.

    Parameters
    ----------
    plan : Plan
    tile : Tile
    """

    def __init__(self, plan: Plan, tile: Tile) -> None:
        self._plan, self._tile = plan, tile
        self.here: list[SkyEvents] = []
        self.around: list[SkyEvents] = []

    def take(self, events: SkyEvents) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Keep what matters of the photons; tell which are the tile's, and which in no tile."""
        inside = self._plan.conditions.exposure_at(events.ra_deg, events.dec_deg) > 0.0
        owner = self._plan.tiling.owner(events.ra_deg, events.dec_deg)
        here = inside & (owner == self._tile.number)
        self.here.append(events.select(here))
        if self._plan.config.detect:
            self.around.append(events.select(inside & ~here))
        return here, ~inside


def _draw_background(plan: Plan, cells: Ints, collected: _Collected) -> None:
    for cell in cells.tolist():
        collected.take(
            draw_background(
                cell,
                plan.conditions,
                plan.telescope,
                plan.light,
                plan.agn_flux_limit,
                plan.config.seed,
            )
        )


def _draw_agn(plan: Plan, tile: Tile, cells: Ints, collected: _Collected) -> Columns:
    """AGN of the cells and of those around them, whose wings reach into the tile."""
    if not plan.config.agn:
        return _agn_columns([], [])
    around = healpy.get_all_neighbours(CELL_NSIDE, cells, nest=True)
    reached = np.intersect1d(np.union1d(cells, around[around >= 0]), plan.conditions.cell)
    found, counts = [], []
    for cell in reached.tolist():
        drawn = draw_agn(
            cell, plan.conditions, plan.telescope, plan.agn_flux_limit, plan.config.seed
        )
        here, outside = collected.take(drawn.events)
        owned = plan.tiling.owner(drawn.table.ra_deg, drawn.table.dec_deg) == tile.number
        found.append(drawn)
        every = np.ones(len(here), dtype=np.bool_)
        numbers = [_per_source(drawn, some) for some in (every, here, outside)]
        counts.append(np.stack([owned.astype(np.int64), *numbers]))
    return _agn_columns(found, counts)


def _per_source(drawn: AgnCell, chosen: NDArray[np.bool_]) -> Ints:
    """Count the chosen photons of each AGN."""
    row = np.searchsorted(drawn.source_id, drawn.events.source_id[chosen])
    return np.bincount(row, minlength=len(drawn.source_id))


def _agn_columns(found: Sequence[AgnCell], counts: Sequence[Ints]) -> Columns:
    """Join cells; `counts` are rows owned, drawn, in the tile and outside of each."""

    def join(name: str, values: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
        return np.concatenate([np.empty(0, _AGN_TYPES[name]), *values])

    columns: Columns = {
        name: join(name, [getattr(drawn.table, name) for drawn in found])
        for name in ("ra_deg", "dec_deg", "flux", "photon_index", "nh_cm2")
    }
    for name in ("source_id", "exposure_s", "expected", "expected_soft"):
        columns[name] = join(name, [getattr(drawn, name) for drawn in found])
    for row, name in enumerate(("owned", "n_photons", "n_in_tile", "n_outside")):
        columns[name] = join(name, [some[row].astype(_AGN_TYPES[name]) for some in counts])
    return columns


_AGN_TYPES: dict[str, type] = {
    **dict.fromkeys(("ra_deg", "dec_deg", "flux", "photon_index", "nh_cm2"), np.float64),
    **dict.fromkeys(("exposure_s", "expected", "expected_soft"), np.float64),
    **dict.fromkeys(("source_id", "n_photons", "n_in_tile", "n_outside"), np.int64),
    "owned": np.bool_,
}


def _draw_haloes(plan: Plan, tile: Tile, collected: _Collected) -> Columns:
    """Haloes of the tile and of its surroundings; those too faint to be drawn are listed too."""
    rows, owned = _near(plan, tile)
    drawn: dict[int, HaloPhotons] = {}
    counts: dict[int, tuple[int, int, int]] = {}
    shining = plan.painter.shining[rows]
    # In the order of redshift, for neighbours share spectra.
    order = np.argsort(plan.light_cone.haloes.redshift[rows], kind="stable")
    for place in order[shining[order]].tolist():
        row = int(rows[place])
        halo = draw_halo(
            plan.painter,
            row,
            plan.conditions,
            plan.telescope,
            float(plan.reach_deg[row]),
            measured=bool(owned[place]),
        )
        here, outside = collected.take(halo.events)
        drawn[row] = halo
        counts[row] = (len(halo.events), int(here.sum()), int(outside.sum()))
    return {"owned": owned, **_halo_columns(plan, rows, drawn, counts)}


def _near(plan: Plan, tile: Tile) -> tuple[Ints, NDArray[np.bool_]]:
    """Rows of the haloes whose photons may fall into the tile, and whether it owns their centre."""
    cone = plan.light_cone
    reach = plan.reach_deg + _margin_deg(plan)
    away = separation_deg(cone.ra_deg, cone.dec_deg, tile.ra_deg, tile.dec_deg)
    rows = np.flatnonzero(away < np.sqrt(0.5) * tile.width_deg + reach)
    rows = rows[plan.conditions.exposure_at(cone.ra_deg[rows], cone.dec_deg[rows]) > 0.0]
    owned = plan.tiling.owner(cone.ra_deg[rows], cone.dec_deg[rows]) == tile.number
    pixels = plan.tiling.pixels(tile)
    pairs = zip(rows.tolist(), owned.tolist(), strict=True)
    near = np.array(
        [own or _reaches(cone, row, float(reach[row]), pixels) for row, own in pairs],
        dtype=np.bool_,
    )
    return rows[near], owned[near]


def _reaches(cone: LightCone, row: int, reach_deg: float, pixels: Ints) -> bool:
    centre = healpy.ang2vec(cone.ra_deg[row], cone.dec_deg[row], lonlat=True)
    disc = healpy.query_disc(SKY_NSIDE, centre, np.radians(reach_deg), inclusive=True, nest=True)
    place = np.minimum(np.searchsorted(pixels, disc), len(pixels) - 1)
    return bool((pixels[place] == disc).any())


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
