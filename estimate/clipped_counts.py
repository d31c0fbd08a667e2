"""Counts of the gas outside the core, without AGN and subhaloes: the honest rival of a network.

Rings of fixed physical radius leave out the core; in each ring only the faintest sectors count, so
that a point source or a subhalo falls out with its sector. With the redshift these counts give the
mass about as well as a small network does on the same images.

Nothing but an image and its centre is needed: no true radius, no mass, no origin of photons.
Choosing faint sectors takes noise for faintness, so counts come out low, the more so the fewer
there are; the same in all clusters of equal counts, which a fit of the mass takes up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog, ImageGeometry
from icmass.errors import InputError
from icmass.estimate.clipped_counts_kernels import clip_sectors

__all__ = ["ClippedCounts", "Rings", "clip_images", "clipped_counts"]

_BATCH: Final = 128  # images of 128 x 128 pixels and three bands: 25 MB

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rings:
    """Rings about the image centre, cut into sectors.

    Attributes
    ----------
    edges_kpc : tuple of float
        Radii between rings, physical kpc, ascending.
    n_sectors, n_kept : int
        Sectors per ring, the first centred on west, and how many of them, the faintest, count.
    """

    edges_kpc: tuple[float, ...] = tuple(np.geomspace(180.0, 1050.0, 6).tolist())
    n_sectors: int = 8
    n_kept: int = 6

    def __post_init__(self) -> None:
        edges = np.array(self.edges_kpc, np.float64)
        if len(edges) < 2 or not (edges[0] >= 0.0 and np.all(np.diff(edges) > 0)):
            raise InputError(
                f"edges_kpc: must be at least 2, from 0 on, and increase; got {self.edges_kpc}."
            )
        if not 1 <= self.n_kept <= self.n_sectors:
            raise InputError(f"n_kept: must be from 1 to {self.n_sectors}; got {self.n_kept}.")

    def labels(self, geometry: ImageGeometry) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the pixels of images of a `geometry` lie that are inside the rings.

        A pixel belongs where its centre lies.

        Returns
        -------
        place : ndarray of int, shape (m,)
            Pixels inside the rings, of the flat image.
        label : ndarray of int, shape (m,)
            ring * n_sectors + sector of each.

        Raises
        ------
        InputError
            If the images are not in kpc, end inside the rings, or have a sector without pixel.
        """
        if geometry.unit != "kpc":
            raise InputError(
                f"images: must have pixels in kpc for rings of fixed physical radius; "
                f"got {geometry.unit}."
            )
        half_side = 0.5 * geometry.pixel * min(geometry.n_y, geometry.n_x)
        if half_side < self.edges_kpc[-1]:
            raise InputError(
                f"images: must reach to the outer ring, {self.edges_kpc[-1]:g} kpc; "
                f"they end at {half_side:g} kpc."
            )
        ring = np.searchsorted(self.edges_kpc, geometry.radius(), side="right").ravel() - 1
        east, north = geometry.offsets()
        turn = np.arctan2(north, -east) / (2.0 * np.pi)
        sector = np.floor(turn * self.n_sectors + 0.5).astype(np.int64).ravel() % self.n_sectors
        place = np.flatnonzero((ring >= 0) & (ring < len(self.edges_kpc) - 1))
        label = ring[place] * self.n_sectors + sector[place]
        empty = np.bincount(label, minlength=self.n_labels) == 0
        if empty.any():
            raise InputError(
                f"images: must have pixels small enough for every sector to hold one; "
                f"{empty.sum()} of {self.n_labels} hold none at {geometry.pixel:g} kpc per pixel."
            )
        return place, label

    @property
    def n_labels(self) -> int:
        """Number of sectors in all rings."""
        return (len(self.edges_kpc) - 1) * self.n_sectors


@dataclass(frozen=True)
class ClippedCounts:
    """Clipped counts of n clusters.

    Attributes
    ----------
    bands : tuple of str
        Bands.
    rings : Rings
        Where the counts were taken.
    counts : ndarray, shape (n, n_band, n_ring)
        What each ring would hold if all of it were as bright as its faintest sectors.
    """

    bands: tuple[str, ...]
    rings: Rings
    counts: Floats

    def __len__(self) -> int:
        return len(self.counts)

    def total(self) -> Floats:
        """Return the counts of all rings and bands, shape (n,): one proxy."""
        return np.asarray(self.counts.sum(axis=(1, 2)))

    def together(self) -> "ClippedCounts":
        """Return the counts of all bands summed, as one band: what the summed images give.

        For sectors are chosen by all bands together either way.
        """
        summed = self.counts.sum(axis=1, keepdims=True)
        return ClippedCounts(("+".join(self.bands),), self.rings, summed)

    def features(self) -> Floats:
        """Return ln(counts + 1) of every band and ring, shape (n, n_band * n_ring).

        Regressions take these beside redshift and exposure, which they do not hold.
        """
        return np.log1p(self.counts).reshape(len(self), -1)


def clip_images(
    images: NDArray[Any], geometry: ImageGeometry, rings: Rings | None = None
) -> Floats:
    """Return the clipped counts of images.

    Parameters
    ----------
    images : ndarray of int, shape (n, n_band, n_y, n_x)
        Counts.
    geometry : ImageGeometry
        Of the images, in kpc.
    rings : Rings, optional
        Five rings over 180-1050 kpc, 6 of 8 sectors, by default.

    Returns
    -------
    ndarray, shape (n, n_band, n_ring)

    Raises
    ------
    InputError
        If the shape is another or the rings do not fit.
    """
    where = rings or Rings()
    if images.ndim != 4 or images.shape[2:] != (geometry.n_y, geometry.n_x):
        raise InputError(
            f"images: must have the shape (n, n_band, {geometry.n_y}, {geometry.n_x}); "
            f"got {images.shape}."
        )
    place, label = where.labels(geometry)
    pixels = np.bincount(label, minlength=where.n_labels).reshape(-1, where.n_sectors)
    edges = np.array(where.edges_kpc) / geometry.pixel
    result = np.empty((*images.shape[:2], len(edges) - 1))
    flat = np.ascontiguousarray(images).reshape(*images.shape[:2], -1)
    area = pixels.astype(np.float64)
    clip_sectors(flat, place, label, area, where.n_kept, np.pi * np.diff(edges**2), result)
    return result


def clipped_counts(
    catalog: Catalog,
    bands: Iterable[str] | None = None,
    origins: Iterable[str] | None = None,
    *,
    rings: Rings | None = None,
) -> ClippedCounts:
    """Return the clipped counts of every cluster of a catalog, which is read in batches.

    Parameters
    ----------
    catalog : Catalog
        Or a selection of its rows.
    bands, origins : iterable of str, optional
        All by default: what a telescope sees. The paper's images are of icm and agn.
    rings : Rings, optional
        Five rings over 180-1050 kpc, 6 of 8 sectors, by default.

    Raises
    ------
    InputError
        If a band or origin is unknown, or the rings do not fit the images.
    """
    where = rings or Rings()
    names = tuple(bands) if bands is not None else catalog.spec.band_names
    of = list(origins) if origins is not None else None
    where.labels(catalog.spec.geometry)
    parts = [np.empty((0, len(names), len(where.edges_kpc) - 1))]
    for start in range(0, len(catalog), _BATCH):
        images = catalog.images(slice(start, start + _BATCH), names, of)
        parts.append(clip_images(images, catalog.spec.geometry, where))
    return ClippedCounts(tuple(names), where, np.concatenate(parts))
