"""Compiled loop over images: counts in rings, from the faintest sectors of each."""

import numba
import numpy as np

__all__ = ["clip_sectors"]


@numba.njit(cache=True, nogil=True)
def clip_sectors(images, place, label, area, n_kept, ring_area, result):
    """Write the counts that each ring would hold if all of it were like its faintest sectors.

    Parameters
    ----------
    images : unsigned int array, shape (n, n_band, n_pixel)
        Counts.
    place, label : int64 arrays, shape (m,)
        Pixels inside the rings, and where each lies: ring * n_sector + sector.
    area : float64 array, shape (n_ring, n_sector)
        Number of pixels.
    n_kept : int
        Number of sectors kept; chosen by the brightness in all bands together.
    ring_area : float64 array, shape (n_ring,)
        Area of the rings in pixels.
    result : float64 array, shape (n, n_band, n_ring)
        Written.
    """
    n_band = images.shape[1]
    n_ring, n_sector = area.shape
    counts = np.empty((n_band, n_ring * n_sector))
    brightness = np.empty(n_sector)
    for i in range(images.shape[0]):
        counts[:] = 0.0
        for band in range(n_band):
            for k in range(place.shape[0]):
                counts[band, label[k]] += images[i, band, place[k]]
        for ring in range(n_ring):
            first = ring * n_sector
            for sector in range(n_sector):
                total = 0.0
                for band in range(n_band):
                    total += counts[band, first + sector]
                brightness[sector] = total / area[ring, sector]
            order = np.argsort(brightness, kind="mergesort")
            for band in range(n_band):
                mean = 0.0
                for sector in order[:n_kept]:
                    mean += counts[band, first + sector] / area[ring, sector]
                result[i, band, ring] = mean / n_kept * ring_area[ring]
