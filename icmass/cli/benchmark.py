"""`icmass benchmark`: all estimators on the same clusters with the same folds, in one table."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icmass.cli.options import (
    DEVICE,
    AsJson,
    Devices,
    Precision,
    Scheduler,
    TrainingWorkers,
    Where,
    to_directory,
)
from icmass.cli.printing import print_wide_table
from icmass.cli.train import show_training

if TYPE_CHECKING:
    from icmass.estimate.benchmark import Suite, Table

__all__ = ["benchmark"]

_ESTIMATORS = "Estimators"


def benchmark(
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Directory of the catalog.")],
    where: Where = None,
    suite: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What is trained, and how long: quick (3 minutes on two cores), cpu (45 minutes) "
            "or paper (as Ho et al. 2023, for a GPU).",
            rich_help_panel=_ESTIMATORS,
        ),
    ] = "quick",
    seed: Annotated[
        int,
        typer.Option(min=0, help="Seed of all that is random.", rich_help_panel=_ESTIMATORS),
    ] = 0,
    accelerator: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="cpu, gpu, cuda, mps or auto. [default: that of the suite]",
            rich_help_panel=DEVICE,
        ),
    ] = None,
    devices: Devices = None,
    precision: Precision = None,
    output: Annotated[
        Path,
        to_directory("Where table, figures and trained estimators go, or are."),
    ] = Path("benchmark"),
    as_json: AsJson = False,
    workers: TrainingWorkers = None,
    scheduler: Scheduler = None,
) -> None:
    """Compare mass estimators, classical and trained, on the same clusters in one table.

    Given again it goes on where it was.
    """
    from icmass.catalog import Catalog
    from icmass.estimate.benchmark import run_benchmark, suite_named

    given = {"accelerator": accelerator, "devices": devices, "precision": precision}
    table = run_benchmark(
        Catalog.open(catalog, sound=True),
        output,
        _selected(suite_named(suite), where or ()),
        seed=seed,
        overrides={key: value for key, value in given.items() if value is not None},
        workers=workers,
        scheduler=scheduler,
        show=show_training,
        say=lambda line: typer.echo(line, err=True),
    )
    if as_json:
        typer.echo((output / "table.json").read_text(encoding="utf-8"), nl=False)
        return
    _print(table)
    typer.echo(f"tables and figures: {output}")


def _selected(suite: "Suite", where: Sequence[str]) -> "Suite":
    """Return a suite on clusters for which conditions hold, which is said with the table."""
    if not where:
        return suite
    return replace(
        suite,
        statement=f"{suite.statement}; clusters where {' and '.join(where)}",
        common={**suite.common, "where": list(where)},
    )


def _print(table: "Table") -> None:
    from icmass.estimate.benchmark import COLUMNS, LEAK_COLUMNS, cells, notes

    print_wide_table([head for head, _ in COLUMNS], cells(table.estimators()))
    if table.leaks():
        typer.echo("Does the redshift leak?")
        print_wide_table(LEAK_COLUMNS, cells(table.leaks(), LEAK_COLUMNS))
    for line in notes(table):
        typer.echo(line)
