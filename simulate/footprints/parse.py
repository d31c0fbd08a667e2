"""Read a footprint from words, as they are given on the command line or in a configuration."""

import re
from collections.abc import Callable
from typing import Final

from icmass.errors import InputError
from icmass.simulate.footprints.footprint import Footprint
from icmass.simulate.footprints.presets import PRESETS, preset
from icmass.simulate.footprints.shapes import (
    cone,
    from_map,
    from_moc,
    from_pixels,
    latitude,
    rectangle,
    whole_sky,
)
from icmass.simulate.skymaps.sky_map import SkyMap

__all__ = ["FORMS", "parse_footprint"]

FORMS: Final = (
    *PRESETS,
    "all",
    "cone:RA,DEC,RADIUS",
    "box:RA1,RA2,DEC1,DEC2",
    "|b|>DEGREES",
    "moc:FILE",
    "pixels:FILE",
    "map:FILE",
)

_NUMBERED: Final[dict[str, tuple[Callable[..., Footprint], int]]] = {
    "cone": (cone, 3),
    "box": (rectangle, 4),
}
_FILED: Final[dict[str, Callable[[str], Footprint]]] = {
    "moc": from_moc,
    "pixels": from_pixels,
    "map": lambda path: from_map(SkyMap.read(path)),
}


def parse_footprint(text: str) -> Footprint:
    """Return the footprint that a text describes.

    Parameters
    ----------
    text : str
        One of `FORMS`, or several joined by " & ": what lies in all of them.

    Returns
    -------
    Footprint
        With the text as its name.

    Raises
    ------
    InputError
        If the text is of no known form, a file cannot be used, or nothing is left.
    """
    parts = [part.strip() for part in re.split(r"\s&\s", f" {text} ")]
    whole = _one(parts[0])
    for part in parts[1:]:
        whole &= _one(part)
    return Footprint(whole.pixel, " & ".join(parts))


def _one(text: str) -> Footprint:
    if text.lower() in PRESETS:
        return preset(text).footprint
    if text.lower() == "all":
        return whole_sky()
    above = re.fullmatch(r"\|\s*b\s*\|\s*>\s*(\S+)", text)
    if above:
        return latitude(_floats(text, above[1], 1)[0])
    kind, separator, rest = text.partition(":")
    kind, rest = kind.strip().lower(), rest.strip()
    if separator and kind in _NUMBERED:
        make, count = _NUMBERED[kind]
        return make(*_floats(text, rest, count))
    if separator and rest and kind in _FILED:
        return _FILED[kind](rest)
    raise _unknown(text)


def _floats(text: str, listed: str, count: int) -> list[float]:
    try:
        values = [float(part) for part in listed.split(",")]
    except ValueError:
        raise _unknown(text) from None
    if len(values) != count:
        raise _unknown(text)
    return values


def _unknown(text: str) -> InputError:
    return InputError(
        f"footprint: must be one of {', '.join(FORMS)}, or several joined by ' & '; got '{text}'. "
        "Angles are in degrees."
    )
