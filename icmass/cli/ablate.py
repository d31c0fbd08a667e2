"""`icmass ablate`: which information an estimator uses, by training it without."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icmass.cli.options import RUNNING, AsJson, RunDirectory, to_directory
from icmass.cli.printing import print_json, print_wide_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from icmass.interpret.ablations import AblationResult

__all__ = ["ablate"]

_TRAINING = "Training"


def ablate(
    run: RunDirectory,
    catalog: Annotated[
        Path, typer.Argument(metavar="CATALOG", help="The catalog that it was trained on.")
    ],
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="What to take away, each by itself: core, outskirts, azimuth (the shape), agn, "
            "only-BAND (other bands), one-image (colours), redshift; and shuffled, the control: "
            "masses of other clusters. [default: all that can be made]",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the data at most; the estimator itself is then trained again as "
            "well. [default: as the estimator]",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Folds trained at once. [default: one per core]", rich_help_panel=RUNNING
        ),
    ] = None,
    output: Annotated[
        Path,
        to_directory("Where the trained estimators and the table go."),
    ] = Path("ablations"),
    as_json: AsJson = False,
) -> None:
    """Train an estimator without some of its information, to see which it needs.

    Given again it goes on where it was. `icmass explain --ablations DIR` puts the table into its
    report, and takes the estimator trained on masses of other clusters for its checks.
    """
    from icmass.catalog import Catalog
    from icmass.cli.ablating import Job
    from icmass.cli.ablation_file import write_results
    from icmass.estimate.runs import Run

    found = Run.open(run)
    job = Job(found, Catalog.open(catalog, sound=True).where(*found.config.where), output, epochs)
    plan = job.plan(None if only is None else [name.strip() for name in only.split(",")])
    job.make_place()
    results = job.train(plan, workers)
    values = write_results(output, found, results)
    if as_json:
        print_json(values)
        return
    _print(results)
    typer.echo(f"trained estimators and table: {output}")


def _print(results: "Sequence[AblationResult]") -> None:
    def cell(value: float, error: float) -> str:
        known = math.isfinite(value) and not error > abs(value) > 1.0
        return f"{100 * value:.1f} ± {100 * error:.1f}" if known else "-"

    print_wide_table(
        ("trained", "clusters", "scatter %", "std of error %", "against as it is %"),
        (
            (
                row.words,
                f"{row.n:,}",
                cell(row.scatter, row.scatter_error),
                cell(row.error_std, row.error_std_error),
                "" if row.change_error == 0.0 else cell(row.change, row.change_error),
            )
            for row in results
        ),
    )
    typer.echo("in % of M, out of fold; errors by drawing haloes again, the same for both compared")
