"""A benchmark: all estimators on the same clusters with the same folds, one table.

Trained estimators are kept in the directory, so that a benchmark that was interrupted goes on, and
one that is given again trains nothing.
"""

import json
import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from icmass import __version__
from icmass.bootstrap import haloes_of
from icmass.catalog import Catalog
from icmass.config import TrainConfig
from icmass.errors import InputError, OutputError
from icmass.estimate.benchmark.classical import proxy_rows, regression_rows, rings_that_fit
from icmass.estimate.benchmark.output import Table, write_table
from icmass.estimate.benchmark.rows import Row, Sample, make_row
from icmass.estimate.benchmark.suites import GALAXIES_OF, Suite, TrainedRow
from icmass.estimate.metrics import Binning
from icmass.estimate.out_of_fold import own_scores
from icmass.estimate.recalibration import MIN_CLUSTERS
from icmass.estimate.runs import Run
from icmass.estimate.training import (
    Progress,
    chosen_clusters,
    make_plan,
    run_folds,
    train,
    training_workers,
)
from icmass.files import require_directory, write_text
from icmass.provenance import versions

__all__ = ["BENCHMARK", "run_benchmark"]

BENCHMARK: Final = "benchmark.json"
_FORMAT: Final = "icmass benchmark"
# For each row that is trained, how to show how far it is.
Show = Callable[[str], AbstractContextManager[Callable[[Progress], None] | None]]
Say = Callable[[str], None]


def run_benchmark(
    catalog: Catalog,
    directory: str | Path,
    suite: Suite,
    *,
    seed: int = 0,
    overrides: dict[str, Any] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    show: Show | None = None,
    say: Say | None = None,
) -> Table:
    """Train what is missing, evaluate everything on identical folds, write tables and figures.

    Parameters
    ----------
    catalog : Catalog
    directory : str or Path
        New, empty, or that of the same benchmark.
    suite : Suite
    seed : int
    overrides : dict, optional
        Keys of `TrainConfig` for all that is trained, such as the accelerator.
    workers, scheduler
        As for `icmass.estimate.training.train`.
    show : callable, optional
        From the name of a row to a context in which its training is shown.
    say : callable, optional
        Is told, in a line, what was done.

    Raises
    ------
    InputError
        If the catalog is too small or lacks what every row needs.
    OutputError
        If the directory holds something else.
    """
    configs = _configs(catalog, suite, seed, overrides or {})
    base = next(iter(configs.values()))
    if scheduler is None:
        from icmass.estimate.training.trainer import require_device  # noqa: PLC0415  (Lightning)

        require_device(base)
    chosen = chosen_clusters(catalog, base)
    _require_enough(chosen, suite, configs.values())
    sample = _sample(chosen, base)
    rings, skipped = rings_that_fit(chosen)
    skipped += [f"{row.label}: the catalog has no galaxies" for row in _impossible(suite, chosen)]
    tell = say or _silent
    rows: list[Row] = []
    with training_workers(base.accelerator, workers, scheduler, suite.folds) as executor:
        path = _begin(Path(directory), suite, seed, chosen)
        for row in chain(
            proxy_rows(chosen, sample, suite.n_resamples),
            regression_rows(chosen, sample, rings, seed, base.validation, suite.n_resamples),
        ):
            rows.append(row)
            tell(_line(row))
        for trained, config in configs.items():
            context = show(trained.name) if show is not None else nullcontext()
            with context as report:
                place = path / "runs" / trained.name
                run = train(catalog, config, place, executor=executor, report=report)
            rows.append(_trained_row(trained, run, chosen, sample, suite.n_resamples))
            tell(_line(rows[-1]))
    table = Table(suite, seed, chosen.fingerprint(), len(chosen), tuple(rows), tuple(skipped))
    write_table(table, path)
    return table


def _trained_row(
    trained: TrainedRow, run: Run, catalog: Catalog, sample: Sample, n_resamples: int
) -> Row:
    return make_row(
        sample if not trained.leak_test else replace(sample, bins={}),
        own_scores(run, catalog),
        name=trained.name,
        label=trained.label,
        kind="network",
        sees=_sees(run.config, run.inputs.n_x),
        paper=None if trained.paper is None else trained.paper / 100.0,
        leak_test=trained.leak_test,
        n_resamples=n_resamples,
    )


def _configs(
    catalog: Catalog, suite: Suite, seed: int, overrides: dict[str, Any]
) -> dict[TrainedRow, TrainConfig]:
    """Return the configuration of every row that the catalog allows, checked before any work."""
    impossible = _impossible(suite, catalog)
    configs = {
        row: TrainConfig.parse({**suite.keys(row), "seed": seed, **overrides})
        for row in suite.rows
        if row not in impossible
    }
    if not configs:
        raise InputError(
            f"{catalog.path}: must have galaxies for every row of the suite {suite.name}; it has "
            "none. Take another suite."
        )
    for config in configs.values():
        make_plan(config, catalog)
    return configs


