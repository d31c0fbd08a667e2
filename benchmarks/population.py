"""Does the embedded population behave like the sample of Ho et al. (2023)? Scatters, slopes, tails.

Clusters are painted, observed (gas and AGN; the study's counts hold no background) and measured on
particles, galaxies and photons, then every number is computed as the paper does: relations per
snapshot, residual over slope, snapshots averaged. Limits hold for the mean of the seeds.

    python benchmarks/population.py [--clusters 3285] [--seeds 3] [--population NAME or FILE]
        [--exposure 15000] [--particles 200000] [--workers 2] [--json FILE] [--save DIR]
    python benchmarks/population.py --catalog DIR [DIR ...]

Catalogs are taken for seeds; they hold no density profiles. Exit status 1 if a limit is not met.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from icmass.catalog import Catalog
from icmass.estimate.folds import halo_folds
from icmass.estimate.proxies import IDEAL, OBSERVED, ProxySample
from icmass.estimate.scaling import Relations, fit_relations
from icmass.estimate.search import score_sets

Columns = dict[str, NDArray[Any]]

CHUNK = 16
H = 0.704
EXPOSURE_S = 15_000.0  # unvignetted, survey: a median of some 4,000 photons of gas and AGN
CYLINDER_KPC, CYLINDER_KMS = 2300.0 / H, 3785.0
RADII_R500 = np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0])
SHELL = 1.12  # shells reach from radius / SHELL to radius * SHELL
ALL_OBSERVED = tuple(OBSERVED)
SETS = (
    *((name,) for name in (*IDEAL, *OBSERVED)),
    ("M_gas", "M_star"),
    ("T", "M_gas", "M_star"),
    ("N_gal", "N_phot,500"),
    ALL_OBSERVED,
)


class Limit(NamedTuple):
    """What a number should be: the paper's value where it has one, and what is accepted."""

    name: str
    paper: str = ""
    low: float = -np.inf
    high: float = np.inf


# The limits allow for what a sample of this size scatters by and for what cannot be known of a
# private simulation; correlations and slopes without the paper's value are from scaling relations.
LIMITS = (
    Limit("scatter T", "11.75", 10.6, 12.9),
    Limit("scatter L_X", "26.3", 22, 30),
    Limit("scatter M_gas", "8.46", 7.6, 9.3),
    Limit("scatter M_star", "12.56", 11.3, 13.8),
    Limit("scatter sigma_v,true", "37.6", 32, 43),
    Limit("scatter N_gal", "39.7", 34, 46),
    Limit("scatter sigma_v", "70.4", 58, 82),
    Limit("scatter N_phot", "40.0", 34, 46),
    Limit("scatter N_phot,500", "34.1", 29, 39),
    Limit("scatter M_gas + M_star", "4.93", 4.4, 5.5),
    Limit("scatter T + M_gas + M_star", "4.06"),
    Limit("scatter N_gal + N_phot,500", "28.8", 26, 31),
    Limit("scatter " + " + ".join(ALL_OBSERVED), "27.3"),
    Limit("slope T", "0.80 (SPT), 0.67", 0.55, 0.67),
    Limit("slope L_X", "1.93, 1.44", 1.5, 1.9),
    Limit("slope M_gas", "1.26", 1.1, 1.3),
    Limit("slope M_star"),
    Limit("slope sigma_v,true", "0.336"),
    Limit("slope N_gal"),
    Limit("slope sigma_v"),
    Limit("slope N_phot", "", 1.1, 1.35),
    Limit("slope N_phot,500"),
    Limit("correlation M_gas, M_star", "-0.52"),
    Limit("correlation T, M_gas", "-0.10"),
    Limit("correlation T, M_star", "-0.15"),
    Limit("correlation N_gal, N_phot,500", "0.25 to 0.35"),
    Limit("median log10 M500c, Msun/h", "13.94", 13.89, 13.99),
    Limit("median N_phot", "4000", 3400, 4800),
    Limit("mean AGN share of photons", "", 0.10, 0.20),
    Limit("median AGN share of photons"),
    Limit("galaxies in cylinder, min", "28", 25, 32),
    Limit("galaxies in cylinder, median", "112", 100, 125),
    Limit("galaxies in cylinder, max", "520", 430, 620),
    Limit("M_gas / M at 6.35e14 Msun", "0.143"),
    Limit("kT at 6.35e14 Msun, z = 0, keV", "6.0"),
    *(Limit(f"dex of n at {r:g} R500, fixed M") for r in RADII_R500),
    *(Limit(f"dex of n at {r:g} R500, fixed M_gas") for r in RADII_R500),
)


