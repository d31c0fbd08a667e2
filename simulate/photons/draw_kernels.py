"""Exact Poisson draws: which emitter sends how many photons, and what each photon becomes.

Every photon and every block of emitters has a stream of its own (`random_kernels`), so nothing here
depends on threads.

`draw_photons` takes tuples of arrays, angles in arcsec and energies in keV unless said:

- emitters: east, north, extent, energy shift, node, mix (see `Emitters`)
- spectra: angle nodes [arcmin], rate (n_theta, n_node, 2), cdf and guide (see `FoldedSpectra`)
- detector, psf, field, modules: see the functions of these names in `detector`
- kernel_quantile: projected radius over support radius at evenly spaced probabilities
- out_position: east, north, true east, true north; out_energy: energy, true energy, time [s];
  out_detector: channel (-1 for photons that leave the field or are not recorded), module
"""

import math

import numba
import numpy as np

from icmass.simulate.photons.emitter_kernels import fractional_node, in_field, mixture
from icmass.simulate.photons.inverse_cdf_kernels import draw_bin
from icmass.simulate.photons.random_kernels import substream, uniform

__all__ = ["BLOCK", "count_blocks", "draw_photons", "fill_parents", "move_up"]

# Emitters per independent Poisson stream.
BLOCK = 4096
_POINT, _KERNEL, _SQUARE = 0, 1, 2
_TWO_PI = 2.0 * math.pi
_ONE = np.uint64(1)

# What each draw of an event's stream is for.
_THETA = np.uint64(0)
_BIN, _IN_BIN = np.uint64(1), np.uint64(2)
_RADIUS, _ANGLE = np.uint64(3), np.uint64(4)
_PSF_RADIUS, _PSF_ANGLE = np.uint64(5), np.uint64(6)
_CHANNEL, _IN_CHANNEL = np.uint64(7), np.uint64(8)
_TIME, _MODULE, _NODE = np.uint64(9), np.uint64(10), np.uint64(11)


@numba.njit(cache=True, nogil=True, inline="always")
def _gap(state, counter):
    return -math.log(1.0 - uniform(state, counter))


@numba.njit(cache=True, nogil=True)
def _walk_block(key, block, expected, parents):
    """Count the photons of one block; write their emitters where `parents` has room.

    Arrivals of a unit-rate Poisson process are laid along the running sum of the expected counts:
    the number that falls on an emitter is Poisson with its expectation, independent of all others.
    """
    state = substream(key, np.uint64(block))
    counter = np.uint64(0)
    arrival = _gap(state, counter)
    total = 0.0
    count = 0
    for i in range(block * BLOCK, min((block + 1) * BLOCK, expected.shape[0])):
        total += expected[i]
        while arrival < total:
            if parents.shape[0] > 0:
                parents[count] = i
            count += 1
            counter += _ONE
            arrival += _gap(state, counter)
    return count


@numba.njit(cache=True, nogil=True, parallel=True)
def count_blocks(key, expected, counts):
    """Count the photons of each block of emitters.

    Parameters
    ----------
    key : uint64 array, shape (2,)
        Of the random stream.
    expected : float64 array, shape (n,)
        Expected counts of each emitter.
    counts : int64 array, shape (n_block,)
        Filled; a block is `BLOCK` emitters, the last one what is left.
    """
    nothing = np.empty(0, dtype=np.int64)
    for block in numba.prange(counts.shape[0]):
        counts[block] = _walk_block(key, block, expected, nothing)


@numba.njit(cache=True, nogil=True, parallel=True)
def fill_parents(key, expected, starts, parents):
    """Write the emitter of each photon, as many as `count_blocks` found.

    Parameters
    ----------
    key, expected
        As for `count_blocks`.
    starts : int64 array, shape (n_block + 1,)
        Where the photons of each block begin; the last is their number.
    parents : int64 array, shape (n_photon,)
        Filled with rows of emitters, ascending.
    """
    for block in numba.prange(starts.shape[0] - 1):
        if starts[block + 1] > starts[block]:
            _walk_block(key, block, expected, parents[starts[block] : starts[block + 1]])


@numba.njit(cache=True, nogil=True, inline="always")
def _pick_node(rate, node, mix, chance):
    """Return (node, part) of the term of the mixture that holds `chance` in [0, 1).

    The four terms are both nodes around a fractional one, each without and with metals.
    """
    low = int(node)
    high = min(low + 1, rate.shape[0] - 1)
    part = node - low
    first = (1.0 - part) * rate[low, 0]
    second = first + (1.0 - part) * mix * rate[low, 1]
    third = second + part * rate[high, 0]
    total = third + part * mix * rate[high, 1]
    level = chance * total
    if level < second:
        return low, int(level >= first)
    return high, int(level >= third)


@numba.njit(cache=True, nogil=True, inline="always")
def _pick_angle(rate, theta, node, mix, chance):
    """Return the index of one of the two tabulated angles around a fractional one."""
    low = int(theta)
    part = theta - low
    if part <= 0.0:
        return low
    near = (1.0 - part) * mixture(rate[low], node, mix)
    far = part * mixture(rate[low + 1], node, mix)
    return low if chance * (near + far) < near else low + 1


@numba.njit(cache=True, nogil=True, inline="always")
def _king_radius(chance, core, power, truncation):
    """Radius that encloses a share `chance` of a King profile cut at its largest radius."""
    return core * math.sqrt(max((1.0 - chance * truncation) ** power - 1.0, 0.0))


