"""The benchmark: classical proxies, regressions and networks on the same clusters and folds."""

from icmass.estimate.benchmark.driver import run_benchmark
from icmass.estimate.benchmark.output import COLUMNS, LEAK_COLUMNS, Table, cells, notes
from icmass.estimate.benchmark.rows import Row
from icmass.estimate.benchmark.suites import SUITES, Suite, TrainedRow, suite_named

__all__ = [
    "COLUMNS",
    "LEAK_COLUMNS",
    "SUITES",
    "Row",
    "Suite",
    "Table",
    "TrainedRow",
    "cells",
    "notes",
    "run_benchmark",
    "suite_named",
]
