"""Energy bands of the products: half-open intervals [lo, hi) of the measured energy in keV."""

import math
from typing import Final

from icmass.errors import InputError

__all__ = ["ALL", "BANDS", "Band", "band_label", "resolve_band"]

Band = tuple[float, float]

# The bands of the study; `ALL` keeps every event, whatever the channels of the instrument.
BANDS: Final[dict[str, Band]] = {"soft": (0.5, 1.2), "medium": (1.2, 2.0), "hard": (2.0, 7.0)}
ALL: Final[Band] = (0.0, math.inf)


def resolve_band(band: "str | Band | None") -> Band:
    """Return the limits in keV of `band`: a name, limits, or None (every energy).

    Raises
    ------
    InputError
        If the name is unknown or the limits are not ascending and at least 0.
    """
    if band is None or band == "all":
        return ALL
    if isinstance(band, str):
        if band not in BANDS:
            raise InputError(
                f"band: must be one of {', '.join(BANDS)}, all, or (lo, hi) in keV; got '{band}'."
            )
        return BANDS[band]
    try:
        lo, hi = (float(limit) for limit in band)
    except (TypeError, ValueError) as error:
        raise InputError(f"band: must be a name or (lo, hi) in keV; got {band!r}.") from error
    if not 0.0 <= lo < hi:
        raise InputError(f"band: must have 0 <= lo < hi in keV; got ({lo}, {hi}).")
    return lo, hi


def band_label(band: Band) -> str:
    """Return a short label of `band` such as ``0.5-1.2 keV``."""
    lo, hi = band
    return "all energies" if band == ALL else f"{lo:g}-{hi:g} keV"
