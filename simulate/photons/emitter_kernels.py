"""Gas particles on the sky: one pass over the particles, one interpolation each."""

import math

import numba

__all__ = ["expected_rate", "fractional_node", "in_field", "mixture", "project_gas"]


@numba.njit(cache=True, nogil=True, inline="always")
def fractional_node(value, nodes):
    """Return the fractional index of `value` in ascending `nodes`, clamped to their range.

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
    """Tell whether an offset lies in a field.

    Parameters
    ----------
    east, north : float
        Arcsec from the pointing.
    is_circle, half_width
        From `detector.field_arrays`.
    """
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
    """Fill the emitter arrays from the gas arrays.

    Parameters
    ----------
    position_kpc, velocity_kms : float64 arrays, shape (n, 3)
        Of the particles, as in `Gas`.
    kt_kev, metallicity, emission_measure, smoothing_kpc : float64 arrays, shape (n,)
        As in `Gas`.
    rotation : float64 array, shape (3, 3)
        Rows point east, north and away.
    arcsec_per_kpc : float
        Scale on the sky.
    light_speed_kms : float
        For the Doppler shift.
    norm_per_measure : float
        Norm of an emitter for emission measure 1, cm^-5.
    log_kt_nodes : float64 array, shape (n_kt,)
        Temperature nodes of the spectra, ln keV.
    reach_arcsec : float
        From a particle further out than this and its own extent no photon gets into the field; its
        norm is 0.
    east, north, extent, shift, node, mix, norm : arrays, shape (n,)
        Filled; the fields of `Emitters` in their order.
    """
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
    """Interpolate a table at a fractional node and add its parts.

    Parameters
    ----------
    table : array, shape (n_node, 2)
        Without and with the second part.
    node : float
        From 0 to n_node - 1.
    mix : float
        Weight of the second part.
    """
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
        Where they are, which sets the off-axis angle.
    node, mix, norm : arrays, shape (n,)
        As in `Emitters`.
    theta_nodes_arcmin : float64 array, shape (n_theta,)
        Angles of the table; one where the angle does not matter.
    table : float64 array, shape (n_theta, n_node, 2)
        Counts/s per unit norm.
    out : float64 array, shape (n,)
        Filled.
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
