"""Where the galaxies of a cluster are on the sky and in velocity: a smooth cube for a network.

This is the dynamical input of Ho et al. 2023 (arXiv 2303.00005), section 2: a Gaussian kernel
density of the galaxies in a cylinder about the cluster, in two offsets on the sky [kpc, physical]
and the velocity along the line of sight [km/s], that sums to 1 over the cube.

Kernels are those of `scipy.stats.gaussian_kde`: their covariance is that of the galaxies times the
square of the bandwidth, correlations and all, and the density is taken at the centres of cells.
They end at 5 standard deviations, which changes no cell by more than 1e-4 of the fullest. Two cases
have kernels of their own:

- Kernels much narrower than a cell would count for more or less as they lie on its centre or
  between two. So no principal axis of the covariance, measured in cells, is below half a cell; what
  a galaxy counts for then keeps to 1.5% per axis. Cubes of 64 cells per side hardly ever meet this
  limit (2 of 3,285 rows of the default population), those of 32 in half the rows, those of 16
  always. It holds for galaxies in a line or a plane as well, whose covariance is singular.
- Fewer than 5 galaxies do not give six numbers of a covariance: correlations are left out, and no
  axis is below one cell.

A cylinder without galaxies gives zeros. The order of galaxies changes the rounding alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.galaxy_cube_kernels import add_gaussians

__all__ = ["CubeGeometry", "galaxy_cube", "galaxy_cubes"]

# Ho et al. 2023 (arXiv 2303.00005), section 2: 2.3 Mpc/h at h = 0.704; 3785 km/s; 64 cells; 0.15.
_STUDY_HALF_WIDTH_KPC: Final = 2300.0 / 0.704
_STUDY_MAX_SPEED_KM_S: Final = 3785.0
_STUDY_CELLS: Final = 64
_STUDY_BANDWIDTH: Final = 0.15

_REACH: Final = 5.0  # standard deviations at which kernels end
_NARROWEST: Final = 0.5  # cells: the sum over cells keeps to 2 exp(-2 pi^2 0.5^2) = 1.4% per axis
_FEW: Final = 5  # galaxies
_NARROWEST_OF_FEW: Final = 1.0  # cells
_COLUMNS: Final = ("east_kpc", "north_kpc", "v_los_km_s")

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class CubeGeometry:
    """Cells about the cluster: layers recede, rows grow to the north, columns to the west.

    The cylinder of the galaxies touches the sides of the cube.

    Attributes
    ----------
    n : int
        Cells per side.
    half_width_kpc : float
        From the centre to the sides of the cube on the sky, the radius of the cylinder, physical.
    max_speed_km_s : float
        From the centre to the ends of the cube and the cylinder, either way.
    bandwidth : float
        Width of the kernels over the scatter of the galaxies.
    """

    n: int = _STUDY_CELLS
    half_width_kpc: float = _STUDY_HALF_WIDTH_KPC
    max_speed_km_s: float = _STUDY_MAX_SPEED_KM_S
    bandwidth: float = _STUDY_BANDWIDTH

    def __post_init__(self) -> None:
        if not isinstance(self.n, (int, np.integer)) or self.n < 2:
            raise InputError(f"n: must be a whole number of cells, at least 2; got {self.n}.")
        for name in ("half_width_kpc", "max_speed_km_s", "bandwidth"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise InputError(f"{name}: must be above 0 and finite; got {value}.")

    @property
    def cell_kpc(self) -> float:
        """Side of a cell on the sky."""
        return 2.0 * self.half_width_kpc / self.n

    @property
    def cell_km_s(self) -> float:
        """Depth of a cell."""
        return 2.0 * self.max_speed_km_s / self.n

    def offsets(self) -> tuple[Floats, Floats, Floats]:
        """Return where cell centres lie.

        Returns
        -------
        v_los_km_s, north_kpc, east_kpc : ndarray, shapes (n, 1, 1), (1, n, 1), (1, 1, n)
        """
        cells = np.arange(self.n) - (self.n - 1) / 2
        north = cells * self.cell_kpc
        return (cells * self.cell_km_s)[:, None, None], north[None, :, None], -north[None, None, :]

    def inside(self, galaxies: NDArray[np.void]) -> NDArray[np.bool_]:
        """Return which `galaxies` lie in the cylinder, shape (m,); not those with a NaN."""
        radius = np.hypot(galaxies["east_kpc"], galaxies["north_kpc"])
        slow = np.abs(galaxies["v_los_km_s"]) < self.max_speed_km_s
        return np.asarray(slow & (radius < self.half_width_kpc))

    def places(self, galaxies: NDArray[np.void]) -> Floats:
        """Return where `galaxies` lie along v, y and x, shape (m, 3); cell centres are whole."""
        east, north, v_los = (galaxies[name].astype(np.float64) for name in _COLUMNS)
        offset = (v_los / self.cell_km_s, north / self.cell_kpc, -east / self.cell_kpc)
        return np.stack(offset, axis=1) + (self.n - 1) / 2


def galaxy_cube(
    galaxies: NDArray[np.void], geometry: CubeGeometry | None = None
) -> NDArray[np.float32]:
    """Return the density of the galaxies of one cluster.

    Parameters
    ----------
    galaxies : structured ndarray, shape (m,)
        ``east_kpc``, ``north_kpc`` and ``v_los_km_s``, as `Catalog.galaxies` gives them. Those
        outside the cylinder, or of unknown (NaN) place or velocity, do not count.
    geometry : CubeGeometry, optional
        That of the study by default.

    Returns
    -------
    ndarray, shape (n_v, n_y, n_x)
        Share of the galaxies per cell; it sums to 1, or is 0 when no galaxy is in the cylinder.

    Raises
    ------
    InputError
        If a column is absent.
    """
    where = geometry or CubeGeometry()
    names = galaxies.dtype.names or ()
    if galaxies.ndim != 1 or any(name not in names for name in _COLUMNS):
        raise InputError(
            f"galaxies: must be a structured array (m,) with {', '.join(_COLUMNS)}; got shape "
            f"{galaxies.shape} with {', '.join(names) or 'no columns'}. Use Catalog.galaxies(row)."
        )
    places = where.places(galaxies[where.inside(galaxies)])
    cube = np.zeros((where.n, where.n, where.n))
    if len(places) == 0:
        return cube.astype(np.float32)
    width, slope = _conditional(_kernel_covariance(places, where.bandwidth))
    add_gaussians(places, width, slope, _REACH, cube)
    cube *= 1.0 / cube.sum()
    return cube.astype(np.float32)


def galaxy_cubes(
    catalog: Catalog,
    rows: slice | Sequence[int] | NDArray[Any] | None = None,
    geometry: CubeGeometry | None = None,
) -> NDArray[np.float32]:
    """Return the densities of the galaxies of clusters of a catalog.

    A cube of 64 cells per side is 1 MB: take many clusters in batches of rows.

    Parameters
    ----------
    catalog : Catalog
        Or a selection of its rows.
    rows : slice, array of int or mask of bool, optional
        Rows wanted, in this order; all by default.
    geometry : CubeGeometry, optional
        That of the study by default.

    Returns
    -------
    ndarray, shape (n, n_v, n_y, n_x)

    Raises
    ------
    InputError
        If the catalog has no galaxies or no such row.
    """
    where = geometry or CubeGeometry()
    chosen = np.arange(len(catalog))[rows] if isinstance(rows, slice) else rows
    view = catalog if chosen is None else catalog.select(chosen)
    cubes = np.empty((len(view), where.n, where.n, where.n), np.float32)
    for row, cube in enumerate(cubes):
        cube[:] = galaxy_cube(view.galaxies(row), where)
    return cubes


def _kernel_covariance(places: Floats, bandwidth: float) -> Floats:
    """Return the covariance of the kernels in cells^2, shape (3, 3), with its least widths."""
    if len(places) < _FEW:
        variance = places.var(axis=0, ddof=1) if len(places) > 1 else np.zeros(3)
        return np.diag(np.maximum(bandwidth**2 * variance, _NARROWEST_OF_FEW**2))
    covariance = bandwidth**2 * np.cov(places, rowvar=False)
    variance, axes = np.linalg.eigh(covariance)
    if variance[0] >= _NARROWEST**2:
        return np.asarray(covariance)
    return np.asarray((axes * np.maximum(variance, _NARROWEST**2)) @ axes.T)


def _conditional(covariance: Floats) -> tuple[Floats, Floats]:
    """Return the widths of v, of y at given v, of x at given both, and how the means move.

    The means move by slopes of y with v, of x with v, and of x with y about its mean.
    """
    lower = np.linalg.cholesky(covariance)
    width = np.diagonal(lower).copy()
    scaled = lower / width
    return width, np.array([scaled[1, 0], scaled[2, 0], scaled[2, 1]])
