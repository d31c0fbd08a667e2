"""Stellar masses of galaxies: satellites from a mass function, central ones from what is left."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.population.structure_list import Structures

if TYPE_CHECKING:
    from icmass.simulate.population.galaxies import GalaxyParameters

__all__ = ["draw_satellites", "give_centrals", "stellar_mass_msun"]

Floats = NDArray[np.float64]

_MASS_NODES = 300
# No galaxy is more massive than this many times the break of the mass function.
_MOST = 10.0


def stellar_mass_msun(
    m500c_msun: Floats, star_formation: Floats, normal: Floats, parameters: "GalaxyParameters"
) -> Floats:
    """Return the stellar mass inside R500c: a power law of the total with lognormal scatter.

    Parameters
    ----------
    m500c_msun : ndarray, shape (n,)
    star_formation, normal : ndarray, shape (n,)
        Standard normal: the cause that gas and stars share, and that of the stars alone.
    parameters : GalaxyParameters

    Returns
    -------
    ndarray, shape (n,)
        Msun.
    """
    shared = parameters.stellar_star_formation
    offset = shared * star_formation + np.sqrt(1.0 - shared**2) * normal
    mean = parameters.stellar_fraction * parameters.pivot_msun
    power_law = mean * (m500c_msun / parameters.pivot_msun) ** parameters.stellar_slope
    return power_law * np.exp(parameters.stellar_scatter * offset)


def draw_satellites(count: int, parameters: "GalaxyParameters", rng: np.random.Generator) -> Floats:
    """Draw stellar masses from a Schechter function above the least mass that is seen.

    Parameters
    ----------
    count : int
    parameters : GalaxyParameters
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (count,)
        Msun.
    """
    least = parameters.satellite_min_msun / parameters.satellite_mass_msun
    x = np.geomspace(least, _MOST, _MASS_NODES)
    per_log = x ** (parameters.satellite_slope + 1.0) * np.exp(-x)
    below = np.concatenate([[0.0], np.cumsum(per_log[1:] + per_log[:-1])])
    return parameters.satellite_mass_msun * np.interp(rng.random(count) * below[-1], below, x)


def give_centrals(
    structures: Structures,
    host: NDArray[np.intp],
    inside: NDArray[np.bool_],
    mass_msun: Floats,
    parameters: "GalaxyParameters",
    rng: np.random.Generator,
) -> None:
    """Set the masses of central galaxies, which are the first of their host, in place.

    Those of other structures hold the least share of their stars. That of the main halo, with the
    light around it, holds what its satellites leave; these become lighter where they would leave
    less than the least share.

    Parameters
    ----------
    structures : Structures
    host : ndarray of int, shape (n,)
        Row of the structure of each galaxy, -1 for none; that of the first galaxy is 0.
    inside : ndarray of bool, shape (n,)
        Galaxies of the main halo and its substructures within R500c.
    mass_msun : ndarray, shape (n,)
        Of all galaxies; changed in place.
    parameters : GalaxyParameters
    rng : numpy.random.Generator
    """
    normal = np.zeros(len(structures))
    normal[0] = rng.standard_normal()
    stars = stellar_mass_msun(structures.m500c_msun, structures.star_formation, normal, parameters)
    rows, first = np.unique(host, return_index=True)
    central = rows > 0
    mass_msun[first[central]] = parameters.central_share * stars[rows[central]]

    satellites = inside.copy()
    satellites[0] = False
    most = (1.0 - parameters.central_share) * stars[0]
    held = mass_msun[satellites].sum()
    if held > most:
        mass_msun[satellites] *= most / held
    mass_msun[0] = stars[0] - mass_msun[satellites].sum()
