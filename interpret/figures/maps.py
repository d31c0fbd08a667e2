"""Panels of images: photons, attributions and origins, with R500c, a scale bar and north.

Rows of images grow to the north and columns to the west, so that an image whose first row is drawn
at the bottom has north up and east left, as on the sky.
"""

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from icmass.figure_style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = [
    "CORE_R500C",
    "axes_at",
    "circle_handles",
    "draw_attribution",
    "draw_circles",
    "draw_compass",
    "draw_origins",
    "draw_photons",
    "draw_scale_bar",
    "frame",
    "origin_colours",
    "origin_handles",
    "photon_bar",
    "photon_norm",
    "signed_bar",
    "smoothed",
    "symmetric_limit",
]

Floats = NDArray[np.float64]

#: The core that is drawn, in R500c.
CORE_R500C: Final = 0.15
_ORIGIN_COLOURS: Final = {"icm": COLOURS[0], "agn": COLOURS[1], "background": "0.72"}
_ORIGIN_NAMES: Final = {"icm": "ICM", "agn": "AGN", "background": "background"}
_OTHER_COLOURS: Final = (COLOURS[2], COLOURS[3], COLOURS[5])
_MINUS: Final = "\N{MINUS SIGN}"
_LARGE_PARTS: Final = 99.7  # percentile at which colours of attributions end
_LINEAR_PHOTONS: Final = 0.3  # so that single photons can be seen beside hundreds
_BAR_KPC: Final = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_TICKS: Final = (0, 1, 10, 100, 1000, 10_000, 100_000)


def axes_at(figure: "Figure", left: float, top: float, width: float, height: float) -> "Axes":
    """Return axes at a place of a figure.

    Parameters
    ----------
    figure : matplotlib Figure
    left, top : float
        Of the axes, in inches from the upper left corner of the figure.
    width, height : float
        Inches.
    """
    w, h = figure.get_size_inches()
    return figure.add_axes((left / w, 1.0 - (top + height) / h, width / w, height / h))


def photon_norm(largest: float) -> "Normalize":
    """Return the scale of photons per pixel, linear near zero, logarithmic up to `largest`."""
    from matplotlib.colors import AsinhNorm  # noqa: PLC0415  (slow to import)

    return AsinhNorm(linear_width=_LINEAR_PHOTONS, vmin=0.0, vmax=max(float(largest), 1.0))


def photon_bar(axes: "Axes", drawn: "AxesImage") -> None:
    """Fill `axes` with the colours of `drawn` photons per pixel, beside or beneath the images."""
    _, largest = drawn.get_clim()
    where = _direction(axes)
    ticks = [one for one in _TICKS if one <= largest]
    if where == "horizontal" and len(ticks) > 4:  # labels of all would touch
        ticks = ticks[:1] + ticks[1::2]
    bar = axes.figure.colorbar(drawn, cax=axes, orientation=where, ticks=ticks)
    bar.ax.minorticks_off()
    axis = bar.ax.xaxis if where == "horizontal" else bar.ax.yaxis
    axis.set_major_formatter("{x:g}")
    bar.set_label("photons per pixel", fontsize=8.5)
    bar.ax.tick_params(labelsize=8.0)


def signed_bar(axes: "Axes", drawn: "AxesImage", label: str) -> None:
    """Fill axes with the colours of attributions, beside or beneath the maps.

    Parameters
    ----------
    axes : matplotlib Axes
        Wide ones get a horizontal bar.
    drawn : matplotlib AxesImage
        A map (`draw_attribution`).
    label : str
        What the attribution is, with its unit.
    """
    where = _direction(axes)
    bar = axes.figure.colorbar(drawn, cax=axes, orientation=where, extend="both", extendfrac=0.04)
    bar.ax.locator_params(nbins=5)
    bar.ax.tick_params(labelsize=8.0)
    _, limit = drawn.get_clim()
    power = math.floor(math.log10(limit))
    if not -2 <= power < 3:
        axis = bar.ax.xaxis if where == "horizontal" else bar.ax.yaxis
        axis.set_major_formatter(lambda value, _: f"{value / 10.0**power:g}".replace("-", _MINUS))
        if where == "vertical":
            bar.ax.set_title(rf"$\times10^{{{power}}}$", fontsize=8.0, loc="left")
        else:
            name, *more = label.split("\n")
            label = "\n".join([rf"{name}, $10^{{{power}}}$", *more])
    bar.set_label(label, fontsize=8.5)


def _direction(axes: "Axes") -> Literal["horizontal", "vertical"]:
    box = axes.get_window_extent()
    return "horizontal" if box.width > box.height else "vertical"


def smoothed(values: Floats, pixels: float) -> Floats:
    """Return maps `values`, shape (..., n_y, n_x), smoothed by a Gaussian.

    Its standard deviation is so many `pixels`.
    """
    if pixels == 0.0:
        return values
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415  (slow to import)

    sigma = (0.0,) * (values.ndim - 2) + (pixels, pixels)
    return np.asarray(gaussian_filter(values, sigma, mode="nearest"))


def symmetric_limit(maps: list[Floats]) -> float:
    """Return where the colours of attributions end on both sides, the same for all `maps`.

    It is a high percentile of what is not zero, so that a few extreme pixels do not hide the rest.
    Maps may be of any shape.
    """
    every = np.abs(np.concatenate([one.ravel() for one in maps]))
    every = every[np.isfinite(every) & (every > 0.0)]
    return float(np.percentile(every, _LARGE_PARTS)) if len(every) else 1.0


