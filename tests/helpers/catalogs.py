"""Small catalogs with distinct numbers everywhere, so that a mix-up shows."""

from typing import Any

import numpy as np

from icmass.catalog import (
    CatalogSpec,
    ImageGeometry,
    Ragged,
    ShardData,
    galaxy_rows,
    region_rows,
)

SPEC = CatalogSpec(
    optional_columns=("gas_mass_msun", "lx_bolometric_erg_s", "n_gal", "detected", "box_x_mpc"),
    geometry=ImageGeometry(n_y=12, n_x=10, pixel=250.0),
    expectations="float32",
    exposure_maps=True,
    galaxies=True,
    regions=True,
    box_size_mpc=500.0,
    provenance={"seed": 3, "config": {"exposure_s": 1600.0}},
)


def shard_data(spec: CatalogSpec = SPEC, n: int = 5, first: int = 0, seed: int = 1) -> ShardData:
    """Make n clusters, numbered from `first`; the background of one is deep, so stored densely."""
    rng = np.random.default_rng([seed, first])
    y, x = (np.arange(k) - (k - 1) / 2 for k in spec.image_shape[2:])
    profile = np.exp(-np.hypot(y[:, None] - 1.0, x + 2.0) / 3.0)
    expected = np.empty((n, *spec.image_shape), np.float32)
    for origin in range(len(spec.origins)):
        weight = rng.uniform(0.1, 0.5, size=(n, len(spec.bands), 1, 1))
        expected[:, origin] = weight * (profile if origin == 0 else 1.0)
    if n:
        expected[0, -1] += 40.0
    images = rng.poisson(expected).astype(np.uint16)
    return ShardData(
        columns=make_columns(spec, images, first, rng),
        images=images,
        expectations=expected if spec.expectations else None,
        exposure_maps=rng.uniform(1, 2, (n, *spec.image_shape[2:])) if spec.exposure_maps else None,
        galaxies=Ragged.join([_galaxies(rng, k) for k in range(n)], "galaxies")
        if spec.galaxies
        else None,
        regions=Ragged.join([_regions(k % 2) for k in range(n)], "regions")
        if spec.regions
        else None,
    )


def make_columns(
    spec: CatalogSpec, images: np.ndarray, first: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Make every column of the spec; photon counts are those of the images."""
    n = len(images)
    mass = 10 ** rng.uniform(13.6, 15.0, n)
    values: dict[str, Any] = {}
    for column in spec.columns:
        if column.dtype == "?":
            values[column.name] = rng.random(n) < 0.5
        elif column.dtype in ("i8", "u4"):
            values[column.name] = rng.integers(0, 50, n)
        else:
            values[column.name] = rng.uniform(0.2, 0.9, n)
    source = images[:, [k for k, o in enumerate(spec.origins) if o != "background"]].sum(axis=1)
    for place, band in enumerate(spec.band_names):
        values[f"n_phot_{band}"] = source[:, place].sum(axis=(1, 2), dtype=np.int64)
    values |= {
        "sample_id": np.zeros(n, int),
        "snapshot_id": np.zeros(n, int),
        "halo_id": first + np.arange(n) // 2,
        "line_of_sight": np.arange(n) % 2,
        "m500c_msun": mass,
        "r500c_kpc": 900.0 * (mass / 2e14) ** (1 / 3),
        "n_phot": source.sum(axis=(1, 2, 3), dtype=np.int64),
    }
    return values


def _galaxies(rng: np.random.Generator, n: int) -> np.ndarray:
    return galaxy_rows(
        east_kpc=rng.normal(0, 500, n),
        north_kpc=rng.normal(0, 500, n),
        v_los_km_s=rng.normal(0, 700, n),
        stellar_mass_msun=10 ** rng.uniform(10, 11, n),
        member=rng.random(n) < 0.7,
    )


def _regions(n: int) -> np.ndarray:
    ones = np.ones(n)
    return region_rows(
        kind=ones.astype(int),
        east_kpc=100 * ones,
        north_kpc=-50 * ones,
        radius_kpc=80 * ones,
        mass_msun=1e13 * ones,
    )
