"""Where sources may be: matched filters of Poisson counts, for points and for extended sources.

Lengths in pixels unless named otherwise. A source is a beta model (beta = 2/3, surface brightness
(1 + (r/rc)^2)^-1.5, cut at ten core radii) seen through the point-spread function; a core radius of
0 is a point.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.optimize import brentq

from icmass.errors import InputError
from icmass.simulate.instrument.psf import PSF

__all__ = ["BETA_CUT", "FilterBank", "Profiles", "beta_profile", "find_peaks"]

Floats = NDArray[np.float64]

BETA_CUT = 10.0  # core radii at which the beta model ends: 90% of what an endless one has
_TABLE_ARCSEC = 640.0  # the profiles are kept to here
_STEP = 0.125  # of the tables, pixels
_FINE = 4  # grid points per pixel on which profiles are computed
_FAINT_GAIN = 8.0  # ln L of the source a filter is made for: one that is just detected


def beta_profile(r: Floats, core: float) -> Floats:
    """Return the surface brightness of the beta model at radii `r`, of their shape.

    Its integral out to `BETA_CUT` core radii is 1, so it is per square of the unit of `r` and the
    core radius `core`.
    """
    inside = 1.0 - 1.0 / np.sqrt(1.0 + BETA_CUT**2)
    shape = (1.0 + (np.asarray(r) / core) ** 2) ** -1.5
    return np.where(r <= BETA_CUT * core, shape / (2.0 * np.pi * core**2 * inside), 0.0)


@dataclass(frozen=True)
class Profiles:
    """How the photons of a source are spread over pixels, by core radius.

    Attributes
    ----------
    extents_arcsec : tuple of float
        Core radii, ascending, the first 0.
    pixel_arcsec : float
    step : float
        Of the tables, pixels.
    table : ndarray, shape (n_extent, n_r)
        Share of the photons that fall on a pixel whose centre lies r = k step away.
    """

    extents_arcsec: tuple[float, ...]
    pixel_arcsec: float
    step: float
    table: Floats

    @staticmethod
    @lru_cache(maxsize=8)
    def of(psf: PSF, extents_arcsec: tuple[float, ...], pixel_arcsec: float) -> "Profiles":
        """Compute the profiles of a point-spread function; kept, for all tiles ask for the same.

        Parameters
        ----------
        psf : PSF
        extents_arcsec : tuple of float
            Core radii, ascending from 0.
        pixel_arcsec : float
            Side of a pixel.

        Returns
        -------
        Profiles

        Raises
        ------
        InputError
            If the extents do not ascend from 0, or the last is longer than 320 arcsec.
        """
        extents = np.asarray(extents_arcsec, dtype=np.float64)
        if extents.size < 1 or extents[0] != 0.0 or np.any(np.diff(extents) <= 0.0):
            raise InputError(
                "extents_arcsec: must ascend from 0 (a point source); "
                f"got {', '.join(f'{e:g}' for e in extents)}."
            )
        if extents[-1] > 0.5 * _TABLE_ARCSEC:
            raise InputError(
                f"extents_arcsec: must be at most {0.5 * _TABLE_ARCSEC:g}; got {extents[-1]:g}."
            )
        tables = [_profile(psf, extent, pixel_arcsec) for extent in extents]
        return Profiles(tuple(extents), pixel_arcsec, _STEP, np.stack(tables))

    @property
    def reach(self) -> float:
        """Radius at which the tables end, pixels."""
        return self.step * (self.table.shape[1] - 1)

    def image(self, extent: int, radius: float) -> Floats:
        """Return the share per pixel about a source in the middle of the middle pixel.

        Parameters
        ----------
        extent : int
            Index of the core radius.
        radius : float
            Pixels, beyond which it is 0.

        Returns
        -------
        ndarray, shape (n, n)
            n is odd, and as small as holds the radius.
        """
        half = int(np.ceil(radius))
        y, x = np.mgrid[-half : half + 1, -half : half + 1]
        r = np.hypot(x, y)
        nodes = self.step * np.arange(self.table.shape[1])
        return np.where(r <= radius, np.interp(r, nodes, self.table[extent], right=0.0), 0.0)


def _profile(psf: PSF, extent_arcsec: float, pixel_arcsec: float) -> Floats:
    """Radial profile of beta model x PSF x pixel, averaged over directions, per pixel."""
    fine = pixel_arcsec / _FINE
    reach = _TABLE_ARCSEC + min(BETA_CUT * extent_arcsec, _TABLE_ARCSEC)
    size = fft.next_fast_len(2 * int(np.ceil(reach / fine)), real=True)
    axis = fft.fftfreq(size, 1.0 / size) * fine
    r = np.hypot(axis[:, None], axis[None, :])
    # Normalised on the grid: the core is a few grid points wide.
    spread = fft.rfft2(psf.density(r) * fine**2)
    spread /= spread[0, 0].real
    if extent_arcsec > 0.0:
        shape = fft.rfft2(beta_profile(r, extent_arcsec))
        spread *= shape / shape[0, 0].real
    frequency_y, frequency_x = fft.fftfreq(size, fine), fft.rfftfreq(size, fine)
    box = np.sinc(frequency_y * pixel_arcsec)[:, None] * np.sinc(frequency_x * pixel_arcsec)
    per_pixel = fft.fftshift(fft.irfft2(spread * box, (size, size))) * _FINE**2
    radius = _STEP * _FINE * np.arange(int(_TABLE_ARCSEC / pixel_arcsec / _STEP) + 1)
    angle = np.pi / 4.0 * (np.arange(6) + 0.5) / 6.0
    middle = size // 2
    places = [middle + radius * np.sin(angle)[:, None], middle + radius * np.cos(angle)[:, None]]
    return np.maximum(ndimage.map_coordinates(per_pixel, places, order=3).mean(axis=0), 0.0)


class FilterBank:
    """Matched filters for one size of image and one level of background.

    The weight of a photon is ln(1 + s P / b), the filter that best tells a source of s counts from
    a background of b counts per pixel; s is what is just detected. The weighted sum of photons is
    compared with a Poisson variable of the same mean and variance.

    Parameters
    ----------
    profiles : Profiles
    background : float
        Counts per pixel for which the weights are made; elsewhere they are merely not the best.
    shape : (int, int)
        Of the images to filter.
    """

    def __init__(self, profiles: Profiles, background: float, shape: tuple[int, int]) -> None:
        self.shape = shape
        weights = [_weights(profiles, k, background) for k in range(len(profiles.table))]
        margin = max(w.shape[0] for w in weights) // 2
        self._size = tuple(fft.next_fast_len(n + 2 * margin, real=True) for n in shape)
        self._kernels = [
            [self._transform(_wrapped(w**p, self._size)) for p in (1, 2)] for w in weights
        ]

    def _transform(self, image: NDArray[Any]) -> NDArray[np.complexfloating]:
        return fft.rfft2(image.astype(np.float32), self._size)

    def _back(self, product: NDArray[np.complexfloating]) -> NDArray[np.float32]:
        return fft.irfft2(product, self._size)[: self.shape[0], : self.shape[1]]

    def significance(
        self, counts: NDArray[np.integer], model: Floats
    ) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Likelihood that a source is centred on each pixel, and the extent that gives the most.

        Parameters
        ----------
        counts : ndarray, shape (n_y, n_x)
        model : ndarray, shape (n_y, n_x)
            Counts expected of everything known; 0 where not observed.

        Returns
        -------
        likelihood : ndarray of float32, shape (n_y, n_x)
            -ln of the chance of so large a sum without a source, one place looked at; 0 where below
            about 3 sigma.
        extent : ndarray of int8, shape (n_y, n_x)
            Index of the extent.
        """
        photons, expected = self._transform(counts), self._transform(model)
        best = np.zeros(self.shape, np.float32)
        extent = np.zeros(self.shape, np.int8)
        for k, (weight, square) in enumerate(self._kernels):
            total = self._back(photons * weight)
            mean = self._back(expected * weight)
            variance = self._back(expected * square)
            chosen = (mean > 1e-3) & (total > mean + 2.5 * np.sqrt(np.maximum(variance, 1e-6)))
            likelihood = np.zeros(self.shape, np.float32)
            likelihood[chosen] = _tail(total[chosen], mean[chosen], variance[chosen])
            better = likelihood > best
            best[better], extent[better] = likelihood[better], k
        return best, extent


