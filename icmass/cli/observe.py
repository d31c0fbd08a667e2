"""`icmass observe`: from a snapshot, or the default cluster, to a directory of products."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from icmass.cli.options import (
    INPUT,
    OBSERVATION,
    OUTPUT,
    RUNNING,
    UNITS_FORM,
    AsJson,
    ConfigFile,
    InstrumentName,
    NoAgn,
    NoBackground,
    Overwrite,
    Seed,
    Units,
    load_settings,
    pairs,
    telescope_of,
    to_directory,
)
from icmass.errors import InputError
from icmass.progress import progress

if TYPE_CHECKING:
    from icmass.config import ObserveConfig
    from icmass.simulate.gas import Gas
    from icmass.simulate.observation import Observation

__all__ = ["observe"]

# What the user writes for a key of the configuration.
_OPTIONS = {
    "redshift": "--redshift",
    "exposure_s": "--exposure",
    "nh_cm2": "--nh",
    "axis": "--axis",
    "center_kpc": "--center",
    "radius_kpc": "--radius",
    "units": "--units",
    "seed": "--seed",
    "instrument": "--instrument",
    "mode": "--mode",
    "arf": "--arf",
    "rmf": "--rmf",
    "table": "--table",
}
_READING = {
    "center_kpc": "center",
    "radius_kpc": "radius",
    "units": "units",
    "min_temperature_k": "min_temperature_k",
    "max_density_g_cm3": "max_density",
    "star_forming": "star_forming",
    "metallicity": "metallicity",
}
_BACKGROUND = ("particles", "foreground", "extragalactic")
_AGN = ("field_agn", "cluster_agn")
_DEFAULT_REDSHIFT = 0.1


def observe(
    snapshot: Annotated[
        Path | None,
        typer.Argument(
            metavar="SNAPSHOT",
            help="Snapshot or cut-out of a simulation (Gadget, AREPO, SWIFT ...). [default: a "
            "synthetic cluster]",
        ),
    ] = None,
    redshift: Annotated[
        float | None,
        typer.Option(
            help="Of the cluster, which sets its distance. [default: that of the snapshot]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    center: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,Z",
            help="Centre of the cluster in the snapshot, physical kpc. [default: searched]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    radius: Annotated[
        float | None,
        typer.Option(
            metavar="KPC",
            help="Radius of the sphere of gas, physical kpc. [default: the reader's choice]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    units: Units = None,
    table: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Table of plasma spectra (icmass tables). [default: the one in the package]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    exposure: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Exposure on axis, not vignetted. [default: 1600]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    nh: Annotated[
        float | None,
        typer.Option(
            metavar="CM^-2",
            help="Galactic column density of hydrogen, which absorbs. [default: 3e20]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(
            metavar="AXIS",
            help="Line of sight: x, y, z or a vector A,B,C. [default: z]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    instrument: InstrumentName = None,
    mode: Annotated[
        Literal["survey", "pointed"] | None,
        typer.Option(
            help="Whether the telescope scans (mean over its field) or points. [default: survey]",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    arf: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Effective area (OGIP ARF) in place of the telescope's own; needs --rmf.",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    rmf: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Energy redistribution (OGIP RMF) in place of the telescope's own.",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    no_background: NoBackground = False,
    no_agn: NoAgn = False,
    seed: Seed = None,
    output: Annotated[
        Path,
        to_directory("Where the products go."),
    ] = Path("observation"),
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read the snapshot and report what is in it; observe nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
    threads: Annotated[
        int | None,
        typer.Option(help="Processor threads. [default: all]", rich_help_panel=RUNNING),
    ] = None,
) -> None:
    """Observe the gas of one cluster: events, images, spectra, profiles and numbers."""
    from icmass.config import ObserveConfig

    given = {
        "redshift": redshift,
        "exposure_s": exposure,
        "nh_cm2": nh,
        "axis": axis,
        "center_kpc": center,
        "radius_kpc": radius,
        "units": pairs(units, "--units", UNITS_FORM),
        "seed": seed,
        "instrument": instrument,
        "mode": mode,
        "arf": arf,
        "rmf": rmf,
        "table": table,
        **(dict.fromkeys(_BACKGROUND, False) if no_background else {}),
        **(dict.fromkeys(_AGN, False) if no_agn else {}),
    }
    settings = load_settings(ObserveConfig, config, given, _OPTIONS)
    _set_threads(threads)
    if dry_run:
        from icmass.cli.report import print_input

        print_input(_gas(snapshot, settings), settings.table, as_json)
        return
    from icmass.cli.report import print_observation
    from icmass.files import check_output

    check_output(output, overwrite=overwrite)
    gas = _gas(snapshot, settings)
    with progress("drawing photons"):
        observation = _observation(gas, settings)
    observation.write(output, overwrite=overwrite)
    print_observation(observation, output, as_json)


def _set_threads(count: int | None) -> None:
    if count is None:
        return
    import numba

    most = numba.config.NUMBA_NUM_THREADS
    if not 1 <= count <= most:
        raise InputError(f"--threads: must lie between 1 and {most} on this machine; got {count}.")
    numba.set_num_threads(count)


def _gas(snapshot: Path | None, settings: "ObserveConfig") -> "Gas":
    chosen = settings.model_fields_set & set(_READING)
    if snapshot is None:
        if chosen:
            key = min(chosen)
            raise InputError(
                f"{_OPTIONS.get(key, key)}: chooses gas of a snapshot; none was given. "
                "Give one, or leave this out."
            )
        from icmass.simulate.spherical_cluster import default_cluster

        return default_cluster(redshift=settings.redshift or _DEFAULT_REDSHIFT)
    from icmass.simulate import load_gas

    choices = {_READING[key]: getattr(settings, key) for key in chosen}
    with progress("reading the snapshot"):
        return load_gas(snapshot, redshift=settings.redshift, **choices)


def _observation(gas: "Gas", settings: "ObserveConfig") -> "Observation":
    from icmass.simulate.observing import observe as observe_gas

    return observe_gas(
        gas,
        telescope_of(settings.instrument, settings.mode, settings.arf, settings.rmf),
        redshift=settings.redshift,
        exposure=settings.exposure_s,
        nh=settings.nh_cm2,
        seed=settings.seed,
        axis=settings.axis,
        mode=settings.mode,
        ra=settings.ra_deg,
        dec=settings.dec_deg,
        width=settings.width_deg,
        sky=settings.sky(),
        agn_flux_limit=settings.agn_flux_limit,
        table=settings.table,
        cross_section=settings.cross_section,
        config=settings.model_dump(mode="json"),
    )
