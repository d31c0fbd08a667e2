"""Changes of photons of one cluster: without AGN, without a core, less exposed, made round.

Nothing here needs other clusters than the one that is changed, but for the control in which masses
are dealt anew. A pixel belongs to where its centre lies. What an observer would have counted in
the photons is not known of changed ones: such columns are given as -1 or NaN.

Bands may overlap, so that a photon counts in several. Where numbers are drawn each band has its
own, as if no photon were in two of them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from icmass.catalog import KEY, Catalog, CatalogSpec, Change
from icmass.errors import InputError
from icmass.interpret.interventions.geometry import within

__all__ = [
    "AverageAzimuth",
    "Background",
    "DoubleOrigin",
    "Exposure",
    "PhotonChange",
    "RemoveCore",
    "RemoveOrigin",
    "RemoveOutskirts",
    "RotateOutskirts",
    "ShuffleMasses",
    "key_places",
    "key_tuples",
    "thin",
]

Counts = NDArray[Any]
Rows = NDArray[np.void]

_EXPOSURES: Final = ("exposure_s", "exposure_vignetted_s")
_FULL_TURN: Final = 4


class PhotonChange(Change):
    """A change after which columns that are counted in the photons are not known."""

    #: How the names of these columns begin.
    counted: ClassVar[tuple[str, ...]] = ("n_phot", "n_background", "detection_", "extent_")

    @override
    def columns(self, rows: Rows) -> Rows:
        """Return rows without what was counted: -1 and NaN in its place."""
        for name in rows.dtype.names or ():
            if name.startswith(self.counted):
                rows[name] = -1 if rows.dtype[name].kind in "iu" else np.nan
        return rows


@dataclass(frozen=True)
class RemoveOrigin(PhotonChange):
    """All photons of an origin are left out.

    Attributes
    ----------
    origin : str
    """

    origin: str

    @override
    def images(self, counts: Counts, rows: Rows, spec: CatalogSpec) -> Counts:
        """Return counts without those of the origin."""
        counts[:, spec.origin_indices((self.origin,))] = 0
        return counts


@dataclass(frozen=True)
class DoubleOrigin(PhotonChange):
    """Each photon of an origin is there twice: every AGN is twice as bright where it is.

    Of a source of n photons 2 n are seen. This is the right expectation and no draw of it: the
    number scatters by twice the square root of n, where a draw would by 1.4 times that.

    Attributes
    ----------
    origin : str
    """

    origin: str

    @override
    def images(self, counts: Counts, rows: Rows, spec: CatalogSpec) -> Counts:
        """Return counts with those of the origin doubled."""
        counts[:, spec.origin_indices((self.origin,))] *= 2
        return counts


@dataclass(frozen=True)
class _Cut(PhotonChange):
    """What lies on one side of a circle about the centre is left out."""

    radius_r500c: float | None = None
    radius_kpc: float | None = None
    origins: tuple[str, ...] = ()

    _inside: ClassVar[bool]

    def __post_init__(self) -> None:
        given = [r for r in (self.radius_r500c, self.radius_kpc) if r is not None]
        if len(given) != 1 or not 0.0 < given[0] < np.inf:
            raise InputError(
                "radius: must be one of radius_r500c and radius_kpc, above 0 and finite; got "
                f"{self.radius_r500c} R500c and {self.radius_kpc} kpc. Give one."
            )

    @override
    def images(self, counts: Counts, rows: Rows, spec: CatalogSpec) -> Counts:
        """Return counts without those of the pixels that are cut away."""
        inside = within(rows, spec, r500c=self.radius_r500c, kpc=self.radius_kpc)
        kept = (inside != self._inside)[:, None]
        for origin in spec.origin_indices(self.origins or None):
            counts[:, origin] *= kept
        return counts


@dataclass(frozen=True)
class RemoveCore(_Cut):
    """Photons inside a circle about the centre are left out.

    Attributes
    ----------
    radius_r500c, radius_kpc : float, optional
        Radius of the circle, of which one is given. The true R500c holds the mass: a network that
        is trained on holes of it reads the mass off the hole. For trainings give kpc.
    origins : tuple of str
        Of the photons that are left out; all where none are named.
    """

    _inside = True


@dataclass(frozen=True)
class RemoveOutskirts(_Cut):
    """Photons outside a circle about the centre are left out.

    Attributes
    ----------
    radius_r500c, radius_kpc : float, optional
        Radius of the circle, of which one is given. The true R500c holds the mass: a network that
        is trained on discs of it reads the mass off the disc. For trainings give kpc.
    origins : tuple of str
        Of the photons that are left out; all where none are named.
    """

    _inside = False


@dataclass(frozen=True)
class RotateOutskirts(PhotonChange):
    """What lies outside a circle is turned by right angles about the centre, from north to east.

    Radial profiles stay as they are, and what the core tells of the shape of the rest does not.

    Attributes
    ----------
    radius_r500c : float
        Radius of the circle, in the true R500c.
    quarter_turns : int
        1 to 3. Images that are not square can be turned by 2.
    """

    radius_r500c: float = 0.5
    quarter_turns: int = 2

    counted = ("n_phot_500", "n_phot_icm_500", "n_phot_agn_500", "detection_", "extent_")

    def __post_init__(self) -> None:
        if not 0.0 <= self.radius_r500c < np.inf:
            raise InputError(f"radius_r500c: must be at least 0; got {self.radius_r500c}.")
        if self.quarter_turns not in range(1, _FULL_TURN):
            raise InputError(f"quarter_turns: must be 1, 2 or 3; got {self.quarter_turns}.")

    @override
    def images(self, counts: Counts, rows: Rows, spec: CatalogSpec) -> Counts:
        """Return counts with the outer pixels turned.

        Raises
        ------
        InputError
            If images that are not square would have to lie on their side.
        """
        geometry = spec.geometry
        if geometry.n_y != geometry.n_x and self.quarter_turns % 2:
            raise InputError(
                f"quarter_turns: must be 2 for images of {geometry.n_y} x {geometry.n_x} pixels; "
                f"got {self.quarter_turns}."
            )
        # Rows grow to the north, columns to the west.
        turned = np.rot90(counts, -self.quarter_turns, axes=(-2, -1))
        inside = within(rows, spec, r500c=self.radius_r500c)
        return np.where(inside[:, None, None], counts, turned)


@dataclass(frozen=True)
class Background(PhotonChange):
    """The background is another: absent, fainter or up to twice as bright.

    What is added is the background itself, moved by half the image in both directions around its
    edges. Survey backgrounds are flat, so this is a draw of the same expectation; and it is another
    draw for any disc about the centre whose radius is less than a third of the image.

    Attributes
    ----------
    factor : float
        0 to 2.
    seed : int
        Of the thinning to factors between whole numbers.
    """

    factor: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.factor <= 2.0:
            raise InputError(f"background factor: must be 0 to 2; got {self.factor}.")

    @override
    def images(self, counts: Counts, rows: Rows, spec: CatalogSpec) -> Counts:
        """Return counts with the other background."""
        (place,) = spec.origin_indices(("background",))
        was = counts[:, place]
        n_y, n_x = was.shape[-2:]
        added = np.roll(was, (n_y // 2, n_x // 2), axis=(-2, -1)) if self.factor > 1.0 else was
        part = self.factor - 1.0 if self.factor > 1.0 else self.factor
        for image, rng in zip(added, self.generators(rows), strict=True):
            thin(image, part, rng)
        if self.factor > 1.0:
            was += added
        return counts


@dataclass(frozen=True)
class Exposure(PhotonChange):
    """All is less exposed: each photon is kept with the same chance.

    Attributes
    ----------
    factor : float
        The part of the exposure that is kept, above 0 and at most 1.
    seed : int
    """

    factor: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.factor <= 1.0:
            raise InputError(f"exposure factor: must be above 0 and at most 1; got {self.factor}.")

    @override
    def images(self, counts: Counts, rows: Rows, spec: CatalogSpec) -> Counts:
        """Return thinned counts."""
        for image, rng in zip(counts, self.generators(rows), strict=True):
            thin(image, self.factor, rng)
        return counts

    @override
    def columns(self, rows: Rows) -> Rows:
        """Return rows with the exposure that is kept."""
        for name in _EXPOSURES:
            if name in (rows.dtype.names or ()):
                rows[name] *= self.factor
        return super().columns(rows)


@dataclass(frozen=True)
class AverageAzimuth(PhotonChange):
    """Clusters are made round: photons of each ring are dealt over its pixels at random.

    Rings are one pixel wide about the image centre; each pixel of a ring is as likely as the next.
    The number of photons of every ring, origin and band stays.

    Attributes
    ----------
    seed : int
    """

    seed: int = 0

    counted = ("n_phot_500", "n_phot_icm_500", "n_phot_agn_500", "detection_", "extent_")

    @override
    def images(self, counts: Counts, rows: Rows, spec: CatalogSpec) -> Counts:
        """Return round counts."""
        ring = np.floor(spec.geometry.radius() / spec.geometry.pixel).astype(np.int64).ravel()
        members = np.argsort(ring, kind="stable")
        size = np.bincount(ring)
        start = np.cumsum(size) - size
        n_pixel = ring.size
        for image, rng in zip(counts, self.generators(rows), strict=True):
            flat = image.reshape(-1)
            lit = np.flatnonzero(flat)
            layer, pixel = np.divmod(np.repeat(lit, flat[lit]), n_pixel)
            of = ring[pixel]
            dealt = members[start[of] + rng.integers(size[of])]
            image[...] = np.bincount(layer * n_pixel + dealt, minlength=flat.size).reshape(
                image.shape
            )
        return counts


@dataclass(frozen=True)
class ShuffleMasses(Change):
    """Masses are dealt anew among clusters, a control: nothing is left that could be learnt.

    Attributes
    ----------
    keys : tuple of tuples of int
        The key of each cluster.
    masses_msun : tuple of float
        The mass that it is given.
    """

    keys: tuple[tuple[int, ...], ...]
    masses_msun: tuple[float, ...]

    @classmethod
    def of(cls, catalog: Catalog, seed: int = 0) -> Self:
        """Return masses of `catalog` in a random order; all other truth stays where it is.

        The order is that of `seed`.
        """
        mass = np.random.default_rng([seed, len(catalog)]).permutation(catalog.column("m500c_msun"))
        return cls(key_tuples(catalog.rows()), tuple(mass.tolist()))

    @override
    def columns(self, rows: Rows) -> Rows:
        """Return rows with other masses.

        Raises
        ------
        InputError
            If a cluster has none.
        """
        rows["m500c_msun"] = np.array(self.masses_msun)[key_places(self._place, rows)]
        return rows

    @cached_property
    def _place(self) -> dict[tuple[int, ...], int]:
        return {key: place for place, key in enumerate(self.keys)}


def thin(image: Counts, part: float, rng: np.random.Generator) -> None:
    """Keep each photon with the same chance, in place.

    Parameters
    ----------
    image : ndarray of unsigned int, any shape
        Photons.
    part : float
        The chance, 0 to 1.
    rng : numpy Generator
    """
    lit = image > 0
    image[lit] = rng.binomial(image[lit], part)


def key_tuples(rows: Rows) -> tuple[tuple[int, ...], ...]:
    """Return the key of each of `rows`."""
    return tuple(map(tuple, np.stack([rows[name] for name in KEY], axis=1).tolist()))


def key_places(place: dict[tuple[int, ...], int], rows: Rows) -> NDArray[np.int64]:
    """Return where the clusters of `rows` stand in a table, shape (n,).

    `place` gives the place of each key.

    Raises
    ------
    InputError
        If one is not in it.
    """
    found = [place.get(key, -1) for key in key_tuples(rows)]
    if -1 in found:
        key = "/".join(map(str, key_tuples(rows)[found.index(-1)]))
        raise InputError(
            f"change: must be made for each cluster that it is given; {key} is not among its "
            f"{len(place)}. Make it of the catalog that is changed."
        )
    return np.array(found, np.int64)
