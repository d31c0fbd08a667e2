"""The telescope as the photon kernel wants it: plain arrays, made once per instrument."""

from functools import lru_cache
from typing import Any

import numpy as np

from icmass.simulate.instrument import PSF, Instrument, Redistribution
from icmass.simulate.photons.inverse_cdf_kernels import fill_guide
from icmass.simulate.view import View

__all__ = ["detector_arrays", "field_arrays", "module_arrays", "psf_arrays"]

# Entries of the guide per row of the redistribution matrix; most photons fall into few channels.
_GUIDE_SIZE = 256

# Arcmin out to which the growth of the PSF is tabulated, step 1 arcmin: far beyond any field.
_PSF_SCALE_ARCMIN = 181


@lru_cache(maxsize=8)
def detector_arrays(redistribution: Redistribution) -> tuple[Any, ...]:
    """Return `redistribution` as `draw_photons` wants it.

    Returns
    -------
    tuple
        Energy edges (n_e + 1,) [keV], cells per keV, first bin of each cell (n_cell,), start of
        each row (n_e + 1,), first channel of each row (n_e,), cumulative probabilities of all rows,
        guide (n_e, n_guide) and channel edges (n_c + 1,) [keV].

    Notes
    -----
    The cells are even slices of the energy range, each with the bin in which it begins; they are
    narrower than any bin, so that a search looks at two bins at most. Rows are normalised: photons
    that a row loses are not in the folded rate either.
    """
    edges = redistribution.energy_edges_kev
    cells_per_kev = 1.0 / np.diff(edges).min()
    n_cell = int(np.ceil((edges[-1] - edges[0]) * cells_per_kev))
    begin = edges[0] + np.arange(n_cell) / cells_per_kev
    cell_bin = np.searchsorted(edges, begin, side="right") - 1
    cell_bin = np.clip(cell_bin, 0, len(edges) - 2).astype(np.int64)

    start = redistribution.row_start
    cdf = np.cumsum(redistribution.probability, dtype=np.float64)
    before = np.where(start[:-1] > 0, cdf[start[:-1] - 1], 0.0)
    length = np.diff(start)
    cdf -= np.repeat(before, length)
    total = np.where(redistribution.row_sum > 0, redistribution.row_sum, 1.0)
    cdf = (cdf / np.repeat(total, length)).astype(np.float32)
    cdf[start[1:][length > 0] - 1] = 1.0
    guide = np.zeros((len(length), _GUIDE_SIZE), dtype=np.int16)
    for row in np.flatnonzero(length):
        fill_guide(cdf[None, start[row] : start[row + 1]], guide[row : row + 1])
    row_channel = redistribution.row_channel.astype(np.int64)
    channels = redistribution.channel_edges_kev
    return edges, cells_per_kev, cell_bin, start, row_channel, cdf, guide, channels


def psf_arrays(psf: PSF, view: View, on: bool) -> tuple[Any, ...]:
    """Return a point-spread function as `draw_photons` wants it.

    Parameters
    ----------
    psf : PSF
        Core and wing.
    view : View
        Off axis the PSF grows in a pointed view only.
    on : bool
        Whether it applies to the component at all.

    Returns
    -------
    tuple
        On (1 or 0), scale radius [arcsec], power and truncation of the core, the same of the wing,
        share of the wing, growth at every whole arcmin off axis, shape (n,).
    """
    (_, core, core_slope), (share, wing, wing_slope) = psf.components()
    scale = np.ones(1)
    if view.mode == "pointed":
        scale = np.ascontiguousarray(psf.scale(np.arange(_PSF_SCALE_ARCMIN, dtype=np.float64)))

    def constants(radius: float, slope: float) -> tuple[float, float, float]:
        cut = 1.0 - (1.0 + (psf.max_radius_arcsec / radius) ** 2) ** (1.0 - slope)
        return float(radius), 1.0 / (1.0 - slope), float(cut)

    return (int(on), *constants(core, core_slope), *constants(wing, wing_slope), share, scale)


def field_arrays(view: View) -> tuple[int, float]:
    """Return the field of `view` for kernels: 1 for a circle, and the half width [arcsec]."""
    return int(view.mode == "pointed"), view.width_arcsec / 2.0


def module_arrays(instrument: Instrument) -> tuple[Any, ...]:
    """Return the modules of `instrument` as `draw_photons` wants them.

    Returns
    -------
    tuple
        Cumulative weights ending in 1, shape (n_module,), guide (n_guide,), numbers (n_module,).
    """
    weight = np.array([module.weight for module in instrument.modules])
    cdf = (np.cumsum(weight) / weight.sum()).astype(np.float32)
    cdf[-1] = 1.0
    guide = np.empty((1, _GUIDE_SIZE), dtype=np.int16)
    fill_guide(cdf[None], guide)
    number = np.array([module.number for module in instrument.modules], dtype=np.uint8)
    return cdf, guide[0], number
