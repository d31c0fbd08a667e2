"""Which sources an image shows: found by filters, fitted one after the other, the brightest first.

Likelihoods are defined in `icmass.simulate.detection.fit`, as eSASS has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.detection.field_image import FieldImage
from icmass.simulate.detection.filters import FilterBank, Profiles, find_peaks
from icmass.simulate.detection.fit import Fit, Fitter
from icmass.simulate.instrument.psf import PSF

__all__ = ["EXTENTS_ARCSEC", "SourceList", "find_sources"]

Floats = NDArray[np.float64]

EXTENTS_ARCSEC = (0.0, 10.0, 20.0, 40.0, 60.0, 80.0)

# Filter likelihoods of the candidates of each pass. At one place looked at, a source of det_like 5
# has some 9; a pixel off its middle it has less.
_PASSES = (40.0, 14.0, 6.0)
_SAME_ARCSEC = 8.0  # two of a kind in one square of this side are one
_PART_RADII, _PART_RATE = 3.0, 1.0 / 3.0  # see `_merged`
_FLOOR = 1e-6  # share of the background that a model never falls below, by rounding


@dataclass(frozen=True)
class SourceList:
    """Struct of arrays, one row per source, the most likely first.

    Attributes
    ----------
    ra_deg, dec_deg : ndarray, shape (n,)
        ICRS.
    east_arcsec, north_arcsec : ndarray, shape (n,)
        Offset from the pointing.
    position_error_arcsec : ndarray, shape (n,)
        Standard error per axis.
    counts, counts_error : ndarray, shape (n,)
        All photons of the source, also those beyond the pixels fitted; of an extended one within
        ten core radii.
    rate : ndarray, shape (n,)
        Counts per second of vignetted exposure.
    exposure_s : ndarray, shape (n,)
        Vignetted, where the source is.
    det_like : ndarray, shape (n,)
        Likelihood of detection.
    ext_like : ndarray, shape (n,)
        Likelihood of extent; also for those that stay below the threshold and count as points.
    extent_arcsec : ndarray, shape (n,)
        Core radius (beta = 2/3); 0 for a point.
    """

    ra_deg: Floats
    dec_deg: Floats
    east_arcsec: Floats
    north_arcsec: Floats
    position_error_arcsec: Floats
    counts: Floats
    counts_error: Floats
    rate: Floats
    exposure_s: Floats
    det_like: Floats
    ext_like: Floats
    extent_arcsec: Floats

    def __len__(self) -> int:
        return len(self.ra_deg)

    @property
    def extended(self) -> NDArray[np.bool_]:
        """Which ones are extended, shape (n,)."""
        return self.extent_arcsec > 0.0

    def select(self, chosen: NDArray[Any] | slice) -> "SourceList":
        """Return the rows `chosen` by a mask, an index array or a slice."""
        return SourceList(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def find_sources(
    image: FieldImage,
    psf: PSF,
    background: Floats,
    *,
    extents_arcsec: Sequence[float] = EXTENTS_ARCSEC,
    min_likelihood: float = 5.0,
    min_extent_likelihood: float = 6.0,
) -> SourceList:
    """Find the sources of an image and fit each.

    Parameters
    ----------
    image : FieldImage
    psf : PSF
        Of the band, averaged over the scan.
    background : ndarray, shape (n_y, n_x)
        Counts per pixel without sources, from `estimate_background`.
    extents_arcsec : sequence of float
        Core radii tried, ascending from 0; 0 alone finds points only.
    min_likelihood : float
        Sources of lower ``det_like`` are left out; at least 3.
    min_extent_likelihood : float
        From which ``ext_like`` on a source is extended. eFEDS took 6, eRASS1 3.

    Returns
    -------
    SourceList

    Raises
    ------
    InputError
        If the background does not fit the image, or a threshold or extent is out of range.

    Notes
    -----
    Three passes: the filters are applied to what is not yet explained, the peaks are fitted in
    order, each source found enters the model at once; after each pass all are fitted again, each
    with all others in place. A candidate near an extended source is therefore judged by what it
    adds to it.
    """
    known = _check(image, background, min_likelihood)
    profiles = Profiles.of(psf, tuple(map(float, extents_arcsec)), image.grid.pixel_arcsec)
    fitter = Fitter(
        np.where(image.observed, image.counts, 0).astype(np.int32),
        np.where(image.observed, image.exposure_s, 0.0),
        known.copy(),
        profiles,
        min_extent_likelihood,
    )
    found: list[Fit] = []
    if fitter.counts.any() and known.any():
        bank = FilterBank(profiles, float(np.median(known[known > 0.0])), image.grid.shape)
        for threshold in _PASSES:
            found += _search(fitter, bank, threshold, min_likelihood)
            found = _again(fitter, found, min_likelihood)
            np.maximum(fitter.model, _FLOOR * known, out=fitter.model)
        found = _again(fitter, found, min_likelihood)
    return _listed(_merged(found, image.grid.pixel_arcsec), image)


def _check(image: FieldImage, background: Floats, min_likelihood: float) -> Floats:
    """Background as floats, 0 where not observed."""
    if np.shape(background) != image.grid.shape:
        raise InputError(
            f"background: must have the shape {image.grid.shape} of the image; "
            f"got {np.shape(background)}."
        )
    if not (np.isfinite(background).all() and np.min(background) >= 0.0):
        raise InputError(
            "background: must be finite and not negative, counts per pixel; got values from "
            f"{np.min(background)} to {np.max(background)}."
        )
    if not min_likelihood >= 3.0:
        raise InputError(
            f"min_likelihood: must be at least 3; got {min_likelihood}. Lower ones are noise."
        )
    return np.where(image.observed, np.asarray(background, dtype=np.float64), 0.0)


def _search(fitter: Fitter, bank: FilterBank, threshold: float, min_likelihood: float) -> list[Fit]:
    """Fit the peaks of what is not yet explained; those accepted enter the model."""
    height, extent = bank.significance(fitter.counts, fitter.model)
    found: list[Fit] = []
    for row, column in zip(*find_peaks(height, threshold), strict=True):
        if extent[row, column] == 0 and fitter.point(column, row).det_like < min_likelihood - 1.0:
            continue  # most are explained by a neighbour that was fitted just before
        for fit in fitter.classify(float(column), float(row)):
            if fit.det_like >= min_likelihood and fitter.sees(fit):
                fitter.add(fit)
                found.append(fit)
    return found


def _again(fitter: Fitter, found: list[Fit], min_likelihood: float) -> list[Fit]:
    """Fit every source again with all others in place; drop what is no longer needed."""
    kept: list[Fit] = []
    taken: set[tuple[bool, int, int]] = set()
    side = fitter.pixels(_SAME_ARCSEC)
    for fit in sorted(found, key=lambda one: -one.rate):
        fitter.remove(fit)
        for again in fitter.refit(fit):
            # Two sources that walked to one place: the brighter stays.
            place = (again.extent > 0, int(again.x // side), int(again.y // side))
            seen = again.det_like >= min_likelihood and fitter.sees(again)
            if seen and place not in taken:
                taken.add(place)
                fitter.add(again)
                kept.append(again)
    return kept


def _merged(found: list[Fit], pixel_arcsec: float) -> list[Fit]:
    """Join what the fit of a round model left of an extended source that is not round.

    An extended source within three core radii of one at least three times as bright is a part of
    it; its light is added. Two clusters in one line of sight may be joined so.
    """
    wholes: list[Fit] = []
    extended = [fit for fit in found if fit.extent > 0]
    for fit in sorted(extended, key=lambda one: -one.rate):
        whole = next((other for other in wholes if _part(fit, other, pixel_arcsec)), None)
        if whole is None:
            wholes.append(fit)
            continue
        whole.rate += fit.rate
        whole.rate_error = float(np.hypot(whole.rate_error, fit.rate_error))
    return [fit for fit in found if fit.extent == 0] + wholes


def _part(fit: Fit, other: Fit, pixel_arcsec: float) -> bool:
    """Whether one extended source is a part of another."""
    distance = pixel_arcsec * float(np.hypot(fit.x - other.x, fit.y - other.y))
    near = distance < _PART_RADII * other.core_arcsec
    return near and fit.rate < _PART_RATE * other.rate


def _listed(found: list[Fit], image: FieldImage) -> SourceList:
    """Turn pixels into sky, the most likely first."""
    found = sorted(found, key=lambda one: -one.det_like)

    def column(name: str) -> Floats:
        return np.array([getattr(one, name) for one in found], dtype=np.float64)

    grid = image.grid
    x, y = column("x"), column("y")
    east = grid.east_edge_arcsec - (x + 0.5) * grid.pixel_arcsec
    north = grid.south_edge_arcsec + (y + 0.5) * grid.pixel_arcsec
    ra, dec = image.view.sky(east, north)
    columns = np.clip(np.rint(x), 0, grid.n_x - 1).astype(np.int64)
    rows = np.clip(np.rint(y), 0, grid.n_y - 1).astype(np.int64)
    exposure = np.asarray(image.exposure_s, dtype=np.float64)[rows, columns]
    return SourceList(
        ra_deg=ra,
        dec_deg=dec,
        east_arcsec=east,
        north_arcsec=north,
        position_error_arcsec=column("error") * grid.pixel_arcsec,
        counts=column("rate") * exposure,
        counts_error=column("rate_error") * exposure,
        rate=column("rate"),
        exposure_s=exposure,
        det_like=column("det_like"),
        ext_like=column("ext_like"),
        extent_arcsec=column("core_arcsec"),
    )
