"""How fast catalogs are written, opened and read, and how large they are.

Images: 128 x 128 pixels, 3 bands, 3 origins apart; the gas gives a median of 3,500 photons and the
background 2,000 (a survey) or 52,000 (the 60 ks of the study). Random batches of 50 clusters are
read from the page cache by one process and summed over origins. The same images as compressed HDF5
chunks of one cluster each stand beside it. Columns: 100,000 rows in 391 shards.

    python benchmarks/catalog_io.py [--clusters 4096] [--json FILE]
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from rich.console import Console
from rich.table import Table

from icmass.catalog import Catalog, CatalogSpec, ImageGeometry, ShardData

PER_SHARD = 256
BATCH = 50
BACKGROUND_COUNTS = (2_000, 52_000)
BAND_SHARES = np.array([0.55, 0.30, 0.15])
CHUNKED: dict[str, dict[str, Any]] = {
    "chunks, lzf": {"compression": "lzf", "shuffle": True},
    "chunks, gzip 1": {"compression": "gzip", "compression_opts": 1, "shuffle": True},
}
ROWS = 100_000


def expected_images(background: float, rng: np.random.Generator) -> np.ndarray:
    """Make expectations of one shard: a beta model, eight AGN, flat background."""
    y, x = np.mgrid[:128, :128] - 63.5
    beta = (1.0 + (x**2 + y**2) / 6.0**2) ** -1.3
    beta /= beta.sum()
    images = np.zeros((PER_SHARD, 3, 3, 128, 128), np.float32)
    for image in images:
        photons = rng.lognormal(np.log(3_500.0), 0.8)
        image[0] = photons * BAND_SHARES[:, None, None] * beta
        for row, column in rng.integers(2, 126, (8, 2)):
            image[1, :, row - 1 : row + 2, column - 1 : column + 2] = rng.exponential(8.0)
        image[2] = background / (3 * 128 * 128)
    return images


def columns(spec: CatalogSpec, images: np.ndarray, first: int) -> dict[str, Any]:
    """Make columns that mean nothing but their keys and counts."""
    n = len(images)
    values: dict[str, Any] = {c.name: np.ones(n, c.dtype) for c in spec.columns}
    values["halo_id"] = first + np.arange(n)
    counts = images[:, :2].sum(axis=(1, 3, 4), dtype=np.int64)
    return values | {f"n_phot_{b}": counts[:, k] for k, b in enumerate(spec.band_names)}


def rate(read: Callable[[np.ndarray], Any], clusters: int, seconds: float = 3.0) -> float:
    """Return clusters per second of reading random batches, after a pass that warms the cache."""
    rng = np.random.default_rng(2)
    for first in range(0, clusters, BATCH):
        read(np.arange(first, min(first + BATCH, clusters)))
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        read(rng.integers(0, clusters, BATCH))
        done += BATCH
    return done / (time.perf_counter() - start)


def measure_images(place: Path, background: int, clusters: int) -> list[dict[str, Any]]:
    """Write and read a catalog, its expectations, and the same images in compressed chunks."""
    rng = np.random.default_rng(1)
    expected = expected_images(background, rng)
    images = rng.poisson(expected).astype(np.uint16)
    rows = []

    spec = CatalogSpec()
    catalog = Catalog.create(place / f"images{background}", spec)
    start = time.perf_counter()
    for first in range(0, clusters, PER_SHARD):
        catalog.append(ShardData(columns(spec, images, first), images))
    written = len(catalog) / (time.perf_counter() - start)
    size = sum(record.size for record in catalog.shards) / len(catalog)
    for label, options in (
        ("filled pixels", {"dtype": np.uint32}),
        ("filled pixels, float32", {"dtype": np.float32}),
        ("filled pixels, origins apart", {"apart": True}),
        ("filled pixels, gas and AGN", {"origins": ["icm", "agn"]}),
    ):
        read = rate(lambda chosen, o=options: catalog.images(chosen, **o), len(catalog))
        rows.append(row(label, background, size, read, written))

    for label, options in CHUNKED.items():
        path = place / "chunks.h5"
        start = time.perf_counter()
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=images, chunks=(1, *images.shape[1:]), **options)
        written = PER_SHARD / (time.perf_counter() - start)
        with h5py.File(path) as file:
            stack = file["images"]
            read = rate(
                lambda chosen, d=stack: [d[k].sum(axis=0, dtype=np.uint32) for k in chosen],
                PER_SHARD,
            )
        rows.append(row(label, background, path.stat().st_size / PER_SHARD, read, written))

    spec = replace(spec, expectations="float16")
    catalog = Catalog.create(place / f"maps{background}", spec)
    start = time.perf_counter()
    catalog.append(ShardData(columns(spec, images, 0), images, expectations=expected))
    written = PER_SHARD / (time.perf_counter() - start)
    maps = catalog.shards[0].size / PER_SHARD - size
    rows.append(
        row("expectations", background, maps, rate(catalog.expectations, PER_SHARD), written)
    )
    return rows


def row(label: str, background: int, size: float, read: float, written: float) -> dict[str, Any]:
    """Make a row of the first table."""
    return {
        "stored as": label,
        "background": background,
        "kB/cluster": round(size / 1e3, 1),
        "read clusters/s": round(read),
        "written clusters/s": round(written),
    }


def measure_columns(place: Path) -> list[dict[str, Any]]:
    """Open a catalog of many rows and read columns."""
    spec = CatalogSpec(geometry=ImageGeometry(1, 1), optional_columns=("n_gal", "gas_mass_msun"))
    catalog = Catalog.create(place / "columns", spec)
    records = []
    for number, first in enumerate(range(0, ROWS, PER_SHARD)):
        images = np.ones((min(PER_SHARD, ROWS - first), *spec.image_shape), np.uint8)
        records.append(catalog.write_shard(number, ShardData(columns(spec, images, first), images)))
    catalog.register(*records)

    def best(action: Callable[[], Any]) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
        return min(times)

    opened = [Catalog.open(catalog.path) for _ in range(5)]
    fresh = iter(opened)
    tables = iter([Catalog.open(catalog.path) for _ in range(5)])
    steps: dict[str, Callable[[], Any]] = {
        "open": lambda: Catalog.open(catalog.path),
        "first column": lambda: next(fresh).column("redshift"),
        "another column": lambda: opened[0].column("m500c_msun"),
        "whole table": lambda: next(tables).table(),
        "fingerprint": opened[0].fingerprint,
        "validate": opened[0].validate,
    }
    return [
        {"step": name, "rows": len(catalog), "ms": round(1e3 * best(step), 1)}
        for name, step in steps.items()
    ]


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows."""
    table = Table(*rows[0], title=title)
    for values in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int | float) else v for v in values.values()))
    Console().print(table)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clusters", type=int, default=4096)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = [
            line
            for background in BACKGROUND_COUNTS
            for line in measure_images(Path(folder), background, options.clusters)
        ]
        steps = measure_columns(Path(folder))
    show("images", images)
    show("columns", steps)
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "numpy": np.__version__,
        "h5py": h5py.__version__,
    }
    print(machine)
    if options.json:
        result = {"machine": machine, "images": images, "columns": steps}
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
