"""Attributions in numbers with errors: by origin, radius, structure, band and kind of cluster."""

from icmass.interpret.statistics.bands import Band, band_medians
from icmass.interpret.statistics.groups import GROUPED, Group, Half, halves
from icmass.interpret.statistics.matching import (
    ALL_CHANNELS,
    COMPARED,
    AgnIcm,
    Comparison,
    Spread,
    agn_to_icm,
)
from icmass.interpret.statistics.number import Number, Result, plain
from icmass.interpret.statistics.pixels import PixelTable
from icmass.interpret.statistics.profiles import CORES, PROXIES, CoreRatio, Profile, ProfileTable
from icmass.interpret.statistics.sanity import Sanity, check_sanity, map_correlation, permuted
from icmass.interpret.statistics.structures import Structure, StructureTable
from icmass.interpret.statistics.summary import Statistics, summarise

__all__ = [
    "ALL_CHANNELS",
    "COMPARED",
    "CORES",
    "GROUPED",
    "PROXIES",
    "AgnIcm",
    "Band",
    "Comparison",
    "CoreRatio",
    "Group",
    "Half",
    "Number",
    "PixelTable",
    "Profile",
    "ProfileTable",
    "Result",
    "Sanity",
    "Spread",
    "Statistics",
    "Structure",
    "StructureTable",
    "agn_to_icm",
    "band_medians",
    "check_sanity",
    "halves",
    "map_correlation",
    "permuted",
    "plain",
    "summarise",
]
