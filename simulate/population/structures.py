"""Which structures share the field of a halo, where they are, and how they move.

The body of the halo (shape, substructures, companions, everything within the neighbourhood) is
drawn once and turned for each line of sight; only what lies further along it is drawn anew.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

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
    in_flow,
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

__all__ = ["StructureParameters", "draw_structures", "velocity_dispersion_kms"]

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
    """Return the 1-D velocity dispersion in haloes (Evrard et al. 2008, ApJ 672, 122).

    Parameters
    ----------
    m200c_msun : ndarray, shape (n,), or float
    hubble_kms_mpc : float
        H(z).
    parameters : StructureParameters

    Returns
    -------
    ndarray, shape (n,), or scalar
        km/s.
    """
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
    hubble, flow_kms_mpc = cosmology.h, cosmology.H0.value * float(cosmology.efunc(halo.redshift))
    names = ("population", halo.snapshot_id, halo.halo_id)
    body = np.random.default_rng(stream(seed, *names, "structures"))
    sight = np.random.default_rng(stream(seed, *names, line_of_sight, "structures"))

    shape = draw_axis_ratios(np.array([halo.disturbance]), parameters.shape, body)
    axes = stretch(shape, parameters.shape.dark_power)[0]
    sigma = float(velocity_dispersion_kms(halo.m200c_msun, flow_kms_mpc, parameters))
    fallen = draw_substructures(halo, sigma, axes, parameters.substructures, body)
    merging = draw_companions(halo, sigma, axes, parameters.companions, body)
    near = draw_near(halo, hubble, axes, parameters.neighbours, body)
    looks = _draw_looks(len(fallen) + len(merging) + len(near), parameters.shape, body)
    filaments = connect(
        halo,
        np.concatenate([merging.position_kpc, near.position_kpc]),
        np.concatenate([merging.mass_msun, near.mass_msun]),
        parameters.filaments,
        body,
    )

    turn = random_rotations(1, sight)[0]
    far = draw_far(halo, hubble, parameters.neighbours, sight)
    main = _Looks(
        np.array([[halo.cool_core, halo.disturbance, halo.star_formation, 0.0]]),
        np.eye(3)[None],
        shape,
    )
    return _assemble(
        halo,
        parameters,
        [
            fallen.turned(turn),
            merging.turned(turn),
            in_flow(near.turned(turn), flow_kms_mpc),
            in_flow(far, flow_kms_mpc),
        ],
        [main.turned(turn), looks.turned(turn), _draw_looks(len(far), parameters.shape, sight)],
        filaments.turned(turn),
    )


class _Looks(NamedTuple):
    """What tells haloes of one mass apart, one row each.

    The causes are cool core, disturbance, star formation and concentration, standard normal.
    """

    causes: Floats
    orientation: Floats
    axis_ratio: Floats

    def turned(self, turn: Floats) -> "_Looks":
        return self._replace(orientation=self.orientation @ turn.T)


def _draw_looks(count: int, parameters: ShapeParameters, rng: np.random.Generator) -> _Looks:
    causes = rng.standard_normal((count, 4))
    return _Looks(
        causes, random_rotations(count, rng), draw_axis_ratios(causes[:, 1], parameters, rng)
    )


def _assemble(
    halo: "MainHalo",
    parameters: StructureParameters,
    bodies: list[Bodies],
    looks: list[_Looks],
    filaments: Filaments,
) -> Structures:
    """Put the main halo first and give every structure its radii."""

    def column(main: Any, name: str) -> NDArray[Any]:
        return np.concatenate([np.array([main]), *(getattr(part, name) for part in bodies)])

    causes, orientation, axis_ratio = (np.concatenate(part) for part in zip(*looks, strict=True))
    mass = column(halo.m500c_msun, "mass_msun")
    ratio = mass / halo.m500c_msun
    concentration = halo.concentration * (
        ratio**parameters.concentration_slope
        * np.exp(parameters.concentration_scatter * causes[:, 3])
    )
    r500 = halo.r500c_kpc * ratio ** (1.0 / 3.0)
    return Structures(
        kind=np.repeat(
            np.array([StructureKind.MAIN, *(part.kind for part in bodies)], dtype=np.uint8),
            [1, *map(len, bodies)],
        ),
        m500c_msun=mass,
        r500c_kpc=r500,
        r200c_kpc=r500 / r500_over_r200(concentration),
        concentration=concentration,
        position_kpc=column((0.0, 0.0, 0.0), "position_kpc"),
        velocity_kms=column((0.0, 0.0, 0.0), "velocity_kms"),
        gas_kept=column(1.0, "gas_kept"),
        truncation_r500=column(np.inf, "truncation_r500"),
        cool_core=causes[:, 0],
        disturbance=causes[:, 1],
        star_formation=causes[:, 2],
        orientation=orientation,
        axis_ratio=axis_ratio,
        filaments=filaments,
    )
