"""Bremsstrahlung and recombination of hot plasma from theory, for building and testing tables.

Free-free: the Bethe-Heitler cross section differential in photon energy (Koch & Motz 1959, Rev.
Mod. Phys. 31, 920, formula 3BN) with Elwert's (1939, Ann. Phys. 426, 178) Coulomb factor, averaged
over a relativistic Maxwellian. Electron-electron bremsstrahlung is left out, as in APEC's tables.
Recombination: hydrogenic shells with Kramers' cross section, their Gaunt factor that of the ground
state (Stobbe 1930), which the other shells share at energies well above their threshold.

Emissivities are in photons s^-1 cm^3 keV^-1 for one electron and one ion per cm^3.
"""

from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import kve

from icmass.simulate.constants import BOLTZMANN_KEV_PER_K, ERG_PER_KEV, LIGHT_SPEED_KMS

__all__ = ["RYDBERG_KEV", "free_bound", "free_free", "gaunt_factor", "kramers"]

RYDBERG_KEV = 0.013605693  # CODATA 2018
_ELECTRON_KEV = 510.99895
_ELECTRON_RADIUS_CM = 2.8179403262e-13
_FINE_STRUCTURE = 1.0 / 137.035999
_PLANCK_KEV_S = 4.135667696e-18
# Kramers' emissivity, erg s^-1 cm^3 Hz^-1 K^1/2 (Rybicki & Lightman 1979, eq. 5.14b).
_KRAMERS = 6.8422e-38
# Electron energies beyond the photon's, in sqrt of kT: exp(-36) is nothing; 80 nodes give 1e-6.
_MAX_SQRT_EXCESS = 6.0
_ENERGY_NODES = 80
_SHELLS_ABOVE_FIRST = 12
_GAUNT_NODES = 100


def free_free(kt_kev: float, charge: float, energy_kev: np.ndarray) -> np.ndarray:
    """Bremsstrahlung of electrons on ions of one charge.

    On many energies the Gaunt factor is interpolated in ln E, to 1e-5.

    Parameters
    ----------
    kt_kev : float
        Temperature of the electrons.
    charge : float
        Of the ions, in units of the elementary charge; it need not be whole.
    energy_kev : ndarray, shape (n,)
        Of the photons.

    Returns
    -------
    ndarray, shape (n,)
        Photons s^-1 cm^3 keV^-1 for one electron and one ion per cm^3.
    """
    energy = np.asarray(energy_kev, np.float64)
    if energy.size <= _GAUNT_NODES:
        gaunt = gaunt_factor(kt_kev, charge, energy)
    else:
        coarse = np.geomspace(energy.min(), energy.max(), _GAUNT_NODES)
        log_gaunt = np.log(gaunt_factor(kt_kev, charge, coarse))
        gaunt = np.exp(CubicSpline(np.log(coarse), log_gaunt)(np.log(energy)))
    return charge**2 * gaunt * kramers(kt_kev, energy)


def gaunt_factor(kt_kev: float, charge: float, energy_kev: np.ndarray) -> np.ndarray:
    """Ratio of the bremsstrahlung to Kramers' non-relativistic law: of order one, and smooth.

    Parameters
    ----------
    kt_kev, charge, energy_kev
        As for `free_free`.

    Returns
    -------
    ndarray, shape (n,)
    """
    energy = np.asarray(energy_kev, np.float64)
    theta = kt_kev / _ELECTRON_KEV
    photon = energy[:, None] / _ELECTRON_KEV
    points, weights = _quadrature()
    root = 0.5 * _MAX_SQRT_EXCESS * (points + 1.0)  # sqrt of (electron - photon energy) / kT
    kinetic = photon + theta * root**2  # of the electron before, in m_e c^2
    # Maxwell-Juettner times velocity, but for exp(-E/kT): p^2 exp(-root^2) / (theta K2)
    flux = kinetic * (kinetic + 2.0) * np.exp(-(root**2)) / (theta * kve(2, 1.0 / theta))
    measure = 0.5 * _MAX_SQRT_EXCESS * weights * 2.0 * root * theta
    section = _bethe_heitler(charge, 1.0 + kinetic, photon)
    rate = LIGHT_SPEED_KMS * 1e5 * (flux * section * measure).sum(axis=1) / _ELECTRON_KEV
    return rate / (charge**2 * _kramers_factor(kt_kev, energy))


def kramers(kt_kev: float, energy_kev: np.ndarray) -> np.ndarray:
    """Kramers' free-free emissivity for charge one, without a Gaunt factor.

    At the temperature `kt_kev`, in photons s^-1 cm^3 keV^-1 and the shape of `energy_kev`
    (Rybicki & Lightman 1979, eq. 5.14b).
    """
    energy = np.asarray(energy_kev, np.float64)
    return _kramers_factor(kt_kev, energy) * np.exp(-energy / kt_kev)


