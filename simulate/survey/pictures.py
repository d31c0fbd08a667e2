"""The pictures of a finished survey, from its files: sky, a tile, what was found, number counts."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.skymaps import SKY_NSIDE, centres
from icmass.simulate.survey.conditions_file import read_pixels
from icmass.simulate.survey.figures import (
    SharePanel,
    completeness_figure,
    counts_map,
    number_counts_figure,
    save,
    tile_picture,
)
from icmass.simulate.survey.plan import TILES, Plan
from icmass.simulate.survey.tile_cards import tile_view
from icmass.simulate.survey.tile_files import whole_tile
from icmass.simulate.survey.tile_maps import VIGNETTED_BAND, tile_grid
from icmass.simulate.survey.tiles import Tile
from icmass.simulate.survey.vignetting import vignetted_share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "draw_pictures"]

FIGURES: Final = "figures"
_PICTURE_BANDS: Final = ((0.2, 0.6), (0.6, 1.2), (1.2, 2.3))
_PIXEL_ARCSEC: Final = 12.0
_CIRCLED_MSUN: Final = 1e14
_EXTENT_LIKELIHOOD: Final = 6.0  # of the clusters of eFEDS
_EV_PER_KEV: Final = 1000.0
_MOST_BINS: Final = 12
_LEAST_SPAN: Final = 0.1  # of redshift, and of decades of mass


def draw_pictures(plan: Plan, haloes: str, sources: str | None, counts: str) -> list[Path]:
    """Draw all pictures into ``figures/`` and return their paths.

    Parameters
    ----------
    plan : Plan
        Of a survey whose tiles are finished and joined.
    haloes, counts : str
        Names of its joined files.
    sources : str or None
        None where nobody looked for sources.
    """
    place = plan.directory / FIGURES
    place.mkdir(exist_ok=True)
    pixel, photons = read_pixels(plan.directory / counts, "COUNTS")
    title = f"{plan.conditions.footprint.name}, synthetic"
    of_haloes = Table.read(plan.directory / haloes, hdu=1)
    drawn: dict[str, Figure | None] = {
        "counts": counts_map(pixel, photons, SKY_NSIDE, title=title),
        "tile": _tile(plan, of_haloes),
    }
    if plan.config.agn:
        drawn["number_counts"] = _number_counts(plan, sources)
    if sources is not None:
        drawn["completeness"] = _completeness(of_haloes)
        drawn["purity"] = _purity(Table.read(plan.directory / sources, hdu=1))
    paths = []
    for name, figure in drawn.items():
        if figure is not None:
            save(figure, place / f"{name}.png", overwrite=True)
            paths.append(place / f"{name}.png")
    return paths


def _tile(plan: Plan, haloes: Table) -> "Figure":
    """Picture of one tile, with its massive haloes circled."""
    tile = _fullest(plan)
    view, grid = tile_view(tile), tile_grid(tile, _PIXEL_ARCSEC)
    with (
        whole_tile(plan.directory / TILES / tile.name) as place,
        fits.open(place / "events.fits") as file,
    ):
        events = file["EVENTS"].data
        east, north = view.offsets(events["RA"], events["DEC"])
        energy_kev = events["PI"] / _EV_PER_KEV
    images = []
    for lo_kev, hi_kev in _PICTURE_BANDS:
        inside = (energy_kev >= lo_kev) & (energy_kev < hi_kev)
        images.append(grid.histogram(east[inside], north[inside]))
    columns, rows = grid.centres_arcsec()
    ra, dec = view.sky(*(axis.ravel() for axis in np.meshgrid(columns, rows)))
    exposure_s = plan.exposure_in(tile, ra, dec)
    shown = haloes[(haloes["tile_id"] == tile.number) & (haloes["m500c_msun"] > _CIRCLED_MSUN)]
    scale = plan.painter.population.haloes.cosmology().kpc_proper_per_arcmin(shown["redshift"])
    return tile_picture(
        np.stack(images),
        exposure_s.reshape(grid.shape),
        ra_deg=tile.ra_deg,
        dec_deg=tile.dec_deg,
        pixel_arcsec=grid.pixel_arcsec,
        bands_kev=_PICTURE_BANDS,
        haloes=(
            np.asarray(shown["ra_deg"]),
            np.asarray(shown["dec_deg"]),
            60.0 * np.asarray(shown["r500c_kpc"]) / scale.value,
        ),
        title=f"tile {tile.name}; circles: R500c of haloes above 1e14 Msun",
    )


def _fullest(plan: Plan) -> Tile:
    """The tile that holds most of the footprint."""
    owner = plan.tiling.owner(*centres(SKY_NSIDE, plan.conditions.footprint.pixel))
    numbers, pixels = np.unique(owner, return_counts=True)
    return next(tile for tile in plan.tiles if tile.number == numbers[np.argmax(pixels)])


def _number_counts(plan: Plan, sources: str | None) -> "Figure | None":
    flux, conversion = [], []
    for tile in plan.tiles:
        with whole_tile(plan.directory / TILES / tile.name) as place:
            agn = Table.read(place / "agn.fits", hdu=1)
            flux.append(np.asarray(agn["flux"], np.float64))
            conversion.append(np.asarray(agn["expected_soft"] / (agn["flux"] * agn["exposure_s"])))
    put_in = np.concatenate(flux)
    if not len(put_in):
        return None
    found = None
    if sources is not None:
        table = Table.read(plan.directory / sources, hdu=1)
        points = table[np.asarray(table["extent_arcsec"]) == 0.0]
        share = vignetted_share(plan.telescope, VIGNETTED_BAND)
        per_flux = float(np.median(np.concatenate(conversion))) / share
        found = np.asarray(points["rate"], np.float64) / per_flux
    limits = np.geomspace(put_in.min() / 2.0, put_in.max() * 2.0, 200)
    relation = (limits, NumberCounts.default().number_above(limits))
    return number_counts_figure(
        put_in, plan.conditions.footprint.area_deg2, relation, flux_found=found
    )


def _completeness(haloes: Table) -> "Figure | None":
    if not len(haloes):
        return None
    detected = np.asarray(haloes["detected"], dtype=bool)
    likelihood = np.nan_to_num(np.asarray(haloes["extent_likelihood"], np.float64))
    extended = detected & (np.nan_to_num(haloes["extent_arcsec"]) > 0.0)
    found = {"found": detected, "as extended": extended & (likelihood > _EXTENT_LIKELIHOOD)}
    massive = np.asarray(haloes["m500c_msun"] > _CIRCLED_MSUN)
    of_massive = {name: flag[massive] for name, flag in found.items()}
    mass, redshift, exposure_s, expected = (
        np.asarray(haloes[name], np.float64)
        for name in ("m500c_msun", "redshift", "exposure_s", "expected_soft")
    )
    panels = [
        SharePanel.of(
            "expected counts, 0.2-2.3 keV", expected, found, np.geomspace(3.0, 1000.0, 11), log=True
        ),
        SharePanel.of(
            "$M_{500c}$ [$M_\\odot$]", mass, found, _edges(np.log10(mass), base=10.0), log=True
        ),
        SharePanel.of(
            "redshift, above $10^{14} M_\\odot$",
            redshift[massive],
            of_massive,
            np.linspace(*_span(redshift), 7),
        ),
    ]
    if exposure_s.max() > 1.2 * exposure_s.min():
        panels.append(
            SharePanel.of(
                "exposure [s], above $10^{14} M_\\odot$",
                exposure_s[massive],
                of_massive,
                np.geomspace(exposure_s.min(), exposure_s.max() * 1.001, 7),
                log=True,
            )
        )
    return completeness_figure(panels)


def _purity(sources: Table) -> "Figure | None":
    if not len(sources):
        return None
    kind = np.asarray(sources["kind"]).astype(str)
    extended = np.asarray(sources["extent_arcsec"]) > 0.0
    likelihood = np.asarray(sources["det_like"], np.float64)
    by_extent = np.asarray(sources["ext_like"], np.float64)[extended]
    panels = [
        SharePanel.of(
            "detection likelihood",
            likelihood,
            {"real": kind != "spurious"},
            _of_likelihood(likelihood, _MOST_BINS),
            log=True,
        )
    ]
    if len(by_extent):
        panels.append(
            SharePanel.of(
                "extent likelihood",
                by_extent,
                {"real": kind[extended] == "halo"},
                _of_likelihood(by_extent, 7),
                log=True,
            )
        )
    return completeness_figure(panels, ylabel="share that is real")


def _of_likelihood(likelihood: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Edges of bins from the least of some likelihoods to the greatest, 20, or twice the least."""
    lowest, highest = float(likelihood.min()), float(likelihood.max())
    return np.geomspace(lowest, 1.001 * max(highest, 20.0, 2.0 * lowest), number)


def _edges(log_values: NDArray[np.float64], base: float) -> NDArray[np.float64]:
    return base ** np.linspace(*_span(log_values), _MOST_BINS)


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """Limits that hold all values, apart also where those are all alike."""
    lowest, highest = float(values.min()), float(values.max())
    return lowest, max(highest + 1e-6, lowest + _LEAST_SPAN)
