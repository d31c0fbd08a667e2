"""Kernels that place gas particles: every random number is found by its place, none by its turn.

One thread does all the work of a cluster, so that the result cannot depend on their number; many
clusters are painted at once by many processes.
"""

import math

import numba
import numpy as np

from icmass.simulate.photons.random_kernels import substream, uniform

__all__ = ["paint_bridges", "paint_shells"]


@numba.njit(cache=True, nogil=True, inline="always")
def _bell(word):
    """Nearly normal number of unit variance from a uniform one: the sum of four 13-bit pieces."""
    bits = np.int64(word * 4503599627370496.0)
    total = (bits & 8191) + ((bits >> 13) & 8191) + ((bits >> 26) & 8191) + ((bits >> 39) & 8191)
    return (total - 16382.0) * (math.sqrt(3.0) / 8191.0)


@numba.njit(cache=True, nogil=True)
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
    particle_volume,
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
    particle_mass, density, kt, metallicity, fluctuation, turbulence, particle_volume : shape (n, k)
        By shell; the volume (kpc^3) is what a particle stands for.
    axes : float64 array, shape (n, 3, 3)
        Rows are the half axes that belong to R500c, kpc.
    center, motion : float64 array, shape (n, 3)
        kpc, km/s.
    peak : float64 array, shape (n, 3)
        Where the innermost gas lies, kpc from the centre.
    phase : float64 array, shape (n, 3)
        Shift of the cube of fluctuations.
    cool_share : float64 array, shape (n,)
    cool_factor, fluctuation_kt, kt_scatter, kt_min, metallicity_scatter : float
    cube : float32 array, shape (c, c, c, 4)
        Unit fields of ln n and the velocity; c is a power of 2.
    cells_per_r500 : float
    position, velocity, out_* : arrays to fill
        ``out_measure`` is mass times density, Msun^2/kpc^3; ``out_support`` the radius of a
        sphere of 48 particles, kpc.
    """
    wrap = cube.shape[0] - 1
    for structure in range(len(first) - 1):
        begin, end = first[structure], first[structure + 1]
        shell = 0
        for row in range(begin, end):
            start = substream(key, np.uint64(row))
            place = (row - begin + uniform(start, np.uint64(0))) / (end - begin)
            while cumulative[structure, shell + 1] <= place and shell < len(edges) - 2:
                shell += 1
            inner, outer = edges[shell] ** 3, edges[shell + 1] ** 3
            x = np.cbrt(inner + uniform(start, np.uint64(1)) * (outer - inner))
            up = 2.0 * uniform(start, np.uint64(2)) - 1.0
            angle = 2.0 * math.pi * uniform(start, np.uint64(3))
            across = x * math.sqrt(1.0 - up * up)
            u, v, w = across * math.cos(angle), across * math.sin(angle), x * up

            # A step within the cell is left to chance: on average that is linear interpolation.
            jitter = uniform(start, np.uint64(4)) * 1024.0
            first_jitter = math.floor(jitter) / 1024.0
            jitter = (jitter - math.floor(jitter)) * 1024.0
            second_jitter = math.floor(jitter) / 1024.0
            third_jitter = jitter - math.floor(jitter)
            i = math.floor(u * cells_per_r500 + phase[structure, 0] + first_jitter) & wrap
            j = math.floor(v * cells_per_r500 + phase[structure, 1] + second_jitter) & wrap
            k = math.floor(w * cells_per_r500 + phase[structure, 2] + third_jitter) & wrap

            rms = fluctuation[structure, shell]
            swell = rms * cube[i, j, k, 0]
            denser = math.exp(swell - 0.5 * rms * rms)
            # Keeps the mass-weighted temperature where it was.
            less = 1.0 - fluctuation_kt
            warm = -fluctuation_kt * swell + 0.5 * rms * rms * (1.0 - less * less)
            warm += kt_scatter * _bell(uniform(start, np.uint64(5))) - 0.5 * kt_scatter**2
            compression = 1.0
            if uniform(start, np.uint64(6)) < cool_share[structure]:
                compression = cool_factor
            mass = particle_mass[structure, shell] * denser
            temperature = kt[structure, shell] * math.exp(warm) / compression
            metals = 1.0 + metallicity_scatter * _bell(uniform(start, np.uint64(7)))

            shift = math.exp(-((x / 0.25) ** 2)) if x < 1.0 else 0.0
            speed = turbulence[structure, shell]
            for d in range(3):
                position[row, d] = (
                    center[structure, d]
                    + shift * peak[structure, d]
                    + u * axes[structure, 0, d]
                    + v * axes[structure, 1, d]
                    + w * axes[structure, 2, d]
                )
                velocity[row, d] = motion[structure, d] + speed * cube[i, j, k, 1 + d]
            out_kt[row] = max(temperature, kt_min)
            out_metallicity[row] = metallicity[structure, shell] * max(metals, 0.0)
            out_mass[row] = mass
            out_measure[row] = mass * density[structure, shell] * denser * compression
            out_support[row] = np.cbrt(
                36.0 / math.pi * particle_volume[structure, shell] / (compression * denser)
            )


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
    position, velocity, out_* : arrays to fill
        As in `paint_shells`.
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
            out_kt[row] = kt[bridge] * math.exp(0.3 * _bell(uniform(start, np.uint64(3))) - 0.045)
            out_mass[row] = particle_mass[bridge]
            out_measure[row] = particle_mass[bridge] * density[bridge]
            out_support[row] = np.cbrt(36.0 / math.pi * particle_mass[bridge] / density[bridge])