def _kramers_factor(kt_kev: float, energy_kev: np.ndarray) -> np.ndarray:
    per_hz = _KRAMERS / np.sqrt(kt_kev / BOLTZMANN_KEV_PER_K)
    return per_hz / _PLANCK_KEV_S / (energy_kev * ERG_PER_KEV)


def free_bound(
    kt_kev: float,
    energy_kev: np.ndarray,
    charge: float,
    *,
    first_shell: int = 1,
    vacancy: float = 1.0,
    threshold_kev: float | None = None,
) -> np.ndarray:
    """Radiative recombination onto the shells of a hydrogen-like ion.

    Parameters
    ----------
    kt_kev : float
        Temperature of the electrons.
    energy_kev : ndarray, shape (n,)
        Of the photons.
    charge : float
        Charge that the captured electron sees; it need not be whole.
    first_shell : int
        Lowest shell with room.
    vacancy : float
        Share of places free in that shell.
    threshold_kev : float, optional
        Ionisation energy of that shell, where it differs from the hydrogenic one.

    Returns
    -------
    ndarray, shape (n,)
        Photons s^-1 cm^3 keV^-1 for one electron and one ion per cm^3.
    """
    energy = np.asarray(energy_kev, np.float64)
    ground = charge**2 * RYDBERG_KEV
    gaunt = _ground_gaunt(energy, ground)
    total = np.zeros_like(energy)
    for shell in range(first_shell, first_shell + _SHELLS_ABOVE_FIRST):
        first = shell == first_shell
        binding = threshold_kev if first and threshold_kev is not None else ground / shell**2
        room = vacancy if first else 1.0
        kramers_ratio = 2.0 * binding / (kt_kev * shell) * np.exp(binding / kt_kev)
        total += room * kramers_ratio * np.where(energy > binding, gaunt, 0.0)
    return charge**2 * total * kramers(kt_kev, energy)


def _ground_gaunt(energy_kev: np.ndarray, binding_kev: float) -> np.ndarray:
    """Bound-free Gaunt factor of a hydrogenic ground state (Stobbe 1930); 1 below its threshold."""
    above = energy_kev > binding_kev
    excess = np.where(above, energy_kev - binding_kev, binding_kev)
    eta = np.sqrt(binding_kev / excess)
    gaunt = 8.0 * np.pi * np.sqrt(3.0) * binding_kev / energy_kev
    gaunt = gaunt * np.exp(-4.0 * eta * np.arctan(1.0 / eta)) / -np.expm1(-2.0 * np.pi * eta)
    return np.where(above, gaunt, 1.0)


def _bethe_heitler(charge: float, before: np.ndarray, photon: np.ndarray) -> np.ndarray:
    """Cross section in cm^2 per m_e c^2 of photon energy; total energies in m_e c^2."""
    after = before - photon
    p_in, p_out = np.sqrt(before**2 - 1.0), np.sqrt(after**2 - 1.0)
    log_in, log_out = 2.0 * np.log(before + p_in), 2.0 * np.log(after + p_out)
    both = before * after
    pp = p_in * p_out
    log_both = 2.0 * np.log((both + pp - 1.0) / photon)
    bracket = (
        4.0 / 3.0
        - 2.0 * both * (p_in**2 + p_out**2) / pp**2
        + log_in * after / p_in**3
        + log_out * before / p_out**3
        - log_in * log_out / pp
    )
    inner = (
        (both + p_in**2) / p_in**3 * log_in
        - (both + p_out**2) / p_out**3 * log_out
        + 2.0 * photon * both / pp**2
    )
    bracket += log_both * (
        8.0 * both / (3.0 * pp)
        + photon**2 * (both**2 + pp**2) / pp**3
        + photon / (2.0 * pp) * inner
    )
    born = charge**2 * _ELECTRON_RADIUS_CM**2 * _FINE_STRUCTURE / photon * p_out / p_in * bracket
    coupling = 2.0 * np.pi * charge * _FINE_STRUCTURE
    x_in, x_out = coupling * before / p_in, coupling * after / p_out
    elwert = (x_out / x_in) * np.expm1(-x_in) / np.expm1(-x_out)
    return born * elwert


@lru_cache(maxsize=1)
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of Gauss-Legendre quadrature on -1 to 1."""
    points, weights = np.polynomial.legendre.leggauss(_ENERGY_NODES)
    return points, weights
