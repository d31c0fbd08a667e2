"""Maps of the whole sky: how long it was seen, how much gas of the Galaxy lies in front.

Positions are ICRS degrees; pixels are HEALPix, NESTED.
"""

from icmass.simulate.skymaps.column_density import column_model, galactic_column, read_column
from icmass.simulate.skymaps.frames import FRAMES, from_icrs, to_icrs
from icmass.simulate.skymaps.pixels import (
    CELL_NSIDE,
    PIXELS_PER_CELL,
    SKY_NSIDE,
    centres,
    pixel_area_deg2,
    pixel_of,
    separation_deg,
    uniform_positions,
    unit_vectors,
)
from icmass.simulate.skymaps.scan import exposure_at_latitude, read_exposure, scan_exposure
from icmass.simulate.skymaps.sky_map import SkyMap

__all__ = [
    "CELL_NSIDE",
    "FRAMES",
    "PIXELS_PER_CELL",
    "SKY_NSIDE",
    "SkyMap",
    "centres",
    "column_model",
    "exposure_at_latitude",
    "from_icrs",
    "galactic_column",
    "pixel_area_deg2",
    "pixel_of",
    "read_column",
    "read_exposure",
    "scan_exposure",
    "separation_deg",
    "to_icrs",
    "uniform_positions",
    "unit_vectors",
]
