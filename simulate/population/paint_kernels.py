"""Kernels that place gas particles: every random number is found by its place, none by its turn.

One thread does all the work of a cluster, so that the result cannot depend on their number; many
clusters are painted at once by many processes.
"""

import math

import numba
import numpy as np

from icmass.simulate.photons.random_kernels import substream, uniform

__all__ = ["FIELD_STEP", "paint_bridges", "paint_shells"]

FIELD_STEP = 1.0 / 32.0  # of the rms of a field of fluctuations
_STEP = 1.0 / 1024.0
_TO_UNIT_VARIANCE = math.sqrt(6.0) / 8192.0


@numba.njit(cache=True, nogil=True, inline="always")
def _bells(word):
    """Two numbers of zero mean and unit variance, triangular, from one uniform number."""
    bits = np.int64(word * 4503599627370496.0)
    one = (bits & 8191) + ((bits >> 13) & 8191) - 8191
    other = ((bits >> 26) & 8191) + ((bits >> 39) & 8191) - 8191
    return one * _TO_UNIT_VARIANCE, other * _TO_UNIT_VARIANCE


@numba.njit(cache=True, nogil=True, inline="always")
def _on_sphere(start, radius):
    """A place on the sphere of this radius, by the third and fourth number of the particle."""
    up = 2.0 * uniform(start, np.uint64(2)) - 1.0
    angle = 2.0 * math.pi * uniform(start, np.uint64(3))
    across = radius * math.sqrt(1.0 - up * up)
    return across * math.cos(angle), across * math.sin(angle), radius * up


@numba.njit(cache=True, nogil=True, inline="always")
def _cell(start, u, v, w, phase, cells_per_r500, wrap):
    """The cell of the cube at a place in R500c.

    A step within the cell is left to chance: on average that is linear interpolation.
    """
    steps = np.int64(uniform(start, np.uint64(4)) * 1073741824.0)
    i = math.floor(u * cells_per_r500 + phase[0] + (steps & 1023) * _STEP) & wrap
    j = math.floor(v * cells_per_r500 + phase[1] + (steps >> 10 & 1023) * _STEP) & wrap
    k = math.floor(w * cells_per_r500 + phase[2] + (steps >> 20) * _STEP) & wrap
    return i, j, k


