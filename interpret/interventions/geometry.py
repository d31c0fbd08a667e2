"""Where pixels lie in clusters: distances from the centre in kpc and in R500c.

A pixel belongs to where its centre lies. Images in arcsec are read with the cosmology of
`icmass.interpret.regions.kpc_per_arcsec`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import CatalogSpec
from icmass.interpret.regions import kpc_per_arcsec

__all__ = ["pixel_radii_kpc", "within"]


def pixel_radii_kpc(rows: NDArray[np.void], spec: CatalogSpec) -> NDArray[np.float64]:
    """Return the distances of pixel centres from the image centre, shape (n, n_y, n_x), kpc.

    Parameters
    ----------
    rows : structured ndarray, shape (n,)
        With ``redshift``.
    spec : CatalogSpec
    """
    radius = spec.geometry.radius()
    if spec.geometry.unit == "kpc":
        return np.broadcast_to(radius, (len(rows), *radius.shape))
    scale: NDArray[np.float64] = kpc_per_arcsec(rows["redshift"])
    return scale[:, None, None] * radius


def within(
    rows: NDArray[np.void],
    spec: CatalogSpec,
    *,
    r500c: float | None = None,
    kpc: float | None = None,
) -> NDArray[Any]:
    """Return which pixels have their centre within a projected radius, bool, shape (n, n_y, n_x).

    Parameters
    ----------
    rows : structured ndarray, shape (n,)
    spec : CatalogSpec
    r500c, kpc : float, optional
        The radius, of which one is given; in the true R500c of each cluster, or in kpc.
    """
    edge = r500c * rows["r500c_kpc"] if r500c is not None else np.full(len(rows), kpc, np.float64)
    return pixel_radii_kpc(rows, spec) <= edge[:, None, None]
