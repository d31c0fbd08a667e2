"""Power-law photon spectra, integrated exactly over each bin: photons s^-1 cm^-2."""

import numpy as np

from icmass.errors import InputError

__all__ = ["powerlaw"]

_STEEPEST = 10.0  # steeper ones leave the range of floating point, and are no spectra of sources


def powerlaw(edges_kev: np.ndarray, photon_index: float, norm_1kev: float = 1.0) -> np.ndarray:
    """Photons s^-1 cm^-2 in each bin of norm (E / 1 keV)^-index photons s^-1 cm^-2 keV^-1.

    Parameters
    ----------
    edges_kev : ndarray, shape (n + 1,)
        Bin edges in keV, positive and ascending.
    photon_index : float
        Index of the photon spectrum, -10 to 10, 1 included.
    norm_1kev : float
        Photons s^-1 cm^-2 keV^-1 at 1 keV, not negative.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        If the edges are not positive and ascending, the index is out of range, or the norm is not
        finite.
    """
    edges = np.asarray(edges_kev, np.float64)
    if edges.ndim != 1 or edges.size < 2 or not (edges[0] > 0 and (np.diff(edges) > 0).all()):
        raise InputError("edges_kev: must be a row of positive, ascending energies in keV.")
    if not abs(photon_index) <= _STEEPEST:
        raise InputError(
            f"photon_index: must lie in {-_STEEPEST:g} to {_STEEPEST:g}; got {photon_index:g}. "
            "X-ray sources have about 2."
        )
    if not (np.isfinite(norm_1kev) and norm_1kev >= 0):
        raise InputError(f"norm_1kev: must be finite and not negative; got {norm_1kev}.")
    slope = 1.0 - photon_index
    log_ratio = np.diff(np.log(edges))
    # integral = E_lo^slope (r^slope - 1) / slope, which tends to ln r as the slope tends to 0
    x = slope * log_ratio
    series = np.where(np.abs(x) > 1e-8, np.expm1(x) / np.where(x == 0, 1.0, x), 1.0 + 0.5 * x)
    return norm_1kev * edges[:-1] ** slope * log_ratio * series
