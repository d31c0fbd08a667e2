"""Gas particles on the sky: one pass over the particles, one interpolation each."""

import math

import numba

__all__ = ["expected_rate", "fractional_node", "in_field", "mixture", "project_gas"]


@numba.njit(cache=True, nogil=True, inline="always")
def fractional_node(value, nodes):
    """Return the fractional index of a value in ascending nodes, clamped to their range.

    The first guess assumes even spacing, so that a nearly even grid costs no search.
    """
    last = nodes.shape[0] - 1
    if last == 0 or value <= nodes[0]:
        return 0.0
    if value >= nodes[last]:
        return float(last)
    low = int((value - nodes[0]) / (nodes[last] - nodes[0]) * last)
    while nodes[low] > value:
        low -= 1
    while nodes[low + 1] < value:
        low += 1
    return low + (value - nodes[low]) / (nodes[low + 1] - nodes[low])


@numba.njit(cache=True, nogil=True, inline="always")
def in_field(east, north, is_circle, half_width):
    """Tell whether an offset lies in a field; the last two are those of `detector.field_arrays`."""
    if is_circle == 1:
        return east * east + north * north <= half_width * half_width
    return abs(east) <= half_width and abs(north) <= half_width


@numba.njit(cache=True, nogil=True, parallel=True)
def project_gas(
    position_kpc,
    velocity_kms,
    kt_kev,
    metallicity,
    emission_measure,
    smoothing_kpc,
    rotation,
    arcsec_per_kpc,
    light_speed_kms,
    norm_per_measure,
    log_kt_nodes,
    reach_arcsec,
    east,
    north,
    extent,
    shift,
    node,
    mix,
    norm,
):
    """Fill the emitter arrays (last seven) from the gas arrays (first six); see `gas_emitters`."""
    for i in numba.prange(kt_kev.shape[0]):
        x, y, z = position_kpc[i, 0], position_kpc[i, 1], position_kpc[i, 2]
        vx, vy, vz = velocity_kms[i, 0], velocity_kms[i, 1], velocity_kms[i, 2]
        east[i] = arcsec_per_kpc * (rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z)
        north[i] = arcsec_per_kpc * (rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z)
        away_kms = rotation[2, 0] * vx + rotation[2, 1] * vy + rotation[2, 2] * vz
        extent[i] = arcsec_per_kpc * smoothing_kpc[i]
        shift[i] = 1.0 / (1.0 + away_kms / light_speed_kms)
        node[i] = fractional_node(math.log(max(kt_kev[i], 1e-30)), log_kt_nodes)
        mix[i] = metallicity[i]
        # What cannot reach the field is not drawn at all.
        reach = reach_arcsec + extent[i]
        if abs(east[i]) <= reach and abs(north[i]) <= reach:
            norm[i] = norm_per_measure * emission_measure[i]
        else:
            norm[i] = 0.0


@numba.njit(cache=True, nogil=True, inline="always")
def mixture(table, node, mix):
    """Interpolate a (n_node, 2) table at a fractional node and add its parts."""
    low = int(node)
    part = node - low
    value = table[low, 0] + mix * table[low, 1]
    if part > 0.0:
        value += part * (table[low + 1, 0] + mix * table[low + 1, 1] - value)
    return value


@numba.njit(cache=True, nogil=True, parallel=True)
def expected_rate(east, north, node, mix, norm, theta_nodes_arcmin, table, out):
    """Fill `out` with counts/s of each emitter.

    Parameters
    ----------
    east, north : float32 arrays, shape (n,), arcsec
    node, mix, norm : arrays, shape (n,)
    theta_nodes_arcmin : float64 array, shape (n_theta,)
    table : float64 array, shape (n_theta, n_node, 2)
        Counts/s per unit norm.
    out : float64 array, shape (n,)
    """
    for i in numba.prange(norm.shape[0]):
        if theta_nodes_arcmin.shape[0] == 1:
            out[i] = norm[i] * mixture(table[0], node[i], mix[i])
        else:
            theta_arcmin = math.hypot(float(east[i]), float(north[i])) / 60.0
            t = fractional_node(theta_arcmin, theta_nodes_arcmin)
            low = int(t)
            value = mixture(table[low], node[i], mix[i])
            if t > low:
                value += (t - low) * (mixture(table[low + 1], node[i], mix[i]) - value)
            out[i] = norm[i] * value
