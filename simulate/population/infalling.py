"""What falls into a halo: substructures inside it and companions about to merge.

Both are drawn in the frame of the halo, whose long axis is the first.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icmass.config import Config
from icmass.config.base import NotNegative, Number, Positive
from icmass.simulate.population.number_types import Range
from icmass.simulate.population.shapes import random_directions
from icmass.simulate.population.structure_list import StructureKind

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo

__all__ = [
    "Bodies",
    "CompanionParameters",
    "SubstructureParameters",
    "draw_companions",
    "draw_power_law",
    "draw_substructures",
]

Floats = NDArray[np.float64]


class SubstructureParameters(Config):
    """Haloes that fell in and kept part of their gas."""

    mean_number: NotNegative
    """Within the range of mass ratios and radii, averaged over haloes."""
    number_per_disturbance: Number
    """Change of ln of the number per unit of disturbance."""
    mass_ratio: Range
    """Mass before infall over that of the main halo."""
    slope: Positive
    """dN / d(mass ratio) falls with this power."""
    radius_r500: Range
    gas_kept: Range
    truncation_r500: Positive
    """Where the gas of one at the R500c of the main halo ends; grows with the square root."""
    speed: Positive
    """Scatter of a velocity component over the velocity dispersion of the main halo."""


class CompanionParameters(Config):
    """Haloes of similar mass before or after their first passage."""

    mean_number: NotNegative
    number_per_disturbance: Number
    mass_ratio: Range
    slope: Positive
    radius_r500: Range
    gas_kept: Range
    speed: Positive
    """Speed towards the main halo over its velocity dispersion."""


@dataclass(frozen=True)
class Bodies:
    """Haloes of one kind near the main one, one row each; physical kpc, km/s, Msun.

    Positions and velocities have shape (n, 3), everything else (n,).
    """

    kind: StructureKind
    mass_msun: Floats
    position_kpc: Floats
    velocity_kms: Floats
    gas_kept: Floats
    truncation_r500: Floats

    def __len__(self) -> int:
        return len(self.mass_msun)

    def turned(self, turn: Floats) -> "Bodies":
        """Return them turned by `turn`, shape (3, 3), from the halo's frame to the observer's."""
        return replace(
            self,
            position_kpc=self.position_kpc @ turn.T,
            velocity_kms=self.velocity_kms @ turn.T,
        )


def draw_power_law(
    count: int, limits: tuple[float, float], slope: float, rng: np.random.Generator
) -> Floats:
    """Draw x with dN/dx ~ x^-slope.

    Parameters
    ----------
    count : int
    limits : (float, float)
        Least and greatest x, above 0.
    slope : float
        Not 1.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (count,)
    """
    low, high = (limit ** (1.0 - slope) for limit in limits)
    return (low + (high - low) * rng.random(count)) ** (1.0 / (1.0 - slope))


def draw_substructures(
    halo: "MainHalo",
    sigma_kms: float,
    axes: Floats,
    parameters: SubstructureParameters,
    rng: np.random.Generator,
) -> Bodies:
    """Draw the substructures of a halo.

    Parameters
    ----------
    halo : MainHalo
    sigma_kms : float
        1-D velocity dispersion of the halo.
    axes : ndarray, shape (3,)
        Factors that make a sphere the ellipsoid of the halo.
    parameters : SubstructureParameters
    rng : numpy.random.Generator

    Returns
    -------
    Bodies
        Their masses are those before they fell in, so that the sum of many may exceed that of the
        halo.
    """
    count = int(rng.poisson(_mean_number(parameters, halo.disturbance)))
    radius = rng.uniform(*parameters.radius_r500, count)
    position = radius[:, None] * random_directions(count, rng, axes)
    return Bodies(
        kind=StructureKind.SUBSTRUCTURE,
        mass_msun=halo.m500c_msun
        * draw_power_law(count, parameters.mass_ratio, parameters.slope, rng),
        position_kpc=halo.r500c_kpc * position,
        velocity_kms=parameters.speed * sigma_kms * rng.standard_normal((count, 3)),
        gas_kept=rng.uniform(*parameters.gas_kept, count),
        truncation_r500=parameters.truncation_r500 * np.sqrt(radius),
    )


def draw_companions(
    halo: "MainHalo",
    sigma_kms: float,
    axes: Floats,
    parameters: CompanionParameters,
    rng: np.random.Generator,
) -> Bodies:
    """Draw what is merging with a halo.

    Parameters
    ----------
    halo : MainHalo
    sigma_kms : float
        1-D velocity dispersion of the halo.
    axes : ndarray, shape (3,)
        Factors that make a sphere the ellipsoid of the halo.
    parameters : CompanionParameters
    rng : numpy.random.Generator

    Returns
    -------
    Bodies
        Half fall in, half come back after the first passage.
    """
    count = int(rng.poisson(_mean_number(parameters, halo.disturbance)))
    radius = rng.uniform(*parameters.radius_r500, count)
    direction = random_directions(count, rng, axes)
    inward = np.where(rng.random(count) < 0.5, -1.0, 1.0)[:, None] * direction
    across = rng.standard_normal((count, 3))
    return Bodies(
        kind=StructureKind.COMPANION,
        mass_msun=halo.m500c_msun
        * draw_power_law(count, parameters.mass_ratio, parameters.slope, rng),
        position_kpc=halo.r500c_kpc * radius[:, None] * direction,
        velocity_kms=sigma_kms * (parameters.speed * inward + 0.5 * across),
        gas_kept=rng.uniform(*parameters.gas_kept, count),
        truncation_r500=np.full(count, np.inf),
    )


def _mean_number(parameters: SubstructureParameters | CompanionParameters, s: float) -> float:
    """Mean number at one disturbance; the average over haloes is the parameter."""
    growth = parameters.number_per_disturbance
    return parameters.mean_number * float(np.exp(growth * s - growth**2 / 2.0))
