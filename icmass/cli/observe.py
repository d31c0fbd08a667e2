"""`icmass observe`: from a snapshot, or the default cluster, to a directory of products."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from icmass.cli.options import InstrumentName
from icmass.errors import InputError
from icmass.progress import progress

if TYPE_CHECKING:
    from icmass.config import ObserveConfig
    from icmass.simulate.gas import Gas
    from icmass.simulate.instrument import Instrument
    from icmass.simulate.observation import Observation

__all__ = ["observe", "units_by_kind"]

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
        typer.Argument(help="Snapshot or cut-out; a synthetic cluster when none is given."),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the products go.")
    ] = Path("observation"),
    redshift: Annotated[
        float | None, typer.Option(help="Of the cluster; that of the snapshot by default.")
    ] = None,
    exposure: Annotated[
        float | None, typer.Option(help="Seconds, on axis, not vignetted. [default: 1600]")
    ] = None,
    nh: Annotated[
        float | None, typer.Option(help="Galactic hydrogen column, cm^-2. [default: 3e20]")
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(help="Line of sight: x, y, z or a vector A,B,C. [default: z]"),
    ] = None,
    center: Annotated[
        str | None, typer.Option(metavar="X,Y,Z", help="Cluster centre, physical kpc.")
    ] = None,
    radius: Annotated[
        float | None, typer.Option(help="Radius of the sphere of gas, physical kpc.")
    ] = None,
    units: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=UNIT", help="Unit of the snapshot: length=Mpc/h, mass=..., velocity=..."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random stage. [default: 0]")] = None,
    instrument: InstrumentName = None,
    mode: Annotated[
        Literal["survey", "pointed"] | None,
        typer.Option(help="Scan average or one pointing. [default: survey]"),
    ] = None,
    arf: Annotated[str | None, typer.Option(help="OGIP effective area to use instead.")] = None,
    rmf: Annotated[str | None, typer.Option(help="OGIP redistribution to use instead.")] = None,
    table: Annotated[str | None, typer.Option(help="Plasma table to use instead.")] = None,
    no_background: Annotated[
        bool, typer.Option("--no-background", help="No particles, no diffuse sky.")
    ] = False,
    no_agn: Annotated[bool, typer.Option("--no-agn", help="No AGN drawn as sources.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="YAML file of any of these; options win over it.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what icmass wrote there before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and report; observe nothing.")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="Processor threads; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print numbers as JSON.")] = False,
) -> None:
    """Observe the gas of a cluster: events, images, spectra, profiles and numbers."""
    given = {
        "redshift": redshift,
        "exposure_s": exposure,
        "nh_cm2": nh,
        "axis": axis,
        "center_kpc": center,
        "radius_kpc": radius,
        "units": units_by_kind(units),
        "seed": seed,
        "instrument": instrument,
        "mode": mode,
        "arf": arf,
        "rmf": rmf,
        "table": table,
        **(dict.fromkeys(_BACKGROUND, False) if no_background else {}),
        **(dict.fromkeys(_AGN, False) if no_agn else {}),
    }
    settings = _settings({key: value for key, value in given.items() if value is not None}, config)
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


def units_by_kind(words: list[str] | None) -> dict[str, str] | None:
    """Turn ``length=Mpc/h`` and the like into a mapping."""
    if not words:
        return None
    pairs = [word.partition("=") for word in words]
    for word, (kind, sign, unit) in zip(words, pairs, strict=True):
        if not (kind and sign and unit):
            raise InputError(f"--units: must be KIND=UNIT, such as length=Mpc/h; got '{word}'.")
    return {kind: unit for kind, _, unit in pairs}


def _settings(given: dict[str, Any], path: Path | None) -> "ObserveConfig":
    from icmass.config import ObserveConfig

    return ObserveConfig.load(path, given, lambda key: _OPTIONS.get(key, key))


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
        _telescope(settings),
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


def _telescope(settings: "ObserveConfig") -> "Instrument":
    from icmass.simulate.instrument import Instrument

    if settings.rmf is None:
        return Instrument.load(settings.instrument)
    return Instrument.from_ogip(
        arf=settings.arf, rmf=settings.rmf, like=settings.instrument, mode=settings.mode
    )