@numba.njit(cache=True, nogil=True, inline="always")
def _interpolate(table, level):
    """Value of an evenly spaced table at a fractional index, constant beyond its end."""
    cell = min(int(level), table.shape[0] - 1)
    after = min(cell + 1, table.shape[0] - 1)
    return table[cell] + min(level - cell, 1.0) * (table[after] - table[cell])


@numba.njit(cache=True, nogil=True, inline="always")
def _turn(radius, chance):
    """Offset of given length in a direction that is a share `chance` of a full turn.

    Single precision, twice as fast, is exact to 1e-7 of the length.
    """
    angle = np.float32(_TWO_PI * chance)
    return radius * math.cos(angle), radius * math.sin(angle)


@numba.njit(cache=True, nogil=True, inline="always")
def _place_in_emitter(state, shape, extent, kernel_quantile):
    """Offset (east, north) of a photon from the centre of its emitter."""
    if shape == _KERNEL:
        level = uniform(state, _RADIUS) * (kernel_quantile.shape[0] - 1)
        radius = extent * _interpolate(kernel_quantile, level)
        return _turn(radius, uniform(state, _ANGLE))
    if shape == _SQUARE:
        east = 2.0 * uniform(state, _RADIUS) - 1.0
        north = 2.0 * uniform(state, _ANGLE) - 1.0
        return extent * east, extent * north
    return 0.0, 0.0


@numba.njit(cache=True, nogil=True, inline="always")
def _scatter_in_mirror(state, psf, theta_arcmin):
    """Offset (east, north) that the point-spread function adds."""
    _, core, core_power, core_cut, wing, wing_power, wing_cut, wing_share, growth = psf
    chance = uniform(state, _PSF_RADIUS)
    if chance < wing_share:
        radius = _king_radius(chance / wing_share, wing, wing_power, wing_cut)
    else:
        chance = (chance - wing_share) / (1.0 - wing_share)
        radius = _king_radius(chance, core, core_power, core_cut)
    radius *= _interpolate(growth, theta_arcmin)
    return _turn(radius, uniform(state, _PSF_ANGLE))


@numba.njit(cache=True, nogil=True, inline="always")
def _record(state, energy, detector):
    """Channel, and energy inside it, at which a photon is recorded; channel -1 if it is not.

    Spectra hold recorded photons only, but a Doppler shift may take one to where none are.
    """
    edges, cells_per_kev, cell_bin, row_start, row_channel, row_cdf, row_guide, channel_edges = (
        detector
    )
    cell = min(max(int((energy - edges[0]) * cells_per_kev), 0), cell_bin.shape[0] - 1)
    row = cell_bin[cell]
    while row < edges.shape[0] - 2 and edges[row + 1] <= energy:
        row += 1
    if row_start[row] == row_start[row + 1]:
        return -1, 0.0
    cdf = row_cdf[row_start[row] : row_start[row + 1]]
    channel = row_channel[row] + draw_bin(cdf, row_guide[row], uniform(state, _CHANNEL))
    low = channel_edges[channel]
    width = channel_edges[channel + 1] - low
    return channel, low + width * uniform(state, _IN_CHANNEL)


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
    modules,
    out_position,
    out_energy,
    out_detector,
):
    """Turn each photon's emitter into an event.

    Parameters
    ----------
    key : uint64 array, shape (2,)
        Of the random stream.
    exposure_s : float
        Times are even between 0 and this.
    shape : int
        `Shape` of the emitters.
    parents : int64 array, shape (n,)
        Row of the emitter of each photon.
    emitters, spectra, detector, psf, field, modules : tuples of arrays
        See the module's text.
    kernel_quantile : float64 array, shape (n_quantile,)
        See the module's text.
    out_position, out_energy, out_detector : tuples of arrays, shape (n,) each
        Filled; see the module's text.
    """
    east, north, extent, shift, node, mix = emitters
    theta_nodes, rate, cdf, guide = spectra
    edges = detector[0]
    module_cdf, module_guide, module_number = modules
    is_circle, half_width = field
    for k in numba.prange(parents.shape[0]):
        state = substream(key, np.uint64(k))
        i = parents[k]
        x, y = float(east[i]), float(north[i])
        theta_arcmin = math.sqrt(x * x + y * y) / 60.0
        theta = fractional_node(theta_arcmin, theta_nodes)
        t = _pick_angle(rate, theta, node[i], mix[i], uniform(state, _THETA))
        k_node, part = _pick_node(rate[t], node[i], mix[i], uniform(state, _NODE))
        low = draw_bin(cdf[t, k_node, part], guide[t, k_node, part], uniform(state, _BIN))
        width = edges[low + 1] - edges[low]
        energy = shift[i] * (edges[low] + width * uniform(state, _IN_BIN))

        dx, dy = _place_in_emitter(state, shape, extent[i], kernel_quantile)
        x, y = x + dx, y + dy
        out_position[2][k], out_position[3][k] = x, y
        if psf[0] == 1:
            dx, dy = _scatter_in_mirror(state, psf, theta_arcmin)
            x, y = x + dx, y + dy
        out_position[0][k], out_position[1][k] = x, y

        channel, measured = _record(state, energy, detector)
        out_energy[0][k], out_energy[1][k] = measured, energy
        out_energy[2][k] = exposure_s * uniform(state, _TIME)
        module = draw_bin(module_cdf, module_guide, uniform(state, _MODULE))
        out_detector[1][k] = module_number[module]
        out_detector[0][k] = channel if in_field(x, y, is_circle, half_width) else -1


@numba.njit(cache=True, nogil=True)
def move_up(values, keep):
    """Move the `values`, shape (n,), that `keep`, a mask, marks to the front, in order."""
    end = 0
    for k in range(values.shape[0]):
        if keep[k]:
            values[end] = values[k]
            end += 1
