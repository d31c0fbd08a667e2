"""Do attributions say what networks do: pixels taken away or put back in their order, and patches.

Deletion takes pixels away from the most to the least attributed, insertion puts them back; a method
that is right changes the mass earlier than random order does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.figure_style import COLOURS, LINES, new_figure, styled
from icmass.interpret.figures.checks import check_amount, check_column, check_error
from icmass.interpret.figures.rows import style_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curve", "FaithfulnessRow", "faithfulness_figure"]

Floats = NDArray[np.float64]

_MOST_METHODS: Final = 12


@dataclass(frozen=True, eq=False)
class Curve:
    """What remains of the networks' saying as pixels are taken away or put back.

    Attributes
    ----------
    fraction : ndarray, shape (k,)
        Of pixels, ascending from 0 to 1.
    value, error : ndarray, shape (k,)
        NaN where not known.

    Raises
    ------
    InputError
        If fractions do not ascend from 0 to 1, or shapes differ.
    """

    fraction: Floats
    value: Floats
    error: Floats

    def __post_init__(self) -> None:
        fraction = check_column(self.fraction, "fraction")
        inside = fraction[0] >= 0.0 and fraction[-1] <= 1.0
        if len(fraction) < 2 or not (inside and np.all(np.diff(fraction) > 0.0)):
            raise InputError(f"fraction: must ascend from 0 to 1; got {fraction}. Sort them.")
        check_column(self.value, "value of a curve", len(fraction))
        check_column(self.error, "error of a curve", len(fraction))


@dataclass(frozen=True, eq=False)
class FaithfulnessRow:
    """How faithful one method is.

    Attributes
    ----------
    name : str
    deletion, insertion : Curve
    beaten, beaten_error : float
        Share of clusters in which deletion beats random order; NaN where not known.
    correlation, correlation_error : float
        Of attributed and measured change of patches; NaN where not known.
    random : bool
        Whether this is the random order that others are compared with.
    """

    name: str
    deletion: Curve
    insertion: Curve
    beaten: float = np.nan
    beaten_error: float = np.nan
    correlation: float = np.nan
    correlation_error: float = np.nan
    random: bool = False

    def __post_init__(self) -> None:
        check_error(f"beaten_error of '{self.name}'", self.beaten_error)
        check_error(f"correlation_error of '{self.name}'", self.correlation_error)


@styled
def faithfulness_figure(
    rows: Sequence[FaithfulnessRow],
    *,
    label: str = "distance of ln M from the baseline,\nof that of the whole image",
    goal: float = 0.95,
) -> "Figure":
    """Draw curves of deletion and of insertion, and beneath how often and how well each is right.

    Parameters
    ----------
    rows : sequence of FaithfulnessRow
        1 to 12 methods, among them at most one random order.
    label : str
        What the curves are.
    goal : float
        Share of clusters that is marked.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many methods.
    """
    check_amount("methods", rows, _MOST_METHODS)
    methods = [row for row in rows if not row.random]
    below = 0.75 + 0.25 * max(len(methods), 2)
    figure = new_figure(8.2, 3.4 + (below if methods else 0.0))
    heights = (3.0, below) if methods else (1.0,)
    axes = figure.subplots(len(heights), 2, height_ratios=heights, sharey="row", squeeze=False)
    for axis, title in zip(axes[0], ("deletion", "insertion"), strict=True):
        for place, row in enumerate(rows):
            _draw_curve(axis, getattr(row, title), row, _look(place, row))
        _scale(axis, rows)
        order = "most attributed first"
        axis.set(title=title, xlabel=f"share of pixels {_VERBS[title]}, {order}")
        axis.grid(color="0.92", lw=0.7)
    figure.set_layout_engine("constrained", wspace=0.06, hspace=0.05)
    axes[0, 0].set_ylabel(label)
    if methods:
        _draw_bars(list(axes[1]), rows, goal)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure


_VERBS: Final = {"deletion": "taken away", "insertion": "put back"}


def _look(place: int, row: FaithfulnessRow) -> tuple[str, str]:
    """Return colour and line of a method; random order is black and dotted."""
    if row.random:
        return "black", ":"
    rounds, colour = divmod(place, len(COLOURS) - 1)
    return COLOURS[colour], LINES[rounds]


def _draw_curve(axes: "Axes", curve: Curve, row: FaithfulnessRow, look: tuple[str, str]) -> None:
    colour, style = look
    error = np.nan_to_num(curve.error)
    axes.fill_between(
        curve.fraction, curve.value - error, curve.value + error, color=colour, alpha=0.2, lw=0.0
    )
    axes.plot(
        curve.fraction,
        curve.value,
        color=colour,
        ls=style,
        lw=2.0 if row.random else 1.4,
        marker="o",
        ms=2.0,
        label=row.name,
    )


def _scale(axes: "Axes", rows: Sequence[FaithfulnessRow]) -> None:
    """Let fractions be logarithmic down to the smallest, and 0 stand beside it."""
    from matplotlib.ticker import FixedLocator, NullLocator  # noqa: PLC0415  (slow to import)

    every = np.concatenate([row.deletion.fraction for row in rows])
    smallest = float(every[every > 0.0].min(initial=1.0))
    if smallest < 0.05:
        axes.set_xscale("symlog", linthresh=smallest, linscale=0.4)
        ticks = [tick for tick in (1e-4, 1e-3, 1e-2, 0.1, 1.0) if tick >= 0.9 * smallest]
        axes.xaxis.set_major_locator(FixedLocator([0.0, *ticks]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(_percent)
    axes.set_xlim(0.0, 1.0)


def _percent(value: float, _: float) -> str:
    return f"{100.0 * value:g}%"


def _draw_bars(axes: "list[Axes]", rows: Sequence[FaithfulnessRow], goal: float) -> None:
    methods = [(place, row) for place, row in enumerate(rows) if not row.random]
    style_rows(axes, [row.name for _, row in methods])
    for line, (place, row) in enumerate(methods):
        colour, _ = _look(place, row)
        pairs = (
            (100.0 * row.beaten, 100.0 * row.beaten_error),
            (row.correlation, row.correlation_error),
        )
        for axis, (value, error) in zip(axes, pairs, strict=True):
            if np.isfinite(value):
                known = error if np.isfinite(error) else None
                axis.barh(line, value, 0.62, color=colour, alpha=0.75, zorder=2)
                axis.errorbar(value, line, xerr=known, color="0.15", lw=1.2, capsize=2.5)
            else:
                axis.text(0.02, line, "not measured", fontsize=8.0, va="center", color="0.4")
    left, right = axes
    left.axvline(100.0 * goal, color="0.2", ls="--", lw=1.0)
    left.axvline(50.0, color="0.5", ls=":", lw=1.0)
    left.set(xlim=(0.0, 102.0), xlabel="% of clusters in which deletion beats random order")
    lowest = min([row.correlation for _, row in methods if np.isfinite(row.correlation)] or [0.0])
    right.axvline(0.0, color="black", lw=0.9)
    right.set(
        xlim=(min(1.3 * lowest, 0.0), 1.0),
        xlabel="correlation of attributed and\nmeasured change of patches",
    )
