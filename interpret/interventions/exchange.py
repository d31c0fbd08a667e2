"""What other clusters lend: the core that they have on average, or the gas of one of them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from icmass.bootstrap import haloes_of
from icmass.catalog import Catalog, CatalogSpec
from icmass.errors import InputError
from icmass.interpret.interventions.changes import PhotonChange, key_places, key_tuples, thin
from icmass.interpret.interventions.geometry import pixel_radii_kpc, within
from icmass.interpret.regions import kpc_per_arcsec

__all__ = ["MeanCore", "SwapGas"]

_ICM: Final = "icm"
_ROUNDING: Final = 1e-6
_FEWEST: Final = 30  # photons outside the core of clusters that the mean core is made of


@dataclass(frozen=True)
class MeanCore(PhotonChange):
    """The gas of the core is replaced by a draw of the mean core of a sample.

    A core pixel expects the cluster's own gas photons from the core's edge to R500c, all bands
    together, times the mean profile at its radius, times its area. Outside nothing changes.

    Attributes
    ----------
    radius_r500c : float
        Of the core, in the true R500c.
    profile : tuple of tuples of float
        For each band and each of the bins, evenly spaced in radius: photons per R500c^2 over those
        outside the core.
    seed : int
    """

    radius_r500c: float
    profile: tuple[tuple[float, ...], ...]
    seed: int = 0

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        radius_r500c: float = 0.15,
        *,
        n_bins: int = 5,
        seed: int = 0,
        batch_size: int = 128,
    ) -> Self:
        """Measure the mean core of a catalog.

        Each cluster counts as much as the next: the mean is of their ratios. Those with fewer than
        30 gas photons outside the core are left out, as their ratio says nothing.

        Parameters
        ----------
        catalog : Catalog
        radius_r500c : float
            Of the core, above 0 and below 1.
        n_bins, seed, batch_size : int

        Raises
        ------
        InputError
            If gas was not kept apart, or there is no such cluster with a pixel in its core.
        """
        if not 0.0 < radius_r500c < 1.0:
            raise InputError(f"radius_r500c: must be above 0 and below 1; got {radius_r500c}.")
        spec = catalog.spec
        total = np.zeros((len(spec.bands), n_bins))
        number = np.zeros(n_bins)
        all_rows = catalog.rows()
        for start in range(0, len(catalog), batch_size):
            places = np.arange(start, min(start + batch_size, len(catalog)))
            rows, counts = all_rows[places], catalog.images(places, origins=(_ICM,), apart=True)
            outside = _outside(counts, rows, spec, radius_r500c, (0,))
            bins = _bins(rows, spec, radius_r500c, n_bins)
            area = _pixel_area(rows, spec)
            for k in np.flatnonzero(outside >= _FEWEST):
                inner = bins[k] >= 0
                size = np.bincount(bins[k][inner], minlength=n_bins)
                seen = size > 0
                for band, image in enumerate(counts[k, 0]):
                    held = np.bincount(bins[k][inner], image[inner], minlength=n_bins)
                    total[band, seen] += held[seen] / (size[seen] * area[k] * outside[k])
                number += seen
        found = np.flatnonzero(number)
        if not len(found):
            raise InputError(
                f"{catalog.path}: must hold clusters with {_FEWEST} photons of gas in "
                f"{radius_r500c:g}-1 R500c and the centre of a pixel inside; got none. Give a "
                "larger radius, or leave the mean core out."
            )
        # No cluster has a pixel in the other bins: what the nearest holds stands there.
        nearest = np.abs(np.arange(n_bins)[:, None] - found).argmin(axis=1)
        mean = (total[:, found] / number[found])[:, nearest]
        return cls(radius_r500c, tuple(map(tuple, mean.tolist())), seed)

    @override
    def images(self, counts: NDArray[Any], rows: NDArray[np.void], spec: CatalogSpec) -> Any:
        """Return counts with the other core.

        Raises
        ------
        InputError
            If there are not as many profiles as bands, or gas is not kept apart.
        """
        if len(self.profile) != len(spec.bands):
            raise InputError(
                f"profile: must be one for each of the {len(spec.bands)} bands; "
                f"got {len(self.profile)}."
            )
        (icm,) = places = spec.origin_indices((_ICM,))
        outside = _outside(counts, rows, spec, self.radius_r500c, places)
        bins = _bins(rows, spec, self.radius_r500c, len(self.profile[0]))
        area = _pixel_area(rows, spec)
        profile = np.array(self.profile)
        for k, rng in enumerate(self.generators(rows)):
            inner = bins[k] >= 0
            expected = outside[k] * area[k] * profile[:, bins[k][inner]]
            counts[k, icm][:, inner] = rng.poisson(expected)
        return counts


@dataclass(frozen=True)
class SwapGas(PhotonChange):
    """The gas of each cluster is replaced by that of another.

    It is seen as the other was, with its absorption; where the other was exposed longer its photons
    are thinned to the cluster's own exposure.

    Attributes
    ----------
    catalog : Catalog
        Of those that lend.
    fingerprint : str
        Of that catalog.
    keys : tuple of tuples of int
        The key of each cluster that gets other gas.
    partners : tuple of int
        The row of that catalog that each gets it from.
    seed : int
        Of the thinning.
    """

    catalog: Catalog = field(repr=False, compare=False)
    fingerprint: str
    keys: tuple[tuple[int, ...], ...]
    partners: tuple[int, ...]
    seed: int = 0

    @classmethod
    def nearest(cls, catalog: Catalog, seed: int = 0, group: NDArray[Any] | None = None) -> Self:
        """Pair each cluster with the nearest in redshift that is of another halo.

        Where several are as near, which is one of them is random. A cluster is only paired with one
        that was exposed as long or longer; where there is none it keeps its gas.

        Parameters
        ----------
        catalog : Catalog
            Those that are changed, and that lend.
        seed : int
        group : ndarray of int, shape (n,), optional
            Pairs are only made within a group, such as the clusters that one network judges.
        """
        redshift, exposure = catalog.column("redshift"), catalog.column("exposure_s")
        halo = haloes_of(catalog)
        of = np.zeros(len(catalog), np.int64) if group is None else np.asarray(group)
        partners = np.arange(len(catalog))
        shuffled = np.random.default_rng([seed, len(catalog)]).permutation(len(catalog))
        for one in np.unique(of):
            order = shuffled[of[shuffled] == one]
            order = order[np.argsort(redshift[order], kind="stable")]
            partners[order] = order[_neighbours(redshift[order], exposure[order], halo[order])]
        return cls(
            catalog,
            catalog.fingerprint(),
            key_tuples(catalog.rows()),
            tuple(partners.tolist()),
            seed,
        )

    @override
    def images(self, counts: NDArray[Any], rows: NDArray[np.void], spec: CatalogSpec) -> Any:
        """Return counts with the other gas.

        Raises
        ------
        InputError
            If a cluster has no partner, or gas is not kept apart.
        """
        (icm,) = spec.origin_indices((_ICM,))
        partner = self.partner_of(rows)
        counts[:, icm] = self.catalog.images(partner, spec.band_names, (_ICM,), dtype=counts.dtype)
        part = rows["exposure_s"] / self.catalog.column("exposure_s")[partner]
        for k, rng in enumerate(self.generators(rows)):
            if part[k] < 1.0:
                thin(counts[k, icm], part[k], rng)
        return counts

    def partner_of(self, rows: NDArray[np.void]) -> NDArray[np.int64]:
        """Return the row of `catalog` that each of `rows` gets its gas from, shape (n,).

        Raises
        ------
        InputError
            If a cluster has no partner.
        """
        return np.array(self.partners, np.int64)[key_places(self._place, rows)]

    @cached_property
    def _place(self) -> dict[tuple[int, ...], int]:
        return {key: place for place, key in enumerate(self.keys)}


def _neighbours(
    redshift: NDArray[Any], exposure: NDArray[Any], halo: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the place of the nearest of another halo that is exposed as long; or its own.

    Redshifts ascend, so that few have to be looked at.
    """
    n = len(redshift)
    result = np.arange(n)
    for place in range(n):
        longest = exposure[place] * (1.0 - _ROUNDING)
        below, above = place - 1, place + 1
        while below >= 0 or above < n:
            gap_below = redshift[place] - redshift[below] if below >= 0 else np.inf
            gap_above = redshift[above] - redshift[place] if above < n else np.inf
            if gap_above <= gap_below:
                found, above = above, above + 1
            else:
                found, below = below, below - 1
            if halo[found] != halo[place] and exposure[found] >= longest:
                result[place] = found
                break
    return result


