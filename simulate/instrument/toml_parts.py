"""Build the parts of an instrument from the tables of its TOML file.

`docs/own-telescope.md` lists the keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icmass.errors import InputError
from icmass.simulate.instrument.area_table import read_area_table
from icmass.simulate.instrument.particle_background import Line, ParticleBackground, PowerLaw
from icmass.simulate.instrument.psf import PSF
from icmass.simulate.instrument.redistribution import (
    MOST_BINS,
    Redistribution,
    gaussian_redistribution,
)
from icmass.simulate.instrument.response import Response
from icmass.simulate.instrument.toml_section import Section
from icmass.simulate.instrument.vignetting import Vignetting

__all__ = [
    "MODES",
    "Module",
    "read_modules",
    "read_particles",
    "read_psfs",
    "read_redistribution",
    "read_responses",
    "read_vignetting",
]

MODES = ("pointed", "survey")

_HIGHEST_NUMBER = 255  # events hold the number of their module in 8 bits

_PSF_KEYS = (
    "core_arcsec",
    "core_slope",
    "wing_arcsec",
    "wing_slope",
    "wing_fraction",
    "max_radius_arcsec",
)


@dataclass(frozen=True)
class Module:
    """One telescope module: number in files, share of the counts, optical filter on the CCD."""

    number: int
    weight: float
    onchip_filter: bool
    label: str


def read_modules(sections: list[Section], where: str) -> tuple[Module, ...]:
    """Read the telescope modules from `sections`, one each; weights are scaled to sum to one.

    Raises
    ------
    InputError
        If there is none, a number is not whole or two are the same; messages about all of them
        begin with `where`.
    """
    if not sections:
        raise InputError(f"{where}: must have at least one [[modules]]; got none.")
    weights = [section.number("weight", 1.0, above=0.0) for section in sections]
    modules = []
    for section, weight in zip(sections, weights, strict=True):
        number = section.number("number")
        if not (number.is_integer() and 0 <= number <= _HIGHEST_NUMBER):
            raise InputError(
                f"{section.where}: 'number' must be whole, 0 to {_HIGHEST_NUMBER}; got {number:g}."
            )
        modules.append(
            Module(
                number=int(number),
                weight=weight / sum(weights),
                onchip_filter=section.flag("onchip_filter", True),
                label=section.text("label", f"module {number:g}"),
            )
        )
        section.done()
    if len({module.number for module in modules}) < len(modules):
        raise InputError(f"{where}: [[modules]] must have different numbers; got one twice.")
    return tuple(modules)


def read_redistribution(section: Section) -> Redistribution:
    """Build the Gaussian redistribution that `section` describes, on bins well below its width.

    Bins are also a small fraction of the energy, for areas and absorption change with its log.

    Raises
    ------
    InputError
        If a key is missing or faulty, or the bins or channels would be too many.
    """
    node_kev = section.numbers("fwhm_energy_kev", above=0.0, ascending=True)
    node_fwhm_kev = section.numbers("fwhm_ev", node_kev.size, above=0.0) * 1e-3

    def fwhm_kev(energy_kev: np.ndarray) -> np.ndarray:
        return np.interp(energy_kev, node_kev, node_fwhm_kev)

    lo, hi = section.numbers("energy_range_kev", 2, above=0.0, ascending=True)
    per_fwhm = section.number("bins_per_fwhm", 10.0, above=0.0)
    per_energy = section.number("bins_per_energy", 100.0, above=0.0)
    first, last = section.numbers("channel_range_kev", 2, above=0.0, ascending=True)
    width_kev = section.number("channel_width_ev", above=0.0) * 1e-3
    section.done()
    n_channel = (last - first) / width_kev
    if n_channel > MOST_BINS:
        raise InputError(
            f"{section.where}: 'channel_width_ev' must give at most {MOST_BINS:,} channels; got "
            f"{n_channel:.3g}. Take wider ones."
        )
    channels = np.linspace(first, last, round(n_channel) + 1)
    edges = section.build(
        _energy_edges, lo, hi, lambda e: np.minimum(fwhm_kev(e) / per_fwhm, e / per_energy)
    )
    return section.build(gaussian_redistribution, edges, channels, fwhm_kev)


def _energy_edges(lo: float, hi: float, step: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Edges from `lo` to `hi` that are about step(E) apart: even in the number of steps."""
    fine = np.linspace(lo, hi, 20_000)
    count = np.concatenate(([0.0], np.cumsum(np.diff(fine) / step(0.5 * (fine[1:] + fine[:-1])))))
    if count[-1] > MOST_BINS:
        raise InputError(
            f"widths and bins per width must give at most {MOST_BINS:,} energy bins; got "
            f"{count[-1]:.3g}. Take fewer bins per width."
        )
    n_bin = max(1, round(count[-1]))
    return np.interp(np.linspace(0.0, count[-1], n_bin + 1), count, fine)


