"""Predicted against true mass: one panel per estimator, with residuals and numbers.

Masses are drawn as log10(M500c / Msun), residuals and numbers are in ln M (0.17 is 17%).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from icmass.estimate.figures.checks import Scores, check_scores
from icmass.estimate.metrics.point import robust_half_width
from icmass.estimate.metrics.table import evaluate
from icmass.figure_style import COLOURS, new_figure, number, styled, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

__all__ = ["predicted_against_true"]

Floats = NDArray[np.float64]

_LN_10: Final = np.log(10.0)
_MOST_POINTS: Final = 5000  # more are counted in hexagons
_COLUMNS: Final = 3
_LINE: Final = COLOURS[1]
# Inches.
_SIDE, _RESIDUAL, _HISTOGRAM = 2.75, 0.95, 0.55
_LEFT, _RIGHT, _BOTTOM, _TOP, _BAR = 0.72, 0.15, 0.55, 0.12, 0.75
_GAP, _BETWEEN, _BESIDE = 0.08, 0.22, 0.34


@dataclass(frozen=True)
class _Frame:
    """Limits that all panels share: of log10 M, and of the residual in ln M."""

    low: float
    high: float
    residual: float

    @classmethod
    def of(cls, every: list[Scores]) -> Self:
        """Take all in but errors beyond four sigma of the widest, so that the others are seen."""
        low, high, limit = np.inf, -np.inf, 0.01
        for scores in every:
            truth, said = scores["ln_mass"], scores["mean"]
            error = np.abs(said - truth)
            far = abs(np.median(said - truth)) + 4.0 * robust_half_width(truth, said)
            near = said[error <= far]
            limit = max(limit, min(error.max(), far))
            low = min(low, truth.min(), near.min(initial=np.inf))
            high = max(high, truth.max(), near.max(initial=-np.inf))
        low, high = low / _LN_10, high / _LN_10
        margin = 0.03 * (high - low)
        return cls(float(low - margin), float(high + margin), float(1.08 * limit))

    def beyond(self, scores: Scores) -> int:
        """Return how many clusters lie outside the frame."""
        x, y = scores["ln_mass"] / _LN_10, scores["mean"] / _LN_10
        error = scores["mean"] - scores["ln_mass"]
        inside = (self.low <= np.minimum(x, y)) & (np.maximum(x, y) <= self.high)
        return int(np.sum(~inside | (np.abs(error) > self.residual)))


@styled
def predicted_against_true(named_scores: Mapping[str, Scores]) -> "Figure":
    """Draw predicted against true mass of up to nine estimators.

    Each panel has the line of equality, the residual beneath with its running median and central
    68% in bins of true mass, and scatter in both forms, bias and number of clusters. Above each
    column are the true masses of its estimators, once where they are the same. More than 5000
    clusters are counted in hexagons. All panels share their axes, which leave out errors beyond
    four sigma of the widest estimator; how many is said.

    Parameters
    ----------
    named_scores : mapping of str to ndarray of `SCORES`, shape (n,)
        By name of estimator; at least ten clusters each.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many estimators, or too few clusters.
    """
    found = check_scores(named_scores)
    numbers = {name: _numbers(scores) for name, scores in found.items()}
    frame = _Frame.of(list(found.values()))
    columns = 2 if len(found) == 4 else min(len(found), _COLUMNS)
    crowded = any(len(scores) > _MOST_POINTS for scores in found.values())
    grid = _Grid.of(len(found), columns, crowded)
    hexagons: list[PolyCollection] = []
    for place, (name, scores) in enumerate(found.items()):
        main, residual = grid.panel(place, frame)
        hexagons += _draw_panel(main, residual, scores, frame)
        _write(main, name, numbers[name], frame.beyond(scores))
    tops = [grid.top(column, frame) for column in range(columns)]
    for column, axes in enumerate(tops):
        _draw_masses(axes, list(found.values())[column::columns])
    highest = max(axes.get_ylim()[1] for axes in tops)
    for axes in tops:
        axes.set_ylim(0.0, highest)
    if hexagons:
        _draw_bar(grid, hexagons)
    return grid.figure


@dataclass(frozen=True)
class _Grid:
    """Where panels stand, in inches, so that they are squares that touch."""

    figure: "Figure"
    n: int
    columns: int
    width: float
    height: float

    @classmethod
    def of(cls, n: int, columns: int, crowded: bool) -> Self:
        rows = -(-n // columns)
        width = _LEFT + columns * _SIDE + (columns - 1) * _BESIDE + (_BAR if crowded else _RIGHT)
        height = _BOTTOM + rows * (_SIDE + _GAP + _RESIDUAL) + (rows - 1) * _BETWEEN
        height += _GAP + _HISTOGRAM + _TOP
        return cls(new_figure(width, height, None), n, columns, width, height)

    def axes(self, left: float, top: float, width: float, height: float) -> "Axes":
        bottom = self.height - top - height
        return self.figure.add_axes(
            (left / self.width, bottom / self.height, width / self.width, height / self.height)
        )

    def panel(self, place: int, frame: _Frame) -> tuple["Axes", "Axes"]:
        row, column = divmod(place, self.columns)
        left = _LEFT + column * (_SIDE + _BESIDE)
        top = _TOP + _HISTOGRAM + _GAP + row * (_SIDE + _GAP + _RESIDUAL + _BETWEEN)
        main = self.axes(left, top, _SIDE, _SIDE)
        residual = self.axes(left, top + _SIDE + _GAP, _SIDE, _RESIDUAL)
        main.set(xlim=(frame.low, frame.high), ylim=(frame.low, frame.high))
        residual.set(xlim=(frame.low, frame.high), ylim=(-frame.residual, frame.residual))
        main.locator_params(nbins=6)
        residual.locator_params(axis="x", nbins=6)
        residual.locator_params(axis="y", nbins=4)
        main.tick_params(labelbottom=False, labelleft=column == 0)
        lowest = place + self.columns >= self.n
        residual.tick_params(labelbottom=lowest, labelleft=column == 0)
        if lowest:
            residual.set_xlabel(r"true $\log_{10}(M_{500c}\,/\,M_\odot)$")
        if column == 0:
            main.set_ylabel(r"predicted $\log_{10}(M_{500c}\,/\,M_\odot)$")
            residual.set_ylabel(r"$\ln(M_\mathrm{pred}/M_\mathrm{true})$", fontsize=8.5)
            self.figure.align_ylabels([main, residual])
        return main, residual

    def top(self, column: int, frame: _Frame) -> "Axes":
        axes = self.axes(_LEFT + column * (_SIDE + _BESIDE), _TOP, _SIDE, _HISTOGRAM)
        axes.set(xlim=(frame.low, frame.high))
        axes.tick_params(labelbottom=False)
        axes.locator_params(axis="x", nbins=6)
        axes.locator_params(axis="y", nbins=2, integer=True, prune="lower")
        if column == 0:
            axes.set_ylabel("clusters", fontsize=8.5)
        else:
            axes.tick_params(labelleft=False)
        return axes


def _draw_panel(
    main: "Axes", residual: "Axes", scores: Scores, frame: _Frame
) -> "list[PolyCollection]":
    """Draw one estimator; return what is counted in hexagons."""
    x, y = scores["ln_mass"] / _LN_10, scores["mean"] / _LN_10
    error = scores["mean"] - scores["ln_mass"]
    hexagons = []
    for axes, values in ((main, y), (residual, error)):
        if len(x) > _MOST_POINTS:
            hexagons.append(_count(axes, x, values))
        else:
            size, alpha = np.clip(9000.0 / len(x), 3.0, 22.0), np.clip(900.0 / len(x), 0.3, 0.9)
            axes.scatter(
                x,
                values,
                s=size,
                alpha=alpha,
                color=COLOURS[0],
                linewidths=0.0,
                rasterized=len(x) > 500,
            )
    main.plot([frame.low, frame.high], [frame.low, frame.high], color="black", lw=1.0)
    residual.axhline(0.0, color="black", lw=1.0)
    edges, (low, middle, high) = _running(x, error)
    residual.stairs(high, edges, baseline=low, fill=True, color=_LINE, alpha=0.25, zorder=2.5)
    for values, width in ((low, 0.8), (middle, 1.8), (high, 0.8)):
        residual.stairs(values, edges, baseline=None, color=_LINE, lw=width, zorder=3)
    return hexagons


def _count(axes: "Axes", x: Floats, y: Floats) -> "PolyCollection":
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    wide = 55
    ratio = axes.bbox.height / axes.bbox.width
    tall = max(int(wide * ratio / np.sqrt(3.0)), 4)  # of even sides
    return axes.hexbin(
        x,
        y,
        gridsize=(wide, tall),
        extent=(left, right, bottom, top),
        mincnt=1,
        cmap="Blues",
        linewidths=0.1,
        rasterized=True,
    )


def _running(x: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return edges of bins of equal width, and the 16%, 50%, 84% points in them, NaN below five."""
    n_bins = int(np.clip(len(x) // 30, 1, 12))
    edges = np.linspace(x.min(), x.max(), n_bins + 1)
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, n_bins - 1)
    found = np.full((3, n_bins), np.nan)
    for k in range(n_bins):
        inside = error[place == k]
        if len(inside) >= 5:
            found[:, k] = np.quantile(inside, [0.158655, 0.5, 0.841345])
    return edges, found


def _numbers(scores: Scores) -> list[str]:
    with np.errstate(divide="ignore", invalid="ignore"):  # one prediction for all has no slope
        value = evaluate(scores)
    return [
        f"slope scatter {number(value['slope_scatter'])}",
        f"std of error {number(value['error_std'])}",
        f"bias {number(value['bias'], signed=True)}",
        f"{len(scores):,} clusters",
    ]


def _write(axes: "Axes", name: str, numbers: list[str], beyond: int) -> None:
    """Write name and numbers into corners that points seldom reach."""
    lines = [*numbers, f"{beyond:,} beyond the frame"] if beyond else numbers
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
    axes.text(
        0.035,
        0.965,
        wrapped(name, 30),
        transform=axes.transAxes,
        va="top",
        weight="bold",
        bbox=box,
    )
    axes.text(
        0.965,
        0.035,
        "\n".join(lines),
        transform=axes.transAxes,
        va="bottom",
        ha="right",
        fontsize=8.5,
        linespacing=1.3,
        bbox=box,
    )


def _draw_masses(axes: "Axes", every: list[Scores]) -> None:
    """Draw the true masses of the estimators of a column, the same ones once."""
    drawn: list[Floats] = []
    for scores in every:
        truth = np.sort(scores["ln_mass"]) / _LN_10
        if any(np.array_equal(truth, other) for other in drawn):
            continue
        bins = int(np.clip(np.sqrt(len(truth)), 5, 30))
        counts, edges = np.histogram(truth, bins, range=(truth[0], truth[-1]))
        axes.stairs(counts, edges, fill=not drawn, color="0.75" if not drawn else "0.2", lw=1.0)
        drawn.append(truth)


def _draw_bar(grid: _Grid, hexagons: "list[PolyCollection]") -> None:
    """Give all hexagons one scale, and say it beside the first row."""
    from matplotlib.colors import LogNorm  # noqa: PLC0415  (slow to import)

    most = max(float(np.max(np.asarray(h.get_array()))) for h in hexagons)
    norm = LogNorm(0.5, 4.0 * most)  # neither white nor so dark that the line is lost
    for collection in hexagons:
        collection.set_norm(norm)
    bar = grid.axes(grid.width - _BAR + 0.1, _TOP + _HISTOGRAM + _GAP, 0.12, _SIDE)
    grid.figure.colorbar(hexagons[0], cax=bar, label="clusters per hexagon")
    bar.set_ylim(1.0, max(most, 2.0))
