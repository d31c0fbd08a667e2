"""Whether networks look at soft, medium and hard photons alike: saliency of each channel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import bootstrap
from icmass.interpret.statistics.number import Number, Result, numbers
from icmass.interpret.statistics.pixels import PixelTable, log_quantiles

__all__ = ["Band", "band_medians"]


@dataclass(frozen=True)
class Band(Result):
    """One channel.

    Attributes
    ----------
    channel : str
    median : Number
        Median log10 saliency of all pixels, also empty ones.
    median_filled : Number
        Of the pixels that hold photons.
    pixel_std : float
        Standard deviation of ln(1 + n) over all pixels.
    """

    channel: str
    median: Number
    median_filled: Number
    pixel_std: float


def band_medians(
    table: PixelTable, halo: ArrayLike, *, n_resamples: int = 200, seed: int = 0
) -> list[Band]:
    """Return the median saliency of each channel.

    Parameters
    ----------
    table : PixelTable
    halo : array of int, shape (n,)
        The halo that each of its clusters is of, in the order of `table.rows`.
    n_resamples, seed : int
        Of the bootstrap.
    """
    n = len(table.rows)

    def medians(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        *both, log_low = table.by_channel(np.bincount(rows, minlength=n))
        return log_quantiles(np.stack(both, axis=1), log_low).ravel()

    drawn = bootstrap(medians, halo, n_resamples=n_resamples, seed=seed)
    found = numbers(medians(np.arange(n)), drawn)
    std = table.pixel_std()
    return [
        Band(name, found[2 * k], found[2 * k + 1], float(std[k]))
        for k, name in enumerate(table.channels)
    ]
