"""Galaxies of a field: members of every structure on its list, infalling ones and the field's.

Stellar masses in Msun, positions in physical kpc and velocities in km/s about the main halo, in the
frame of the observer.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from icmass.config import Config
from icmass.config.base import NotNegative, Number, Positive
from icmass.simulate.population.galaxy_places import (
    Placed,
    place_field,
    place_infalling,
    place_members,
)
from icmass.simulate.population.number_types import Correlation, Range, Share
from icmass.simulate.population.stellar_masses import draw_satellites, give_centrals
from icmass.simulate.population.structure_list import StructureKind, Structures
from icmass.simulate.population.structures import velocity_dispersion_kms
from icmass.simulate.rng import stream
from icmass.simulate.scene import SceneGalaxies

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo
    from icmass.simulate.population.parameters import Population

__all__ = ["GalaxyParameters", "paint_galaxies"]

Floats = NDArray[np.float64]


class GalaxyParameters(Config):
    """How many galaxies haloes have, where, how fast and how massive."""

    richness: Positive
    """Mean number of galaxies within R200c of a halo of the pivot mass."""
    richness_slope: Positive
    richness_scatter: NotNegative
    """Of the natural logarithm, beyond Poisson noise."""
    richness_baryons: Correlation
    """Correlation of the richness with the baryons that a halo kept."""
    richness_star_formation: Correlation
    """Correlation of the richness with the efficiency of star formation."""
    pivot_msun: Positive
    """M500c at which richness and stellar mass are given."""
    substructure_share: Share
    """Greatest share of the galaxies of a halo that its substructures hold."""

    concentration_ratio: Positive
    """Concentration of the galaxies over that of the halo."""
    concentration_scatter: NotNegative
    """Of the natural logarithm."""
    place_shape: NotNegative
    """Power of the axis ratios of the gas that the distribution of galaxies has."""
    velocity_ratio: Positive
    """Velocity dispersion of galaxies over that of dark matter."""
    velocity_scatter: NotNegative
    """Of the natural logarithm of the dispersion at fixed mass."""
    velocity_center: Positive
    """Dispersion at the centre over the mean one."""
    velocity_fall: NotNegative
    """Fall of that ratio out to R200c."""
    velocity_shape: NotNegative
    """Power of the axis ratios that the velocity ellipsoid has."""

    infall_share: NotNegative
    """Galaxies around a halo, outside R200c, over those inside."""
    infall_r200: Range
    infall_velocity: Positive
    """Their dispersion over that of the members."""

    field_density_mpc_h: NotNegative
    """Galaxies in no halo of the list, per comoving (Mpc/h)^3."""
    field_speed_kms: NotNegative
    """Scatter of a component of their peculiar velocity."""

    half_width_mpc_h: Positive
    """Half side of the square of galaxies, physical."""
    max_velocity_kms: Positive
    """Greatest velocity along the line of sight."""

    stellar_fraction: Positive
    """Stellar over total mass inside R500c at the pivot."""
    stellar_slope: Positive
    """Power of the total mass that the stellar mass follows."""
    stellar_scatter: NotNegative
    """Of the natural logarithm."""
    stellar_star_formation: Correlation
    """Correlation of the stellar mass with the efficiency of star formation."""
    satellite_slope: Number
    """Slope of the Schechter function of satellites, dN/dM ~ M^slope."""
    satellite_mass_msun: Positive
    """Its break."""
    satellite_min_msun: Positive
    """Least stellar mass of a galaxy that is seen."""
    central_share: Share
    """Least share of the stellar mass in the central galaxy with the light around it."""

    @model_validator(mode="after")
    def _correlations(self) -> "GalaxyParameters":
        if self.richness_baryons**2 + self.richness_star_formation**2 > 1.0:
            raise ValueError(
                "richness_baryons and richness_star_formation: must have squares that sum to at "
                f"most 1; got {self.richness_baryons} and {self.richness_star_formation}"
            )
        return self


def paint_galaxies(
    halo: "MainHalo",
    structures: Structures,
    population: "Population",
    seed: int,
    line_of_sight: int,
) -> SceneGalaxies:
    """Draw the galaxies of a field.

    The galaxies of the halo, its substructures and companions are the same for all lines of sight;
    those of neighbours and the field are not.

    Parameters
    ----------
    halo : MainHalo
    structures : Structures
        From `draw_structures`.
    population : Population
    seed : int
    line_of_sight : int

    Returns
    -------
    SceneGalaxies
        Those inside the square and the range of velocities; the first is the central galaxy.
    """
    parameters = population.galaxies
    cosmology = population.haloes.cosmology()
    hubble_kms_mpc = cosmology.H0.value * float(cosmology.efunc(halo.redshift))
    names = ("population", halo.snapshot_id, halo.halo_id)
    body = np.random.default_rng(stream(seed, *names, "galaxies"))
    sight = np.random.default_rng(stream(seed, *names, line_of_sight, "galaxies"))

    sigma = parameters.velocity_ratio * velocity_dispersion_kms(
        structures.m200c_msun, hubble_kms_mpc, population.structures
    )
    counts = _counts(halo, structures, parameters, (body, sight))
    rows = np.arange(len(structures))
    inner, outer = np.split(rows, [len(counts[0])])
    own = Placed.join(
        place_members(structures, sigma, inner, counts[0], parameters, body),
        place_infalling(structures, sigma[0], counts[0][0], parameters, body),
    )
    foreign = Placed.join(
        place_members(structures, sigma, outer, counts[1], parameters, sight),
        place_field(halo.redshift, cosmology.h, hubble_kms_mpc, parameters, sight),
    )
    placed = Placed.join(own, foreign)
    of_halo = placed.of_kind(structures, StructureKind.MAIN, StructureKind.SUBSTRUCTURE)
    mass = np.concatenate(
        [
            draw_satellites(len(own.host), parameters, body),
            draw_satellites(len(foreign.host), parameters, sight),
        ]
    )
    radius = np.linalg.norm(placed.position_kpc, axis=1)
    give_centrals(
        structures, placed.host, of_halo & (radius < halo.r500c_kpc), mass, parameters, body
    )

    half_kpc = 1000.0 * parameters.half_width_mpc_h / cosmology.h
    seen = (np.abs(placed.position_kpc[:, :2]) < half_kpc).all(axis=1)
    seen &= np.abs(placed.v_los_km_s) < parameters.max_velocity_kms
    member = of_halo & (radius < halo.r200c_kpc)
    return SceneGalaxies(
        placed.position_kpc[seen], placed.v_los_km_s[seen], mass[seen], member[seen]
    )


def _counts(
    halo: "MainHalo",
    structures: Structures,
    parameters: GalaxyParameters,
    generators: tuple[np.random.Generator, np.random.Generator],
) -> list[NDArray[np.int64]]:
    """Draw the galaxies of every structure: of those up to companions, and of neighbours.

    Each has at least its central one, and each group its own generator.
    """
    foreign = structures.kind == StructureKind.NEIGHBOUR
    groups = [np.flatnonzero(~foreign), np.flatnonzero(foreign)]
    parts = zip(generators, groups, strict=True)
    offset = np.concatenate([rng.standard_normal(len(rows)) for rng, rows in parts])
    shared = np.array([parameters.richness_baryons, parameters.richness_star_formation])
    offset[0] *= np.sqrt(1.0 - shared @ shared)
    offset[0] += shared @ [halo.baryons, halo.star_formation]
    mass = structures.m500c_msun / parameters.pivot_msun
    mean = parameters.richness * mass**parameters.richness_slope
    mean *= np.exp(parameters.richness_scatter * offset)
    # The galaxies of substructures are among those of the halo.
    fallen = structures.kind == StructureKind.SUBSTRUCTURE
    held = mean[fallen].sum()
    if held > 0.0:
        kept = min(held, parameters.substructure_share * mean[0])
        mean[fallen] *= kept / held
        mean[0] -= kept
    satellites = np.maximum(mean - 1.0, 0.0)
    parts = zip(generators, groups, strict=True)
    return [1 + rng.poisson(satellites[rows]) for rng, rows in parts]
