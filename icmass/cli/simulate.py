"""`icmass simulate`: from the embedded population, or snapshots, to a catalog of mock clusters."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import (
    OBSERVATION,
    UNITS_FORM,
    UNITS_HELP,
    AsJson,
    ConfigFile,
    InstrumentName,
    NoBackground,
    Repair,
    Scheduler,
    Seed,
    Workers,
    load_settings,
    pairs,
    to_directory,
)
from icmass.cli.printing import print_json
from icmass.cli.progress_line import duration, show_progress

if TYPE_CHECKING:
    from icmass.simulate.production import Summary

__all__ = ["SOME_FAILED", "print_summary", "simulate", "summary_values"]

SOME_FAILED = 3  # exit status: the catalog is complete but for haloes that could not be made

# What the user writes for a key of the configuration.
_OPTIONS = {
    "clusters": "--clusters",
    "seed": "--seed",
    "population": "--population",
    "particles": "--particles",
    "snapshot": "--snapshot",
    "halos": "--halos",
    "halo_galaxies": "--galaxies",
    "lines_of_sight": "--lines-of-sight",
    "redshift": "--redshift",
    "units": "--units",
    "exposure_s": "--exposure",
    "nh_cm2": "--nh",
    "instrument": "--instrument",
    "agn": "--agn",
    "background": "--no-background",
}
_FAILURES_SHOWN = 5
_POPULATION = "Input: clusters drawn and painted"
_SNAPSHOTS = "Input: clusters of snapshots, in place of these"


def simulate(
    clusters: Annotated[
        int | None,
        typer.Option(help="Haloes to draw. [default: 3285]", rich_help_panel=_POPULATION),
    ] = None,
    population: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How haloes and their gas are: a name in the package, or a YAML file. [default: "
            "magneticum]",
            rich_help_panel=_POPULATION,
        ),
    ] = None,
    particles: Annotated[
        int | None,
        typer.Option(
            help="Gas particles that a cluster is painted with. [default: 200000]",
            rich_help_panel=_POPULATION,
        ),
    ] = None,
    snapshot: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Take the clusters of this snapshot: a file, folder or pattern. May be repeated.",
            rich_help_panel=_SNAPSHOTS,
        ),
    ] = None,
    halos: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE",
            help="Its haloes. May be repeated. [default: searched in the snapshot]",
            rich_help_panel=_SNAPSHOTS,
        ),
    ] = None,
    galaxies: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE", help="Its galaxies. May be repeated.", rich_help_panel=_SNAPSHOTS
        ),
    ] = None,
    redshift: Annotated[
        float | None,
        typer.Option(
            help="Where its haloes are seen. [default: that of the snapshot]",
            rich_help_panel=_SNAPSHOTS,
        ),
    ] = None,
    units: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=UNIT", help=UNITS_HELP, rich_help_panel=_SNAPSHOTS),
    ] = None,
    lines_of_sight: Annotated[
        int | None,
        typer.Option(
            help="Directions from which each halo is seen. [default: 1, of snapshots 3]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    exposure: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Exposure on axis, not vignetted. [default: 15000]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    nh: Annotated[
        str | None,
        typer.Option(
            metavar="N[,N]",
            help="Galactic column density of hydrogen, cm^-2, or a range to draw it from. "
            "[default: 3e20]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    instrument: InstrumentName = None,
    agn: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH",
            help="Active galaxies as sources: box (of the cluster and the volume about it), sky "
            "(all in front and behind too) or none. [default: box]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    no_background: NoBackground = False,
    seed: Seed = None,
    output: Annotated[
        Path,
        to_directory("Where the catalog goes, or is."),
    ] = Path("catalog"),
    repair: Repair = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Make a catalog of many observed clusters, or go on with one that was interrupted.

    Clusters are drawn and painted, or taken from snapshots of simulations.
    """
    from icmass.config import SimulateConfig
    from icmass.simulate.production import simulate_catalog

    given = {
        "clusters": clusters,
        "seed": seed,
        "population": population,
        "particles": particles,
        "snapshot": snapshot,
        "halos": halos,
        "halo_galaxies": galaxies,
        "lines_of_sight": lines_of_sight,
        "redshift": redshift,
        "units": pairs(units, "--units", UNITS_FORM),
        "exposure_s": exposure,
        "nh_cm2": nh,
        "instrument": instrument,
        "agn": agn,
        "background": False if no_background else None,
    }
    settings = load_settings(SimulateConfig, config, given, _OPTIONS)
    with show_progress("clusters") as report:
        summary = simulate_catalog(
            settings, output, workers=workers, scheduler=scheduler, repair=repair, report=report
        )
    values = summary_values(summary)
    if as_json:
        print_json(values)
    else:
        print_summary(values)
    if summary.failures:
        raise typer.Exit(SOME_FAILED)


def summary_values(summary: "Summary") -> dict[str, Any]:
    """Collect what is printed of a catalog and the run that made it (`summary`), for JSON."""
    progress = summary.progress
    return {
        "catalog": str(summary.catalog.path),
        "clusters": len(summary.catalog),
        "made": progress.done - progress.before - progress.failed,
        "kept": len(summary.catalog) - (progress.done - progress.before - progress.failed),
        "failed": [failure.__dict__ for failure in summary.failures],
        "dropped": [str(problem) for problem in summary.dropped],
        "shards": len(summary.catalog.shards),
        "fingerprint": summary.catalog.fingerprint(),
        "seconds": round(progress.seconds, 2),
        "clusters_per_second": round(progress.rate, 2),
    }


def print_summary(values: dict[str, Any]) -> None:
    """Print the `values` that `summary_values` collected, failures on the error stream."""
    for problem in values["dropped"]:
        typer.echo(f"{values['catalog']}: {problem}: made again", err=True)
    for failure in values["failed"][:_FAILURES_SHOWN]:
        typer.echo(
            f"failed: sample {failure['sample_id']}, snapshot {failure['snapshot_id']}, "
            f"halo {failure['halo_id']}, line of sight {failure['line_of_sight']}: "
            f"{failure['reason']}",
            err=True,
        )
    kept = f", {values['kept']:,} were there" if values["kept"] else ""
    failed = f", {len(values['failed']):,} failed" if values["failed"] else ""
    typer.echo(
        f"{values['catalog']}: {values['clusters']:,} clusters in {values['shards']:,} shards "
        f"({values['made']:,} made{kept}{failed})"
    )
    if values["made"]:
        typer.echo(
            f"{duration(values['seconds'])} at {values['clusters_per_second']:.3g} clusters "
            "per second"
        )
    typer.echo(f"fingerprint {values['fingerprint']}")
