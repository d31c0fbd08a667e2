"""Do maps depend on what networks learnt: those of networks with shuffled weights or masses.

A method whose maps survive that shows the images, not the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from icmass.errors import InputError
from icmass.figure_style import COLOURS, dot, styled
from icmass.interpret.figures.checks import check_amount, check_error
from icmass.interpret.figures.rows import row_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SanityRow", "sanity_figure"]

_MOST_ROWS: Final = 20


@dataclass(frozen=True)
class SanityRow:
    """One network or set of networks; NaN where something is not known.

    Attributes
    ----------
    name : str
    correlation, correlation_error : float
        Of its maps with those of the networks that are explained.
    contrast, contrast_error : float
        log10 of attribution in AGN pixels over that in ICM pixels of equal brightness.
    core, core_error : float
        Attribution of the core over that of the N_phot proxy.
    explained : bool
        Whether these are the networks that are explained.
    """

    name: str
    correlation: float = np.nan
    correlation_error: float = np.nan
    contrast: float = np.nan
    contrast_error: float = np.nan
    core: float = np.nan
    core_error: float = np.nan
    explained: bool = False

    def __post_init__(self) -> None:
        for what in ("correlation", "contrast", "core"):
            check_error(f"{what}_error of '{self.name}'", getattr(self, f"{what}_error"))


_PANELS: Final = (
    ("correlation", 0.0, "correlation with\nthe explained maps"),
    ("contrast", 0.0, "AGN against ICM pixels\nof equal brightness, dex"),
    ("core", 1.0, r"core: network / N$_{\rm phot}$ proxy"),
)


@styled
def sanity_figure(rows: Sequence[SanityRow]) -> "Figure":
    """Draw what each network has in common with those that are explained.

    Dashed lines are where a network without knowledge should be. What nobody has gets no panel.

    Parameters
    ----------
    rows : sequence of SanityRow
        1 to 20, the first on top.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many rows, or no number is known.
    """
    check_amount("rows", rows, _MOST_ROWS)
    shown = [one for one in _PANELS if any(np.isfinite(getattr(row, one[0])) for row in rows)]
    if not shown:
        raise InputError("rows: must have a finite number; got none. Leave the figure out.")
    width = 3.4 + 2.1 * len(shown)
    figure, axes = row_axes([row.name for row in rows], len(shown), width=width, extra=0.9)
    for axis, (what, neutral, label) in zip(axes, shown, strict=True):
        axis.axvline(neutral, color="0.25", lw=1.0, ls="--")
        for place, row in enumerate(rows):
            value, error = getattr(row, what), getattr(row, f"{what}_error")
            if np.isfinite(value):
                colour, marker = (COLOURS[1], "s") if row.explained else (COLOURS[0], "o")
                dot(axis, value, error, place, colour, marker)
        axis.set_xlabel(label)
        _limit(axis, rows, what, neutral)
    for place, row in enumerate(rows):
        if row.explained:
            axes[0].get_yticklabels()[place].set(color=COLOURS[1], weight="bold")
    return figure


def _limit(axes: "Axes", rows: Sequence[SanityRow], what: str, neutral: float) -> None:
    """Show all errors and the neutral line; ratios on a logarithmic axis."""
    ends = [neutral]
    for row in rows:
        value, error = getattr(row, what), np.nan_to_num(getattr(row, f"{what}_error"))
        if np.isfinite(value):
            ends += [value - error, value + error]
    low, high = min(ends), max(ends)
    if what == "correlation":
        axes.set_xlim(min(low - 0.05, -0.1), 1.05)
    elif what == "core" and low > 0.0:
        axes.set_xscale("log")
        axes.set_xlim(0.6 * low, 1.7 * high)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
    else:
        margin = 0.12 * (high - low) or 0.1
        axes.set_xlim(low - margin, high + margin)
