"""Counts and luminosities that networks are set against: columns of the catalog, and symbols."""

from collections.abc import Mapping
from typing import Final

__all__ = ["PROXY_SYMBOLS", "by_symbol"]

#: Symbols of Ho et al. 2023 by columns: photons of gas and AGN in the image, those inside projected
#: R500c, and the luminosity of the gas.
PROXY_SYMBOLS: Final[Mapping[str, str]] = {
    "n_phot": "N_phot",
    "n_phot_500": "N_phot,500",
    "lx_bolometric_erg_s": "L_X",
}


def by_symbol(slopes: Mapping[str, float]) -> dict[str, float]:
    """Return `slopes` by symbol that were by column; those of other columns are left out."""
    return {PROXY_SYMBOLS[name]: slope for name, slope in slopes.items() if name in PROXY_SYMBOLS}
