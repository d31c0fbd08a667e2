"""How often measures of calibration flag a distortion, what samples cost, and how fast it all is.

Power: predictive Gaussians that are made too wide, too narrow or too high on purpose; the part of
`--repeats` samples in which each measure rejects "right" at 1%. Samples: what is lost when a
predictive distribution is known by m samples only. Speed: one process.

    python benchmarks/metrics.py [--clusters 410 3285] [--repeats 300] [--json FILE]
"""

import argparse
import json
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

from icmass.catalog import Catalog, CatalogSpec, ShardData
from icmass.estimate.clipped_counts import clipped_counts
from icmass.estimate.metrics import (
    Binning,
    Predictive,
    coverage,
    evenness,
    metrics_table,
    pit,
    pit_histogram,
    reference_points,
    score,
)

DISTORTIONS = {
    "right": (1.0, 0.0),
    "1.25 x too wide": (1.25, 0.0),
    "1.25 x too narrow": (0.8, 0.0),
    "0.25 sigma too high": (1.0, 0.25),
    "0.5 sigma too high": (1.0, 0.5),
}
SAMPLES = (50, 100, 300, 1000, 4000)
BACKGROUND_COUNTS = (2_000, 52_000)
P_FLAG = 0.01


def drawn(n: int, width: float, shift: float, rng: np.random.Generator) -> np.ndarray:
    """Draw truths, and score predictions whose widths vary and are distorted."""
    sigma = rng.uniform(0.1, 0.4, n)
    mean = 33.0 + rng.uniform(-1.5, 1.5, n)
    truth = mean + sigma * rng.standard_normal(n)
    return score(
        Predictive.gaussian(mean + shift * sigma, width * sigma), truth, rng.uniform(31, 35, n)
    )


def p_values(scores: np.ndarray) -> dict[str, float]:
    """Return how probable each measure is if the predictions are right."""
    n, z = len(scores), scores["normal_score"]

    def of_mean(values: np.ndarray) -> float:
        return 2 * stats.norm.sf(abs(values.mean()) / (values.std() / math.sqrt(n)))

    def of_coverage(level: float) -> float:
        error = math.sqrt(level * (1 - level) / n)
        return 2 * stats.norm.sf(abs(coverage(pit(scores), level) - level) / error)

    density, error = pit_histogram(pit(scores))
    return {
        "coverage 68%": of_coverage(0.68),
        "coverage 95%": of_coverage(0.95),
        "pull_mean": of_mean(z),
        "pull_std": 2 * stats.norm.sf(abs(z.std() - 1) * math.sqrt(2 * n)),
        "PIT histogram": stats.chi2.sf(0.9 * np.sum(((density - 1) / error) ** 2), 9),
        "pit_ks": evenness(pit(scores)).p_value,
        "tarp_ks": evenness(scores["tarp"]).p_value,
        "nll_excess": of_mean(scores["nll"] - scores["nll_expected"]),
        "crps_excess": of_mean(scores["crps"] - scores["crps_expected"]),
    }


def power(n: int, repeats: int) -> dict[str, list[float]]:
    """Return the part of samples of n clusters that each measure flags, by distortion."""
    rng = np.random.default_rng([3, n])
    flagged: dict[str, list[float]] = defaultdict(list)
    for width, shift in DISTORTIONS.values():
        found = [p_values(drawn(n, width, shift, rng)) for _ in range(repeats)]
        for name in found[0]:
            flagged[name].append(float(np.mean([p[name] < P_FLAG for p in found])))
    return flagged


