"""How the scatter falls with the number of clusters, and the floor that it tends to.

Trains one network on the first n haloes of a catalog, for several n, with the same protocol, and
fits sigma^2 = floor^2 + c / n_train. Beside it stands the ridge regression on clipped counts of the
same clusters and folds. Runs are kept in DIR, and the figure `learning-curve.png`.

    python benchmarks/learning_curve.py CATALOG... [-o DIR] [--network profile] [--inputs all]
        [--sizes 800 1600 3285 10000] [--folds 4] [--epochs 25] [--workers 2]
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from icmass.catalog import Catalog
from icmass.config import TrainConfig
from icmass.estimate.benchmark.suites import ORIGINS
from icmass.estimate.clipped_counts import clipped_counts
from icmass.estimate.figures import sample_size_figure, save
from icmass.estimate.metrics import (
    fit_learning_curve,
    halo_numbers,
    metrics_table,
    point_scores,
)
from icmass.estimate.out_of_fold import own_scores
from icmass.estimate.regression import Features, cross_predict
from icmass.estimate.training import chosen_clusters, run_folds, train


def measure(
    catalog: Catalog, size: int, arguments: argparse.Namespace
) -> tuple[int, dict[str, tuple[float, float]]]:
    """Return the clusters of a training part, and scatter with error by estimator."""
    config = TrainConfig.parse(
        {
            "network": arguments.network,
            "inputs": [arguments.inputs, "redshift", "exposure_s"],
            "origins": list(ORIGINS),
            "pixels": arguments.pixels,
            "folds": arguments.folds,
            "epochs": arguments.epochs,
            "max_clusters": size,
        }
    )
    chosen = chosen_clusters(catalog, config)
    fold, parts = run_folds(chosen, config)
    halo = halo_numbers(*(chosen.column(k) for k in ("sample_id", "snapshot_id", "halo_id")))
    place = arguments.output / f"{arguments.network}-{arguments.inputs}-{size}"
    run = train(catalog, config, place, workers=arguments.workers)
    rings = clipped_counts(chosen, origins=ORIGINS)
    if arguments.inputs == "all":
        rings = rings.together()
    seen = Features.clipped(rings, chosen.column("redshift"), chosen.column("exposure_s"))
    ln_mass = np.log(chosen.column("m500c_msun"))
    said = cross_predict(seen, ln_mass, fold, halo, "ridge")
    found = {
        arguments.network: own_scores(run, chosen),
        "ridge on clipped counts": point_scores(said.mean, ln_mass),
    }
    n_train = round(np.mean([len(part.train) for part in parts]))
    return n_train, {name: scatter(scores, halo) for name, scores in found.items()}


def scatter(scores: Any, halo: Any) -> tuple[float, float]:
    row = metrics_table(scores, halo, n_resamples=200)[0]
    return row.value["slope_scatter"], row.error["slope_scatter"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("catalog", type=Path, nargs="+", help="several are joined")
    parser.add_argument("-o", "--output", type=Path, default=Path("learning-curve"))
    parser.add_argument("--network", default="profile")
    parser.add_argument("--inputs", default="all", help="all (one band) or bands")
    parser.add_argument("--sizes", type=int, nargs="+", default=[800, 1600, 3285, 10000])
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    arguments.output.mkdir(exist_ok=True)
    catalog = Catalog.join(arguments.catalog)
    measured = [measure(catalog, n, arguments) for n in arguments.sizes if n <= len(catalog)]
    n_train = np.array([n for n, _ in measured])
    console = Console()
    for name in measured[0][1]:
        value, error = np.array([found[name] for _, found in measured]).T
        curve = fit_learning_curve(n_train, value, error)
        table = Table("clusters trained on", "scatter in ln M [%]", title=f"{name}")
        for n, v, e in zip(n_train, value, error, strict=True):
            table.add_row(f"{n:,}", f"{100 * v:.2f} +- {100 * e:.2f}")
        console.print(table)
        console.print(f"floor {100 * curve.floor:.2f}%, c {curve.c:.2f}")
        figure = sample_size_figure(n_train, value, error, curve)
        file = f"{name.replace(' ', '-')}-{arguments.inputs}.png"
        save(figure, arguments.output / file, overwrite=True)


if __name__ == "__main__":
    main()
