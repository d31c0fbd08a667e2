"""`icmass survey`: a synthetic survey of a part of the sky, tile by tile."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import (
    OUTPUT,
    AsJson,
    ConfigFile,
    InstrumentName,
    NoAgn,
    NoBackground,
    Scheduler,
    Seed,
    Workers,
    load_settings,
    to_directory,
)
from icmass.cli.printing import print_json
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
_SKY = "Input: which sky"
_HALOES = "Input: what is in it"


def survey(
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Footprint and exposure of a known survey: efeds, erass1-de or erass5.",
            rich_help_panel=_SKY,
        ),
    ] = None,
    footprint: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Which sky: cone:RA,DEC,RADIUS, box:RA1,RA2,DEC1,DEC2 (degrees), moc:FILE, "
            "pixels:FILE, |b|>20 or all; joined by &. [default: that of the preset]",
            rich_help_panel=_SKY,
        ),
    ] = None,
    fraction: Annotated[
        float | None,
        typer.Option(
            help="Share of the footprint, about its middle. [default: 1]", rich_help_panel=_SKY
        ),
    ] = None,
    exposure: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Exposure on axis: flat:SECONDS, scan:PASSES (all-sky surveys), or a HEALPix map. "
            "[default: that of the preset]",
            rich_help_panel=_SKY,
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Galactic column density of hydrogen: model, a number in cm^-2, or a HEALPix map. "
            "[default: model]",
            rich_help_panel=_SKY,
        ),
    ] = None,
    tiles: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH",
            help="Into which event files the sky is cut: erass (the public sky tiles) or "
            "healpix:NSIDE. [default: erass]",
            rich_help_panel=_SKY,
        ),
    ] = None,
    population: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How haloes and their gas are: a name in the package, or a YAML file. [default: "
            "erosita]",
            rich_help_panel=_HALOES,
        ),
    ] = None,
    min_mass: Annotated[
        float | None,
        typer.Option(
            metavar="MSUN",
            help="Least M500c of a halo that is drawn as a source. [default: 2e13]",
            rich_help_panel=_HALOES,
        ),
    ] = None,
    no_clustering: Annotated[
        bool,
        typer.Option(
            "--no-clustering",
            help="Put haloes at random, without large-scale structure.",
            rich_help_panel=_HALOES,
        ),
    ] = False,
    lightcone: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="Haloes of your own, in place of drawn ones.",
            rich_help_panel=_HALOES,
        ),
    ] = None,
    snapshot: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Give haloes the gas of those of this snapshot. May be repeated.",
            rich_help_panel=_HALOES,
        ),
    ] = None,
    halos: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE",
            help="Haloes of the snapshot. May be repeated. [default: searched in it]",
            rich_help_panel=_HALOES,
        ),
    ] = None,
    instrument: InstrumentName = None,
    no_agn: NoAgn = False,
    no_background: NoBackground = False,
    seed: Seed = None,
    output: Annotated[
        Path,
        to_directory("Where the survey goes, or is."),
    ] = Path("survey"),
    cutouts: Annotated[
        bool,
        typer.Option(
            "--cutouts",
            help="Make a catalog of images of the haloes as well, in DIR/cutouts.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    no_detect: Annotated[
        bool,
        typer.Option(
            "--no-detect", help="Do not search the images for sources.", rich_help_panel=OUTPUT
        ),
    ] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Make a synthetic survey of a part of the sky, or go on with one that was interrupted."""
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
    settings = load_settings(SurveyConfig, config, given, _OPTIONS)
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
        print_json(values)
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
