"""What sources are sought on: counts per pixel, and for how long each pixel was seen.

Counts of one energy band (the survey takes 0.2-2.3 keV); exposures in seconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View

__all__ = ["FieldImage"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FieldImage:
    """One tile of the sky.

    Attributes
    ----------
    counts : ndarray of int, shape (n_y, n_x)
        Photons of the band.
    exposure_s : ndarray, shape (n_y, n_x)
        Vignetted exposure; 0 where the sky was not observed (counts there are left out).
    grid : PixelGrid
    view : View
        About whose pointing the grid lies.
    unvignetted_s : ndarray, shape (n_y, n_x), optional
        Exposure of what no mirror focuses: particles. None: proportional to ``exposure_s``, as in
        the inside of a scanned field.
    """

    counts: NDArray[np.integer]
    exposure_s: Floats
    grid: PixelGrid
    view: View
    unvignetted_s: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("counts", "exposure_s", "unvignetted_s"):
            values = getattr(self, name)
            if values is None:
                continue
            if np.shape(values) != self.grid.shape:
                raise InputError(
                    f"{name}: must have the shape {self.grid.shape} of the grid; "
                    f"got {np.shape(values)}."
                )
            if not (np.isfinite(values).all() and (np.asarray(values) >= 0).all()):
                raise InputError(
                    f"{name}: must be finite and not negative; got values from "
                    f"{np.min(values)} to {np.max(values)}. Set pixels not observed to 0."
                )
        if not np.issubdtype(np.asarray(self.counts).dtype, np.integer):
            raise InputError(
                f"counts: must be whole numbers of photons; got {np.asarray(self.counts).dtype}. "
                "Do not divide them by the exposure."
            )

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Where the exposure is above 0, shape (n_y, n_x)."""
        return self.exposure_s > 0.0

    @property
    def area_deg2(self) -> float:
        """Solid angle observed."""
        return float(self.observed.sum()) * self.grid.pixel_area_arcmin2 / 3600.0
