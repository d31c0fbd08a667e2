"""Which structures share the field of a halo, where they are, and how they move.

The body of the halo (shape, substructures, companions, everything within the neighbourhood) is
drawn once and turned for each line of sight; only what lies further along it is drawn anew.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icmass.config import Config
from icmass.config.base import NotNegative, Number, Positive
from icmass.simulate.population.filaments import FilamentParameters, connect
from icmass.simulate.population.infalling import (
    Bodies,
    CompanionParameters,
    SubstructureParameters,
    draw_companions,
    draw_substructures,
)
from icmass.simulate.population.neighbours import (
    NeighbourParameters,
    draw_far,
    draw_near,
    turn_on_flow,
)
from icmass.simulate.population.shapes import (
    ShapeParameters,
    draw_axis_ratios,
    random_rotations,
    stretch,
)
from icmass.simulate.population.structure_list import (
    Filaments,
    StructureKind,
    Structures,
    r500_over_r200,
)
from icmass.simulate.rng import stream

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo
    from icmass.simulate.population.parameters import Population

__all__ = [
    "Filaments",
    "StructureKind",
    "StructureParameters",
    "Structures",
    "draw_structures",
    "velocity_dispersion_kms",
]

Floats = NDArray[np.float64]


class StructureParameters(Config):
    """Everything about the haloes of a field but their gas and galaxies."""

    shape: ShapeParameters
    substructures: SubstructureParameters
    companions: CompanionParameters
    neighbours: NeighbourParameters
    filaments: FilamentParameters
    velocity_norm_kms: Positive
    """1-D velocity dispersion at E(z) h M200c = 1e15 Msun."""
    velocity_slope: Positive
    concentration_slope: Number
    """Power of mass with which concentrations fall from that of the main halo."""
    concentration_scatter: NotNegative
    """Of the natural logarithm."""


def velocity_dispersion_kms(
    m200c_msun: Floats | float, hubble_kms_mpc: float, parameters: StructureParameters
) -> Floats:
    """Return the 1-D velocity dispersion in a halo (Evrard et al. 2008, ApJ 672, 122)."""
    scaled = np.asarray(m200c_msun) * hubble_kms_mpc / 100.0 / 1e15
    return parameters.velocity_norm_kms * scaled**parameters.velocity_slope


def draw_structures(
    halo: "MainHalo", population: "Population", seed: int, line_of_sight: int
) -> Structures:
    """Draw everything in the field of a halo, seen along one line of sight.

    Parameters
    ----------
    halo : MainHalo
    population : Population
    seed : int
        Of the whole sample.
    line_of_sight : int
        Number of the direction.

    Returns
    -------
    Structures
        In the frame of the observer; row 0 is the halo itself.
    """
    parameters = population.structures
    cosmology = population.haloes.cosmology()
    hubble, flow = cosmology.h, cosmology.H0.value * float(cosmology.efunc(halo.redshift))
    names = ("population", halo.snapshot_id, halo.halo_id)
    body = np.random.default_rng(stream(seed, *names, "structures"))
    sight = np.random.default_rng(stream(seed, *names, line_of_sight, "structures"))

    shape = draw_axis_ratios(np.array([halo.disturbance]), parameters.shape, body)
    axes = stretch(shape, parameters.shape.dark_power)[0]
    sigma = float(velocity_dispersion_kms(halo.m200c_msun, flow, parameters))
    inner = [
        draw_substructures(halo, sigma, axes, parameters.substructures, body),
        draw_companions(halo, sigma, axes, parameters.companions, body),
    ]
    near = draw_near(halo, hubble, axes, parameters.neighbours, body)
    bridges = [inner[1], near]
    filaments = connect(
        halo,
        np.concatenate([part.position_kpc for part in bridges]),
        np.concatenate([part.mass_msun for part in bridges]),
        parameters.filaments,
        body,
    )
    intrinsic = _intrinsic(sum(map(len, (*inner, near))), body)

    turn = random_rotations(1, sight)[0]
    far = draw_far(halo, hubble, parameters.neighbours, sight)
    bodies = [*(_turned(part, turn) for part in (*inner, near)), far]
    bodies[2:] = [_in_flow(part, flow) for part in bodies[2:]]
    latents = np.concatenate([intrinsic, _intrinsic(len(far), sight)])
    orientation = np.concatenate(
        [
            turn.T[None],
            random_rotations(len(intrinsic), body) @ turn.T,
            random_rotations(len(far), sight),
        ]
    )
    ratios = np.concatenate(
        [
            shape,
            draw_axis_ratios(latents[: len(intrinsic), 1], parameters.shape, body),
            draw_axis_ratios(latents[len(intrinsic) :, 1], parameters.shape, sight),
        ]
    )
    turned = replace(
        filaments, start_kpc=filaments.start_kpc @ turn.T, end_kpc=filaments.end_kpc @ turn.T
    )
    return _assemble(halo, parameters, bodies, latents, orientation, ratios, turned)


def _intrinsic(count: int, rng: np.random.Generator) -> Floats:
    """Draw cool core, disturbance, star formation and concentration, shape (count, 4)."""
    return rng.standard_normal((count, 4))


def _turned(bodies: Bodies, turn: Floats) -> Bodies:
    """Turn from the frame of the halo to that of the observer."""
    return replace(
        bodies,
        position_kpc=bodies.position_kpc @ turn.T,
        velocity_kms=bodies.velocity_kms @ turn.T,
    )


def _in_flow(bodies: Bodies, hubble_kms_mpc: float) -> Bodies:
    velocity = turn_on_flow(bodies.velocity_kms, bodies.position_kpc, hubble_kms_mpc)
    return replace(bodies, velocity_kms=velocity)


def _assemble(
    halo: "MainHalo",
    parameters: StructureParameters,
    bodies: list[Bodies],
    latents: Floats,
    orientation: Floats,
    axis_ratio: Floats,
    filaments: Filaments,
) -> Structures:
    """Put the main halo first and give every structure its radii."""

    def column(main: float, name: str) -> Floats:
        return np.concatenate([[main], *(getattr(part, name) for part in bodies)])

    mass = column(halo.m500c_msun, "mass_msun")
    ratio = mass[1:] / halo.m500c_msun
    concentration = halo.concentration * np.concatenate(
        [
            [1.0],
            ratio**parameters.concentration_slope
            * np.exp(parameters.concentration_scatter * latents[:, 3]),
        ]
    )
    r500 = halo.r500c_kpc * (mass / halo.m500c_msun) ** (1.0 / 3.0)
    r200 = r500 / r500_over_r200(concentration)
    r200[0] = halo.r200c_kpc
    zero = np.zeros((1, 3))
    return Structures(
        kind=np.concatenate(
            [[0], *(np.full(len(part), part.kind) for part in bodies)],
            dtype=np.uint8,
            casting="unsafe",
        ),
        m500c_msun=mass,
        r500c_kpc=r500,
        r200c_kpc=r200,
        concentration=concentration,
        position_kpc=np.concatenate([zero, *(part.position_kpc for part in bodies)]),
        velocity_kms=np.concatenate([zero, *(part.velocity_kms for part in bodies)]),
        gas_kept=column(1.0, "gas_kept"),
        truncation_r500=column(np.inf, "truncation_r500"),
        cool_core=np.concatenate([[halo.cool_core], latents[:, 0]]),
        disturbance=np.concatenate([[halo.disturbance], latents[:, 1]]),
        star_formation=np.concatenate([[halo.star_formation], latents[:, 2]]),
        orientation=orientation,
        axis_ratio=axis_ratio,
        filaments=filaments,
    )
