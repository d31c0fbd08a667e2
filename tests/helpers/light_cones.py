"""Footprints of whole pixels, for light cones."""

import numpy as np

from icmass.simulate.footprints import Footprint
from icmass.simulate.skymaps import SKY_NSIDE


def pixels_within(nside: int, *numbers: int) -> Footprint:
    """The sky pixels of whole coarser NESTED ones."""
    inside = (SKY_NSIDE // nside) ** 2
    pixel = np.add.outer(np.array(numbers) * inside, np.arange(inside)).ravel()
    return Footprint(pixel, "test")
