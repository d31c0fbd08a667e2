"""Galaxies of a field: members of every structure on its list, infalling ones and the field's.

Stellar masses in Msun, positions in physical kpc and velocities in km/s about the main halo, in the
frame of the observer.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

from icmass.config import Config
from icmass.config.base import NotNegative, Number, Positive
from icmass.simulate.population.infalling import Range
from icmass.simulate.population.shapes import random_directions, stretch
from icmass.simulate.population.structure_list import StructureKind, Structures
from icmass.simulate.population.structures import velocity_dispersion_kms
from icmass.simulate.rng import stream
from icmass.simulate.scene import SceneGalaxies

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo
    from icmass.simulate.population.parameters import Population

__all__ = ["GalaxyParameters", "paint_galaxies", "stellar_mass_msun"]

Floats = NDArray[np.float64]

_MASS_NODES = 300


class GalaxyParameters(Config):
    """How many galaxies haloes have, where, how fast and how massive."""

    richness: Positive
    """Mean number of galaxies within R200c of a halo of the pivot mass."""
    richness_slope: Positive
    richness_scatter: NotNegative
    """Of the natural logarithm, beyond Poisson noise."""
    richness_baryons: Number
    """Correlation of the richness with the baryons that a halo kept."""
    pivot_msun: Positive
    """M500c at which richness and stellar mass are given."""
    substructure_share: Positive
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
    stellar_star_formation: Number
    """Correlation of the stellar mass with the efficiency of star formation."""
    satellite_slope: Number
    """Slope of the Schechter function of satellites, dN/dM ~ M^slope."""
    satellite_mass_msun: Positive
    """Its break."""
    satellite_min_msun: Positive
    """Least stellar mass of a galaxy that is seen."""
    central_share: Positive
    """Least share of the stellar mass in the central galaxy with the light around it."""


def stellar_mass_msun(
    m500c_msun: Floats, star_formation: Floats, normal: Floats, parameters: GalaxyParameters
) -> Floats:
    """Return the stellar mass inside R500c, shape (n,).

    Parameters
    ----------
    m500c_msun : ndarray, shape (n,)
    star_formation, normal : ndarray, shape (n,)
        Standard normal: the cause that gas and stars share, and that of the stars alone.
    parameters : GalaxyParameters
    """
    shared = parameters.stellar_star_formation
    offset = shared * star_formation + np.sqrt(1.0 - shared**2) * normal
    mean = parameters.stellar_fraction * parameters.pivot_msun
    power_law = mean * (m500c_msun / parameters.pivot_msun) ** parameters.stellar_slope
    return power_law * np.exp(parameters.stellar_scatter * offset)


def paint_galaxies(
    halo: "MainHalo",
    structures: Structures,
    population: "Population",
    seed: int,
    line_of_sight: int,
) -> SceneGalaxies:
    """Draw the galaxies of a field.

    The galaxies of the halo itself are the same for all its lines of sight; those of its
    surroundings are not.

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
    counts = _counts(halo, structures, parameters, body, sight)
    main = _members(structures, sigma, np.array([0]), counts[:1], parameters, body)
    others = np.arange(1, len(structures))
    rest = _members(structures, sigma, others, counts[1:], parameters, sight)
    infalling = _infalling(structures, sigma[0], counts[0], parameters, body)
    field = _field(halo, cosmology.h, hubble_kms_mpc, parameters, sight)

    parts = (main, rest, infalling, field)
    position = np.concatenate([part[0] for part in parts])
    velocity = np.concatenate([part[1] for part in parts])
    host = np.concatenate(
        [
            np.zeros(len(main[0]), dtype=np.intp),
            _hosts(others, counts[1:]),
            np.full(len(infalling[0]) + len(field[0]), -1),
        ]
    )
    mass = np.concatenate(
        [
            _satellite_masses(len(main[0]), parameters, body),
            _satellite_masses(len(rest[0]), parameters, sight),
            _satellite_masses(len(infalling[0]) + len(field[0]), parameters, sight),
        ]
    )
    _give_centrals(halo, structures, host, position, mass, parameters, body)
    kind = np.append(structures.kind, StructureKind.NEIGHBOUR)[host]
    radius = np.sqrt(np.einsum("ij,ij->i", position, position))
    member = (kind <= StructureKind.SUBSTRUCTURE) & (radius < halo.r200c_kpc)
    half_kpc = 1000.0 * parameters.half_width_mpc_h / cosmology.h
    seen = (np.abs(position[:, :2]) < half_kpc).all(axis=1)
    seen &= np.abs(velocity) < parameters.max_velocity_kms
    return SceneGalaxies(position[seen], velocity[seen], mass[seen], member[seen])


