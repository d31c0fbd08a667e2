"""The expectation beside every random stage: counts per emitter and noise-free images."""

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from icmass.simulate.instrument import PSF
from icmass.simulate.photons.deposit_kernels import (
    deposit_kernels,
    deposit_points,
    deposit_rectangles,
)
from icmass.simulate.photons.detector import field_arrays
from icmass.simulate.photons.emitter_kernels import expected_rate
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.folded import with_second_part
from icmass.simulate.photons.sph import projected_density, projected_quantile
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View

__all__ = ["expected_counts", "expected_image"]

Floats = NDArray[np.float64]

# Points that stand for an SPH particle smaller than a few pixels: rings of equal weight, angles.
_RINGS, _ANGLES = 6, 12

# Radii at which the PSF is tabulated for point sources.
_DENSITY_STEPS = 4001

# Points per pixel side at which the PSF is averaged.
_MIN_SAMPLES = 3
_SUB_PIXEL = (np.arange(_MIN_SAMPLES) + 0.5) / _MIN_SAMPLES - 0.5

# Support radius in pixels above which a particle is smooth on the pixels as they are.
_WIDE_PIXELS = 4.0

# Step of the growth off axis for which the PSF is convolved; between two steps both are mixed.
_GROWTH_STEP = 0.25


def expected_counts(
    component: Component, exposure_s: float, band_kev: tuple[float, float] | None = None
) -> Floats:
    """Counts that each emitter is expected to give, before any is lost outside the field.

    Parameters
    ----------
    component : Component
        With n emitters.
    exposure_s : float
        Exposure in seconds, unvignetted.
    band_kev : (lo, hi), optional
        Only counts with measured energy in [lo, hi); Doppler shifts inside the band are neglected.

    Returns
    -------
    ndarray, shape (n,)
    """
    spectra, emitters = component.spectra, component.emitters
    table = spectra.rate if band_kev is None else spectra.band_rate(*band_kev)
    out = np.empty(len(emitters))
    expected_rate(
        emitters.east_arcsec,
        emitters.north_arcsec,
        emitters.node,
        emitters.mix,
        emitters.norm,
        spectra.theta_arcmin,
        np.ascontiguousarray(with_second_part(table) * exposure_s),
        out,
    )
    return out


def expected_image(
    component: Component,
    view: View,
    psf: PSF,
    exposure_s: float,
    grid: PixelGrid,
    band_kev: tuple[float, float],
) -> Floats:
    """Noise-free image of one component: what the mean of many draws tends to.

    Parameters
    ----------
    component : Component
        With any shape of emitters.
    view : View
        Its field cuts the image.
    psf : PSF
        Spreads components that pass the mirrors; off axis it grows in a pointed observation.
    exposure_s : float
        Exposure in seconds, unvignetted.
    grid : PixelGrid
        Pixels of the image.
    band_kev : (lo, hi)
        Band of the measured energy.

    Returns
    -------
    ndarray, shape (n_y, n_x)
        Expected counts per pixel.
    """
    counts = expected_counts(component, exposure_s, band_kev)
    emitters = component.emitters
    if component.shape == Shape.SQUARE:
        return _square_image(emitters, counts, view, grid)
    if component.shape == Shape.POINT:
        return _point_image(emitters, counts, view, psf, grid)
    return _kernel_image(emitters, counts, view, psf, grid) * grid.field_fraction(view)


def _square_image(emitters: Emitters, counts: Floats, view: View, grid: PixelGrid) -> Floats:
    """Patches of sky, cut exactly by the square around the field; then by the field, if round."""
    limit = view.width_arcsec / 2.0
    square = grid.field_fraction(replace(view, mode="survey"))
    half = emitters.extent_arcsec.astype(np.float64)
    sides = half[:, None] * np.array([-1.0, 1.0])
    image = np.zeros(grid.shape)
    deposit_rectangles(
        np.clip(emitters.east_arcsec[:, None] + sides, -limit, limit),
        np.clip(emitters.north_arcsec[:, None] + sides, -limit, limit),
        counts / (2.0 * half) ** 2,
        grid.east_edge_arcsec,
        grid.south_edge_arcsec,
        grid.pixel_arcsec,
        image,
    )
    return image * grid.field_fraction(view) / np.where(square > 0.0, square, 1.0)


def _growth(emitters: Emitters, view: View, psf: PSF) -> Floats:
    """Growth of the PSF at each emitter, shape (n,)."""
    if view.mode == "survey":
        return np.ones(len(emitters))
    return psf.scale(np.hypot(emitters.east_arcsec, emitters.north_arcsec) / 60.0)


