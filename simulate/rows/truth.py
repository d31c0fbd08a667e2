"""What is true of a cluster, measured on its gas and galaxies inside R500c: the ideal proxies."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.constants import HYDROGEN_FRACTION, MSUN_G, PROTON_MASS_G
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.gas import Gas, Halo
from icmass.simulate.products.scalars import (
    CORE_IN_R500C,
    SOFT_KEV,
    SPECTROSCOPIC_EXPONENT,
    SPECTROSCOPIC_FLOOR_KEV,
)
from icmass.simulate.rows.truth_kernels import SUMS, sphere_sums
from icmass.simulate.scene import SceneGalaxies

__all__ = ["galaxy_truth", "gas_truth"]

Floats = NDArray[np.float64]

# The central density is that of a shell about 0.02 R500c, of a factor 1.28 to either side.
_CENTRE_IN_R500C = 0.02
_SHELL_FACTOR = math.exp(0.25)
_FEWEST_IN_SHELL = 4
_HYDROGEN_PER_MSUN = HYDROGEN_FRACTION * MSUN_G / PROTON_MASS_G


def gas_truth(gas: Gas, halo: Halo, table: SpectralTable) -> dict[str, float]:
    """Measure the ideal quantities of gas inside R500c.

    Parameters
    ----------
    gas : Gas
        Positions about the centre of the halo.
    halo : Halo
        With R500c.
    table : SpectralTable
        Gives the luminosities; temperatures beyond it are clamped to its ends.

    Returns
    -------
    dict
        Columns of the catalog; NaN where there is no gas to measure on. The central density is the
        volume-weighted mean over the particles of a shell about 0.02 R500c, not known where it
        holds fewer than 4.
    """
    r500c_kpc = halo.r500c_kpc
    centre = _CENTRE_IN_R500C * r500c_kpc
    bolometric, soft = _luminosities(table)
    values = np.zeros(len(SUMS))
    sphere_sums(
        (
            gas.position_kpc,
            gas.kt_kev,
            gas.metallicity_solar,
            gas.emission_measure_cm3,
            gas.mass_msun,
        ),
        r500c_kpc,
        CORE_IN_R500C * r500c_kpc,
        (centre / _SHELL_FACTOR, centre * _SHELL_FACTOR),
        SPECTROSCOPIC_FLOOR_KEV,
        SPECTROSCOPIC_EXPONENT,
        np.log(table.kt_kev),
        bolometric,
        soft,
        values,
    )
    total = dict(zip(SUMS, values.tolist(), strict=True))
    mass = total["mass"]
    kt_outer = _ratio(total["outer_spectroscopic_kt"], total["outer_spectroscopic"])
    offset = math.hypot(*(total[f"mass_{axis}"] for axis in "xyz"))
    known = total["shell_count"] >= _FEWEST_IN_SHELL
    density = _ratio(total["shell_mass"], _HYDROGEN_PER_MSUN * total["shell_mass2_per_measure"])
    return {
        "lx_bolometric_erg_s": total["bolometric"],
        "lx_0520_erg_s": total["soft"],
        "kt_mass_weighted_kev": _ratio(total["mass_kt"], mass),
        "kt_spectroscopic_like_kev": _ratio(total["spectroscopic_kt"], total["spectroscopic"]),
        "kt_core_excised_kev": kt_outer,
        "metallicity_solar": _ratio(total["soft_metallicity"], total["soft"]),
        "gas_mass_msun": mass,
        "yx_msun_kev": mass * kt_outer,
        "central_density_cm3": density if known else math.nan,
        "centre_offset_r500c": _ratio(offset, mass * r500c_kpc),
    }


def galaxy_truth(galaxies: SceneGalaxies, halo: Halo) -> dict[str, float]:
    """Measure stars inside R500c and the velocity dispersion of the true members.

    Parameters
    ----------
    galaxies : SceneGalaxies
        Positions about the centre of the halo.
    halo : Halo
        With R500c.

    Returns
    -------
    dict
        Columns of the catalog; the dispersion is NaN with fewer than 2 members.
    """
    squared = np.einsum("ij,ij->i", galaxies.position_kpc, galaxies.position_kpc)
    inside = galaxies.member & (squared < halo.r500c_kpc**2)
    velocity = galaxies.v_los_km_s[galaxies.member]
    sigma = float(np.std(velocity, ddof=1)) if len(velocity) > 1 else math.nan
    return {
        "stellar_mass_msun": float(galaxies.stellar_mass_msun[inside].sum()),
        "sigma_v_true_km_s": sigma,
    }


@lru_cache(maxsize=4)
def _luminosities(table: SpectralTable) -> tuple[Floats, Floats]:
    """Bolometric and soft luminosity at the nodes of a table, in its two parts, (n_kt, 2) each."""

    def parts(*band: float) -> Floats:
        base = table.luminosity(table.kt_kev, np.zeros(1), *band)
        whole = table.luminosity(table.kt_kev, np.ones(1), *band)
        return np.ascontiguousarray(np.stack([base, whole - base], axis=1))

    return parts(), parts(*SOFT_KEV)


def _ratio(value: float, weight: float) -> float:
    return value / weight if weight > 0.0 else math.nan
