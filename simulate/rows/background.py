"""The background of a cluster: particles, the Galaxy, AGN too faint to be sources.

It is the same everywhere but for the telescope, so that counts per pixel are drawn from their
expectation: at low redshift there are millions of its photons, and nobody asks for one of them.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.expectation import expected_image
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.sky import extragalactic, foreground, particle_background
from icmass.simulate.view import Mode, View

__all__ = ["background_rate", "draw_background"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@lru_cache(maxsize=32)
def background_rate(
    instrument: Instrument,
    mode: Mode,
    width_arcsec: float,
    grid: PixelGrid,
    nh_cm2: float,
    flux_limit: float,
    intervals: tuple[tuple[float, float], ...],
) -> Floats:
    """Return the expected background of each pixel.

    Parameters
    ----------
    instrument : Instrument
        Gives response, vignetting and particles.
    mode : {"survey", "pointed"}
        Square field, or round with vignetting.
    width_arcsec : float
        Of the field.
    grid : PixelGrid
        Pixels of the image, about the pointing.
    nh_cm2 : float
        Galactic column.
    flux_limit : float
        Light of AGN above it is left out: they are drawn as sources; infinite for none.
    intervals : tuple of (lo, hi)
        Ranges of measured energy, keV.

    Returns
    -------
    ndarray, shape (n_interval, n_y, n_x)
        Counts/s; not to be written to, for it is kept for the next cluster.
    """
    # Pixels at the rim of a round field are cut from a wider one that covers them.
    margin_arcsec = 4.0 * grid.pixel_arcsec if mode == "pointed" else 0.0
    view = View(0.0, 0.0, mode, width_arcsec + margin_arcsec)
    components = (
        particle_background(view, instrument),
        foreground(view, instrument, nh_cm2),
        extragalactic(view, instrument, nh_cm2, flux_limit),
    )
    psf = instrument.psf(mode)
    images = [
        sum(expected_image(c, view, psf, 1.0, grid, interval) for c in components)
        for interval in intervals
    ]
    rate = np.stack(images)
    if mode == "pointed":
        rate *= grid.field_fraction(View(0.0, 0.0, mode, width_arcsec))
    rate.flags.writeable = False
    return rate


def draw_background(
    expected: Floats, inside: Floats, rng: np.random.Generator
) -> tuple[Counts, Counts]:
    """Draw the background of each pixel, and how much of it lies inside a region.

    Parameters
    ----------
    expected : ndarray, shape (n_interval, n_y, n_x)
        Counts.
    inside : ndarray, shape (n_y, n_x)
        Share of each pixel that lies inside the region.
    rng : numpy.random.Generator
        Of the background of this row.

    Returns
    -------
    counts : ndarray of int, shape (n_interval, n_y, n_x)
    counts_inside : ndarray of int, shape (n_interval,)
    """
    counts = rng.poisson(expected)
    edge = (inside > 0.0) & (inside < 1.0)
    within = counts[:, inside >= 1.0].sum(axis=1)
    # Photons are spread evenly over a pixel, so that those of the edge fall inside by chance.
    return counts, within + rng.binomial(counts[:, edge], inside[edge]).sum(axis=1)
