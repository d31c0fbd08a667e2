"""Where pixels lie in clusters: distances from the centre in kpc and in R500c.

A pixel belongs to where its centre lies. Images in arcsec are read with the cosmology of the study.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.catalog import CatalogSpec

__all__ = ["kpc_per_arcsec", "pixel_radii_kpc", "within"]

# Of the simulations of Ho et al. 2023 (Magneticum, WMAP7): flat, without radiation.
_HUBBLE: Final = 0.704
_OMEGA_M: Final = 0.272


def kpc_per_arcsec(redshift: ArrayLike) -> NDArray[np.float64]:
    """Return the physical length of an arcsec at redshifts above 0; h = 0.704, Omega_m = 0.272."""
    from astropy.cosmology import FlatLambdaCDM  # noqa: PLC0415  (slow to import)

    distance = FlatLambdaCDM(100.0 * _HUBBLE, _OMEGA_M).angular_diameter_distance(redshift)
    return np.asarray(distance.to_value("kpc") * np.pi / (180.0 * 3600.0))


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