def cost_of_samples(m: int) -> tuple[int, float, float, float]:
    """Return knots, loss of ln p, loss of CRPS in % and 95% coverage for m samples."""
    rng = np.random.default_rng(3)
    n = min(20_000, 20_000_000 // m)
    truth = rng.standard_normal(n)
    law = Predictive.gaussian(np.zeros(n), np.ones(n))
    known = Predictive.from_samples(rng.standard_normal((n, m)))
    loss = float(np.mean(law.log_density(truth) - known.log_density(truth)))
    crps = 100 * float(np.mean(known.crps(truth)) / np.mean(law.crps(truth)) - 1)
    return len(known.score), loss, crps, coverage(known.cdf(truth), 0.95)


def seconds(action: Callable[[], Any]) -> float:
    """Return how long the second call takes; the first compiles."""
    action()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def catalog_of(background: float, folder: Path) -> Catalog:
    """Make 2,000 clusters of 3,900 photons, a few AGN and flat background."""
    spec = CatalogSpec()
    radius = spec.geometry.radius()
    profile = (1 + (radius / 200.0) ** 2) ** -1.5
    expected = np.zeros(spec.image_shape, np.float32)
    expected[0] = np.array([2000, 1200, 700])[:, None, None] * profile / profile.sum()
    expected[1] = 0.01
    expected[2] = background / expected[2].size
    rng = np.random.default_rng(1)
    catalog = Catalog.create(folder / f"background-{background:g}", spec)
    for shard in range(8):
        images = rng.poisson(expected, (250, *expected.shape)).astype(np.uint16)
        columns = {c.name: np.ones(250, c.dtype) for c in spec.columns}
        columns["halo_id"] = 250 * shard + np.arange(250)
        catalog.append(ShardData(columns, images))
    return catalog


def speeds() -> dict[str, float]:
    """Return clusters per second of each step."""
    n, rng = 1_000_000, np.random.default_rng(2)
    mean, reference = rng.normal(33, 0.5, n), reference_points(n, 31, 35, seed=1)
    gaussian = Predictive.gaussian(mean, np.full(n, 0.2))
    p = [0.025, 0.16, 0.25, 0.5, 0.75, 0.84, 0.975]
    quantiles = Predictive.from_quantiles(p, gaussian.quantile(p))
    samples = rng.normal(33, 0.2, (10_000, 1000))
    few = score(gaussian[:3285], mean[:3285] + 0.2 * rng.standard_normal(3285), reference[:3285])
    bins = {"z": Binning(rng.random(3285), np.linspace(0, 1, 5))}
    found = {
        "score Gaussians": n / seconds(lambda: score(gaussian, mean, reference)),
        "score 7 quantiles": n / seconds(lambda: score(quantiles, mean, reference)),
        "1,000 samples to knots": 1e4 / seconds(lambda: Predictive.from_samples(samples)),
        "table of 5 rows, 200 resamples": 3285
        / seconds(lambda: metrics_table(few, np.arange(3285), bins)),
    }
    with tempfile.TemporaryDirectory() as folder:
        for background in BACKGROUND_COUNTS:
            catalog = catalog_of(background, Path(folder))
            took = seconds(lambda catalog=catalog: clipped_counts(catalog))
            found[f"clipped counts, {background:,} background"] = len(catalog) / took
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clusters", type=int, nargs="+", default=[410, 3285])
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    console, result = Console(), {}
    for n in options.clusters:
        flagged = power(n, options.repeats)
        table = Table("measure", *DISTORTIONS, title=f"flagged at 1%, {n} clusters")
        for name, parts in flagged.items():
            table.add_row(name, *(f"{part:.2f}" for part in parts))
        console.print(table)
        result[f"power {n}"] = flagged
    table = Table("samples", "knots", "loss of ln p", "loss of CRPS [%]", "coverage of 95%")
    for m in SAMPLES:
        knots, loss, crps, cover = cost_of_samples(m)
        table.add_row(str(m), str(knots), f"{loss:.3f}", f"{crps:.2f}", f"{100 * cover:.1f}")
        result[f"samples {m}"] = [knots, loss, crps, cover]
    console.print(table)
    table = Table("step", "clusters/s")
    for name, speed in speeds().items():
        table.add_row(name, f"{speed:,.0f}")
        result[name] = speed
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
