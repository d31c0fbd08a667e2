"""What falls into a halo: substructures inside it and companions about to merge.

Both are drawn in the frame of the halo, whose long axis is the first.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from icmass.config import Config
from icmass.config.base import NotNegative, Number, Positive, number
from icmass.simulate.population.shapes import random_directions
from icmass.simulate.population.structure_list import StructureKind

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo

__all__ = [
    "Bodies",
    "CompanionParameters",
    "Range",
    "SubstructureParameters",
    "draw_companions",
    "draw_power_law",
    "draw_substructures",
]

Floats = NDArray[np.float64]


def _range(value: Any) -> tuple[float, float]:
    """Two numbers, the second above the first."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be two numbers, the lower first")
    low, high = number(value[0]), number(value[1])
    if not low < high:
        raise ValueError("must be two numbers, the lower first")
    return low, high


Range = Annotated[tuple[float, float], BeforeValidator(_range)]


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
        """Turn from the frame of the halo to that of the observer."""
        return replace(
            self,
            position_kpc=self.position_kpc @ turn.T,
            velocity_kms=self.velocity_kms @ turn.T,
        )


def draw_power_law(
    count: int, limits: tuple[float, float], slope: float, rng: np.random.Generator
) -> Floats:
    """Draw x between two limits with dN/dx ~ x^-slope (slope not 1), shape (count,)."""
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
    """Draw what is merging with a halo; parameters as for `draw_substructures`."""
    count = int(rng.poisson(_mean_number(parameters, halo.disturbance)))
    radius = rng.uniform(*parameters.radius_r500, count)
    direction = random_directions(count, rng, axes)
    # Half fall in, half come back after the first passage.
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
