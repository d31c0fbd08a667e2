"""Does an attribution say what networks do? Pixels are taken away in its order, and they are asked.

Deletion: pixels that differ from the baseline are set to it, those of largest attribution first;
the lower ln M falls on the way, the better the order. Insertion: they are put back into the
baseline in the same order; the higher the better. Both are compared with a random order. Patches:
what squares are said to add, against what networks lose without them. All changes are of ln M (of
what the subject's target is), and attributions are taken with their sign.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.bootstrap import bootstrap
from icmass.interpret.attribution.attribute import attributions, wanted_rows
from icmass.interpret.attribution.methods import Method
from icmass.interpret.perturbation import Judged, Perturbation
from icmass.interpret.statistics.number import Number, Result, nan_median, numbers
from icmass.interpret.subject import Subject

__all__ = [
    "FRACTIONS",
    "Faithfulness",
    "FaithfulnessSummary",
    "faithfulness",
    "faithfulness_of",
]

Floats = NDArray[np.float64]

#: Parts of the pixels that differ from the baseline which are taken away: most matters early.
FRACTIONS: Final[tuple[float, ...]] = (0.0, *np.geomspace(0.005, 1.0, 20).tolist())

_BATCH: Final = 64
_PATCHES: Final = 8


class _Values(Protocol):
    """Attributions of some rows (`icmass.interpret.attribution.Attributed`)."""

    @property
    def rows(self) -> NDArray[np.int64]: ...
    @property
    def values(self) -> NDArray[Any]: ...
    @property
    def prediction(self) -> Floats: ...
    @property
    def baseline_prediction(self) -> Floats: ...
    @property
    def completeness(self) -> Floats: ...


@dataclass(frozen=True)
class FaithfulnessSummary(Result):
    """How faithful a method is to a sample.

    Attributes
    ----------
    method : str
    n : int
        Clusters.
    deletion_better, insertion_better : Number
        Part of the clusters in which its order beats a random one.
    deletion_gain, insertion_gain : Number
        Median of the area between both curves, ln M; above 0 where the method is better.
    correlation : Number
        Median over clusters of the correlation over patches.
    incomplete : float
        Median over clusters of |completeness| over |ln M - ln M of the baseline|: what the sum of
        the map is off. NaN for methods whose maps do not add up.
    fraction, deletion, insertion, random_deletion, random_insertion : tuple of float
        Median curves.
    """

    method: str
    n: int
    deletion_better: Number
    insertion_better: Number
    deletion_gain: Number
    insertion_gain: Number
    correlation: Number
    incomplete: float
    fraction: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    random_deletion: tuple[float, ...]
    random_insertion: tuple[float, ...]


@dataclass(frozen=True)
class Faithfulness(Result):
    """Curves of each cluster, ln M less what networks say of the whole cluster.

    Attributes
    ----------
    method, space, baseline : str
    rows : ndarray of int, shape (n,)
    fraction : ndarray, shape (k,)
        Part of the pixels that are taken away (put back).
    deletion, insertion, random_deletion, random_insertion : ndarray, shape (n, k)
    correlation : ndarray, shape (n,)
        Over patches, of the sum of the attribution with what is lost without the patch; NaN where
        either is the same in all.
    incomplete : ndarray, shape (n,)
        |completeness| over |ln M - ln M of the baseline| (`Attributed`); NaN without.
    """

    method: str
    space: str
    baseline: str
    rows: NDArray[np.int64]
    fraction: Floats
    deletion: Floats
    insertion: Floats
    random_deletion: Floats
    random_insertion: Floats
    correlation: Floats
    incomplete: Floats

    @property
    def deletion_gain(self) -> Floats:
        """Mean of random less ordered deletion over the fraction, shape (n,), ln M."""
        return np.asarray(np.trapezoid(self.random_deletion - self.deletion, self.fraction, axis=1))

    @property
    def insertion_gain(self) -> Floats:
        """Mean of ordered less random insertion over the fraction, shape (n,), ln M."""
        return np.asarray(
            np.trapezoid(self.insertion - self.random_insertion, self.fraction, axis=1)
        )

    def summary(
        self, halo: NDArray[np.int64], *, n_resamples: int = 200, seed: int = 0
    ) -> FaithfulnessSummary:
        """Return parts and medians, with errors by drawing haloes again.

        Parameters
        ----------
        halo : ndarray of int, shape (n,)
            The halo that each cluster is of (`icmass.bootstrap.haloes_of`).
        n_resamples, seed : int
        """
        gains = np.stack([self.deletion_gain, self.insertion_gain], axis=1)
        told = np.concatenate([gains, self.correlation[:, None]], axis=1)

        def statistic(rows: NDArray[np.int64]) -> Floats:
            return np.concatenate([(gains[rows] > 0.0).mean(axis=0), nan_median(told[rows])])

        drawn = bootstrap(statistic, halo, n_resamples=n_resamples, seed=seed)
        found = numbers(statistic(np.arange(len(told))), drawn)
        curves = (self.deletion, self.insertion, self.random_deletion, self.random_insertion)
        medians = [tuple(np.median(curve, axis=0).tolist()) for curve in curves]
        return FaithfulnessSummary(
            method=self.method,
            n=len(self.rows),
            deletion_better=found[0],
            insertion_better=found[1],
            deletion_gain=found[2],
            insertion_gain=found[3],
            correlation=found[4],
            incomplete=float(nan_median(self.incomplete[:, None])[0]),
            fraction=tuple(self.fraction.tolist()),
            deletion=medians[0],
            insertion=medians[1],
            random_deletion=medians[2],
            random_insertion=medians[3],
        )


def faithfulness(
    subject: Subject,
    methods: Sequence[str | Method],
    rows: ArrayLike | None = None,
    *,
    space: str = "inputs",
    baseline: str = "empty",
    fractions: Sequence[float] = FRACTIONS,
    patches: int = _PATCHES,
    batch_size: int = _BATCH,
    known: Mapping[str, Iterable[_Values]] | None = None,
    seed: int = 0,
    report: Callable[[int], None] | None = None,
) -> list[Faithfulness]:
    """Test methods of attribution on the same clusters.

    Networks judge each cluster about 2 k times per method, and 2 k + patches^2 times once: with the
    defaults 2 s for a first method and 1 s for each other one with paper-single on one slow core
    at 128 x 128 pixels. A few hundred clusters tell enough.

    Parameters
    ----------
    subject : Subject
    methods : sequence of str or Method
        Each as `icmass.interpret.attribution.attributions` takes it.
    rows : array of int, shape (n,), optional
        Rows of the subject; all by default.
    space, baseline : str
        Of the attributions; the baseline is also what pixels are replaced by.
    fractions : sequence of float, length k
        Ascending from 0 to 1.
    patches : int
        Patches on a side of the image.
    batch_size : int
        Clusters that are judged at once.
    known : mapping of str to iterable of Attributed, optional
        Attributions that are there already, of all `rows`, by the name of their method.
    seed : int
        Of the random order, which a cluster has whatever is asked with it.
    report : callable, optional
        Is told how many clusters were tested by a method since the last time.

    Returns
    -------
    list of Faithfulness
        In the order of the methods; clusters in the order of `rows`.

    Raises
    ------
    InputError
        If there is no such method, space or baseline, or fractions or patches are wrong.
    """
    places = wanted_rows(subject, rows)
    trial = Perturbation(subject, space, baseline, tuple(fractions), patches, seed)
    reference: dict[int, _Reference] = {}
    results = []
    for method in methods:
        name = method if isinstance(method, str) else method.name
        found: Iterable[_Values] | None = (known or {}).get(name)
        if found is None:
            found = attributions(
                subject, method, space=space, baseline=baseline, rows=places, batch_size=batch_size
            )
        results.append(_collect(trial, name, found, places, reference, report))
    return results


def faithfulness_of(
    subject: Subject,
    found: Iterable[_Values],
    method: str,
    *,
    space: str = "inputs",
    baseline: str = "empty",
    fractions: Sequence[float] = FRACTIONS,
    patches: int = _PATCHES,
    seed: int = 0,
) -> Faithfulness:
    """Test attributions that are there.

    Parameters
    ----------
    found : iterable of Attributed
        Clusters stay in this order.
    method : str
        Their name.
    subject, space, baseline, fractions, patches, seed
        As of `faithfulness`.

    Raises
    ------
    InputError
        If there is no such space or baseline, or fractions or patches are wrong.
    """
    trial = Perturbation(subject, space, baseline, tuple(fractions), patches, seed)
    return _collect(trial, method, found, None, {}, None)


class _Reference(NamedTuple):
    """What does not depend on the method, of one cluster."""

    deletion: Floats  # (k,) in random order
    insertion: Floats
    lost: Floats  # (patches^2,) without each


class _Tested(NamedTuple):
    """What a method is found to do, of one cluster."""

    deletion: Floats
    insertion: Floats
    random_deletion: Floats
    random_insertion: Floats
    correlation: float


def _collect(
    trial: Perturbation,
    method: str,
    found: Iterable[_Values],
    places: NDArray[np.int64] | None,
    reference: dict[int, _Reference],
    report: Callable[[int], None] | None,
) -> Faithfulness:
    """Test all that is found, in the order of `places` if given; fills `reference`."""
    tested: dict[int, _Tested] = {}
    off: dict[int, float] = {}
    for some in found:
        change = np.abs(some.prediction - some.baseline_prediction)
        with np.errstate(divide="ignore", invalid="ignore"):
            missing = np.abs(some.completeness) / change
        off |= dict(zip(some.rows.tolist(), missing.tolist(), strict=True))
        values = dict(zip(some.rows.tolist(), some.values, strict=True))
        for judged in trial.judged(np.asarray(some.rows)):
            flat = [np.asarray(values[row], np.float64).ravel() for row in judged.rows.tolist()]
            tested.update(_test(trial, judged, flat, reference))
        if report is not None:
            report(len(some.rows))
    rows = list(tested) if places is None else places.tolist()
    k = len(trial.fractions)
    curves = np.array([tested[row][:4] for row in rows], np.float64).reshape(len(rows), 4, k)
    return Faithfulness(
        method=method,
        space=trial.space,
        baseline=trial.baseline,
        rows=np.array(rows, np.int64),
        fraction=np.array(trial.fractions),
        deletion=curves[:, 0],
        insertion=curves[:, 1],
        random_deletion=curves[:, 2],
        random_insertion=curves[:, 3],
        correlation=np.array([tested[row].correlation for row in rows], np.float64),
        incomplete=np.array([off[row] for row in rows], np.float64),
    )


def _test(
    trial: Perturbation,
    judged: Judged,
    attributed: list[Floats],
    reference: dict[int, _Reference],
) -> dict[int, _Tested]:
    """Return what is found of each cluster, by row."""
    rows = judged.rows.tolist()
    if any(row not in reference for row in rows):
        shuffled, lost = trial.curves(judged), trial.lost(judged)
        reference.update(
            {row: _Reference(shuffled[0][k], shuffled[1][k], lost[k]) for k, row in enumerate(rows)}
        )
    deletion, insertion = trial.curves(judged, attributed)
    patch, n = trial.patch(judged.shape), trial.patches**2
    result = {}
    for k, row in enumerate(rows):
        known = reference[row]
        said = np.bincount(patch, attributed[k], minlength=n).astype(np.float64)
        correlation = _correlation(said, known.lost)
        result[row] = _Tested(deletion[k], insertion[k], *known[:2], correlation)
    return result


def _correlation(a: Floats, b: Floats) -> float:
    """Return Pearson's correlation; NaN where one does not vary."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0.0 else np.nan
