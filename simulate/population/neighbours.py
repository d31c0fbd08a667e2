"""Other haloes near the line of sight: the correlated ones about the halo, and the chance ones.

Numbers and distances of the parameters are comoving, in Mpc/h; results are physical kpc and km/s.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icmass.config import Config
from icmass.config.base import NotNegative, Positive
from icmass.simulate.constants import NEWTON_KPC_KMS2_PER_MSUN
from icmass.simulate.population.infalling import Bodies
from icmass.simulate.population.number_types import Range
from icmass.simulate.population.shapes import random_directions
from icmass.simulate.population.structure_list import StructureKind

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo

__all__ = ["NeighbourParameters", "draw_far", "draw_near", "in_flow"]

Floats = NDArray[np.float64]

_MASS_NODES = 400


class NeighbourParameters(Config):
    """Haloes that are no part of the main one."""

    mass_msun_h: Range
    """M500c in Msun/h."""
    density_mpc_h: NotNegative
    """Number per comoving (Mpc/h)^3 above `density_mass_msun_h`."""
    density_mass_msun_h: Positive
    mass_slope: Positive
    """dN/dM falls with this power, below `mass_cutoff_msun`."""
    mass_cutoff_msun: Positive
    correlation_length_mpc_h: NotNegative
    """Distance at which halos are twice as frequent as on average, for a main halo of the pivot."""
    correlation_slope: Positive
    """The correlation function falls with this power of the distance."""
    bias_slope: NotNegative
    """Growth of the correlation function with the mass of the main halo."""
    pivot_mass_msun: Positive
    reach_mpc_h: Positive
    """Radius of the neighbourhood that all lines of sight of a halo share."""
    closest_r200: Positive
    """Nothing nearer than this many R200c counts as a neighbour."""
    depth_mpc_h: Positive
    """Depth of the simulated volume along the line of sight."""
    half_width_mpc_h: Positive
    """Half side of the square that matters, physical: the image and the size of a group."""
    clumping: Positive
    """Shape of the gamma distribution of the density of a region: small is clumpy."""
    speed_kms: NotNegative
    """Scatter of a component of the peculiar velocity."""
    infall: NotNegative
    """Infall velocity over the escape velocity from the main halo."""
    gas_kept: Range


def draw_near(
    halo: "MainHalo",
    hubble: float,
    axes: Floats,
    parameters: NeighbourParameters,
    rng: np.random.Generator,
) -> Bodies:
    """Draw the haloes of the neighbourhood, in the frame of the halo, without the Hubble flow.

    Parameters
    ----------
    halo : MainHalo
    hubble : float
        Hubble constant over 100 km/s/Mpc.
    axes : ndarray, shape (3,)
        Factors that make a sphere the ellipsoid of the halo: matter lies along its long axis.
    parameters : NeighbourParameters
    rng : numpy.random.Generator

    Returns
    -------
    Bodies
    """
    kpc = 1000.0 / hubble / (1.0 + halo.redshift)  # physical kpc per comoving Mpc/h
    nearest = min(parameters.closest_r200 * halo.r200c_kpc / kpc, parameters.reach_mpc_h)
    power = 3.0 - parameters.correlation_slope
    volume = parameters.reach_mpc_h**power - nearest**power
    bias = (halo.m500c_msun / parameters.pivot_mass_msun) ** parameters.bias_slope
    strength = bias * parameters.correlation_length_mpc_h**parameters.correlation_slope
    correlated = 4.0 * np.pi / power * strength * volume
    uniform = 4.0 * np.pi / 3.0 * (parameters.reach_mpc_h**3 - nearest**3)
    clump = rng.gamma(parameters.clumping) / parameters.clumping
    density = _density(parameters)
    counts = rng.poisson(clump * density * np.array([correlated, uniform]))
    steps = [rng.random(count) for count in counts]
    radius = np.concatenate(
        [
            (nearest**power + volume * steps[0]) ** (1.0 / power),
            (nearest**3 + (parameters.reach_mpc_h**3 - nearest**3) * steps[1]) ** (1.0 / 3.0),
        ]
    )
    direction = np.concatenate(
        [random_directions(counts[0], rng, axes), random_directions(counts[1], rng)]
    )
    position = kpc * radius[:, None] * direction
    escape = np.sqrt(2.0 * NEWTON_KPC_KMS2_PER_MSUN * halo.m200c_msun / (kpc * radius))
    velocity = parameters.speed_kms * rng.standard_normal((len(radius), 3))
    velocity -= parameters.infall * escape[:, None] * direction
    return _bodies(position, velocity, hubble, parameters, rng)


def draw_far(
    halo: "MainHalo", hubble: float, parameters: NeighbourParameters, rng: np.random.Generator
) -> Bodies:
    """Draw the haloes along the line of sight outside the neighbourhood, in the observer's frame.

    Parameters
    ----------
    halo : MainHalo
    hubble : float
        Hubble constant over 100 km/s/Mpc.
    parameters : NeighbourParameters
    rng : numpy.random.Generator

    Returns
    -------
    Bodies
        Uniform in a square column, without the Hubble flow.
    """
    growth = 1.0 + halo.redshift
    kpc = 1000.0 / hubble / growth
    half = np.array([parameters.half_width_mpc_h * growth] * 2 + [parameters.depth_mpc_h / 2.0])
    clump = rng.gamma(parameters.clumping) / parameters.clumping
    count = int(rng.poisson(clump * _density(parameters) * 8.0 * np.prod(half)))
    position = rng.uniform(-half, half, (count, 3))
    position = position[np.einsum("ij,ij->i", position, position) > parameters.reach_mpc_h**2]
    velocity = parameters.speed_kms * rng.standard_normal((len(position), 3))
    return _bodies(kpc * position, velocity, hubble, parameters, rng)


def _bodies(
    position_kpc: Floats,
    velocity_kms: Floats,
    hubble: float,
    parameters: NeighbourParameters,
    rng: np.random.Generator,
) -> Bodies:
    count = len(position_kpc)
    return Bodies(
        kind=StructureKind.NEIGHBOUR,
        mass_msun=_draw_masses(count, parameters, rng) / hubble,
        position_kpc=position_kpc,
        velocity_kms=velocity_kms,
        gas_kept=rng.uniform(*parameters.gas_kept, count),
        truncation_r500=np.full(count, np.inf),
    )


def in_flow(bodies: Bodies, hubble_kms_mpc: float) -> Bodies:
    """Return `bodies` with the Hubble flow added along the line of sight, the third axis.

    `hubble_kms_mpc` is H(z).
    """
    velocity = bodies.velocity_kms.copy()
    velocity[:, 2] += hubble_kms_mpc * bodies.position_kpc[:, 2] / 1000.0
    return replace(bodies, velocity_kms=velocity)


def _mass_function(parameters: NeighbourParameters) -> tuple[Floats, Floats]:
    """Return M500c in Msun/h and how many haloes lie below it (no norm)."""
    low, high = parameters.mass_msun_h
    log_mass = np.linspace(np.log(low), np.log(high), _MASS_NODES)
    mass = np.exp(log_mass)
    per_log = mass ** (1.0 - parameters.mass_slope) * np.exp(-mass / parameters.mass_cutoff_msun)
    steps = (per_log[1:] + per_log[:-1]) / 2.0 * np.diff(log_mass)
    return mass, np.concatenate([[0.0], np.cumsum(steps)])


def _density(parameters: NeighbourParameters) -> float:
    """Number per comoving (Mpc/h)^3 in the whole range of masses."""
    if parameters.density_mpc_h == 0.0:
        return 0.0
    mass, below = _mass_function(parameters)
    above = below[-1] - np.interp(parameters.density_mass_msun_h, mass, below)
    return float(parameters.density_mpc_h * below[-1] / above)


def _draw_masses(count: int, parameters: NeighbourParameters, rng: np.random.Generator) -> Floats:
    if count == 0:
        return np.empty(0)
    mass, below = _mass_function(parameters)
    return np.interp(rng.random(count) * below[-1], below, mass)
