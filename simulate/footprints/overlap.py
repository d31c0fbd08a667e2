"""Does a map of the sky say anything about a footprint? One clear line where it does not."""

import numpy as np

from icmass.errors import InputError
from icmass.simulate.footprints.footprint import Footprint
from icmass.simulate.skymaps import SKY_NSIDE, centres
from icmass.simulate.skymaps.sky_map import SkyMap

__all__ = ["require_covered", "require_overlap"]


def require_overlap(footprint: Footprint, sky_map: SkyMap) -> Footprint:
    """Return the part of a footprint in which a map is known.

    Parameters
    ----------
    footprint : Footprint
    sky_map : SkyMap
        Unknown where it is NaN; 0 is known.

    Raises
    ------
    InputError
        If it is known nowhere in the footprint.
    """
    known = np.isfinite(sky_map.on_pixels(SKY_NSIDE, footprint.pixel))
    if not known.any():
        ra_deg, dec_deg = footprint.centre()
        raise InputError(
            f"{sky_map.name}: must overlap the footprint {footprint.name} (about RA {ra_deg:.1f}, "
            f"Dec {dec_deg:+.1f}); got no known pixel in it. Check the map's frame and ordering, "
            "or choose another footprint."
        )
    return footprint if known.all() else Footprint(footprint.pixel[known], footprint.name)


def require_covered(footprint: Footprint, sky_map: SkyMap) -> None:
    """Raise unless a map is known all over a footprint.

    Raises
    ------
    InputError
        If it is unknown (NaN, UNSEEN) somewhere in it; says where.
    """
    known = require_overlap(footprint, sky_map)
    missing = len(footprint) - len(known)
    if missing:
        first = footprint.pixel[~known.holds(footprint.pixel)][:1]
        ra_deg, dec_deg = (float(angle[0]) for angle in centres(SKY_NSIDE, first))
        raise InputError(
            f"{sky_map.name}: must be known all over the footprint {footprint.name}; got "
            f"{footprint.area_deg2 - known.area_deg2:.3g} of {footprint.area_deg2:.4g} deg2 "
            f"unknown, for instance at RA {ra_deg:.2f}, Dec {dec_deg:+.2f}. Give a map that covers "
            "it, or add '& map:FILE' to the footprint."
        )
