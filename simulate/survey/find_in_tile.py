"""Look for sources on the image of a tile, and say what each halo and AGN was found as."""

from dataclasses import fields

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from icmass.simulate.detection import (
    FieldImage,
    Matched,
    SourceKind,
    SourceList,
    TruthTable,
    estimate_background,
    find_sources,
    match_sources,
)
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.survey.plan import Plan
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tables import agn_table, halo_table, source_table
from icmass.simulate.survey.tile_cards import tile_view
from icmass.simulate.survey.tile_maps import VIGNETTED_BAND
from icmass.simulate.survey.tile_sky import MARGIN_DEG, TileSky
from icmass.simulate.survey.tiles import Tile
from icmass.simulate.view import View

__all__ = ["FOUND", "field_image", "find_in_tile"]

Floats = NDArray[np.float64]

_PIXEL_ARCSEC = 8.0
_ROWS_AT_ONCE = 128


def find_in_tile(
    plan: Plan, tile: Tile, sky: TileSky, truth: dict[str, Table], vignetted_share: float
) -> dict[str, Table]:
    """Find the sources of a tile and match them to the truth.

    The search sees some of the sky around the tile, so that no source is cut by its rim; those that
    lie beyond are left to the neighbours.

    Parameters
    ----------
    plan : Plan
    tile : Tile
    sky : TileSky
        Its photons and those around.
    truth : dict
        Tables ``haloes`` and ``agn``, of all whose light may reach the tile.
    vignetted_share : float
        Share of the exposure that is left in 0.2-2.3 keV.

    Returns
    -------
    dict of Table
        The same tables with columns of what was found, and ``sources``.
    """
    image = field_image(
        plan, tile, SkyEvents.concatenate([sky.events, sky.around]), vignetted_share
    )
    psf = plan.telescope.psf("survey")
    background = estimate_background(image, psf)
    found = find_sources(image, psf, background, min_likelihood=plan.config.min_likelihood)
    found = found.select(plan.tiling.owner(found.ra_deg, found.dec_deg) == tile.number)
    matched = match_sources(found, _haloes(plan, truth["haloes"]), _agn(truth["agn"]), psf)
    haloes, agn = truth["haloes"].copy(), truth["agn"].copy()
    _note(haloes, found, matched.source_of_halo)
    _note(agn, found, matched.source_of_agn)
    return {
        "haloes": halo_table(_columns(haloes)),
        "agn": agn_table(_columns(agn)),
        "sources": source_table(_sources(found, matched, truth)),
    }


def field_image(plan: Plan, tile: Tile, events: SkyEvents, vignetted_share: float) -> FieldImage:
    """Return the image that sources are sought on: 0.2-2.3 keV, the tile and a margin about it.

    Parameters
    ----------
    plan : Plan
    tile : Tile
    events : SkyEvents
        Of all energies, in the tile and around it.
    vignetted_share : float
        Share of the exposure that is left in 0.2-2.3 keV.

    Returns
    -------
    FieldImage
    """
    view = tile_view(tile)
    width_arcsec = view.width_arcsec + 2.0 * 3600.0 * MARGIN_DEG
    grid = PixelGrid.cover(view, _PIXEL_ARCSEC, width_arcsec)
    exposure_s, grid = _cut_to_exposed(_exposure(plan, tile, view, grid), grid)
    lo_kev, hi_kev = VIGNETTED_BAND
    chosen = events.select((events.energy_kev >= lo_kev) & (events.energy_kev < hi_kev))
    counts = grid.histogram(*view.offsets(chosen.ra_deg, chosen.dec_deg))
    # A photon at the rim may lie in a pixel whose centre does not count.
    counts[exposure_s == 0.0] = 0
    return FieldImage(counts, vignetted_share * exposure_s, grid, view, exposure_s)


