"""What is known of a telescope: everything that turns photons into recorded events.

An instrument is data: a TOML file with small tables, or real OGIP responses joined to one. Areas in
cm^2 for all modules together, energies in keV.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from warnings import warn

import numpy as np

from icmass.errors import InputError, InputWarning
from icmass.simulate.instrument.ogip_read import Rmf, read_arf, read_rmf, require_same_grid
from icmass.simulate.instrument.particle_background import ParticleBackground
from icmass.simulate.instrument.psf import PSF
from icmass.simulate.instrument.redistribution import Redistribution
from icmass.simulate.instrument.response import Response
from icmass.simulate.instrument.toml_parts import (
    MODES,
    Module,
    read_modules,
    read_particles,
    read_psfs,
    read_redistribution,
    read_responses,
    read_vignetting,
)
from icmass.simulate.instrument.toml_section import read_toml
from icmass.simulate.instrument.vignetting import Vignetting

__all__ = ["MODES", "Instrument", "Module", "available"]

# An area within this of that of the other mode, at this energy, is taken to be that mode's.
_TELLING_KEV, _ALIKE = 1.0, 0.15

_DATA = Path(__file__).parent / "data"
T = TypeVar("T")


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
        Off axis they grow in pointed mode.
    vignetting : Vignetting
        Used in pointed mode; the survey response has it inside.
    fov_diameter_deg, pixel_arcsec, ccd_pixel_arcsec, frame_time_s : float
        Circular field of view, image pixel, detector pixel and read-out time.
    particle_background : ParticleBackground
        Of all modules together.
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
        """Return the response of a `mode`: on axis ("pointed"), or the field's mean ("survey").

        Raises
        ------
        InputError
            If the instrument has no response for the mode.
        """
        return self._of_mode(self.responses, mode, "response")

    def psf(self, mode: str) -> PSF:
        """Return the point-spread function of a `mode`; InputError if there is none."""
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
        return _shipped(name)

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
        area_cm2 = _area_given_once(arf, matrix)
        response = Response(matrix.redistribution, area_cm2)
        _warn_of_other_mode(response, base, mode)
        source = {"rmf": Path(rmf).name, **({} if arf is None else {"arf": Path(arf).name})}
        return replace(base, responses={mode: response}, provenance={**base.provenance, **source})


def _area_given_once(arf: str | Path | None, matrix: Rmf) -> np.ndarray:
    if arf is None and matrix.area_cm2 is not None:
        return matrix.area_cm2
    if arf is not None and matrix.area_cm2 is None:
        area = read_arf(arf)
        require_same_grid(area, matrix)
        return area.area_cm2
    got, advice = ("neither", "Give") if arf is None else ("both", "Leave out")
    raise InputError(
        f"{matrix.path}: the effective area must come once, from an ARF or from a combined "
        f"response; got {got}. {advice} the ARF."
    )


def available() -> tuple[str, ...]:
    """Names of the instruments in the package."""
    return tuple(sorted(path.stem for path in _DATA.glob("*.toml")))


def _warn_of_other_mode(response: Response, base: Instrument, mode: str) -> None:
    """Warn if an area looks like that of the instrument's other mode."""
    ratios = {
        name: _area_at(response, _TELLING_KEV) / _area_at(base.response(name), _TELLING_KEV)
        for name in base.modes
    }
    nearest = min(ratios, key=lambda name: abs(np.log(max(ratios[name], 1e-30))))
    if mode in ratios and nearest != mode and abs(ratios[nearest] - 1.0) < _ALIKE:
        warn(
            f"arf: at {_TELLING_KEV:g} keV it is {ratios[mode]:.2f} times the {mode} area of "
            f"{base.name} and {ratios[nearest]:.2f} times the {nearest} one. Should the mode be "
            f"{nearest}?",
            InputWarning,
            stacklevel=3,
        )


def _area_at(response: Response, energy_kev: float) -> float:
    return float(np.interp(energy_kev, response.redistribution.energy_kev, response.area_cm2))


@lru_cache
def _shipped(name: str) -> Instrument:
    """Load an instrument of the package once: spectra folded for it are kept by identity."""
    return _from_toml(_DATA / f"{name}.toml")


def _from_toml(path: Path) -> Instrument:
    root = read_toml(path)
    modules = read_modules(root.sections("modules"), root.where)
    responses = read_responses(
        root.section("area"), read_redistribution(root.section("redistribution")), path.parent
    )
    psfs = read_psfs(root.section("psf"))
    missing = sorted(set(responses) - set(psfs))
    if missing:
        raise InputError(f"{path}: must have the table [psf.{missing[0]}] beside its area.")
    detector = root.section("detector")
    instrument = Instrument(
        name=path.stem,
        label=root.text("label"),
        modules=modules,
        responses=responses,
        psfs=psfs,
        vignetting=read_vignetting(root.section("vignetting")),
        fov_diameter_deg=detector.number("fov_diameter_deg", above=0.0),
        pixel_arcsec=detector.number("image_pixel_arcsec", above=0.0),
        ccd_pixel_arcsec=detector.number("ccd_pixel_arcsec", above=0.0),
        frame_time_s=detector.number("frame_time_s", above=0.0),
        particle_background=read_particles(root.section("particle_background"), len(modules)),
        provenance={"instrument": path.stem, "source": root.text("source")},
    )
    detector.done()
    root.done()
    return instrument
