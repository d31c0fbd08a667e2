"""What classical regressions make of numbers an observer has: the rivals of networks, out of fold.

Features are logarithms of observables, never of truths; the target is ln M500c in Msun. Splits are
those of the networks (`icmass.estimate.folds.splits`), so that both are fitted to, widened by and
tested on the same clusters.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.catalog import COLUMNS, Column
from icmass.errors import InputError
from icmass.estimate.clipped_counts import ClippedCounts
from icmass.estimate.combination import LnMass
from icmass.estimate.folds import halo_folds, require_apart, splits
from icmass.estimate.metrics import robust_half_width
from icmass.estimate.proxies import OBSERVED

__all__ = ["DEFAULT_OBSERVABLES", "REGRESSORS", "Features", "Regressor", "cross_predict"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: What a telescope and a spectrograph give, with the conditions of the observation.
DEFAULT_OBSERVABLES: Final = (*OBSERVED.values(), "redshift", "exposure_s")

_BAND: Final = re.compile(r"[a-z][a-z0-9_]*")
_MIN_VALIDATION: Final = 20  # the width of residuals is then known to a fifth
_PENALTIES: Final = tuple(np.geomspace(1e-1, 1e4, 11).tolist())
_PENALTY_FOLDS: Final = 5


@dataclass(frozen=True)
class Features:
    """Numbers of n clusters to predict masses from.

    Attributes
    ----------
    names : tuple of str, length k
        A column of which a feature is the logarithm lends it its name.
    values : ndarray, shape (n, k)
        NaN where one is not known.

    Raises
    ------
    InputError
        If the shape does not fit, a number is infinite, a name comes twice, or one is that of a
        column that no observer knows. To this there is no exception.
    """

    names: tuple[str, ...]
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise InputError(
                f"features: must have the shape (n, {len(self.names)}); got {self.values.shape}."
            )
        if len(set(self.names)) < len(self.names):
            raise InputError(f"features: must have distinct names; got {', '.join(self.names)}.")
        if np.isinf(self.values).any():
            raise InputError(
                f"features: must be finite, or NaN where not known; got "
                f"{np.isinf(self.values).sum()} infinite numbers."
            )
        for name in self.names:
            _refuse_unknowable(name, _declared(name))

    @classmethod
    def observables(
        cls, column: Callable[[str], ArrayLike], names: Sequence[str] = DEFAULT_OBSERVABLES
    ) -> Self:
        """Take the logarithms of observable columns: ln(x + 1) of counts, ln x of others.

        Counts of -1, NaN and numbers not above 0 are not known. An exposure that is the same for
        all is left out.

        Parameters
        ----------
        column : callable
            From the name of a column to its values, shape (n,), such as ``catalog.column``.
        names : sequence of str
            Columns; the observed proxies, redshift and exposure by default. The aperture of
            ``n_phot_500`` is the true R500c, which an observer has only by iteration: leave it out
            to be strict.

        Raises
        ------
        InputError
            If a column is not observable, or no count or positive number.
        """
        features = {name: _logarithm(name, column) for name in names}
        if "exposure_s" in features and not _varies(features["exposure_s"]):
            del features["exposure_s"]
        return cls(tuple(features), np.stack(list(features.values()), axis=1))

    @classmethod
    def clipped(cls, counts: ClippedCounts, redshift: ArrayLike, exposure_s: ArrayLike) -> Self:
        """Take ln(clipped counts + 1) of every band and ring, ln z, and ln exposure if it varies.

        Parameters
        ----------
        counts : ClippedCounts
            Of n clusters; `ClippedCounts.together` sums the bands.
        redshift, exposure_s : array, shape (n,)
        """
        rings = range(counts.counts.shape[2])
        names = tuple(f"{band}, ring {ring + 1}" for band in counts.bands for ring in rings)
        known = {"redshift": redshift, "exposure_s": exposure_s}
        conditions = cls.observables(lambda name: known[name], tuple(known))
        return cls(names, counts.features()).join(conditions)

    def __len__(self) -> int:
        return len(self.values)

    def join(self, other: "Features") -> Self:
        """Return the features of both this and `other`; those that both have, once.

        Raises
        ------
        InputError
            If the numbers of clusters differ, or values of one name.
        """
        if len(self) != len(other):
            raise InputError(
                f"features: must be of the same clusters; got {len(self)} and {len(other)}."
            )
        new = [k for k, name in enumerate(other.names) if name not in self.names]
        for k in sorted(set(range(len(other.names))) - set(new)):
            mine = self.values[:, self.names.index(other.names[k])]
            if not np.array_equal(mine, other.values[:, k], equal_nan=True):
                raise InputError(f"feature '{other.names[k]}': must be the same in both; differs.")
        names = (*self.names, *(other.names[k] for k in new))
        return type(self)(names, np.hstack([self.values, other.values[:, new]]))


class Regressor(Protocol):
    """A regression of scikit-learn's manner."""

    def fit(self, x: Floats, y: Floats) -> Any:
        """Fit `y`, shape (n,), to `x`, shape (n, k)."""
        ...

    def predict(self, x: Floats) -> Floats:
        """Return y, shape (n,), of `x`, shape (n, k)."""
        ...


def _ridge(halo: Integers, seed: int) -> Regressor:
    """Second-degree polynomial with a penalty chosen by cross-validation of the training halos."""
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - heavy
    from sklearn.linear_model import RidgeCV  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler  # noqa: PLC0415

    inner = halo_folds(halo, _PENALTY_FOLDS, seed)
    parts = [(np.flatnonzero(inner != k), np.flatnonzero(inner == k)) for k in np.unique(inner)]
    model: Regressor = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
        PolynomialFeatures(2, include_bias=False),
        StandardScaler(),
        RidgeCV(alphas=_PENALTIES, cv=parts),
    )
    return model


