"""Which share of the haloes was found, by mass, redshift, exposure or whatever else they differ in.

Errors are the central 68% of the binomial distribution (Wilson).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from icmass.errors import InputError
from icmass.figure_style import COLOURS, MARKERS, new_figure, styled
from icmass.simulate.detection import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SharePanel", "completeness_figure"]

_MOST_PANELS: Final = 4


@dataclass(frozen=True)
class SharePanel:
    """Counts of one panel.

    Attributes
    ----------
    label : str
        Of the horizontal axis, with its unit.
    edges : array_like, shape (n + 1,)
        Ascending edges of the bins.
    number : array_like of int, shape (n,)
        All that are in each bin.
    found : mapping of str to array_like of int, shape (n,)
        By label of the curve: how many of them were found.
    log : bool
        Whether the axis is logarithmic.
    """

    label: str
    edges: ArrayLike
    number: ArrayLike
    found: Mapping[str, ArrayLike]
    log: bool = False

    @classmethod
    def of(
        cls,
        label: str,
        values: ArrayLike,
        found: Mapping[str, ArrayLike],
        edges: ArrayLike,
        *,
        log: bool = False,
    ) -> "SharePanel":
        """Count objects in bins.

        Parameters
        ----------
        label : str
        values : array_like, shape (m,)
            Of each object; those outside the bins are left out.
        found : mapping of str to array_like of bool, shape (m,)
        edges : array_like, shape (n + 1,)
        log : bool
        """
        of_each = np.asarray(values, dtype=np.float64)
        bins = np.asarray(edges, dtype=np.float64)
        counts = {
            name: np.histogram(of_each[np.asarray(flag, dtype=bool)], bins)[0]
            for name, flag in found.items()
        }
        return cls(label, bins, np.histogram(of_each, bins)[0], counts, log)


@styled
def completeness_figure(
    panels: Sequence[SharePanel], ylabel: str = "completeness", title: str | None = None
) -> "Figure":
    """Draw shares with their errors, one panel for each quantity.

    Parameters
    ----------
    panels : sequence of SharePanel
        One to four, all with the same curves. Purity is drawn as well: of the sources in each bin,
        how many are real.
    ylabel : str
    title : str, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many panels, their curves differ, edges do not ascend, or more are
        found than there are.
    """
    _check(panels)
    figure = new_figure(0.6 + 2.9 * len(panels), 3.6 if title is None else 3.8)
    axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    for place, (panel, axis) in enumerate(zip(panels, axes, strict=True)):
        _draw(axis, panel)
        if place == 0:
            axis.set_ylabel(ylabel)
    if title is not None:
        figure.suptitle(title, fontsize=10)
    names = axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=len(panels[0].found))
    return figure


def _draw(axes: "Axes", panel: SharePanel) -> None:
    edges = np.asarray(panel.edges, dtype=np.float64)
    number = np.asarray(panel.number)
    if panel.log:
        axes.set_xscale("log")
        _write_one_and_three(axes)
    fraction = np.log(edges) if panel.log else edges
    inside = np.flatnonzero(number)
    for place, (name, counts) in enumerate(panel.found.items()):
        # Curves stand a little apart, so that their errors do not cover each other.
        where = 0.5 + 0.07 * (place - 0.5 * (len(panel.found) - 1))
        middle = (1.0 - where) * fraction[:-1] + where * fraction[1:]
        x = np.exp(middle) if panel.log else middle
        chosen = np.asarray(counts)[inside]
        share = chosen / number[inside]
        low, high = wilson_interval(chosen, number[inside])
        axes.errorbar(
            x[inside],
            share,
            yerr=[share - low, high - share],
            fmt=MARKERS[place % len(MARKERS)],
            ls="-",
            lw=1.0,
            ms=4,
            capsize=2.0,
            color=COLOURS[place % len(COLOURS)],
            label=name,
        )
    for left, right, count in zip(edges[:-1], edges[1:], number, strict=True):
        middle = np.sqrt(left * right) if panel.log else 0.5 * (left + right)
        axes.text(middle, 1.03, f"{count:,}", ha="center", va="bottom", fontsize=6, rotation=90)
    axes.axhline(1.0, color="0.6", lw=0.6, zorder=0)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(-0.03, 1.22), xlabel=panel.label)
    axes.set_yticks(np.linspace(0.0, 1.0, 6))


def _write_one_and_three(axes: "Axes") -> None:
    """Write two numbers in each decade, 1 and 3, which are apart on a short axis."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter  # noqa: PLC0415

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.xaxis.set_major_formatter(LogFormatterSciNotation(minor_thresholds=(np.inf, np.inf)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _check(panels: Sequence[SharePanel]) -> None:
    if not 1 <= len(panels) <= _MOST_PANELS:
        raise InputError(
            f"completeness figure: must have 1 to {_MOST_PANELS} panels; got {len(panels)}. "
            "Draw several figures."
        )
    for panel in panels:
        if set(panel.found) != set(panels[0].found) or not panel.found:
            raise InputError(
                f"panel {panel.label}: must have the curves {', '.join(panels[0].found)}; got "
                f"{', '.join(panel.found)}. Give the same for all panels."
            )
        edges, number = np.asarray(panel.edges, dtype=np.float64), np.asarray(panel.number)
        shapes = {np.shape(counts) for counts in panel.found.values()} | {number.shape}
        if shapes != {(len(edges) - 1,)} or not np.all(np.diff(edges) > 0.0):
            raise InputError(
                f"panel {panel.label}: must have ascending edges, one more than counts; got "
                f"{len(edges)} edges and counts of shapes {sorted(shapes)}. Correct the edges."
            )
        if any(
            np.any(np.asarray(c) > number) or np.any(np.asarray(c) < 0)
            for c in panel.found.values()
        ):
            raise InputError(
                f"panel {panel.label}: must have between 0 and all found in each bin; got others. "
                "Count found ones among all."
            )