def paint_and_observe(task: tuple[str, int, int, int, int, float]) -> list[dict[str, Any]]:
    """Make the rows of haloes `start` to `stop`; runs in a worker."""
    from icmass.simulate.population.cluster import paint_cluster
    from icmass.simulate.population.haloes import draw_haloes
    from icmass.simulate.population.parameters import Population
    from icmass.simulate.rows.row import observe_scene
    from icmass.simulate.rows.settings import RowSettings

    name, seed, start, stop, particles, exposure_s = task
    population = Population.load(name)
    settings = RowSettings(background=False, exposure_s=exposure_s, seed=seed)
    haloes = draw_haloes(population, seed, start, stop)
    rows = []
    for index in range(stop - start):
        scene = paint_cluster(population, haloes.row(index), seed, 0, particles)
        columns: dict[str, Any] = dict(observe_scene(scene, settings).columns)
        galaxies = scene.galaxies
        assert galaxies is not None
        east, north = galaxies.position_kpc[:, :2].T
        columns["cylinder"] = in_cylinder(east, north, galaxies.v_los_km_s)
        radius = scene.gas.radius_kpc() / columns["r500c_kpc"]
        columns["density"] = shell_density(radius, scene.gas.mass_msun)
        rows.append(columns)
    return rows


def in_cylinder(east_kpc: NDArray[Any], north_kpc: NDArray[Any], v_kms: NDArray[Any]) -> int:
    """Galaxies as the study takes them for its cubes."""
    near = np.hypot(east_kpc, north_kpc) < CYLINDER_KPC
    return int(np.sum(near & (np.abs(v_kms) < CYLINDER_KMS)))


def shell_density(radius_r500: NDArray[Any], mass: NDArray[Any]) -> NDArray[Any]:
    """Mass in thin shells over their volume, any unit."""
    edges = np.sort(np.concatenate([RADII_R500 / SHELL, RADII_R500 * SHELL]))
    held = np.histogram(radius_r500, edges, weights=mass)[0][::2]
    return held / (edges[1::2] ** 3 - edges[::2] ** 3)


