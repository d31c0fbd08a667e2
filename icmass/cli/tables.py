"""`icmass tables`: build the plasma table anew from a source, and say what a table holds."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.help import GroupedCommand, GroupedCommands
from icmass.cli.options import INPUT, OUTPUT, AsJson
from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.simulate.emission import SpectralTable

__all__ = ["tables_app"]

tables_app = typer.Typer(
    cls=GroupedCommands, help="Describe the table of plasma spectra, or build one from a source."
)


class Source(StrEnum):
    """Where a table can come from."""

    BUILTIN = "builtin"
    ATOMDB = "atomdb"
    ARRAYS = "arrays"


class Abundances(StrEnum):
    """What one solar metallicity means."""

    AG89 = "ag89"
    ASPL = "aspl"
    WILM = "wilm"


@tables_app.command(cls=GroupedCommand)
def build(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="PATH", help="AtomDB's folder, or the file of arrays."),
    ] = None,
    source: Annotated[
        Source,
        typer.Option(
            help="What to build from: numbers in the package, AtomDB, or arrays of your own.",
            rich_help_panel=INPUT,
        ),
    ] = Source.BUILTIN,
    abundances: Annotated[
        Abundances,
        typer.Option(
            help="What one solar metallicity is, for atomdb: Anders & Grevesse (1989), Asplund et "
            "al. (2009) or Wilms et al. (2000).",
            rich_help_panel=INPUT,
        ),
    ] = Abundances.AG89,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where the table goes.", rich_help_panel=OUTPUT
        ),
    ] = Path("plasma.h5"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace FILE.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Build a table of plasma spectra and write it as HDF5."""
    if output.exists() and not overwrite:
        raise InputError(f"{output}: already exists. Choose another name, or give --overwrite.")
    table = _build(source, path, abundances)
    table.save(output, overwrite=overwrite)
    _describe(table, str(output))


@tables_app.command(cls=GroupedCommand)
def info(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The table. [default: the one in the package]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a table covers, what it was made from, and how far off it is."""
    from icmass.simulate.emission import SpectralTable

    table = SpectralTable.load(path)
    if as_json:
        typer.echo(json.dumps(_summary(table), indent=1))
    else:
        _describe(table, "shipped table" if path is None else str(path))


def _build(source: Source, path: Path | None, abundances: Abundances) -> "SpectralTable":
    if source is Source.BUILTIN:
        from icmass.simulate.emission.build_builtin import build_builtin

        if path is not None:
            raise InputError(f"{path}: --source builtin takes no path. Leave it out.")
        if abundances is not Abundances.AG89:
            raise InputError("--abundances: builtin knows ag89 alone. Build from atomdb.")
        return build_builtin()
    if path is None:
        what = "AtomDB's folder" if source is Source.ATOMDB else "a file of arrays"
        raise InputError(f"PATH: must be {what} for --source {source}; it is missing.")
    if source is Source.ATOMDB:
        from icmass.simulate.emission.build_atomdb import build_atomdb

        return build_atomdb(path, abundance_set=str(abundances))
    from icmass.simulate.emission.build_arrays import build_arrays

    return build_arrays(path)


def _summary(table: "SpectralTable") -> dict[str, Any]:
    return {
        "energy_kev": [float(table.edges_kev[0]), float(table.edges_kev[-1])],
        "energy_bins": table.edges_kev.size - 1,
        "kt_kev": [float(table.kt_kev[0]), float(table.kt_kev[-1])],
        "kt_nodes": table.kt_kev.size,
        **table.meta,
    }


def _describe(table: "SpectralTable", title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    summary = _summary(table)
    residuals = summary.pop("residuals", None)
    facts = Table("what", "value", title=title, title_justify="left")
    for name, value in summary.items():
        facts.add_row(name, _text(value))
    console.print(facts)
    if residuals is None:
        return
    bands = Table("band [keV]", "max", "rms", title="residuals against the band tables of APEC")
    for row in residuals["bands"]:
        band = f"{row['lo_kev']:g}-{row['hi_kev']:g}"
        bands.add_row(band, f"{row['max']:.2%}", f"{row['rms']:.2%}")
    console.print(bands)
    theory = residuals["above_5_kev"]
    windows = sorted((name for name in theory[0] if name != "kt_kev"), key=_lower_end)
    hot = Table(
        "kT [keV]",
        *(f"{name} keV" for name in windows),
        title="residuals against free-free and recombination theory",
    )
    for row in theory:
        hot.add_row(f"{row['kt_kev']:g}", *(f"{row[name]:+.2%}" for name in windows))
    console.print(hot)


def _lower_end(window: str) -> float:
    return float(window.split("-", maxsplit=1)[0])


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " - ".join(_text(item) for item in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
