"""Which part of the sky a survey covers: shapes, files, presets, and the words for them.

A footprint is a set of HEALPix pixels of 6.9 arcmin; a shape covers the pixels whose centres it
holds.
"""

from icmass.simulate.footprints.footprint import Footprint
from icmass.simulate.footprints.parse import FORMS, parse_footprint
from icmass.simulate.footprints.presets import PRESETS, Preset, preset
from icmass.simulate.footprints.shapes import (
    cone,
    from_map,
    from_moc,
    from_pixels,
    latitude,
    rectangle,
    whole_sky,
)

__all__ = [
    "FORMS",
    "PRESETS",
    "Footprint",
    "Preset",
    "cone",
    "from_map",
    "from_moc",
    "from_pixels",
    "latitude",
    "parse_footprint",
    "preset",
    "rectangle",
    "whole_sky",
]
