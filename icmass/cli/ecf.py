"""`icmass ecf`: counts per energy flux of a spectrum in a band."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icmass.cli.options import INPUT, OBSERVATION, AsJson, telescope_of
from icmass.cli.printing import print_json
from icmass.errors import InputError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ecf"]


def ecf(
    band: Annotated[
        tuple[float, float],
        typer.Option(metavar="LO HI", help="Band, keV.", rich_help_panel=INPUT),
    ],
    gamma: Annotated[
        float | None,
        typer.Option(help="Photon index of a power law.", rich_help_panel=INPUT),
    ] = None,
    kt: Annotated[
        float | None,
        typer.Option(
            metavar="KEV", help="Temperature of a plasma, in its place.", rich_help_panel=INPUT
        ),
    ] = None,
    abundance: Annotated[
        float | None,
        typer.Option(
            help="Metallicity of the plasma, solar. [default: 0.3]", rich_help_panel=INPUT
        ),
    ] = None,
    redshift: Annotated[
        float | None, typer.Option(help="Of the plasma. [default: 0]", rich_help_panel=INPUT)
    ] = None,
    nh: Annotated[
        float,
        typer.Option(
            metavar="CM^-2",
            help="Column density of hydrogen, which absorbs.",
            rich_help_panel=INPUT,
        ),
    ] = 0.0,
    instrument: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Telescope: a name (icmass instruments lists them), or a TOML file.",
            rich_help_panel=OBSERVATION,
        ),
    ] = "erosita",
    mode: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="pointed (on axis) or survey (mean over the field of view).",
            rich_help_panel=OBSERVATION,
        ),
    ] = "pointed",
    arf: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Effective area (OGIP ARF) in place of the telescope's own; needs --rmf.",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    rmf: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Energy redistribution (OGIP RMF) in place of the telescope's own.",
            rich_help_panel=OBSERVATION,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the energy conversion factor: counts/s for a flux of 1 erg/s/cm^2 in a band.

    The flux is that observed, after absorption. The spectrum is a power law (--gamma) or a plasma
    in collisional equilibrium (--kt).
    """
    from icmass.simulate.instrument.ecf import energy_conversion_factor

    abundance, redshift = _of_plasma(gamma, abundance, redshift)
    spectrum = _spectrum(gamma, kt, nh, abundance, redshift)
    telescope = telescope_of(instrument, mode, arf, rmf)
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
    print_json(result)


def _of_plasma(
    gamma: float | None, abundance: float | None, redshift: float | None
) -> tuple[float, float]:
    """Return metallicity and redshift of a plasma, which a power law does not have."""
    if gamma is not None and (abundance is not None or redshift is not None):
        raise InputError("--abundance, --redshift: belong to a plasma (--kt); got --gamma.")
    return 0.3 if abundance is None else abundance, redshift or 0.0


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
