"""Attribution against radius: the networks' beside what scalar proxies imply for the same pixels.

A proxy of N photons with slope alpha weights a pixel of n photons by (n + 1) / (N alpha); see
`icmass.interpret.statistics`. Radii are r / R500c in projection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.figure_style import COLOURS, LINES, new_figure, styled
from icmass.interpret.figures.checks import check_amount, check_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MARKED_R500C", "ProfileLine", "ProfilePanel", "profile_figure"]

Floats = NDArray[np.float64]

#: Radii that are marked: two definitions of the core, and R500c.
MARKED_R500C: Final = (0.15, 0.285, 1.0)
_MOST_PANELS: Final = 4
_MOST_LINES: Final = 7
_DECADES: Final = 5.0


@dataclass(frozen=True, eq=False)
class ProfileLine:
    """A profile, by a name in the legend.

    Attributes
    ----------
    name : str
    value, error : ndarray, shape (n_bin,)
        NaN where there are no pixels or, for errors, none is known.
    """

    name: str
    value: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class ProfilePanel:
    """Profiles in one channel.

    Attributes
    ----------
    title : str
        What is seen.
    edges : ndarray, shape (n_bin + 1,)
        Of radial bins in r / R500c, ascending from 0 or more.
    lines : tuple of ProfileLine
        The networks' first, then what each proxy implies.
    ratios : tuple of ProfileLine
        Of the networks' profile to each proxy's, in the order of the proxies.

    Raises
    ------
    InputError
        If edges do not ascend, or a profile has another number of bins.
    """

    title: str
    edges: Floats
    lines: tuple[ProfileLine, ...]
    ratios: tuple[ProfileLine, ...] = ()

    def __post_init__(self) -> None:
        edges = check_column(self.edges, f"edges of '{self.title}'")
        if len(edges) < 2 or not (edges[0] >= 0.0 and np.all(np.diff(edges) > 0.0)):
            raise InputError(
                f"edges of '{self.title}': must ascend from 0 or more; got {edges}. Sort them."
            )
        check_amount(f"lines of '{self.title}'", self.lines, _MOST_LINES)
        for line in (*self.lines, *self.ratios):
            check_column(line.value, f"profile '{line.name}'", len(edges) - 1)
            check_column(line.error, f"error of profile '{line.name}'", len(edges) - 1)

    def radii(self) -> Floats:
        """Return the radii at which bins are drawn, r / R500c, shape (n_bin,)."""
        low, high = self.edges[:-1], self.edges[1:]
        return np.where(low > 0.0, np.sqrt(low * high), 0.5 * high)


@styled
def profile_figure(
    panels: Sequence[ProfilePanel], *, label: str = r"$|\partial\,\ln M\,/\,\partial\,\ln(1+N)|$"
) -> "Figure":
    """Draw profiles of each channel side by side, and beneath how networks differ from proxies.

    Bands are errors. Below one in the lower panels, networks give pixels less weight than the
    proxy does.

    Parameters
    ----------
    panels : sequence of ProfilePanel
        1 to 4.
    label : str
        What the profiles are, with their unit.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many panels, or nothing in them can be drawn.
    """
    check_amount("panels", panels, _MOST_PANELS)
    with_ratio = any(panel.ratios for panel in panels)
    figure = new_figure(1.3 + 2.7 * max(len(panels), 2), 5.2 if with_ratio else 3.6)
    rows = 2 if with_ratio else 1
    axes = figure.subplots(
        rows,
        len(panels),
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=(1.9, 1.0)[:rows],
    )
    drawn = [
        values
        for column, panel in enumerate(panels)
        for values in _draw_lines(axes[0, column], panel)
    ]
    if not drawn:
        raise InputError("profiles: must have a value above 0; got none. Leave the figure out.")
    _limit(axes[0, 0], np.concatenate(drawn))
    for column, panel in enumerate(panels):
        axes[0, column].set_title(panel.title)
        if with_ratio:
            _draw_ratios(axes[1, column], panel)
        axes[-1, column].set_xlabel(r"projected radius $r\,/\,R_{500c}$")
        for axis in axes[:, column]:
            _mark(axis)
    axes[0, 0].set_ylabel(f"mean of pixels of\n{label}")
    if with_ratio:
        _limit_ratios(axes[1, 0], panels)
        axes[1, 0].set_ylabel("network / proxy")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure


def _look(place: int) -> dict[str, Any]:
    """Return how a line looks: the networks' is broad and solid, proxies' are broken."""
    return {
        "color": (COLOURS[1], COLOURS[0], COLOURS[6], *COLOURS[2:6])[place],
        "ls": LINES[0] if place == 0 else ("--", "-.", ":")[(place - 1) % 3],
        "lw": 2.0 if place == 0 else 1.4,
    }


def _draw_lines(axes: "Axes", panel: ProfilePanel) -> list[Floats]:
    """Draw profiles and return the values drawn."""
    drawn = []
    for place, line in enumerate(panel.lines):
        value = _draw_band(axes, panel.radii(), line, _look(place), line.name)
        drawn.append(value[np.isfinite(value)])
    axes.set(xscale="log", yscale="log")
    radii = panel.radii()
    axes.set_xlim(0.8 * float(radii[0]), float(panel.edges[-1]))
    return [values for values in drawn if len(values)]


def _draw_ratios(axes: "Axes", panel: ProfilePanel) -> None:
    for place, line in enumerate(panel.ratios):
        _draw_band(axes, panel.radii(), line, _look(1 + place), "")
    axes.axhline(1.0, color="0.3", lw=0.9)
    axes.set_yscale("log")


def _limit_ratios(axes: "Axes", panels: Sequence[ProfilePanel]) -> None:
    """Show all ratios, and one."""
    value = np.concatenate([line.value for panel in panels for line in panel.ratios])
    value = value[np.isfinite(value) & (value > 0.0)]
    axes.set_ylim(0.6 * value.min(initial=0.9), 1.7 * value.max(initial=1.1))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")


def _draw_band(
    axes: "Axes", radii: Floats, line: ProfileLine, look: dict[str, Any], name: str
) -> Floats:
    """Draw a line within its errors and return its values, NaN where not above 0."""
    value = np.where(line.value > 0.0, line.value, np.nan)
    error = np.nan_to_num(line.error)
    low = np.maximum(value - error, 0.02 * value)
    axes.fill_between(radii, low, value + error, color=look["color"], alpha=0.22, lw=0.0)
    axes.plot(radii, value, marker="o", ms=2.5, label=name or "_", **look)
    return value


def _limit(axes: "Axes", values: Floats) -> None:
    """Show all values, but no more than some decades below the largest."""
    high = float(values.max())
    low = max(float(values.min()), high / 10.0**_DECADES)
    axes.set_ylim(0.5 * low, 2.0 * high)


def _mark(axes: "Axes") -> None:
    for radius in MARKED_R500C:
        axes.axvline(radius, color="0.6", lw=0.8, ls=":", zorder=0.5)
    axes.xaxis.set_major_formatter("{x:g}")
