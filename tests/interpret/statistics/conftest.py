"""Clusters and gradients with known answers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec, ImageGeometry, Ragged, ShardData, region_rows
from tests.helpers.catalogs import make_columns


class Batch(NamedTuple):
    """What tables take."""

    rows: np.ndarray
    gradient: np.ndarray
    counts: np.ndarray
    radius: np.ndarray


def make_batch(
    n: int = 40,
    *,
    injected_dex: float = 0.0,
    seed: int = 0,
    n_channel: int = 2,
    size: int = 24,
    agn_scatter_dex: float = 0.0,
    lines_of_sight: int = 1,
    faint_agn: bool = False,
) -> Batch:
    """Make clusters in which AGN are brighter than gas, and saliency grows with brightness.

    Saliency is that of a count, times 10^injected_dex in pixels of AGN, with scatter of 0.2 dex in
    each pixel. Pixels of AGN are as bright as gas only near centres. AGN of a halo have an offset
    of their own of `agn_scatter_dex`. With `faint_agn` the saliency of a cluster falls with its
    photons, and faint clusters have more AGN.
    """
    rng = np.random.default_rng(seed)
    y, x = np.arange(size) - size / 2 + 1.0, np.arange(size + 3) - size / 2
    radius = np.hypot(y[:, None], x) / 6.0 * rng.uniform(0.8, 1.2, (n, 1, 1))
    shape = (n, n_channel, size, size + 3)
    bright = rng.lognormal(1.0, 0.7, (n, 1, 1, 1))
    gas = rng.poisson(6.0 * bright * np.exp(-1.5 * radius)[:, None], shape)
    share = np.clip(0.1 / bright, 0.01, 0.5) if faint_agn else 0.05
    agn = (rng.random(shape) < share) * rng.poisson(6.0, shape)
    counts = np.stack([gas, agn], axis=1).astype(np.uint32)
    offset = np.repeat(rng.normal(0, 1, -(-n // lines_of_sight)), lines_of_sight)[:n]
    dex = rng.normal(0.0, 0.2, shape)
    dex += (agn > gas) * (injected_dex + agn_scatter_dex * offset[:, None, None, None])
    saliency = 1e-4 * (1.0 + counts.sum(axis=1)) * np.exp(-radius)[:, None] * 10.0**dex
    if faint_agn:
        saliency = saliency / bright
    sign = rng.choice([-1.0, 1.0], shape)
    return Batch(np.arange(n), (sign * saliency).astype(np.float32), counts, radius)


@pytest.fixture
def batch_of() -> Callable[..., Batch]:
    return make_batch


def make_clusters(
    path: Any,
    images: np.ndarray,
    *,
    origins: tuple[str, ...] = ("icm", "agn"),
    pixel: float = 100.0,
    regions: list[Any] | None = None,
    columns: dict[str, Any] | None = None,
) -> Catalog:
    """Make a catalog of images, shape (n, n_origin, 3, n_y, n_x); each cluster a halo."""
    n, _, _, *side = images.shape
    spec = CatalogSpec(
        optional_columns=tuple(name for name in columns or {} if name not in REQUIRED),
        geometry=ImageGeometry(*side, pixel),
        origins=origins,
        regions=regions is not None,
    )
    values = make_columns(spec, images, 0, np.random.default_rng(1))
    values |= {"halo_id": np.arange(n), "r500c_kpc": np.linspace(500.0, 700.0, n)}
    names = ("kind", "east_kpc", "north_kpc", "radius_kpc", "mass_msun")
    listed = None
    if regions is not None:
        each = [region_rows(**dict(zip(names, zip(*r, strict=True), strict=True))) for r in regions]
        listed = Ragged.join(each, "regions")
    catalog = Catalog.create(path, spec)
    catalog.append(ShardData(columns=values | (columns or {}), images=images, regions=listed))
    return catalog


REQUIRED = ("m500c_msun", "redshift", "halo_id", "r500c_kpc")


@pytest.fixture
def clusters() -> Callable[..., Catalog]:
    return make_clusters
