"""Scaling relations: how proxies follow mass and redshift, and how their residuals hang together.

ln s = pi(z) + alpha(z) ln(M500c / 2e14 Msun) for each proxy s, by least squares, and the covariance
of the residuals of all proxies. `Binned` fits each bin of redshift by itself, as Ho et al. 2023 did
per snapshot; `Smooth` lets pi and alpha be polynomials in ln(1+z), with one covariance.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.estimate.proxies import ProxySample

__all__ = ["PIVOT_MASS_MSUN", "Binned", "Evolution", "Relations", "Smooth", "fit_relations"]

Floats = NDArray[np.floating[Any]]

#: Mass at which relations are normalised (Ho et al. 2023).
PIVOT_MASS_MSUN: Final = 2e14


class Evolution(Protocol):
    """How a relation may change with redshift."""

    def terms(self, redshift: Floats) -> tuple[Floats, Floats]:
        """Return what pi, shape (n, k), and alpha, (n, m), are linear in at each `redshift`."""
        ...

    def covariance_bin(self, redshift: Floats) -> NDArray[np.int64]:
        """Return which covariance holds at each `redshift`, shape (n,)."""
        ...

    @property
    def nodes(self) -> Floats:
        """Redshifts over which a scatter is averaged, shape (n_node,)."""
        ...


@dataclass(frozen=True)
class Binned:
    """A relation of its own in each bin of redshift.

    Attributes
    ----------
    edges : tuple of float
        Inner edges; the first and the last bin are open.
    centres : tuple of float
        Typical redshift of each bin.
    """

    edges: tuple[float, ...]
    centres: tuple[float, ...]

    @classmethod
    def of(cls, redshift: ArrayLike, n_bins: int = 11) -> "Binned":
        """Make bins of a sample: one for each snapshot, or equal numbers where there are more.

        Parameters
        ----------
        redshift : array, shape (n,)
            Of the sample.
        n_bins : int
            At most.
        """
        every = np.asarray(redshift, np.float64)
        values = np.unique(every)
        if len(values) > n_bins:
            values = np.unique(np.quantile(every, (np.arange(n_bins) + 0.5) / n_bins))
        return cls(tuple(0.5 * (values[1:] + values[:-1])), tuple(values))

    def terms(self, redshift: Floats) -> tuple[Floats, Floats]:
        """Return ones in the bin of each `redshift`, shape (n, n_bin), for pi and for alpha."""
        ones = np.eye(len(self.centres))[self.covariance_bin(redshift)]
        return ones, ones

    def covariance_bin(self, redshift: Floats) -> NDArray[np.int64]:
        """Return the bin of each `redshift`, shape (n,)."""
        return np.searchsorted(np.array(self.edges), redshift, side="right")

    @property
    def nodes(self) -> Floats:
        """Centres of the bins, shape (n_bin,), which count equally."""
        return np.array(self.centres)


@dataclass(frozen=True)
class Smooth:
    """Polynomials in ln((1+z)/(1+pivot)), and one covariance for all redshifts.

    Attributes
    ----------
    nodes : ndarray
        Redshifts over which a scatter is averaged.
    pivot : float
    norm_degree, slope_degree : int
        Degrees of pi and alpha.
    """

    nodes: Floats
    pivot: float = 0.25
    norm_degree: int = 2
    slope_degree: int = 1

    @classmethod
    def of(cls, redshift: ArrayLike, norm_degree: int = 2, slope_degree: int = 1) -> "Smooth":
        """Take pivot and nodes from a sample.

        Parameters
        ----------
        redshift : array, shape (n,)
            Of the sample.
        norm_degree, slope_degree : int
            Degrees of pi and alpha in ln(1+z).
        """
        nodes = np.quantile(np.asarray(redshift, np.float64), (np.arange(20) + 0.5) / 20)
        return cls(nodes, float(np.median(nodes)), norm_degree, slope_degree)

    def terms(self, redshift: Floats) -> tuple[Floats, Floats]:
        """Return powers of ln((1+z)/(1+pivot)), highest first, shape (n, degree + 1).

        Those of pi and those of alpha, at each `redshift`, shape (n,).
        """
        u = np.log((1.0 + redshift) / (1.0 + self.pivot))
        return np.vander(u, self.norm_degree + 1), np.vander(u, self.slope_degree + 1)

    def covariance_bin(self, redshift: Floats) -> NDArray[np.int64]:
        """Return 0 for each `redshift`, shape (n,): there is one covariance."""
        return np.zeros(len(redshift), np.int64)


@dataclass(frozen=True)
class Relations:
    """Fitted relations of several proxies.

    Attributes
    ----------
    names : tuple of str, length p
    evolution : Evolution
    norm_terms : ndarray, shape (k, p)
        pi is the terms of the evolution times these.
    slope_terms : ndarray, shape (m, p)
        The same of alpha.
    covariance : ndarray, shape (bins, p, p)
        Of the residuals of ln s at fixed mass.
    n_clusters : int
        Number of clusters they were fitted to.
    """

    names: tuple[str, ...]
    evolution: Evolution
    norm_terms: Floats
    slope_terms: Floats
    covariance: Floats
    n_clusters: int

    def at(self, redshift: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return pi and alpha, shape (n, p), and the covariance, (n, p, p), at `redshift`, (n,)."""
        z = np.atleast_1d(np.asarray(redshift, np.float64))
        norm, slope = self.evolution.terms(z)
        covariance = self.covariance[self.evolution.covariance_bin(z)]
        return norm @ self.norm_terms, slope @ self.slope_terms, covariance

    def subset(self, names: tuple[str, ...]) -> "Relations":
        """Return the relations of the proxies of these `names`, in this order."""
        places = [self.names.index(name) for name in names]
        return Relations(
            tuple(names),
            self.evolution,
            self.norm_terms[:, places],
            self.slope_terms[:, places],
            self.covariance[:, places][:, :, places],
            self.n_clusters,
        )

    def slope(self) -> Floats:
        """Return alpha averaged over redshift, shape (p,)."""
        return self.at(self.evolution.nodes)[1].mean(axis=0)

    def correlation(self) -> Floats:
        """Return the correlation of residuals at fixed mass, averaged over bins, shape (p, p)."""
        sigma = np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))
        return (self.covariance / (sigma[:, :, None] * sigma[:, None, :])).mean(axis=0)

    def residuals(self, sample: ProxySample) -> Floats:
        """Return ln s - pi - alpha ln M of a `sample` with these proxies, shape (n, p)."""
        norm, slope, _ = self.at(sample.redshift)
        return sample.ln_proxy - norm - slope * _pivoted(sample.ln_mass)[:, None]


