"""One AGN more: a point source put beside the centre of every cluster, as a telescope shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from icmass.catalog import Catalog, CatalogSpec
from icmass.errors import InputError
from icmass.interpret.interventions.changes import PhotonChange
from icmass.interpret.interventions.geometry import within
from icmass.interpret.regions import kpc_per_arcsec

__all__ = ["SOURCES", "EncircledEnergy", "PutAgn", "agn_shares"]

#: Origins of what is seen of a cluster, without what lies before and behind it.
SOURCES: Final = ("icm", "agn")

_AGN: Final = "agn"
_ROUNDING: Final = 1e-6


@dataclass(frozen=True)
class EncircledEnergy:
    """A round point-spread function: which part of the photons falls within which radius.

    Between two radii of the table the density is the same everywhere.

    Attributes
    ----------
    radius_arcsec : tuple of float
        From 0, ascending.
    share : tuple of float
        From 0 to 1, not descending.
    """

    radius_arcsec: tuple[float, ...]
    share: tuple[float, ...]

    def __post_init__(self) -> None:
        radius, share = np.array(self.radius_arcsec), np.array(self.share)
        right = (
            len(radius) == len(share) > 1
            and radius[0] == 0.0
            and bool((np.diff(radius) > 0.0).all())
            and np.isfinite(radius[-1])
            and share[0] == 0.0
            and bool((np.diff(share) >= 0.0).all())
            and abs(share[-1] - 1.0) <= _ROUNDING
        )
        if not right:
            raise InputError(
                "psf: must have ascending radii from 0 and shares from 0 to 1, as many of each; "
                f"got {len(radius)} radii to {radius[-1:]} arcsec and {len(share)} shares to "
                f"{share[-1:]}. Give the encircled energy out to where nothing is missing."
            )

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return radii of `n` photons by the generator `rng`, arcsec, shape (n,)."""
        area = np.interp(rng.random(n), self.share, np.square(self.radius_arcsec))
        return np.sqrt(area)


@dataclass(frozen=True)
class PutAgn(PhotonChange):
    """A point source beside the centre, at a random azimuth that is the cluster's own.

    The number of its photons is a Poisson draw about what gas and AGN have inside the true
    projected R500c, times the brightness; each photon falls by itself, at its distance and
    direction from the source, so that pixels hold what the point-spread function has in them. What
    falls off the image is lost. Off-axis growth of the point-spread function is left out.

    Attributes
    ----------
    radius_r500c : float
        Distance from the image centre, in the true R500c.
    psf : EncircledEnergy
    shares : tuple of float
        Part of its photons in each band of the catalog (`agn_shares`).
    brightness : float
        Its photons over those of gas and AGN in R500c, in all bands together. Photons of bands that
        overlap count in each, here as there.
    seed : int
    """

    radius_r500c: float
    psf: EncircledEnergy
    shares: tuple[float, ...]
    brightness: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("radius_r500c", "brightness"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise InputError(
                    f"{name}: must be at least 0 and finite; got {getattr(self, name)}."
                )
        if not (min(self.shares, default=-1.0) >= 0.0 and abs(sum(self.shares) - 1.0) < _ROUNDING):
            raise InputError(
                f"shares: must be at least 0 and add up to 1, one for each band; got {self.shares}."
            )

    @override
    def images(self, counts: NDArray[Any], rows: NDArray[np.void], spec: CatalogSpec) -> Any:
        """Return counts with the source among the AGN.

        Raises
        ------
        InputError
            If there are not as many shares as bands, or gas or AGN are not kept apart.
        """
        if len(self.shares) != len(spec.bands):
            raise InputError(
                f"shares: must be one for each of the {len(spec.bands)} bands; "
                f"got {len(self.shares)}."
            )
        (agn,) = spec.origin_indices((_AGN,))
        expected = self.brightness * source_photons(counts, rows, spec).sum(axis=1)
        unit = kpc_per_arcsec(rows["redshift"])  # of the image, per arcsec
        distance = self.radius_r500c * rows["r500c_kpc"]
        if spec.geometry.unit == "arcsec":
            distance, unit = distance / unit, np.ones(len(rows))
        for k, rng in enumerate(self.generators(rows)):
            azimuth = rng.uniform(0.0, 2.0 * np.pi)
            east, north = distance[k] * np.sin(azimuth), distance[k] * np.cos(azimuth)
            for band, number in enumerate(rng.poisson(expected[k] * np.array(self.shares))):
                radius = unit[k] * self.psf.draw(number, rng)
                angle = rng.uniform(0.0, 2.0 * np.pi, number)
                add_photons(
                    counts[k, agn, band],
                    *spec.geometry.pixel_of(
                        east + radius * np.sin(angle), north + radius * np.cos(angle)
                    ),
                )
        return counts


def add_photons(image: NDArray[Any], row: NDArray[Any], column: NDArray[Any]) -> None:
    """Add photons at places in pixels, whose centres are whole, in place; those outside are lost.

    Parameters
    ----------
    image : ndarray of int, shape (n_y, n_x)
    row, column : ndarray of float, shape (n,)
    """
    n_y, n_x = image.shape
    y, x = (np.floor(place + 0.5).astype(np.int64) for place in (row, column))
    inside = (y >= 0) & (y < n_y) & (x >= 0) & (x < n_x)
    added = np.bincount(y[inside] * n_x + x[inside], minlength=n_y * n_x)
    image += added.reshape(n_y, n_x).astype(image.dtype)


def source_photons(
    counts: NDArray[Any],
    rows: NDArray[np.void],
    spec: CatalogSpec,
    origins: Sequence[str] = SOURCES,
    radius_r500c: float = 1.0,
) -> NDArray[np.float64]:
    """Return photons of origins inside a projected radius by band, shape (n, n_band).

    Parameters
    ----------
    counts : ndarray, shape (n, n_origin, n_band, n_y, n_x)
    rows : structured ndarray, shape (n,)
    spec : CatalogSpec
    origins : sequence of str
        Gas and AGN by default.
    radius_r500c : float
        In the true R500c; pixels belong to where their centre lies.

    Raises
    ------
    InputError
        If an origin was not kept apart.
    """
    places = spec.origin_indices(origins)
    inside = within(rows, spec, r500c=radius_r500c)
    chosen = counts[:, places].sum(axis=1, dtype=np.float64)
    total: NDArray[np.float64] = np.einsum("nbyx,nyx->nb", chosen, inside.astype(np.float64))
    return total


def agn_shares(catalog: Catalog, batch_size: int = 128) -> tuple[float, ...]:
    """Return the part of the AGN photons of `catalog` in each band; they add up to 1.

    Images are read in batches of `batch_size` clusters.

    Raises
    ------
    InputError
        If AGN were not kept apart, or there is no photon of one.
    """
    total = np.zeros(len(catalog.spec.bands))
    for start in range(0, len(catalog), batch_size):
        rows = np.arange(start, min(start + batch_size, len(catalog)))
        total += catalog.images(rows, origins=(_AGN,)).sum(axis=(0, 2, 3), dtype=np.float64)
    if not total.sum() > 0.0:
        raise InputError(
            f"{catalog.path}: must hold photons of AGN, which tell their colour; got none. Leave "
            "AGN that are put in out."
        )
    return tuple((total / total.sum()).tolist())
