"""`icmass train` and `icmass predict`: from a catalog to an estimator, and from that to masses."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import ConfigFile

if TYPE_CHECKING:
    from icmass.estimate.runs import Run
    from icmass.estimate.training import Progress

__all__ = ["predict", "show_training", "train"]

# What the user writes for a key of the configuration.
_OPTIONS = {
    "network": "--network",
    "inputs": "--inputs",
    "origins": "--origins",
    "pixels": "--pixels",
    "head": "--head",
    "folds": "--folds",
    "members": "--members",
    "validation": "--validation",
    "where": "--where",
    "epochs": "--epochs",
    "seed": "--seed",
    "accelerator": "--accelerator",
    "devices": "--devices",
    "strategy": "--strategy",
    "precision": "--precision",
}
_SHOWN = ("slope_scatter", "error_std", "robust_half_width", "bias", "coverage_68", "coverage_95")


def train(
    catalogs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CATALOG...", help="Directory of the catalog; of several, all are trained on."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="RUN", help="Where the estimator goes.")
    ] = Path("run"),
    config: ConfigFile = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="resnet, profile, paper-single, paper-multiband, paper-multimodal. "
            "[default: resnet]"
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="bands, all, BAND, BAND+BAND, galaxies, and observables such as redshift.",
        ),
    ] = None,
    origins: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Origins of photons. [default: all]")
    ] = None,
    pixels: Annotated[
        int | None, typer.Option(help="Pixels on each side, fewer than in the catalog.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="point, gaussian or flow. [default: point]")] = (
        None
    ),
    folds: Annotated[int | None, typer.Option(help="Folds of whole haloes. [default: 8]")] = None,
    members: Annotated[int | None, typer.Option(help="Networks per fold. [default: 1]")] = None,
    validation: Annotated[
        float | None, typer.Option(help="Part of the rest set apart. [default: 0.1]")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="Use clusters where this holds: detected, 'redshift < 0.3', 'flags lacks "
            "BLENDED'. May be repeated.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data, at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random. [default: 0]")] = None,
    accelerator: Annotated[
        str | None, typer.Option(help="Lightning's: cpu, gpu, mps, auto. [default: cpu]")
    ] = None,
    devices: Annotated[str | None, typer.Option(help="Lightning's. [default: auto]")] = None,
    strategy: Annotated[str | None, typer.Option(help="Lightning's. [default: auto]")] = None,
    precision: Annotated[str | None, typer.Option(help="Lightning's. [default: 32-true]")] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Folds trained at once; one per core by default, on GPUs one."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a dask cluster, such as tcp://host:8786."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train an estimator of masses on catalogs, or go on with one that was interrupted."""
    from icmass.catalog import Catalog
    from icmass.config import TrainConfig
    from icmass.estimate.out_of_fold import judge_own
    from icmass.estimate.training import chosen_clusters, is_first_device
    from icmass.estimate.training import train as train_run

    given = {
        "network": network,
        "inputs": inputs,
        "origins": origins,
        "pixels": pixels,
        "head": head,
        "folds": folds,
        "members": members,
        "validation": validation,
        "where": where or None,
        "epochs": epochs,
        "seed": seed,
        "accelerator": accelerator,
        "devices": devices,
        "strategy": strategy,
        "precision": precision,
    }
    chosen = {key: value for key, value in given.items() if value is not None}
    settings = TrainConfig.load(config, chosen, lambda key: _OPTIONS.get(key, key))
    opened = Catalog.join(catalogs)
    with show_training(str(output)) as report:
        run = train_run(
            opened, settings, output, workers=workers, scheduler=scheduler, report=report
        )
    if not is_first_device():
        return
    metrics = judge_own(run, chosen_clusters(opened, settings))
    _print_run(run, metrics, as_json)


def predict(
    run: Annotated[Path, typer.Argument(help="Directory of the estimator.")],
    catalog: Annotated[Path, typer.Argument(help="Directory of the catalog.")],
    name: Annotated[
        str | None,
        typer.Option(help="Of the predictions in the catalog; that of the run by default."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace predictions of that name.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Predict the masses of a catalog and write them into it.

    Clusters that the estimator was trained on are judged by the fold that was not.
    """
    import numpy as np

    from icmass.catalog import Catalog
    from icmass.estimate.out_of_fold import require_free
    from icmass.estimate.prediction import predict as predict_masses
    from icmass.estimate.prediction import write_predictions
    from icmass.estimate.runs import Run
    from icmass.progress import progress

    opened = Catalog.open(catalog)
    found = Run.open(run)
    label = name or run.resolve().name
    require_free(opened, label, overwrite=overwrite)
    with progress("predict", len(opened)) as advance:
        said = predict_masses(found, opened, report=advance)
    path = write_predictions(opened, label, said, overwrite=overwrite)
    own = int(np.count_nonzero(said.fold >= 0))
    values = {
        "predictions": str(path),
        "clusters": len(opened),
        "out_of_fold": own,
        "by_all_folds": len(opened) - own,
        "median_std": float(np.median(said.predictive.mean_std()[1])) if len(opened) else None,
        "median_strangeness": float(np.median(said.strangeness)) if len(opened) else None,
    }
    if as_json:
        typer.echo(json.dumps(values, indent=1, allow_nan=False))
        return
    typer.echo(
        f"{path}: {len(opened):,} clusters, {own:,} by the fold that did not train on them, "
        f"{len(opened) - own:,} by all folds together"
    )
    if len(opened):
        typer.echo(
            f"median uncertainty {values['median_std']:.3f} in ln M, median strangeness "
            f"{values['median_strangeness']:.2f} (near 1: like the training sample)"
        )


@contextmanager
def show_training(name: str) -> "Iterator[Callable[[Progress], None] | None]":
    """Show how far a training is on the error stream, if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs,"),
        TextColumn("{task.fields[folds]} folds done,"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"train {name}", total=None, folds=0)

        def report(state: "Progress") -> None:
            bar.update(task, completed=state.epochs, total=state.all_epochs, folds=state.folds)

        yield report


def _print_run(run: "Run", metrics: dict[str, float], as_json: bool) -> None:
    values: dict[str, Any] = {
        "run": str(run.path),
        "network": run.config.network,
        "head": run.config.head,
        "channels": [channel.name for channel in run.inputs.channels],
        "scalars": list(run.inputs.scalars),
        "clusters": run.n_clusters,
        "where": list(run.config.where),
        "folds": run.config.folds,
        "metrics": {key: one if math.isfinite(one) else None for key, one in metrics.items()},
    }
    if as_json:
        typer.echo(json.dumps(values, indent=1, allow_nan=False))
        return
    selected = f" where {' and '.join(run.config.where)}" if run.config.where else ""
    typer.echo(
        f"{run.path}: {run.config.network} on {', '.join(values['channels'])}; head "
        f"{run.config.head}; {run.config.folds} folds of {run.n_clusters:,} clusters{selected}"
    )
    words = {
        "slope_scatter": "scatter (residual of ln M_pred over its slope)",
        "error_std": "standard deviation of the error in ln M",
        "robust_half_width": "half of the central 68% of errors",
        "bias": "mean error in ln M",
        "coverage_68": "truths in the central 68%",
        "coverage_95": "truths in the central 95%",
    }
    for key in _SHOWN:
        typer.echo(f"{words[key]:48}{metrics[key]:8.4f}")
    typer.echo("each cluster judged by the fold that did not train on it")
