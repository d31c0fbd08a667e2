"""The photons of a scene as images, by origin and band, and as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.events import Events
from icmass.simulate.gas import Halo
from icmass.simulate.origin import Origin
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.expectation import expected_image
from icmass.simulate.photons.gas_component import gas_component, kpc_per_arcsec
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.rng import stream
from icmass.simulate.rows.agn import scene_agn
from icmass.simulate.rows.background import background_rate, draw_background
from icmass.simulate.rows.count_kernels import count_photons
from icmass.simulate.rows.settings import ORIGINS, RowSettings, row_path
from icmass.simulate.scene import Scene
from icmass.simulate.view import View

__all__ = ["SceneImages", "observe_images"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_ICM, _AGN, _BACKGROUND = (origin - 1 for origin in Origin)  # places in an image


@dataclass(frozen=True)
class SceneImages:
    """Images of one scene and the numbers of its photons.

    Attributes
    ----------
    counts : ndarray of uint16 or uint32, shape (n_origin, n_band, n_y, n_x)
        Two bytes a pixel where they suffice.
    expectations : ndarray of float, same shape, optional
        What the counts were drawn from; None where it was not asked for.
    columns : dict
        Numbers of photons and AGN, by the names of the schema.
    half_width_kpc : float
        Half the longer side of the image.
    cut : bool
        Whether a part of the image lies outside the field.
    """

    counts: NDArray[np.unsignedinteger]
    expectations: NDArray[np.floating] | None
    columns: dict[str, float | int]
    half_width_kpc: float
    cut: bool


def observe_images(
    scene: Scene,
    halo: Halo,
    redshift: float,
    nh_cm2: float,
    settings: RowSettings,
    table: SpectralTable,
) -> SceneImages:
    """Draw the photons of a scene and count them on the pixels of its images.

    Parameters
    ----------
    scene : Scene
        In the observer's frame.
    halo : Halo
        With M500c and R500c.
    redshift : float
        Where the scene is.
    nh_cm2 : float
        Galactic column.
    settings : RowSettings
        Telescope, exposure, bands, pixels, AGN, background and seed.
    table : SpectralTable
        Plasma emission.

    Returns
    -------
    SceneImages
    """
    scale = kpc_per_arcsec(redshift, scene.gas.info.cosmology)
    grid = _grid(settings, scale)
    view = _view(settings, grid)
    gas = gas_component(
        scene.gas, view, settings.telescope, redshift=redshift, nh_cm2=nh_cm2, table=table
    )
    agn = scene_agn(scene, halo, view, redshift, nh_cm2, settings)
    events = draw_events(
        [gas, *agn],
        view,
        settings.telescope,
        settings.exposure_s,
        settings.seed,
        row_path(scene.key),
    )
    r500c_arcsec = halo.r500c_kpc / scale
    counts, inside = _count(events, grid, r500c_arcsec, settings)
    background = np.zeros(counts.shape[1:])
    if settings.background:
        limit = settings.agn_flux_limit if settings.agn == "sky" else np.inf
        background = settings.exposure_s * background_rate(
            settings.telescope,
            settings.mode,
            view.width_arcsec,
            grid,
            nh_cm2,
            limit,
            settings.intervals,
        )
        rng = np.random.default_rng(stream(settings.seed, *row_path(scene.key), "background"))
        circle = grid.field_fraction(View(0.0, 0.0, "pointed", 2.0 * r500c_arcsec))
        counts[_BACKGROUND], inside[_BACKGROUND] = draw_background(background, circle, rng)
    columns = _numbers(counts, inside, settings)
    columns["n_agn"] = sum(_in_image(component, grid) for component in agn)
    expectations = None
    if settings.expectations:
        expected = _expected((gas, *agn), background, view, grid, settings)
        columns["n_phot_expected"] = float(expected[_ICM].sum())
        expectations = _bands(expected, settings).astype(settings.expectations)
    return SceneImages(
        counts=_compact(_bands(counts, settings)),
        expectations=expectations,
        columns=columns,
        half_width_kpc=0.5 * scale * grid.pixel_arcsec * max(grid.shape),
        cut=bool(grid.field_fraction(view).min() < 1.0 - 1e-9),
    )


def _grid(settings: RowSettings, kpc_per_arcsec: float) -> PixelGrid:
    geometry = settings.geometry
    pixel = geometry.pixel / kpc_per_arcsec if geometry.unit == "kpc" else geometry.pixel
    return PixelGrid(geometry.n_x, geometry.n_y, pixel)


def _view(settings: RowSettings, grid: PixelGrid) -> View:
    """Return the field: the image and no more in a survey, the round field of view in a pointing.

    The place on the sky does not matter to images in kpc.
    """
    if settings.mode == "survey":
        return View(0.0, 0.0, "survey", grid.pixel_arcsec * max(grid.shape))
    return View(0.0, 0.0, "pointed", 3600.0 * settings.telescope.fov_diameter_deg)


def _count(
    events: Events, grid: PixelGrid, radius_arcsec: float, settings: RowSettings
) -> tuple[Counts, Counts]:
    """Count photons by origin and interval: per pixel, and inside a circle about the centre."""
    intervals = np.array(settings.intervals, dtype=np.float64)
    counts = np.zeros((len(ORIGINS), len(intervals), *grid.shape), dtype=np.int64)
    inside = np.zeros(counts.shape[:2], dtype=np.int64)
    count_photons(
        (events.east_arcsec, events.north_arcsec, events.energy_kev, events.origin),
        np.ascontiguousarray(intervals[:, 0]),
        np.ascontiguousarray(intervals[:, 1]),
        grid.east_edge_arcsec,
        grid.south_edge_arcsec,
        grid.pixel_arcsec,
        radius_arcsec,
        counts,
        inside,
    )
    return counts, inside


def _numbers(counts: Counts, inside: Counts, settings: RowSettings) -> dict[str, float | int]:
    """Return the numbers of photons in all bands together and in each, source apart from others."""
    columns: dict[str, float | int] = {}
    for suffix, numbers in (("", counts.sum(axis=(2, 3))), ("_500", inside)):
        source = numbers[_ICM] + numbers[_AGN]
        columns[f"n_phot{suffix}"] = int(source.sum())
        per_band = settings.membership @ source
        for band, number in zip(settings.bands, per_band.tolist(), strict=True):
            columns[f"n_phot{suffix}_{band.name}"] = number
        columns[f"n_phot_icm{suffix}"] = int(numbers[_ICM].sum())
        columns[f"n_phot_agn{suffix}"] = int(numbers[_AGN].sum())
        columns[f"n_background{suffix}"] = int(numbers[_BACKGROUND].sum())
    return columns


def _bands(images: NDArray, settings: RowSettings) -> NDArray:
    """Add intervals up to bands, shape (n_origin, n_band, n_y, n_x)."""
    if len(settings.bands) == len(settings.intervals) == np.trace(settings.membership):
        return images
    return np.einsum("bi,oiyx->obyx", settings.membership, images)


def _compact(counts: Counts) -> NDArray[np.unsignedinteger]:
    """Take two bytes a pixel where they suffice: a shard holds hundreds of images."""
    return counts.astype(np.uint16 if counts.max() <= np.iinfo(np.uint16).max else np.uint32)


def _in_image(component: Component, grid: PixelGrid) -> int:
    """Count the sources inside the image."""
    emitters = component.emitters
    return int((grid.index(emitters.east_arcsec, emitters.north_arcsec) >= 0).sum())


def _expected(
    components: Sequence[Component],
    background: Floats,
    view: View,
    grid: PixelGrid,
    settings: RowSettings,
) -> Floats:
    """Return the noise-free images, shape (n_origin, n_interval, n_y, n_x)."""
    psf = settings.telescope.psf(settings.mode)
    expected = np.zeros((len(ORIGINS), *background.shape))
    for component in components:
        expected[component.origin - 1] += [
            expected_image(component, view, psf, settings.exposure_s, grid, interval)
            for interval in settings.intervals
        ]
    expected[_BACKGROUND] = background
    return expected
