"""`icmass benchmark`: all estimators on the same clusters with the same folds, in one table."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icmass.cli.train import show_training
from icmass.cli.wide_table import print_wide_table

if TYPE_CHECKING:
    from icmass.estimate.benchmark import Suite, Table

__all__ = ["benchmark"]


def benchmark(
    catalog: Annotated[Path, typer.Argument(help="Directory of the catalog.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where table and runs go.")
    ] = Path("benchmark"),
    suite: Annotated[
        str,
        typer.Option(help="quick (3 minutes on two cores), cpu (45 minutes) or paper (for a GPU)."),
    ] = "quick",
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="Use clusters where this holds: detected, 'redshift < 0.3'. May be repeated.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    accelerator: Annotated[
        str | None, typer.Option(help="Lightning's: cpu, gpu, mps, auto; the suite's by default.")
    ] = None,
    devices: Annotated[str | None, typer.Option(help="Lightning's.")] = None,
    precision: Annotated[str | None, typer.Option(help="Lightning's.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Folds trained at once; one per core by default.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Train on a dask cluster.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare mass estimators, classical and trained, on the clusters of a catalog."""
    from icmass.catalog import Catalog
    from icmass.estimate.benchmark import run_benchmark, suite_named

    given = {"accelerator": accelerator, "devices": devices, "precision": precision}
    table = run_benchmark(
        Catalog.open(catalog),
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
