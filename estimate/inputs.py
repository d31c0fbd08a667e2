"""What an estimator sees of a cluster: image channels, galaxies, observables.

An `Inputs` is made once, from what the user asks for and what the catalog of the training part
holds. It stands in the run, and says of any other catalog whether it can be looked at.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from icmass.catalog import COLUMNS, CatalogSpec, Column
from icmass.errors import InputError
from icmass.estimate.galaxy_cube import CubeGeometry
from icmass.names import nearest

__all__ = ["ALL_BANDS", "EACH_BAND", "GALAXIES", "Channel", "Inputs"]

ALL_BANDS: Final = "all"
_NO_NUMBERS: Final = ("?", "u4")
EACH_BAND: Final = "bands"
GALAXIES: Final = "galaxies"


@dataclass(frozen=True)
class Channel:
    """One image: the sum of bands, each (name, lo, hi) in keV."""

    name: str
    bands: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Inputs:
    """What a network is given of each cluster.

    Attributes
    ----------
    channels : tuple of Channel
        Image channels, in this order.
    origins : tuple of str or None
        Origins of the photons; None for all that there are.
    n_y, n_x : int
        Pixels of the images.
    pixel : float
        Side of a pixel, in `unit`.
    unit : str
        kpc or arcsec.
    scalars : tuple of str
        Observable columns, given as ln (counts as ln(n + 1)).
    cube : CubeGeometry or None
        Of the density of galaxies; None where they are not looked at.
    """

    channels: tuple[Channel, ...]
    origins: tuple[str, ...] | None
    n_y: int
    n_x: int
    pixel: float
    unit: str
    scalars: tuple[str, ...]
    cube: CubeGeometry | None = None

    @classmethod
    def resolve(
        cls,
        wanted: Sequence[str],
        spec: CatalogSpec,
        *,
        origins: Sequence[str] | None = None,
        pixels: int | None = None,
        cube_cells: int = 64,
    ) -> "Inputs":
        """Find what a user asks for in a catalog.

        Parameters
        ----------
        wanted : sequence of str
            Channels (a band, bands joined by ``+``, ``bands`` for each, ``all`` for their sum),
            ``galaxies``, and names of observable columns.
        spec : CatalogSpec
            Of the catalog.
        origins : sequence of str, optional
            All by default.
        pixels : int, optional
            Pixels on each side, which must divide those of the catalog; as there by default.
        cube_cells : int
            Cells on each side of the galaxy cube.

        Raises
        ------
        InputError
            If the catalog does not have it, no channel is wanted, or one is wanted twice.
        """
        channels: list[Channel] = []
        scalars: list[str] = []
        cube = None
        for name in wanted:
            if name == GALAXIES:
                _require_galaxies(spec)
                cube = _cube(spec, cube_cells)
            elif name == EACH_BAND:
                channels += [_channel(band, spec) for band in spec.band_names]
            elif name == ALL_BANDS or name in spec.band_names or "+" in name:
                channels.append(_channel(name, spec))
            else:
                scalars.append(_observable(name, spec))
        if not channels:
            raise InputError(
                "inputs: must hold an image channel: bands, all, or names of bands; got "
                f"{', '.join(wanted)}."
            )
        _require_different(channels)
        listed = None if origins is None else tuple(origins)
        places = spec.origin_indices(listed)
        if len(set(places)) < len(places):
            raise InputError(f"origins: must name each origin once; got {', '.join(listed or ())}.")
        factor = _rebinning(spec, pixels)
        return cls(
            tuple(channels),
            listed,
            spec.geometry.n_y // factor,
            spec.geometry.n_x // factor,
            spec.geometry.pixel * factor,
            spec.geometry.unit,
            tuple(dict.fromkeys(scalars)),
            cube,
        )

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of all bands that are read."""
        return tuple(dict.fromkeys(name for c in self.channels for name, _, _ in c.bands))

    def rebinning(self, spec: CatalogSpec) -> int:
        """Return how many pixels on a side of a catalog of this `spec` make one of these."""
        return max(round(self.pixel / spec.geometry.pixel), 1)

    def require(self, spec: CatalogSpec, what: str) -> None:
        """Refuse a catalog that does not hold the same inputs.

        Parameters
        ----------
        spec : CatalogSpec
            Of the catalog.
        what : str
            Its name in the message.

        Raises
        ------
        InputError
            Naming the first difference, what was expected and what was found.
        """
        of = {band.name: (band.lo_kev, band.hi_kev) for band in spec.bands}
        for channel in self.channels:
            for name, low, high in channel.bands:
                if of.get(name) != (low, high):
                    found = ", ".join(f"{n} {lo:g}-{hi:g}" for n, (lo, hi) in of.items())
                    raise InputError(
                        f"{what}: must have the band {name} {low:g}-{high:g} keV of the estimator; "
                        f"got {found}. Simulate it with the same bands."
                    )
        _require_geometry(self, spec, what)
        if self.origins is not None:
            spec.origin_indices(self.origins)
        for name in self.scalars:
            _observable(name, spec)
        if self.cube is not None:
            _require_galaxies(spec, what)

    def to_dict(self) -> dict[str, Any]:
        """Return what a run holds, in values that JSON can hold."""
        return {
            "channels": [
                {
                    "name": c.name,
                    "bands": [[n, lo, hi if math.isfinite(hi) else None] for n, lo, hi in c.bands],
                }
                for c in self.channels
            ],
            "origins": None if self.origins is None else list(self.origins),
            "n_y": self.n_y,
            "n_x": self.n_x,
            "pixel": self.pixel,
            "unit": self.unit,
            "scalars": list(self.scalars),
            "cube": None if self.cube is None else dict(self.cube.__dict__),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Inputs":
        """Read `values` that `to_dict` wrote; KeyError or TypeError if it is something else."""
        return cls(
            tuple(
                Channel(c["name"], tuple(_band(*band) for band in c["bands"]))
                for c in values["channels"]
            ),
            None if values["origins"] is None else tuple(values["origins"]),
            int(values["n_y"]),
            int(values["n_x"]),
            float(values["pixel"]),
            str(values["unit"]),
            tuple(values["scalars"]),
            None if values["cube"] is None else CubeGeometry(**values["cube"]),
        )


def _cube(spec: CatalogSpec, cells: int) -> CubeGeometry:
    """Return a cube as wide as the images, with which networks lay it together."""
    geometry = spec.geometry
    if geometry.unit != "kpc":
        return CubeGeometry(n=cells)
    return CubeGeometry(
        n=cells, half_width_kpc=min(geometry.n_y, geometry.n_x) * geometry.pixel / 2
    )


def _band(name: str, low: float, high: float | None) -> tuple[str, float, float]:
    """Return a band; no upper limit is None."""
    return str(name), float(low), math.inf if high is None else float(high)


def _channel(name: str, spec: CatalogSpec) -> Channel:
    parts = list(spec.band_names) if name == ALL_BANDS else name.split("+")
    places = spec.band_indices(parts)
    if len(set(places)) < len(places):
        raise InputError(f"inputs: must add each band once; got '{name}'.")
    bands = [spec.bands[k] for k in places]
    return Channel(
        "+".join(band.name for band in bands),
        tuple((band.name, band.lo_kev, band.hi_kev) for band in bands),
    )


def _require_different(channels: Sequence[Channel]) -> None:
    """Refuse an image that stands there twice, whatever the order in which its bands are added."""
    seen: set[frozenset[str]] = set()
    for channel in channels:
        bands = frozenset(name for name, _, _ in channel.bands)
        if bands in seen:
            raise InputError(
                f"inputs: must name each image once; got {channel.name} twice. Leave one out."
            )
        seen.add(bands)


def _observable(name: str, spec: CatalogSpec) -> str:
    """Return the name of a column that an observer knows."""
    declared = {column.name: column for column in spec.columns}
    if name not in declared:
        usable = [n for n, column in declared.items() if _is_usable(column)]
        galaxies = [GALAXIES] if spec.galaxies else []
        words = [*usable, *spec.band_names, ALL_BANDS, EACH_BAND, *galaxies]
        known = {column.name for column in COLUMNS}
        rule = "is not in this catalog" if name in known else "is not known"
        raise InputError(f"inputs: '{name}' {rule}; {nearest(name, words)}.")
    column = declared[name]
    if not _is_usable(column):
        rule = f"is {column.kind}, not a number that an observer knows"
        if column.kind == "observable" and ("500" in name or name == "flags"):
            rule = "is measured with the true R500c, which holds the mass"
        raise InputError(f"inputs: '{name}' {rule}; leave it out.")
    return name


def _is_usable(column: Column) -> bool:
    """Return whether an observer knows a column, as a number that does not hold the mass."""
    return (
        column.kind == "observable" and column.dtype not in _NO_NUMBERS and "500" not in column.name
    )


def _require_galaxies(spec: CatalogSpec, what: str = "inputs") -> None:
    if not spec.galaxies:
        raise InputError(
            f"{what}: must have galaxies for this estimator; the catalog has none. Simulate it "
            "with galaxies, or leave galaxies out of the inputs."
        )


def _rebinning(spec: CatalogSpec, pixels: int | None) -> int:
    smallest = min(spec.geometry.n_y, spec.geometry.n_x)
    if pixels is None:
        return 1
    factor = smallest // pixels
    sides = (spec.geometry.n_y, spec.geometry.n_x)
    if factor < 1 or smallest != factor * pixels or any(side % factor for side in sides):
        raise InputError(
            f"pixels: must divide the {sides[0]} x {sides[1]} pixels of the catalog; got {pixels}."
        )
    return factor


def _require_geometry(inputs: Inputs, spec: CatalogSpec, what: str) -> None:
    geometry, factor = spec.geometry, inputs.rebinning(spec)
    same = (
        geometry.unit == inputs.unit
        and abs(geometry.pixel * factor / inputs.pixel - 1.0) < 1e-6
        and (geometry.n_y, geometry.n_x) == (inputs.n_y * factor, inputs.n_x * factor)
    )
    if not same:
        raise InputError(
            f"{what}: must have images of {inputs.n_y} x {inputs.n_x} pixels of {inputs.pixel:.5g} "
            f"{inputs.unit}, or finer ones that add up to these, for this estimator; got "
            f"{geometry.n_y} x {geometry.n_x} of {geometry.pixel:.5g} {geometry.unit}. "
            "Simulate it with the same pixels and width."
        )