def make_columns(
    population: str,
    seed: int,
    clusters: int,
    *,
    particles: int = 200_000,
    exposure_s: float = EXPOSURE_S,
    workers: int = 2,
) -> Columns:
    """Paint and observe a sample in several processes."""
    os.environ["NUMBA_NUM_THREADS"] = "1"  # of the workers
    tasks = [
        (population, seed, start, min(start + CHUNK, clusters), particles, exposure_s)
        for start in range(0, clusters, CHUNK)
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        rows = [row for part in pool.map(paint_and_observe, tasks) for row in part]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def take_sample(sample: Path | int, arguments: argparse.Namespace) -> Columns:
    """Read a catalog, or make the sample of a seed."""
    if isinstance(sample, Path):
        return read_columns(sample)
    return make_columns(
        arguments.population,
        sample,
        arguments.clusters,
        particles=arguments.particles,
        exposure_s=arguments.exposure,
        workers=arguments.workers,
    )


def read_columns(path: Path) -> Columns:
    """Read the columns of a catalog and count its galaxies."""
    catalog = Catalog.open(path)
    columns = {column.name: catalog.column(column.name) for column in catalog.columns}
    galaxies = (catalog.galaxies(row) for row in range(len(catalog)))
    columns["cylinder"] = np.array(
        [in_cylinder(g["east_kpc"], g["north_kpc"], g["v_los_km_s"]) for g in galaxies]
    )
    return columns


def measure(columns: Columns) -> tuple[dict[str, float], dict[str, float]]:
    """Return every number of `LIMITS`, and the scatters found by cross-validation."""
    sample = ProxySample.of(columns.__getitem__)
    scores = score_sets(sample, SETS, fold=halo_folds(sample.halo, 8))
    found = {f"scatter {' + '.join(s.names)}": 100 * s.in_sample for s in scores}
    validated = {f"scatter {' + '.join(s.names)}": 100 * s.cross_validated for s in scores}
    relations = fit_relations(sample)
    found |= {
        f"slope {name}": slope
        for name, slope in zip(relations.names, relations.slope().tolist(), strict=True)
    }
    for pair in (limit.name for limit in LIMITS if limit.name.startswith("correlation ")):
        found[pair] = _correlation(relations, pair.removeprefix("correlation "))
    found |= _counts(columns) | _norms(sample)
    if "density" in columns:
        found |= _density_scatter(sample, columns["density"])
    return found, validated


def _correlation(relations: Relations, pair: str) -> float:
    first, second = (relations.names.index(name) for name in pair.split(", "))
    return float(relations.correlation()[first, second])


def _counts(columns: Columns) -> dict[str, float]:
    share = columns["n_phot_agn"] / np.maximum(columns["n_phot"], 1)
    cylinder = columns["cylinder"]
    return {
        "median log10 M500c, Msun/h": float(np.median(np.log10(columns["m500c_msun"] * H))),
        "median N_phot": float(np.median(columns["n_phot"])),
        "mean AGN share of photons": float(share.mean()),
        "median AGN share of photons": float(np.median(share)),
        "galaxies in cylinder, min": float(cylinder.min()),
        "galaxies in cylinder, median": float(np.median(cylinder)),
        "galaxies in cylinder, max": float(cylinder.max()),
    }


def _norms(sample: ProxySample) -> dict[str, float]:
    """Values at the pivot of the SPT sample; kT with its E(z)^(2/3) taken out."""
    relations = fit_relations(sample.proxies(["M_gas", "T"]))
    z = relations.evolution.nodes
    norm, slope, _ = relations.at(z)
    gas, kt = np.exp(norm + slope * np.log(6.35e14 / 2e14)).T
    expansion = np.sqrt(0.272 * (1 + z) ** 3 + 0.728)
    return {
        "M_gas / M at 6.35e14 Msun": float(np.mean(gas) / 6.35e14),
        "kT at 6.35e14 Msun, z = 0, keV": float(np.mean(kt / expansion ** (2 / 3))),
    }


def _density_scatter(sample: ProxySample, density: NDArray[Any]) -> dict[str, float]:
    """Scatter of log10 n at each radius, at fixed mass and at fixed gas mass."""
    names = tuple(f"{r:g}" for r in RADII_R500)
    ln_density = np.log(np.where(density > 0, density, np.nan))
    result = {}
    gas = sample.ln_proxy[:, sample.place("M_gas")] - np.log(0.12)  # near the pivot mass
    for label, ln_mass in (("M", sample.ln_mass), ("M_gas", gas)):
        shells = ProxySample(names, ln_density, ln_mass, sample.redshift, sample.halo)
        variance = np.diagonal(fit_relations(shells).covariance, axis1=1, axis2=2).mean(axis=0)
        for name, value in zip(names, np.sqrt(variance) / np.log(10), strict=True):
            result[f"dex of n at {name} R500, fixed {label}"] = float(value)
    return result


def print_table(found: list[dict[str, float]], validated: list[dict[str, float]]) -> bool:
    """Print all seeds and their mean beside the limits; return whether all are met."""
    table = Table(title=f"{len(found)} samples; scatters in % of M500c")
    for head in ("quantity", "paper or published", "limits"):
        table.add_column(head)
    for head in (*(f"seed {k}" for k in range(len(found))), "mean", "cross-validated", ""):
        table.add_column(head, justify="right")
    passed = True
    for limit in LIMITS:
        values = [numbers[limit.name] for numbers in found if limit.name in numbers]
        if not values:
            continue
        mean = float(np.mean(values))
        bounded = np.isfinite(limit.low)
        good = limit.low <= mean <= limit.high
        passed &= good
        others = [numbers[limit.name] for numbers in validated if limit.name in numbers]
        table.add_row(
            limit.name,
            limit.paper,
            f"{limit.low:g} to {limit.high:g}" if bounded else "",
            *(f"{value:.4g}" for value in values),
            f"{mean:.4g}",
            f"{np.mean(others):.4g}" if others else "",
            ("ok" if good else "[red]OUT[/red]") if bounded else "",
        )
    Console(width=150).print(table)
    return passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalog", type=Path, nargs="+", help="read these instead of painting")
    parser.add_argument("--clusters", type=int, default=3285)
    parser.add_argument("--seeds", type=int, default=3, help="number of samples")
    parser.add_argument("--population", default="magneticum", help="name or YAML file")
    parser.add_argument("--exposure", type=float, default=EXPOSURE_S, help="s")
    parser.add_argument("--particles", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the numbers to a file")
    parser.add_argument("--save", type=Path, help="keep the columns of each seed in this directory")
    arguments = parser.parse_args()
    found, validated = [], []
    for sample in arguments.catalog or range(arguments.seeds):
        start = time.perf_counter()
        columns = take_sample(sample, arguments)
        print(f"{sample}: {len(columns['redshift'])} in {time.perf_counter() - start:.1f} s")
        if arguments.save:
            arguments.save.mkdir(parents=True, exist_ok=True)
            np.savez(
                arguments.save / f"{Path(str(sample)).name}.npz", allow_pickle=False, **columns
            )
        numbers, others = measure(columns)
        found.append(numbers)
        validated.append(others)
    if arguments.json:
        text = json.dumps({"in_sample": found, "cross_validated": validated}, indent=1)
        arguments.json.write_text(text + "\n")
    sys.exit(0 if print_table(found, validated) else 1)


if __name__ == "__main__":
    main()
