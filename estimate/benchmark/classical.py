"""Rows that need no network: proxies, their combinations, clipped counts, regressions."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.benchmark.rows import Row, Sample, make_row
from icmass.estimate.benchmark.suites import ORIGINS
from icmass.estimate.clipped_counts import ClippedCounts, Rings, clipped_counts
from icmass.estimate.combination import LnMass, cross_validate, mean_scatter
from icmass.estimate.metrics import SCORES, Predictive, reference_points, score
from icmass.estimate.proxies import IDEAL, OBSERVED, ProxySample
from icmass.estimate.regression import DEFAULT_OBSERVABLES, Features, cross_predict
from icmass.estimate.scaling import Binned, Evolution, Smooth, fit_relations
from icmass.estimate.search import SetScore, all_sets, score_sets

__all__ = ["proxy_rows", "regression_rows", "rings_that_fit"]

# Scatter in ln M, %, of Ho et al. 2023 (arXiv 2303.00005), tables 1 and 2.
_PAPER: Final[dict[tuple[str, ...], float]] = {
    ("T",): 11.75,
    ("L_X",): 26.33,
    ("M_gas",): 8.46,
    ("M_star",): 12.56,
    ("sigma_v,true",): 37.56,
    ("M_gas", "M_star"): 4.93,
    ("T", "M_gas", "M_star"): 4.06,
    ("N_gal",): 39.72,
    ("sigma_v",): 70.39,
    ("N_phot",): 40.02,
    ("N_phot,500",): 34.07,
    ("N_gal", "N_phot,500"): 28.8,
    ("N_gal", "sigma_v", "N_phot", "N_phot,500"): 27.3,
}
_LEAST_PER_BIN: Final = 30  # clusters in a redshift bin, that a relation of its own be fitted
_CLIPPED: Final = "clipped counts"
_WIDE: Final = "clipped counts to the centre"
_RINGS: Final[Mapping[str, Rings]] = {
    _CLIPPED: Rings(),
    # What a network sees that sees the whole image.
    _WIDE: Rings(edges_kpc=(0.0, 110.0, *Rings().edges_kpc, 1500.0)),
}


def proxy_rows(catalog: Catalog, sample: Sample, n_resamples: int) -> Iterator[Row]:
    """Yield the ideal and the observed proxies, the study's combinations and the best of all sets.

    Only proxies that the catalog knows take part.

    Parameters
    ----------
    catalog : Catalog
        The clusters.
    sample : Sample
        The same clusters: truth and folds.
    n_resamples : int
        Of the bootstrap of errors.
    """
    for kind, proxies in (("ideal proxy", IDEAL), ("observed proxy", OBSERVED)):
        present = _present(catalog, proxies)
        if not present:
            continue
        chosen = ProxySample.of(catalog.column, present)
        scores = score_sets(
            chosen,
            all_sets(chosen.names),
            fold=sample.fold,
            evolution=_evolution(chosen, sample.fold),
            n_resamples=n_resamples,
        )
        wanted = [s for s in _PAPER if set(s) <= set(present)]
        best = scores[0]
        for names in (*wanted, *([best.names] if best.names not in wanted else [])):
            one = next(s for s in scores if set(s.names) == set(names))
            found = "" if names in wanted else f"best of {len(scores)} sets: "
            yield _proxy_row(chosen, sample, one, kind, found, _PAPER.get(names), n_resamples)


def rings_that_fit(catalog: Catalog) -> tuple[dict[str, Rings], list[str]]:
    """Return the rings that the images of `catalog` can hold, and why others cannot be had."""
    fitting, skipped = {}, []
    for name, rings in _RINGS.items():
        try:
            rings.labels(catalog.spec.geometry)
            fitting[name] = rings
        except InputError as error:
            skipped.append(f"{name}: {str(error).rstrip('.')}")
    return fitting, skipped


def regression_rows(
    catalog: Catalog,
    sample: Sample,
    rings: Mapping[str, Rings],
    seed: int,
    validation: float,
    n_resamples: int,
) -> Iterator[Row]:
    """Yield the clipped counts as a proxy, and regressions on them and on all observables.

    Parameters
    ----------
    catalog : Catalog
        The clusters.
    sample : Sample
        The same clusters: truth and folds.
    rings : mapping of str to Rings
        In which counts are taken, as `rings_that_fit` finds them.
    seed : int
        Of splits and regressions.
    validation : float
        Part of the haloes outside a fold that is set apart (`cross_predict`).
    n_resamples : int
        Of the bootstrap of errors.
    """
    redshift, exposure = catalog.column("redshift"), catalog.column("exposure_s")
    features = {}
    for name, where in rings.items():
        counts = clipped_counts(catalog, origins=ORIGINS, rings=where)
        features[f"{name}, one band"] = Features.clipped(counts.together(), redshift, exposure)
        if name == _CLIPPED:
            yield _counts_row(counts, sample, n_resamples)
            features[f"{name}, three bands"] = Features.clipped(counts, redshift, exposure)
    usable = [name for name in DEFAULT_OBSERVABLES if _known(catalog, name)]
    features["all observables"] = Features.observables(catalog.column, usable)
    for what, seen in features.items():
        for regressor in ("ridge", "boosting"):
            said = cross_predict(
                seen,
                sample.ln_mass,
                sample.fold,
                sample.halo,
                regressor,
                validation=validation,
                seed=seed,
            )
            yield make_row(
                sample,
                _scores(said, sample.ln_mass),
                name=f"{regressor}-{what.replace(' ', '-').replace(',', '')}",
                label=f"{regressor} on {what}",
                kind="regression",
                sees=f"{what}, z",
                n_resamples=n_resamples,
            )


def _proxy_row(
    proxies: ProxySample,
    sample: Sample,
    one: SetScore,
    kind: str,
    found: str,
    paper: float | None,
    n_resamples: int,
) -> Row:
    evolution = _evolution(proxies, sample.fold)
    said = cross_validate(proxies, sample.fold, [one.names], evolution)[0]
    label = found + " + ".join(one.names)
    return make_row(
        sample,
        _scores(said, sample.ln_mass),
        name="-".join(one.names).replace(",", "_"),
        label=label,
        kind=kind,
        sees=" + ".join(one.names) + ", z",
        paper=None if paper is None else paper / 100.0,
        in_sample=one.in_sample,
        in_sample_error=one.in_sample_error,
        n_resamples=n_resamples,
    )


def _counts_row(rings: ClippedCounts, sample: Sample, n_resamples: int) -> Row:
    """Return the clipped counts of all rings and bands as one proxy."""
    ln_counts = np.log(np.where(rings.total() > 0, rings.total(), np.nan))
    proxies = ProxySample(
        ("clipped counts",), ln_counts[:, None], sample.ln_mass, sample.redshift, sample.halo
    )
    evolution = _evolution(proxies, sample.fold)
    said = cross_validate(proxies, sample.fold, [proxies.names], evolution)[0]
    return make_row(
        sample,
        _scores(said, sample.ln_mass),
        name="clipped-counts",
        label="clipped counts, one number",
        kind="regression",
        sees="core-excised, clipped counts, z",
        in_sample=mean_scatter(fit_relations(proxies, evolution)),
        n_resamples=n_resamples,
    )


def _evolution(proxies: ProxySample, fold: NDArray[np.int64]) -> Evolution:
    """Return a relation per snapshot, or a smooth one where snapshots hold too few clusters."""
    binned = Binned.of(proxies.redshift)
    known = np.isfinite(proxies.ln_proxy).all(axis=1)
    place = binned.covariance_bin(proxies.redshift)
    fewest = min(
        np.bincount(place[known & (fold != number)], minlength=len(binned.centres)).min()
        for number in np.unique(fold)
    )
    if fewest >= _LEAST_PER_BIN:
        return binned
    others = len(np.unique(proxies.redshift)) - 1
    return Smooth.of(proxies.redshift, norm_degree=min(others, 2), slope_degree=min(others, 1))


def _scores(said: LnMass, ln_mass: NDArray[np.float64]) -> NDArray[np.void]:
    """Return scores of Gaussian predictions; NaN where there is none."""
    result = np.full(len(ln_mass), np.nan, SCORES)
    result["ln_mass"] = ln_mass
    known = np.flatnonzero(np.isfinite(said.mean) & (said.std > 0))
    reference = reference_points(len(ln_mass), ln_mass.min(), ln_mass.max(), seed=0)
    result[known] = score(
        Predictive.gaussian(said.mean[known], said.std[known]), ln_mass[known], reference[known]
    )
    return result


def _present(catalog: Catalog, proxies: Mapping[str, str]) -> dict[str, str]:
    return {symbol: name for symbol, name in proxies.items() if _known(catalog, name)}


def _known(catalog: Catalog, name: str) -> bool:
    """Return whether nearly all clusters have a positive value of a column."""
    if name not in {column.name for column in catalog.columns}:
        return False
    return bool(np.mean(catalog.column(name) > 0) > 0.9)