def _point_image(
    emitters: Emitters, counts: Floats, view: View, psf: PSF, grid: PixelGrid
) -> Floats:
    """Point sources, each spread at its true place by its own PSF."""
    image = np.zeros(grid.shape)
    radius = np.linspace(0.0, psf.max_radius_arcsec, _DENSITY_STEPS)
    samples = max(_MIN_SAMPLES, int(np.ceil(grid.pixel_arcsec / psf.core_arcsec * _MIN_SAMPLES)))
    deposit_points(
        emitters.east_arcsec,
        emitters.north_arcsec,
        _growth(emitters, view, psf),
        counts,
        grid.east_edge_arcsec,
        grid.south_edge_arcsec,
        grid.pixel_arcsec,
        psf.density(radius),
        psf.max_radius_arcsec,
        samples,
        field_arrays(view),
        image,
    )
    return image


def _kernel_image(
    emitters: Emitters, counts: Floats, view: View, psf: PSF, grid: PixelGrid
) -> Floats:
    """SPH particles, each spread by a mixture of two PSFs that bracket its own growth off axis.

    Pixels wider than two thirds of the PSF core are divided for the particles that need it: those
    much wider than a pixel are smooth already.
    """
    level = np.log(_growth(emitters, view, psf)) / np.log1p(_GROWTH_STEP)
    wide = emitters.extent_arcsec > _WIDE_PIXELS * grid.pixel_arcsec
    image = np.zeros(grid.shape)
    for number in range(int(np.ceil(level.max(initial=0.0))) + 1):
        part = counts * np.clip(1.0 - np.abs(level - number), 0.0, None)
        scale = (1.0 + _GROWTH_STEP) ** number
        divide = int(np.ceil(1.5 * grid.pixel_arcsec / (psf.core_arcsec * scale)))
        for group, pieces in ((wide, 1), (~wide, divide)):
            chosen = group & (part > 0.0)
            if chosen.any():
                image += _convolved(emitters, part, chosen, psf, scale, grid, pieces)
    return np.clip(image, 0.0, None)


def _convolved(
    emitters: Emitters,
    counts: Floats,
    chosen: NDArray[np.bool_],
    psf: PSF,
    scale: float,
    grid: PixelGrid,
    pieces: int,
) -> Floats:
    """Counts of the particles chosen, laid on pixels cut into pieces and convolved with one PSF."""
    pixel = grid.pixel_arcsec / pieces
    margin = int(np.ceil(psf.max_radius_arcsec * scale / grid.pixel_arcsec)) + 1
    padded = PixelGrid(
        (grid.n_x + 2 * margin) * pieces,
        (grid.n_y + 2 * margin) * pieces,
        pixel,
        grid.centre_east_arcsec,
        grid.centre_north_arcsec,
    )
    fine = np.zeros(padded.shape)
    deposit_kernels(
        emitters.east_arcsec[chosen],
        emitters.north_arcsec[chosen],
        emitters.extent_arcsec[chosen],
        counts[chosen],
        padded.east_edge_arcsec,
        padded.south_edge_arcsec,
        pixel,
        _column_density(),
        _stand_in_points(),
        fine,
    )
    fine = fftconvolve(fine, _psf_stencil(psf, pixel, scale), mode="same")
    coarse = fine.reshape(grid.n_y + 2 * margin, pieces, grid.n_x + 2 * margin, pieces)
    return coarse.sum(axis=(1, 3))[margin:-margin, margin:-margin]


def _psf_stencil(psf: PSF, pixel_arcsec: float, scale: float) -> Floats:
    """PSF on pixels about a central one, odd side, sum 1."""
    reach = int(np.ceil(psf.max_radius_arcsec * scale / pixel_arcsec))
    offset = (np.arange(-reach, reach + 1)[:, None] + _SUB_PIXEL).ravel() * pixel_arcsec
    density = psf.density(np.hypot(offset[:, None], offset[None, :]), scale)
    side = 2 * reach + 1
    stencil = density.reshape(side, len(_SUB_PIXEL), side, len(_SUB_PIXEL)).sum(axis=(1, 3))
    return stencil / stencil.sum()


@cache
def _column_density() -> Floats:
    """Column density of the SPH kernel at 1,025 evenly spaced squared radii."""
    return projected_density(np.sqrt(np.linspace(0.0, 1.0, 1025)))


@cache
def _stand_in_points() -> Floats:
    """Points of equal weight that sample the projected kernel, shape (n, 2), unit disc."""
    radius = projected_quantile(2 * _RINGS + 1)[1::2]
    turn = np.arange(_ANGLES)[None, :] + 0.5 * (np.arange(_RINGS)[:, None] % 2)
    angle = 2.0 * np.pi * turn / _ANGLES
    points = np.stack([radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)], axis=-1)
    return points.reshape(-1, 2)