def _counts(
    halo: "MainHalo",
    structures: Structures,
    parameters: GalaxyParameters,
    body: np.random.Generator,
    sight: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw the number of galaxies of every structure; each has at least its central one."""
    mean = (
        parameters.richness
        * (structures.m500c_msun / parameters.pivot_msun) ** parameters.richness_slope
    )
    shared = parameters.richness_baryons
    own = shared * halo.baryons + np.sqrt(1.0 - shared**2) * body.standard_normal()
    offset = np.concatenate([[own], sight.standard_normal(len(mean) - 1)])
    mean *= np.exp(parameters.richness_scatter * offset)
    # The galaxies of substructures are among those of the halo.
    inside = structures.kind == StructureKind.SUBSTRUCTURE
    held = mean[inside].sum()
    if held > 0.0:
        kept = min(held, parameters.substructure_share * mean[0])
        mean[inside] *= kept / held
        mean[0] -= kept
    satellites = np.maximum(mean - 1.0, 0.0)
    return 1 + np.concatenate([[body.poisson(satellites[0])], sight.poisson(satellites[1:])])


def _hosts(rows: NDArray[np.intp], counts: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.repeat(rows, counts)


def _members(
    structures: Structures,
    sigma_kms: Floats,
    rows: NDArray[np.intp],
    counts: NDArray[np.int64],
    parameters: GalaxyParameters,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw positions (n, 3) and line-of-sight velocities (n,) of the galaxies of structures.

    The first galaxy of each is at rest in its centre.
    """
    host = _hosts(rows, counts)
    scatter = parameters.concentration_scatter * rng.standard_normal(len(rows))
    ratio = parameters.concentration_ratio * np.exp(scatter)
    concentration = np.repeat(structures.concentration[rows] * ratio, counts)
    radius = _nfw_radii(concentration, rng)
    central = np.cumsum(counts) - counts
    radius[central] = 0.0
    axes = stretch(structures.axis_ratio[rows], parameters.place_shape)
    place = _along_axes(
        structures.orientation[host],
        np.repeat(axes, counts, axis=0) * random_directions(len(host), rng),
    )
    position = (
        structures.position_kpc[host] + (radius * structures.r200c_kpc[host])[:, None] * place
    )
    sigma = sigma_kms[rows] * np.exp(parameters.velocity_scatter * rng.standard_normal(len(rows)))
    trend = parameters.velocity_center - parameters.velocity_fall * radius
    trend[central] = 0.0
    ellipsoid = np.repeat(
        stretch(structures.axis_ratio[rows], parameters.velocity_shape), counts, axis=0
    )
    spread = np.repeat(sigma, counts) * trend
    motion = ellipsoid * rng.standard_normal((len(host), 3))
    velocity = (
        structures.velocity_kms[host, 2]
        + spread * _along_axes(structures.orientation[host], motion)[:, 2]
    )
    return position, velocity


def _infalling(
    structures: Structures,
    sigma_kms: float,
    members: int,
    parameters: GalaxyParameters,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw the galaxies just outside the main halo, in the frame of the observer."""
    count = int(rng.poisson(parameters.infall_share * members))
    low, high = parameters.infall_r200
    radius = structures.r200c_kpc[0] * low * (high / low) ** rng.random(count)
    axes = stretch(structures.axis_ratio[:1], parameters.place_shape)
    direction = _along_axes(structures.orientation[0], axes * random_directions(count, rng))
    motion = _along_axes(structures.orientation[0], rng.standard_normal((count, 3)))
    return radius[:, None] * direction, parameters.infall_velocity * sigma_kms * motion[:, 2]


def _field(
    halo: "MainHalo",
    h: float,
    hubble_kms_mpc: float,
    parameters: GalaxyParameters,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw galaxies uniformly in the cylinder, as deep as the range of velocities is."""
    half_mpc = parameters.half_width_mpc_h / h
    # Three scatters more, so that peculiar velocities bring in as many as they take out.
    deep_kms = parameters.max_velocity_kms + 3.0 * parameters.field_speed_kms
    deep_mpc = deep_kms / hubble_kms_mpc
    volume = 8.0 * half_mpc**2 * deep_mpc * (h * (1.0 + halo.redshift)) ** 3
    count = int(rng.poisson(parameters.field_density_mpc_h * volume))
    position_mpc = rng.uniform(-1.0, 1.0, (count, 3)) * [half_mpc, half_mpc, deep_mpc]
    velocity = hubble_kms_mpc * position_mpc[:, 2]
    velocity += parameters.field_speed_kms * rng.standard_normal(count)
    return 1000.0 * position_mpc, velocity


def _along_axes(orientation: Floats, vectors: Floats) -> Floats:
    """Turn vectors given along the axes of ellipsoids to the frame of the observer."""
    return np.einsum("...kj,...k->...j", orientation, vectors)


def _nfw_radii(concentration: Floats, rng: np.random.Generator) -> Floats:
    """Draw radii in R200c from NFW profiles that end there, shape (n,)."""
    whole = np.log1p(concentration) - concentration / (1.0 + concentration)
    enclosed = whole * rng.random(len(concentration))
    # ln(1 + x) - x / (1 + x) = m is solved by 1 + x = -1 / W0(-exp(-1 - m)).
    return (-1.0 / lambertw(-np.exp(-1.0 - enclosed)).real - 1.0) / concentration


def _satellite_masses(count: int, parameters: GalaxyParameters, rng: np.random.Generator) -> Floats:
    """Draw stellar masses from a Schechter function above the least mass that is seen."""
    x = np.geomspace(
        parameters.satellite_min_msun / parameters.satellite_mass_msun, 10.0, _MASS_NODES
    )
    density = x ** (parameters.satellite_slope + 1.0) * np.exp(-x)
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return parameters.satellite_mass_msun * np.interp(rng.random(count) * below[-1], below, x)


def _give_centrals(
    halo: "MainHalo",
    structures: Structures,
    host: NDArray[np.intp],
    position_kpc: Floats,
    mass_msun: Floats,
    parameters: GalaxyParameters,
    rng: np.random.Generator,
) -> None:
    """Give the central galaxies, first of their host, what satellites leave of the stellar mass.

    Satellites of the main halo are made lighter where they would leave less than the least share.
    """
    normal = np.concatenate([[rng.standard_normal()], np.zeros(len(structures) - 1)])
    stars = stellar_mass_msun(structures.m500c_msun, structures.star_formation, normal, parameters)
    rows, first = np.unique(host, return_index=True)
    centrals = rows >= 0
    mass_msun[first[centrals]] = parameters.central_share * stars[rows[centrals]]

    kind = np.append(structures.kind, StructureKind.NEIGHBOUR)[host]
    radius = np.sqrt(np.einsum("ij,ij->i", position_kpc, position_kpc))
    satellites = (kind <= StructureKind.SUBSTRUCTURE) & (radius < halo.r500c_kpc)
    satellites[0] = False
    most = (1.0 - parameters.central_share) * stars[0]
    mass_msun[satellites] *= min(1.0, most / max(mass_msun[satellites].sum(), 1.0))
    mass_msun[0] = stars[0] - mass_msun[satellites].sum()
