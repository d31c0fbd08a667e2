"""Which information is used: errors of networks that were trained without a part of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from icmass.errors import InputError
from icmass.figure_style import COLOURS, dot, styled
from icmass.interpret.figures.checks import check_amount, check_error
from icmass.interpret.figures.rows import MOST_ROWS, numbers, row_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AblationRow", "ablation_figure"]


@dataclass(frozen=True)
class AblationRow:
    """Errors of networks that were trained and tested on changed data.

    Attributes
    ----------
    name : str
        What was changed.
    std, error : float
        Standard deviation of the error in ln M; NaN where not known. Such rows are left out.
    reference : bool
        Whether these are the data that others are compared with.

    Raises
    ------
    InputError
        If the deviation is not above 0, or the error is below 0.
    """

    name: str
    std: float
    error: float = np.nan
    reference: bool = False

    def __post_init__(self) -> None:
        if self.std <= 0.0 or np.isinf(self.std):
            raise InputError(
                f"standard deviation of '{self.name}': must be above 0 and finite; got {self.std}. "
                "Leave the row out."
            )
        check_error(f"error of '{self.name}'", self.error)


@styled
def ablation_figure(rows: Sequence[AblationRow]) -> "Figure":
    """Draw the standard deviation of each row with its error, and that of the reference as a line.

    Parameters
    ----------
    rows : sequence of AblationRow
        1 to 60, the first on top, one of them the reference.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no or too many rows, or not one reference with a number.
    """
    check_amount("rows", rows, MOST_ROWS)
    known = [row for row in rows if np.isfinite(row.std)]
    chosen = [place for place, row in enumerate(known) if row.reference]
    if len(chosen) != 1:
        raise InputError(
            f"rows: must hold one reference with a number; got {len(chosen)}. Set "
            "reference=True in one row."
        )
    reference = known[chosen[0]]
    figure, (panel,) = row_axes([row.name for row in known], 1, extra=0.75)
    error = np.nan_to_num(reference.error)
    panel.axvspan(
        reference.std - error, reference.std + error, color=COLOURS[1], alpha=0.15, lw=0.0
    )
    panel.axvline(reference.std, color=COLOURS[1], lw=1.1, ls="--")
    for place, row in enumerate(known):
        colour, marker = (COLOURS[1], "s") if row.reference else (COLOURS[0], "o")
        dot(panel, row.std, row.error, place, colour, marker)
        ratio = "" if row.reference else f"  (×{row.std / reference.std:.2f})"
        panel.text(
            1.02,
            place,
            numbers(row.std, row.error) + ratio,
            transform=panel.get_yaxis_transform(),
            va="center",
            fontsize=8.5,
            color=colour if row.reference else "black",
        )
        if row.reference:
            panel.get_yticklabels()[place].set(color=COLOURS[1], weight="bold")
    largest = max(row.std + np.nan_to_num(row.error) for row in known)
    panel.set(xlim=(0.0, 1.06 * largest), xlabel=r"standard deviation of the error in $\ln M$")
    return figure
