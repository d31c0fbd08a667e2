"""Metals in gas too cool for the emulator: continuum and lines from a small coronal model.

Elements whose K shell radiates (carbon to nickel) are split among bare, hydrogen-like and
helium-like ions by collisional ionisation (Lotz 1967, ApJS 14, 207) against radiative recombination
(Seaton 1959, MNRAS 119, 81). Lines are excited by electrons with van Regemorter's (1962, ApJ 136,
906) rate, whose Gaunt factor was set to the emulator's lines where those are good (kT 1.5-3 keV).
Iron's L shell follows a tabulated mean charge. By itself the model holds to some tens of percent
(docs/plasma-table.md); the builder scales its lines to the true band integrals in 0.5-2 keV.

Emissivities are per n_e n_H at solar metallicity: photons s^-1 cm^3 (lines) and photons s^-1 cm^3
keV^-1 (continuum).
"""

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.special import exp1

from icmass.simulate.emission.abundances import ELEMENTS, abundances
from icmass.simulate.emission.free_free import RYDBERG_KEV, free_bound, free_free

__all__ = [
    "excitation_rate",
    "iron_shares",
    "k_shell_balance",
    "k_shell_lines",
    "metal_continuum",
    "metal_lines",
]

_LYMAN_STRENGTHS = (0.4162, 0.0791, 0.0290)  # hydrogen's 1s-2p, 1s-3p, 1s-4p
_HELIUM_LIKE_STRENGTH = 0.72  # 1s2-1s2p of O VII; 0.70-0.76 from C to Fe
_HELIUM_LIKE_BETA = 0.15
# Photons in the resonance, intercombination and forbidden lines per resonance excitation, and the
# shares of recombinations that end in them (two thirds of the captures lead to triplets).
_TRIPLET_EXCITED = (1.0, 0.15, 0.55)
_TRIPLET_RECOMBINED = (0.15, 0.15, 0.45)
_LYMAN_RECOMBINED = 0.4
# Effective charge seen by an electron captured into the shell of a helium-like or lithium-like ion.
_SCREENING_K, _SCREENING_L = 0.6, 1.7
_IRON, _NICKEL = 26, 28
_NEON_LIKE_TO_HELIUM_LIKE = 8
_CHARGE_SPREAD = 1.2  # rms spread of charges about the mean in equilibrium
_GAUNT_CHARGES = (1.0, 4.0, 8.0, 14.0, 20.0, 26.0)


def k_shell_balance(atomic_number: int, kt_kev: float) -> tuple[float, float, float]:
    """Shares of bare, hydrogen-like and helium-like ions in ionisation equilibrium.

    Of the element of `atomic_number` at the temperature `kt_kev`; together they are one, for ions
    with more electrons are left out.
    """
    z = float(atomic_number)
    hydrogen_kev = RYDBERG_KEV * z**2
    helium_kev = _shell(atomic_number)["helium_like_kev"]
    first = _recombination(z, kt_kev) / _ionisation(hydrogen_kev, 1, kt_kev)
    capture = 0.75 * _recombination(z - _SCREENING_K, kt_kev)  # half of the K shell is full
    second = first * capture / _ionisation(helium_kev, 2, kt_kev)
    total = 1.0 + first + second
    return 1.0 / total, first / total, second / total


def excitation_rate(energy_kev: float, strength: float, kt_kev: float) -> float:
    """Rate of collisional excitation in cm^3/s (van Regemorter 1962; Mewe's form, in eV).

    The Gaunt factor 0.2 [1 + 0.75 ln(1 + kT/E)] reproduces the hydrogen-like lines of the emulator
    at kT 1.5-5 keV within some 15%.

    Parameters
    ----------
    energy_kev : float
        Of the line.
    strength : float
        Oscillator strength.
    kt_kev : float
        Temperature of the electrons.

    Returns
    -------
    float
    """
    gaunt = 0.2 * (1.0 + 0.75 * np.log1p(kt_kev / energy_kev))
    rate = 1.58e-5 * strength * gaunt / (energy_kev * 1e3 * np.sqrt(kt_kev * 1e3))
    return float(rate * np.exp(-energy_kev / kt_kev))


def metal_lines(kt_kev: float) -> tuple[np.ndarray, np.ndarray]:
    """Lines of the elements that scale with metallicity, in gas of temperature `kt_kev`.

    Returns
    -------
    energy_kev : ndarray, shape (n_line,)
    emissivity : ndarray, shape (n_line,)
        Photons s^-1 cm^3 per n_e n_H at solar metallicity.
    """
    solar = abundances("ag89")
    lines: list[tuple[float, float]] = []
    for symbol in _data()["k_shell"]:
        if symbol != "Na":  # a trace element in APEC: it stays with the part without metals
            number = ELEMENTS.index(symbol) + 1
            lines += [(e, solar[number] * r) for e, r in k_shell_lines(number, kt_kev)]
    for charge, share in iron_shares(kt_kev).items():
        for energy, strength in _data()["iron_lines"][str(charge)]:
            rate = excitation_rate(energy, strength, kt_kev)
            lines.append((energy, solar[_IRON] * share * rate))
    table = np.array(lines)
    return table[:, 0], table[:, 1]


def iron_shares(kt_kev: float) -> dict[int, float]:
    """Shares of iron's ions with an open or just closed L shell, by charge (16 to 23).

    A Gaussian about the mean charge at `kt_kev`; together at most one.
    """
    charges = np.array([int(charge) for charge in _data()["iron_lines"]])
    shares = np.exp(-0.5 * ((charges - _iron_charge(kt_kev)) / _CHARGE_SPREAD) ** 2)
    shares /= max(shares.sum(), 1.0)
    return dict(zip(charges.tolist(), shares.tolist(), strict=True))


