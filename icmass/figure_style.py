"""How figures look, and how they become files: fonts, colours, and the same bytes each time.

Drawn with matplotlib's object interface. Settings of the session are put aside while a figure is
drawn or written and are back afterwards, so that neither touches the other.
"""

import functools
import math
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec

from icmass.errors import InputError
from icmass.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "DPI",
    "LINES",
    "MARKERS",
    "dot",
    "new_figure",
    "number",
    "save",
    "styled",
    "wrapped",
]

P = ParamSpec("P")

#: Pixels per inch of PNG files, and of clouds of points in PDF files.
DPI: Final = 180
#: Of Okabe & Ito, which colour-blind people tell apart; without yellow, which is faint on white.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
#: Where there are more lines than colours, these go on with each round of colours.
LINES: Final = ("-", "--", ":")
MARKERS: Final = ("o", "s", "^")

_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.4,
    "pdf.fonttype": 3,
}
# No date and no name of the program: the same figure gives the same bytes.
_METADATA: Final[Mapping[str, Mapping[str, None]]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}


def styled(draw: Callable[P, "Figure"]) -> Callable[P, "Figure"]:
    """Let the function `draw` draw in the style of the project, and fix its figure's layout."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> "Figure":
        with _style():
            figure = draw(*args, **kwargs)
            if figure.get_layout_engine() is not None:
                # A layout that moves with each drawing would give other bytes the second time.
                figure.draw_without_rendering()
                figure.set_layout_engine("none")
        return figure

    return drawn


def new_figure(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> "Figure":
    """Return an empty figure.

    Parameters
    ----------
    width, height : float
        Inches.
    layout : str or None
        ``constrained`` lets matplotlib place what is drawn; None where the caller does.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  (slow to import)

    return Figure(figsize=(width, height), dpi=DPI, layout=layout)


def dot(
    axes: "Axes", value: float, error: float, place: float, colour: str, marker: str = "o"
) -> None:
    """Draw a value with its error, if it has one, in a row.

    Parameters
    ----------
    axes : matplotlib Axes
    value, error : float
        In the unit of the horizontal axis; an error that is not finite is not drawn.
    place : float
        Of the row, on the vertical axis.
    colour, marker : str
        As matplotlib names them.
    """
    axes.errorbar(
        value,
        place,
        xerr=error if math.isfinite(error) else None,
        fmt=marker,
        ms=5,
        color=colour,
        capsize=2.5,
        lw=1.2,
        zorder=3,
    )


def wrapped(name: str, width: int) -> str:
    """Break a long `name` into lines of at most `width` letters, but no formula."""
    return name if "$" in name else textwrap.fill(name, width)


def number(value: float, *, signed: bool = False) -> str:
    """Write a `value` in ln M to three digits, without a minus before zero.

    With `signed` a positive one gets a plus.
    """
    rounded = round(float(value), 3) + 0.0
    return f"{rounded:{'+' if signed else ''}.3f}".replace("-", "\N{MINUS SIGN}")


def save(figure: "Figure", path: str | Path, *, overwrite: bool = False) -> None:
    """Write a figure into a file, which appears at once and complete.

    Parameters
    ----------
    figure : matplotlib Figure
        As the functions here return it.
    path : str or Path
        Ends in .png or .pdf; its parent must exist.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If the suffix is of no known format, or the place is taken.
    """
    target = Path(path)
    suffix = target.suffix.removeprefix(".")
    if suffix not in _METADATA:
        formats = " or ".join(f".{name}" for name in _METADATA)
        raise InputError(
            f"{path}: must end in {formats}; got '{target.suffix}'. Choose another name."
        )
    with _style(), atomic_write(target, overwrite=overwrite) as stage:
        figure.savefig(stage, format=suffix, dpi=DPI, metadata=dict(_METADATA[suffix]))


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib  # noqa: PLC0415  (slow to import)

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield
