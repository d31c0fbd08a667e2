"""Observe a scene: one row of the catalog, its images, galaxies and truth; join rows to shards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import (
    CatalogSpec,
    Failure,
    Flag,
    Ragged,
    RegionKind,
    ShardData,
    galaxy_rows,
    region_rows,
)
from icmass.errors import InputError
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.gas import Gas, Halo
from icmass.simulate.rows.images import SceneImages, observe_images
from icmass.simulate.rows.settings import RowSettings
from icmass.simulate.rows.truth import galaxy_truth, gas_truth
from icmass.simulate.rows.velocity import galaxy_observables
from icmass.simulate.scene import Scene, SceneGalaxies, SceneRegions

__all__ = ["Row", "collect", "observe_scene", "within_table"]

_CLAMPED_SHARE = 0.01  # of the emission measure, as the meaning of the flag says
_FEWEST_GALAXIES = 10
_BLENDED_MASS_RATIO = 0.5


@dataclass(frozen=True)
class Row:
    """One cluster as the catalog holds it.

    Attributes
    ----------
    columns : dict
        Values by the names of the schema.
    images : ndarray of unsigned int, shape (n_origin, n_band, n_y, n_x)
        Counts; row to the north, column to the west.
    expectations : ndarray of float, shape (n_origin, n_band, n_y, n_x), optional
        What the images were drawn from.
    galaxies, regions : structured ndarray
        As `icmass.catalog.galaxy_rows` and `region_rows` make them; empty where there are none.
    """

    columns: dict[str, float | int]
    images: NDArray[np.unsignedinteger]
    expectations: NDArray[np.floating] | None
    galaxies: NDArray[np.void]
    regions: NDArray[np.void]


def observe_scene(scene: Scene, settings: RowSettings) -> Row:
    """Observe a scene.

    Parameters
    ----------
    scene : Scene
        Its gas must have a halo with M500c and R500c, and a redshift above 0.
    settings : RowSettings
        How it is observed.

    Returns
    -------
    Row
        The same, bit by bit, for the same scene and settings, whatever the number of threads.

    Raises
    ------
    InputError
        If the halo or the redshift is missing.
    """
    halo, redshift = _place(scene)
    table = SpectralTable.load()
    gas, clamped = within_table(scene.gas, table)
    scene = replace(scene, gas=gas)
    nh_cm2 = settings.column_of(scene.key)
    images = observe_images(scene, halo, redshift, nh_cm2, settings, table)
    columns: dict[str, float | int] = {
        **scene.truth,
        **scene.key.__dict__,
        "redshift": redshift,
        "exposure_s": settings.exposure_s,
        "nh_cm2": nh_cm2,
        **{name: getattr(halo, name) for name in _HALO_COLUMNS if name not in scene.truth},
        **gas_truth(gas, halo, table),
        **images.columns,
    }
    if scene.galaxies is not None:
        columns |= galaxy_truth(scene.galaxies, halo) | galaxy_observables(scene.galaxies)
    columns["flags"] = int(_flags(scene, halo, columns, images, clamped))
    return Row(
        columns=columns,
        images=images.counts,
        expectations=images.expectations,
        galaxies=_galaxies(scene.galaxies, images.half_width_kpc),
        regions=_regions(scene.regions),
    )


def collect(rows: Sequence[Row], spec: CatalogSpec, failures: Iterable[Failure] = ()) -> ShardData:
    """Join rows to the shard of a catalog.

    Parameters
    ----------
    rows : sequence of Row
        In the order of the shard.
    spec : CatalogSpec
        From `RowSettings.spec`; columns of it that a row does not know are NaN or -1, and columns
        that are not in it are left out.
    failures : iterable of Failure
        Scenes that gave no row.

    Returns
    -------
    ShardData
    """
    columns = {}
    for column in spec.columns:
        dtype = np.dtype(column.dtype)
        unknown = {"f": np.nan, "i": -1, "u": 0, "b": False}[dtype.kind]
        values = [row.columns.get(column.name, unknown) for row in rows]
        columns[column.name] = np.array(values, dtype=dtype)
    return ShardData(
        columns=columns,
        images=_stack([row.images for row in rows], spec, np.dtype(np.uint16)),
        expectations=(
            _stack([row.expectations for row in rows], spec, np.dtype(spec.expectations))
            if spec.expectations
            else None
        ),
        galaxies=Ragged.join([r.galaxies for r in rows], "galaxies") if spec.galaxies else None,
        regions=Ragged.join([r.regions for r in rows], "regions") if spec.regions else None,
        failures=tuple(failures),
    )


_HALO_COLUMNS = ("m500c_msun", "r500c_kpc", "m200c_msun", "r200c_kpc")


def _stack(arrays: Sequence[NDArray | None], spec: CatalogSpec, dtype: np.dtype) -> NDArray:
    found = [array for array in arrays if array is not None]
    return np.stack(found) if found else np.zeros((0, *spec.image_shape), dtype)


def _place(scene: Scene) -> tuple[Halo, float]:
    """Return halo and redshift of a scene, or say what is missing."""
    info = scene.gas.info
    halo, redshift = info.halo, info.redshift
    if halo is None:
        raise InputError("scene: must have a halo; got none. Give its M500c and R500c.")
    for name in ("m500c_msun", "r500c_kpc"):
        value = getattr(halo, name)
        if not 0.0 < value < np.inf:
            raise InputError(
                f"scene: its halo must have {name} above 0; got {value}. Give it in the halo table."
            )
    if redshift is None or not 0.0 < redshift < np.inf:
        raise InputError(f"scene: must have a redshift above 0; got {redshift}.")
    return halo, float(redshift)


def within_table(gas: Gas, table: SpectralTable) -> tuple[Gas, bool]:
    """Clamp the temperatures of `gas` to the plasma `table`.

    Returns
    -------
    Gas
        The same object where nothing was clamped.
    bool
        Whether more than 1% of the emission measure was.
    """
    lowest, highest = table.kt_kev[[0, -1]]
    outside = (gas.kt_kev < lowest) | (gas.kt_kev > highest)
    if not outside.any():
        return gas, False
    emission = gas.emission_measure_cm3
    matters = emission[outside].sum() > _CLAMPED_SHARE * emission.sum()
    return replace(gas, kt_kev=np.clip(gas.kt_kev, lowest, highest)), bool(matters)


def _flags(
    scene: Scene,
    halo: Halo,
    columns: dict[str, float | int],
    images: SceneImages,
    clamped: bool,
) -> Flag:
    flags = Flag(scene.flags)
    if scene.regions is not None and _is_blended(scene.regions, halo):
        flags |= Flag.BLENDED
    if images.cut:
        flags |= Flag.FIELD_EDGE
    if scene.galaxies is not None and columns["n_gal"] < _FEWEST_GALAXIES:
        flags |= Flag.FEW_GALAXIES
    if clamped:
        flags |= Flag.KT_CLAMPED
    if columns["n_phot_icm"] == 0:
        flags |= Flag.NO_PHOTONS
    return flags


def _is_blended(regions: SceneRegions, halo: Halo) -> bool:
    near = np.hypot(regions.east_kpc, regions.north_kpc) < halo.r500c_kpc
    heavy = regions.mass_msun >= _BLENDED_MASS_RATIO * halo.m500c_msun
    other = regions.kind != RegionKind.SUBSTRUCTURE
    return bool((near & heavy & other).any())


def _galaxies(galaxies: SceneGalaxies | None, half_width_kpc: float) -> NDArray[np.void]:
    """Galaxies inside the image."""
    if galaxies is None:
        galaxies = SceneGalaxies(np.empty((0, 3)), np.empty(0), np.empty(0), np.empty(0, bool))
    east, north = galaxies.position_kpc[:, 0], galaxies.position_kpc[:, 1]
    inside = np.maximum(np.abs(east), np.abs(north)) <= half_width_kpc
    return galaxy_rows(
        east_kpc=east[inside],
        north_kpc=north[inside],
        v_los_km_s=galaxies.v_los_km_s[inside],
        stellar_mass_msun=galaxies.stellar_mass_msun[inside],
        member=galaxies.member[inside],
    )


def _regions(regions: SceneRegions | None) -> NDArray[np.void]:
    if regions is None:
        empty = np.empty(0)
        regions = SceneRegions(np.empty(0, np.uint8), empty, empty, empty, empty)
    return region_rows(**regions.__dict__)