def k_shell_lines(atomic_number: int, kt_kev: float) -> list[tuple[float, float]]:
    """Energies [keV] and rates [cm^3/s per ion of the element] of its K-shell lines.

    Of the element of `atomic_number` at `kt_kev`: Lyman alpha to gamma, the helium-like triplet
    (resonance, intercombination, forbidden) and its beta line.
    """
    shell = _shell(atomic_number)
    z = float(atomic_number)
    bare, hydrogen, helium = k_shell_balance(atomic_number, kt_kev)
    lines = []
    for n, (energy, strength) in enumerate(zip(shell["lyman"], _LYMAN_STRENGTHS, strict=True)):
        rate = hydrogen * excitation_rate(energy, strength, kt_kev)
        if n == 0:
            rate += _LYMAN_RECOMBINED * bare * _recombination(z, kt_kev)
        lines.append((energy, rate))
    excited = helium * excitation_rate(shell["triplet"][0], _HELIUM_LIKE_STRENGTH, kt_kev)
    captured = hydrogen * _recombination(z - _SCREENING_K, kt_kev)
    shares = zip(shell["triplet"], _TRIPLET_EXCITED, _TRIPLET_RECOMBINED, strict=True)
    lines += [(energy, excited * up + captured * down) for energy, up, down in shares]
    rate = helium * excitation_rate(shell["beta"], _HELIUM_LIKE_BETA, kt_kev)
    lines.append((shell["beta"], rate))
    return lines


def metal_continuum(kt_kev: float, energy_kev: np.ndarray) -> np.ndarray:
    """Bremsstrahlung and recombination on metals at `kt_kev`, shape of `energy_kev`.

    In photons s^-1 cm^3 keV^-1 per n_e n_H at solar metallicity.
    """
    energy = np.asarray(energy_kev, np.float64)
    solar = abundances("ag89")
    charges = dict.fromkeys(_GAUNT_CHARGES, 0.0)
    total = np.zeros_like(energy)
    for symbol in _data()["k_shell"]:
        number = ELEMENTS.index(symbol) + 1
        for charge, share in _charges(number, kt_kev):
            _share_out(charges, charge, solar[number] * share * charge**2)
        total += solar[number] * _recombination_continuum(number, kt_kev, energy)
    for charge, weight in charges.items():
        total += weight / charge**2 * free_free(kt_kev, charge, energy)
    return total


def _charges(number: int, kt_kev: float) -> list[tuple[float, float]]:
    """Charges of an element's ions and their shares."""
    if number in {_IRON, _NICKEL}:
        return [(_mean_charge(number, kt_kev), 1.0)]
    return [(float(number - k), f) for k, f in enumerate(k_shell_balance(number, kt_kev))]


def _share_out(charges: dict[float, float], charge: float, weight: float) -> None:
    """Add a weight to the two charges beside, linearly: Gaunt factors vary slowly with charge."""
    grid = np.array(_GAUNT_CHARGES)
    low = int(np.clip(np.searchsorted(grid, charge) - 1, 0, grid.size - 2))
    share = (charge - grid[low]) / (grid[low + 1] - grid[low])
    charges[grid[low]] += weight * (1.0 - share)
    charges[grid[low + 1]] += weight * share


def _recombination_continuum(number: int, kt_kev: float, energy: np.ndarray) -> np.ndarray:
    """Free-bound emission per ion of one element."""
    z = float(number)
    bare, hydrogen, helium = k_shell_balance(number, kt_kev)
    threshold = _shell(number)["helium_like_kev"]
    on_bare = free_bound(kt_kev, energy, z)
    on_hydrogen = free_bound(kt_kev, energy, z - _SCREENING_K, vacancy=0.5, threshold_kev=threshold)
    total = bare * on_bare + hydrogen * on_hydrogen
    vacancy, charge = 1.0, z - _SCREENING_L
    if number in {_IRON, _NICKEL}:
        mean = _mean_charge(number, kt_kev)
        filled = (number - 2) - mean  # electrons in the L shell
        vacancy = float(np.clip(1.0 - filled / _NEON_LIKE_TO_HELIUM_LIKE, 0.0, 1.0))
        charge = min(charge, mean + 0.5)
    return total + helium * free_bound(kt_kev, energy, charge, first_shell=2, vacancy=vacancy)


def _recombination(charge: float, kt_kev: float) -> float:
    """Radiative recombination coefficient of a hydrogenic ion, cm^3/s (Seaton 1959)."""
    ratio = RYDBERG_KEV * charge**2 / kt_kev
    bracket = 0.43 + 0.5 * np.log(ratio) + 0.469 * ratio ** (-1.0 / 3.0)
    return float(5.2e-14 * charge * np.sqrt(ratio) * bracket)


def _ionisation(binding_kev: float, electrons: int, kt_kev: float) -> float:
    """Collisional ionisation coefficient of one shell, cm^3/s (Lotz 1967)."""
    scale = 3.0e-6 * electrons / (np.sqrt(kt_kev * 1e3) * binding_kev * 1e3)
    return float(scale * exp1(binding_kev / kt_kev))


def _iron_charge(kt_kev: float) -> float:
    iron = _data()["iron"]
    return float(np.interp(np.log(kt_kev), np.log(iron["kt_kev"]), iron["charge"]))


def _mean_charge(number: int, kt_kev: float) -> float:
    return min(_iron_charge(kt_kev) + (number - _IRON), number - 0.1)


def _shell(atomic_number: int) -> dict[str, Any]:
    return _data()["k_shell"][ELEMENTS[atomic_number - 1]]


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "data" / "cool_lines.toml").read_text())
