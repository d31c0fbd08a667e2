"""Images cut out of event files, ours and those of eSASS, about given positions, as a catalog."""

from icmass.simulate.cutouts.catalog_of import (
    CutoutProducer,
    CutoutSummary,
    cut_outs,
    producer_of,
)
from icmass.simulate.cutouts.event_files import EventFile, scan_event_files
from icmass.simulate.cutouts.event_list import EventList, Selection, read_event_list
from icmass.simulate.cutouts.of_survey import cut_out_survey
from icmass.simulate.cutouts.position_table import read_positions
from icmass.simulate.cutouts.positions import Positions
from icmass.simulate.cutouts.settings import CutoutSettings
from icmass.simulate.cutouts.sky_values import sky_values

__all__ = [
    "CutoutProducer",
    "CutoutSettings",
    "CutoutSummary",
    "EventFile",
    "EventList",
    "Positions",
    "Selection",
    "cut_out_survey",
    "cut_outs",
    "producer_of",
    "read_event_list",
    "read_positions",
    "scan_event_files",
    "sky_values",
]
