"""From the fields of a simulation to what a plasma emits: kT and emission measure.

n_H = X rho / m_p, with X the mass fraction of hydrogen; n_e = x_e n_H, with x_e from the snapshot
or of a fully ionised plasma; the emission measure is n_e n_H V with V = m / rho. Hydrogen here is
all hydrogen: a factor of 2, or protons in place of hydrogen, are known errors of other codes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.constants import (
    BOLTZMANN_KEV_PER_K,
    CM_PER_KPC,
    ERG_PER_KEV,
    MSUN_G,
    PROTON_MASS_G,
    SOLAR_METALS_PER_HYDROGEN,
)

__all__ = [
    "CELL_NEIGHBOURS",
    "GAMMA",
    "SPH_NEIGHBOURS",
    "electron_density",
    "emission_measure",
    "ionised_electron_abundance",
    "kt_from_internal_energy",
    "kt_from_temperature",
    "mean_molecular_weight",
    "metal_fraction",
    "metallicity_solar",
    "support_from_volume",
]

GAMMA = 5 / 3
SPH_NEIGHBOURS = 64.0  # Gadget's default DesNumNgb with the cubic spline
CELL_NEIGHBOURS = 8.0  # the kernel ends at twice the radius of a cell
CM2_S2_PER_KM2_S2 = 1e10

Array = NDArray[Any]


def ionised_electron_abundance(hydrogen_fraction: Array | float) -> Any:
    """Return n_e / n_H of a fully ionised plasma, (1 + X) / (2 X): 1.158 for X = 0.76.

    Helium and metals give one electron for two nucleons. `hydrogen_fraction`, X, is a mass fraction
    of any shape, which the result has too.
    """
    return (1 + hydrogen_fraction) / (2 * hydrogen_fraction)


def mean_molecular_weight(
    hydrogen_fraction: Array | float, electron_abundance: Array | float
) -> Any:
    """Return mu = 4 / (1 + 3 X + 4 X x_e), without metals, as the hydro codes do.

    `hydrogen_fraction`, X, and `electron_abundance`, x_e = n_e / n_H, may have any shape in common.
    """
    return 4 / (1 + 3 * hydrogen_fraction + 4 * hydrogen_fraction * electron_abundance)


def kt_from_internal_energy(energy_km2_s2: Array, molecular_weight: Array | float) -> Any:
    """Return kT [keV] = (gamma - 1) mu m_p u, of the shape of `energy_km2_s2`.

    That is u, per unit mass, in (km/s)^2; `molecular_weight` is mu; gamma is 5/3.
    """
    kev = (GAMMA - 1) * PROTON_MASS_G * CM2_S2_PER_KM2_S2 / ERG_PER_KEV
    return kev * molecular_weight * np.asarray(energy_km2_s2, dtype=np.float64)


def kt_from_temperature(temperature_k: Array) -> Any:
    """Return kT [keV] of `temperature_k` [K], in its shape."""
    return BOLTZMANN_KEV_PER_K * np.asarray(temperature_k, dtype=np.float64)


def metallicity_solar(metal_fraction: Array, hydrogen_fraction: Array | float) -> Any:
    """Return metals relative to solar, (Z / X) / (Z / X)_sun, in the shape of `metal_fraction`.

    Z is `metal_fraction`, X `hydrogen_fraction`, both of the mass. Plasma codes count metals per
    hydrogen atom; Z / Z_sun would be 8% more in gas of X = 0.76.
    """
    return metal_fraction / (SOLAR_METALS_PER_HYDROGEN * hydrogen_fraction)


def metal_fraction(metallicity_solar: Array, hydrogen_fraction: Array | float) -> Any:
    """Return the mass fraction of metals; the inverse of `metallicity_solar`, of the same shape.

    `hydrogen_fraction` is the mass fraction of hydrogen.
    """
    return metallicity_solar * SOLAR_METALS_PER_HYDROGEN * hydrogen_fraction


def electron_density(
    density_msun_kpc3: Array, hydrogen_fraction: Array | float, electron_abundance: Array | float
) -> Any:
    """Return n_e [cm^-3] = x_e X rho / m_p.

    Parameters
    ----------
    density_msun_kpc3 : ndarray, shape (n,)
        Gas density rho, physical.
    hydrogen_fraction : float or ndarray, shape (n,)
        Mass fraction X.
    electron_abundance : float or ndarray, shape (n,)
        x_e = n_e / n_H.

    Returns
    -------
    ndarray, shape (n,)
    """
    per_cm3 = MSUN_G / CM_PER_KPC**3 / PROTON_MASS_G
    return per_cm3 * electron_abundance * hydrogen_fraction * density_msun_kpc3


def emission_measure(
    mass_msun: Array,
    density_msun_kpc3: Array,
    hydrogen_fraction: Array | float,
    electron_abundance: Array | float,
) -> Any:
    """Return n_e n_H V [cm^-3] = x_e (X / m_p)^2 rho m.

    Parameters
    ----------
    mass_msun : ndarray, shape (n,)
        Gas mass m.
    density_msun_kpc3, hydrogen_fraction, electron_abundance
        As for `electron_density`.

    Returns
    -------
    ndarray, shape (n,)
    """
    hydrogen = np.asarray(hydrogen_fraction * mass_msun, np.float64) * (MSUN_G / PROTON_MASS_G)
    return hydrogen * electron_density(density_msun_kpc3, hydrogen_fraction, electron_abundance)


def support_from_volume(mass_msun: Array, density_msun_kpc3: Array, neighbours: float) -> Any:
    """Return the radius H [kpc] of a kernel that holds a number of neighbours' volumes.

    4 pi / 3 H^3 rho = N m, by which Gadget sets its smoothing length (Springel & Hernquist 2002,
    MNRAS 333, 649).

    Parameters
    ----------
    mass_msun, density_msun_kpc3 : ndarray, shape (n,)
        Of the particles, physical.
    neighbours : float
        N: such as `SPH_NEIGHBOURS` or `CELL_NEIGHBOURS`.

    Returns
    -------
    ndarray, shape (n,)
    """
    return np.cbrt(3 * neighbours * mass_msun / (4 * np.pi * density_msun_kpc3))
