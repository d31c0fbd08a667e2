"""How much of ln M comes from galaxies and how much from photons, and from which galaxies.

Integrated gradients from no galaxies (no photons) add up to what ln M is above that of the same
cluster without them. Where in the cube they lie is told in parts of its half-width.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from icmass.bootstrap import bootstrap
from icmass.errors import InputError
from icmass.interpret.attribution import attributions
from icmass.interpret.attribution.methods import IntegratedGradients, Method, make_method
from icmass.interpret.statistics.number import Number, Result, numbers
from icmass.interpret.subject import Subject

__all__ = ["EDGES", "Galaxies", "galaxies"]

#: Parts of the half-width of the cube between which sizes of attributions are added.
EDGES: Final = (0.0, 0.15, 0.3, 0.5, 0.75, 1.0)
_BATCH: Final = 16


@dataclass(frozen=True)
class Galaxies(Result):
    """What galaxies and photons do to ln M.

    Attributes
    ----------
    n : int
        Clusters.
    galaxies, photons : Number
        Median of ln M less ln M without them.
    galaxies_size, photons_size : Number
        Median of the size of the same.
    by_radius, by_velocity : tuple of Number
        Part of the sizes of attributions to galaxies between `EDGES` of the projected radius and of
        |v|, over the half-width of the cube: mean over clusters that have any; NaN if none has.
        Corners count to the outermost.
    """

    n: int
    galaxies: Number
    photons: Number
    galaxies_size: Number
    photons_size: Number
    by_radius: tuple[Number, ...]
    by_velocity: tuple[Number, ...]


def galaxies(
    subject: Subject,
    method: str | Method,
    halo: NDArray[np.int64],
    *,
    n_resamples: int = 200,
    seed: int = 0,
    report: Callable[[int], None] | None = None,
) -> Galaxies:
    """Measure what galaxies and photons do.

    Parameters
    ----------
    subject : Subject
        Networks see galaxies.
    method : str or Method
        Integrated gradients, with their settings.
    halo : ndarray of int, shape (n,)
        The halo that each cluster is of.
    n_resamples, seed : int
        Of the bootstrap over haloes.
    report : callable, optional
        Called with the number of clusters just done, twice for each.

    Raises
    ------
    InputError
        If networks do not look at galaxies, the method has no baseline, or `halo` has another
        length.
    """
    chosen = make_method(method)
    if not chosen.uses_baseline:
        raise InputError(
            f"method: must compare with a baseline; got {chosen.name}. Take "
            f"{IntegratedGradients.name}."
        )
    if np.shape(halo) != (len(subject),):
        raise InputError(
            f"halo: must have shape ({len(subject)},), one for each cluster; got {np.shape(halo)}."
        )
    parts = np.full((len(subject), 2), np.nan)
    shares = np.zeros((len(subject), 2, len(EDGES) - 1))
    for place, space in enumerate(("galaxies", "inputs")):
        for one in attributions(subject, chosen, space=space, batch_size=_BATCH, report=report):
            parts[one.rows, place] = one.prediction - one.baseline_prediction
            if space == "galaxies":
                shares[one.rows] = _shares(np.abs(one.values, dtype=np.float64))
    table = np.concatenate([parts, np.abs(parts)], axis=1)

    def statistic(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.concatenate([np.median(table[rows], axis=0), _known_mean(shares[rows]).ravel()])

    drawn = bootstrap(statistic, halo, n_resamples=n_resamples, seed=seed)
    found = numbers(statistic(np.arange(len(table))), drawn)
    n_bin = len(EDGES) - 1
    return Galaxies(
        n=len(table),
        galaxies=found[0],
        photons=found[1],
        galaxies_size=found[2],
        photons_size=found[3],
        by_radius=tuple(found[4 : 4 + n_bin]),
        by_velocity=tuple(found[4 + n_bin :]),
    )


def _shares(size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return parts of maps (m, v, y, x) by radius and by velocity, shape (m, 2, n_bin).

    They are NaN where a map is 0 all over, as that of a cluster without galaxies.
    """
    m, n_v, n_y, n_x = size.shape
    v, y, x = (np.abs(np.arange(n) - (n - 1) / 2) / (n / 2) for n in (n_v, n_y, n_x))
    radius = np.broadcast_to(np.hypot(y[:, None], x[None, :]), (n_v, n_y, n_x))
    speed = np.broadcast_to(v[:, None, None], (n_v, n_y, n_x))
    result = np.zeros((m, 2, len(EDGES) - 1))
    total = size.reshape(m, -1).sum(axis=1)
    total[total == 0.0] = np.nan
    for place, distance in enumerate((radius, speed)):
        bins = np.minimum(
            np.searchsorted(np.array(EDGES), distance, side="right") - 1, len(EDGES) - 2
        )
        for k, one in enumerate(size):
            result[k, place] = np.bincount(bins.ravel(), one.ravel(), len(EDGES) - 1) / total[k]
    return result


def _known_mean(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the first axis of clusters whose parts are known; NaN if none is."""
    known = shares[np.isfinite(shares[:, 0, 0])]
    return known.mean(axis=0) if len(known) else np.full(shares.shape[1:], np.nan)
