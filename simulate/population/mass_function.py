"""How many haloes there are of which mass, and how strongly they cluster: colossus, put back after.

Colossus holds one universe in a global variable; here it is set for the length of a call. Masses
are M500c in Msun/h, as colossus has them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import HaloParameters

__all__ = ["colossus_universe", "tinker08", "tinker10_bias"]

Floats = NDArray[np.float64]


@contextmanager
def colossus_universe(parameters: "HaloParameters") -> Iterator[Any]:
    """Set the universe of `parameters` in colossus, and put back what was there.

    Yields
    ------
    colossus.cosmology.cosmology.Cosmology
        Flat, without radiation; the same object for the same numbers, so that its tables are made
        once.
    """
    from colossus.cosmology import cosmology  # noqa: PLC0415 - half a second to import

    before = cosmology.current_cosmo
    universe = _universe(
        parameters.h, parameters.omega_m, parameters.omega_b, parameters.sigma8, parameters.n_s
    )
    cosmology.setCurrent(universe)
    try:
        yield universe
    finally:
        cosmology.current_cosmo = before


@lru_cache(maxsize=16)
def _universe(h: float, omega_m: float, omega_b: float, sigma8: float, n_s: float) -> Any:
    from colossus.cosmology import cosmology  # noqa: PLC0415

    # No persistence, for colossus would leave pickles in the home directory.
    return cosmology.Cosmology(
        name="icmass",
        H0=100.0 * h,
        Om0=omega_m,
        Ob0=omega_b,
        sigma8=sigma8,
        ns=n_s,
        flat=True,
        relspecies=False,
        persistence="",
    )


def tinker08(parameters: "HaloParameters", m500c_msun_h: Floats, redshift: float) -> Floats:
    """Mass function of Tinker et al. (2008, ApJ 688, 709) for M500c.

    Parameters
    ----------
    parameters : HaloParameters
        Of which the cosmology is used.
    m500c_msun_h : ndarray, shape (n,)
        M500c [Msun/h].
    redshift : float

    Returns
    -------
    ndarray, shape (n,)
        dn/dlnM per comoving (Mpc/h)^3.
    """
    with colossus_universe(parameters):
        from colossus.lss import mass_function  # noqa: PLC0415

        return np.asarray(
            mass_function.massFunction(
                m500c_msun_h, redshift, mdef="500c", model="tinker08", q_out="dndlnM"
            )
        )


def tinker10_bias(parameters: "HaloParameters", m500c_msun_h: Floats, redshift: float) -> Floats:
    """Linear bias of haloes of Tinker et al. (2010, ApJ 724, 878) for M500c.

    Parameters
    ----------
    parameters : HaloParameters
        Of which the cosmology is used.
    m500c_msun_h : ndarray, shape (n,)
        M500c [Msun/h].
    redshift : float

    Returns
    -------
    ndarray, shape (n,)
    """
    with colossus_universe(parameters):
        from colossus.lss import bias  # noqa: PLC0415

        return np.asarray(bias.haloBias(m500c_msun_h, redshift, mdef="500c", model="tinker10"))