def fit_relations(sample: ProxySample, evolution: Evolution | None = None) -> Relations:
    """Fit the relations of all proxies of a sample, on the clusters of which all are known.

    Parameters
    ----------
    sample : ProxySample
    evolution : Evolution, optional
        By default one bin per snapshot (`Binned.of`).

    Returns
    -------
    Relations
        Covariances are unbiased: residuals over n - 2 in a bin.

    Raises
    ------
    InputError
        If a bin holds too few clusters, or of one mass only.
    """
    known = sample.complete()
    chosen = evolution or Binned.of(sample.redshift)
    norm, slope = chosen.terms(known.redshift)
    place = chosen.covariance_bin(known.redshift)
    n_bins = int(chosen.covariance_bin(chosen.nodes).max()) + 1
    count = np.bincount(place, minlength=n_bins)
    parameters = (norm.shape[1] + slope.shape[1]) / n_bins
    needed = math.ceil(parameters) + len(known.names)
    if count.min() < needed:
        raise InputError(
            f"scaling relations: must have at least {needed} clusters with all of "
            f"{', '.join(known.names)} in each bin of redshift; got {count.min()} in the bin "
            f"{int(count.argmin())}. Give more clusters or fewer bins."
        )
    design = np.hstack([norm, slope * _pivoted(known.ln_mass)[:, None]])
    terms, _, rank, _ = np.linalg.lstsq(design, known.ln_proxy)
    if rank < design.shape[1]:
        raise InputError("scaling relations: must have different masses in each bin; got one.")
    residual = known.ln_proxy - design @ terms
    covariance = np.empty((n_bins, len(known.names), len(known.names)))
    for k in range(n_bins):
        inside = residual[place == k]
        covariance[k] = inside.T @ inside / (len(inside) - parameters)
    split = norm.shape[1]
    return Relations(known.names, chosen, terms[:split], terms[split:], covariance, len(known))


def _pivoted(ln_mass: Floats) -> Floats:
    return ln_mass - math.log(PIVOT_MASS_MSUN)
