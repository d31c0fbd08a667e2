"""Comparisons: scatter of many estimators beside the study's, and one estimator on shifted data.

All in ln M (0.17 is 17%). The study is Ho et al. 2023.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.figure_style import COLOURS, MARKERS, dot, new_figure, number, styled, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["KINDS", "EstimatorRow", "ShiftRow", "shift_figure", "table_figure"]

Floats = NDArray[np.float64]

#: Kinds of estimators, in the order of the legend.
KINDS: Final = ("ideal proxy", "observed proxy", "regression", "network")
_KIND_STYLES: Final[dict[str, tuple[str, str]]] = {
    "ideal proxy": (COLOURS[6], MARKERS[2]),
    "observed proxy": (COLOURS[0], MARKERS[1]),
    "regression": (COLOURS[2], "D"),
    "network": (COLOURS[1], MARKERS[0]),
}
_PAPER: Final = "Ho et al. 2023"
_MOST_ROWS: Final = 60
_WRAP: Final = 40
_ROW_INCHES: Final = 0.27


@dataclass(frozen=True)
class EstimatorRow:
    """Scatter of an estimator.

    Attributes
    ----------
    name : str
    kind : str
        One of `KINDS`; "regression" is also that of clipped counts.
    scatter, error : float
        In ln M; the error is NaN where there is none.
    paper : float, optional
        Scatter in the study, in ln M.

    Raises
    ------
    InputError
        If the kind is unknown, or a scatter is not positive and finite.
    """

    name: str
    kind: str
    scatter: float
    error: float = np.nan
    paper: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(
                f"kind of '{self.name}': must be one of {', '.join(KINDS)}; got '{self.kind}'. "
                "Choose the nearest."
            )
        _check_width(self.name, "scatter", self.scatter)
        _check_error(self.name, "error", self.error)
        if self.paper is not None:
            _check_width(self.name, "paper", self.paper)


@dataclass(frozen=True)
class ShiftRow:
    """Bias and scatter of one estimator on one data set.

    Attributes
    ----------
    name : str
        What differs from the data it was trained on.
    bias, bias_error, scatter, scatter_error : float
        In ln M; errors are NaN where there is none.
    reference : bool
        Whether this is the data set that others are compared with.

    Raises
    ------
    InputError
        If a number is not finite, or a scatter not positive.
    """

    name: str
    bias: float
    bias_error: float
    scatter: float
    scatter_error: float
    reference: bool = False

    def __post_init__(self) -> None:
        if not np.isfinite(self.bias):
            raise InputError(
                f"bias of '{self.name}': must be finite; got {self.bias}. Leave the row out."
            )
        _check_width(self.name, "scatter", self.scatter)
        _check_error(self.name, "bias_error", self.bias_error)
        _check_error(self.name, "scatter_error", self.scatter_error)


@styled
def table_figure(rows: Sequence[EstimatorRow]) -> "Figure":
    """Draw the scatter of estimators, from top to bottom in the order given.

    Colour and symbol say the kind; open symbols are the study's. Numbers stand at the right.

    Parameters
    ----------
    rows : sequence of EstimatorRow
        1 to 60.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many rows.
    """
    _check_rows(rows)
    figure, axes = _row_axes([row.name for row in rows], 1)
    (panel,) = axes
    for place, row in enumerate(rows):
        colour, marker = _KIND_STYLES[row.kind]
        if row.paper is not None:
            panel.plot(row.paper, place, marker, mfc="none", mec=colour, mew=1.3, ms=8)
        dot(panel, row.scatter, row.error, place, colour, marker)
        panel.text(
            1.02,
            place,
            _numbers(row),
            transform=panel.get_yaxis_transform(),
            va="center",
            fontsize=8.5,
        )
    largest = max(max(row.scatter + np.nan_to_num(row.error), row.paper or 0.0) for row in rows)
    panel.set(xlim=(0.0, 1.06 * largest), xlabel=r"scatter in $\ln M_{500c}$")
    for kind in KINDS:
        if any(row.kind == kind for row in rows):
            colour, marker = _KIND_STYLES[kind]
            panel.plot([], [], marker, color=colour, ms=6, label=kind)
    if any(row.paper is not None for row in rows):
        style: dict[str, Any] = {"transform": panel.transAxes, "fontsize": 8.5, "color": "0.3"}
        panel.text(1.02, 1.015, "here (study)", **style)
        panel.plot([], [], "o", mfc="none", mec="0.3", mew=1.3, ms=8, label=_PAPER)
    figure.legend(loc="outside upper center", ncols=5, columnspacing=1.2, handletextpad=0.2)
    return figure


@styled
def shift_figure(rows: Sequence[ShiftRow]) -> "Figure":
    """Draw bias and scatter of an estimator on shifted data sets, in the order given.

    The reference is shaded, and its scatter goes on as a line through all rows.

    Parameters
    ----------
    rows : sequence of ShiftRow
        1 to 60, one of them the reference.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many rows, or not one reference.
    """
    _check_rows(rows)
    chosen = [place for place, row in enumerate(rows) if row.reference]
    if len(chosen) != 1:
        raise InputError(
            f"rows: must hold one reference; got {len(chosen)}. Set reference=True in one row."
        )
    reference = rows[chosen[0]]
    figure, (left, right) = _row_axes([row.name for row in rows], 2)
    left.axvline(0.0, color="black", lw=0.9)
    right.axvline(reference.scatter, color=COLOURS[1], lw=1.0, ls="--")
    for panel in (left, right):
        panel.axhspan(chosen[0] - 0.5, chosen[0] + 0.5, color=COLOURS[1], alpha=0.13, lw=0.0)
    for place, row in enumerate(rows):
        colour, marker = (COLOURS[1], "s") if row.reference else (COLOURS[0], "o")
        dot(left, row.bias, row.bias_error, place, colour, marker)
        dot(right, row.scatter, row.scatter_error, place, colour, marker)
        if row.reference:
            left.get_yticklabels()[place].set(color=COLOURS[1], weight="bold")
    largest = max(abs(row.bias) + np.nan_to_num(row.bias_error) for row in rows)
    left.set(xlim=(-1.12 * largest or -0.01, 1.12 * largest or 0.01))
    widest = max(row.scatter + np.nan_to_num(row.scatter_error) for row in rows)
    right.set(xlim=(0.0, 1.1 * widest), xlabel=r"scatter in $\ln M_{500c}$")
    left.set_xlabel(r"bias in $\ln M_{500c}$")
    return figure


def _row_axes(names: list[str], columns: int) -> "tuple[Figure, list[Axes]]":
    """Return panels side by side whose rows have these names, the first on top."""
    labels = [wrapped(name, _WRAP) for name in names]
    lines = sum(max(1.0, 0.75 * (1 + label.count("\n"))) for label in labels)
    figure = new_figure(7.4, 1.1 + _ROW_INCHES * max(lines, 4))
    axes = list(figure.subplots(1, columns, sharey=True, squeeze=False)[0])
    for panel in axes:
        panel.tick_params(axis="y", length=0.0)
        panel.grid(axis="x", color="0.9", lw=0.7)
        for place in range(len(labels)):
            panel.axhline(place, color="0.9", lw=0.7, zorder=0.5)
        panel.set_axisbelow(True)
        panel.locator_params(axis="x", nbins=8 if columns == 1 else 6)
    axes[0].set_yticks(range(len(labels)), labels)
    axes[0].set_ylim(len(labels) - 0.4, -0.6)
    return figure, axes


def _numbers(row: EstimatorRow) -> str:
    error = f" ± {number(row.error)}" if np.isfinite(row.error) else ""
    paper = "" if row.paper is None else f"  ({number(row.paper)})"
    return f"{number(row.scatter)}{error}{paper}"


def _check_rows(rows: Sequence[Any]) -> None:
    if not 1 <= len(rows) <= _MOST_ROWS:
        raise InputError(f"rows: must be 1 to {_MOST_ROWS}; got {len(rows)}. Draw fewer.")


def _check_width(name: str, what: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(
            f"{what} of '{name}': must be above 0 and finite; got {value}. Leave the row out."
        )


def _check_error(name: str, what: str, value: float) -> None:
    if not (np.isnan(value) or 0.0 <= value < np.inf):
        raise InputError(
            f"{what} of '{name}': must be 0 or more, or NaN; got {value}. Give NaN if unknown."
        )
