"""Spectra of hot plasma as an observer receives them, in XSPEC's normalisation."""

import math
from pathlib import Path

import numpy as np

from icmass.errors import InputError
from icmass.simulate.emission.absorption import CrossSection, bin_transmission
from icmass.simulate.emission.table import SpectralTable, resolve_table

__all__ = ["XSPEC_NORM_CM5", "cie_spectrum"]

# Emission measure over 4 pi D_M^2 [cm^-5] of one unit of XSPEC's norm, which is
# 1e-14 / (4 pi [D_A (1 + z)]^2) * int n_e n_H dV.
XSPEC_NORM_CM5 = 1e14


def cie_spectrum(
    edges_kev: np.ndarray,
    kt_kev: float,
    metallicity: float,
    *,
    redshift: float = 0.0,
    norm: float = 1.0,
    nh: float = 0.0,
    table: SpectralTable | str | Path | None = None,
    cross_section: CrossSection | None = None,
) -> np.ndarray:
    """Photon flux per bin of plasma in collisional ionisation equilibrium.

    The flux is f(E) = norm 1e14 eps(E (1 + z)), with eps the emissivity of the table in photons
    s^-1 cm^3 keV^-1 and norm = 1e-14 / (4 pi [D_A (1 + z)]^2) int n_e n_H dV, which is XSPEC's
    convention: every power of (1 + z) but that in the energy is in the norm.

    Parameters
    ----------
    edges_kev : ndarray, shape (n + 1,)
        Bin edges in observed energy, keV, positive and ascending.
    kt_kev : float
        Temperature in keV; outside the table it is clamped, with a warning.
    metallicity : float
        Solar units of the table's abundance set, not negative.
    redshift : float
        Redshift of the source.
    norm : float
        XSPEC's norm in cm^-5.
    nh : float
        Galactic hydrogen column in cm^-2.
    table : SpectralTable or path, optional
        Used instead of the shipped table.
    cross_section : CrossSection, optional
        Used instead of Morrison & McCammon (1983).

    Returns
    -------
    ndarray, shape (n,)
        Photons s^-1 cm^-2 per bin.

    Raises
    ------
    InputError
        If a value is negative or not finite, or the edges do not ascend.
    """
    if not (math.isfinite(norm) and norm >= 0):
        raise InputError(f"norm: must be finite and not negative; got {norm}.")
    received = resolve_table(table).spectrum(edges_kev, kt_kev, metallicity, redshift)
    return norm * XSPEC_NORM_CM5 * received * bin_transmission(edges_kev, nh, cross_section)
