"""`icmass ecf`: counts per energy flux of a spectrum in a band."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icmass.errors import InputError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ecf"]


def ecf(
    band: Annotated[tuple[float, float], typer.Option(help="Band LO HI in keV.")],
    gamma: Annotated[float | None, typer.Option(help="Photon index of a power law.")] = None,
    kt: Annotated[float | None, typer.Option(help="Temperature of a plasma, keV.")] = None,
    nh: Annotated[float, typer.Option(help="Absorbing column, hydrogen atoms per cm^2.")] = 0.0,
    abundance: Annotated[
        float | None, typer.Option(help="Metallicity of the plasma, solar. [default: 0.3]")
    ] = None,
    redshift: Annotated[
        float | None, typer.Option(help="Redshift of the plasma. [default: 0]")
    ] = None,
    instrument: Annotated[str, typer.Option(help="Name, or path of a .toml file.")] = "erosita",
    mode: Annotated[
        str, typer.Option(help="pointed: on axis; survey: mean over the field of view.")
    ] = "pointed",
    arf: Annotated[Path | None, typer.Option(help="OGIP effective area to use instead.")] = None,
    rmf: Annotated[Path | None, typer.Option(help="OGIP redistribution that goes with it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the energy conversion factor: counts/s per erg/s/cm^2, the flux as observed (absorbed).

    The spectrum is a power law (--gamma) or a plasma in collisional equilibrium (--kt).
    """
    from icmass.simulate.instrument import Instrument
    from icmass.simulate.instrument.ecf import energy_conversion_factor

    if gamma is not None and (abundance is not None or redshift is not None):
        raise InputError("--abundance, --redshift: belong to a plasma (--kt); got --gamma.")
    abundance, redshift = 0.3 if abundance is None else abundance, redshift or 0.0
    spectrum = _spectrum(gamma, kt, nh, abundance, redshift)
    if arf is not None and rmf is None:
        raise InputError("--rmf: must be given with --arf; got --arf alone.")
    if rmf is None:
        telescope = Instrument.load(instrument)
    else:
        telescope = Instrument.from_ogip(arf=arf, rmf=rmf, like=instrument, mode=mode)
    value = energy_conversion_factor(telescope.response(mode), spectrum, *band)
    if not as_json:
        typer.echo(f"{value:.4g} counts cm^2/erg in {band[0]:g}-{band[1]:g} keV ({mode})")
        return
    plasma = {"kt_kev": kt, "abundance": abundance, "redshift": redshift}
    result = {
        "ecf_counts_cm2_per_erg": value,
        "band_kev": list(band),
        "mode": mode,
        "nh_cm2": nh,
        **({"gamma": gamma} if kt is None else plasma),
        **telescope.provenance,
    }
    typer.echo(json.dumps(result, indent=1))


def _spectrum(
    gamma: float | None, kt: float | None, nh: float, abundance: float, redshift: float
) -> "Callable[[np.ndarray], np.ndarray]":
    from icmass.simulate.emission.absorption import bin_transmission
    from icmass.simulate.emission.powerlaw import powerlaw
    from icmass.simulate.emission.spectrum import cie_spectrum

    if gamma is not None and kt is not None:
        raise InputError("--gamma, --kt: must be given one of them; got both.")
    if gamma is not None:
        return lambda edges: powerlaw(edges, gamma) * bin_transmission(edges, nh)
    if kt is None:
        raise InputError("--gamma, --kt: must be given one of them; got neither.")
    return lambda edges: cie_spectrum(edges, kt, abundance, redshift=redshift, nh=nh)
