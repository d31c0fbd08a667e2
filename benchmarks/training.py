"""How fast clusters are read and learnt from, so that training never waits for the reading.

One process, one thread, per network: clusters per second that the loader gives (in memory, and read
from the disk), that the network trains on, and their ratio, of which at least 3 is wanted.

    python benchmarks/training.py CATALOG [--clusters 1000] [--pixels 64] [--batch 64] [--json FILE]
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from icmass.catalog import Catalog
from icmass.estimate.augmentation import Augmentation
from icmass.estimate.estimator import Estimator, learn_normalisation, tensors
from icmass.estimate.inputs import Inputs
from icmass.estimate.networks import NETWORKS
from icmass.estimate.reading import HeldReader, Reader, reader_of
from icmass.estimate.threads import one_thread

SECONDS = 3.0


def rate(action: Callable[[], Any], batch: int) -> float:
    """Return clusters per second of an action on a batch, after a first one."""
    action()
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        action()
        n += 1
    return n * batch / (time.perf_counter() - start)


def measure(name: str, catalog: Catalog, pixels: int, batch: int) -> dict[str, Any]:
    """Measure one network."""
    if NETWORKS[name].sees_galaxies and not catalog.spec.galaxies:
        return {}
    inputs = Inputs.resolve(
        NETWORKS[name].defaults.inputs, catalog.spec, pixels=pixels, cube_cells=32
    )
    rows = np.arange(len(catalog))
    ln_mass = np.log(catalog.column("m500c_msun"))
    disk = Reader(catalog, inputs)
    held = reader_of(disk, memory_gb=8.0)
    estimator = Estimator(name, "point", inputs)
    learn_normalisation(estimator, held, rows, ln_mass, np.ones(len(rows)))
    optimiser = torch.optim.AdamW(estimator.parameters(), 1e-3)
    augment = Augmentation(turns=estimator.network.turns_matter)
    generator = torch.Generator().manual_seed(0)
    rng = np.random.default_rng(0)

    def load(reader: Reader | HeldReader) -> Any:
        clusters = tensors(reader.read(rng.choice(rows, batch)))
        return augment(clusters, torch.ones(batch), generator)

    fixed = load(held)
    truth = torch.zeros(batch)

    def learn() -> None:
        optimiser.zero_grad()
        estimator.loss(fixed, truth).mean().backward()
        optimiser.step()

    learnt = rate(learn, batch)
    from_memory, from_disk = (rate(lambda r=r: load(r), batch) for r in (held, disk))
    return {
        "network": name,
        "trained_per_s": learnt,
        "from_memory_per_s": from_memory,
        "from_disk_per_s": from_disk,
        "memory_ratio": from_memory / learnt,
        "disk_ratio": from_disk / learnt,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    catalog = Catalog.open(arguments.catalog)
    catalog = catalog.select(np.arange(min(arguments.clusters, len(catalog))))
    with one_thread():
        rows = [
            found
            for name in sorted(NETWORKS)
            if (found := measure(name, catalog, arguments.pixels, arguments.batch))
        ]
    heads = ("network", "trained/s", "memory/s", "disk/s", "memory/trained", "disk/trained")
    table = Table(*heads, title=f"clusters per second, {arguments.pixels}^2 pixels, one thread")
    for row in rows:
        name, *numbers = row.values()
        table.add_row(name, *(f"{value:,.1f}" for value in numbers))
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