def _require_enough(catalog: Catalog, suite: Suite, configs: Iterable[TrainConfig]) -> None:
    """Refuse a catalog of too few clusters, saying how many the suite needs."""
    n = len(catalog)
    per_halo = n / len(np.unique(haloes_of(catalog))) if n else 1.0
    least = max(_least_clusters(config, per_halo) for config in configs)
    if n < least:
        raise InputError(
            f"clusters: suite {suite.name} must have at least {least:,}; got {n:,}. Give a larger "
            "catalog or a wider selection."
        )


def _least_clusters(config: TrainConfig, per_halo: float) -> int:
    """Return the least number of clusters of which each fold can be trained and recalibrated.

    Folds are as equal as they can be, and of the haloes outside each the validation part is set
    apart (`icmass.estimate.folds`), with so many clusters `per_halo`.
    """
    wanted = 1 if config.recalibration == "none" else MIN_CLUSTERS
    part = config.validation * (1.0 - 1.0 / config.folds)
    haloes = max(int((wanted / per_halo - 0.5) / part) - config.folds, config.folds)
    while True:
        outside = haloes - math.ceil(haloes / config.folds)
        if round(config.validation * outside) * per_halo >= wanted:
            return math.ceil(haloes * per_halo)
        haloes += 1


def _impossible(suite: Suite, catalog: Catalog) -> list[TrainedRow]:
    """Return the rows that need galaxies, where the catalog has none."""
    columns = {column.name for column in catalog.columns}
    return [
        row
        for row in suite.rows
        if ("galaxies" in row.config["inputs"] and not catalog.spec.galaxies)
        or not columns.issuperset(GALAXIES_OF.intersection(row.config["inputs"]))
    ]


def _sample(catalog: Catalog, config: TrainConfig) -> Sample:
    mass, redshift = catalog.column("m500c_msun"), catalog.column("redshift")
    fold, _ = run_folds(catalog, config)
    ln_mass = np.log(mass)
    columns = {column.name for column in catalog.columns}
    binned = {"log10_m500c": (np.log10(mass), 5), "redshift": (redshift, 4)}
    for name in ("exposure_s", "dynamical_state", "cool_core_strength"):
        if name in columns:
            binned[name] = (catalog.column(name), 3)
    bins = {}
    for name, (values, n_bins) in binned.items():
        edges = _quantile_edges(values[np.isfinite(values)], n_bins)
        if len(edges) > 2:  # one bin, as of snapshots of one redshift, is all clusters again
            bins[name] = Binning(values, edges)
    return Sample(ln_mass, redshift, haloes_of(catalog), fold, bins)


def _quantile_edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Return edges of bins of about equal numbers; fewer where values repeat."""
    if not len(values):
        return np.array([0.0, 1.0])
    return np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1)))


def _begin(path: Path, suite: Suite, seed: int, catalog: Catalog) -> Path:
    """Make the directory, or see that it is of the same benchmark."""
    wanted = {
        "format": _FORMAT,
        "suite": suite.name,
        "seed": seed,
        "catalog": catalog.fingerprint(),
    }
    require_directory(path)
    note = path / BENCHMARK
    if path.is_dir() and any(path.iterdir()):
        try:
            found = json.loads(note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        for key, value in wanted.items():
            if not isinstance(found, dict) or found.get(key) != value:
                got = found.get(key) if isinstance(found, dict) else None
                raise OutputError(
                    f"{path}: must be new, empty or the same benchmark; expected {key} {value}, "
                    f"found {got}. Choose another directory."
                )
    else:
        path.mkdir(exist_ok=True)
        about = {"written_by": f"icmass {__version__}", "versions": versions("torch")}
        # First: what has it can be gone on with.
        write_text(note, json.dumps({**wanted, **about}, indent=1) + "\n")
    (path / "runs").mkdir(exist_ok=True)
    return path


def _sees(config: TrainConfig, pixels: int) -> str:
    seen = ", ".join(config.inputs or ())
    more = [
        word
        for word, wanted in (
            ("scaled by z", config.redshift_scaling),
            ("thinned to equal weight", config.equal_weight),
        )
        if wanted
    ]
    return f"{seen}; {pixels}^2 pixels" + "".join(f"; {word}" for word in more)


def _line(row: Row) -> str:
    value = row.metrics.value
    return (
        f"{row.label}: scatter {value['slope_scatter']:.3f} +- "
        f"{row.metrics.error['slope_scatter']:.3f} in ln M"
    )


def _silent(line: str) -> None:
    """Take the place of whoever would be told."""
