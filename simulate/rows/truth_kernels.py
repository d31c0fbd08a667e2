"""Sums over the gas inside R500c, in one pass."""

import math

import numba

from icmass.simulate.photons.emitter_kernels import fractional_node, mixture

__all__ = ["SUMS", "sphere_sums"]

# What `sphere_sums` returns, in its order. Weights: mass, soft luminosity, spectroscopic-like.
SUMS = (
    "mass",
    "mass_kt",
    "mass_x",
    "mass_y",
    "mass_z",
    "bolometric",
    "soft",
    "soft_metallicity",
    "spectroscopic",
    "spectroscopic_kt",
    "outer_spectroscopic",
    "outer_spectroscopic_kt",
    "shell_count",
    "shell_mass",
    "shell_mass2_per_measure",
)


@numba.njit(cache=True, nogil=True)
def sphere_sums(
    gas, radius, core, shell, floor_kev, exponent, log_kt_nodes, bolometric, soft, sums
):
    """Add up the gas inside a sphere about the origin.

    Parameters
    ----------
    gas : tuple of arrays
        Position (n, 3) [kpc], kT [keV], metallicity, emission measure [cm^-3], mass [Msun].
    radius, core : float
        Of the sphere, and inside which the core is left out of the outer sums, kpc.
    shell : (float, float)
        Radii of a thin shell, kpc.
    floor_kev, exponent : float
        Spectroscopic-like weights are EM kT^exponent above a temperature.
    log_kt_nodes : float64 array, shape (n_kt,)
        Temperatures of the table of luminosities, ln keV.
    bolometric, soft : float64 arrays, shape (n_kt, 2)
        Luminosity for unit emission measure without metals, and per solar metallicity.
    sums : float64 array
        Added to, in the order of `SUMS`.
    """
    position, kt_kev, metallicity, measure, mass = gas
    for i in range(kt_kev.shape[0]):
        x, y, z = position[i, 0], position[i, 1], position[i, 2]
        squared = x * x + y * y + z * z
        if squared >= radius * radius:
            continue
        kt, m = kt_kev[i], mass[i]
        log_kt = math.log(max(kt, 1e-30))
        node = fractional_node(log_kt, log_kt_nodes)
        light = measure[i] * mixture(soft, node, metallicity[i])
        sums[0] += m
        sums[1] += m * kt
        sums[2] += m * x
        sums[3] += m * y
        sums[4] += m * z
        sums[5] += measure[i] * mixture(bolometric, node, metallicity[i])
        sums[6] += light
        sums[7] += light * metallicity[i]
        if kt > floor_kev:
            weight = measure[i] * math.exp(exponent * log_kt)
            sums[8] += weight
            sums[9] += weight * kt
            if squared >= core * core:
                sums[10] += weight
                sums[11] += weight * kt
        if shell[0] * shell[0] <= squared < shell[1] * shell[1] and measure[i] > 0.0:
            sums[12] += 1.0
            sums[13] += m
            sums[14] += m * m / measure[i]
