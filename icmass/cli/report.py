"""What `icmass observe` prints: the report on the input, the numbers of the observation."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from icmass.simulate.gas import Gas
    from icmass.simulate.observation import Observation

__all__ = ["print_input", "print_observation"]

# Scalars of the halo and of a sphere of gas: key, what it is, factor, unit.
_HALO = (
    ("m500c_msun", "M500c", 1e14, "1e14 Msun"),
    ("r500c_kpc", "R500c", 1.0, "kpc"),
    ("m200c_msun", "M200c", 1e14, "1e14 Msun"),
)
_SPHERE = (
    ("lx_bolometric_erg_s", "L bolometric", 1e44, "1e44 erg/s"),
    ("lx_0520_erg_s", "L 0.5-2.0 keV rest frame", 1e44, "1e44 erg/s"),
    ("kt_spectroscopic_like_kev", "kT spectroscopic-like", 1.0, "keV"),
    ("kt_mass_weighted_kev", "kT mass-weighted", 1.0, "keV"),
    ("gas_mass_msun", "gas mass", 1e13, "1e13 Msun"),
    ("yx_msun_kev", "Y_X", 1e14, "1e14 Msun keV"),
)


def print_observation(observation: "Observation", directory: Path, as_json: bool) -> None:
    """Print the numbers of an observation and where its products lie.

    Parameters
    ----------
    observation : Observation
    directory : Path
        Where it was written.
    as_json : bool
        Whether to print all numbers as JSON instead of tables.
    """
    scalars = observation.scalars
    if as_json:
        _print_json({"directory": str(directory), **scalars})
        return
    _print_cluster(scalars)
    bands = list(scalars["n_phot"]["total"])
    _print_rows(
        f"photons in {observation.exposure_s:g} s",
        ("origin", *bands),
        (
            (origin, *(f"{counts[band]:,}" for band in bands))
            for origin, counts in scalars["n_phot"].items()
        ),
    )
    typer.echo(f"events, images, spectra, profiles: {directory}")
    typer.echo(f"picture: {directory / 'quicklook.png'}")


def print_input(gas: "Gas", table: str | None, as_json: bool) -> None:
    """Print what was read: cuts, ranges, halo and sanity numbers.

    Parameters
    ----------
    gas : Gas
        As a reader returned it.
    table : str or None
        Table of plasma spectra; that of the package for None.
    as_json : bool
        Whether to print all numbers as JSON instead of tables.
    """
    from icmass.simulate import SpectralTable
    from icmass.simulate.products.scalars import gas_scalars
    from icmass.simulate.readers import input_report

    report = input_report(gas)
    spectra = SpectralTable.load(table)
    spectra.warn_of_clamped(gas.kt_kev)
    scalars = gas_scalars(gas, spectra)
    if as_json:
        _print_json({**report, **scalars})
        return
    typer.echo(f"{report['source']}: {report['code']}, redshift {report['redshift']}")
    for note in report["notes"]:
        typer.echo(f"note: {note}")
    census = ((name, f"{count:,}") for name, count in report["census"])
    _print_rows("particles", ("cut", "left"), census)
    ranges = (
        (name, *("-" if value is None else f"{value:.4g}" for value in values))
        for name, values in report["ranges"].items()
    )
    _print_rows("ranges", ("quantity", "minimum", "median", "maximum"), ranges)
    _print_cluster(scalars)


def _print_cluster(scalars: dict[str, Any]) -> None:
    """Print the numbers that could be measured: of the halo, and of the gas inside R500c."""
    inside = scalars["inside_r500c"]
    gas = scalars["all_gas"] if inside is None else inside
    rows = (
        (name, f"{values[key] / factor:.4g}", unit)
        for values, wanted in ((scalars, _HALO), (gas, _SPHERE))
        for key, name, factor, unit in wanted
        if values.get(key) is not None
    )
    where = "all of its gas, R500c unknown" if inside is None else "inside R500c"
    _print_rows(f"the cluster ({where})", ("number", "value", "unit"), rows)


def _print_rows(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)  # units stand in square brackets


def _print_json(values: dict[str, Any]) -> None:
    typer.echo(json.dumps(values, indent=1, allow_nan=False))
