"""What was read, in numbers that a user can judge: the census of cuts and sanity values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.errors import NoPhotonsError
from icmass.simulate.gas import Census, Gas

__all__ = ["census_error", "census_text", "input_report", "value_range"]


def value_range(values: NDArray[Any]) -> tuple[float, float, float]:
    """Return minimum, median and maximum of `values`, shape (n,); NaN of nothing."""
    if len(values) == 0:
        return (np.nan, np.nan, np.nan)
    return float(values.min()), float(np.median(values)), float(values.max())


def census_text(census: Census) -> str:
    """Return `census` on one line, such as ``read 100, in the sphere 20, ...``."""
    return ", ".join(f"{name} {count}" for name, count in census.stages)


def census_error(census: Census, source: str = "gas") -> NoPhotonsError:
    """Make the error of gas that cannot emit: the census and the cut that left nothing.

    Parameters
    ----------
    census : Census
        Counts after each cut.
    source : str
        File or object that the gas came from.

    Returns
    -------
    NoPhotonsError
        To be raised.
    """
    first = census.first_empty() or census.stages[-1][0]
    return NoPhotonsError(
        f"{source}: must leave gas that can emit X-rays; no particle is left at '{first}' "
        f"({census_text(census)}). {_REMEDIES.get(first.split()[0], 'Loosen that cut.')}"
    )


_REMEDIES = {
    "read": "The file holds no gas.",
    "in": "Move center, or enlarge radius.",
    "not": "All gas forms stars: pass star_forming=True to keep it.",
    "hotter": "Lower min_temperature_k, or check units.",
    "below": "Raise max_density=.",
}


def input_report(gas: Gas) -> dict[str, Any]:
    """Summarise gas as it was read, for ``--dry-run`` and logs.

    Parameters
    ----------
    gas : Gas
        From any reader.

    Returns
    -------
    dict
        ``source``, ``code``, ``redshift``, ``census`` (list of name and count), ``ranges`` (name ->
        minimum, median, maximum), ``halo`` (physical units, None where unknown), ``gas_mass_msun``
        and ``emission_measure_cm3`` in all and ``*_r500c`` inside R500c, ``emission_kt_kev``
        (weighted by emission measure), ``notes`` (assumptions made). JSON-able.
    """
    info, halo = gas.info, gas.info.halo
    inside = np.zeros(len(gas), bool)
    if halo is not None and np.isfinite(halo.r500c_kpc):
        inside = gas.radius_kpc() <= halo.r500c_kpc
    measure = gas.emission_measure_cm3
    total = float(measure.sum())
    return {
        "source": info.source,
        "code": info.code,
        "redshift": info.redshift,
        "hubble": float(info.cosmology.h),
        "omega_m": float(info.cosmology.Om0),
        "census": [] if info.census is None else [list(stage) for stage in info.census.stages],
        "ranges": {} if info.census is None else _jsonable(info.census.ranges),
        "halo": None if halo is None else _jsonable(vars(halo)),
        "gas_mass_msun": float(gas.mass_msun.sum()),
        "gas_mass_r500c_msun": float(gas.mass_msun[inside].sum()) if inside.any() else None,
        "emission_measure_cm3": total,
        "emission_measure_r500c_cm3": float(measure[inside].sum()) if inside.any() else None,
        "emission_kt_kev": float(np.average(gas.kt_kev, weights=measure)) if total > 0 else None,
        "notes": list(info.extra.get("notes", [])),
    }


def _jsonable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace NaN by None and tuples by lists."""

    def plain(value: Any) -> Any:
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and np.isnan(value) else value

    return {key: plain(value) for key, value in values.items()}
