"""The mass that several proxies say together, weighted for the smallest variance.

With residual covariance C and slopes alpha the unbiased estimate of ln M with the least variance is
alpha^T C^-1 (ln s - pi) / (alpha^T C^-1 alpha), of standard deviation (alpha^T C^-1 alpha)^(-1/2).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from icmass.estimate.folds import require_apart
from icmass.estimate.proxies import ProxySample
from icmass.estimate.scaling import (
    PIVOT_MASS_MSUN,
    Binned,
    Evolution,
    Relations,
    fit_relations,
)

__all__ = ["LnMass", "combine", "cross_validate", "mean_scatter"]

Floats = NDArray[np.floating[Any]]


class LnMass(NamedTuple):
    """ln of M500c in Msun and its standard deviation, shape (n,); NaN without all proxies."""

    mean: Floats
    std: Floats


def combine(relations: Relations, sample: ProxySample) -> LnMass:
    """Predict masses from the proxies of fitted relations; true masses are not looked at.

    Parameters
    ----------
    relations : Relations
        Of one or several proxies.
    sample : ProxySample
        Holds these proxies, and maybe others.
    """
    chosen = sample.proxies(relations.names)
    norm, slope, covariance = relations.at(chosen.redshift)
    weight = _weights(slope, covariance)
    information = np.sum(weight * slope, axis=1)
    excess = np.sum(weight * (chosen.ln_proxy - norm), axis=1) / information
    std = np.where(np.isfinite(excess), information**-0.5, np.nan)
    return LnMass(np.log(PIVOT_MASS_MSUN) + excess, std)


def mean_scatter(relations: Relations) -> float:
    """Return (alpha^T C^-1 alpha)^(-1/2) of `relations`, averaged over redshift.

    This is the scatter in ln M of Ho et al. 2023 (arXiv 2303.00005).
    """
    _, slope, covariance = relations.at(relations.evolution.nodes)
    information = np.sum(_weights(slope, covariance) * slope, axis=1)
    return float(np.mean(information**-0.5))


def cross_validate(
    sample: ProxySample,
    fold: NDArray[np.int64],
    sets: list[tuple[str, ...]],
    evolution: Evolution | None = None,
) -> list[LnMass]:
    """Predict each fold from relations that were fitted to the others, for several sets.

    Parameters
    ----------
    sample : ProxySample
    fold : ndarray of int, shape (n,)
        Of whole halos (`icmass.estimate.folds`).
    sets : list of tuple of str
        Proxies that predict together.
    evolution : Evolution, optional
        By default one bin per snapshot.

    Returns
    -------
    list of LnMass
        One per set, each of shape (n,).
    """
    require_apart(fold, sample.halo)
    chosen = evolution or Binned.of(sample.redshift)
    results = [LnMass(*np.full((2, len(sample)), np.nan)) for _ in sets]
    for number in np.unique(fold):
        test = fold == number
        relations = fit_relations(sample.rows(~test), chosen)
        for names, result in zip(sets, results, strict=True):
            result.mean[test], result.std[test] = combine(
                relations.subset(names), sample.rows(test)
            )
    return results


def _weights(slope: Floats, covariance: Floats) -> Floats:
    """C^-1 alpha, shape (n, p)."""
    return np.linalg.solve(covariance, slope[..., None])[..., 0]
