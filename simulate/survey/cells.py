"""What shines in one cell of the sky besides haloes: background, and active galaxies.

A cell is a HEALPix pixel of 0.21 deg^2. Its photons depend on the seed and on the cell alone, so
whoever needs a part of them draws them all and keeps that part: tiles that share a cell agree.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.rng import stream
from icmass.simulate.sky import foreground, particle_background
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.sky.agn_points import field_sources
from icmass.simulate.sky.agn_spectra import AgnSpectra
from icmass.simulate.sky.agn_table import AgnTable
from icmass.simulate.sky.diffuse import extragalactic_spectrum
from icmass.simulate.sky.optics import Galaxy, Optics
from icmass.simulate.skymaps import CELL_NSIDE, SKY_NSIDE, centres, uniform_positions
from icmass.simulate.survey.conditions import Conditions
from icmass.simulate.survey.faint_light import HaloLight
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tile_maps import VIGNETTED_BAND
from icmass.simulate.view import View

__all__ = ["AgnCell", "agn_id", "background_rates", "draw_agn", "draw_background"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Wide enough for a cell and the wings of the PSF around it.
_CELL_WIDTH_ARCSEC: Final = 2.0 * 3600.0
_ARCMIN2_PER_SPHERE: Final = 4.0 * np.pi * (180.0 * 60.0 / np.pi) ** 2
_SKY_PIXEL_ARCMIN2: Final = _ARCMIN2_PER_SPHERE / (12 * SKY_NSIDE**2)
_CELL_DEG2: Final = _ARCMIN2_PER_SPHERE / (12 * CELL_NSIDE**2) / 3600.0
_ID_BITS: Final = 20  # more AGN than fit into a cell at any flux


def agn_id(cell: int, number: Ints) -> Ints:
    """Return the ids of the AGN of `cell` with these `number`s from 0, shape (n,).

    They begin at 2^40, beyond those of all haloes.
    """
    return ((np.int64(cell) + (1 << _ID_BITS)) << _ID_BITS) + number + 1


@dataclass(frozen=True)
class AgnCell:
    """The AGN of one cell that lie in the footprint.

    Attributes
    ----------
    events : SkyEvents
        Their photons, wherever these fell.
    table : AgnTable
        Of those in the footprint; `agn_id` of their numbers gives their ids.
    source_id : ndarray of int64, shape (n,)
    exposure_s, expected, expected_soft : ndarray, shape (n,)
        Exposure at each, and its expected counts: of all energies, and in the band of the search.
    """

    events: SkyEvents
    table: AgnTable
    source_id: Ints
    exposure_s: Floats
    expected: Floats
    expected_soft: Floats


def draw_background(
    cell: int,
    conditions: Conditions,
    instrument: Instrument,
    light: HaloLight,
    agn_flux_limit: float,
    seed: int,
) -> SkyEvents:
    """Draw the photons of particles, Galactic foreground and unresolved sources of a cell.

    Parameters
    ----------
    cell : int
        NEST pixel of CELL_NSIDE.
    conditions : Conditions
    instrument : Instrument
    light : HaloLight
        Mean light of the haloes that are drawn as sources, which is taken out of the background.
    agn_flux_limit : float
        0.5-2 keV, erg/s/cm^2: brighter AGN are drawn; infinite for none.
    seed : int

    Returns
    -------
    SkyEvents
        Inside the footprint.
    """
    pixel = conditions.pixels_in(cell)
    view, longest = _view(cell), conditions.longest_s
    galaxy = Galaxy(float(conditions.column_of(np.array([cell]))[0]))
    norm = _SKY_PIXEL_ARCMIN2 * conditions.exposure_of(pixel) / longest
    middle = np.zeros(len(pixel))
    components = [
        replace(
            component, shape=Shape.POINT, emitters=Emitters.points(middle, middle, middle, norm)
        )
        for component in _background(instrument, galaxy, light, agn_flux_limit)
    ]
    path = ("survey", "cell", cell)
    events = draw_events(components, view, instrument, longest, seed, path)
    rng = np.random.default_rng(stream(seed, *path, "background", "places"))
    ra_deg, dec_deg = uniform_positions(SKY_NSIDE, pixel[events.parent], rng)
    return SkyEvents.of(events, ra_deg, dec_deg, np.zeros(len(events), np.int64))


def background_rates(
    instrument: Instrument,
    nh_cm2: float,
    light: HaloLight,
    agn_flux_limit: float,
    band_kev: tuple[float, float],
) -> dict[str, float]:
    """Return what is expected of each part of the background; `draw_background` draws just that.

    Parameters
    ----------
    instrument : Instrument
    nh_cm2 : float
        Galactic column.
    light : HaloLight
        Of the haloes that are drawn as sources.
    agn_flux_limit : float
        Of the AGN that are drawn, 0.5-2 keV, erg/s/cm^2.
    band_kev : (float, float)

    Returns
    -------
    dict of str to float
        By part: counts per deg^2 and second on axis in the band.
    """
    return {
        component.name: 3600.0 * float(component.spectra.band_rate(*band_kev).ravel()[0])
        for component in _background(instrument, Galaxy(nh_cm2), light, agn_flux_limit)
    }


def draw_agn(
    cell: int, conditions: Conditions, instrument: Instrument, agn_flux_limit: float, seed: int
) -> AgnCell:
    """Draw the AGN of a cell and their photons.

    Those in clusters are among them: number counts do not tell. They are not clustered.

    Parameters
    ----------
    cell, conditions, instrument, agn_flux_limit, seed
        As for `draw_background`.

    Returns
    -------
    AgnCell
    """
    path = ("survey", "cell", cell, "agn")
    counts = NumberCounts.default()
    rng = np.random.default_rng(stream(seed, *path))
    number = int(rng.poisson(_CELL_DEG2 * counts.number_above(agn_flux_limit)))
    ra_deg, dec_deg = uniform_positions(CELL_NSIDE, np.full(number, cell), rng)
    flux = counts.draw(number, agn_flux_limit, rng)
    spectra = AgnSpectra.default().draw(number, rng)
    exposure_s = conditions.exposure_at(ra_deg, dec_deg)
    seen = np.flatnonzero(exposure_s > 0.0)
    view, longest = _view(cell), conditions.longest_s
    component, table = field_sources(
        "agn",
        view,
        instrument,
        Galaxy(float(conditions.column_of(np.array([cell]))[0])),
        tuple(offset[seen] for offset in view.offsets(ra_deg, dec_deg)),  # type: ignore[arg-type]
        flux[seen],
        (spectra[0][seen], spectra[1][seen]),
    )
    component = exposed(component, exposure_s[seen] / longest)
    events = draw_events([component], view, instrument, longest, seed, path)
    source_id = agn_id(cell, seen)
    return AgnCell(
        SkyEvents.of(events, *events.ra_dec(view), source_id[events.parent]),
        table,
        source_id,
        exposure_s[seen],
        expected_counts(component, longest),
        expected_counts(component, longest, VIGNETTED_BAND),
    )


def exposed(component: Component, share: Floats) -> Component:
    """Return a component whose emitters are observed for a share of the exposure each."""
    emitters = component.emitters
    return replace(component, emitters=replace(emitters, norm=emitters.norm * share))


def _view(cell: int) -> View:
    ra_deg, dec_deg = centres(CELL_NSIDE, np.array([cell]))
    return View(float(ra_deg[0]), float(dec_deg[0]), "survey", _CELL_WIDTH_ARCSEC)


@lru_cache(maxsize=64)
def _background(
    instrument: Instrument, galaxy: Galaxy, light: HaloLight, agn_flux_limit: float
) -> tuple[Component, ...]:
    """Components of the background, per arcmin^2; their emitters are of no account."""
    view = View(0.0, 0.0, "survey", _CELL_WIDTH_ARCSEC)
    front = foreground(view, instrument, galaxy.nh_cm2)
    return (
        particle_background(view, instrument),
        front,
        replace(
            front,
            name="extragalactic",
            spectra=_unresolved(Optics.of(view, instrument), galaxy, light, agn_flux_limit),
        ),
    )


def _unresolved(
    optics: Optics, galaxy: Galaxy, light: HaloLight, agn_flux_limit: float
) -> FoldedSpectra:
    """Light from beyond the Galaxy that neither AGN nor haloes drawn as sources account for."""
    edges_kev = optics.edges_kev
    total = extragalactic_spectrum(edges_kev, Galaxy(0.0), agn_flux_limit)
    left = np.clip(total - light.per_arcmin2, 0.0, None)
    return optics.fold((left * galaxy.transmission(edges_kev))[None])
