"""Observe a scene: one row of the catalog, its images, galaxies and truth; and join rows to shards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import CatalogSpec, Failure, ShardData
from icmass.simulate.rows.settings import RowSettings
from icmass.simulate.scene import Scene

__all__ = ["Row", "collect", "observe_scene"]


@dataclass(frozen=True)
class Row:
    """One cluster as the catalog holds it.

    Attributes
    ----------
    columns : dict
        Values by the names of the schema.
    images : ndarray of unsigned int, shape (n_origin, n_band, n_y, n_x)
    expectations : ndarray of float, shape (n_origin, n_band, n_y, n_x), optional
    galaxies, regions : structured ndarray, optional
        As `icmass.catalog.galaxy_rows` and `region_rows` make them.
    """

    columns: dict[str, float | int]
    images: NDArray[np.unsignedinteger]
    expectations: NDArray[np.floating] | None = None
    galaxies: NDArray[np.void] | None = None
    regions: NDArray[np.void] | None = None


def observe_scene(scene: Scene, settings: RowSettings) -> Row:
    """Observe a scene as the settings say."""
    raise NotImplementedError


def collect(rows: Sequence[Row], spec: CatalogSpec, failures: Iterable[Failure] = ()) -> ShardData:
    """Join rows to the shard of a catalog; what a row does not know is NaN, -1 or empty."""
    raise NotImplementedError
