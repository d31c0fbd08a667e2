"""What a change of the data does to the mass that networks and scalar proxies give, in ln M."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from icmass.errors import InputError
from icmass.figure_style import COLOURS, MARKERS, dot, styled
from icmass.interpret.figures.checks import check_amount, check_error
from icmass.interpret.figures.rows import MOST_ROWS, numbers, row_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ChangeRow", "Effect", "intervention_figure"]

_MOST_ESTIMATORS: Final = 5
_LINEAR: Final = 0.1  # ln M up to which an axis of many decades is linear
_WIDE: Final = 1.0  # ln M beyond which it is one
_LOOKS: Final = (
    (COLOURS[1], "o"),
    (COLOURS[0], MARKERS[1]),
    (COLOURS[6], MARKERS[2]),
    (COLOURS[2], "D"),
    (COLOURS[3], "v"),
)


@dataclass(frozen=True)
class Effect:
    """Change of ln M over clusters.

    Attributes
    ----------
    median, error : float
        The error is NaN where not known.
    low, high : float
        At 16 and 84% of clusters; NaN where not known.

    Raises
    ------
    InputError
        If the error is below 0, or the range is reversed.
    """

    median: float
    error: float = np.nan
    low: float = np.nan
    high: float = np.nan

    def __post_init__(self) -> None:
        check_error("error of an effect", self.error)
        if self.low > self.high:
            raise InputError(
                f"range of an effect: must ascend; got {self.low} to {self.high}. Swap them."
            )


@dataclass(frozen=True)
class ChangeRow:
    """One change of the data.

    Attributes
    ----------
    name : str
        What was changed.
    effects : mapping of str to Effect
        By name of estimator, the networks first.
    """

    name: str
    effects: Mapping[str, Effect]


@styled
def intervention_figure(rows: Sequence[ChangeRow]) -> "Figure":
    """Draw medians with errors, and as thin lines what 16-84% of clusters do.

    The networks' medians stand at the right. The axis is linear around zero, and logarithmic
    outside where changes are large. What is not known is left out.

    Parameters
    ----------
    rows : sequence of ChangeRow
        1 to 60, the first on top, with up to five estimators.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many rows or estimators, or no finite median.
    """
    check_amount("rows", rows, MOST_ROWS)
    names = list(dict.fromkeys(name for row in rows for name in row.effects))
    check_amount("estimators", names, _MOST_ESTIMATORS)
    known = [row for row in rows if any(np.isfinite(one.median) for one in row.effects.values())]
    if not known:
        raise InputError("rows: must have a finite median; got none. Leave the figure out.")
    inches = 0.15 + 0.085 * len(names)
    figure, (panel,) = row_axes([row.name for row in known], 1, inches=inches)
    panel.axvline(0.0, color="black", lw=0.9)
    for place, row in enumerate(known):
        if place % 2:
            panel.axhspan(place - 0.5, place + 0.5, color="0.95", lw=0.0, zorder=0.4)
        for k, name in enumerate(names):
            if name in row.effects:
                shift = 0.62 * ((k + 0.5) / len(names) - 0.5) if len(names) > 1 else 0.0
                _draw(panel, row.effects[name], place + shift, *_LOOKS[k])
        first = row.effects.get(names[0], Effect(np.nan))
        if np.isfinite(first.median):
            panel.text(
                1.02,
                place,
                numbers(first.median, first.error, signed=True),
                transform=panel.get_yaxis_transform(),
                va="center",
                fontsize=8.5,
                color=_LOOKS[0][0],
            )
    _scale(panel, known)
    for (colour, marker), name in zip(_LOOKS, names, strict=False):
        panel.plot([], [], marker, color=colour, ms=5, label=name)
    panel.plot([], [], color="0.5", lw=1.0, label="16\N{EN DASH}84% of clusters")
    panel.set_xlabel(r"change of $\ln M_{500c}$")
    figure.legend(loc="outside upper center", ncols=6, columnspacing=1.2, handletextpad=0.4)
    return figure


def _draw(axes: "Axes", effect: Effect, place: float, colour: str, marker: str) -> None:
    if not np.isfinite(effect.median):
        return
    axes.plot([effect.low, effect.high], [place, place], color=colour, lw=1.0, alpha=0.45)
    dot(axes, effect.median, effect.error, place, colour, marker)


def _scale(axes: "Axes", rows: Sequence[ChangeRow]) -> None:
    """Choose an axis that shows small and large changes."""
    ends = [
        end
        for row in rows
        for one in row.effects.values()
        for end in (one.median, one.low, one.high)
        if np.isfinite(end)
    ]
    low, high = min(*ends, 0.0), max(*ends, 0.0)
    largest = max(-low, high, 1e-3)
    if largest > _WIDE:
        _symmetric_log(axes, largest)
        axes.set_xlim(1.3 * low - 0.02, 1.3 * high + 0.02)
    else:
        axes.set_xlim(low - 0.06 * largest, high + 0.06 * largest)


def _symmetric_log(axes: "Axes", largest: float) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator  # noqa: PLC0415  (slow to import)

    axes.set_xscale("symlog", linthresh=_LINEAR, linscale=0.8)
    ticks = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]
    shown = [one for one in ticks if one <= 1.3 * largest]
    axes.xaxis.set_major_locator(FixedLocator([*(-one for one in reversed(shown)), 0.0, *shown]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
