"""What an estimator says of n clusters: one predictive distribution each, in one representation.

A distribution is its quantile function x(z), linear between knots in the normal score
z = Phi^-1(p), and on beyond the outer knots. Two knots are a Gaussian, exactly, tails included;
quantiles and samples need more. So every metric is written once, and all but the density are
continuous in x. Units are those of what is predicted (here ln M).
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from icmass.catalog import Predictions
from icmass.errors import InputError
from icmass.estimate.metrics import predictive_kernels as kernels

__all__ = ["Predictive"]

Floats = NDArray[np.float64]

_LN_ROOT_2PI: Final = 0.5 * np.log(2.0 * np.pi)
_MIN_SAMPLES: Final = 50
_TAIL_SAMPLES: Final = 10  # samples beyond the outer knots
_KNOT_SPACING: Final = 5.0  # in z, times m^(-1/3): finer knots follow the noise of m samples


@dataclass(frozen=True)
class Predictive:
    """Predictive distributions of n clusters; made by `gaussian`, `from_quantiles`, `from_samples`.

    Attributes
    ----------
    score : ndarray, shape (k,)
        Normal scores of the knots, ascending; at least two.
    value : ndarray, shape (n, k)
        Values at the knots, ascending along each row.

    Raises
    ------
    InputError
        If the shapes do not fit, a number is not finite, or values do not increase.
    """

    score: Floats
    value: Floats

    def __post_init__(self) -> None:
        shape = (len(self.value), len(self.score))
        if len(self.score) < 2 or self.value.shape != shape:
            raise InputError(
                f"quantiles: must have the shape (n, k) for k >= 2 probabilities; got "
                f"{self.value.shape} for {len(self.score)}."
            )
        if not (np.isfinite(self.score).all() and np.all(np.diff(self.score) > 0)):
            raise InputError("probabilities: must increase between 0 and 1, without both ends.")
        bad = ~np.isfinite(self.value).all(axis=1) | np.any(np.diff(self.value) <= 0, axis=1)
        if bad.any():
            raise InputError(
                f"predictions: must be finite, with a spread above 0 and quantiles that increase; "
                f"got {bad.sum()} others, the first in row {np.argmax(bad)}. "
                "Leave those rows out, or sort their quantiles."
            )

    @classmethod
    def gaussian(cls, mean: ArrayLike, std: ArrayLike) -> Self:
        """Make Gaussians of `mean` and standard deviation `std`, shape (n,) each.

        Raises
        ------
        InputError
            If shapes differ, a number is not finite, or a deviation is not above 0.
        """
        centre, width = (np.atleast_1d(np.asarray(a, np.float64)) for a in (mean, std))
        if centre.shape != width.shape or centre.ndim != 1:
            raise InputError(
                f"mean, std: must have one shape (n,); got {centre.shape} and {width.shape}."
            )
        return cls(np.array([-1.0, 1.0]), np.stack([centre - width, centre + width], axis=1))

    @classmethod
    def from_quantiles(cls, probability: ArrayLike, value: ArrayLike) -> Self:
        """Make distributions of their quantiles.

        Parameters
        ----------
        probability : array, shape (k,)
            Ascending, between 0 and 1.
        value : array, shape (n, k)
            Quantiles.
        """
        p = np.asarray(probability, np.float64)
        return cls(ndtri(p), np.ascontiguousarray(value, np.float64))

    @classmethod
    def from_samples(cls, samples: ArrayLike) -> Self:
        """Make distributions of `samples`, shape (n, m), m >= 50; in batches where n m is large.

        Knots lie 5 m^(-1/3) apart in z (0.5 for a thousand samples), and 10 samples beyond the
        outer ones. Probabilities are off by at most that of one piece, inside an empty gap. The
        density is coarse: where an estimator knows its own, use that for the likelihood.

        Raises
        ------
        InputError
            If there are fewer samples, or they do not differ.
        """
        drawn = np.asarray(samples, np.float64)
        if drawn.ndim != 2 or drawn.shape[1] < _MIN_SAMPLES:
            raise InputError(
                f"samples: must have the shape (n, m) with m >= {_MIN_SAMPLES}; got {drawn.shape}."
            )
        outer = -ndtri(_TAIL_SAMPLES / (drawn.shape[1] + 1))
        spacing = _KNOT_SPACING / np.cbrt(drawn.shape[1])
        score = np.linspace(-outer, outer, 1 + int(np.ceil(2.0 * outer / spacing)))
        value = np.quantile(drawn, ndtr(score), axis=1, method="weibull").T
        return cls(score, np.ascontiguousarray(value))

    @classmethod
    def from_predictions(cls, predictions: Predictions) -> Self:
        """Make distributions of a catalog's `predictions`: their quantiles, else mean and std."""
        if len(predictions.quantiles) < 2:
            return cls.gaussian(predictions.mean, predictions.std)
        columns = [predictions.quantiles[p] for p in sorted(predictions.quantiles)]
        return cls.from_quantiles(sorted(predictions.quantiles), np.stack(columns, axis=1))

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Self:
        return type(self)(self.score, self.value[rows])

    def mean_std(self) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, shape (n,) each."""
        mean, std = np.empty(len(self)), np.empty(len(self))
        kernels.moments(self.score, self.value, mean, std)
        return mean, std

    def quantile(self, probability: ArrayLike) -> Floats:
        """Return quantiles, shape (n, m), at m values of `probability`.

        Raises
        ------
        InputError
            If one is not from 0 to 1.
        """
        p = np.atleast_1d(np.asarray(probability, np.float64))
        if not np.all((p >= 0.0) & (p <= 1.0)):
            raise InputError(f"probability: must be from 0 to 1; got {p.tolist()}.")
        wanted = ndtri(p)
        result = np.empty((len(self), len(wanted)))
        kernels.quantiles(self.score, self.value, wanted, result)
        return result

    def normal_score(self, x: ArrayLike) -> Floats:
        """Return Phi^-1(F(`x`)), shape (n,): (x - mean) / std for a Gaussian."""
        return self._locate(x)[0]

    def cdf(self, x: ArrayLike) -> Floats:
        """Return F(`x`), shape (n,); of the truth this is the PIT."""
        return np.asarray(ndtr(self.normal_score(x)))

    def log_density(self, x: ArrayLike) -> Floats:
        """Return ln p(`x`) = -z^2/2 - ln sqrt(2 pi) - ln dx/dz, shape (n,)."""
        z, slope = self._locate(x)
        return -0.5 * z**2 - _LN_ROOT_2PI - np.log(slope)

    def crps(self, truth: ArrayLike) -> Floats:
        """Return the continuous ranked probability score, shape (n,): int (F(x) - [x >= t])^2 dx.

        t is the `truth`. In the unit of x; small is good. For a Gaussian it is
        std (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)) (Gneiting & Raftery 2007, eq. 21).
        """
        result = np.empty(len(self))
        kernels.crps(self.score, self.value, self.normal_score(truth), result)
        return result

    def expected_scores(self) -> tuple[Floats, Floats]:
        """Return the means of CRPS and -ln p over truths drawn from the distribution itself.

        They are int F (1 - F) dx and the entropy: std/sqrt(pi) and ln(std sqrt(2 pi e)) for a
        Gaussian. Scores of predictions that are right come out at them on average.
        """
        crps, entropy = np.empty(len(self)), np.empty(len(self))
        kernels.expectations(self.score, self.value, crps, entropy)
        return crps, entropy

    def _locate(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """Return the normal score of x and dx/dz there, shape (n,) each."""
        at = np.asarray(x, np.float64)
        if at.shape not in {(), (len(self),)}:
            raise InputError(f"x: must be one number or of shape ({len(self)},); got {at.shape}.")
        at = np.ascontiguousarray(np.broadcast_to(at, (len(self),)))
        z, slope = np.empty(len(self)), np.empty(len(self))
        kernels.normal_scores(self.score, self.value, at, z, slope)
        return z, slope
