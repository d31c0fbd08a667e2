"""Sources found on images of the sky, how likely each is, and what they are in truth."""

from icmass.simulate.detection.background import estimate_background
from icmass.simulate.detection.completeness import (
    BinnedShare,
    completeness,
    purity,
    wilson_interval,
)
from icmass.simulate.detection.field_image import FieldImage
from icmass.simulate.detection.find import EXTENTS_ARCSEC, SourceList, find_sources
from icmass.simulate.detection.match import Matched, SourceKind, TruthTable, match_sources

__all__ = [
    "EXTENTS_ARCSEC",
    "BinnedShare",
    "FieldImage",
    "Matched",
    "SourceKind",
    "SourceList",
    "TruthTable",
    "completeness",
    "estimate_background",
    "find_sources",
    "match_sources",
    "purity",
    "wilson_interval",
]
