"""Surveys by their name: which part of the sky, and how long it is observed.

An exposure is written as ``flat:SECONDS`` (the same everywhere, on axis, unvignetted) or
``scan:PASSES`` (that many passes of the all-sky survey).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from icmass.errors import InputError
from icmass.simulate.footprints.footprint import Footprint
from icmass.simulate.footprints.shapes import rectangle

__all__ = ["PRESETS", "Preset", "Recipe", "preset"]

# eFEDS is about 140 deg^2 (Brunner et al. 2022, A&A 661, A1): four tilted fields beside each other,
# within about 126 < RA < 146 and -3 < Dec < 6. A rectangle of 140 deg^2 about their middle stands
# for them; its rim is as deep as its middle, that of the real field is not.
_EFEDS: Final = (127.35, 144.85, -2.5, 5.5)

# Sky of the German consortium: west of the great circle through the Galactic poles and Sgr A*
# (Merloni et al. 2024, A&A 682, A34; https://erosita.mpe.mpg.de/erass/).
_SGR_A_LONGITUDE_DEG: Final = 359.94423568


@dataclass(frozen=True)
class Preset:
    """A survey.

    Attributes
    ----------
    footprint : Footprint
    exposure : str
        ``flat:SECONDS`` or ``scan:PASSES``.
    """

    footprint: Footprint
    exposure: str


@dataclass(frozen=True)
class Recipe:
    """How a preset is made, and what it stands for in one line."""

    footprint: Callable[[str], Footprint]
    exposure: str
    about: str


def _efeds(name: str) -> Footprint:
    return rectangle(*_EFEDS, name=name)


def _western_galaxy(name: str) -> Footprint:
    east = _SGR_A_LONGITUDE_DEG - 180.0
    return rectangle(east, _SGR_A_LONGITUDE_DEG, -90.0, 90.0, frame="galactic", name=name)


PRESETS: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        # The public eFEDS data: 2.2-2.6 ks unvignetted, in the median 1,180 s vignetted. With the
        # share of 0.549 that the telescope model leaves in 0.2-2.3 keV, 2.2 ks are 1,207 s.
        "efeds": Recipe(_efeds, "flat:2200", "eROSITA Final Equatorial-Depth Survey, 140 deg2"),
        "erass1-de": Recipe(_western_galaxy, "scan:1", "first all-sky survey, German half"),
        "erass5": Recipe(_western_galaxy, "scan:5", "five all-sky surveys, German half"),
    }
)


def preset(name: str) -> Preset:
    """Return a survey by its name.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    recipe = PRESETS.get(name.strip().lower())
    if recipe is None:
        raise InputError(
            f"preset: must be one of {', '.join(PRESETS)}; got '{name}'. Choose one, or give a "
            "footprint and an exposure."
        )
    return Preset(recipe.footprint(name.strip().lower()), recipe.exposure)
