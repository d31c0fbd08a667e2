"""`icmass train` and `icmass predict`: from a catalog to an estimator, and from that to masses."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import (
    DEVICE,
    INPUT,
    OUTPUT,
    AsJson,
    ConfigFile,
    Devices,
    Precision,
    RunDirectory,
    Scheduler,
    TrainingWorkers,
    Where,
    load_settings,
    to_directory,
)
from icmass.cli.printing import print_json

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
_ESTIMATOR = "Estimator"
_SHOWN = ("slope_scatter", "error_std", "robust_half_width", "bias", "coverage_68", "coverage_95")


def train(
    catalogs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CATALOG", help="Directory of the catalog; of several, all are trained on."
        ),
    ],
    inputs: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="What it sees: images (bands: one of each band; all: one of their sum; BAND; "
            "BAND+BAND), galaxies, and observables such as redshift. [default: what suits the "
            "network, with redshift and exposure_s]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    origins: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Whose photons it sees: icm, agn, background. [default: all]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    pixels: Annotated[
        int | None,
        typer.Option(
            help="Pixels on each side of the images, which must divide those of the catalog. "
            "[default: as there]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    where: Where = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="resnet, profile, or one of Ho et al. 2023: paper-single, paper-multiband, "
            "paper-multimodal. [default: resnet]",
            rich_help_panel=_ESTIMATOR,
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What it says of a mass: point (a number), gaussian (mean and spread) or flow "
            "(any distribution). [default: point]",
            rich_help_panel=_ESTIMATOR,
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Parts that haloes are dealt into; each part is judged by networks trained on the "
            "others. [default: 8]",
            rich_help_panel=_ESTIMATOR,
        ),
    ] = None,
    members: Annotated[
        int | None,
        typer.Option(
            help="Networks per fold, of different seeds, whose distributions are mixed. "
            "[default: 1]",
            rich_help_panel=_ESTIMATOR,
        ),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Part of the training haloes set apart, for stopping and for putting "
            "uncertainties right. [default: 0.1]",
            rich_help_panel=_ESTIMATOR,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over the training haloes, at most. [default: the network's own]",
            rich_help_panel=_ESTIMATOR,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Seed of folds, weights, order and augmentation. [default: 0]",
            rich_help_panel=_ESTIMATOR,
        ),
    ] = None,
    accelerator: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="cpu, gpu, cuda, mps or auto. [default: cpu]",
            rich_help_panel=DEVICE,
        ),
    ] = None,
    devices: Devices = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How several are used, such as ddp. [default: auto]",
            rich_help_panel=DEVICE,
        ),
    ] = None,
    precision: Precision = None,
    output: Annotated[
        Path,
        to_directory("Where the estimator goes, or is.", "RUN"),
    ] = Path("run"),
    as_json: AsJson = False,
    config: ConfigFile = None,
    workers: TrainingWorkers = None,
    scheduler: Scheduler = None,
) -> None:
    """Train an estimator of masses on catalogs, or go on with one that was interrupted.

    It ends with how good it is on clusters that it was not trained on.
    """
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
        "where": where,
        "epochs": epochs,
        "seed": seed,
        "accelerator": accelerator,
        "devices": devices,
        "strategy": strategy,
        "precision": precision,
    }
    settings = load_settings(TrainConfig, config, given, _OPTIONS)
    opened = Catalog.join([Catalog.open(catalog, sound=True) for catalog in catalogs])
    with show_training(str(output)) as report:
        run = train_run(
            opened, settings, output, workers=workers, scheduler=scheduler, report=report
        )
    if not is_first_device():
        return
    metrics = judge_own(run, chosen_clusters(opened, settings))
    _print_run(run, metrics, as_json)


def predict(
    run: RunDirectory,
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Directory of the catalog.")],
    name: Annotated[
        str | None,
        typer.Option(
            help="Of the predictions in the catalog. [default: that of RUN]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace predictions of that name.", rich_help_panel=OUTPUT
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Predict the masses of the clusters of a catalog, and write them into it.

    Clusters that the estimator was trained on are judged by the fold that was not.
    """
    import numpy as np

    from icmass.catalog import Catalog
    from icmass.estimate.out_of_fold import require_free
    from icmass.estimate.prediction import predict as predict_masses
    from icmass.estimate.prediction import write_predictions
    from icmass.estimate.runs import Run
    from icmass.progress import progress

    opened = Catalog.open(catalog, sound=True)
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
        print_json(values)
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
    """Show how far the training of `name` is on the error stream, if that is a terminal."""
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
        print_json(values)
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
