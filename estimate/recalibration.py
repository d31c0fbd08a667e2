"""Stated probabilities put right on clusters that no estimator was trained on.

An estimator states x(z) at normal scores z. The normal scores u of validation truths are standard
normal if it is right; if not, a rising map g of normal scores is fitted so that g of a standard
normal z is distributed like u, and x(g(z)) is stated instead. One map serves all clusters: widths
may differ from cluster to cluster, but what is wrong with them must be the same. No units: g and z
are numbers of standard deviations.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from icmass.errors import InputError
from icmass.estimate.ensemble import even_scores
from icmass.estimate.metrics import Predictive
from icmass.estimate.metrics.predictive_kernels import quantiles

__all__ = ["METHODS", "MIN_CLUSTERS", "Method", "Recalibration"]

Floats = NDArray[np.float64]
Method = Literal["temperature", "conformal", "none"]
Fit = Callable[[Floats], tuple[Floats, Floats]]

METHODS: Final[tuple[Method, ...]] = get_args(Method)
#: Fewer validation clusters are refused: of 20 a width is known to 16%.
MIN_CLUSTERS: Final = 20

_KNOT_SPACING: Final = 5.0  # in z, times n^(-1/3), as in Predictive.from_samples
_TAIL_CLUSTERS: Final = 5  # beyond the outer knots
_CLIP: Final = 2.5  # standard deviations
# Mean square of a standard normal clipped there.
_CLIPPED_SQUARE: Final = float(
    1.0
    - 2.0 * ndtr(-_CLIP)
    - 2.0 * _CLIP * np.exp(-0.5 * _CLIP**2) / np.sqrt(2.0 * np.pi)
    + 2.0 * _CLIP**2 * ndtr(-_CLIP)
)


@dataclass(frozen=True)
class Recalibration:
    """A rising map g of normal scores, linear between knots and on beyond them; made by `fit`.

    Attributes
    ----------
    method : str
        temperature: g(z) = shift + scale z, which leaves a Gaussian one. conformal: the empirical
        quantiles of u, which also put right the shape. none: g(z) = z.
    score : tuple of float, length k
        Knots, ascending; at least two.
    value : tuple of float, length k
        g at the knots, ascending.

    Raises
    ------
    InputError
        If the method is unknown, or knots are not finite or do not increase.
    """

    method: Method
    score: tuple[float, ...] = (-1.0, 1.0)
    value: tuple[float, ...] = (-1.0, 1.0)

    def __post_init__(self) -> None:
        _require_known(self.method)
        if not (len(self.score) == len(self.value) >= 2 and _rise(self.score, self.value)):
            raise InputError(
                f"recalibration: must be two or more finite knots whose score and value increase; "
                f"got score {self.score}, value {self.value}. Fit it again."
            )

    @classmethod
    def fit(cls, method: Method, normal_scores: ArrayLike) -> Self:
        """Fit the map on validation clusters.

        The temperature is Huber's proposal 2 (1964, Ann. Math. Stat. 35, 73; location and scale
        together, clipped at 2.5): a cluster far out moves the scale by 3 / n of it at most. Knots
        of the conformal map lie 5 n^(-1/3) apart (7 for 300 clusters), the outer ones with 5
        clusters beyond, and the quantile at p is that of rank p (n + 1), which keeps the
        probability beyond a knot right in the mean over validation sets of any size (Vovk et al.
        2005, Algorithmic Learning in a Random World); beyond the outer ones the slope is that of
        the temperature.

        Parameters
        ----------
        method : str
            temperature, conformal or none.
        normal_scores : array, shape (n,)
            Phi^-1(PIT) of the truths (`Predictive.normal_score`), 20 at least unless `method` is
            none.

        Raises
        ------
        InputError
            If the method is unknown, clusters are too few, or normal scores are not finite or all
            alike.
        """
        _require_known(method)
        u = np.asarray(normal_scores, np.float64)
        if method == "none":
            return cls(method)
        if u.ndim != 1 or not np.isfinite(u).all():
            raise InputError(
                f"normal scores: must be finite numbers, shape (n,); got shape {u.shape}, "
                f"{np.isfinite(u).sum()} finite. Leave clusters without a prediction out."
            )
        if len(u) < MIN_CLUSTERS:
            raise InputError(
                f"recalibration: must have {MIN_CLUSTERS} or more validation clusters; got "
                f"{len(u)}. Set a larger part apart for validation, or recalibration to none."
            )
        score, value = _FITS[method](u)
        if not _rise(value):
            raise InputError(
                f"normal scores: must differ from cluster to cluster; got {len(np.unique(u))} "
                f"different ones of {len(u)}. Look at the predictions, or fit none."
            )
        return cls(method, tuple(score.tolist()), tuple(value.tolist()))

    def stated_score(self, z: ArrayLike) -> Floats:
        """Return g(`z`), shape (n,): what the estimator calls the normal score z."""
        return _at(Predictive(np.array(self.score), np.array([self.value])), z)[0]

    def apply(self, predictive: Predictive) -> Predictive:
        """Return recalibrated distributions x(g(z)) of the clusters of `predictive`.

        They keep their knots (a Gaussian under temperature is one again, exactly), and are exact
        at them. Under the conformal map those of fewer than 25 knots, as a Gaussian, get 25 from
        -3 to 3, to hold its bends.
        """
        if self.method == "none":
            return predictive
        few = self.method == "conformal" and len(predictive.score) < len(even_scores())
        score = even_scores() if few else predictive.score
        return Predictive(score, _at(predictive, self.stated_score(score)))

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        return {"method": self.method, "score": list(self.score), "value": list(self.value)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read `values` that `to_dict` wrote.

        Raises
        ------
        InputError
            If it is anything else.
        """
        keys = ("method", "score", "value")
        if not isinstance(values, Mapping) or set(values) != set(keys):
            got = sorted(map(str, values)) if isinstance(values, Mapping) else type(values).__name__
            raise InputError(
                f"recalibration: must hold {', '.join(keys)}; got {got}. Fit it again."
            )
        return cls(values["method"], *(_numbers(key, values[key]) for key in keys[1:]))


