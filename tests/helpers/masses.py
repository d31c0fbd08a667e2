"""Small catalogs from which masses can be learnt: counts follow mass, redshift and exposure.

Images of gas are beta profiles off the centre, elongated, so that no two turns of one are alike.
"""

from pathlib import Path
from typing import Any

import numpy as np

from icmass.catalog import Catalog, CatalogSpec, ImageGeometry, Ragged, ShardData, galaxy_rows
from icmass.config import TrainConfig
from icmass.estimate.inputs import Inputs
from icmass.estimate.reading import Clusters

__all__ = ["GEOMETRY", "QUICK", "make_catalog", "mass_spec", "ones", "quick"]

GEOMETRY = ImageGeometry(n_y=16, n_x=16, pixel=200.0)
_SHARES = np.array([0.5, 0.3, 0.2])  # of the bands
_BACKGROUND = 0.05  # per pixel and band at 1600 s

#: A training of seconds: two folds of a network that learns from few clusters.
QUICK: dict[str, Any] = {
    "network": "profile",
    "inputs": ["bands", "redshift", "exposure_s"],
    "folds": 2,
    "validation": 0.4,
    "epochs": 3,
    "batch_size": 12,
    "schedule": "constant",
    "learning_rate": 3e-3,
}


def quick(**changes: Any) -> TrainConfig:
    """Return the quick configuration with changes."""
    return TrainConfig.parse({**QUICK, **changes})


def mass_spec(**changes: Any) -> CatalogSpec:
    """Return the spec of the small catalogs with changes."""
    values: dict[str, Any] = {
        "optional_columns": ("box_x_mpc", "box_y_mpc", "box_z_mpc", "lx_0520_erg_s", "dec_deg"),
        "geometry": GEOMETRY,
        "galaxies": True,
        "expectations": "float32",
        "box_size_mpc": 100.0,
    }
    return CatalogSpec(**{**values, **changes})


def make_catalog(
    path: Path,
    n: int = 120,
    *,
    spec: CatalogSpec | None = None,
    seed: int = 1,
    sample: int = 0,
    brighter: float = 1.0,
    lines_of_sight: int = 2,
    columns: dict[str, Any] | None = None,
) -> Catalog:
    """Write n clusters, `lines_of_sight` of each halo; `columns` replace those made here.

    Everything of a halo depends on its number and the seed alone, so that more lines of sight or
    more clusters leave the first as they are.
    """
    spec = mass_spec() if spec is None else spec
    rows = [_cluster(spec, seed, k // lines_of_sight, k % lines_of_sight) for k in range(n)]
    expected = np.stack([row.pop("expected") for row in rows]) * brighter
    galaxies = [row.pop("galaxies") for row in rows]
    images = np.random.default_rng([seed, 7]).poisson(expected).astype(np.uint16)
    named: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    named["sample_id"] = np.full(n, sample)
    source = images[:, :2].sum(axis=1)
    for place, band in enumerate(spec.band_names):
        named[f"n_phot_{band}"] = source[:, place].sum(axis=(1, 2), dtype=np.int64)
    named["n_phot"] = source.sum(axis=(1, 2, 3), dtype=np.int64)
    for column in spec.columns:
        if column.name not in named:
            named[column.name] = np.zeros(n, column.dtype)
    catalog = Catalog.create(path, spec)
    catalog.append(
        ShardData(
            columns={c.name: named[c.name] for c in spec.columns} | (columns or {}),
            images=images,
            expectations=expected.astype(np.float32) if spec.expectations else None,
            galaxies=Ragged.join(galaxies, "galaxies") if spec.galaxies else None,
        )
    )
    return catalog


def _cluster(spec: CatalogSpec, seed: int, halo: int, line: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, halo])
    mass, z = 10 ** rng.uniform(13.8, 15.0), rng.uniform(0.1, 0.4)
    corner, place = halo % 8, rng.uniform(1.0, 49.0, 3)
    rng = np.random.default_rng([seed, halo, line])
    exposure = float(np.exp(rng.uniform(np.log(800.0), np.log(3200.0))))
    total = 300.0 * (mass / 2e14) ** 1.2 * (0.25 / z) ** 1.5 * exposure / 1600.0
    east, north = (x / (100.0 * 2.0) for x in spec.geometry.offsets())
    radius2 = (east - 0.3) ** 2 + 1.3 * (north + 0.5) ** 2 + 0.3 * east * north
    profile = (1.0 + radius2 / (mass / 2e14) ** 0.67) ** -1.5
    shares = np.resize(_SHARES, len(spec.bands))[:, None, None]
    expected = np.zeros(spec.image_shape)
    expected[0] = total * shares * profile / profile.sum()
    for _ in range(3):
        y, x = rng.integers(spec.geometry.n_y), rng.integers(spec.geometry.n_x)
        expected[1, :, y, x] += 3.0 * shares[:, 0, 0]
    expected[2] = _BACKGROUND * exposure / 1600.0
    n_gal = int(rng.poisson(8.0 + 15.0 * mass / 2e14))
    return {
        "snapshot_id": 0,
        "halo_id": halo,
        "line_of_sight": line,
        "redshift": z,
        "exposure_s": exposure,
        "nh_cm2": 3e20,
        "m500c_msun": mass,
        "r500c_kpc": 900.0 * (mass / 2e14) ** (1 / 3),
        "lx_0520_erg_s": 1e44,
        "dec_deg": rng.uniform(-60.0, -10.0),
        **{
            f"box_{axis}_mpc": 50.0 * bool(corner & bit) + place[k]
            for k, (axis, bit) in enumerate(zip("xyz", (4, 2, 1), strict=True))
        },
        "expected": expected,
        "galaxies": galaxy_rows(
            east_kpc=rng.normal(100.0, 500.0, n_gal),
            north_kpc=rng.normal(-50.0, 400.0, n_gal),
            v_los_km_s=rng.normal(0.0, 700.0 * (mass / 2e14) ** (1 / 3), n_gal),
            stellar_mass_msun=10 ** rng.uniform(10, 11, n_gal),
            member=rng.random(n_gal) < 0.8,
        ),
    }


def ones(inputs: Inputs, n: int, seed: int = 0) -> Clusters:
    """Return n clusters of random counts that fit inputs, as arrays."""
    rng = np.random.default_rng(seed)
    cells = 0 if inputs.cube is None else inputs.cube.n
    cube = rng.random((n, cells, cells, cells) if cells else (n, 0)).astype(np.float32)
    return Clusters(
        rng.poisson(3.0, (n, len(inputs.channels), inputs.n_y, inputs.n_x)).astype(np.uint16),
        rng.normal(size=(n, len(inputs.scalars))).astype(np.float32),
        rng.uniform(0.1, 0.4, n).astype(np.float32),
        cube / cube[:1].sum() if cells else cube,
        np.empty((n, 0), np.float32),
    )
