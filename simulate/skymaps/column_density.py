"""How much hydrogen of the Galaxy lies in front of each direction, in atoms per cm^2.

Without a map of the user's a smooth model stands in. It was fitted to HI4PI (HI4PI Collaboration
2016, A&A 594, A116), averaged over pixels of 0.9 deg:

    ln N = -0.742 ln(sin^2 b + 0.055^2)
           + sum of P_lm(sin b) [a_lm cos(m l) + b_lm sin(m l)]

with l and b Galactic, and Legendre functions whose mean square over the sphere is one for m = 0.
The first term is the disc, a csc|b| law that saturates 3 deg from the plane; the harmonics, up to
degree 6, are what the surroundings of the Sun and the spiral arms add.

Against that map the model scatters by 0.12 dex (30%) above |b| = 20 deg and by 0.11 dex below; 90%
of the high sky lie within 0.2 dex, and the mean column there is 3% low, the model being a geometric
mean. Its own range, 1.06e20 to 1.18e22, is floor and cap; the map has 5.3e19 in its emptiest holes
and 2.2e22 towards its densest clouds. The model knows no clouds, no holes and no Magellanic Clouds,
and, as the 21 cm line, no molecules, which matter in the plane. Use HI4PI itself (`read_column`)
where 30% are too much.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.simulate.skymaps.frames import from_icrs
from icmass.simulate.skymaps.pixels import SKY_NSIDE, blocks, centres, check_nside
from icmass.simulate.skymaps.sky_map import SkyMap

__all__ = ["MAX_COLUMN_CM2", "MIN_COLUMN_CM2", "column_model", "galactic_column", "read_column"]

# What a column towards any direction can be; outside, a map is in another unit.
MIN_COLUMN_CM2: Final = 1e17
MAX_COLUMN_CM2: Final = 1e24

_DISC_POWER: Final = -0.742
_DISC_HEIGHT: Final = 0.055
# a_lm and b_lm for m = 0, 1, ...; in each row l = m, m + 1, ... 6. Fitted without the 0.1% of the
# pixels that lie more than 0.5 dex away, the Magellanic Clouds and M31 among them.
_COSINES: Final = (
    (46.494, -0.064, 0.076, 0.017, -0.124, 0.012, 0.066),
    (0.014, 0.194, 0.027, -0.004, -0.057, -0.002),
    (0.069, 0.011, 0.053, 0.016, -0.103),
    (-0.043, 0.177, -0.066, 0.064),
    (0.047, -0.01, 0.032),
    (-0.023, -0.036),
    (-0.007,),
)
_SINES: Final = (
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.055, -0.159, -0.029, -0.147, 0.021, 0.106),
    (-0.109, 0.004, -0.037, 0.075, 0.053),
    (0.044, 0.033, 0.031, -0.026),
    (0.048, -0.03, 0.05),
    (0.006, -0.015),
    (-0.015,),
)


def column_model(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> NDArray[np.float64]:
    """Return the smooth model's column of hydrogen.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (n,)
        Galactic coordinates [deg].

    Returns
    -------
    numpy.ndarray, shape (n,)
        Column [cm^-2].
    """
    longitude, latitude = np.broadcast_arrays(
        np.radians(np.asarray(longitude_deg, dtype=np.float64)),
        np.radians(np.asarray(latitude_deg, dtype=np.float64)),
    )
    sine = np.sin(latitude)
    logarithm = _DISC_POWER * np.log(sine**2 + _DISC_HEIGHT**2)
    for m, (cosines, sines) in enumerate(zip(_COSINES, _SINES, strict=True)):
        even, odd = np.zeros_like(sine), np.zeros_like(sine)
        for legendre, a, b in zip(_legendre(m, sine), cosines, sines, strict=False):
            even += a * legendre
            odd += b * legendre
        logarithm += even * np.cos(m * longitude) + odd * np.sin(m * longitude)
    return np.asarray(np.exp(logarithm))


@lru_cache(maxsize=2)
def galactic_column(nside: int = SKY_NSIDE) -> SkyMap:
    """Return the map of the smooth model's column of hydrogen [cm^-2], in ICRS.

    The values are those at the centres of the pixels of `nside`.

    Raises
    ------
    InputError
        If nside is no power of two.
    """
    check_nside(nside)
    values = np.empty(12 * nside * nside)
    for pixel in blocks(values.size):
        values[pixel] = column_model(*from_icrs(*centres(nside, pixel), "galactic"))
    return SkyMap(values, nside, "icrs", "cm-2", "NHI")


def read_column(path: str | Path, *, frame: str | None = None, column: str | None = None) -> SkyMap:
    """Read a map of hydrogen columns [cm^-2], such as HI4PI's.

    Parameters
    ----------
    path : str or Path
    frame, column : str, optional
        As for `SkyMap.read`.

    Returns
    -------
    SkyMap

    Raises
    ------
    InputError
        If there is no such map, or a column lies outside `MIN_COLUMN_CM2` to `MAX_COLUMN_CM2`.
    """
    hydrogen = SkyMap.read(path, unit="cm-2", frame=frame, column=column)
    hydrogen.check_range(MIN_COLUMN_CM2, MAX_COLUMN_CM2, f"{path}: columns of hydrogen")
    return hydrogen


def _legendre(m: int, sine: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Normalised associated Legendre functions P_lm for l = m ... 6, by the usual recursion."""
    cosine = np.sqrt(1.0 - sine**2)
    first = np.ones_like(sine)
    for step in range(1, m + 1):
        first *= cosine * np.sqrt((2 * step + 1) / (2 * step))
    found, before = [first], np.zeros_like(sine)
    for degree in range(m + 1, len(_COSINES)):
        a = np.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
        b = np.sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
        found.append(a * (sine * found[-1] - b * before))
        before = found[-2]
    return found
