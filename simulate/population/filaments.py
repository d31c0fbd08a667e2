"""Bridges of warm gas between a halo and what surrounds it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icmass.config import Config
from icmass.config.base import NotNegative, Positive
from icmass.simulate.population.structure_list import Filaments

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo

__all__ = ["FilamentParameters", "connect"]

Floats = NDArray[np.float64]

_KPC3_PER_MPC3 = 1e9
# Critical density today in Msun per Mpc^3 over h^2.
_CRITICAL_MSUN_MPC3 = 2.77536627e11


class FilamentParameters(Config):
    """Number, size, density and temperature of filaments."""

    max_number: NotNegative
    """The most massive companions and near neighbours are connected, up to this many."""
    max_length_mpc: Positive
    """What lies further away than this is not connected."""
    radius_kpc: Positive
    overdensity: NotNegative
    """Median density of baryons over the cosmic mean."""
    overdensity_scatter: NotNegative
    """Of the natural logarithm."""
    kt_kev: Positive
    """Median."""
    kt_scatter: NotNegative
    baryon_density: Positive
    """Omega_b h^2."""


def connect(
    halo: "MainHalo",
    position_kpc: Floats,
    mass_msun: Floats,
    parameters: FilamentParameters,
    rng: np.random.Generator,
) -> Filaments:
    """Connect the main halo with its most massive companions and neighbours.

    Parameters
    ----------
    halo : MainHalo
    position_kpc : ndarray, shape (n, 3)
        Of the candidates.
    mass_msun : ndarray, shape (n,)
    parameters : FilamentParameters
    rng : numpy.random.Generator

    Returns
    -------
    Filaments
        From R500c of the halo to the middle of what they lead to.
    """
    distance = np.linalg.norm(position_kpc, axis=1)
    reachable = (distance > halo.r200c_kpc) & (distance < 1000.0 * parameters.max_length_mpc)
    order = np.argsort(-np.where(reachable, mass_msun, 0.0), kind="stable")
    chosen = order[: min(int(parameters.max_number), int(reachable.sum()))]
    end, length = position_kpc[chosen], distance[chosen]
    start = end * (halo.r500c_kpc / length)[:, None]
    scatter = rng.standard_normal((2, len(chosen)))
    mean_density = (
        parameters.baryon_density * _CRITICAL_MSUN_MPC3 * (1.0 + halo.redshift) ** 3
    ) / _KPC3_PER_MPC3
    density = (
        mean_density * parameters.overdensity * np.exp(parameters.overdensity_scatter * scatter[0])
    )
    volume = np.pi * parameters.radius_kpc**2 * (length - halo.r500c_kpc)
    return Filaments(
        start_kpc=start,
        end_kpc=end,
        radius_kpc=np.full(len(chosen), parameters.radius_kpc),
        gas_mass_msun=density * volume,
        kt_kev=parameters.kt_kev * np.exp(parameters.kt_scatter * scatter[1]),
    )