def read_responses(
    section: Section, redistribution: Redistribution, folder: Path
) -> dict[str, Response]:
    """Interpolate the areas to the energy bins.

    Parameters
    ----------
    section : Section
        Holds the areas by mode, or the name of their table.
    redistribution : Redistribution
        Gives the bins; all modes share it.
    folder : Path
        Where the table lies.

    Returns
    -------
    dict of str to Response
        By mode.

    Raises
    ------
    InputError
        If there is no area, or one of an unknown mode.
    """
    if "table" in section:
        energy_kev, areas = read_area_table(folder / section.text("table"))
    else:
        energy_kev = section.numbers("energy_kev", above=0.0, ascending=True)
        areas = {
            mode: section.numbers(f"{mode}_cm2", energy_kev.size)
            for mode in MODES
            if f"{mode}_cm2" in section
        }
    section.done()
    if not areas or not set(areas) <= set(MODES):
        raise InputError(
            f"{section.where}: must have areas for one or both of {', '.join(MODES)}; "
            f"got {', '.join(areas) or 'none'}."
        )
    energy = redistribution.energy_kev
    return {
        mode: section.build(Response, redistribution, np.interp(energy, energy_kev, area))
        for mode, area in areas.items()
    }


def read_psfs(section: Section) -> dict[str, PSF]:
    """Read the point-spread function of each mode that `section` has, by mode."""
    psfs = {}
    for mode in MODES:
        if mode not in section:
            continue
        part = section.section(mode)
        values = {key: part.number(key) for key in _PSF_KEYS}
        if "growth_arcmin" in part:
            values["growth_arcmin"] = part.number("growth_arcmin")
        part.done()
        psfs[mode] = part.build(PSF, **values)
    section.done()
    return psfs


def read_vignetting(section: Section) -> Vignetting:
    """Read from `section` the scale of the exponential fall over energy."""
    energy_kev = section.numbers("energy_kev", above=0.0, ascending=True)
    scale_arcmin = section.numbers("scale_arcmin", energy_kev.size, above=0.0)
    section.done()
    return Vignetting(energy_kev, scale_arcmin)


def read_particles(section: Section, n_module: int) -> ParticleBackground:
    """Read from `section` the power laws and lines of one of `n_module` equal modules."""
    power_laws, lines = [], []
    for part in section.sections("power_laws"):
        power_laws.append(PowerLaw(part.number("index"), part.number("norm", above=0.0)))
        part.done()
    for part in section.sections("lines"):
        lines.append(
            Line(
                energy_kev=part.number("energy_kev", above=0.0),
                norm=part.number("norm", above=0.0),
                sigma_kev=part.number("sigma_kev", 0.0),
            )
        )
        part.done()
    scale = section.number("scale", 1.0)
    section.done()
    return ParticleBackground(tuple(power_laws), tuple(lines), n_module, scale)
