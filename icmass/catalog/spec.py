"""What one catalog holds: its bands, the geometry of its images, its origins and columns.

A `CatalogSpec` is fixed when a catalog is created and stands in its manifest. Two catalogs of equal
spec (but for provenance) can be joined.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.catalog.columns import COLUMNS, Column, expand, rows_dtype
from icmass.catalog.names import known
from icmass.errors import InputError
from icmass.names import nearest

__all__ = ["Band", "CatalogSpec", "ImageGeometry"]

_BAND_NAME = re.compile(r"[a-z][a-z0-9_]*")
# 4.6 Mpc/h on a side at h = 0.704: Ho et al. 2023 (arXiv 2303.00005), section 2.
_STUDY_WIDTH_KPC: Final = 4600.0 / 0.704
_STUDY_PIXELS: Final = 128


@dataclass(frozen=True)
class Band:
    """Measured energies [lo, hi) keV of one image; hi may be infinite."""

    name: str
    lo_kev: float
    hi_kev: float

    def __post_init__(self) -> None:
        if not _BAND_NAME.fullmatch(self.name):
            raise InputError(f"band name: must be small letters, digits and _; got '{self.name}'.")
        if not 0.0 <= self.lo_kev < self.hi_kev:
            raise InputError(
                f"band '{self.name}': must have 0 <= lo < hi in keV; "
                f"got ({self.lo_kev}, {self.hi_kev})."
            )


@dataclass(frozen=True)
class ImageGeometry:
    """Square pixels about the cluster centre: rows grow to the north, columns to the west.

    Attributes
    ----------
    n_y, n_x : int
        Number of rows and columns.
    pixel : float
        Side of a pixel, in `unit`.
    unit : str
        ``kpc`` (physical, at the redshift of the cluster) or ``arcsec``.
    """

    n_y: int = _STUDY_PIXELS
    n_x: int = _STUDY_PIXELS
    pixel: float = _STUDY_WIDTH_KPC / _STUDY_PIXELS
    unit: Literal["kpc", "arcsec"] = "kpc"

    def __post_init__(self) -> None:
        if self.n_y < 1 or self.n_x < 1:
            raise InputError(
                f"image: must have at least 1 x 1 pixels; got {self.n_y} x {self.n_x}."
            )
        if not 0.0 < self.pixel < math.inf:
            raise InputError(f"image pixel: must be above 0 and finite; got {self.pixel}.")
        if self.unit not in ("kpc", "arcsec"):
            raise InputError(f"image unit: must be kpc or arcsec; got '{self.unit}'.")

    def offsets(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return where pixel centres lie: east (1, n_x) and north (n_y, 1) offsets in `unit`."""
        east = ((self.n_x - 1) / 2 - np.arange(self.n_x)) * self.pixel
        north = (np.arange(self.n_y) - (self.n_y - 1) / 2) * self.pixel
        return east[None, :], north[:, None]

    def radius(self) -> NDArray[np.float64]:
        """Return the distance of pixel centres from the image centre, shape (n_y, n_x), `unit`."""
        return np.hypot(*self.offsets())

    def pixel_of(self, east: ArrayLike, north: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the (row, column) of offsets `east` and `north` in `unit`: floats of their shape.

        Pixel centres are whole numbers.
        """
        row = np.asarray(north) / self.pixel + (self.n_y - 1) / 2
        return row, (self.n_x - 1) / 2 - np.asarray(east) / self.pixel


_STUDY_BANDS: Final = (Band("soft", 0.5, 1.2), Band("medium", 1.2, 2.0), Band("hard", 2.0, 7.0))


@dataclass(frozen=True)
class CatalogSpec:
    """What every shard of a catalog holds.

    Attributes
    ----------
    optional_columns : tuple of str
        Optional columns that the catalog has, in any order; ``{band}`` is already filled in.
    bands : tuple of Band
        Of the images; they may overlap.
    geometry : ImageGeometry
        Of the images.
    origins : tuple of str
        Kept apart in the images, lower case: icm, agn, background for mock clusters; one name, such
        as all, for real ones.
    expectations : str or None
        Type of the noise-free maps (float16 or float32); None when there are none.
    exposure_maps : bool
        Whether each cluster has a map of the exposure.
    galaxies, regions : bool
        Whether each cluster has a list of galaxies, of regions.
    box_size_mpc : float or None
        Side of the simulated box, comoving Mpc.
    provenance : dict
        Configuration, seed and versions, as `icmass.provenance.provenance` gives them.
    """

    optional_columns: tuple[str, ...] = ()
    bands: tuple[Band, ...] = _STUDY_BANDS
    geometry: ImageGeometry = ImageGeometry()
    origins: tuple[str, ...] = ("icm", "agn", "background")
    expectations: Literal["float16", "float32"] | None = None
    exposure_maps: bool = False
    galaxies: bool = False
    regions: bool = False
    box_size_mpc: float | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_distinct("bands", [band.name for band in self.bands])
        _require_distinct("origins", self.origins)
        if self.expectations not in (None, "float16", "float32"):
            raise InputError(
                f"expectations: must be float16, float32 or none; got '{self.expectations}'."
            )
        if self.box_size_mpc is not None and not 0.0 < self.box_size_mpc < math.inf:
            raise InputError(f"box_size_mpc: must be above 0; got {self.box_size_mpc}.")
        names = [column.name for column in expand(COLUMNS, self.band_names)]
        for name in self.optional_columns:
            if name not in names:
                raise InputError(f"column '{name}': is not in the schema; {nearest(name, names)}.")
        _canonical(self.provenance)

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands."""
        return tuple(band.name for band in self.bands)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns that every shard has, in the order of the declaration."""
        chosen = set(self.optional_columns)
        return tuple(c for c in expand(COLUMNS, self.band_names) if c.required or c.name in chosen)

    @cached_property
    def row_dtype(self) -> np.dtype[np.void]:
        """Structured type of one row."""
        return rows_dtype(self.columns)

    @property
    def image_shape(self) -> tuple[int, int, int, int]:
        """Shape of the images of one cluster: (origin, band, y, x)."""
        return len(self.origins), len(self.bands), self.geometry.n_y, self.geometry.n_x

    @property
    def identifier(self) -> str:
        """Hash of everything here; every shard carries it, so that foreign ones are told."""
        return hashlib.sha256(_canonical(self.to_dict()).encode()).hexdigest()[:32]

    def origin_indices(self, origins: Iterable[Any] | None) -> list[int]:
        """Return the places of `origins`, names or members of an enumeration; all for None.

        Raises
        ------
        InputError
            If one is not in the catalog.
        """
        wanted = self.origins if origins is None else _names(origins)
        return [known("origin", name, self.origins) for name in wanted]

    def band_indices(self, bands: Iterable[str] | None) -> list[int]:
        """Return the places of `bands` given by name; all for None.

        Raises
        ------
        InputError
            If one is not in the catalog.
        """
        wanted = self.band_names if bands is None else _names(bands)
        return [known("band", name, self.band_names) for name in wanted]

    def to_dict(self) -> dict[str, Any]:
        """Return what the manifest holds, in values that JSON can hold; no upper limit is null."""
        return {
            "bands": [
                {"name": b.name, "lo_kev": b.lo_kev, "hi_kev": _finite_or_none(b.hi_kev)}
                for b in self.bands
            ],
            "geometry": dict(self.geometry.__dict__),
            "origins": list(self.origins),
            "expectations": self.expectations,
            "exposure_maps": self.exposure_maps,
            "galaxies": self.galaxies,
            "regions": self.regions,
            "box_size_mpc": self.box_size_mpc,
            "columns": [{"name": c.name, "unit": c.unit, "dtype": c.dtype} for c in self.columns],
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CatalogSpec":
        """Read what `to_dict` wrote.

        Raises
        ------
        InputError
            If a column has another unit or type than this version declares.
        KeyError, TypeError
            If `values` is not what `to_dict` writes.
        """
        bands = tuple(
            Band(b["name"], b["lo_kev"], math.inf if b["hi_kev"] is None else b["hi_kev"])
            for b in values["bands"]
        )
        plain = {
            name: values[name]
            for name in ("expectations", "exposure_maps", "galaxies", "regions", "box_size_mpc")
        }
        spec = cls(
            optional_columns=tuple(column["name"] for column in values["columns"]),
            bands=bands,
            geometry=ImageGeometry(**values["geometry"]),
            origins=tuple(values["origins"]),
            provenance=values["provenance"],
            **plain,
        )
        _require_same_columns(values["columns"], spec.columns)
        return spec


def _require_same_columns(found: list[dict[str, str]], declared: tuple[Column, ...]) -> None:
    by_name = {column["name"]: (column["unit"], column["dtype"]) for column in found}
    for column in declared:
        got = by_name.get(column.name)
        if got is None:
            raise InputError(f"column '{column.name}': is required by the schema and absent.")
        if got != (column.unit, column.dtype):
            raise InputError(
                f"column '{column.name}': must be ({column.unit or 'no unit'}, {column.dtype}) by "
                f"the schema; got ({got[0] or 'no unit'}, {got[1]})."
            )


def _require_distinct(what: str, names: Iterable[str]) -> None:
    listed = list(names)
    if not listed or len(set(listed)) < len(listed):
        raise InputError(f"{what}: must be one or more different names; got {listed}.")


def _names(items: Iterable[Any]) -> list[str]:
    listed = [items] if isinstance(items, str) else list(items)
    return [str(getattr(item, "name", item)).lower() for item in listed]


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _canonical(values: Mapping[str, Any]) -> str:
    try:
        return json.dumps(values, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"provenance: must hold values that JSON can hold; {error}.") from error
