"""Whether maps depend on what networks learnt: beside those of networks that learnt nothing.

A method whose maps hardly change when weights are shuffled shows edges of the image and not what
networks look at (Adebayo et al. 2018, arXiv 1810.03292). Maps are compared by the rank correlation
(Spearman) of saliency over the pixels of each cluster.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from icmass.bootstrap import bootstrap, haloes_of
from icmass.errors import InputError
from icmass.interpret.statistics.number import Number, Result, nan_median, numbers
from icmass.interpret.statistics.profiles import CoreRatio, Space
from icmass.interpret.statistics.summary import Statistics, summarise
from icmass.interpret.subject import Subject

__all__ = ["Sanity", "check_sanity", "map_correlation", "permuted"]

Maps = Callable[
    [Subject, NDArray[np.int64]], Iterable[tuple[NDArray[np.int64], NDArray[np.floating[Any]]]]
]


@dataclass(frozen=True)
class Sanity(Result):
    """Maps of networks against those of others that learnt nothing.

    Attributes
    ----------
    name : str
        Of the others.
    n_clusters : int
    correlation : Number
        Median over clusters of the rank correlation of saliency.
    difference_dex : Number or None
        Of the others: AGN minus gas at equal brightness, all channels; None where photons are not
        told apart.
    same_cluster_dex : Number or None
        The same inside the same clusters.
    core : CoreRatio or None
        Of the others: against N_phot inside 0.285 R500c; None without its slope.
    """

    name: str
    n_clusters: int
    correlation: Number
    difference_dex: Number | None
    same_cluster_dex: Number | None
    core: CoreRatio | None


def permuted(subject: Subject, seed: int = 0) -> Subject:
    """Return a subject whose networks are copies with the entries of each weight tensor shuffled.

    Buffers stay, so that what goes in and comes out is normalised as before.

    Parameters
    ----------
    subject : Subject
        It stays as it is.
    seed : int
        Networks of different folds are shuffled differently.
    """
    sources = np.random.SeedSequence(seed).spawn(len(subject.judges))
    judges = tuple(
        tuple(
            _shuffled(network, np.random.default_rng(source))
            for network, source in zip(members, fold.spawn(len(members)), strict=True)
        )
        for members, fold in zip(subject.judges, sources, strict=True)
    )
    return replace(subject, judges=judges)


def map_correlation(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rank correlation of the sizes of two maps, for each cluster.

    Parameters
    ----------
    a, b : ndarray, shape (m, ...)
        Attributions; their signs are not looked at.

    Returns
    -------
    ndarray, shape (m,)
        NaN where a map is the same everywhere.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    from scipy.stats import rankdata  # noqa: PLC0415  (slow to import)

    if a.shape != b.shape:
        raise InputError(f"maps: must have one shape; got {a.shape} and {b.shape}.")
    result = np.full(len(a), np.nan)
    for k in range(len(a)):
        ranks = [rankdata(np.abs(one[k]).ravel()) for one in (a, b)]
        x, y = (rank - rank.mean() for rank in ranks)
        norm = np.sqrt((x @ x) * (y @ y))
        if norm > 0.0:
            result[k] = (x @ y) / norm
    return result


def check_sanity(
    subject: Subject,
    other: Subject,
    maps: Maps,
    *,
    name: str,
    slopes: Mapping[str, float],
    rows: NDArray[np.int64] | None = None,
    space: Space = "inputs",
    seed: int = 0,
    n_resamples: int = 200,
    report: Callable[[int], None] | None = None,
) -> Sanity:
    """Compare a subject with one whose networks learnt nothing, and measure the other.

    Parameters
    ----------
    subject, other : Subject
        Of the same catalog; `other` such as `permuted` returns, or networks that were trained on
        permuted masses.
    maps : callable
        From a subject and rows to batches of (rows, gradient).
    name : str
        Of the other, for tables.
    slopes, space, seed, n_resamples, report
        As of `summarise`.
    rows : ndarray of int, optional
        Clusters; all by default. A few hundred do.

    Raises
    ------
    InputError
        If the two are not of the same clusters and images.
    """
    if other.shape != subject.shape or len(other) != len(subject):
        raise InputError(
            f"other networks: must see the same clusters in the same images, {len(subject)} x "
            f"{subject.shape}; got {len(other)} x {other.shape}."
        )
    wanted = np.arange(len(subject)) if rows is None else np.asarray(rows, np.int64)
    found: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def others() -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating[Any]]]]:
        for some, own in maps(subject, wanted):
            theirs = np.empty_like(own)
            place = {int(row): k for k, row in enumerate(some)}
            for part, gradient in maps(other, some):
                theirs[[place[int(row)] for row in part]] = gradient
            found.append((some, map_correlation(own, theirs)))
            yield some, theirs

    statistics = summarise(
        *(other, others()),
        slopes=slopes,
        space=space,
        seed=seed,
        n_resamples=n_resamples,
        report=report,
    )
    some, correlation = (np.concatenate(part) for part in zip(*found, strict=True))
    drawn = bootstrap(
        lambda chosen: nan_median(correlation[chosen]),
        haloes_of(subject.catalog)[some],
        n_resamples=n_resamples,
        seed=seed,
    )
    return Sanity(
        name,
        len(some),
        numbers(nan_median(correlation), drawn[:, None])[0],
        *_differences(statistics),
        statistics.core(),
    )


def _differences(statistics: Statistics) -> tuple[Number | None, Number | None]:
    """Return AGN minus gas of all channels, at equal brightness and inside the same clusters."""
    if statistics.agn_icm is None:
        return None, None
    whole = statistics.agn_icm[0]
    return whole.equal_brightness.difference_dex, whole.same_cluster.difference_dex


def _shuffled(network: nn.Module, rng: np.random.Generator) -> nn.Module:
    result = copy.deepcopy(network)
    with torch.no_grad():
        for weight in result.parameters():
            order = torch.from_numpy(rng.permutation(weight.numel())).to(weight.device)
            # Through a copy: layouts of memory other than the plain one stay as they are.
            weight.copy_(weight.reshape(-1)[order].reshape(weight.shape))
    return result
