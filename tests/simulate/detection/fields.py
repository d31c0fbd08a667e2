"""Synthetic fields to look for sources in: background, points, beta models, all drawn."""

import numpy as np

from icmass.simulate.detection import FieldImage
from icmass.simulate.instrument.psf import PSF
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View

PIXEL = 8.0
EXPOSURE = 1200.0
# Half-energy width 28 arcsec, as eROSITA's in the survey.
SHARP = PSF(9.329, 1.7, 60.0, 1.6, 0.12, 600.0)
VIEW = View(359.9, -35.0, "survey", 3600.0)  # RA runs through 0 h
BACKGROUND = 0.12  # counts per pixel of 8 arcsec, some 20 per s and deg^2


def grid_of(n_x: int = 150, n_y: int = 130) -> PixelGrid:
    """A grid that is neither square nor in the middle."""
    return PixelGrid(n_x, n_y, PIXEL, 40.0, -24.0)


def places(grid: PixelGrid, spacing: float, rng: np.random.Generator) -> tuple:
    """East and north offsets about the nodes of a lattice, off the middles of pixels."""
    east, north = grid.centres_arcsec()
    x = np.arange(east.min() + 0.5 * spacing, east.max(), spacing)
    y = np.arange(north.min() + 0.5 * spacing, north.max(), spacing)
    x, y = (a.ravel() for a in np.meshgrid(x, y))
    return x + rng.uniform(-9, 9, x.size), y + rng.uniform(-9, 9, y.size)


def photons(east, north, counts, core, rng, psf: PSF = SHARP) -> tuple:
    """Positions of photons: Poisson(counts) of each source, a beta model of a core radius, or 0."""
    number = rng.poisson(counts, np.shape(east))
    which = np.repeat(np.arange(np.size(east)), number)
    n = which.size
    x, y = np.asarray(east)[which], np.asarray(north)[which]
    if core > 0.0:
        share = rng.random(n) * (1.0 - 1.0 / np.sqrt(101.0))
        r, angle = core * np.sqrt((1.0 - share) ** -2 - 1.0), 2 * np.pi * rng.random(n)
        x, y = x + r * np.cos(angle), y + r * np.sin(angle)
    r, angle = psf.radius(rng.random(n), rng.random(n)), 2 * np.pi * rng.random(n)
    return x + r * np.cos(angle), y + r * np.sin(angle)


def field(grid: PixelGrid, rng, *sources, background=BACKGROUND, exposure=None) -> FieldImage:
    """Background and (east, north, counts, core) sources, seen everywhere alike or by a map."""
    exposure = np.full(grid.shape, EXPOSURE) if exposure is None else exposure
    counts = rng.poisson(background * exposure / EXPOSURE)
    for source in sources:
        x, y = photons(*source, rng)
        counts += grid.histogram(x, y)
    return FieldImage(np.where(exposure > 0, counts, 0), exposure, grid, VIEW)


def flat(grid: PixelGrid, background: float = BACKGROUND) -> np.ndarray:
    """The true background."""
    return np.full(grid.shape, background)


def nearest(sources, east, north) -> tuple:
    """Row of the source nearest to each place, and its distance in arcsec."""
    r = np.hypot(
        sources.east_arcsec[None, :] - np.asarray(east)[:, None],
        sources.north_arcsec[None, :] - np.asarray(north)[:, None],
    )
    return r.argmin(axis=1), r.min(axis=1)