def _boosting(halo: Integers, seed: int) -> Regressor:
    """Small trees, one after another; a missing number goes the way that fits better."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 - heavy

    model: Regressor = HistGradientBoostingRegressor(
        learning_rate=0.05,
        max_iter=300,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    return model


def _forest(halo: Integers, seed: int) -> Regressor:
    """Many large trees, averaged; a missing number goes the way that fits better."""
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - heavy

    model: Regressor = RandomForestRegressor(
        n_estimators=200, min_samples_leaf=3, max_features=0.5, n_jobs=1, random_state=seed
    )
    return model


#: From names to makers of unfitted regressions, given the halo of each training row and a seed.
#: All take NaN: trees as they are, the ridge by the median and a column that says so.
REGRESSORS: Final[Mapping[str, Callable[[Integers, int], Regressor]]] = {
    "ridge": _ridge,
    "boosting": _boosting,
    "forest": _forest,
}


def cross_predict(
    features: Features,
    ln_mass: ArrayLike,
    fold: ArrayLike,
    halo: ArrayLike,
    regressor: str,
    *,
    validation: float = 0.1,
    seed: int = 0,
) -> LnMass:
    """Predict each fold by a regression that was fitted to the others.

    Parameters
    ----------
    features : Features
        Of n clusters; one that does not vary among those fitted to is left out.
    ln_mass : array, shape (n,)
        ln of M500c in Msun.
    fold, halo : array of int, shape (n,)
        Folds of whole halos (`icmass.estimate.folds`).
    regressor : str
        One of `REGRESSORS`.
    validation : float
        Part of the halos outside a fold that the regression is not fitted to; half the width of
        the central 68% of their residuals is the standard deviation of the predictions.
    seed : int
        Of the split and of the regression.

    Returns
    -------
    LnMass
        Mean and standard deviation, shape (n,) each: a Gaussian as wide as its errors are.

    Raises
    ------
    InputError
        If a halo is in two folds, a mass is not known, fewer than 20 clusters are set apart, or no
        feature varies.
    """
    truth = np.asarray(ln_mass, np.float64)
    owner = np.asarray(halo, np.int64)
    _require_fit(features, truth, np.asarray(fold), owner, regressor)
    result = LnMass(*np.full((2, len(features)), np.nan))
    for train, held, test in splits(fold, owner, validation, seed):
        if len(held) < _MIN_VALIDATION:
            raise InputError(
                f"validation: must set at least {_MIN_VALIDATION} clusters apart; got {len(held)} "
                f"by {validation:g}. Take a larger part or more clusters."
            )
        useful = [k for k in range(len(features.names)) if _varies(features.values[train, k])]
        if not useful:
            raise InputError("features: must vary among the clusters fitted to; none does.")
        x = features.values[:, useful]
        centre, scale = truth[train].mean(), truth[train].std()
        model = REGRESSORS[regressor](owner[train], seed)
        model.fit(x[train], (truth[train] - centre) / scale)
        result.mean[test] = centre + scale * model.predict(x[test])
        result.std[test] = robust_half_width(truth[held], centre + scale * model.predict(x[held]))
    return result


def _require_fit(
    features: Features, truth: Floats, fold: NDArray[Any], halo: Integers, regressor: str
) -> None:
    if regressor not in REGRESSORS:
        raise InputError(f"regressor: must be one of {', '.join(REGRESSORS)}; got '{regressor}'.")
    for name, values in (("ln M", truth), ("folds", fold), ("halo", halo)):
        if values.shape != (len(features),):
            raise InputError(f"{name}: must have the shape ({len(features)},); got {values.shape}.")
    if not np.isfinite(truth).all():
        raise InputError(
            f"ln M: must be finite; {np.sum(~np.isfinite(truth))} of {len(truth)} are not. "
            "Leave clusters of unknown mass out."
        )
    if not _varies(truth):
        raise InputError(f"ln M: must be of different masses; got one, {len(truth)} times.")
    require_apart(fold, halo)


def _declared(name: str) -> Column | None:
    """Return the declaration of a column, also of one that exists once per band."""
    for column in COLUMNS:
        if column.name == name:
            return column
    for column in COLUMNS:
        start, here, end = column.name.partition("{band}")
        band = name.removeprefix(start).removesuffix(end)
        if here and name == start + band + end and _BAND.fullmatch(band):
            return column
    return None


def _refuse_unknowable(name: str, column: Column | None) -> None:
    if column is not None and column.kind != "observable":
        raise InputError(
            f"feature '{name}': must be something an observer knows; got a column of kind "
            f"{column.kind}. Leave it out."
        )


def _logarithm(name: str, column: Callable[[str], ArrayLike]) -> Floats:
    """Return the logarithm of an observable column, shape (n,), NaN where it is not known."""
    declared = _declared(name)
    if declared is None:
        raise InputError(
            f"feature '{name}': must be a column that catalogs declare; got an unknown one."
        )
    _refuse_unknowable(name, declared)
    is_count = declared.dtype == "i8"
    if not (is_count or (declared.dtype == "f8" and declared.lowest >= 0.0)):
        raise InputError(
            f"feature '{name}': must be a count or a positive number, to take the logarithm of; "
            "it is neither. Leave it out."
        )
    values = np.asarray(column(name), np.float64)
    known = values >= 0.0 if is_count else values > 0.0
    return np.log(np.where(known, values, np.nan) + (1.0 if is_count else 0.0))


def _varies(values: Floats) -> bool:
    """Whether known values differ."""
    known = values[np.isfinite(values)]
    return bool(len(known) and known.max() > known.min())
