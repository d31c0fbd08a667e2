"""How cost grows with the size of the work: particles, photons, clusters, area, pixels, workers.

Each size is measured on one core (processor time; whole runs: time on the clock), the fastest of
several rounds over all sizes. A law t = a + b n^p is fitted to each series, by least squares in
ln t: `a` is what a run costs before it begins, `p` the exponent, 1 for linear work. Beside it
stands the slope between the two largest sizes, d ln t / d ln n, which needs no law. Workers are
compared by the same catalog made with one and two local processes, and with two of dask.

    python benchmarks/scaling.py DIR [--only NAME ...] [--quick] [--json FILE] [--markdown FILE]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

REPEATS = 3


@dataclass(frozen=True)
class Series:
    """One kind of work at several sizes.

    Attributes
    ----------
    name, unit : str
        What grows, and what is counted.
    prepare : callable
        From a size to (what is counted, the work to be timed).
    sizes : sequence
        Ascending; `quick` takes the first three.
    clock : callable
        Seconds so far, of the processor or of the wall.
    repeats : int
        Of each size; the fastest counts.
    """

    name: str
    unit: str
    prepare: Callable[[Any], tuple[float, Callable[[], Any]]]
    sizes: Sequence[Any]
    clock: Callable[[], float] = time.process_time
    repeats: int = REPEATS


def fit(n: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """Fit t = a + b n^p to `seconds`, shape (k,), at sizes `n`, shape (k,); return (a, p)."""
    from scipy.optimize import least_squares

    scale, largest = n.max(), seconds[-1]

    def residual(x: np.ndarray) -> np.ndarray:
        return np.log((np.exp(x[0]) + np.exp(x[1]) * (n / scale) ** x[2]) / seconds)

    start = [np.log(seconds.min() / 2.0), np.log(largest), 1.0]
    found = least_squares(residual, start, bounds=([-20, -20, 0.0], [20, 20, 4.0]))
    return float(np.exp(found.x[0])), float(found.x[2])


def observing(size: tuple[int, float], by: str) -> tuple[float, Callable[[], Any]]:
    """Gas of the peers' comparison, observed without background on one thread."""
    import numba
    from throughput import beta_model

    from icmass.simulate import Instrument, SpectralTable
    from icmass.simulate.photons.draw import draw_events
    from icmass.simulate.photons.gas_component import gas_component
    from icmass.simulate.view import View

    numba.set_num_threads(1)
    particles, exposure_s = size
    instrument, table = Instrument.load("erosita"), SpectralTable.load()
    view = View(150.0, 2.0, instrument.modes[0], instrument.fov_diameter_deg * 3600.0)

    def work(gas: Any, exposure_s: float) -> int:
        light = gas_component(gas, view, instrument, redshift=0.1, nh_cm2=1e20, table=table)
        return len(draw_events([light], view, instrument, exposure_s, 1))

    work(beta_model(1000), 100.0)
    gas = beta_model(particles)
    n = particles if by == "particles" else work(gas, exposure_s)
    return n, partial(work, gas, exposure_s)


def clusters(number: int, place: Path, **how: Any) -> tuple[float, Callable[[], Any]]:
    """A catalog of painted clusters, worker processes and their start included."""
    from icmass.config import SimulateConfig
    from icmass.simulate import simulate_catalog

    def work() -> None:
        target = place / f"catalog-{number}-{time.monotonic_ns()}"
        simulate_catalog(SimulateConfig(clusters=number, rows_per_shard=16), target, **how)

    return number, work


def cluster_pixels(pixels: int) -> tuple[float, Callable[[], Any]]:
    """Sixteen clusters observed on images of so many pixels a side; counted: pixels of an image."""
    import numba

    from icmass.config import SimulateConfig
    from icmass.simulate.production.producer import row_settings
    from icmass.simulate.production.sources import make_source
    from icmass.simulate.rows.row import observe_scene

    numba.set_num_threads(1)
    config = SimulateConfig(clusters=16, pixels=pixels)
    source, _ = make_source(config)
    settings = row_settings(config)
    scenes = [source.scene(index) for index in range(16)]

    def work() -> None:
        for scene in scenes:
            observe_scene(scene, settings)

    work()
    return pixels**2, work


def area(fraction: float, place: Path) -> tuple[float, Callable[[], Any]]:
    """A part of the eFEDS-like field with one worker; counted: square degrees."""
    from icmass.config import SurveyConfig
    from icmass.simulate.survey import simulate_survey

    def work() -> None:
        target = place / f"survey-{fraction}-{time.monotonic_ns()}"
        given = {"preset": "efeds", "fraction": fraction, "seed": 1}
        simulate_survey(SurveyConfig.parse(given), target, workers=1)

    return 140.3 * fraction, work


def training(
    number: int, place: Path, *, pixels: int | None = None
) -> tuple[float, Callable[[], Any]]:
    """Ten epochs of the profile network, 2 folds; counted: clusters, or pixels of an image."""
    from icmass.catalog import Catalog
    from icmass.config import TrainConfig
    from icmass.estimate.training import train

    catalog = Catalog.open(trained_on(place))
    catalog = catalog.select(np.arange(number))
    keys = {"network": "profile", "folds": 2, "epochs": 10, "validation": 0.4}
    config = TrainConfig.parse({**keys, "pixels": pixels or 64})

    def work() -> None:
        target = place / f"run-{number}-{config.pixels}-{time.monotonic_ns()}"
        train(catalog, config, target, workers=1)

    work()  # Lightning is loaded, kernels are compiled
    return (pixels**2 if pixels else number), work


