"""Where matter is dense on the sky: a Gaussian field for each shell of redshift.

The field g of a shell is the linear matter density, averaged over the thickness of the shell and
over pixels of 14 arcmin. Haloes of bias b are exp(b g - b^2 <g^2> / 2) times as dense as on
average: a lognormal density, whose mean over all fields is 1 and whose correlation on large scales
is b^2 that of matter (Coles & Jones 1991, MNRAS 248, 1; as FLASK does, Xavier et al. 2016, MNRAS
459, 3693).

Where b times the scatter of g is large, a lognormal density puts haloes into peaks that a sky
hardly has: the mean over all skies stays right, but most would lack their heaviest clusters. The
bias is therefore cut, see `clustering_bias`.

Left out: shells know nothing of each other, so that haloes on two sides of an edge do not cluster;
within a shell the field does not depend on the distance; peculiar velocities do not enter
redshifts; structure below 14 arcmin, such as the pairs inside one pixel, is random.
"""

from functools import lru_cache
from typing import Final

import healpy
import numpy as np
from numpy.typing import NDArray

from icmass.simulate.population.haloes import HaloParameters
from icmass.simulate.population.mass_function import colossus_universe, tinker10_bias
from icmass.simulate.rng import stream

__all__ = [
    "FIELD_NSIDE",
    "SHELL_WIDTH",
    "angular_spectrum",
    "clustering_bias",
    "density_field",
    "field_variance",
    "pixel_window",
]

Floats = NDArray[np.float64]

FIELD_NSIDE: Final = 256
SHELL_WIDTH: Final = 0.05
"""Shell s lies between the redshifts 0.05 s and 0.05 (s + 1)."""
MAX_SCATTER: Final = 1.5
"""Greatest scatter of the logarithm of the density of any haloes in the pixels of a shell."""
LMAX: Final = 3 * FIELD_NSIDE - 1
_WAVES = 40  # along the line of sight: up to this many waves in the shell
_STEPS_PER_WAVE = 16


@lru_cache(maxsize=128)
def angular_spectrum(parameters: HaloParameters, shell: int) -> Floats:
    """Power of the matter density averaged over a shell, for l = 0 to `LMAX`.

    C_l = chi^-2 int dk / (2 pi) P(sqrt((l + 1/2)^2 / chi^2 + k^2)) sinc^2(k w / 2), with chi and w
    the comoving distance and thickness of the shell and P the linear power spectrum (Eisenstein &
    Hu 1998) at its middle. The waves along the line of sight are all counted, which Limber's
    approximation does not do and which matters for thin shells. The sky is taken as flat: that
    lowers C_l by 0.5% from redshift 0.15 on, 2% in the shell from 0.1 and 5 to 7% in that from 0.05
    (against spherical Bessel functions, l = 2 to 100).

    Parameters
    ----------
    parameters : HaloParameters
    shell : int
        Number of the shell, see `SHELL_WIDTH`.

    Returns
    -------
    ndarray, shape (LMAX + 1,)
        Read-only.
    """
    edges = np.array([shell, shell + 1.0]) * SHELL_WIDTH
    near, far = parameters.cosmology().comoving_distance(edges).to_value("Mpc") * parameters.h
    distance = 0.75 * (far**4 - near**4) / (far**3 - near**3)  # mean over the volume, Mpc/h
    thickness = far - near
    count = _WAVES * _STEPS_PER_WAVE
    along = np.linspace(0.0, 2.0 * np.pi * _WAVES / thickness, count + 1)
    window = np.sinc(along * thickness / (2.0 * np.pi)) ** 2
    sparse = np.unique(np.round(np.geomspace(1.0, LMAX + 1.0, 120))) - 1.0
    across = (sparse + 0.5) / distance
    wave = np.hypot(across[:, None], along)
    with colossus_universe(parameters) as universe:
        power = universe.matterPowerSpectrum(wave.ravel(), float(edges.mean())).reshape(wave.shape)
    # The integral from 0 on, twice for both signs of k.
    sparse_spectrum = np.trapezoid(power * window, along, axis=1) / (np.pi * distance**2)
    every = np.arange(LMAX + 1.0)
    spectrum = np.exp(np.interp(np.log(every + 0.5), np.log(sparse + 0.5), np.log(sparse_spectrum)))
    spectrum.setflags(write=False)
    return spectrum


