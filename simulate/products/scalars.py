"""The numbers of a cluster and of its observation: luminosities, temperatures, masses, photons.

Everything here is plain Python (float, int, None), so that JSON can hold it; None stands where a
number cannot be had, for instance inside R500c of gas without a measured halo.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.events import Events
from icmass.simulate.gas import Gas
from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import ALL, BANDS
from icmass.simulate.products.images import select_events

__all__ = [
    "CORE_IN_R500C",
    "SOFT_KEV",
    "SPECTROSCOPIC_EXPONENT",
    "SPECTROSCOPIC_FLOOR_KEV",
    "gas_scalars",
    "photon_scalars",
    "spectroscopic_like_kt_kev",
]

Floats = NDArray[np.float64]

# Weights n^2 T^-0.75 V over gas above 0.5 keV: Mazzotta, Rasia, Moscardini & Tormen 2004, MNRAS
# 354, 10, their equation 14 with alpha = 0.75.
SPECTROSCOPIC_EXPONENT = -0.75
SPECTROSCOPIC_FLOOR_KEV = 0.5

# Band of the soft luminosity, rest frame.
SOFT_KEV = (0.5, 2.0)

# Y_X is the gas mass times the temperature outside the core, 0.15 R500c: Kravtsov, Vikhlinin &
# Nagai 2006, ApJ 650, 128.
CORE_IN_R500C = 0.15


def spectroscopic_like_kt_kev(kt_kev: Floats, emission_measure_cm3: Floats) -> float | None:
    """Return the temperature that a single-temperature fit would give (Mazzotta+04), keV.

    Parameters
    ----------
    kt_kev, emission_measure_cm3 : ndarray, shape (n,)
        Gas particles; those at or below 0.5 keV are left out.

    Returns
    -------
    float or None
        None when no gas is left.
    """
    hot = kt_kev > SPECTROSCOPIC_FLOOR_KEV
    weight = emission_measure_cm3[hot] * kt_kev[hot] ** SPECTROSCOPIC_EXPONENT
    return _mean(kt_kev[hot], weight)


def gas_scalars(gas: Gas, table: SpectralTable) -> dict[str, Any]:
    """Return masses, luminosities and temperatures of the gas.

    Parameters
    ----------
    gas : Gas
        All gas that emits; positions about the cluster centre.
    table : SpectralTable
        Gives the luminosities; bolometric is all that it holds, 0.01-100 keV in the shipped one.
        Temperatures beyond it are clamped to its ends.

    Returns
    -------
    dict
        ``m500c_msun``, ``r500c_kpc``, ``m200c_msun``, ``r200c_kpc`` (None where not measured),
        ``inside_r500c`` (None without R500c) and ``all_gas``, each a dict of the numbers of the gas
        in that sphere: ``n_particles``, ``gas_mass_msun``, ``lx_bolometric_erg_s``,
        ``lx_0520_erg_s`` (rest frame 0.5-2.0 keV), ``kt_spectroscopic_like_kev``,
        ``kt_mass_weighted_kev``, ``metallicity_emission_weighted_solar``; inside R500c also
        ``kt_core_excised_kev`` (spectroscopic-like, 0.15-1 R500c) and ``yx_msun_kev`` (gas mass
        times that temperature).
    """
    halo = gas.info.halo
    result: dict[str, Any] = {
        name: None if halo is None else _finite(getattr(halo, name))
        for name in ("m500c_msun", "r500c_kpc", "m200c_msun", "r200c_kpc")
    }
    light = _Light.of(gas, table)
    inside = None
    if result["r500c_kpc"] is not None:
        radius = gas.radius_kpc() / result["r500c_kpc"]
        inside = _sphere_scalars(gas, light, radius < 1.0)
        ring = (radius >= CORE_IN_R500C) & (radius < 1.0)
        kt = spectroscopic_like_kt_kev(gas.kt_kev[ring], gas.emission_measure_cm3[ring])
        inside["kt_core_excised_kev"] = kt
        inside["yx_msun_kev"] = None if kt is None else inside["gas_mass_msun"] * kt
    result["inside_r500c"] = inside
    result["all_gas"] = _sphere_scalars(gas, light, np.ones(len(gas), dtype=bool))
    return result


def photon_scalars(events: Events, r500c_arcsec: float | None = None) -> dict[str, Any]:
    """Count photons by origin and band, everywhere and inside the projected R500c.

    Parameters
    ----------
    events : Events
        All events of an observation.
    r500c_arcsec : float, optional
        Radius about the pointing.

    Returns
    -------
    dict
        ``n_phot`` and ``n_phot_500`` (None without R500c), each ``{origin: {band: count}}`` with
        origins icm, agn, background, total and bands soft, medium, hard, all.
    """
    inside = None
    if r500c_arcsec is not None:
        radius = np.hypot(
            events.east_arcsec.astype(np.float64), events.north_arcsec.astype(np.float64)
        )
        inside = _count_by_origin_and_band(events.select(radius < r500c_arcsec))
    return {"n_phot": _count_by_origin_and_band(events), "n_phot_500": inside}


def _count_by_origin_and_band(events: Events) -> dict[str, dict[str, int]]:
    origins: dict[str, Origin | None] = {o.name.lower(): o for o in Origin}
    return {
        name: {
            band: int(select_events(events, limits, origin).sum())
            for band, limits in {**BANDS, "all": ALL}.items()
        }
        for name, origin in {**origins, "total": None}.items()
    }


@dataclass(frozen=True)
class _Light:
    """Luminosity of each particle, erg/s, shape (n,)."""

    soft: Floats
    bolometric: Floats

    @classmethod
    def of(cls, gas: Gas, table: SpectralTable) -> "_Light":
        kt = np.clip(gas.kt_kev, table.kt_kev[0], table.kt_kev[-1])
        measure, metallicity = gas.emission_measure_cm3, gas.metallicity_solar
        return cls(
            soft=measure * table.luminosity(kt, metallicity, *SOFT_KEV),
            bolometric=measure * table.luminosity(kt, metallicity),
        )


def _sphere_scalars(gas: Gas, light: _Light, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    kt, metallicity = gas.kt_kev[chosen], gas.metallicity_solar[chosen]
    measure, mass = gas.emission_measure_cm3[chosen], gas.mass_msun[chosen]
    return {
        "n_particles": int(chosen.sum()),
        "gas_mass_msun": float(mass.sum()),
        "lx_bolometric_erg_s": float(light.bolometric[chosen].sum()),
        "lx_0520_erg_s": float(light.soft[chosen].sum()),
        "kt_spectroscopic_like_kev": spectroscopic_like_kt_kev(kt, measure),
        "kt_mass_weighted_kev": _mean(kt, mass),
        "metallicity_emission_weighted_solar": _mean(metallicity, light.soft[chosen]),
    }


def _mean(values: Floats, weights: Floats) -> float | None:
    total = weights.sum()
    return float((values * weights).sum() / total) if total > 0 else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
