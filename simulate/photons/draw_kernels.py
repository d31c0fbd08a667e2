"""Exact Poisson draws: which emitter sends how many photons, and what each photon becomes.

Draw numbers are positions in a stream (`random_kernels`), so nothing here depends on threads.
"""

import math

import numba
import numpy as np

from icmass.simulate.photons.emitter_kernels import fractional_node
from icmass.simulate.photons.inverse_cdf_kernels import draw_bin
from icmass.simulate.photons.random_kernels import uniform

__all__ = ["BLOCK", "count_blocks", "draw_photons", "fill_parents"]

# Emitters per independent Poisson stream.
BLOCK = 4096
_POINT, _KERNEL, _SQUARE = 0, 1, 2
_TWO_PI = 2.0 * math.pi
_DRAWS_PER_BLOCK = np.uint64(1) << np.uint64(40)
_DRAWS_PER_EVENT = np.uint64(16)
_ONE = np.uint64(1)


@numba.njit(cache=True, nogil=True, inline="always")
def _gap(key, counter):
    return -math.log(1.0 - uniform(key, counter))


@numba.njit(cache=True, nogil=True)
def _walk_block(key, block, expected, parents):
    """Count the photons of one block; write their emitters where `parents` has room.

    Arrivals of a unit-rate Poisson process are laid along the running sum of the expected counts:
    the number that falls on an emitter is Poisson with its expectation, independent of all others.
    """
    counter = np.uint64(block) * _DRAWS_PER_BLOCK
    arrival = _gap(key, counter)
    total = 0.0
    count = 0
    for i in range(block * BLOCK, min((block + 1) * BLOCK, expected.shape[0])):
        total += expected[i]
        while arrival < total:
            if parents.shape[0] > 0:
                parents[count] = i
            count += 1
            counter += _ONE
            arrival += _gap(key, counter)
    return count


@numba.njit(cache=True, nogil=True, parallel=True)
def count_blocks(key, expected, counts):
    """Fill `counts` (int64, one per block of emitters) with the photons of each block."""
    nothing = np.empty(0, dtype=np.int64)
    for block in numba.prange(counts.shape[0]):
        counts[block] = _walk_block(key, block, expected, nothing)


@numba.njit(cache=True, nogil=True, parallel=True)
def fill_parents(key, expected, starts, parents):
    """Fill `parents` (int64, one per photon) with emitters; `starts` has one more than blocks."""
    for block in numba.prange(starts.shape[0] - 1):
        if starts[block + 1] > starts[block]:
            _walk_block(key, block, expected, parents[starts[block] : starts[block + 1]])


@numba.njit(cache=True, nogil=True, inline="always")
def _term(rate, t, k, part, theta, node, mix):
    """Share of one table entry in the mixture at (theta, node, mix)."""
    weight = (1.0 - abs(theta - t)) * (1.0 - abs(node - k))
    return weight * rate[t, k, part] * (mix if part == 1 else 1.0)


@numba.njit(cache=True, nogil=True)
def _pick_spectrum(rate, theta, node, mix, chance):
    """Return (theta index, node index, part) of the mixture's term that holds `chance` in [0, 1)."""
    t0, k0 = int(theta), int(node)
    t1 = t0 + 1 if theta > t0 else t0
    k1 = k0 + 1 if node > k0 else k0
    total = 0.0
    for t in range(t0, t1 + 1):
        for k in range(k0, k1 + 1):
            total += _term(rate, t, k, 0, theta, node, mix)
            total += _term(rate, t, k, 1, theta, node, mix)
    level = chance * total
    last = (t0, k0, 0)
    for t in range(t0, t1 + 1):
        for k in range(k0, k1 + 1):
            for part in range(2):
                term = _term(rate, t, k, part, theta, node, mix)
                if term > 0.0:
                    last = (t, k, part)
                    if level < term:
                        return last
                    level -= term
    return last


@numba.njit(cache=True, nogil=True, inline="always")
def _king_radius(chance, core, power, truncation):
    """Radius that encloses a share `chance` of a King profile cut at its largest radius."""
    return core * math.sqrt(max((1.0 - chance * truncation) ** power - 1.0, 0.0))


