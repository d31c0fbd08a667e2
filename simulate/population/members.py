"""Active nuclei among the galaxies of a field."""

from typing import TYPE_CHECKING

import numpy as np

from icmass.config import Config
from icmass.config.base import NotNegative, Number
from icmass.simulate.population.number_types import Range
from icmass.simulate.rng import stream
from icmass.simulate.scene import MemberAgn, SceneGalaxies
from icmass.simulate.sky.agn_luminosity import LuminosityFunction

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo
    from icmass.simulate.population.parameters import Population

__all__ = ["AgnParameters", "member_agn"]


class AgnParameters(Config):
    """How often galaxies are active, and how bright."""

    active_share: NotNegative
    """Share of the galaxies of clusters at redshift 0.25 that are active in the range below."""
    redshift_slope: Number
    """Power of 1 + z with which the share grows."""
    interloper_share: NotNegative
    """Share of interlopers over that of members."""
    log_hard_luminosity: Range
    """log10 of the luminosity in 2-10 keV, erg/s."""


def member_agn(
    galaxies: SceneGalaxies,
    halo: "MainHalo",
    population: "Population",
    seed: int,
    line_of_sight: int = 0,
) -> MemberAgn:
    """Draw which galaxies of a field are active, and how bright.

    Parameters
    ----------
    galaxies : SceneGalaxies
    halo : MainHalo
    population : Population
    seed : int
    line_of_sight : int

    Returns
    -------
    MemberAgn
    """
    parameters = population.agn
    names = ("population", halo.snapshot_id, halo.halo_id, line_of_sight, "agn")
    rng = np.random.default_rng(stream(seed, *names))
    share = parameters.active_share * ((1.0 + halo.redshift) / 1.25) ** parameters.redshift_slope
    share = share * np.where(galaxies.member, 1.0, parameters.interloper_share)
    active = rng.random(len(galaxies)) < share
    luminosity = LuminosityFunction.default().draw(
        int(active.sum()), halo.redshift, parameters.log_hard_luminosity, rng
    )
    east, north = galaxies.position_kpc[active, :2].T
    return MemberAgn(east_kpc=east, north_kpc=north, log_hard_luminosity=luminosity)
