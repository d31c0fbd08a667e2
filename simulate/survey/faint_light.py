"""What haloes add to the background that was measured, so that none of it is counted twice.

The background of the forward model was measured on the sky with sources masked, so it holds the
light of all haloes too faint to be masked. Those of the light cone shine for themselves; their mean
light is taken out of the background again. Haloes below its mass limit stay in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.constants import CM_PER_KPC, ERG_PER_KEV
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.gas import Gas
from icmass.simulate.rng import stream

__all__ = ["MASKED_FLUX", "HaloLight", "mean_light"]

Floats = NDArray[np.float64]

# Sources brighter than this were masked where the background was measured: the flux down to which
# the eFEDS catalogue is nearly complete, erg/s/cm^2 in 0.5-2 keV (Brunner et al. 2022, A&A 661, A1,
# give 6.5e-15 for 80% of point sources; extended ones need some 1.5 times as much).
MASKED_FLUX: Final = 1e-14

_FLUX_BAND_KEV: Final = (0.5, 2.0)
_SAMPLE: Final = 400  # haloes that stand for all: their light scatters by less than a factor 3


@dataclass(frozen=True, eq=False)
class HaloLight:
    """Mean light of the haloes that are drawn and were not masked.

    Attributes
    ----------
    per_arcmin2 : ndarray, shape (n,)
        Photons/s/cm^2/arcmin^2 per energy bin of the response, before the Galaxy absorbs.
    """

    per_arcmin2: Floats


def mean_light(
    haloes: int,
    gas_of: Callable[[int], tuple[Gas, float]],
    area_deg2: float,
    edges_kev: Floats,
    table: SpectralTable,
    seed: int,
) -> HaloLight:
    """Measure the mean light of the haloes of a light cone on some of them.

    Parameters
    ----------
    haloes : int
        How many there are.
    gas_of : callable
        Gives the gas of a halo by its number from 0, and its redshift.
    area_deg2 : float
        Of the footprint that they are in.
    edges_kev : ndarray, shape (n + 1,)
        Energy bins of the response.
    table : SpectralTable
    seed : int

    Returns
    -------
    HaloLight
    """
    light = np.zeros(len(edges_kev) - 1)
    if haloes:
        rng = np.random.default_rng(stream(seed, "survey", "halo light"))
        chosen = rng.permutation(haloes)[:_SAMPLE]
        for halo in np.sort(chosen).tolist():
            photons = _photons(*gas_of(halo), edges_kev, table)
            if _flux(photons, edges_kev) < MASKED_FLUX:
                light += photons
        light *= haloes / len(chosen) / (3600.0 * area_deg2)
    return HaloLight(light)


def _photons(gas: Gas, redshift: float, edges_kev: Floats, table: SpectralTable) -> Floats:
    """Photons/s/cm^2 per bin from a halo."""
    nodes = len(table.kt_kev)
    position = np.interp(np.log(gas.kt_kev), np.log(table.kt_kev), np.arange(nodes))
    low = np.minimum(position.astype(np.int64), nodes - 2)
    share = position - low

    def at_nodes(weight: Floats) -> Floats:
        below: Floats = np.bincount(low, weight * (1.0 - share), nodes).astype(np.float64)
        return below + np.bincount(low + 1, weight * share, nodes)

    base, metal = table.photons(edges_kev, redshift)
    measure = gas.emission_measure_cm3
    emitted: Floats = at_nodes(measure) @ base + at_nodes(measure * gas.metallicity_solar) @ metal
    distance = gas.info.cosmology.comoving_transverse_distance(redshift).to_value("kpc")
    return emitted / (4.0 * np.pi * (float(distance) * CM_PER_KPC) ** 2)


def _flux(photons: Floats, edges_kev: Floats) -> float:
    """erg/s/cm^2 in 0.5-2 keV."""
    energy_kev = 0.5 * (edges_kev[1:] + edges_kev[:-1])
    inside = (energy_kev >= _FLUX_BAND_KEV[0]) & (energy_kev < _FLUX_BAND_KEV[1])
    return ERG_PER_KEV * float(photons[inside] @ energy_kev[inside])
