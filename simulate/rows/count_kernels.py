"""Count the photons of one scene on the pixels of its images."""

import numba

__all__ = ["count_photons"]


@numba.njit(cache=True, nogil=True)
def count_photons(photons, lo_kev, hi_kev, east_edge, south_edge, pixel, radius, image, inside):
    """Add photons to an image and count those inside a circle about the pointing.

    Parameters
    ----------
    photons : tuple of arrays, shape (n,) each
        East and north [arcsec], energy [keV], all measured, and the origin from 1.
    lo_kev, hi_kev : float64 arrays, shape (n_interval,)
        Disjoint ranges [lo, hi), ascending.
    east_edge, south_edge, pixel : float
        Where column 0 and row 0 begin, and the side of a pixel, arcsec; as `PixelGrid` has them.
    radius : float
        Of the circle, arcsec.
    image : int64 array, shape (n_origin, n_interval, n_y, n_x)
        Added to; photons outside it are left out.
    inside : int64 array, shape (n_origin, n_interval)
        Added to: photons of the image that lie inside the circle.
    """
    east, north, energy_kev, origin = photons
    _, _, n_y, n_x = image.shape
    for k in range(energy_kev.shape[0]):
        x = (east_edge - east[k]) / pixel
        y = (north[k] - south_edge) / pixel
        if not (0.0 <= x <= n_x and 0.0 <= y <= n_y):
            continue
        for interval in range(lo_kev.shape[0]):
            if lo_kev[interval] <= energy_kev[k] < hi_kev[interval]:
                place = origin[k] - 1
                image[place, interval, min(int(y), n_y - 1), min(int(x), n_x - 1)] += 1
                if east[k] * east[k] + north[k] * north[k] < radius * radius:
                    inside[place, interval] += 1
                break