@numba.njit(cache=True, nogil=True, parallel=True)
def draw_photons(
    key,
    exposure_s,
    shape,
    parents,
    emitters,
    spectra,
    detector,
    psf,
    field,
    kernel_quantile,
    module_table,
    out_position,
    out_energy,
    out_detector,
):
    """Turn each photon's emitter into a detected event.

    Parameters
    ----------
    key : uint64 array, shape (2,)
    exposure_s : float
    shape : int
        0 point, 1 SPH kernel, 2 square.
    parents : int64 array, shape (n,)
    emitters : tuple
        east, north, extent [arcsec], energy shift, node, mix.
    spectra : tuple
        theta nodes [arcmin], rate (n_theta, n_node, 2), cdf and guide (n_theta, n_node, n_part, .).
    detector : tuple
        energy edges [keV], cells per keV, cell-to-bin table, row starts, row channels, row cdf,
        row guide, channel edges [keV].
    psf : tuple
        on (0 or 1), core, core power, core truncation, wing, wing power, wing truncation,
        wing fraction, scale table over arcmin.
    field : tuple
        1 for a circle, half width [arcsec].
    kernel_quantile : float64 array
        Projected radius over support radius at evenly spaced probability.
    module_table : tuple
        Cumulative weights, module numbers.
    out_position : tuple of float32 arrays
        east, north, true east, true north [arcsec].
    out_energy : tuple
        energy, true energy [keV] (float32), time [s] (float64).
    out_detector : tuple
        channel (int16; -1 for photons that leave the field), module (uint8).
    """
    east, north, extent, shift, node, mix = emitters
    theta_nodes, rate, cdf, guide = spectra
    edges, cells_per_kev, cell_bin, row_start, row_channel, row_cdf, row_guide, channel_edges = (
        detector
    )
    psf_on, core, core_power, core_cut, wing, wing_power, wing_cut, wing_share, psf_scale = psf
    is_circle, half_width = field
    module_cdf, module_number = module_table
    n_bin = edges.shape[0] - 1
    for k in numba.prange(parents.shape[0]):
        draw = np.uint64(k) * _DRAWS_PER_EVENT
        i = parents[k]
        x, y = float(east[i]), float(north[i])
        theta = 0.0
        theta_arcmin = 0.0
        if theta_nodes.shape[0] > 1 or psf_scale.shape[0] > 1:
            theta_arcmin = math.sqrt(x * x + y * y) / 60.0
            theta = fractional_node(theta_arcmin, theta_nodes)
        t, row, part = _pick_spectrum(rate, theta, float(node[i]), float(mix[i]), uniform(key, draw))

        energy_bin = draw_bin(cdf[t, row, part], guide[t, row, part], uniform(key, draw + np.uint64(1)))
        low = edges[energy_bin]
        energy = low + (edges[energy_bin + 1] - low) * uniform(key, draw + np.uint64(2))
        energy *= shift[i]

        if shape == _KERNEL:
            level = uniform(key, draw + np.uint64(3)) * (kernel_quantile.shape[0] - 1)
            cell = int(level)
            radius = extent[i] * (
                kernel_quantile[cell]
                + (level - cell) * (kernel_quantile[cell + 1] - kernel_quantile[cell])
            )
            angle = _TWO_PI * uniform(key, draw + np.uint64(4))
            x += radius * math.cos(angle)
            y += radius * math.sin(angle)
        elif shape == _SQUARE:
            x += extent[i] * (2.0 * uniform(key, draw + np.uint64(3)) - 1.0)
            y += extent[i] * (2.0 * uniform(key, draw + np.uint64(4)) - 1.0)
        out_position[2][k] = x
        out_position[3][k] = y
        if psf_on == 1:
            chance = uniform(key, draw + np.uint64(5))
            if chance < wing_share:
                radius = _king_radius(chance / wing_share, wing, wing_power, wing_cut)
            else:
                chance = (chance - wing_share) / (1.0 - wing_share)
                radius = _king_radius(chance, core, core_power, core_cut)
            cell = min(int(theta_arcmin), psf_scale.shape[0] - 1)
            after = min(cell + 1, psf_scale.shape[0] - 1)
            radius *= psf_scale[cell] + min(theta_arcmin - cell, 1.0) * (
                psf_scale[after] - psf_scale[cell]
            )
            angle = _TWO_PI * uniform(key, draw + np.uint64(6))
            x += radius * math.cos(angle)
            y += radius * math.sin(angle)
        out_position[0][k] = x
        out_position[1][k] = y

        cell = min(max(int((energy - edges[0]) * cells_per_kev), 0), cell_bin.shape[0] - 1)
        energy_bin = cell_bin[cell]
        while energy_bin < n_bin - 1 and edges[energy_bin + 1] <= energy:
            energy_bin += 1
        start = row_start[energy_bin]
        channel = row_channel[energy_bin] + draw_bin(
            row_cdf[start : row_start[energy_bin + 1]],
            row_guide[energy_bin],
            uniform(key, draw + np.uint64(7)),
        )
        low = channel_edges[channel]
        out_energy[0][k] = low + (channel_edges[channel + 1] - low) * uniform(
            key, draw + np.uint64(8)
        )
        out_energy[1][k] = energy
        out_energy[2][k] = exposure_s * uniform(key, draw + np.uint64(9))
        chance = uniform(key, draw + np.uint64(10))
        module = 0
        while module_cdf[module] <= chance:
            module += 1
        out_detector[1][k] = module_number[module]
        if is_circle == 1:
            inside = x * x + y * y <= half_width * half_width
        else:
            inside = abs(x) <= half_width and abs(y) <= half_width
        out_detector[0][k] = channel if inside else -1
