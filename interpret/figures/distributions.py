"""How large are attributions of pixels: distributions of their logarithm, by origin of photons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.figure_style import COLOURS, LINES, new_figure, styled
from icmass.interpret.figures.checks import check_amount, check_column, check_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Distribution", "DistributionPanel", "distribution_figure"]

Floats = NDArray[np.float64]

_MOST_PANELS: Final = 9
_MOST_LINES: Final = 6
_COLUMNS: Final = 3
_SHOWN: Final = 2e-4  # share of pixels beyond which nothing is shown, on either side
_KNOWN: Final = {
    "icm": (COLOURS[0], "-"),
    "agn": (COLOURS[1], "-"),
    "background": ("0.45", "--"),
}


@dataclass(frozen=True, eq=False)
class Distribution:
    """Pixels of one kind.

    Attributes
    ----------
    name : str
        The word before the first space says the colour, where it is icm, agn or background.
    weight : ndarray, shape (k,)
        Pixels in each bin; may be weighted.
    median, median_error : float
        Of log10 of the attribution; NaN where not known.

    Raises
    ------
    InputError
        If weights are not 0 or more, or an error is below 0.
    """

    name: str
    weight: Floats
    median: float
    median_error: float = np.nan

    def __post_init__(self) -> None:
        weight = check_column(self.weight, f"weight of '{self.name}'")
        if not (np.isfinite(weight).all() and np.all(weight >= 0.0)):
            raise InputError(
                f"weight of '{self.name}': must be 0 or more; got {weight.min()}. Count pixels."
            )
        check_error(f"median_error of '{self.name}'", self.median_error)


@dataclass(frozen=True, eq=False)
class DistributionPanel:
    """Distributions over the same bins, with what follows from them.

    Attributes
    ----------
    title : str
    edges : ndarray, shape (k + 1,)
        Of bins in log10 of the attribution.
    distributions : tuple of Distribution
        Those without a pixel are left out.
    note : str
        Written beneath the title, such as the difference of medians.

    Raises
    ------
    InputError
        If edges do not ascend, or a distribution has another number of bins.
    """

    title: str
    edges: Floats
    distributions: tuple[Distribution, ...]
    note: str = ""

    def __post_init__(self) -> None:
        edges = check_column(self.edges, f"edges of '{self.title}'")
        if len(edges) < 2 or not np.all(np.diff(edges) > 0.0):
            raise InputError(f"edges of '{self.title}': must ascend; got {edges}. Sort them.")
        check_amount(f"distributions of '{self.title}'", self.distributions, _MOST_LINES)
        for one in self.distributions:
            check_column(one.weight, f"weight of '{one.name}'", len(edges) - 1)

    def known(self) -> list[Distribution]:
        """Return the distributions that have pixels."""
        return [one for one in self.distributions if one.weight.sum() > 0.0]


@styled
def distribution_figure(
    panels: Sequence[DistributionPanel],
    *,
    label: str = r"$\log_{10}|\partial\,\ln M\,/\,\partial\,\ln(1+N)|$",
) -> "Figure":
    """Draw distributions of each panel as steps of equal area, and their medians as lines.

    Parameters
    ----------
    panels : sequence of DistributionPanel
        1 to 9, such as all pixels, and ICM pixels weighted to the brightness of AGN pixels.
    label : str
        Of the horizontal axis.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many panels, or none has a pixel.
    """
    check_amount("panels", panels, _MOST_PANELS)
    if not any(panel.known() for panel in panels):
        raise InputError("panels: must have pixels; got none. Leave the figure out.")
    columns = 2 if len(panels) == 4 else min(len(panels), _COLUMNS)
    rows = -(-len(panels) // columns)
    figure = new_figure(max(1.0 + 2.9 * columns, 5.0), 0.3 + 2.9 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, panel in enumerate(panels):
        axis = axes.flat[place]
        _draw(axis, panel)
        if place + columns >= len(panels):
            axis.set_xlabel(label)
            axis.tick_params(labelbottom=True)
        if place % columns == 0:
            axis.set_ylabel("density per dex")
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    # Room for the legends above the highest step.
    axes[0, 0].set(xlim=_shown(panels), ylim=(0.0, 1.5 * _highest(panels)))
    return figure


def _draw(axes: "Axes", panel: DistributionPanel) -> None:
    others = iter(range(2, 2 + len(panel.distributions)))
    for one in panel.known():
        colour, style = _KNOWN.get(one.name.lower().split(" ")[0]) or _other(next(others))
        axes.stairs(
            _density(one, panel.edges),
            panel.edges,
            color=colour,
            ls=style,
            lw=1.5,
            label=_said(one),
        )
        if np.isfinite(one.median):
            axes.axvline(one.median, color=colour, ls=style, lw=1.0, ymax=0.68)
            error = np.nan_to_num(one.median_error)
            axes.axvspan(
                one.median - error, one.median + error, color=colour, alpha=0.25, lw=0.0, ymax=0.68
            )
    axes.set_title(f"{panel.title}\n{panel.note}" if panel.note else panel.title)
    if panel.known():
        axes.legend(
            loc="upper left",
            handlelength=1.3,
            fontsize=8.0,
            borderaxespad=0.3,
            title="median",
            title_fontsize=8.0,
            alignment="left",
        )
    else:
        axes.text(0.5, 0.5, "no such pixels", transform=axes.transAxes, ha="center", color="0.4")


def _other(place: int) -> tuple[str, str]:
    return COLOURS[place % len(COLOURS)], LINES[place % len(LINES)]


def _density(one: Distribution, edges: Floats) -> Floats:
    return one.weight / (one.weight.sum() * np.diff(edges))


def _said(one: Distribution) -> str:
    """Return the entry of the legend: name and median."""
    if not np.isfinite(one.median):
        return one.name
    error = f" ± {one.median_error:.3f}" if np.isfinite(one.median_error) else ""
    return f"{one.name}: {one.median:.3f}{error}".replace("-", "\N{MINUS SIGN}")


def _highest(panels: Sequence[DistributionPanel]) -> float:
    return max(float(_density(one, panel.edges).max()) for panel in panels for one in panel.known())


def _shown(panels: Sequence[DistributionPanel]) -> tuple[float, float]:
    """Return the range that holds all distributions but their faintest wings."""
    low, high = np.inf, -np.inf
    for panel in panels:
        for one in panel.known():
            share = np.cumsum(one.weight) / one.weight.sum()
            first, last = np.searchsorted(share, (_SHOWN, 1.0 - _SHOWN))
            low = min(low, float(panel.edges[first]))
            high = max(high, float(panel.edges[min(last, len(share) - 1) + 1]))
    return low, high
