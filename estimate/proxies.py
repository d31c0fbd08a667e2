"""Which columns are mass proxies, and a sample of them in logarithms.

Symbols are those of Ho et al. 2023. The ideal set is measured on the simulation, the observed one
is what a telescope and a spectrograph give.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import HALO, halo_numbers
from icmass.errors import InputError

__all__ = ["IDEAL", "OBSERVED", "ProxySample"]

Floats = NDArray[np.floating[Any]]

IDEAL: Final[Mapping[str, str]] = {
    "T": "kt_mass_weighted_kev",
    "L_X": "lx_bolometric_erg_s",
    "M_gas": "gas_mass_msun",
    "M_star": "stellar_mass_msun",
    "sigma_v,true": "sigma_v_true_km_s",
}
OBSERVED: Final[Mapping[str, str]] = {
    "N_gal": "n_gal",
    "sigma_v": "sigma_v_clipped_km_s",
    "N_phot": "n_phot",
    "N_phot,500": "n_phot_500",
}


@dataclass(frozen=True)
class ProxySample:
    """Clusters with their true masses and proxies, one row each.

    Attributes
    ----------
    names : tuple of str
        Symbols of the proxies.
    ln_proxy : ndarray, shape (n, p)
        NaN where a proxy is not known or not positive.
    ln_mass : ndarray, shape (n,)
        ln of M500c in Msun.
    redshift : ndarray, shape (n,)
    halo : ndarray of int, shape (n,)
        The halo that each row is of.
    """

    names: tuple[str, ...]
    ln_proxy: Floats
    ln_mass: Floats
    redshift: Floats
    halo: NDArray[np.int64]

    def __post_init__(self) -> None:
        shape = (len(self.ln_mass), len(self.names))
        if self.ln_proxy.shape != shape:
            raise InputError(f"ln_proxy: must have shape {shape}; got {self.ln_proxy.shape}.")

    @classmethod
    def of(
        cls, column: Callable[[str], ArrayLike], proxies: Mapping[str, str] | None = None
    ) -> "ProxySample":
        """Take proxies from a catalog.

        Parameters
        ----------
        column : callable
            From the name of a column to its values, shape (n,), such as ``catalog.column``.
        proxies : mapping, optional
            From symbols to names of columns; by default the ideal and the observed ones.
        """
        wanted = {**IDEAL, **OBSERVED} if proxies is None else proxies
        values = [np.asarray(column(name), np.float64) for name in wanted.values()]
        positive = [np.where(value > 0.0, value, np.nan) for value in values]
        return cls(
            names=tuple(wanted),
            ln_proxy=np.log(np.stack(positive, axis=1)),
            ln_mass=np.log(np.asarray(column("m500c_msun"), np.float64)),
            redshift=np.asarray(column("redshift"), np.float64),
            halo=halo_numbers(*(column(name) for name in HALO)),
        )

    def __len__(self) -> int:
        return len(self.ln_mass)

    def rows(self, rows: NDArray[Any]) -> "ProxySample":
        """Return some `rows`, by mask of shape (n,) or by number."""
        return replace(
            self,
            ln_proxy=self.ln_proxy[rows],
            ln_mass=self.ln_mass[rows],
            redshift=self.redshift[rows],
            halo=self.halo[rows],
        )

    def proxies(self, names: Sequence[str]) -> "ProxySample":
        """Return the proxies of these `names`, in this order."""
        chosen = [self.place(name) for name in names]
        return replace(self, names=tuple(names), ln_proxy=self.ln_proxy[:, chosen])

    def complete(self) -> "ProxySample":
        """Return the rows of which every proxy is known."""
        return self.rows(np.flatnonzero(np.isfinite(self.ln_proxy).all(axis=1)))

    def place(self, name: str) -> int:
        """Return the column of the proxy of this `name`.

        Raises
        ------
        InputError
            If it is none of the sample's.
        """
        if name not in self.names:
            raise InputError(f"proxy: must be one of {', '.join(self.names)}; got '{name}'.")
        return self.names.index(name)
