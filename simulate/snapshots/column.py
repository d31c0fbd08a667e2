"""What lies along a line of sight: everything inside a square, through the depth of the box.

Lengths are physical kpc. A periodic box is wrapped about the halo.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.simulate.halo import offset

__all__ = ["SightColumn"]

CHUNK_ROWS = 1 << 18  # rows treated at once, so that temporaries stay small

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class SightColumn:
    """A square column about a halo, seen along its axis.

    Attributes
    ----------
    center_kpc : ndarray, shape (3,)
        Of the halo, in the frame of the snapshot.
    rotation : ndarray, shape (3, 3)
        Rows are the directions east, north and away from the observer.
    half_width_kpc : float
        Half the side of the square.
    half_depth_kpc : float
        How far the column reaches to either side of the halo; may be infinite.
    box_kpc : float or None
        Side of the periodic box.
    """

    center_kpc: Floats
    rotation: Floats
    half_width_kpc: float
    half_depth_kpc: float
    box_kpc: float | None

    def select(self, position_kpc: Floats, margin_kpc: ArrayLike = 0.0) -> tuple[Rows, Floats]:
        """Find what is in the column.

        Parameters
        ----------
        position_kpc : ndarray, shape (n, 3)
            In the frame of the snapshot.
        margin_kpc : array, shape (n,) or number
            How far beside the square something may be and still reach into it: the kernel of a
            particle.

        Returns
        -------
        rows : ndarray of int64, shape (m,)
            Which are inside. A tilted column through a periodic box may meet one twice.
        seen_kpc : ndarray, shape (m, 3)
            Their offsets from the halo to the east, to the north and away.
        """
        margin = np.broadcast_to(np.asarray(margin_kpc, np.float64), len(position_kpc))
        reach = np.sqrt(
            self.half_depth_kpc**2 + 2 * (self.half_width_kpc + margin.max(initial=0.0)) ** 2
        )
        rows, seen = [np.empty(0, np.int64)], [np.empty((0, 3))]
        for start in range(0, len(position_kpc), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            step = offset(position_kpc[part], self.center_kpc, self.box_kpc)
            for index, image in self._images(step, reach):
                inside, offsets = self._inside(image, margin[part][index])
                rows.append(index[inside] + start)
                seen.append(offsets)
        return np.concatenate(rows), np.concatenate(seen)

    def _images(self, step_kpc: Floats, reach_kpc: float) -> list[tuple[Rows, Floats]]:
        """Return the nearest images, and those next to them that the column may still reach."""
        images = [(np.arange(len(step_kpc)), step_kpc)]
        if self.box_kpc is None:
            return images
        for axis in range(3):
            far = np.flatnonzero(np.abs(step_kpc[:, axis]) > self.box_kpc - reach_kpc)
            other = step_kpc[far]
            other[:, axis] -= np.copysign(self.box_kpc, other[:, axis])
            images.append((far, other))
        return images

    def _inside(self, step_kpc: Floats, margin_kpc: Floats) -> tuple[NDArray[np.bool_], Floats]:
        seen = step_kpc @ self.rotation.T
        limit = self.half_width_kpc + margin_kpc
        inside = (np.abs(seen[:, 0]) <= limit) & (np.abs(seen[:, 1]) <= limit)
        # One end belongs to the column, the other does not: an image a box away is the same matter.
        inside &= (seen[:, 2] >= -self.half_depth_kpc) & (seen[:, 2] < self.half_depth_kpc)
        return inside, seen[inside]
