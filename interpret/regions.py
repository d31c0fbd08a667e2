"""Where in an image a pixel lies, and whose photons fill it: core or outskirts, AGN or gas.

Regions are known from the truth of the simulation: the origin of each photon, R500c, and the discs
of substructures and neighbours. Radii are projected, in R500c, of pixel centres.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.catalog import ImageGeometry, RegionKind
from icmass.errors import InputError
from icmass.interpret.subject import Subject

__all__ = [
    "RADIAL_EDGES",
    "dominant",
    "image_geometry",
    "kpc_per_arcsec",
    "kpc_per_pixel",
    "radius_r500c",
    "structures",
]

#: Edges of radial bins, projected R500c; [low, high), the last without an end.
RADIAL_EDGES: Final[tuple[float, ...]] = (
    *(0.0, 0.05, 0.10, 0.15, 0.20, 0.285, 0.40, 0.55, 0.75),
    *(1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, np.inf),
)
# Of the simulations of Ho et al. 2023 (Magneticum, WMAP7): flat, without radiation. Only images in
# arcsec need a distance; within the range of cosmologies in use its choice moves radii by a few
# percent.
_H0: Final = 70.4
_OMEGA_M: Final = 0.272
# Painted one over the other: what is part of the cluster lies on top.
_ORDER: Final = (RegionKind.NEIGHBOUR, RegionKind.COMPANION, RegionKind.SUBSTRUCTURE)


def dominant(counts: NDArray[Any], origins: Sequence[str]) -> NDArray[np.int8]:
    """Return the origin of most photons in each pixel.

    Parameters
    ----------
    counts : ndarray of int, shape (n, n_origin, n_channel, n_y, n_x)
        Photons by origin.
    origins : sequence of str
        Their names.

    Returns
    -------
    ndarray of int8, shape (n, n_channel, n_y, n_x)
        Place of the origin that has more photons than each other; -1 where a pixel is empty or
        several have most.

    Raises
    ------
    InputError
        If `counts` is not of these origins.
    """
    if counts.ndim != 5 or counts.shape[1] != len(origins):
        raise InputError(
            f"counts: must have shape (n, {len(origins)}, n_channel, n_y, n_x) for the origins "
            f"{', '.join(origins)}; got {counts.shape}."
        )
    most = counts.max(axis=1)
    alone = (counts == most[:, None]).sum(axis=1) == 1
    place = counts.argmax(axis=1)
    return np.where(alone & (most > 0), place, -1).astype(np.int8)


def image_geometry(subject: Subject) -> ImageGeometry:
    """Return the geometry of the images that the networks of `subject` see."""
    whole, (_, n_y, n_x) = subject.catalog.spec.geometry, subject.shape
    return ImageGeometry(n_y, n_x, whole.pixel * subject.factor, whole.unit)


def kpc_per_arcsec(redshift: ArrayLike) -> NDArray[np.float64]:
    """Return the physical length of an arcsec at each `redshift` above 0, of its shape.

    In a flat cosmology with h = 0.704 and Omega_m = 0.272.
    """
    from astropy.cosmology import FlatLambdaCDM  # noqa: PLC0415  (slow to import, rarely needed)

    distance = FlatLambdaCDM(_H0, _OMEGA_M).angular_diameter_distance(redshift)
    return np.asarray(distance.to_value("kpc") * np.pi / (180.0 * 3600.0))


def kpc_per_pixel(subject: Subject, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the side of a pixel of the networks of `subject` in kpc, physical, shape (n,).

    One for each of `rows`; images in arcsec are converted by `kpc_per_arcsec`.
    """
    geometry = image_geometry(subject)
    if geometry.unit == "kpc":
        return np.full(len(rows), geometry.pixel)
    return geometry.pixel * kpc_per_arcsec(subject.catalog.column("redshift")[rows])


def radius_r500c(subject: Subject, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return how far pixels lie from the image centre, in projected R500c.

    Parameters
    ----------
    subject : Subject
    rows : ndarray of int, shape (n,)
        Clusters.

    Returns
    -------
    ndarray of float32, shape (n, n_y, n_x)

    Raises
    ------
    InputError
        If R500c of a cluster is not known.
    """
    r500c_kpc = subject.catalog.column("r500c_kpc")[rows]
    unknown = int(np.count_nonzero(~(r500c_kpc > 0.0)))
    if unknown:
        raise InputError(
            f"{subject.catalog.path}: must know r500c_kpc of every cluster; it is unknown of "
            f"{unknown:,} of {len(rows):,}. Give mock clusters."
        )
    geometry = image_geometry(subject)
    in_pixels = geometry.radius() / geometry.pixel
    scale = kpc_per_pixel(subject, rows) / r500c_kpc
    return (scale[:, None, None] * in_pixels).astype(np.float32)


def structures(subject: Subject, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the pixels of substructures, companions and neighbours.

    A pixel belongs to a disc whose radius it lies within by its centre, or whose centre it holds.

    Parameters
    ----------
    subject : Subject
    rows : ndarray of int, shape (n,)
        Clusters.

    Returns
    -------
    ndarray of uint8, shape (n, n_y, n_x)
        `RegionKind`, or 0. Where discs overlap substructures lie over companions over neighbours.

    Raises
    ------
    InputError
        If the catalog has no regions.
    """
    geometry = image_geometry(subject)
    column, row = np.arange(geometry.n_x), np.arange(geometry.n_y)[:, None]
    result = np.zeros((len(rows), geometry.n_y, geometry.n_x), np.uint8)
    per_pixel = kpc_per_pixel(subject, rows)
    for k, place in enumerate(rows):
        discs = subject.catalog.regions(int(place))
        for kind in _ORDER:
            for disc in discs[discs["kind"] == kind]:
                size = disc["radius_kpc"] / per_pixel[k]
                y, x = geometry.pixel_of(
                    disc["east_kpc"] / per_pixel[k] * geometry.pixel,
                    disc["north_kpc"] / per_pixel[k] * geometry.pixel,
                )
                inside = np.hypot(row - y, column - x) <= size
                inside |= (abs(row - y) <= 0.5) & (abs(column - x) <= 0.5)
                result[k][inside] = kind
    return result
