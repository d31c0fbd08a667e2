"""Counts that charged particles and the detector itself give.

Particles pass the mirrors by: no effective area, no vignetting, the redistribution only. The model
is a sum of power laws and lines per telescope module, in counts/s/keV/arcmin^2 of sky.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from icmass.simulate.emission.powerlaw import powerlaw

__all__ = ["Line", "ParticleBackground", "PowerLaw"]


@dataclass(frozen=True)
class PowerLaw:
    """norm * E^-index with the norm in counts/s/keV/arcmin^2 at 1 keV, of one module."""

    index: float
    norm: float

    def integral(self, edges_kev: np.ndarray) -> np.ndarray:
        """Exact integral over each bin of `edges_kev`, shape (n + 1,): counts/s/arcmin^2, (n,)."""
        return powerlaw(edges_kev, self.index, self.norm)


@dataclass(frozen=True)
class Line:
    """A Gaussian line of intrinsic width sigma, norm in counts/s/arcmin^2, of one module."""

    energy_kev: float
    norm: float
    sigma_kev: float = 0.0

    def integral(self, edges_kev: np.ndarray) -> np.ndarray:
        """Integral over each bin of `edges_kev`, shape (n + 1,): counts/s/arcmin^2, (n,)."""
        # A line without width is a step; a width far below any bin gives exactly that.
        sigma = max(self.sigma_kev, 1e-9)
        return self.norm * np.diff(ndtr((edges_kev - self.energy_kev) / sigma))


@dataclass(frozen=True)
class ParticleBackground:
    """Particle-induced background of an instrument.

    Parameters
    ----------
    power_laws : tuple of PowerLaw
        Continuum of one module.
    lines : tuple of Line
        Lines of one module.
    n_module : int
        Modules to add up.
    scale : float
        Factor on everything, such as the level of one survey over that of another.
    """

    power_laws: tuple[PowerLaw, ...]
    lines: tuple[Line, ...]
    n_module: int = 1
    scale: float = 1.0

    def spectrum(self, edges_kev: np.ndarray) -> np.ndarray:
        """Return the counts before redistribution.

        Parameters
        ----------
        edges_kev : (n + 1,) array
            Energy bins.

        Returns
        -------
        (n,) float64
            Counts/s/arcmin^2 per bin, all modules together.
        """
        total = np.zeros(np.size(edges_kev) - 1)
        parts: tuple[PowerLaw | Line, ...] = (*self.power_laws, *self.lines)
        for part in parts:
            total += part.integral(np.asarray(edges_kev, dtype=np.float64))
        return self.n_module * self.scale * total
