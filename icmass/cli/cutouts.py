"""`icmass cutouts`: from event files and a table of positions to a catalog of images."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from icmass.cli.options import AsJson, ConfigFile, InstrumentName, Repair, Scheduler, Workers
from icmass.cli.progress_line import show_progress
from icmass.cli.simulate import SOME_FAILED, print_summary, summary_values
from icmass.errors import InputError

__all__ = ["bands_by_name", "cutouts", "pairs"]

# What the user writes for a key of the configuration.
_OPTIONS = {
    "events": "EVENTS",
    "positions": "--positions",
    "columns": "--column",
    "units": "--unit",
    "width_kpc": "--width-kpc",
    "width_arcmin": "--width-arcmin",
    "pixels": "--pixels",
    "bands": "--band",
    "exposure_map": "--exposure-map",
    "on_axis_map": "--on-axis-map",
    "exposure_s": "--exposure",
    "vignetted_fraction": "--vignetted-fraction",
    "nh_cm2": "--nh",
    "nh_map": "--nh-map",
    "bad_flags": "--bad-flags",
    "patterns": "--patterns",
    "instrument": "--instrument",
}


def cutouts(
    events: Annotated[
        list[str] | None,
        typer.Argument(metavar="EVENTS...", help="Event files, patterns, folders of them."),
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Positions: truth haloes, or a list of clusters."),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the catalog goes.")
    ] = Path("catalog"),
    config: ConfigFile = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=NAME", help="Which column is which: redshift=Z_LAMBDA, ra=..."),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=UNIT", help="Unit of a column without: m500c='1e13 Msun'."),
    ] = None,
    width_kpc: Annotated[
        float | None, typer.Option(help="Side of the images, physical kpc. [default: 6534]")
    ] = None,
    width_arcmin: Annotated[
        float | None, typer.Option(help="Side of the images on the sky, in place of kpc.")
    ] = None,
    pixels: Annotated[int | None, typer.Option(help="Pixels on a side. [default: 128]")] = None,
    band: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LO-HI", help="Band of the images, keV. [default: those of the study]"
        ),
    ] = None,
    exposure_map: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Vignetted exposure, s: HEALPix map, or FITS images."),
    ] = None,
    on_axis_map: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="The same without vignetting."),
    ] = None,
    exposure: Annotated[
        float | None, typer.Option(help="Seconds on axis, the same everywhere.")
    ] = None,
    vignetted_fraction: Annotated[
        float | None, typer.Option(help="Vignetted exposure over that on axis; about 0.5.")
    ] = None,
    nh: Annotated[
        float | None, typer.Option(help="Galactic column, cm^-2, where the table has none.")
    ] = None,
    nh_map: Annotated[
        str | None, typer.Option(metavar="FILE", help="HEALPix map of it, such as HI4PI.")
    ] = None,
    bad_flags: Annotated[
        str | None, typer.Option(help="Bits of FLAG to reject. [default: 0xE00FFF30]")
    ] = None,
    patterns: Annotated[
        int | None, typer.Option(help="1 singles + 2 doubles + 4 + 8. [default: 15]")
    ] = None,
    instrument: InstrumentName = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    repair: Repair = False,
    as_json: AsJson = False,
) -> None:
    """Cut images about positions out of event files, ours or those of eROSITA, into a catalog."""
    from icmass.config.cutouts import CutoutsConfig
    from icmass.simulate.cutouts import cut_outs

    given = {
        "events": events,
        "positions": positions,
        "columns": pairs(column, "--column", "KEY=NAME, such as redshift=Z_LAMBDA"),
        "units": pairs(unit, "--unit", "KEY=UNIT, such as m500c='1e13 Msun'"),
        "width_kpc": width_kpc,
        "width_arcmin": width_arcmin,
        "pixels": pixels,
        "bands": bands_by_name(band),
        "exposure_map": exposure_map,
        "on_axis_map": on_axis_map,
        "exposure_s": exposure,
        "vignetted_fraction": vignetted_fraction,
        "nh_cm2": nh,
        "nh_map": nh_map,
        "bad_flags": bad_flags,
        "patterns": patterns,
        "instrument": instrument,
    }
    chosen = {key: value for key, value in given.items() if value not in (None, [])}
    settings = CutoutsConfig.load(config, chosen, lambda key: _OPTIONS.get(key, key))
    with show_progress("positions") as report:
        done = cut_outs(
            settings, output, workers=workers, scheduler=scheduler, repair=repair, report=report
        )
    values = summary_values(done.summary) | {"positions": done.positions, "outside": done.outside}
    if as_json:
        typer.echo(json.dumps(values, indent=1, allow_nan=False))
    else:
        if done.outside:
            typer.echo(
                f"{done.outside:,} of {done.positions:,} positions lie outside the events, or were "
                "not exposed: left out",
                err=True,
            )
        print_summary(values)
    if done.summary.failures:
        raise typer.Exit(SOME_FAILED)


def pairs(words: list[str] | None, option: str, form: str) -> dict[str, str] | None:
    """Turn texts ``KEY=VALUE`` into a mapping; the value may be empty."""
    if not words:
        return None
    parts = [word.partition("=") for word in words]
    for word, (key, sign, _) in zip(words, parts, strict=True):
        if not (key and sign):
            raise InputError(f"{option}: must be {form}; got '{word}'.")
    return {key.strip(): value.strip() for key, _, value in parts}


def bands_by_name(words: list[str] | None) -> dict[str, list[Any]] | None:
    """Turn texts such as ``soft=0.5-2.0`` into bands by name, keV."""
    form = "NAME=LO-HI in keV, such as soft=0.5-2.0"
    found = pairs(words, "--band", form)
    if found is None:
        return None
    limits = {name: text.split("-") for name, text in found.items()}
    for name, edges in limits.items():
        if len(edges) != 2:
            raise InputError(f"--band: must be {form}; got '{name}={found[name]}'.")
    return dict(limits)