def _cut_to_exposed(exposure_s: Floats, grid: PixelGrid) -> tuple[Floats, PixelGrid]:
    """Leave out rows and columns without any exposure."""
    if not exposure_s.any():  # a tile that the footprint only just touches
        return np.zeros((1, 1)), PixelGrid(1, 1, grid.pixel_arcsec)
    (rows, columns) = (np.flatnonzero((exposure_s > 0.0).any(axis=axis)) for axis in (1, 0))
    south, north = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    east, high = grid.column_edges_arcsec(), grid.row_edges_arcsec()
    cut = PixelGrid(
        right - left,
        north - south,
        grid.pixel_arcsec,
        float(0.5 * (east[left] + east[right])),
        float(0.5 * (high[south] + high[north])),
    )
    return exposure_s[south:north, left:right], cut


def _exposure(plan: Plan, tile: Tile, view: View, grid: PixelGrid) -> Floats:
    """Exposure of the pixels whose centre the tile owns or that are near one of them; else 0."""
    east, north = grid.centres_arcsec()
    exposure_s = np.empty(grid.shape)
    owned = np.empty(grid.shape, dtype=np.bool_)
    for first in range(0, grid.n_y, _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        ra, dec = view.sky(*(a.ravel() for a in np.meshgrid(east, north[rows])))
        exposure_s[rows] = plan.conditions.exposure_at(ra, dec).reshape(-1, grid.n_x)
        owned[rows] = (plan.tiling.owner(ra, dec) == tile.number).reshape(-1, grid.n_x)
    near = distance_transform_edt(~owned) * grid.pixel_arcsec <= 3600.0 * MARGIN_DEG
    return np.where(near, exposure_s, 0.0)


def _haloes(plan: Plan, haloes: Table) -> TruthTable:
    redshift = np.asarray(haloes["redshift"])
    grid = np.linspace(*plan.config.redshift_range, 1000)
    cosmology = plan.painter.population.haloes.cosmology()
    kpc_per_arcsec = cosmology.kpc_proper_per_arcmin(grid).value / 60.0
    return TruthTable(
        np.asarray(haloes["ra_deg"]),
        np.asarray(haloes["dec_deg"]),
        np.asarray(haloes["expected_soft"]),
        np.asarray(haloes["r500c_kpc"]) / np.interp(redshift, grid, kpc_per_arcsec),
    )


def _agn(agn: Table) -> TruthTable:
    return TruthTable(*(np.asarray(agn[name]) for name in ("ra_deg", "dec_deg", "expected_soft")))


def _columns(table: Table) -> dict[str, NDArray[np.generic]]:
    return {name: np.asarray(table[name]) for name in table.colnames}


# Columns of what was found, and where they come from.
FOUND = {
    "detection_likelihood": "det_like",
    "extent_likelihood": "ext_like",
    "extent_arcsec": "extent_arcsec",
    "detection_ra_deg": "ra_deg",
    "detection_dec_deg": "dec_deg",
    "detection_counts": "counts",
}


def _note(table: Table, found: SourceList, source: NDArray[np.int64]) -> None:
    """Note in each row what it was found as; NaN where it was not."""
    seen = source >= 0
    table["detected"] = seen
    for name, origin in FOUND.items():
        values = np.full(len(table), np.nan)
        values[seen] = getattr(found, origin)[source[seen]]
        table[name] = values


def _sources(
    found: SourceList, matched: Matched, truth: dict[str, Table]
) -> dict[str, NDArray[np.generic]]:
    """Columns of the list of sources, with what each is in truth."""
    columns: dict[str, NDArray[np.generic]] = {
        field.name: getattr(found, field.name) for field in fields(found)
    }
    names = np.array([kind.name.lower() for kind in SourceKind])
    columns["kind"] = names[matched.kind]
    pairs = (
        ("halo_id", "haloes", matched.halo_of_source),
        ("agn_id", "agn", matched.agn_of_source),
    )
    for name, table, row in pairs:
        ids = np.asarray(truth[table]["halo_id" if table == "haloes" else "source_id"], np.int64)
        columns[name] = np.where(row >= 0, np.append(ids, -1)[row], -1)
    return columns
