"""By how much ln M changes when clusters are changed: as networks say it, and as scalar proxies do.

Proxies are count rates, and change ln M by d ln(rate) / alpha, where alpha is the slope of their
scaling relation. They are counted in the pixels and the bands of the catalog, of the bands that the
networks see, without background; a pixel belongs to where its centre lies, and no photon counts as
one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.bootstrap import bootstrap
from icmass.catalog import Catalog, Change, ChangedCatalog
from icmass.errors import InputError
from icmass.interpret.interventions.agn import SOURCES
from icmass.interpret.interventions.exchange import SwapGas
from icmass.interpret.interventions.geometry import within
from icmass.interpret.interventions.standard import Intervention
from icmass.interpret.proxies import PROXY_SYMBOLS
from icmass.interpret.statistics.number import Number, Result, numbers
from icmass.interpret.subject import Subject
from icmass.names import nearest

__all__ = [
    "PROXIES",
    "Effect",
    "EffectSummary",
    "Spread",
    "measurable",
    "measure",
    "measure_all",
]

Floats = NDArray[np.float64]

#: Photons of gas and AGN in the image, inside the true projected R500c, and of gas alone there.
PROXIES: Final = tuple(PROXY_SYMBOLS.values())
_WHOLE_IMAGE: Final = PROXIES[0]
_GAS_ALONE: Final = PROXIES[2]

_BATCH: Final = 64
_LEVELS: Final = (16.0, 50.0, 84.0)
_TOLD: Final = 3.0  # errors that a proxy's median is from 0 for a ratio to it to be told


@dataclass(frozen=True)
class Spread(Result):
    """Median and 16th and 84th percentile over clusters, in ln M; the median with its error."""

    median: Number
    low: float
    high: float


@dataclass(frozen=True)
class EffectSummary(Result):
    """What an intervention does to a sample.

    Attributes
    ----------
    name, words : str
    n : int
        Clusters.
    network : Spread
        Change of ln M by the networks.
    proxies : dict of str to Spread
        By each proxy.
    ratio : dict of str to Number
        Median change by the networks over that by each proxy; NaN where the latter is within 3
        errors of 0.
    slope : Number
        Of the change on what the partner's ln M has over the cluster's own, where gas is swapped:
        1 where the gas tells all, 0 where it tells nothing. NaN otherwise.
    """

    name: str
    words: str
    n: int
    network: Spread
    proxies: dict[str, Spread]
    ratio: dict[str, Number]
    slope: Number


@dataclass(frozen=True)
class Effect(Result):
    """Change of ln M of each cluster.

    Attributes
    ----------
    name, words : str
        Of the intervention.
    rows : ndarray of int, shape (n,)
        Rows of the subject.
    network : ndarray, shape (n,)
    proxies : dict of str to ndarray, shape (n,)
    partner : ndarray, shape (n,), or None
        What the networks say of the cluster that lent its gas, less what they say of its own, where
        gas is swapped.
    """

    name: str
    words: str
    rows: NDArray[np.int64]
    network: Floats
    proxies: dict[str, Floats]
    partner: Floats | None = None

    def summary(
        self, halo: NDArray[np.int64], *, n_resamples: int = 200, seed: int = 0
    ) -> EffectSummary:
        """Return medians, ranges and ratios, with errors by drawing haloes again.

        Parameters
        ----------
        halo : ndarray of int, shape (n,)
            The halo that each cluster is of (`icmass.bootstrap.haloes_of`).
        n_resamples, seed : int
        """
        table = np.stack([self.network, *self.proxies.values()], axis=1)
        partner = None if self.partner is None else self.partner

        def statistic(rows: NDArray[np.int64]) -> Floats:
            median = np.median(table[rows], axis=0)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = median[0] / median[1:]
            slope = np.nan if partner is None else _slope(partner[rows], self.network[rows])
            return np.array([*median, *ratio, slope])

        drawn = bootstrap(statistic, halo, n_resamples=n_resamples, seed=seed)
        found = numbers(statistic(np.arange(len(table))), drawn)
        low, _, high = np.percentile(table, _LEVELS, axis=0)
        n = table.shape[1]
        spreads = [Spread(found[k], float(low[k]), float(high[k])) for k in range(n)]
        ratios = found[n : 2 * n - 1]
        told = [abs(spread.median.value) > _TOLD * spread.median.error for spread in spreads[1:]]
        unknown = Number(np.nan, np.nan)
        return EffectSummary(
            self.name,
            self.words,
            len(table),
            spreads[0],
            dict(zip(self.proxies, spreads[1:], strict=True)),
            {
                name: ratio if sure else unknown
                for name, ratio, sure in zip(self.proxies, ratios, told, strict=True)
            },
            found[-1],
        )


def measurable(catalog: Catalog, slopes: Mapping[str, float]) -> dict[str, float]:
    """Return those of `slopes`, by `PROXIES`, whose photons `catalog` keeps apart."""
    return {
        name: slope
        for name, slope in slopes.items()
        if set(_counted((name,))) <= set(catalog.spec.origins)
    }


def measure(
    subject: Subject,
    intervention: Intervention,
    rows: NDArray[np.int64] | None = None,
    slopes: Mapping[str, float] | None = None,
    *,
    batch_size: int = _BATCH,
) -> Effect:
    """Return what one intervention does.

    Parameters
    ----------
    subject : Subject
    intervention : Intervention
    rows : ndarray of int, shape (n,), optional
    slopes, batch_size
        As of `measure_all`.
    """
    return next(measure_all(subject, [intervention], rows, slopes, batch_size=batch_size))


def measure_all(
    subject: Subject,
    interventions: Sequence[Intervention],
    rows: NDArray[np.int64] | None = None,
    slopes: Mapping[str, float] | None = None,
    *,
    batch_size: int = _BATCH,
    report: Callable[[int], None] | None = None,
) -> Iterator[Effect]:
    """Change clusters and ask again.

    Each cluster is judged by the networks that judge it anyway.

    Parameters
    ----------
    subject : Subject
    interventions : sequence of Intervention
    rows : ndarray of int, shape (n,), optional
        Rows of the subject; all by default.
    slopes : mapping of str to float, optional
        d ln(proxy) / d ln M of each of `PROXIES` that is wanted.
    batch_size : int
        Clusters that are read at once.
    report : callable, optional
        Is told how many clusters were judged since the last time.

    Yields
    ------
    Effect
        In the order of the interventions.

    Raises
    ------
    InputError
        If a proxy is not known or its slope is 0, origins that it needs were not kept apart, or
        gas is swapped with clusters that are not the subject's.
    """
    wanted = {} if slopes is None else dict(slopes)
    for name, slope in wanted.items():
        if name not in PROXIES:
            raise InputError(f"proxy '{name}': is not measured here; {nearest(name, PROXIES)}.")
        if not (np.isfinite(slope) and slope != 0.0):
            raise InputError(f"slope of {name}: must be a number other than 0; got {slope}.")
    places = np.arange(len(subject)) if rows is None else np.asarray(rows, np.int64)
    asked = subject.select(places)
    own, before = _measured(asked, None, wanted, batch_size)
    for one in interventions:
        network, after = _measured(asked, one.change, wanted, batch_size)
        proxies = {name: (after[name] - before[name]) / alpha for name, alpha in wanted.items()}
        partner = _partner(subject, asked, one, batch_size)
        yield Effect(
            one.name,
            one.words,
            places,
            network - own,
            proxies,
            None if partner is None else partner - own,
        )
        if report is not None:
            report(len(places))


def _measured(
    asked: Subject, change: Change | None, wanted: Mapping[str, Any], batch_size: int
) -> tuple[Floats, dict[str, Floats]]:
    """Return what networks say of changed clusters, shape (n,), and ln of count rates."""
    said = np.empty(len(asked))
    rates = {name: np.empty(len(asked)) for name in wanted}
    for fold in np.unique(asked.fold):
        of_fold = np.flatnonzero(asked.fold == fold)
        for start in range(0, len(of_fold), batch_size):
            some = of_fold[start : start + batch_size]
            part = asked.select(some)
            if change is not None:  # made once for networks and proxies
                part = part.with_catalog(ChangedCatalog(part.catalog, change))
            said[some] = part.values(batch_size)
            for name, values in _rates(part, wanted).items():
                rates[name][some] = values
    return said, rates


def _rates(subject: Subject, wanted: Mapping[str, Any]) -> dict[str, Floats]:
    """Return ln of the count rate of proxies, shape (n,) each."""
    if not wanted:
        return {}
    catalog = subject.catalog
    origins = _counted(wanted)
    table = catalog.rows()
    maps = catalog.images(None, subject.band_names, origins, apart=True)
    photons = maps.sum(axis=2, dtype=np.float64)
    inside = within(table, catalog.spec, r500c=1.0)
    result = {}
    for name in wanted:
        counted = photons[:, 0] if name == _GAS_ALONE else photons.sum(axis=1)
        if name != _WHOLE_IMAGE:
            counted = counted * inside
        result[name] = np.log(np.maximum(counted.sum(axis=(1, 2)), 1.0) / table["exposure_s"])
    return result


def _counted(proxies: Iterable[str]) -> tuple[str, ...]:
    """Return the origins of photons that proxies count, gas first."""
    return SOURCES[:1] if set(proxies) == {_GAS_ALONE} else SOURCES


def _partner(
    subject: Subject, asked: Subject, intervention: Intervention, batch_size: int
) -> Floats | None:
    """Return what networks say of the clusters that lend their gas, shape (n,)."""
    change = intervention.change
    if not isinstance(change, SwapGas):
        return None
    if change.fingerprint != subject.catalog.fingerprint():
        raise InputError(
            f"{intervention.name}: must swap gas among the clusters of {subject.catalog.path} that "
            "are explained; got others. Make the change of the subject's catalog."
        )
    return subject.select(change.partner_of(asked.catalog.rows())).values(batch_size)


def _slope(x: Floats, y: Floats) -> float:
    """Return the slope of y on x by least squares; NaN where x does not vary."""
    deviation = x - x.mean()
    variance = float(deviation @ deviation)
    return float(deviation @ y) / variance if variance > 0.0 else np.nan
