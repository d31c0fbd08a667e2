"""Which haloes there are: mass, redshift, place, concentration and the causes of their variety.

Each halo depends on the seed and its own number only, so a longer sample begins with the shorter
one and any worker can make any halo. Masses in Msun and physical kpc (no h); the box is comoving.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import erf

from icmass.config.base import Config, NotNegative, Number, Positive
from icmass.errors import InputError
from icmass.simulate.population.mass_function import tinker08
from icmass.simulate.population.number_types import Correlation, Numbers
from icmass.simulate.population.structure_list import r500_over_r200
from icmass.simulate.rng import stream

if TYPE_CHECKING:
    from icmass.simulate.population.parameters import Population

__all__ = [
    "CAUSES",
    "HaloParameters",
    "Haloes",
    "MainHalo",
    "concentrations",
    "draw_haloes",
    "haloes_of",
]

Floats = NDArray[np.float64]
CAUSES = ("disturbance", "cool_core", "star_formation", "baryons", "thermal")
"""The latent causes of a halo, standard normal each."""


class HaloParameters(Config):
    """Cosmology, mass function, redshifts, and how the latent causes hang together."""

    h: Positive
    """Hubble constant over 100 km/s/Mpc; the universe is flat."""
    omega_m: Annotated[Number, Field(gt=0, lt=1)]
    """Matter density."""
    omega_b: Annotated[Number, Field(gt=0, lt=1)]
    """Baryon density, for the power spectrum."""
    sigma8: Positive
    """Amplitude of the power spectrum."""
    n_s: Positive
    """Its slope."""

    mass_function: Literal["tinker08", "flat"]
    """tinker08, or flat in log mass."""
    log10_m500c_min: Number
    """Least log10 M500c in Msun/h."""
    log10_m500c_max: Number
    """Greatest log10 M500c in Msun/h."""
    lower_edge_log10: Number
    """Where half of the haloes are in the sample, log10 M500c in Msun/h (tinker08 only)."""
    lower_edge_width: NotNegative
    """Width of that edge in dex; 0: no edge."""

    redshifts: Numbers
    """Redshifts of the snapshots, in turn; empty: `redshift_range` holds."""
    redshift_range: Numbers
    """Least and greatest redshift, uniform in comoving volume; used where `redshifts` is empty."""
    box_mpc: Positive
    """Side of the comoving box in which haloes are placed."""

    concentration: Positive
    """c200c at 2e14 Msun and redshift 0."""
    concentration_slope: Number
    """Its slope in mass."""
    concentration_redshift_slope: Number
    """Its slope in 1 + z."""
    concentration_scatter: NotNegative
    """Scatter of ln c200c."""
    concentration_disturbance: Correlation
    """Correlation of ln c200c with the disturbance."""
    cool_core_disturbance: Correlation
    """Correlation of the cool core with the disturbance."""

    @model_validator(mode="after")
    def _ranges(self) -> "HaloParameters":
        if not self.log10_m500c_min < self.log10_m500c_max:
            raise ValueError(
                "log10_m500c_min: must be below log10_m500c_max, else no mass is left; got "
                f"{self.log10_m500c_min} and {self.log10_m500c_max}"
            )
        if self.log10_m500c_min < 10.0 or self.log10_m500c_max > 16.0:
            raise ValueError("log10_m500c_min and log10_m500c_max: must lie in 10 to 16")
        if self.redshifts:
            if min(self.redshifts) <= 0:
                raise ValueError("redshifts: must all be above 0, for a distance is needed")
        elif (
            len(self.redshift_range) != 2 or not 0 < self.redshift_range[0] < self.redshift_range[1]
        ):
            raise ValueError(
                "redshift_range: must be two ascending numbers above 0 where redshifts is empty"
            )
        return self

    def cosmology(self) -> FlatLambdaCDM:
        """The universe of the population; the same object for the same parameters."""
        return _cosmology(self.h, self.omega_m, self.omega_b)


@lru_cache
def _cosmology(h: float, omega_m: float, omega_b: float) -> FlatLambdaCDM:
    return FlatLambdaCDM(100.0 * h, omega_m, Ob0=omega_b)


@dataclass(frozen=True)
class MainHalo:
    """One halo; the fields are those of `Haloes`."""

    snapshot_id: int
    halo_id: int
    redshift: float
    m500c_msun: float
    r500c_kpc: float
    m200c_msun: float
    r200c_kpc: float
    concentration: float
    box_position_mpc: tuple[float, float, float]
    disturbance: float
    cool_core: float
    star_formation: float
    baryons: float
    thermal: float


@dataclass(frozen=True)
class Haloes:
    """Struct of arrays, one row per halo.

    Attributes
    ----------
    snapshot_id, halo_id : ndarray of int64, shape (n,)
    redshift, m500c_msun, r500c_kpc, m200c_msun, r200c_kpc : ndarray, shape (n,)
    concentration : ndarray, shape (n,)
        r200c over the scale radius.
    box_position_mpc : ndarray, shape (n, 3)
        Comoving.
    disturbance, cool_core, star_formation, baryons, thermal : ndarray, shape (n,)
        Standard normal causes: how disturbed; how strong the cool core; how efficiently gas turned
        into stars, which takes from the one what it gives to the other; how many baryons the halo
        kept; how hot its gas.
    """

    snapshot_id: NDArray[np.int64]
    halo_id: NDArray[np.int64]
    redshift: Floats
    m500c_msun: Floats
    r500c_kpc: Floats
    m200c_msun: Floats
    r200c_kpc: Floats
    concentration: Floats
    box_position_mpc: Floats
    disturbance: Floats
    cool_core: Floats
    star_formation: Floats
    baryons: Floats
    thermal: Floats

    def __len__(self) -> int:
        return len(self.halo_id)

    def row(self, index: int) -> MainHalo:
        """Return the halo of row `index` as plain numbers."""
        values = {f.name: getattr(self, f.name)[index].tolist() for f in fields(self)}
        return MainHalo(**{**values, "box_position_mpc": tuple(values["box_position_mpc"])})


def draw_haloes(population: "Population", seed: int, start: int, stop: int) -> Haloes:
    """Draw the haloes with numbers from `start` to before `stop`.

    Parameters
    ----------
    population : Population
    seed : int
        Of the sample.
    start, stop : int
        Numbers of the haloes, which are their ids.

    Returns
    -------
    Haloes

    Raises
    ------
    InputError
        If the numbers do not ascend from 0 on.
    """
    if not 0 <= start <= stop:
        raise InputError(f"haloes: must be numbered from 0 on, ascending; got {start} to {stop}.")
    parameters = population.haloes
    number_of = np.arange(start, stop)
    uniform = np.empty((len(number_of), 5))
    normal = np.empty((len(number_of), 6))
    for row, halo_id in enumerate(number_of):
        rng = np.random.default_rng(stream(seed, "population", "halo", int(halo_id)))
        uniform[row] = rng.random(5)
        normal[row] = rng.standard_normal(6)
    snapshot_id, redshift = _redshifts(parameters, number_of, uniform[:, 0])
    mass = _masses(parameters, redshift, uniform[:, 1])
    return haloes_of(
        parameters,
        mass,
        redshift,
        normal,
        snapshot_id=snapshot_id,
        halo_id=number_of,
        box_position_mpc=parameters.box_mpc * uniform[:, 2:],
    )


def haloes_of(
    parameters: HaloParameters,
    m500c_msun: Floats,
    redshift: Floats,
    normal: Floats,
    *,
    snapshot_id: NDArray[np.int64],
    halo_id: NDArray[np.int64],
    box_position_mpc: Floats,
) -> Haloes:
    """Give haloes of known mass and redshift their radii, concentrations and causes.

    Parameters
    ----------
    parameters : HaloParameters
    m500c_msun, redshift : ndarray, shape (n,)
    normal : ndarray, shape (n, 6)
        Independent standard normal numbers.
    snapshot_id, halo_id : ndarray of int64, shape (n,)
    box_position_mpc : ndarray, shape (n, 3)
        Comoving.

    Returns
    -------
    Haloes
    """
    return Haloes(
        snapshot_id=snapshot_id,
        halo_id=halo_id,
        redshift=redshift,
        box_position_mpc=box_position_mpc,
        **_spheres(parameters, m500c_msun, redshift, normal[:, 0], normal[:, 1]),
        **_causes(parameters, normal),
    )


def _redshifts(
    parameters: HaloParameters, number_of: NDArray[np.int64], uniform: Floats
) -> tuple[NDArray[np.int64], Floats]:
    if parameters.redshifts:
        snapshot_id = number_of % len(parameters.redshifts)
        return snapshot_id, np.array(parameters.redshifts)[snapshot_id]
    least, greatest = parameters.redshift_range
    grid = np.linspace(least, greatest, 200)
    volume = parameters.cosmology().comoving_volume(grid).value
    place = volume[0] + uniform * (volume[-1] - volume[0])
    return np.zeros_like(number_of), np.interp(place, volume, grid)


def _masses(parameters: HaloParameters, redshift: Floats, uniform: Floats) -> Floats:
    """Draw M500c by inverting the cumulative mass function."""
    # In a range, steps of 0.02: one table serves all haloes at nearly the same redshift.
    table_of = redshift if parameters.redshifts else np.round(redshift / 0.02) * 0.02
    log_mass = np.empty(len(redshift))
    for table in np.unique(table_of):
        here = table_of == table
        grid, cumulative = _cumulative_mass_function(parameters, float(table))
        log_mass[here] = np.interp(uniform[here], cumulative, grid)
    return 10.0**log_mass / parameters.h


@lru_cache(maxsize=256)
def _cumulative_mass_function(parameters: HaloParameters, redshift: float) -> tuple[Floats, Floats]:
    """log10 M500c [Msun/h] and the share of haloes below."""
    log_mass = np.linspace(parameters.log10_m500c_min, parameters.log10_m500c_max, 801)
    if parameters.mass_function == "flat":
        return log_mass, np.linspace(0.0, 1.0, len(log_mass))
    density = tinker08(parameters, 10.0**log_mass, redshift)
    if parameters.lower_edge_width > 0.0:
        step = (log_mass - parameters.lower_edge_log10) / parameters.lower_edge_width
        density *= 0.5 * (1.0 + erf(step))
    steps = 0.5 * (density[1:] + density[:-1])
    cumulative = np.concatenate([[0.0], np.cumsum(steps)])
    return log_mass, cumulative / cumulative[-1]


def _spheres(
    parameters: HaloParameters,
    m500c_msun: Floats,
    redshift: Floats,
    disturbance: Floats,
    normal: Floats,
) -> dict[str, Floats]:
    """Radii, M200c and concentration of NFW haloes."""
    # M200c from M500c at the concentration 4 is within 3% of that at any of the scatter's.
    m200c_guess = m500c_msun / (2.5 * r500_over_r200(4.0) ** 3)
    concentration = concentrations(parameters, m200c_guess, redshift, disturbance, normal)
    critical = parameters.cosmology().critical_density(redshift).to_value("Msun / kpc3")
    r500c = np.cbrt(3.0 * m500c_msun / (4.0 * np.pi * 500.0 * critical))
    ratio = r500_over_r200(concentration)
    return {
        "m500c_msun": m500c_msun,
        "r500c_kpc": r500c,
        "m200c_msun": m500c_msun / (2.5 * ratio**3),
        "r200c_kpc": r500c / ratio,
        "concentration": concentration,
    }


def concentrations(
    parameters: HaloParameters,
    m200c_msun: Floats,
    redshift: Floats,
    disturbance: Floats,
    normal: Floats,
) -> Floats:
    """Draw the concentrations of haloes.

    A power law in mass and 1 + z with lognormal scatter, part of which follows the disturbance.

    Parameters
    ----------
    parameters : HaloParameters
    m200c_msun, redshift : ndarray, shape (n,)
    disturbance, normal : ndarray, shape (n,)
        Standard normal: the cause of that name, and the rest of the scatter.

    Returns
    -------
    ndarray, shape (n,)
        c200c.
    """
    mean = (
        parameters.concentration
        * (m200c_msun / 2e14) ** parameters.concentration_slope
        * (1.0 + redshift) ** parameters.concentration_redshift_slope
    )
    shared = parameters.concentration_disturbance
    offset = shared * disturbance + np.sqrt(1.0 - shared**2) * normal
    return mean * np.exp(parameters.concentration_scatter * offset)


def _causes(parameters: HaloParameters, normal: Floats) -> dict[str, Floats]:
    """The standard normal causes; those of the gas are mixed where they act."""
    shared = parameters.cool_core_disturbance
    return {
        "disturbance": normal[:, 0],
        "cool_core": shared * normal[:, 0] + np.sqrt(1.0 - shared**2) * normal[:, 2],
        "star_formation": normal[:, 3],
        "baryons": normal[:, 4],
        "thermal": normal[:, 5],
    }
