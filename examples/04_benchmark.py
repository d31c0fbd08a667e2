"""Compare a network of your choice with the classical proxies, on the same clusters and folds.

    python examples/02_simulate.py && python examples/04_benchmark.py [EPOCHS]

All networks stand beside the proxies in: icmass benchmark catalog -o benchmark --suite quick
"""

import sys

from icmass.catalog import Catalog
from icmass.estimate.benchmark import Suite, TrainedRow, run_benchmark


def main() -> None:
    """Train one row of the table, add the proxies, print scatter and error."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    keys = {"network": "profile", "inputs": ["bands", "redshift", "exposure_s"], "epochs": epochs}
    suite = Suite(
        name="example",
        statement="example: the profile network in three bands, 3 folds",
        folds=3,
        max_clusters=None,
        n_resamples=50,
        common={"pixels": 64, "validation": 0.2},
        rows=(TrainedRow("profile", "profile network", keys),),
    )
    table = run_benchmark(Catalog.open("catalog"), "benchmark", suite)
    for row in table.estimators():
        values = row.numbers()
        scatter, error = values["slope_scatter"], values["slope_scatter_error"]
        print(f"{row.label:<40} {100 * scatter:5.1f} +- {100 * error:.1f}% scatter in mass")
    print("tables and figures are in ./benchmark")


# Worker processes import this script, and must not begin again.
if __name__ == "__main__":
    main()
