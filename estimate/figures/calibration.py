"""Are stated uncertainties right: PIT histograms, and coverage at all levels.

A hill in the PIT histogram says that predictions are too wide, a valley too narrow, a slope shifted
(`icmass.estimate.metrics.calibration`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.estimate.figures.checks import Scores, check_independent, with_distributions
from icmass.estimate.metrics.calibration import coverage, evenness, pit_histogram
from icmass.estimate.metrics.scores import pit
from icmass.figure_style import COLOURS, LINES, new_figure, styled, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["coverage_figure", "pit_figure"]

Floats = NDArray[np.float64]

_COLUMNS: Final = 3
_BAND: Final = "0.55"
_MARKED: Final = (0.68, 0.95)


@styled
def pit_figure(
    named_scores: Mapping[str, Scores], *, bins: int = 10, n_independent: int | None = None
) -> "Figure":
    """Draw the PIT histogram of each estimator that gives distributions.

    The bands hold one and two errors of an even PIT. The title says the Kolmogorov-Smirnov distance
    from even, and how often chance exceeds it.

    Parameters
    ----------
    named_scores : mapping of str to ndarray of `SCORES`, shape (n,)
        By name of estimator; those without distributions are left out.
    bins : int
        From 2 to 100.
    n_independent : int, optional
        Number of halos, where each has several rows; errors and p-values are then those of as
        many clusters.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If no estimator gives distributions, or a number is out of range.
    """
    found = with_distributions(named_scores)
    if not 2 <= bins <= 100:
        raise InputError(f"bins: must be from 2 to 100; got {bins}. Give fewer or more.")
    independent = None if n_independent is None else check_independent(found, n_independent)
    columns = 2 if len(found) == 4 else min(len(found), _COLUMNS)
    rows = -(-len(found) // columns)
    figure = new_figure(0.5 + 2.9 * columns, 0.3 + 2.5 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel, (name, scores) in zip(axes.flat, found.items(), strict=False):
        _draw_pit(panel, name, pit(scores), bins, independent)
    for place, panel in enumerate(axes.flat):
        if place >= len(found):
            panel.remove()
        elif place + columns >= len(found):
            panel.set_xlabel("PIT")
            panel.tick_params(labelbottom=True)
        if place % columns == 0:
            panel.set_ylabel("density")
    axes[0, 0].set(xlim=(0.0, 1.0), ylim=(0.0, max(1.6, axes[0, 0].get_ylim()[1])))
    return figure


def _draw_pit(
    axes: "Axes", name: str, values: Floats, bins: int, n_independent: int | None
) -> None:
    density, error = pit_histogram(values, bins)
    width = float(error[0]) * np.sqrt(len(values) / (n_independent or len(values)))
    for times, alpha in ((2.0, 0.25), (1.0, 0.35)):
        axes.axhspan(1.0 - times * width, 1.0 + times * width, color=_BAND, alpha=alpha, lw=0.0)
    axes.axhline(1.0, color="black", lw=0.8)
    edges = np.linspace(0.0, 1.0, bins + 1)
    axes.stairs(density, edges, fill=True, color=COLOURS[0], alpha=0.25)
    axes.stairs(density, edges, color=COLOURS[0], lw=1.5)
    even = evenness(values, n_independent)
    chance = f"= {even.p_value:.2g}" if even.p_value >= 1e-4 else "< 0.0001"
    axes.set_title(f"{wrapped(name, 36)}\nKS distance {even.distance:.3f}, p {chance}")


@styled
def coverage_figure(
    named_scores: Mapping[str, Scores], *, n_independent: int | None = None
) -> "Figure":
    """Draw the part of truths inside the central interval against its probability.

    Beneath is the difference of both. The bands hold one and two binomial errors of right
    predictions; at 68% and 95%, which are marked, the legend says the coverage.

    Parameters
    ----------
    named_scores : mapping of str to ndarray of `SCORES`, shape (n,)
        By name of estimator; those without distributions are left out.
    n_independent : int, optional
        Number of halos, where each has several rows; by default the fewest rows of an estimator.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If no estimator gives distributions, or there are fewer rows than halos.
    """
    found = with_distributions(named_scores)
    n = check_independent(found, n_independent)
    figure = new_figure(7.6, 5.6)
    main, difference = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0))
    level = np.linspace(0.0, 1.0, 201)
    error = np.sqrt(level * (1.0 - level) / n)
    for axes, centre in ((main, level), (difference, np.zeros_like(level))):
        for times, alpha in ((2.0, 0.25), (1.0, 0.35)):
            low, high = centre - times * error, centre + times * error
            axes.fill_between(level, low, high, color=_BAND, alpha=alpha, lw=0.0)
        axes.plot(level, centre, color="black", lw=0.8)
        for marked in _MARKED:
            axes.axvline(marked, color="0.4", ls=":", lw=0.9)
    for place, (name, scores) in enumerate(found.items()):
        rounds, colour = divmod(place, len(COLOURS))
        values = pit(scores)
        covered = _coverages(values, level)
        parts = ", ".join(f"{100 * coverage(values, p):.1f}%" for p in _MARKED)
        style = {"color": COLOURS[colour], "ls": LINES[rounds]}
        main.plot(level, covered, label=f"{wrapped(name, 26)}\n{parts}", **style)
        difference.plot(level, covered - level, **style)
    main.set(xlim=(0.0, 1.0), ylim=(0.0, 1.0), ylabel="part of truths inside")
    difference.set(xlabel="probability of the central interval", ylabel="difference")
    largest = 1.1 * max(map(abs, difference.get_ylim()))
    difference.set_ylim(-largest, largest)
    for marked in _MARKED:
        main.text(
            marked - 0.01, 0.03, f"{100 * marked:.0f}%", ha="right", fontsize=8.5, color="0.3"
        )
    main.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        title="coverage at 68%, 95%",
        alignment="left",
        labelspacing=0.9,
    )
    return figure


def _coverages(values: Floats, level: Floats) -> Floats:
    """Return `coverage` at all levels."""
    distance = np.sort(np.abs(values - 0.5))
    return np.searchsorted(distance, 0.5 * level, side="right") / len(values)
