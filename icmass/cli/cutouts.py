"""`icmass cutouts`: from event files and a table of positions to a catalog of images."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated, Any

import typer

from icmass.cli.options import (
    INPUT,
    AsJson,
    ConfigFile,
    Repair,
    Scheduler,
    Workers,
    load_settings,
    pairs,
    to_directory,
)
from icmass.cli.printing import print_json
from icmass.cli.progress_line import show_progress
from icmass.cli.simulate import SOME_FAILED, print_summary, summary_values
from icmass.errors import InputError

__all__ = ["bands_by_name", "cutouts"]

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
_IMAGES = "Images"
_EXPOSURE = "Exposure and absorption, where the events and the table do not say them"


def cutouts(
    events: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EVENTS",
            help="Event files of icmass or of eROSITA (eSASS), patterns, or folders of them.",
        ),
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="About what: haloes of the truth, or a list of clusters (FITS, ECSV, CSV, HDF5, "
            "Parquet).",
            rich_help_panel=INPUT,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=NAME",
            help="Which column of the table is which: redshift=Z_LAMBDA, ra=... May be repeated. "
            "[default: the usual names]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=UNIT",
            help="Unit of a column that says none: m500c='1e13 Msun'. May be repeated.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    bad_flags: Annotated[
        str | None,
        typer.Option(
            metavar="BITS",
            help="Events with one of these bits in FLAG are left out. [default: 0xE00FFF30]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    patterns: Annotated[
        int | None,
        typer.Option(
            help="Patterns to keep: the sum of 1 (singles), 2 (doubles), 4 (triples) and 8 "
            "(quadruples). [default: 15]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    instrument: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Telescope that took the events: a name, or a TOML file. [default: erosita]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    width_kpc: Annotated[
        float | None,
        typer.Option(
            metavar="KPC",
            help="Side, physical kpc at the redshift of each position. [default: 6534]",
            rich_help_panel=_IMAGES,
        ),
    ] = None,
    width_arcmin: Annotated[
        float | None,
        typer.Option(
            metavar="ARCMIN", help="Side on the sky, in place of kpc.", rich_help_panel=_IMAGES
        ),
    ] = None,
    pixels: Annotated[
        int | None,
        typer.Option(help="Pixels on each side. [default: 128]", rich_help_panel=_IMAGES),
    ] = None,
    band: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LO-HI",
            help="Band, keV. May be repeated. [default: soft=0.5-1.2 medium=1.2-2 hard=2-7]",
            rich_help_panel=_IMAGES,
        ),
    ] = None,
    exposure_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Exposure with vignetting, s: a HEALPix map, or FITS images. May be repeated.",
            rich_help_panel=_EXPOSURE,
        ),
    ] = None,
    on_axis_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="The same without vignetting.", rich_help_panel=_EXPOSURE
        ),
    ] = None,
    exposure: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Exposure without vignetting, the same everywhere.",
            rich_help_panel=_EXPOSURE,
        ),
    ] = None,
    vignetted_fraction: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Exposure with vignetting over that without (about 0.5 in the survey of eROSITA), "
            "where only one is known.",
            rich_help_panel=_EXPOSURE,
        ),
    ] = None,
    nh: Annotated[
        float | None,
        typer.Option(
            metavar="CM^-2",
            help="Galactic column density of hydrogen, where the table has none.",
            rich_help_panel=_EXPOSURE,
        ),
    ] = None,
    nh_map: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="HEALPix map of it, such as HI4PI, in its place.",
            rich_help_panel=_EXPOSURE,
        ),
    ] = None,
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
    """Cut images of clusters out of event files, of a synthetic survey or of eROSITA itself.

    They make a catalog, as of `icmass simulate`. Given again it goes on where it was.
    """
    from icmass.config.cutouts import CutoutsConfig
    from icmass.simulate.cutouts import cut_outs

    given = {
        "events": events,
        "positions": positions,
        "columns": pairs(
            column, "--column", "KEY=NAME, such as redshift=Z_LAMBDA", may_be_empty=True
        ),
        "units": pairs(unit, "--unit", "KEY=UNIT, such as m500c='1e13 Msun'", may_be_empty=True),
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
    settings = load_settings(CutoutsConfig, config, given, _OPTIONS)
    with show_progress("positions") as report:
        done = cut_outs(
            settings, output, workers=workers, scheduler=scheduler, repair=repair, report=report
        )
    values = summary_values(done.summary) | {"positions": done.positions, "outside": done.outside}
    if as_json:
        print_json(values)
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


def bands_by_name(words: list[str] | None) -> dict[str, list[Any]] | None:
    """Turn `words` such as ``soft=0.5-2.0`` into bands by name, keV; None where there are none.

    Raises
    ------
    InputError
        If one does not have this form.
    """
    form = "NAME=LO-HI in keV, such as soft=0.5-2.0"
    found = pairs(words, "--band", form, may_be_empty=True)
    if found is None:
        return None
    limits = {name: text.split("-") for name, text in found.items()}
    for name, edges in limits.items():
        if len(edges) != 2:
            raise InputError(f"--band: must be {form}; got '{name}={found[name]}'.")
    return dict(limits)
