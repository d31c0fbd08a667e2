"""How many counts a pixel would hold without sources, from the counts themselves.

Sources are found by matched filters, cut out, and what is left is smoothed; twice more with the
background so gained. What is too faint to be cut out stays in, as it does on the real sky.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from icmass.errors import InputError
from icmass.simulate.detection.field_image import FieldImage
from icmass.simulate.detection.filters import FilterBank, Profiles, find_peaks
from icmass.simulate.instrument.psf import PSF

__all__ = ["estimate_background"]

Floats = NDArray[np.float64]

_EXTENTS_ARCSEC = (0.0, 40.0, 80.0)  # of the filters that find what is to be cut out
_ROUNDS = (20.0, 9.0, 8.0)  # likelihoods from which sources are cut out, round by round
_BLOCK_ARCSEC = 64.0  # smoothing is done on blocks of pixels
_LEFT = 0.15  # a source is cut out to where it is this much of the background


def estimate_background(image: FieldImage, psf: PSF, *, smoothing_arcsec: float = 420.0) -> Floats:
    """Estimate the counts per pixel expected without detectable sources.

    The background is (vignetted exposure x a + unvignetted exposure x b), a and b fitted to the
    whole image, times a correction that varies on the scale of the smoothing.

    Parameters
    ----------
    image : FieldImage
    psf : PSF
        Of the band, averaged over the scan.
    smoothing_arcsec : float
        Standard deviation of the Gaussian.

    Returns
    -------
    ndarray, shape (n_y, n_x)
        0 where not observed.

    Raises
    ------
    InputError
        If nothing was observed, or the smoothing is not positive.
    """
    if not 0.0 < smoothing_arcsec < np.inf:
        raise InputError(
            f"smoothing_arcsec: must be above 0 and finite; got {smoothing_arcsec}. "
            "Some 400 arcsec suit the depth of eFEDS."
        )
    if not image.observed.any():
        raise InputError(
            "exposure_s: must be above 0 somewhere; got an image that was nowhere observed. "
            "Leave such a tile out."
        )
    if not image.counts[image.observed].any():
        return np.zeros(image.grid.shape)
    open_sky = image.observed.copy()
    background = _smooth(image, open_sky, smoothing_arcsec)
    profiles = Profiles.of(psf, _EXTENTS_ARCSEC, image.grid.pixel_arcsec)
    for threshold in _ROUNDS:
        open_sky = image.observed & ~_sources(image, background, profiles, threshold)
        if not image.counts[open_sky].any():
            break  # all photons are of sources: nothing is left to measure
        background = _smooth(image, open_sky, smoothing_arcsec)
    return background


def _sources(
    image: FieldImage, background: Floats, profiles: Profiles, threshold: float
) -> NDArray[np.bool_]:
    """Mask of discs about the peaks of the filters."""
    typical = float(np.median(background[image.observed]))
    counts = np.where(image.observed, image.counts, 0)
    if typical <= 0.0:
        return np.zeros(image.grid.shape, dtype=bool)
    bank = FilterBank(profiles, typical, image.grid.shape)
    likelihood, extent = bank.significance(counts, background)
    mask = np.zeros(image.grid.shape, dtype=bool)
    excess = _box_sums(counts - background, 4)
    nodes = profiles.step * np.arange(profiles.table.shape[1])
    shares = [profiles.image(k, 4.0).sum() for k in range(len(profiles.table))]
    for row, column in zip(*find_peaks(likelihood, threshold), strict=True):
        if mask[row, column] and likelihood[row, column] < 3.0 * threshold:
            continue
        k = extent[row, column]
        source = max(excess[row, column], 1.0) / shares[k]
        bright = source * profiles.table[k] > _LEFT * background[row, column]
        reach = nodes[np.flatnonzero(bright)[-1]] if bright.any() else 0.0
        _cut(mask, row, column, max(reach, 30.0 / profiles.pixel_arcsec))
    return mask


def _cut(mask: NDArray[np.bool_], row: int, column: int, radius: float) -> None:
    """Set the pixels of a disc."""
    half = int(np.ceil(radius))
    top, left = max(row - half, 0), max(column - half, 0)
    part = mask[top : row + half + 1, left : column + half + 1]
    y = np.arange(top, top + part.shape[0])[:, None] - row
    x = np.arange(left, left + part.shape[1])[None, :] - column
    part |= x**2 + y**2 <= radius**2


def _box_sums(values: Floats, half: int) -> Floats:
    """Sum of the square of pixels about each pixel."""
    width = 2 * half + 1
    return ndimage.uniform_filter(values, width, mode="constant") * width**2


def _smooth(image: FieldImage, open_sky: NDArray[np.bool_], smoothing_arcsec: float) -> Floats:
    """Smooth shape of the exposure times the local ratio of counts to it."""
    shape = _shape(image, open_sky)
    block = max(1, round(_BLOCK_ARCSEC / image.grid.pixel_arcsec))
    sigma = smoothing_arcsec / (block * image.grid.pixel_arcsec)
    found = _blocks(np.where(open_sky, image.counts, 0), block)
    expected = _blocks(np.where(open_sky, shape, 0.0), block)
    # A few counts of the mean hold the ratio where a hole leaves nothing to measure.
    prior = 1e-3 * expected.max()
    ratio = (ndimage.gaussian_filter(found, sigma, mode="constant", truncate=4.0) + prior) / (
        ndimage.gaussian_filter(expected, sigma, mode="constant", truncate=4.0) + prior
    )
    return shape * _spread(ratio, block, image.grid.shape)


def _shape(image: FieldImage, open_sky: NDArray[np.bool_]) -> Floats:
    """Vignetted and unvignetted exposure, scaled to the counts of the whole open sky."""
    vignetted = np.asarray(image.exposure_s, dtype=np.float64)
    seen = open_sky & image.observed
    counts = float(image.counts[seen].sum())
    if image.unvignetted_s is None:
        return vignetted * (counts / vignetted[seen].sum())
    flat = np.where(image.observed, image.unvignetted_s, 0.0)
    if not flat[seen].any():
        return vignetted * (counts / vignetted[seen].sum())
    # Expectation maximisation of the Poisson likelihood: neither part can turn negative.
    pair = np.stack([vignetted[seen], flat[seen]])
    hits = image.counts[seen].astype(np.float64)
    rates = 0.5 * counts / pair.sum(axis=1)
    lit = hits > 0
    for _ in range(200):
        model = rates @ pair[:, lit]
        new = rates * (pair[:, lit] * (hits[lit] / model)).sum(axis=1) / pair.sum(axis=1)
        done = np.allclose(new, rates, rtol=1e-4, atol=0.0)
        rates = new
        if done:
            break
    return rates[0] * vignetted + rates[1] * flat


def _blocks(values: NDArray[np.generic], block: int) -> Floats:
    """Sum blocks of pixels; the last ones may be cut by the edge."""
    starts = [np.arange(0, n, block) for n in values.shape]
    rows = np.add.reduceat(values.astype(np.float64), starts[0], axis=0)
    return np.add.reduceat(rows, starts[1], axis=1)


def _spread(values: Floats, block: int, shape: tuple[int, int]) -> Floats:
    """Interpolate between the middles of blocks, linearly."""
    for axis, count in enumerate(shape):
        place = (np.arange(count) + 0.5) / block - 0.5
        place = np.clip(place, 0.0, values.shape[axis] - 1.0)
        low = np.minimum(place.astype(np.int64), max(values.shape[axis] - 2, 0))
        high = np.minimum(low + 1, values.shape[axis] - 1)
        weight = np.expand_dims(place - low, 1 - axis)
        values = np.take(values, low, axis) * (1.0 - weight) + np.take(values, high, axis) * weight
    return values
