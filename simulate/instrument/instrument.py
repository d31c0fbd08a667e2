"""What is known of a telescope: everything that turns photons into recorded events.

An instrument is data: a TOML file with small tables, or real OGIP responses joined to one. Areas in
cm^2 for all modules together, energies in keV.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import numpy as np

from icmass.errors import InputError
from icmass.simulate.instrument.area_table import read_area_table
from icmass.simulate.instrument.ogip_read import read_arf, read_rmf, require_same_grid
from icmass.simulate.instrument.particle_background import Line, ParticleBackground, PowerLaw
from icmass.simulate.instrument.psf import PSF
from icmass.simulate.instrument.redistribution import Redistribution, gaussian_redistribution
from icmass.simulate.instrument.response import Response
from icmass.simulate.instrument.toml_section import Section, read_toml
from icmass.simulate.instrument.vignetting import Vignetting

__all__ = ["MODES", "Instrument", "Module", "available"]

MODES = ("pointed", "survey")

_DATA = Path(__file__).parent / "data"
_PSF_KEYS = (
    "core_arcsec",
    "core_slope",
    "wing_arcsec",
    "wing_slope",
    "wing_fraction",
    "max_radius_arcsec",
)

T = TypeVar("T")


@dataclass(frozen=True)
class Module:
    """One telescope module: number in files, share of the counts, and its optical filter."""

    number: int
    weight: float
    onchip_filter: bool
    label: str


@dataclass(frozen=True, eq=False)
class Instrument:
    """A telescope with its detectors.

    Parameters
    ----------
    name, label : str
        Key of the instrument, and its name for people.
    modules : tuple of Module
        Weights sum to one.
    responses : mapping of mode to Response
        "pointed": on axis; "survey": averaged over the field of view. All share one redistribution.
    psfs : mapping of mode to PSF
    vignetting : Vignetting
        Used in pointed mode; the survey response has it inside.
    fov_diameter_deg, pixel_arcsec, ccd_pixel_arcsec, frame_time_s : float
        Circular field of view, image pixel, detector pixel and read-out time.
    particle_background : ParticleBackground
    provenance : mapping of str to str
        Where the values came from.
    """

    name: str
    label: str
    modules: tuple[Module, ...]
    responses: Mapping[str, Response]
    psfs: Mapping[str, PSF]
    vignetting: Vignetting
    fov_diameter_deg: float
    pixel_arcsec: float
    ccd_pixel_arcsec: float
    frame_time_s: float
    particle_background: ParticleBackground
    provenance: Mapping[str, str]

    @property
    def redistribution(self) -> Redistribution:
        """The redistribution that all modes share."""
        return next(iter(self.responses.values())).redistribution

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that the instrument has a response for."""
        return tuple(mode for mode in MODES if mode in self.responses)

    def response(self, mode: str) -> Response:
        """Return the response on axis ("pointed") or averaged over the field ("survey").

        Raises
        ------
        InputError
            If the instrument has no response for the mode.
        """
        return self._of_mode(self.responses, mode, "response")

    def psf(self, mode: str) -> PSF:
        """Return the point-spread function of a mode; InputError if there is none."""
        return self._of_mode(self.psfs, mode, "psf")

    def _of_mode(self, table: Mapping[str, T], mode: str, what: str) -> T:
        if mode not in table:
            raise InputError(
                f"mode: must be one of {', '.join(sorted(table))} for the {what} of "
                f"{self.name}; got '{mode}'."
            )
        return table[mode]

    @classmethod
    def load(cls, name_or_path: str | Path) -> "Instrument":
        """Load an instrument of the package by name, or one's own by the path of its TOML file.

        Parameters
        ----------
        name_or_path : str or Path
            A name from `available`, or a path that ends in ``.toml``.

        Returns
        -------
        Instrument

        Raises
        ------
        InputError
            If the name is unknown, or the file is missing, incomplete or has unknown keys.
        """
        if str(name_or_path).endswith(".toml"):
            return _from_toml(Path(name_or_path))
        name = str(name_or_path)
        known = available()
        if name not in known:
            near = get_close_matches(name.lower(), known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(
                f"instrument: must be one of {', '.join(known)} or the path of a .toml file; "
                f"got '{name}'.{hint}"
            )
        return _from_toml(_DATA / f"{name}.toml")

    @classmethod
    def from_ogip(
        cls,
        *,
        rmf: str | Path,
        arf: str | Path | None = None,
        like: "str | Path | Instrument" = "erosita",
        mode: str = "pointed",
    ) -> "Instrument":
        """Give an instrument real responses.

        Parameters
        ----------
        rmf : str or Path
            Redistribution matrix, or a combined response (then without `arf`).
        arf : str or Path
            Effective area on the same energy bins, of all modules together.
        like : str, Path or Instrument
            Instrument that everything else comes from.
        mode : {"pointed", "survey"}
            What the area holds: on axis, or averaged over the survey. The other mode is then not
            available, for the files say nothing of it.

        Returns
        -------
        Instrument

        Raises
        ------
        InputError
            If the files cannot be read or do not belong together, if the area is given twice or
            not at all, or the mode is unknown.
        """
        base = like if isinstance(like, Instrument) else cls.load(like)
        base.psf(mode)
        matrix = read_rmf(rmf)
        if (arf is None) == (matrix.area_cm2 is None):
            got = "neither" if arf is None else "both"
            raise InputError(
                f"{rmf}: the effective area must come once, from an ARF or from a combined "
                f"response; got {got}. {'Give' if arf is None else 'Leave out'} the ARF."
            )
        if arf is not None:
            area_file = read_arf(arf)
            require_same_grid(area_file, matrix)
            area_cm2 = area_file.area_cm2
        else:
            area_cm2 = matrix.area_cm2
        response = Response(matrix.redistribution, area_cm2)
        source = {"rmf": Path(rmf).name, **({} if arf is None else {"arf": Path(arf).name})}
        return replace(base, responses={mode: response}, provenance={**base.provenance, **source})


def available() -> tuple[str, ...]:
    """Names of the instruments in the package."""
    return tuple(sorted(path.stem for path in _DATA.glob("*.toml")))


def _from_toml(path: Path) -> Instrument:
    root = read_toml(path)
    modules = _modules(root.sections("modules"), path)
    detector = root.section("detector")
    redistribution = _redistribution(root.section("redistribution"))
    instrument = Instrument(
        name=path.stem,
        label=root.text("label"),
        modules=modules,
        responses=_responses(root.section("area"), redistribution, path),
        psfs=_psfs(root.section("psf")),
        vignetting=_vignetting(root.section("vignetting")),
        fov_diameter_deg=detector.number("fov_diameter_deg", above=0.0),
        pixel_arcsec=detector.number("image_pixel_arcsec", above=0.0),
        ccd_pixel_arcsec=detector.number("ccd_pixel_arcsec", above=0.0),
        frame_time_s=detector.number("frame_time_s", above=0.0),
        particle_background=_particles(root.section("particle_background"), len(modules)),
        provenance={"instrument": path.name, "source": root.text("source")},
    )
    detector.done()
    root.done()
    return instrument


def _modules(sections: list[Section], path: Path) -> tuple[Module, ...]:
    if not sections:
        raise InputError(f"{path}: must have at least one [[modules]]; got none.")
    weights = [section.number("weight", 1.0, above=0.0) for section in sections]
    modules = []
    for section, weight in zip(sections, weights, strict=True):
        number = int(section.number("number", above=-1))
        modules.append(
            Module(
                number=number,
                weight=weight / sum(weights),
                onchip_filter=section.flag("onchip_filter", True),
                label=section.text("label", f"module {number}"),
            )
        )
        section.done()
    if len({module.number for module in modules}) < len(modules):
        raise InputError(f"{path}: [[modules]] must have different numbers; got one twice.")
    return tuple(modules)


def _redistribution(section: Section) -> Redistribution:
    """Gaussian lines; energy bins are a fixed fraction of their width."""
    node_kev = section.numbers("fwhm_energy_kev")
    node_fwhm_kev = section.numbers("fwhm_ev") * 1e-3
    if node_kev.shape != node_fwhm_kev.shape or np.any(np.diff(node_kev) <= 0):
        raise InputError("redistribution: must have one fwhm_ev for each ascending energy.")
    if not np.all(node_fwhm_kev > 0.0):
        raise InputError(f"redistribution fwhm_ev: must be > 0; got {1e3 * node_fwhm_kev.min()}.")

    def fwhm_kev(energy_kev: np.ndarray) -> np.ndarray:
        return np.interp(energy_kev, node_kev, node_fwhm_kev)

    lo, hi = _range(section, "energy_range_kev")
    per_fwhm = section.number("bins_per_fwhm", 10.0, above=0.0)
    fine = np.linspace(lo, hi, 20_000)
    width = np.diff(fine) / fwhm_kev(0.5 * (fine[1:] + fine[:-1]))
    count = np.concatenate(([0.0], np.cumsum(width))) * per_fwhm
    edges = np.interp(np.linspace(0.0, count[-1], round(count[-1]) + 1), count, fine)
    lo, hi = _range(section, "channel_range_kev")
    n_channel = round((hi - lo) / (section.number("channel_width_ev", above=0.0) * 1e-3))
    channels = np.linspace(lo, hi, n_channel + 1)
    section.done()
    return gaussian_redistribution(edges, channels, fwhm_kev)


def _range(section: Section, key: str) -> tuple[float, float]:
    value = section.numbers(key)
    if value.shape != (2,) or not 0.0 < value[0] < value[1]:
        raise InputError(
            f"redistribution {key}: must be two ascending energies > 0 keV; got {value}."
        )
    return float(value[0]), float(value[1])


def _responses(section: Section, redistribution: Redistribution, path: Path) -> dict[str, Response]:
    if "table" in section:
        energy_kev, areas = read_area_table(path.parent / section.text("table"))
    else:
        energy_kev = section.numbers("energy_kev")
        areas = {m: section.numbers(f"{m}_cm2") for m in MODES if f"{m}_cm2" in section}
    section.done()
    unknown = sorted(set(areas) - set(MODES))
    sizes = {energy_kev.size, *(area.size for area in areas.values())}
    if not areas or unknown or len(sizes) > 1 or np.any(np.diff(energy_kev) <= 0):
        raise InputError(
            f"{path} [area]: must have ascending energies and as many areas for one or both of "
            f"{', '.join(MODES)}; got {', '.join(areas) or 'none'} with sizes {sorted(sizes)}."
        )
    return {
        mode: Response(redistribution, np.interp(redistribution.energy_kev, energy_kev, area))
        for mode, area in areas.items()
    }


def _psfs(section: Section) -> dict[str, PSF]:
    psfs = {}
    for mode in MODES:
        if mode not in section:
            continue
        part = section.section(mode)
        values = {key: part.number(key) for key in _PSF_KEYS}
        if "growth_arcmin" in part:
            values["growth_arcmin"] = part.number("growth_arcmin", above=0.0)
        psfs[mode] = PSF(**values)
        part.done()
    section.done()
    return psfs


def _vignetting(section: Section) -> Vignetting:
    vignetting = Vignetting(section.numbers("energy_kev"), section.numbers("scale_arcmin"))
    section.done()
    return vignetting


def _particles(section: Section, n_module: int) -> ParticleBackground:
    power_laws, lines = [], []
    for part in section.sections("power_laws"):
        power_laws.append(PowerLaw(part.number("index"), part.number("norm")))
        part.done()
    for part in section.sections("lines"):
        energy_kev = part.number("energy_kev", above=0.0)
        lines.append(Line(energy_kev, part.number("norm"), part.number("sigma_kev", 0.0)))
        part.done()
    scale = section.number("scale", 1.0)
    section.done()
    return ParticleBackground(tuple(power_laws), tuple(lines), n_module, scale)
