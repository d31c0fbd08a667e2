"""How many clusters per second the embedded population gives, written, and what takes the time.

First each step alone, in one process and one thread: drawing and painting a cluster, observing it,
joining and writing a shard; and within these the kernels and functions that take most. Then whole
catalogs with one and more worker processes: the rate once all of them are under way, the whole time
with their start, and the memory of the largest process early and at the end, which must stay flat.

    python benchmarks/production.py [--clusters 400] [--workers 1 2] [-c FILE] [--json FILE]
"""

import argparse
import cProfile
import json
import os
import platform
import pstats
import tempfile
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from icmass.catalog import Catalog
from icmass.config import SimulateConfig
from icmass.simulate.production import Progress, simulate_catalog
from icmass.simulate.production.producer import row_settings
from icmass.simulate.production.sources import make_source
from icmass.simulate.rows.row import collect, observe_scene
from icmass.workers import usable_cores

WARM_UP = 16  # clusters; kernels are compiled, tables of every redshift made
STEPS = 64
SHOWN = 10


def measure_steps(config: SimulateConfig) -> dict[str, Any]:
    """Return milliseconds of processor time per cluster of each step, and what it is spent in."""
    numba.set_num_threads(1)
    source, contents = make_source(config)
    settings = row_settings(config)
    spec = settings.spec(truth=contents.truth, galaxies=contents.galaxies, regions=contents.regions)
    for index in range(WARM_UP):
        observe_scene(source.scene(index), settings)
    spent = {"painting": 0.0, "observing": 0.0, "writing": 0.0}
    rows = []
    for index in range(WARM_UP, WARM_UP + STEPS):
        begun = time.process_time()
        scene = source.scene(index)
        painted = time.process_time()
        rows.append(observe_scene(scene, settings))
        spent["painting"] += painted - begun
        spent["observing"] += time.process_time() - painted
    profile = cProfile.Profile(time.process_time)
    with profile:  # apart, for it takes time of its own
        for index in range(WARM_UP, WARM_UP + STEPS):
            observe_scene(source.scene(index), settings)
    with tempfile.TemporaryDirectory() as place:
        begun = time.process_time()
        catalog = Catalog.create(Path(place) / "catalog", spec)
        record = catalog.write_shard(0, collect(rows, spec))
        spent["writing"] = time.process_time() - begun
    entries = pstats.Stats(profile).stats.items()  # type: ignore[attr-defined]
    most = sorted(entries, key=lambda entry: -entry[1][2])[:SHOWN]
    return {
        "ms_per_cluster": {name: 1e3 * seconds / STEPS for name, seconds in spent.items()},
        "ms_per_cluster_in": {
            f"{Path(file).stem}.{name}": 1e3 * times[2] / STEPS for (file, _, name), times in most
        },
        "kilobytes_per_cluster": record.size / STEPS / 1e3,
        "median_photons": float(np.median([row.columns["n_phot"] for row in rows])),
        "median_background": float(np.median([row.columns["n_background"] for row in rows])),
    }


def measure_run(config: SimulateConfig, workers: int) -> dict[str, Any]:
    """Return the rate of a whole catalog, and the memory of the largest process on the way."""
    seen: list[tuple[float, int, float]] = []

    def report(progress: Progress) -> None:
        me = psutil.Process()
        sizes = [p.memory_info().rss for p in (me, *me.children(recursive=True))]
        seen.append((time.perf_counter(), progress.done, max(sizes) / 1e6))

    with tempfile.TemporaryDirectory() as place:
        begun = time.perf_counter()
        simulate_catalog(config, Path(place) / "catalog", workers=workers, report=report)
        whole = time.perf_counter() - begun
    under_way = [entry for entry in seen if entry[1] > 0]
    first, last = under_way[min(2 * workers, len(under_way) - 2)], under_way[-1]
    return {
        "workers": workers,
        "clusters_per_second": (last[1] - first[1]) / (last[0] - first[0]),
        "with_start": config.clusters / whole,
        "megabytes_early": first[2],
        "megabytes_at_the_end": last[2],
    }


def show(steps: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    console = Console()
    table = Table("step", "ms per cluster, one core", title="steps")
    for name, spent in steps["ms_per_cluster"].items():
        table.add_row(name, f"{spent:.1f}")
    table.add_row("sum", f"{sum(steps['ms_per_cluster'].values()):.1f}")
    table.add_section()
    for name, spent in steps["ms_per_cluster_in"].items():
        table.add_row(name, f"{spent:.1f}")
    console.print(table)
    console.print(
        f"median photons {steps['median_photons']:,.0f} (background "
        f"{steps['median_background']:,.0f}); {steps['kilobytes_per_cluster']:.0f} kB per cluster"
    )
    table = Table("workers", "clusters/s", "with start", "MB early", "MB at the end", title="runs")
    for run in runs:
        table.add_row(
            str(run["workers"]),
            f"{run['clusters_per_second']:.1f}",
            f"{run['with_start']:.1f}",
            f"{run['megabytes_early']:.0f}",
            f"{run['megabytes_at_the_end']:.0f}",
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--clusters", type=int, default=400)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, usable_cores()])
    parser.add_argument("-c", "--config", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    given = {"clusters": chosen.clusters}
    config = SimulateConfig.load(chosen.config, given, str)
    steps = measure_steps(config)
    runs = [measure_run(config, workers) for workers in chosen.workers]
    show(steps, runs)
    if chosen.json is not None:
        machine = (
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        values = {"machine": machine, "steps": steps, "runs": runs}
        chosen.json.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
