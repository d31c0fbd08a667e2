"""How much of the exposure on axis is left when the field of view passes over a place."""

from functools import lru_cache

import numpy as np

from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.instrument import Instrument

__all__ = ["vignetted_share"]

# Weights of the energies: an AGN, as for the exposure maps of eROSITA.
_PHOTON_INDEX = 2.0


@lru_cache(maxsize=32)
def vignetted_share(instrument: Instrument, band_kev: tuple[float, float]) -> float:
    """Return the mean over the field of view of the area of `instrument`, over that on axis.

    Both are weighted with a power law of photon index 2 in `band_kev`; eSASS calls the exposure
    times this share vignetted. 1 for instruments without a response on axis.
    """
    if "pointed" not in instrument.modes:
        return 1.0
    edges_kev = instrument.redistribution.energy_edges_kev
    middle = 0.5 * (edges_kev[1:] + edges_kev[:-1])
    inside = (middle >= band_kev[0]) & (middle < band_kev[1])
    weight = np.where(inside, powerlaw(edges_kev, _PHOTON_INDEX), 0.0)
    averaged, on_axis = (instrument.response(mode).area_cm2 for mode in ("survey", "pointed"))
    return float(weight @ averaged / (weight @ on_axis))