def _temperature(u: Floats) -> tuple[Floats, Floats]:
    """Return two knots of shift + scale z."""
    shift, scale = _location_scale(u)
    score = np.array([-1.0, 1.0])
    return score, shift + scale * score


def _conformal(u: Floats) -> tuple[Floats, Floats]:
    """Return knots at empirical quantiles, and one more on each side that says the slope beyond."""
    n = len(u)
    outer = -ndtri(_TAIL_CLUSTERS / (n + 1))
    half = int(np.ceil(outer * np.cbrt(n) / _KNOT_SPACING))
    score = np.linspace(-outer, outer, 2 * half + 1)
    value = np.quantile(u, ndtr(score), method="weibull")  # rank p (n + 1)
    slope = _location_scale(u)[1]
    return (
        np.concatenate([[-outer - 1.0], score, [outer + 1.0]]),
        np.concatenate([[value[0] - slope], value, [value[-1] + slope]]),
    )


_FITS: Final[dict[str, Fit]] = {"temperature": _temperature, "conformal": _conformal}


def _location_scale(u: Floats) -> tuple[float, float]:
    """Return Huber's location and scale: mean and standard deviation of a Gaussian's draws."""
    low, location, high = np.quantile(u, ndtr([-1.0, 0.0, 1.0])).tolist()
    scale = 0.5 * (high - low)
    for _ in range(200):  # a step leaves about a tenth of the distance
        if not scale > 0.0:
            break
        pull = np.clip((u - location) / scale, -_CLIP, _CLIP)
        lift = scale * float(np.mean(pull))
        factor = float(np.sqrt(np.sum(pull**2) / (_CLIPPED_SQUARE * (len(u) - 1))))
        location, scale = location + lift, scale * factor
        if abs(lift) < 1e-12 * scale and abs(factor - 1.0) < 1e-12:
            break
    return location, scale


def _at(predictive: Predictive, z: ArrayLike) -> Floats:
    """Return values at normal scores, shape (n, m): by no probability, which ends at 8."""
    wanted = np.ascontiguousarray(np.atleast_1d(np.asarray(z, np.float64)))
    result = np.empty((len(predictive), len(wanted)))
    quantiles(predictive.score, predictive.value, wanted, result)
    return result


def _rise(*rows: ArrayLike) -> bool:
    return all(bool(np.isfinite(row).all() and np.all(np.diff(row) > 0)) for row in rows)


def _require_known(method: Any) -> None:
    if method not in METHODS:
        raise InputError(f"recalibration: must be one of {', '.join(METHODS)}; got '{method}'.")


def _numbers(key: str, listed: Any) -> tuple[float, ...]:
    is_list = isinstance(listed, list | tuple)
    if not is_list or not all(type(x) in {int, float} for x in listed):
        raise InputError(f"recalibration {key}: must be a list of numbers; got {listed!r:.80}.")
    return tuple(map(float, listed))
