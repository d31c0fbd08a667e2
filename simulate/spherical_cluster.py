"""A spherical cluster of gas particles, for when no snapshot is at hand.

Density of the form of Vikhlinin et al. (2006, ApJ 640, 691) with the gas mass and the temperature
of the SPT clusters observed with XMM by Bulbul et al. (2019, ApJ 871, 50), a cool core, metals
rising inwards (Migkas et al. 2024) and turbulent velocities. It is smooth and round; real clusters
are neither.
"""

import math
from typing import Any

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.constants import (
    CM_PER_KPC,
    ELECTRONS_PER_HYDROGEN,
    ERG_PER_KEV,
    HYDROGEN_FRACTION,
    MSUN_G,
    PROTON_MASS_G,
)
from icmass.simulate.gas import Census, Gas, GasInfo, Halo
from icmass.simulate.rng import stream

__all__ = ["default_cluster"]

Floats = NDArray[np.float64]

# Planck Collaboration (2016, A&A 594, A13), TT,TE,EE+lowP+lensing+ext.
_H0, _OMEGA_M = 67.74, 0.3089

# Bulbul et al. (2019): M_gas = 9.1e13 (M/6.35e14)^1.28 Msun, kT = 6.0 keV (M/6.35e14)^0.84 E^(2/3).
_PIVOT_MSUN, _GAS_MASS, _GAS_SLOPE, _KT, _KT_SLOPE = 6.35e14, 9.1e13, 1.28, 6.0, 0.84

# Shape in units of R500c: a typical cool core (alpha, r_c, beta, r_s, epsilon of Vikhlinin+06).
_ALPHA, _CORE, _BETA, _STEEPENING, _EPSILON = 0.9, 0.12, 0.62, 0.9, 2.5
_OUTER_R500 = 3.0

# One-dimensional turbulent velocity over the sound speed, typical of simulated clusters.
_MACH_1D = 0.2
_MEAN_WEIGHT = 0.59
_NEIGHBOURS = 48
_MOST_PARTICLES = 100_000_000
_GREATEST_REDSHIFT = 20.0


