"""`icmass simulate`: from the embedded population, or snapshots, to a catalog of mock clusters."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.observe import units_by_kind
from icmass.cli.options import AsJson, ConfigFile, InstrumentName, Repair, Scheduler, Workers
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


def simulate(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the catalog goes.")
    ] = Path("catalog"),
    config: ConfigFile = None,
    clusters: Annotated[
        int | None, typer.Option(help="Haloes of the population. [default: 3285]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random stage. [default: 0]")] = None,
    population: Annotated[
        str | None, typer.Option(help="Name, or a YAML file. [default: magneticum]")
    ] = None,
    particles: Annotated[
        int | None, typer.Option(help="Gas particles per painted cluster. [default: 200000]")
    ] = None,
    snapshot: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Take clusters of this snapshot; may be repeated."),
    ] = None,
    halos: Annotated[
        list[str] | None,
        typer.Option(metavar="TABLE", help="Its halo table; without, haloes are searched."),
    ] = None,
    galaxies: Annotated[
        list[str] | None, typer.Option(metavar="TABLE", help="Its table of galaxies.")
    ] = None,
    lines_of_sight: Annotated[
        int | None, typer.Option(help="Directions per halo. [default: 1, of snapshots 3]")
    ] = None,
    redshift: Annotated[
        float | None, typer.Option(help="Of snapshots; their own by default.")
    ] = None,
    units: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=UNIT", help="Unit of snapshots: length=Mpc/h, mass=..., velocity=..."
        ),
    ] = None,
    exposure: Annotated[
        float | None, typer.Option(help="Seconds, on axis, not vignetted. [default: 15000]")
    ] = None,
    nh: Annotated[
        str | None,
        typer.Option(
            metavar="N[,N]", help="Galactic hydrogen column, cm^-2, or a range. [default: 3e20]"
        ),
    ] = None,
    instrument: InstrumentName = None,
    agn: Annotated[
        str | None, typer.Option(help="AGN as sources: box, sky or none. [default: box]")
    ] = None,
    no_background: Annotated[
        bool, typer.Option("--no-background", help="No particles, no diffuse sky.")
    ] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    repair: Repair = False,
    as_json: AsJson = False,
) -> None:
    """Make a catalog of mock clusters, or go on with one that was interrupted."""
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
        "units": units_by_kind(units),
        "exposure_s": exposure,
        "nh_cm2": nh,
        "instrument": instrument,
        "agn": agn,
        "background": False if no_background else None,
    }
    chosen = {key: value for key, value in given.items() if value is not None}
    settings = SimulateConfig.load(config, chosen, lambda key: _OPTIONS.get(key, key))
    with show_progress("clusters") as report:
        summary = simulate_catalog(
            settings, output, workers=workers, scheduler=scheduler, repair=repair, report=report
        )
    values = summary_values(summary)
    if as_json:
        typer.echo(json.dumps(values, indent=1, allow_nan=False))
    else:
        print_summary(values)
    if summary.failures:
        raise typer.Exit(SOME_FAILED)


def summary_values(summary: "Summary") -> dict[str, Any]:
    """Collect what is printed of a catalog and the run that made it, as JSON can hold it."""
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
    """Print what `summary_values` collected, failures on the error stream."""
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
