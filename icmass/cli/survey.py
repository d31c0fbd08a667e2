"""`icmass survey`: a synthetic survey of a part of the sky, tile by tile."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import AsJson, ConfigFile, InstrumentName, Scheduler, Workers
from icmass.cli.progress_line import duration, show_progress

if TYPE_CHECKING:
    from icmass.simulate.survey import Summary

__all__ = ["survey"]

# What the user writes for a key of the configuration.
_OPTIONS = {
    "preset": "--preset",
    "footprint": "--footprint",
    "fraction": "--fraction",
    "exposure": "--exposure",
    "column": "--column",
    "tiles": "--tiles",
    "seed": "--seed",
    "population": "--population",
    "min_m500c_msun": "--min-mass",
    "lightcone": "--lightcone",
    "snapshot": "--snapshot",
    "halos": "--halos",
    "instrument": "--instrument",
}


def survey(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the survey goes.")
    ] = Path("survey"),
    config: ConfigFile = None,
    preset: Annotated[
        str | None, typer.Option(help="A known survey: efeds, erass1-de, erass5.")
    ] = None,
    footprint: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="cone:RA,DEC,RADIUS, box:RA1,RA2,DEC1,DEC2, moc:FILE, pixels:FILE, |b|>20, all; "
            "joined by &.",
        ),
    ] = None,
    fraction: Annotated[
        float | None, typer.Option(help="Share of the footprint, about its middle. [default: 1]")
    ] = None,
    exposure: Annotated[
        str | None,
        typer.Option(help="flat:SECONDS, scan:PASSES or a HEALPix map; that of the preset."),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(help="Galactic column: model, cm^-2 or a HEALPix map. [default: model]"),
    ] = None,
    tiles: Annotated[
        str | None, typer.Option(help="erass (public sky tiles) or healpix:NSIDE. [default: erass]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random stage. [default: 0]")] = None,
    population: Annotated[
        str | None, typer.Option(help="Name, or a YAML file. [default: erosita]")
    ] = None,
    min_mass: Annotated[
        float | None, typer.Option(help="Least M500c of a halo, Msun. [default: 2e13]")
    ] = None,
    lightcone: Annotated[
        str | None, typer.Option(metavar="TABLE", help="Haloes of your own, in place of drawn.")
    ] = None,
    snapshot: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Take the gas of this snapshot; may be repeated."),
    ] = None,
    halos: Annotated[
        list[str] | None, typer.Option(metavar="TABLE", help="Halo table of the snapshot.")
    ] = None,
    instrument: InstrumentName = None,
    no_agn: Annotated[bool, typer.Option("--no-agn", help="No AGN as sources.")] = False,
    no_background: Annotated[
        bool, typer.Option("--no-background", help="No particles, no diffuse sky.")
    ] = False,
    no_detect: Annotated[
        bool, typer.Option("--no-detect", help="Do not search for sources.")
    ] = False,
    no_clustering: Annotated[
        bool, typer.Option("--no-clustering", help="Haloes at random, without structure.")
    ] = False,
    cutouts: Annotated[
        bool, typer.Option("--cutouts", help="Make a catalog of the haloes in DIR/cutouts too.")
    ] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Make a synthetic survey, or go on with one that was interrupted."""
    from icmass.config import SurveyConfig
    from icmass.simulate.survey import simulate_survey

    given = {
        "preset": preset,
        "footprint": footprint,
        "fraction": fraction,
        "exposure": exposure,
        "column": column,
        "tiles": tiles,
        "seed": seed,
        "population": population,
        "min_m500c_msun": min_mass,
        "lightcone": lightcone,
        "snapshot": snapshot,
        "halos": halos,
        "instrument": instrument,
        "agn": False if no_agn else None,
        "background": False if no_background else None,
        "detect": False if no_detect else None,
        "clustering": False if no_clustering else None,
    }
    chosen = {key: value for key, value in given.items() if value is not None}
    settings = SurveyConfig.load(config, chosen, lambda key: _OPTIONS.get(key, key))
    with show_progress("tiles") as report:
        summary = simulate_survey(
            settings, output, workers=workers, scheduler=scheduler, report=report
        )
    values = dict(summary.values)
    if cutouts and not values["haloes"]:
        typer.echo("no haloes in this survey: no cut-outs were made", err=True)
    elif cutouts:
        values["cutouts"] = _cut_out(output, workers, scheduler)
    if as_json:
        typer.echo(json.dumps(values, indent=1, allow_nan=False))
    else:
        _print(summary, values)


def _cut_out(directory: Path, workers: int | None, scheduler: str | None) -> str:
    """Make a catalog of the haloes of a survey, and return where it is."""
    from icmass.config import CutoutsConfig
    from icmass.simulate.cutouts import cut_out_survey

    place = directory / "cutouts"
    with show_progress("clusters") as report:
        cut_out_survey(
            directory, CutoutsConfig(), place, workers=workers, scheduler=scheduler, report=report
        )
    return str(place)


def _print(summary: "Summary", values: dict[str, Any]) -> None:
    typer.echo(
        f"{values['survey']}: {values['area_deg2']:.4g} deg^2 in {values['tiles']:,} tiles "
        f"({values['made']:,} made), {values['events']:,} events"
    )
    typer.echo(
        f"{values['haloes']:,} haloes and {values['agn']:,} AGN sent {values['icm']:,} and "
        f"{values['agn_events']:,} photons; {values['background']:,} of background"
    )
    if "sources" in values:
        typer.echo(
            f"{values['sources']:,} sources found, {values['extended']:,} of them extended; "
            f"{values['haloes_detected']:,} haloes among them"
        )
    if "cutouts" in values:
        typer.echo(f"cut-outs in {values['cutouts']}")
    if values["made"]:
        typer.echo(f"{duration(values['seconds'])} on {summary.workers}")
