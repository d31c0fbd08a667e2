"""How good is a mass as a number: scatter in both forms, bias, regression to the mean.

Two things are called scatter and must never be mixed:

- `slope_scatter`, the paper's: residual of ln(proxy) about its line on ln M, over the slope of the
  line; for a network the proxy is the predicted mass. Shrinkage of predictions does not change it.
- `error_std`: standard deviation of ln(M_pred / M). Predictions that shrink towards the mean of the
  sample make it smaller, the more so the narrower the sample is in mass.

All are in ln M (0.17 is 17%).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError

__all__ = [
    "Line",
    "bias",
    "end_biases",
    "error_std",
    "fit_line",
    "robust_half_width",
    "slope_scatter",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """y = intercept + slope (x - pivot)."""

    intercept: float
    slope: float
    pivot: float

    def of(self, x: Floats) -> Floats:
        """Return y of `x`, of the same shape."""
        return self.intercept + self.slope * (x - self.pivot)


def fit_line(x: ArrayLike, y: ArrayLike) -> Line:
    """Fit `y` on `x`, shape (n,) each, by least squares, about the mean of `x`.

    Raises
    ------
    InputError
        If there are fewer than three points, x does not vary, or shapes differ.
    """
    x, y = _pair(x, y)
    pivot = float(x.mean()) if len(x) else 0.0
    spread = float(np.sum((x - pivot) ** 2))
    if len(x) < 3 or spread == 0.0:
        raise InputError(f"ln M: must be of at least 3 different masses; got {len(x)} clusters.")
    middle = float(y.mean())
    return Line(middle, float(np.sum((x - pivot) * (y - middle))) / spread, pivot)


def slope_scatter(ln_mass: ArrayLike, ln_proxy: ArrayLike) -> float:
    """Return the study's scatter in ln M: standard deviation of the residual over |slope|.

    The residual is that of `ln_proxy` about its line on `ln_mass`, shape (n,) each; its variance
    has n - 2 degrees of freedom.
    """
    mass, proxy = _pair(ln_mass, ln_proxy)
    line = fit_line(mass, proxy)
    residual = proxy - line.of(mass)
    return float(np.sqrt(np.sum(residual**2) / (len(mass) - 2)) / abs(line.slope))


def error_std(ln_mass: ArrayLike, prediction: ArrayLike) -> float:
    """Return the standard deviation of `prediction` less `ln_mass`, shape (n,) each.

    It is smaller where predictions shrink.
    """
    mass, predicted = _pair(ln_mass, prediction)
    return float(np.std(predicted - mass, ddof=1))


def robust_half_width(ln_mass: ArrayLike, prediction: ArrayLike) -> float:
    """Return half the width of the central 68.27% of `prediction` less `ln_mass`, shape (n,) each.

    Of a Gaussian this is one standard deviation.
    """
    mass, predicted = _pair(ln_mass, prediction)
    low, high = np.quantile(predicted - mass, [0.158655, 0.841345])
    return float(0.5 * (high - low))


def bias(ln_mass: ArrayLike, prediction: ArrayLike) -> float:
    """Return the mean of `prediction` less `ln_mass`, shape (n,) each."""
    mass, predicted = _pair(ln_mass, prediction)
    return float(np.mean(predicted - mass))


def end_biases(
    ln_mass: ArrayLike, prediction: ArrayLike, fraction: float = 0.1
) -> tuple[float, float]:
    """Return the mean error at both ends of the mass range: regression to the mean.

    For a slope b of prediction on truth and no other bias it is (b - 1) times the distance of the
    end from the mean: positive at the low end, negative at the high end.

    Parameters
    ----------
    ln_mass, prediction : array, shape (n,)
        Truth and prediction.
    fraction : float
        Part of the clusters in each end.
    """
    mass, predicted = _pair(ln_mass, prediction)
    low, high = np.quantile(mass, [fraction, 1.0 - fraction])
    error = predicted - mass
    return float(error[mass <= low].mean()), float(error[mass >= high].mean())


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise InputError(
            f"truth and prediction: must have one shape (n,); got {first.shape} and {second.shape}."
        )
    return first, second