def _weights(profiles: Profiles, extent: int, background: float) -> Floats:
    """ln(1 + s P / b) about the source, cut where little is gained."""
    core = profiles.extents_arcsec[extent]
    image = profiles.image(extent, (60.0 + 3.0 * core) / profiles.pixel_arcsec)

    def gain(log_counts: float) -> float:
        ratio = np.exp(log_counts) * image / background
        expected = background * ((1.0 + ratio) * np.log1p(ratio) - ratio).sum()
        return float(expected) - _FAINT_GAIN

    return np.log1p(np.exp(brentq(gain, -5.0, 20.0)) * image / background)


def _wrapped(kernel: Floats, size: tuple[int, ...]) -> Floats:
    """Put a kernel into an image, its middle on the first pixel."""
    image = np.zeros(size)
    half = kernel.shape[0] // 2
    image[: kernel.shape[0], : kernel.shape[1]] = kernel
    return np.roll(image, (-half, -half), axis=(0, 1))


def _tail(
    total: NDArray[np.float32], mean: NDArray[np.float32], variance: NDArray[np.float32]
) -> NDArray[np.float32]:
    """-ln P(sum >= total) of a scaled Poisson variable (Stirling's series for the tail)."""
    scale = variance / mean
    k, mu = total / scale, mean / scale
    return k * np.log(k / mu) - (k - mu) + 0.5 * np.log(2.0 * np.pi * k) + np.log(1.0 - mu / k)


def find_peaks(
    likelihood: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of local maxima, shape (n,) each, the highest first.

    They are pixels of `likelihood`, shape (n_y, n_x), above `threshold` and their eight neighbours.
    """
    rows, columns = np.nonzero(likelihood > threshold)
    value = likelihood[rows, columns]
    padded = np.pad(likelihood, 1)
    top = np.ones(len(rows), dtype=bool)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            other = padded[rows + 1 + dy, columns + 1 + dx]
            # Of two equal neighbours the first stays.
            top &= (other < value) if (dy, dx) < (0, 0) else (other <= value)
    rows, columns, value = rows[top], columns[top], value[top]
    order = np.argsort(-value, kind="stable")
    return rows[order], columns[order]
