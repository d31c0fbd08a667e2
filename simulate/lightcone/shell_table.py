"""Haloes of one shell for every value of its density field: how many, of which mass and redshift.

Heavy haloes are biased more, so that a dense place holds not only more haloes but heavier ones.
The intensity is tabulated at nodes of the field and linear in between; it is divided by its mean
over the Gaussian field, so that the mean over the sky of every mass is that of the mass function
exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from icmass.simulate.lightcone.counts import CountGrid

__all__ = ["Chosen", "ShellTable", "shell_table"]

Floats = NDArray[np.float64]

_SIGMAS = 6.0  # the field is cut there, once in 5e8 pixels
_NODES = 97


@dataclass(frozen=True)
class ShellTable:
    """Expected haloes of a shell.

    Attributes
    ----------
    shell : int
        See `icmass.simulate.lightcone.field.SHELL_WIDTH`.
    node : ndarray, shape (k,)
        Values of the field, ascending; a single 0 where haloes do not cluster.
    per_deg2 : ndarray, shape (k,)
        Haloes per square degree at each.
    cumulative : ndarray, shape (k * n * m,)
        Share of haloes below each end of the bins of redshift and, within those, mass; node j runs
        from j to j + 1.
    redshift_edges : ndarray, shape (n + 1,)
    log10_mass_edges : ndarray, shape (m + 1,)
    """

    shell: int
    node: Floats
    per_deg2: Floats
    cumulative: Floats
    redshift_edges: Floats
    log10_mass_edges: Floats

    def expected_per_deg2(self, field: Floats) -> Floats:
        """Return the haloes per square degree where the density is `field`, of its shape."""
        return np.interp(field, self.node, self.per_deg2)

    def choose(self, field: Floats, uniform: Floats) -> "Chosen":
        """Choose mass and bin of redshift of haloes.

        Parameters
        ----------
        field : ndarray, shape (n,)
            Where each halo is.
        uniform : ndarray, shape (n, 2)
            Random numbers from 0 to 1.

        Returns
        -------
        Chosen
        """
        node = self._node(field, uniform[:, 0])
        target = node + uniform[:, 1]
        masses = len(self.log10_mass_edges) - 1
        bins = masses * (len(self.redshift_edges) - 1)
        found = np.searchsorted(self.cumulative, target, side="right")
        found = np.clip(found, node * bins, node * bins + bins - 1)
        below = np.where(found > 0, self.cumulative[found - 1], 0.0)
        width = self.cumulative[found] - below
        inside = np.clip((target - below) / np.where(width > 0.0, width, 1.0), 0.0, 1.0)
        redshift_bin, mass_bin = np.divmod(found - node * bins, masses)
        step = self.log10_mass_edges[1] - self.log10_mass_edges[0]
        return Chosen(self.log10_mass_edges[mass_bin] + inside * step, redshift_bin)

    def _node(self, field: Floats, uniform: Floats) -> NDArray[np.int64]:
        """One of the two nodes about the field, as likely as its part of the haloes there."""
        if len(self.node) == 1:
            return np.zeros(len(field), dtype=np.int64)
        lower = np.clip(np.searchsorted(self.node, field) - 1, 0, len(self.node) - 2)
        share = (field - self.node[lower]) / (self.node[lower + 1] - self.node[lower])
        share = np.clip(share, 0.0, 1.0)
        above = share * self.per_deg2[lower + 1]
        total = above + (1.0 - share) * self.per_deg2[lower]
        return lower + (uniform * total < above)


@dataclass(frozen=True)
class Chosen:
    """Haloes of one shell: log10 M500c in Msun, and the bin of redshift; shape (n,)."""

    log10_mass: Floats
    redshift_bin: NDArray[np.int64]


def shell_table(
    shell: int, grid: CountGrid, rows: slice, bias: Floats | None, variance: float
) -> ShellTable:
    """Tabulate a shell.

    Parameters
    ----------
    shell : int
    grid : CountGrid
    rows : slice
        Bins of redshift that lie in the shell.
    bias : ndarray, shape (m,), or None
        Of each bin of mass; None where haloes do not cluster.
    variance : float
        Of the field.

    Returns
    -------
    ShellTable
    """
    mean = grid.per_deg2[rows]
    if bias is None:
        node, factor = np.zeros(1), np.ones((1, mean.shape[1]))
    else:
        sigma = np.sqrt(variance)
        node = np.linspace(-_SIGMAS, _SIGMAS, _NODES) * sigma
        factor = np.exp(np.outer(node, bias) - 0.5 * variance * bias**2)
        factor /= _hat_weights() @ factor
    counts = factor[:, None, :] * mean
    per_deg2 = counts.sum(axis=(1, 2))
    share = np.cumsum(counts.reshape(len(node), -1), axis=1)
    share /= share[:, -1:]
    cumulative = (share + np.arange(float(len(node)))[:, None]).ravel()
    edges = grid.redshift_edges[rows.start : rows.stop + 1]
    return ShellTable(shell, node, per_deg2, cumulative, edges, grid.log10_mass_edges)


def _hat_weights() -> Floats:
    """Mean over a Gaussian of the functions that are 1 at one node and 0 at all others.

    Beyond the outermost nodes the field counts as theirs.
    """
    node = np.linspace(-_SIGMAS, _SIGMAS, _NODES)
    low, high = node[:-1], node[1:]
    mass = norm.cdf(high) - norm.cdf(low)
    moment = norm.pdf(low) - norm.pdf(high)  # of x within the interval
    rising = (moment - low * mass) / (high - low)
    weights = np.zeros(_NODES)
    weights[1:] += rising
    weights[:-1] += mass - rising
    tail = norm.cdf(-_SIGMAS)
    weights[0] += tail
    weights[-1] += tail
    return weights
