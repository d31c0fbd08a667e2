"""Images corrected for the exposure: what a telescope would have counted had it seen all alike.

Catalogs keep raw counts, whose noise is known, and a map of the exposure beside each image; this
divides one by the other when it is wanted.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.catalog.reading import CatalogReader

__all__ = ["corrected_images", "exposure_corrected"]


def exposure_corrected(
    counts: ArrayLike, exposure_s: ArrayLike, reference_s: ArrayLike | None = None
) -> NDArray[np.float32]:
    """Scale counts to one exposure for all pixels of an image.

    Parameters
    ----------
    counts : array_like, shape (n, ..., n_y, n_x)
        Images of n clusters, by band or origin between, as `Catalog.images` gives them.
    exposure_s : array_like, shape (n, n_y, n_x)
        Exposure of each pixel with vignetting, s, as `Catalog.exposure_maps` gives it.
    reference_s : float or array_like, shape (n,), optional
        Exposure to scale to; by default the mean over the exposed pixels of each image, so that the
        counts of a smooth image add up to what they were. 1 gives rates, counts/s.

    Returns
    -------
    ndarray of float32, shape of `counts`
        ``counts * reference / exposure``; NaN where the exposure is 0. Its noise is no longer that
        of Poisson: estimators that count photons take the raw images.

    Raises
    ------
    InputError
        If the shapes do not fit, or an exposure is negative or not finite.
    """
    images, exposure = np.asarray(counts), np.asarray(exposure_s, dtype=np.float64)
    if images.ndim < 3 or exposure.shape != (images.shape[0], *images.shape[-2:]):
        raise InputError(
            f"exposure_s: must have the shape (n, n_y, n_x) of counts {images.shape}; "
            f"got {exposure.shape}."
        )
    if not (np.isfinite(exposure) & (exposure >= 0.0)).all():
        raise InputError("exposure_s: must be at least 0 and finite; got other values.")
    exposed = exposure > 0.0
    if reference_s is None:
        number = exposed.sum(axis=(1, 2))
        reference = exposure.sum(axis=(1, 2)) / np.maximum(number, 1)
    else:
        reference = np.broadcast_to(np.asarray(reference_s, dtype=np.float64), len(images))
    factor = np.full(exposure.shape, np.nan)
    np.divide(reference[:, None, None], exposure, out=factor, where=exposed)
    between = (1,) * (images.ndim - 3)
    return (images * factor.reshape(len(images), *between, *factor.shape[1:])).astype(np.float32)


def corrected_images(
    catalog: "CatalogReader",
    rows: Any = None,
    bands: Iterable[str] | None = None,
    origins: Iterable[Any] | None = None,
    *,
    apart: bool = False,
    reference_s: ArrayLike | None = None,
) -> NDArray[np.float32]:
    """Return images of a catalog, corrected for the exposure.

    Parameters
    ----------
    catalog : Catalog
        With exposure maps.
    rows, bands, origins, apart
        As for `Catalog.images`.
    reference_s : float or array_like, optional
        As for `exposure_corrected`.

    Returns
    -------
    ndarray of float32, shape of what `Catalog.images` returns

    Raises
    ------
    InputError
        If the catalog has no exposure maps.
    """
    exposure = catalog.exposure_maps(rows)
    images = catalog.images(rows, bands, origins, apart=apart)
    return exposure_corrected(images, exposure, reference_s)
