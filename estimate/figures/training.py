"""How estimators learn: loss against epoch, and scatter against the number of training clusters."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.estimate.figures.checks import check_column
from icmass.estimate.metrics.learning import LearningCurve, fit_learning_curve
from icmass.figure_style import COLOURS, MARKERS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["learning_curve_figure", "sample_size_figure"]

Floats = NDArray[np.float64]
Fold = NDArray[np.void]

_FIELDS: Final = ("epoch", "train_loss", "validation_loss")
_MOST_FOLDS: Final = len(COLOURS) * len(MARKERS)


@styled
def learning_curve_figure(
    history: Mapping[Any, Fold] | Sequence[Fold], *, loss_label: str = "loss"
) -> "Figure":
    """Draw training and validation loss against epoch of every fold, its best epoch marked.

    Losses that fall by more than a factor of ten and stay above 0 are drawn in logarithm. Otherwise
    first epochs far above the rest leave the frame at its top.

    Parameters
    ----------
    history : mapping of fold to structured array, or sequence of them
        Fields ``epoch``, ``train_loss`` and ``validation_loss``, one row per epoch; NaN where a
        loss was not taken. Up to 21 folds.
    loss_label : str
        What the loss is, with its unit.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If a fold lacks a field or a finite validation loss.
    """
    found = _folds(history)
    figure = new_figure(7.4, 4.2)
    axes = figure.subplots()
    for place, (name, fold) in enumerate(found.items()):
        rounds, colour = divmod(place, len(COLOURS))
        _draw_fold(axes, name, fold, COLOURS[colour], MARKERS[rounds])
    axes.plot([], [], color="0.3", lw=0.9, ls="--", label="training")
    axes.plot([], [], color="0.3", label="validation")
    axes.set(xlabel="epoch", ylabel=loss_label)
    _limit(axes, list(found.values()))
    axes.locator_params(axis="x", integer=True)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        title="best epoch, validation loss",
        alignment="left",
        ncols=1 if len(found) <= 12 else 2,
    )
    return figure


def _draw_fold(axes: "Axes", name: str, fold: Fold, colour: str, marker: str) -> None:
    epoch, loss = fold["epoch"], fold["validation_loss"]
    best = int(np.nanargmin(loss))
    axes.plot(epoch, fold["train_loss"], color=colour, lw=0.9, ls="--", alpha=0.8)
    axes.plot(epoch, loss, color=colour)
    axes.plot(
        epoch[best],
        loss[best],
        ls="none",
        marker=marker,
        ms=7,
        mec="white",
        color=colour,
        zorder=4,
        label=f"{name}: {epoch[best]:g}, {loss[best]:.4g}",
    )


def _limit(axes: "Axes", folds: Iterable[Fold]) -> None:
    every = np.concatenate(
        [fold[name].astype(np.float64) for fold in folds for name in _FIELDS[1:]]
    )
    every = every[np.isfinite(every)]
    low, usual, high = every.min(), np.quantile(every, 0.9), every.max()
    if low > 0.0 and high > 10.0 * low:
        axes.set_yscale("log")
    elif high > low + 4.0 * (usual - low) > low:
        axes.set_ylim(low - 0.1 * (usual - low), low + 2.0 * (usual - low))


def _folds(history: Mapping[Any, Fold] | Sequence[Fold]) -> dict[str, Fold]:
    if isinstance(history, Mapping):
        named = {f"fold {k}" if isinstance(k, Integral) else str(k): v for k, v in history.items()}
    else:
        named = {f"fold {k}": fold for k, fold in enumerate(history)}
    if not 1 <= len(named) <= _MOST_FOLDS:
        raise InputError(
            f"history: must be of 1 to {_MOST_FOLDS} folds; got {len(named)}. Draw fewer."
        )
    found = {}
    for name, given in named.items():
        fold = np.asarray(given)
        fields = fold.dtype.names or ()
        if fold.ndim != 1 or not set(_FIELDS) <= set(fields):
            raise InputError(
                f"history of {name}: must have the fields {', '.join(_FIELDS)}, shape (n,); got "
                f"{', '.join(fields) or 'none'}, shape {fold.shape}. Name them so."
            )
        check_column(fold["epoch"], f"epoch of {name}")
        if not np.isfinite(fold["validation_loss"]).any():
            raise InputError(
                f"history of {name}: must have a finite validation loss; got none. "
                "Leave the fold out."
            )
        found[name] = fold
    return found


@styled
def sample_size_figure(
    n: ArrayLike,
    scatter: ArrayLike,
    error: ArrayLike | None = None,
    fit: LearningCurve | tuple[float, float] | None = None,
) -> "Figure":
    """Draw scatter against the number of training clusters, its fit and the floor of the fit.

    Parameters
    ----------
    n, scatter : array, shape (k,)
        Numbers of training clusters, and scatter in ln M.
    error : array, shape (k,), optional
        Of the scatter.
    fit : LearningCurve or (floor, c), optional
        By default `fit_learning_curve` of these numbers.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If a number is not positive, or there are too few sizes for a fit.
    """
    size = _positive(n, "n")
    sigma = _positive(scatter, "scatter", len(size))
    spread = None if error is None else _positive(error, "error", len(size))
    curve = fit_learning_curve(size, sigma, spread) if fit is None else LearningCurve(*fit)
    if not (0.0 <= curve.floor < np.inf and 0.0 <= curve.c < np.inf):
        raise InputError(f"fit: must be 0 or more; got {curve}. Fit by fit_learning_curve.")
    figure = new_figure(5.2, 4.0)
    axes = figure.subplots()
    grid = np.geomspace(0.7 * size.min(), 2.0 * size.max(), 200)
    axes.plot(
        grid,
        curve.of(grid),
        color=COLOURS[1],
        label=rf"$\sigma^2 = {curve.floor:.3f}^2 + {_number(curve.c)}\,/\,n$",
    )
    axes.axhline(curve.floor, color="0.3", ls="--", lw=1.0, label=f"floor {curve.floor:.3f}")
    axes.errorbar(size, sigma, spread, fmt="o", ms=5, capsize=2.5, color=COLOURS[0], lw=1.2)
    highest = max(float(sigma.max()), float(curve.of(grid[0])))
    axes.set(
        xscale="log",
        xlim=(grid[0], grid[-1]),
        ylim=(0.0, 1.1 * highest),
        xlabel="training clusters",
        ylabel=r"scatter in $\ln M_{500c}$",
    )
    _write_out(axes)
    axes.legend(loc="upper right")
    return figure


def _positive(values: ArrayLike, what: str, n: int | None = None) -> Floats:
    array = check_column(values, what, n)
    if not np.all(array > 0.0):
        raise InputError(f"{what}: must be above 0; got {array.min():g}. Leave those out.")
    return array


def _number(value: float) -> str:
    """Write a number for a formula."""
    mantissa, _, power = f"{value:.3g}".partition("e")
    return rf"{mantissa}\times 10^{{{int(power)}}}" if power else mantissa


def _write_out(axes: "Axes") -> None:
    """Write the numbers of the logarithmic axis out, few enough to be apart."""
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415  (slow to import)

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 300 * low else (1.0,)))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())
