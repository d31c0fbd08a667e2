"""How many haloes of which mass and redshift there are on a square degree, on average.

Tinker et al. (2008) in the cosmology of the population, without the limits of mass and the soft
edge of its sample: the sky was not selected. Masses are M500c in Msun, densities comoving, no h.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.population.haloes import HaloParameters
from icmass.simulate.population.mass_function import tinker08

__all__ = [
    "MAX_MASS_MSUN",
    "CountGrid",
    "check_limits",
    "count_grid",
    "expected_per_deg2",
    "halo_density",
]

Floats = NDArray[np.float64]

MAX_MASS_MSUN = 10.0**15.8
"""Heavier haloes are not drawn: the whole sky holds less than one."""
_LEAST_MASS_MSUN = 1e12
_MAX_REDSHIFT = 3.0
_LOG_MASS_STEP = 0.01  # dex, over which the mass function changes by 12% at the heavy end
_REDSHIFT_STEP = 0.005
_DEG2 = (np.pi / 180.0) ** 2  # sr


def halo_density(
    parameters: HaloParameters, log10_mass_msun: Floats, redshift: float
) -> NDArray[np.float64]:
    """Number density of haloes, Tinker et al. (2008, ApJ 688, 709).

    Parameters
    ----------
    parameters : HaloParameters
        Of which the cosmology is used.
    log10_mass_msun : ndarray, shape (n,)
        log10 of M500c in Msun.
    redshift : float

    Returns
    -------
    ndarray, shape (n,)
        dn/dlnM per comoving Mpc^3.
    """
    mass_msun_h = 10.0 ** np.asarray(log10_mass_msun, dtype=np.float64) * parameters.h
    return tinker08(parameters, mass_msun_h, redshift) * parameters.h**3


@dataclass(frozen=True)
class CountGrid:
    """Expected haloes per square degree in bins of redshift and mass.

    Attributes
    ----------
    redshift_edges : ndarray, shape (n + 1,)
    log10_mass_edges : ndarray, shape (m + 1,)
        Of M500c in Msun.
    per_deg2 : ndarray, shape (n, m)
    """

    redshift_edges: Floats
    log10_mass_edges: Floats
    per_deg2: Floats

    @property
    def redshift(self) -> Floats:
        """Middles of the bins of redshift, shape (n,)."""
        return 0.5 * (self.redshift_edges[1:] + self.redshift_edges[:-1])

    @property
    def log10_mass(self) -> Floats:
        """Middles of the bins of mass, shape (m,)."""
        return 0.5 * (self.log10_mass_edges[1:] + self.log10_mass_edges[:-1])


def count_grid(
    parameters: HaloParameters, min_mass_msun: float, redshift_range: tuple[float, float]
) -> CountGrid:
    """Count haloes in bins of at most 0.005 in redshift and 0.01 dex in mass.

    The bins of redshift end at multiples of 0.005, but for the first and last. The density in the
    middle of a bin stands for all of it, which is right to 1e-3.

    Parameters
    ----------
    parameters : HaloParameters
        Of which the cosmology is used.
    min_mass_msun : float
        Least M500c.
    redshift_range : (float, float)
        Least and greatest redshift.

    Returns
    -------
    CountGrid

    Raises
    ------
    InputError
        If the least mass or the redshifts cannot be used, see `check_limits`.
    """
    least, greatest = check_limits(min_mass_msun, redshift_range)
    first = int(np.floor(least / _REDSHIFT_STEP + 1e-9)) + 1
    last = int(np.ceil(greatest / _REDSHIFT_STEP - 1e-9)) - 1
    inner = np.arange(first, last + 1) * _REDSHIFT_STEP
    edges = np.concatenate([[least], inner, [greatest]])
    low, high = np.log10(min_mass_msun), np.log10(MAX_MASS_MSUN)
    bins = int(np.ceil((high - low) / _LOG_MASS_STEP - 1e-9))
    mass_edges = np.linspace(low, high, bins + 1)
    middle = 0.5 * (mass_edges[1:] + mass_edges[:-1])
    density = np.stack(
        [halo_density(parameters, middle, float(z)) for z in 0.5 * (edges[1:] + edges[:-1])]
    )
    volume = parameters.cosmology().comoving_volume(edges).to_value("Mpc3")
    per_deg2 = np.diff(volume) / (4.0 * np.pi) * _DEG2
    ln_step = np.diff(mass_edges) * np.log(10.0)
    return CountGrid(edges, mass_edges, density * ln_step * per_deg2[:, None])


def expected_per_deg2(
    parameters: HaloParameters, min_mass_msun: float, redshift_range: tuple[float, float]
) -> float:
    """Return how many haloes above a mass a square degree holds on average.

    Parameters
    ----------
    parameters : HaloParameters
    min_mass_msun : float
        Least M500c.
    redshift_range : (float, float)

    Raises
    ------
    InputError
        See `check_limits`.
    """
    return float(count_grid(parameters, min_mass_msun, redshift_range).per_deg2.sum())


def check_limits(min_mass_msun: float, redshift_range: tuple[float, float]) -> tuple[float, float]:
    """Return least and greatest redshift of `redshift_range`, or refuse limits.

    Raises
    ------
    InputError
        If they do not ascend within 0 to 3, or `min_mass_msun` lies outside 1e12 Msun to
        `MAX_MASS_MSUN`.
    """
    if not _LEAST_MASS_MSUN <= min_mass_msun < MAX_MASS_MSUN:
        raise InputError(
            f"min_mass_msun: must lie between {_LEAST_MASS_MSUN:.3g} and {MAX_MASS_MSUN:.3g} Msun; "
            f"got {min_mass_msun:g}. Give M500c in Msun, for instance 2e13."
        )
    if len(redshift_range) != 2 or not 0 < redshift_range[0] < redshift_range[1] <= _MAX_REDSHIFT:
        shown = ", ".join(f"{z:g}" for z in redshift_range)
        raise InputError(
            f"redshift_range: must be two ascending numbers above 0 and up to {_MAX_REDSHIFT:g}; "
            f"got {shown}. Give for instance 0.05, 1.2."
        )
    return float(redshift_range[0]), float(redshift_range[1])