def trained_on(place: Path) -> Path:
    """Return the catalog of the training series, made if it is not there."""
    from icmass.config import SimulateConfig
    from icmass.simulate import simulate_catalog

    path = place / "catalog"
    simulate_catalog(SimulateConfig(clusters=400, seed=1), path)
    return path


def all_series(place: Path) -> list[Series]:
    """Return what is measured."""
    wall = {"clock": time.perf_counter, "repeats": 1}
    by_particles, by_photons = partial(observing, by="particles"), partial(observing, by="photons")
    particles = [(n, 1_600.0) for n in (30_000, 100_000, 300_000, 1_000_000, 3_000_000)]
    photons = [(100_000, t) for t in (1e4, 3e4, 1e5, 3e5, 1e6)]
    sides = (16, 32, 64, 128)
    one = partial(clusters, place=place, workers=1)
    return [
        Series("observe", "particles", by_particles, particles),
        Series("observe", "photons", by_photons, photons),
        Series("catalog", "clusters", one, (16, 64, 128, 256), **wall),
        Series("catalog", "pixels", cluster_pixels, (64, 128, 256, 512), repeats=1),
        Series("survey", "deg^2", partial(area, place=place), (0.01, 0.02, 0.04, 0.08), **wall),
        Series("train", "clusters", lambda n: training(n, place), (100, 141, 200, 400), **wall),
        Series("train", "pixels", lambda n: training(200, place, pixels=n), sides, **wall),
    ]


def measure(series: Series, quick: bool) -> dict[str, Any]:
    """Measure one series and fit its law."""
    chosen = series.sizes[:3] if quick else series.sizes
    prepared = [series.prepare(size) for size in chosen]
    sizes, seconds = [n for n, _ in prepared], [float("inf")] * len(prepared)
    for _ in range(1 if quick else series.repeats):  # in rounds, for machines are slower at times
        for k, (_, work) in enumerate(prepared):
            begun = series.clock()
            work()
            seconds[k] = min(seconds[k], series.clock() - begun)
    for n, taken in zip(sizes, seconds, strict=True):
        say(f"{series.name}: {n:,.4g} {series.unit}: {taken:.3f} s")
    row = {"work": series.name, "grows": series.unit, "sizes": sizes, "seconds": seconds}
    row["last_slope"] = float(np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2]))
    if len(sizes) > 3:  # three points fit any law of three numbers
        row["start_s"], row["exponent"] = fit(np.array(sizes, dtype=float), np.array(seconds))
    return row


def workers(place: Path, number: int) -> list[dict[str, Any]]:
    """Make the same catalog with one and two local processes and with two of dask."""
    import distributed

    rows = []

    def run(name: str, **how: Any) -> None:
        _, work = clusters(number, place, **how)
        begun = time.perf_counter()
        work()
        rows.append({"workers": name, "seconds": time.perf_counter() - begun})
        say(f"workers: {name}: {rows[-1]['seconds']:.1f} s")

    run("1 local process", workers=1)
    run("2 local processes", workers=2)
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(processes=True, **settings) as cluster:
        run("2 dask processes", scheduler=cluster.scheduler_address)
    return rows


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table_of(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Return the lines of the table of series."""
    lines = []
    for row in rows:
        ends = f"{row['sizes'][0]:,.4g} to {row['sizes'][-1]:,.4g} {row['grows']}"
        taken = f"{row['seconds'][0]:.2f} to {row['seconds'][-1]:.2f}"
        fitted = [f"{row[key]:.2f}" if key in row else "" for key in ("start_s", "exponent")]
        lines.append([row["work"], ends, taken, *fitted, f"{row['last_slope']:.2f}"])
    return lines


HEADS = ["work", "sizes", "seconds", "start [s]", "exponent", "slope at the end"]


def markdown(rows: list[dict[str, Any]], crew: list[dict[str, Any]]) -> str:
    """Return both tables as they stand in the documentation."""
    lines = [HEADS, ["---"] * len(HEADS), *table_of(rows)]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    if crew:
        text += "\n\n| workers | seconds | speed-up |\n|---|---|---|\n"
        first = crew[0]["seconds"]
        text += "\n".join(
            f"| {row['workers']} | {row['seconds']:.1f} | {first / row['seconds']:.2f} |"
            for row in crew
        )
    return text + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--only", nargs="+", help="such as observe, catalog, survey, train, workers"
    )
    parser.add_argument("--quick", action="store_true", help="three sizes, once: a look")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    chosen = parser.parse_args()
    place = chosen.directory.resolve()
    place.mkdir(parents=True, exist_ok=True)
    wanted = set(chosen.only or ["observe", "catalog", "survey", "train", "workers"])
    rows = [measure(one, chosen.quick) for one in all_series(place) if one.name in wanted]
    crew = workers(place, 32 if chosen.quick else 400) if "workers" in wanted else []
    table = Table(*HEADS, title="t = a + b n^p")
    for line in table_of(rows):
        table.add_row(*line)
    Console().print(table)
    for row in crew:
        print(f"{row['workers']}: {row['seconds']:.1f} s")
    if chosen.json:
        chosen.json.write_text(json.dumps({"series": rows, "workers": crew}, indent=1) + "\n")
    if chosen.markdown:
        chosen.markdown.write_text(markdown(rows, crew))


# Worker processes import this script, and must not begin again.
if __name__ == "__main__":
    main()
