"""What becomes of an estimator on other data: population, telescope, exposure, hydro snapshot.

Makes the catalogs that lie beside the one it was trained on, and judges all of them by
`icmass evaluate`:

- new: other haloes of the same population, the control;
- shifted: haloes of another population (stronger feedback, fewer cool cores, more AGN);
- epic_pn_like: the haloes of the reference through another telescope, in the same bands;
- efeds, erass1: the haloes of the reference, less exposed from the start (beside them in the table
  stands what thinning makes of the reference);
- swift: clusters of a hydro simulation, if the shared data lie beside the checkout.

`--run RUN --catalog CATALOG` takes a run and what it was trained on; without, both are made here.

    python benchmarks/shifts.py [--run RUN --catalog CATALOG] [--clusters 300] [-o DIR]
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from icmass.catalog import Catalog
from icmass.cli import main as icmass
from icmass.config import SimulateConfig, TrainConfig
from icmass.estimate.shifts import EXPOSURES_S
from icmass.estimate.training import train
from icmass.simulate.production import simulate_catalog
from icmass.workers import usable_cores

SWIFT = Path(__file__).resolve().parents[2] / "shared" / "data" / "swift"
SWIFT_SAMPLE = 1_000_000  # no seed of a population
# Gaussian, so that stated widths can be wrong cluster by cluster; enough validation for few.
TRAINING = {"network": "profile", "head": "gaussian", "folds": 4, "validation": 0.3}


def variants(base: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return configurations of the catalogs beside the reference, by name."""
    others = {"seed": base["seed"] + 1}  # which is their sample_id, so that no halo is shared
    result = {
        "new": base | others,
        "shifted": base | others | {"population": "shifted"},
        "epic_pn_like": base | {"instrument": "epic_pn_like", "mode": "pointed"},
    }
    for name in ("efeds", "erass1"):
        result[name] = base | {"exposure_s": EXPOSURES_S[name]}
    snapshot = SWIFT / "L0100N0080_z0.1.hdf5"
    if snapshot.exists():
        kept = {
            key: value
            for key, value in base.items()
            if key not in ("population", "clusters", "particles")
        }
        result["swift"] = kept | {
            "snapshot": [str(snapshot)],
            "halos": [str(SWIFT / "clusters_z0.1.ecsv")],
            "sample_id": SWIFT_SAMPLE,
            "metallicity": 0.3,
            "lines_of_sight": 3,
        }
    return result


def make(values: dict[str, Any], path: Path, workers: int) -> Catalog:
    """Simulate a catalog, or take it if it is there."""
    begun = time.perf_counter()
    given = {key: value for key, value in values.items() if value is not None}
    summary = simulate_catalog(SimulateConfig.parse(given), path, workers=workers)
    catalog = summary.catalog
    photons = np.median(catalog.column("n_phot")) if len(catalog) else 0
    print(
        f"{path.name}: {len(catalog)} clusters, median {photons:,.0f} photons, "
        f"{len(summary.failures)} failed, {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    return catalog


def reference(chosen: argparse.Namespace, folder: Path) -> tuple[Catalog, dict[str, Any]]:
    """Return the catalog that others are compared with, and its configuration."""
    if chosen.catalog is not None:
        catalog = Catalog.open(chosen.catalog)
        base = dict(catalog.spec.provenance["config"]) | {"clusters": chosen.clusters}
        return catalog, base
    config = SimulateConfig.load(chosen.config, {"clusters": chosen.clusters}, str)
    base = config.model_dump(mode="json")
    return make(base, folder / "reference", chosen.workers), base


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--run", type=Path, help="a trained estimator, of --catalog")
    parser.add_argument("--catalog", type=Path, help="what it was trained on: the reference")
    parser.add_argument("--clusters", type=int, default=300, help="of each catalog made here")
    parser.add_argument("-c", "--config", type=Path, help="of icmass simulate, for the reference")
    parser.add_argument("--train-config", type=Path, help="of icmass train, where none is given")
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--keep", type=Path, help="folder of the catalogs, to go on with")
    parser.add_argument("-o", "--output", type=Path, help="folder of table and figure")
    chosen = parser.parse_args()
    if chosen.run is not None and chosen.catalog is None:
        parser.error("--run: needs the --catalog that it was trained on")
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}"
    )
    print(f"{machine}; {chosen.clusters} clusters per catalog", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if chosen.keep is None else chosen.keep
        folder.mkdir(parents=True, exist_ok=True)
        catalog, base = reference(chosen, folder)
        run = chosen.run
        if run is None:
            given = {} if chosen.train_config is not None else TRAINING
            config = TrainConfig.load(chosen.train_config, given, str)
            run = train(catalog, config, folder / "run", workers=chosen.workers).path
        places = [catalog.path]
        for name, values in variants(base).items():
            places.append(make(values, folder / name, chosen.workers).path)
        output = chosen.output or folder / "evaluation"
        Console().rule("icmass evaluate")
        try:
            icmass(["evaluate", str(run), *map(str, places), "-o", str(output), "--overwrite"])
        except SystemExit as end:
            if end.code:
                sys.exit(end.code)


if __name__ == "__main__":
    main()