def _outside(
    counts: NDArray[Any],
    rows: NDArray[np.void],
    spec: CatalogSpec,
    radius_r500c: float,
    places: Any,
) -> NDArray[np.float64]:
    """Return gas photons between the core and R500c, all bands together, shape (n,)."""
    ring = within(rows, spec, r500c=1.0) & ~within(rows, spec, r500c=radius_r500c)
    gas = counts[:, places].sum(axis=(1, 2), dtype=np.float64)
    return np.asarray((gas * ring).sum(axis=(1, 2)))


def _bins(
    rows: NDArray[np.void], spec: CatalogSpec, radius_r500c: float, n_bins: int
) -> NDArray[np.int64]:
    """Return the bin of each pixel, shape (n, n_y, n_x); -1 outside the core."""
    edge = radius_r500c * rows["r500c_kpc"]
    part = pixel_radii_kpc(rows, spec) / edge[:, None, None]
    return np.where(part <= 1.0, np.minimum(part * n_bins, n_bins - 1).astype(np.int64), -1)


def _pixel_area(rows: NDArray[np.void], spec: CatalogSpec) -> NDArray[np.float64]:
    """Return the area of a pixel, shape (n,), R500c^2."""
    side = np.full(len(rows), spec.geometry.pixel)
    if spec.geometry.unit == "arcsec":
        side *= kpc_per_arcsec(rows["redshift"])
    return np.asarray((side / rows["r500c_kpc"]) ** 2)
