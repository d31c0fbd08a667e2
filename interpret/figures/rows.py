"""Panels side by side whose rows are named at the left, the first on top."""

from typing import TYPE_CHECKING, Final

import numpy as np

from icmass.figure_style import new_figure, number, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_ROWS", "numbers", "row_axes", "style_rows"]

#: As many as have a row of readable height on a page.
MOST_ROWS: Final = 60
_WRAP: Final = 38
_ROW_INCHES: Final = 0.27


def row_axes(
    names: list[str],
    columns: int,
    *,
    width: float = 7.4,
    inches: float = _ROW_INCHES,
    extra: float = 1.1,
) -> "tuple[Figure, list[Axes]]":
    """Return a figure and its panels.

    Parameters
    ----------
    names : list of str
        Of rows.
    columns : int
        Number of panels.
    width, inches, extra : float
        Of the figure, of a row and of everything else, in inches.
    """
    lines = sum(max(1.0, 0.75 * (1 + wrapped(name, _WRAP).count("\n"))) for name in names)
    figure = new_figure(width, extra + inches * max(lines, 3))
    axes = list(figure.subplots(1, columns, sharey=True, squeeze=False)[0])
    style_rows(axes, names)
    return figure, axes


def style_rows(axes: "list[Axes]", names: list[str]) -> None:
    """Give `names` to the rows of `axes` that share them, and rule these."""
    for panel in axes:
        panel.tick_params(axis="y", length=0.0)
        panel.grid(axis="x", color="0.9", lw=0.7)
        for place in range(len(names)):
            panel.axhline(place, color="0.93", lw=0.7, zorder=0.5)
        panel.set_axisbelow(True)
        panel.locator_params(axis="x", nbins=8 if len(axes) == 1 else 5)
    axes[0].set_yticks(range(len(names)), [wrapped(name, _WRAP) for name in names])
    axes[0].set_ylim(len(names) - 0.4, -0.6)


def numbers(value: float, error: float, *, signed: bool = False) -> str:
    """Write a value in ln M with its error.

    Parameters
    ----------
    value, error : float
        An error that is not finite is left out.
    signed : bool
        Whether a positive value gets a plus.
    """
    known = f" ± {number(error)}" if np.isfinite(error) else ""
    return f"{number(value, signed=signed)}{known}"
