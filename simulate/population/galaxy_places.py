"""Where galaxies are and how fast they move along the line of sight.

Physical kpc and km/s about the main halo, in the frame of the observer.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

from icmass.simulate.population.shapes import random_directions, stretch
from icmass.simulate.population.structure_list import StructureKind, Structures

if TYPE_CHECKING:
    from icmass.simulate.population.galaxies import GalaxyParameters

__all__ = ["Placed", "place_field", "place_infalling", "place_members"]

Floats = NDArray[np.float64]


class Placed(NamedTuple):
    """Galaxies, one row each: position (n, 3), velocity (n,), row of their structure or -1 (n,)."""

    position_kpc: Floats
    v_los_km_s: Floats
    host: NDArray[np.intp]

    @staticmethod
    def join(*parts: "Placed") -> "Placed":
        """Return one list of several, in the order of `parts`."""
        return Placed(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def of_kind(self, structures: Structures, *kinds: StructureKind) -> NDArray[np.bool_]:
        """Tell which galaxies belong to `structures` of these `kinds`, shape (n,)."""
        return (self.host >= 0) & np.isin(structures.kind, kinds)[self.host]


def place_members(
    structures: Structures,
    sigma_kms: Floats,
    rows: NDArray[np.intp],
    counts: NDArray[np.int64],
    parameters: "GalaxyParameters",
    rng: np.random.Generator,
) -> Placed:
    """Place the galaxies of some structures; the first of each is at rest in its centre.

    Parameters
    ----------
    structures : Structures
    sigma_kms : ndarray, shape (n_structures,)
        Mean velocity dispersions.
    rows : ndarray of int, shape (n,)
        Which structures.
    counts : ndarray of int, shape (n,)
        Galaxies of each, at least 1.
    parameters : GalaxyParameters
    rng : numpy.random.Generator

    Returns
    -------
    Placed
        Structure by structure.
    """
    scatter = rng.standard_normal((2, len(rows)))
    ratio = np.exp(parameters.concentration_scatter * scatter[0])
    concentration = parameters.concentration_ratio * structures.concentration[rows] * ratio
    sigma = sigma_kms[rows] * np.exp(parameters.velocity_scatter * scatter[1])
    place_axes = stretch(structures.axis_ratio[rows], parameters.place_shape)
    velocity_axes = stretch(structures.axis_ratio[rows], parameters.velocity_shape)

    of_row = np.repeat(np.arange(len(rows)), counts)
    host = rows[of_row]
    radius = _nfw_radii(concentration[of_row], rng)
    speed = sigma[of_row] * (parameters.velocity_center - parameters.velocity_fall * radius)
    central = np.cumsum(counts) - counts
    radius[central] = speed[central] = 0.0

    place = place_axes[of_row] * random_directions(len(host), rng)
    motion = velocity_axes[of_row] * rng.standard_normal((len(host), 3))
    orientation = structures.orientation[host]
    distance = radius * structures.r200c_kpc[host]
    position = structures.position_kpc[host] + distance[:, None] * _turned(orientation, place)
    velocity = structures.velocity_kms[host, 2] + speed * _turned(orientation, motion)[:, 2]
    return Placed(position, velocity, host)


def place_infalling(
    structures: Structures,
    sigma_kms: float,
    members: int,
    parameters: "GalaxyParameters",
    rng: np.random.Generator,
) -> Placed:
    """Place the galaxies about to fall into the main halo, outside its R200c.

    Parameters
    ----------
    structures : Structures
        Row 0 is the halo.
    sigma_kms : float
        Velocity dispersion of its members.
    members : int
        Galaxies that it has; those about to fall in are a share of as many.
    parameters : GalaxyParameters
    rng : numpy.random.Generator

    Returns
    -------
    Placed
    """
    count = int(rng.poisson(parameters.infall_share * members))
    low, high = parameters.infall_r200
    radius = structures.r200c_kpc[0] * low * (high / low) ** rng.random(count)
    axes = stretch(structures.axis_ratio[:1], parameters.place_shape)
    direction = _turned(structures.orientation[0], axes * random_directions(count, rng))
    motion = _turned(structures.orientation[0], rng.standard_normal((count, 3)))
    velocity = parameters.infall_velocity * sigma_kms * motion[:, 2]
    return Placed(radius[:, None] * direction, velocity, np.full(count, -1))


def place_field(
    redshift: float,
    h: float,
    hubble_kms_mpc: float,
    parameters: "GalaxyParameters",
    rng: np.random.Generator,
) -> Placed:
    """Place galaxies uniformly in a square column, as deep as the range of velocities is.

    Parameters
    ----------
    redshift : float
        Of the main halo.
    h : float
        Hubble constant today over 100 km/s/Mpc.
    hubble_kms_mpc : float
        H(z), by which distances along the line of sight become velocities.
    parameters : GalaxyParameters
    rng : numpy.random.Generator

    Returns
    -------
    Placed
    """
    half_mpc = parameters.half_width_mpc_h / h
    # Three scatters more, so that peculiar velocities bring in as many as they take out.
    deep_kms = parameters.max_velocity_kms + 3.0 * parameters.field_speed_kms
    deep_mpc = deep_kms / hubble_kms_mpc
    volume = 8.0 * half_mpc**2 * deep_mpc * (h * (1.0 + redshift)) ** 3
    count = int(rng.poisson(parameters.field_density_mpc_h * volume))
    position_mpc = rng.uniform(-1.0, 1.0, (count, 3)) * [half_mpc, half_mpc, deep_mpc]
    velocity = hubble_kms_mpc * position_mpc[:, 2]
    velocity += parameters.field_speed_kms * rng.standard_normal(count)
    return Placed(1000.0 * position_mpc, velocity, np.full(count, -1))


def _turned(orientation: Floats, vectors: Floats) -> Floats:
    """Turn vectors given along the axes of ellipsoids to the frame of the observer."""
    return np.einsum("...kj,...k->...j", orientation, vectors)


def _nfw_radii(concentration: Floats, rng: np.random.Generator) -> Floats:
    """Draw radii in R200c from NFW profiles that end there, shape (n,)."""
    whole = np.log1p(concentration) - concentration / (1.0 + concentration)
    enclosed = whole * rng.random(len(concentration))
    # ln(1 + x) - x / (1 + x) = m is solved by 1 + x = -1 / W0(-exp(-1 - m)).
    return (-1.0 / lambertw(-np.exp(-1.0 - enclosed)).real - 1.0) / concentration