@numba.njit(cache=True, nogil=True, error_model="numpy")
def paint_shells(
    key,
    first,
    edges,
    cumulative,
    particle_mass,
    density,
    kt,
    metallicity,
    fluctuation,
    turbulence,
    particle_support,
    axes,
    center,
    motion,
    peak,
    phase,
    cool_share,
    cool_factor,
    fluctuation_kt,
    kt_scatter,
    kt_min,
    metallicity_scatter,
    cube,
    cells_per_r500,
    position,
    velocity,
    out_kt,
    out_metallicity,
    out_measure,
    out_mass,
    out_support,
):
    """Place the particles of every structure.

    Parameters
    ----------
    key : uint64 array, shape (2,)
    first : int64 array, shape (n + 1,)
        Particle at which each structure begins.
    edges : float64 array, shape (k + 1,)
        Of shells, in R500c.
    cumulative : float64 array, shape (n, k + 1)
        Share of the particles inside each edge.
    particle_mass, density, kt, metallicity, fluctuation, turbulence : float64 array, shape (n, k)
        By shell: Msun, Msun/kpc^3, keV, solar, rms of ln n, km/s.
    particle_support : float64 array, shape (n, k)
        Of a particle where the density is the mean one, kpc.
    axes : float64 array, shape (n, 3, 3)
        Rows are the half axes that belong to R500c, kpc.
    center, motion : float64 array, shape (n, 3)
        kpc, km/s.
    peak : float64 array, shape (n, 3)
        Where the innermost gas lies, kpc from the centre.
    phase : float64 array, shape (n, 3)
        Shift of the cube of fluctuations.
    cool_share : float64 array, shape (n,)
        Share of the particles that are of the cool phase.
    cool_factor, fluctuation_kt, kt_scatter, kt_min, metallicity_scatter : float
    cube : int8 array, shape (c, c, c, 4)
        ln n and the velocity in steps of `FIELD_STEP` of their rms; c is a power of 2.
    cells_per_r500 : float
    position, velocity : float64 array, shape (n_particle, 3)
        To fill, kpc and km/s.
    out_kt, out_metallicity, out_measure, out_mass, out_support : float64 array, shape (n_particle,)
        To fill: keV, solar, mass times density in Msun^2/kpc^3, Msun, kpc.
    """
    wrap = cube.shape[0] - 1
    cool_support = cool_factor ** (-1.0 / 3.0)
    less = 1.0 - fluctuation_kt
    widths = np.diff(edges)
    for structure in range(len(first) - 1):
        begin, end = first[structure], first[structure + 1]
        inside = cumulative[structure]
        step = 1.0 / max(end - begin, 1)
        half_axes, middle = axes[structure], center[structure]
        shell = 0
        for row in range(begin, end):
            start = substream(key, np.uint64(row))
            place = (row - begin + uniform(start, np.uint64(0))) * step
            while inside[shell + 1] <= place and shell < len(widths) - 1:
                shell += 1
            # Shells are too thin for the volume inside them to matter.
            x = edges[shell] + widths[shell] * uniform(start, np.uint64(1))
            u, v, w = _on_sphere(start, x)
            i, j, k = _cell(start, u, v, w, phase[structure], cells_per_r500, wrap)

            rms = fluctuation[structure, shell]
            variance = rms * rms
            swell = rms * FIELD_STEP * cube[i, j, k, 0]
            log_density = swell - 0.5 * variance
            denser = math.exp(log_density)
            # The last term keeps the mass-weighted temperature where it was.
            warm = -fluctuation_kt * swell + 0.5 * variance * (1.0 - less * less)
            chance_kt, chance_metals = _bells(uniform(start, np.uint64(5)))
            warm += kt_scatter * (chance_kt - 0.5 * kt_scatter)
            temperature = kt[structure, shell] * math.exp(warm)
            support = particle_support[structure, shell] * math.exp(log_density * (-1.0 / 3.0))
            mass = particle_mass[structure, shell] * denser
            measure = mass * density[structure, shell] * denser
            if uniform(start, np.uint64(6)) < cool_share[structure]:
                temperature /= cool_factor
                measure *= cool_factor
                support *= cool_support
            metals = 1.0 + metallicity_scatter * chance_metals

            # Only the innermost gas sloshes.
            shift = max(0.0, 1.0 - 4.0 * x * x) ** 2
            speed = FIELD_STEP * turbulence[structure, shell]
            for d in range(3):
                position[row, d] = (
                    middle[d]
                    + shift * peak[structure, d]
                    + u * half_axes[0, d]
                    + v * half_axes[1, d]
                    + w * half_axes[2, d]
                )
                velocity[row, d] = motion[structure, d] + speed * cube[i, j, k, 1 + d]
            out_kt[row] = max(temperature, kt_min)
            out_metallicity[row] = metallicity[structure, shell] * max(metals, 0.0)
            out_mass[row] = mass
            out_measure[row] = measure
            out_support[row] = support


@numba.njit(cache=True, nogil=True)
def paint_bridges(
    key,
    first,
    begin_at,
    end_at,
    radius,
    particle_mass,
    density,
    kt,
    position,
    velocity,
    out_kt,
    out_mass,
    out_measure,
    out_support,
):
    """Place the particles of filaments evenly along and about their axes.

    Parameters
    ----------
    key : uint64 array, shape (2,)
    first : int64 array, shape (n + 1,)
        Particle at which each filament begins.
    begin_at, end_at : float64 array, shape (n, 3)
        Ends of the axes, kpc.
    radius, particle_mass, density, kt : float64 array, shape (n,)
        kpc, Msun, Msun/kpc^3, keV.
    position, velocity, out_kt, out_mass, out_measure, out_support
        To fill, as in `paint_shells`.
    """
    for bridge in range(len(first) - 1):
        axis = end_at[bridge] - begin_at[bridge]
        length = math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2)
        axis = axis / max(length, 1e-30)
        helper = np.zeros(3)
        helper[np.argmin(np.abs(axis))] = 1.0
        side = np.cross(helper, axis)
        side = side / math.sqrt(side[0] ** 2 + side[1] ** 2 + side[2] ** 2)
        other = np.cross(axis, side)
        for row in range(first[bridge], first[bridge + 1]):
            start = substream(key, np.uint64(row))
            along = length * uniform(start, np.uint64(0))
            away = radius[bridge] * math.sqrt(uniform(start, np.uint64(1)))
            angle = 2.0 * math.pi * uniform(start, np.uint64(2))
            for d in range(3):
                position[row, d] = (
                    begin_at[bridge, d]
                    + along * axis[d]
                    + away * (math.cos(angle) * side[d] + math.sin(angle) * other[d])
                )
                velocity[row, d] = 0.0
            out_kt[row] = kt[bridge] * math.exp(
                0.3 * _bells(uniform(start, np.uint64(3)))[0] - 0.045
            )
            out_mass[row] = particle_mass[bridge]
            out_measure[row] = particle_mass[bridge] * density[bridge]
            out_support[row] = np.cbrt(36.0 / math.pi * particle_mass[bridge] / density[bridge])