@lru_cache(maxsize=1)
def pixel_window() -> Floats:
    """By what the mean over a pixel lowers the waves of each l, shape (LMAX + 1,).

    That of a square of a pixel's area, averaged over directions; healpy's own table is not in its
    package.
    """
    side = healpy.nside2resol(FIELD_NSIDE)
    angle = (np.arange(64) + 0.5) / 64 * (np.pi / 2.0)
    phase = np.arange(LMAX + 1.0)[:, None] * side / (2.0 * np.pi)
    squared = (np.sinc(phase * np.cos(angle)) * np.sinc(phase * np.sin(angle))) ** 2
    return np.sqrt(squared.mean(axis=1))


def field_variance(parameters: HaloParameters, shell: int) -> float:
    """Return the variance of the field of `shell`, which is the same in every pixel.

    The sum over l of (2 l + 1) C_l / 4 pi, of the spectrum and window of a pixel; `parameters` give
    the cosmology.
    """
    order = np.arange(LMAX + 1.0)
    smoothed = angular_spectrum(parameters, shell) * pixel_window() ** 2
    return float(((2.0 * order + 1.0) * smoothed).sum() / (4.0 * np.pi))


def clustering_bias(
    parameters: HaloParameters, log10_mass_msun: Floats, shell: int, redshift: float
) -> Floats:
    """Bias by which haloes follow the field of a shell.

    That of Tinker et al. (2010), but at most `MAX_SCATTER` over the scatter of the field. Haloes
    above some 10^14.2 Msun (10^14.06 at redshift 1) cluster like those of that mass; lighter ones
    are not touched.

    Parameters
    ----------
    parameters : HaloParameters
    log10_mass_msun : ndarray, shape (n,)
        log10 of M500c in Msun.
    shell : int
    redshift : float
        Of the haloes.

    Returns
    -------
    ndarray, shape (n,)
    """
    bias = tinker10_bias(parameters, 10.0**log10_mass_msun * parameters.h, redshift)
    return np.minimum(bias, MAX_SCATTER / np.sqrt(field_variance(parameters, shell)))


def density_field(
    parameters: HaloParameters, shell: int, seed: int, pixel: NDArray[np.int64]
) -> Floats:
    """Draw the Gaussian field of a shell.

    The whole sky is drawn each time, so that a pixel has its value whatever the footprint.

    Parameters
    ----------
    parameters : HaloParameters
    shell : int
    seed : int
        Of the light cone.
    pixel : ndarray of int64, shape (n,)
        NESTED pixels of `FIELD_NSIDE` that are wanted.

    Returns
    -------
    ndarray, shape (n,)
        Mean 0, variance `field_variance`.
    """
    rng = np.random.default_rng(stream(seed, "lightcone", "field", shell))
    count = healpy.Alm.getsize(LMAX)
    order, _ = healpy.Alm.getlm(LMAX)
    waves = np.empty(count, dtype=np.complex128)
    waves.real = rng.standard_normal(count)
    waves.imag = rng.standard_normal(count)
    waves *= np.sqrt(0.5)
    round_the_pole = slice(0, LMAX + 1)  # m = 0, where waves are real
    waves[round_the_pole] = waves[round_the_pole].real * np.sqrt(2.0)
    amplitude = np.sqrt(angular_spectrum(parameters, shell)) * pixel_window()
    waves *= amplitude[order]
    ring = healpy.alm2map(waves, FIELD_NSIDE, lmax=LMAX, pol=False)
    return np.asarray(ring[healpy.nest2ring(FIELD_NSIDE, pixel)], dtype=np.float64)