def draw_photons(axes: "Axes", image: Floats, norm: "Normalize") -> "AxesImage":
    """Draw photons per pixel.

    Parameters
    ----------
    axes : matplotlib Axes
    image : ndarray, shape (n_y, n_x)
    norm : matplotlib Normalize
        Such as `photon_norm`.
    """
    return axes.imshow(image, origin="lower", cmap="inferno", norm=norm, interpolation="nearest")


def draw_attribution(axes: "Axes", attribution: Floats, limit: float) -> "AxesImage":
    """Draw a signed attribution: red raises the mass, blue lowers it.

    Parameters
    ----------
    axes : matplotlib Axes
    attribution : ndarray, shape (n_y, n_x)
    limit : float
        Where colours end, on both sides.
    """
    return axes.imshow(
        attribution,
        origin="lower",
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
    )


def draw_origins(axes: "Axes", dominant: NDArray[np.int8], origins: tuple[str, ...]) -> "AxesImage":
    """Draw which origin has most photons in a pixel.

    Parameters
    ----------
    axes : matplotlib Axes
    dominant : ndarray of int, shape (n_y, n_x)
        Place of the origin; -1 stays white.
    origins : tuple of str
        Their names.
    """
    from matplotlib.colors import ListedColormap  # noqa: PLC0415  (slow to import)

    colours = ListedColormap(["white", *origin_colours(origins)])
    return axes.imshow(
        dominant,
        origin="lower",
        cmap=colours,
        vmin=-1.5,
        vmax=len(origins) - 0.5,
        interpolation="nearest",
    )


def origin_colours(origins: tuple[str, ...]) -> list[str]:
    """Return the colour of each of `origins`."""
    others = iter(_OTHER_COLOURS * len(origins))
    return [_ORIGIN_COLOURS.get(name) or next(others) for name in origins]


def origin_handles(origins: tuple[str, ...]) -> list[Any]:
    """Return legend entries of `origins`."""
    from matplotlib.patches import Patch  # noqa: PLC0415  (slow to import)

    return [
        Patch(facecolor=colour, label=f"mostly {_ORIGIN_NAMES.get(name, name)} photons")
        for name, colour in zip(origins, origin_colours(origins), strict=True)
    ]


def circle_handles() -> list[Any]:
    """Return legend entries of the circles."""
    from matplotlib.lines import Line2D  # noqa: PLC0415  (slow to import)

    return [
        Line2D([], [], color="0.3", lw=1.1, label="R$_{500c}$"),
        Line2D([], [], color="0.3", lw=1.1, ls="--", label=f"{CORE_R500C:g} R$_{{500c}}$"),
    ]


def draw_circles(axes: "Axes", centre: tuple[float, float], r500c: float, colour: str) -> None:
    """Draw R500c and, dashed, the core.

    Parameters
    ----------
    axes : matplotlib Axes
    centre : (float, float)
        Place (x, y), pixels.
    r500c : float
        Pixels.
    colour : str
    """
    from matplotlib.patches import Circle  # noqa: PLC0415  (slow to import)

    for radius, style in ((r500c, "-"), (CORE_R500C * r500c, "--")):
        axes.add_patch(Circle(centre, radius, fill=False, ec=colour, lw=0.9, ls=style))


def frame(axes: "Axes", shape: tuple[int, int], centre: tuple[float, float], half: float) -> None:
    """Show the pixels about a centre, without ticks.

    Parameters
    ----------
    axes : matplotlib Axes
    shape : (int, int)
        Rows and columns of the image.
    centre : (float, float)
        Place (x, y), pixels.
    half : float
        Half the width of what is shown, pixels; all of the image where it is larger.
    """
    n_y, n_x = shape
    x, y = centre
    axes.set_xlim(max(x - half, -0.5), min(x + half, n_x - 0.5))
    axes.set_ylim(max(y - half, -0.5), min(y + half, n_y - 0.5))
    axes.set(xticks=[], yticks=[])


def draw_scale_bar(axes: "Axes", pixel_kpc: float, colour: str = "white") -> None:
    """Draw a bar of a round length, below half of the shown width, at the lower left.

    Parameters
    ----------
    axes : matplotlib Axes
    pixel_kpc : float
        Side of a pixel.
    colour : str
    """
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    width, height = right - left, top - bottom
    fitting = [kpc for kpc in _BAR_KPC if kpc <= 0.42 * width * pixel_kpc]
    kpc = fitting[-1] if fitting else _BAR_KPC[0]
    x, y = left + 0.06 * width, bottom + 0.06 * height
    axes.plot([x, x + kpc / pixel_kpc], [y, y], color=colour, lw=1.8, solid_capstyle="butt")
    words = f"{kpc / 1000:g} Mpc" if kpc >= 1000 else f"{kpc} kpc"
    axes.text(x, y + 0.025 * height, words, color=colour, fontsize=7.5, va="bottom", ha="left")


def draw_compass(axes: "Axes", colour: str = "white") -> None:
    """Draw arrows to the north, up, and to the east, left, at the lower right of `axes`.

    They have this `colour`.
    """
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "axes fraction"}
    look: dict[str, Any] = {"color": colour, "fontsize": 7.0, "ha": "center", "va": "center"}
    arrow = {"arrowstyle": "<-", "color": colour, "lw": 0.9, "shrinkA": 0.0, "shrinkB": 0.0}
    corner = (0.94, 0.06)
    for name, end in (("N", (0.94, 0.23)), ("E", (0.77, 0.06))):
        axes.annotate(name, corner, end, arrowprops=arrow, **look, **style)
