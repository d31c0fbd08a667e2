"""From rows of a catalog to the arrays that a network is given, in memory or read as needed."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog, add_up
from icmass.errors import InputError
from icmass.estimate.galaxy_cube import galaxy_cubes
from icmass.estimate.inputs import Inputs

__all__ = ["Clusters", "HeldReader", "Reader", "reader_of", "thinning_slope"]

_BATCH: Final = 256
_THINNING: Final = 0x7468696E  # tells this use of the seed from others


class Clusters(NamedTuple):
    """n clusters as arrays; a network sees these and nothing else.

    Attributes
    ----------
    counts : ndarray, shape (n, n_channel, n_y, n_x)
        Photons.
    scalars : ndarray of float32, shape (n, n_scalar)
        ln of observables.
    redshift : ndarray of float32, shape (n,)
        For the scaling of images as in the study.
    cube : ndarray of float32, shape (n, n_v, n_y, n_x)
        Density of galaxies; of size 0 where they are not looked at.
    rates : ndarray of float32, shape (n, n_origin, n_channel, n_y, n_x)
        Noise-free counts by origin; of size 0 unless photons are drawn anew.
    """

    counts: Any
    scalars: Any
    redshift: Any
    cube: Any
    rates: Any


@dataclass(frozen=True)
class Reader:
    """Reads inputs from a catalog; it can be sent to other processes.

    Attributes
    ----------
    catalog : Catalog
    inputs : Inputs
    rates : bool
        Whether to read noise-free images in place of counts.
    thinning : float or None
        d log10 N / dz of counts, by which images are thinned to what a photon weighs at
        `z_reference`; None for all photons.
    z_reference : float
        Largest redshift of the sample, where nothing is thinned.
    seed : int
        Of the thinning.
    """

    catalog: Catalog
    inputs: Inputs
    rates: bool = False
    thinning: float | None = None
    z_reference: float = 0.0
    seed: int = 0

    def read(self, rows: NDArray[np.int64]) -> Clusters:
        """Return the inputs of `rows`, shape (n,), in this order.

        Raises
        ------
        InputError
            If an observable is not known for one of them.
        """
        redshift = self.catalog.column("redshift")[rows]
        shape = (len(rows), *_shape(self.inputs))
        empty = np.empty((len(rows), 0), np.float32)
        if self.rates:
            counts = np.zeros(shape, np.uint16)
            rates = self._channels(
                self.catalog.expectations(
                    rows, self.inputs.band_names, self.inputs.origins, apart=True
                )
            )
        else:
            counts, rates = self._counts(rows, redshift), empty
        cube = (
            empty
            if self.inputs.cube is None
            else galaxy_cubes(self.catalog, rows, self.inputs.cube)
        )
        return Clusters(counts, self._scalars(rows), redshift.astype(np.float32), cube, rates)

    def _counts(self, rows: NDArray[np.int64], redshift: NDArray[Any]) -> NDArray[Any]:
        images = self._images(rows)
        if self.thinning is not None:
            for image, row, z in zip(images, rows.tolist(), redshift, strict=True):
                kept = min(10.0 ** (self.thinning * (self.z_reference - z)), 1.0)
                rng = np.random.default_rng([_THINNING, self.seed, row])
                image[...] = rng.binomial(image, kept)
        return self._channels(images)

    def _images(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return photons by band as the catalog has them, shape (n, n_band, y, x)."""
        return self.catalog.images(rows, self.inputs.band_names, self.inputs.origins)

    def _channels(self, maps: NDArray[Any]) -> NDArray[Any]:
        """Add bands to channels and pixels to larger ones; axes before the last three stay."""
        names = list(self.inputs.band_names)
        wanted = [[names.index(name) for name, _, _ in c.bands] for c in self.inputs.channels]
        return add_up(maps, wanted, self.inputs.rebinning(self.catalog.spec))

    def _scalars(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        columns = [_logarithm(self.catalog, name)[rows] for name in self.inputs.scalars]
        result = np.stack(columns, axis=1) if columns else np.empty((len(rows), 0))
        unknown = ~np.isfinite(result).all(axis=0)
        if unknown.any():
            name = self.inputs.scalars[int(np.argmax(unknown))]
            raise InputError(
                f"{self.catalog.path}: must know {name} of every cluster, above 0; "
                f"{np.sum(~np.isfinite(result).all(axis=1))} of {len(rows)} are not known. Leave "
                "them out, or leave it out of the inputs."
            )
        return result.astype(np.float32)


@dataclass(frozen=True)
class HeldReader:
    """Inputs of all rows of a catalog, held in memory."""

    held: Clusters

    def read(self, rows: NDArray[np.int64]) -> Clusters:
        """Return the inputs of `rows`, shape (n,), in this order."""
        return Clusters(*(part[rows] for part in self.held))


def reader_of(reader: Reader, memory_gb: float) -> Reader | HeldReader:
    """Return a `reader` that holds all rows in memory if they fit into `memory_gb`."""
    n, inputs = len(reader.catalog), reader.inputs
    cells = 0 if inputs.cube is None else inputs.cube.n**3
    pixels = int(np.prod(_shape(inputs)))
    origins = len(reader.catalog.spec.origin_indices(inputs.origins)) if reader.rates else 0
    size = n * (pixels * (2 + 4 * origins) + 4 * cells)
    if size > memory_gb * 1e9:
        return reader
    parts = []
    for start in range(0, n, _BATCH):
        part = reader.read(np.arange(start, min(start + _BATCH, n)))
        if part.counts.max(initial=0) <= np.iinfo(np.uint16).max:
            part = part._replace(counts=part.counts.astype(np.uint16))
        parts.append(part)
    return HeldReader(Clusters(*(np.concatenate(column) for column in zip(*parts, strict=True))))


def thinning_slope(catalog: Catalog, rows: NDArray[np.int64]) -> float:
    """Return d log10 N / dz of photons of `rows` of `catalog`, shape (n,), by least squares.

    It is by this slope that Ho et al. 2023 (arXiv 2303.00005) scale images.
    """
    counts = np.maximum(catalog.column("n_phot")[rows], 1)
    return float(np.polyfit(catalog.column("redshift")[rows], np.log10(counts), 1)[0])


def _logarithm(catalog: Catalog, name: str) -> NDArray[np.float64]:
    values = catalog.column(name)
    if values.dtype.kind in "iu":
        return np.log1p(np.where(values >= 0, values, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(values))


def _shape(inputs: Inputs) -> tuple[int, int, int]:
    return len(inputs.channels), inputs.n_y, inputs.n_x