def default_cluster(
    n_particles: int = 200_000, *, m500c_msun: float = 6e14, redshift: float = 0.1, seed: int = 1
) -> Gas:
    """Make a spherical cluster of equal-mass gas particles out to 3 R500c.

    Parameters
    ----------
    n_particles : int
        Number of gas particles, 1 to 1e8.
    m500c_msun : float
        Mass inside R500c, 1e13 to 5e15 solar masses.
    redshift : float
        Sets the critical density and the temperature; 0 to 20.
    seed : int
        Of positions and velocities.

    Returns
    -------
    Gas

    Raises
    ------
    InputError
        If an argument is outside its range.
    """
    if not isinstance(n_particles, int | np.integer):
        raise InputError(f"n_particles: must be a whole number; got {n_particles!r}.")
    _require_range(n_particles, 1, _MOST_PARTICLES, "n_particles", "")
    _require_range(m500c_msun, 1e13, 5e15, "m500c_msun", " Msun")
    _require_range(redshift, 0.0, _GREATEST_REDSHIFT, "redshift", "")
    cosmology = FlatLambdaCDM(_H0, _OMEGA_M)
    r500c_kpc = _overdensity_radius(m500c_msun, 500.0, redshift, cosmology)
    gas_mass = _GAS_MASS * (m500c_msun / _PIVOT_MSUN) ** _GAS_SLOPE
    kt_500 = _KT * (m500c_msun / _PIVOT_MSUN) ** _KT_SLOPE * cosmology.efunc(redshift) ** (2 / 3)

    grid = np.geomspace(1e-4, _OUTER_R500, 4000)
    enclosed = _enclosed_mass(grid)
    unit_mass = gas_mass / np.interp(1.0, grid, enclosed)
    rng = np.random.default_rng(stream(seed, "default_cluster"))
    share = (np.arange(n_particles) + rng.random(n_particles)) / n_particles
    x = np.interp(share * enclosed[-1], enclosed, grid)
    direction = rng.normal(size=(n_particles, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)

    mass = np.full(n_particles, unit_mass * enclosed[-1] / n_particles)
    density = unit_mass * _density_shape(x) / r500c_kpc**3  # Msun / kpc^3
    kt = kt_500 * _temperature_shape(x)
    hydrogen = HYDROGEN_FRACTION * density * MSUN_G / CM_PER_KPC**3 / PROTON_MASS_G  # cm^-3
    volume = mass / density * CM_PER_KPC**3  # cm^3
    halo = Halo(
        center_kpc=(0.0, 0.0, 0.0),
        velocity_kms=(0.0, 0.0, 0.0),
        m500c_msun=m500c_msun,
        r500c_kpc=r500c_kpc,
        m200c_msun=math.nan,
        r200c_kpc=math.nan,
        total_mass=True,
    )
    return Gas(
        position_kpc=r500c_kpc * x[:, None] * direction,
        velocity_kms=rng.normal(size=(n_particles, 3)) * (_MACH_1D * _sound_speed_kms(kt))[:, None],
        kt_kev=kt,
        metallicity_solar=0.3 * (1.0 + 0.7 * np.exp(-x / 0.12)),
        emission_measure_cm3=ELECTRONS_PER_HYDROGEN * hydrogen**2 * volume,
        mass_msun=mass,
        smoothing_kpc=np.cbrt(3.0 * _NEIGHBOURS * mass / (4.0 * np.pi * density)),
        info=GasInfo(
            source="default cluster",
            code="icmass",
            cosmology=cosmology,
            redshift=redshift,
            halo=halo,
            census=Census((("made", n_particles),)),
        ),
    )


def _require_range(value: Any, lowest: float, highest: float, name: str, unit: str) -> None:
    """Raise InputError if a value is no number, or outside its range."""
    if not isinstance(value, int | float | np.number) or not lowest <= value <= highest:
        raise InputError(
            f"{name}: must be a number from {lowest:g} to {highest:g}{unit}; got {value!r}."
        )


def _overdensity_radius(
    mass_msun: float, overdensity: float, redshift: float, cosmology: FlatLambdaCDM
) -> float:
    """Radius in kpc inside which the mean density is a multiple of the critical one."""
    critical = cosmology.critical_density(redshift).to_value("Msun / kpc3")
    return float(np.cbrt(3.0 * mass_msun / (4.0 * np.pi * overdensity * critical)))


def _density_shape(x: Floats) -> Floats:
    """Gas density at radius x (in R500c), any unit: the root of the n_p n_e form."""
    emission = (
        (x / _CORE) ** -_ALPHA
        * (1.0 + (x / _CORE) ** 2) ** -(3.0 * _BETA - _ALPHA / 2.0)
        * (1.0 + (x / _STEEPENING) ** 3) ** (-_EPSILON / 3.0)
    )
    return np.sqrt(emission)


def _enclosed_mass(x: Floats) -> Floats:
    """Integral of the density shape inside each radius of an ascending grid."""
    integrand = 4.0 * np.pi * x**3 * _density_shape(x)
    steps = 0.5 * (integrand[1:] + integrand[:-1]) * np.diff(np.log(x))
    return np.concatenate([[0.0], np.cumsum(steps)])


def _temperature_shape(x: Floats) -> Floats:
    """Temperature at radius x over that of the cluster: a cool core, falling outwards."""
    core = (0.45 + (x / 0.08) ** 2) / (1.0 + (x / 0.08) ** 2)
    return 1.25 * core * (1.0 + (x / 0.6) ** 2) ** -0.35


def _sound_speed_kms(kt_kev: Floats) -> Floats:
    """Sound speed of a monatomic gas of mean weight 0.59."""
    speed_cms = np.sqrt(5.0 / 3.0 * kt_kev * ERG_PER_KEV / (_MEAN_WEIGHT * PROTON_MASS_G))
    return speed_cms / 1e5
