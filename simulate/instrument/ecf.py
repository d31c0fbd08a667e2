"""Which count rate does a flux give: the energy conversion factor of a spectrum and a band.

Counts/s recorded with channel energies in the band, over the energy flux in erg/s/cm^2 of the same
band as it arrives at the telescope, absorption included.
"""

from collections.abc import Callable

import numpy as np

from icmass.errors import InputError
from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.instrument.response import Response

__all__ = ["energy_conversion_factor"]

# Bins are divided so that the energy of a photon in a steep, absorbed spectrum is known to 1e-4.
_DIVISIONS = 8


def energy_conversion_factor(
    response: Response,
    spectrum: Callable[[np.ndarray], np.ndarray],
    lo_kev: float,
    hi_kev: float,
) -> float:
    """Counts/s in a band per erg/s/cm^2 of observed flux in that band.

    Parameters
    ----------
    response : Response
        Effective area and redistribution.
    spectrum : callable
        Takes (n + 1,) ascending edges [keV] and returns (n,) photons/s/cm^2 per bin as observed,
        that is, behind any absorption. Its norm is irrelevant.
    lo_kev, hi_kev : float
        The band, inside the energies and channels of the response.

    Returns
    -------
    float
        counts cm^2 / erg.

    Raises
    ------
    InputError
        If the band is empty or leaves the response, or the spectrum has no flux in it.
    """
    edges = response.redistribution.energy_edges_kev
    channels = response.redistribution.channel_edges_kev
    lowest, highest = max(edges[0], channels[0]), min(edges[-1], channels[-1])
    if not lowest <= lo_kev < hi_kev <= highest:
        raise InputError(
            f"band: must be LO < HI within {lowest:g}-{highest:g} keV, where the response is; "
            f"got {lo_kev:g}-{hi_kev:g}."
        )
    position = np.arange((edges.size - 1) * _DIVISIONS + 1) / _DIVISIONS
    fine = np.interp(position, np.arange(edges.size), edges)
    fine = np.unique(np.concatenate((fine, [lo_kev, hi_kev])))
    photons = spectrum(fine)
    energy = 0.5 * (fine[1:] + fine[:-1])
    inside = (energy > lo_kev) & (energy < hi_kev)
    flux_erg = ERG_PER_KEV * float(np.sum(photons[inside] * energy[inside]))  # erg s^-1 cm^-2
    if not 0.0 < flux_erg < np.inf:
        raise InputError(
            f"spectrum: must have a flux in {lo_kev:g}-{hi_kev:g} keV; got {flux_erg:g} erg/s/cm^2."
        )
    bins = np.searchsorted(edges, energy, side="right") - 1
    per_bin = np.bincount(bins, weights=photons, minlength=edges.size - 1)
    return float(per_bin @ response.band_area_cm2(lo_kev, hi_kev)) / flux_erg
