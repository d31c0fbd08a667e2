"""One cluster: images by channel, attributions by several methods, and what changes do to it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.figure_style import COLOURS, new_figure, number, styled, wrapped
from icmass.interpret.figures import maps
from icmass.interpret.figures.checks import check_amount
from icmass.interpret.figures.gallery import (
    GRADIENT,
    GalleryPanel,
    check_names,
    dress,
    smoothing_words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["sheet_figure"]

Floats = NDArray[np.float64]

_MOST_METHODS: Final = 8
_MOST_CHANGES: Final = 24
_PANEL: Final = 1.75  # inches, as are the following
_GAP: Final = 0.07
_LEFT: Final = 0.62
_RIGHT: Final = 0.85  # of panels, for colour bars
_LINE: Final = 0.22
_LEAST_WIDTH: Final = 6.2
_WRAP: Final = 27


@styled
def sheet_figure(
    panel: GalleryPanel,
    *,
    channels: Sequence[str],
    origins: Sequence[str],
    methods: Mapping[str, Floats] | None = None,
    changes: Mapping[str, Mapping[str, float]] | None = None,
    label: str = GRADIENT,
    smooth_pixels: float = 0.0,
    zoom_r500c: float = np.inf,
) -> "Figure":
    """Draw images and origins, a row of maps for each method, and a table of interventions.

    Each row of maps has its own colours, as methods differ in unit: red raises the mass. The last
    column is the sum over channels.

    Parameters
    ----------
    panel : GalleryPanel
        Its attribution is the first row of maps.
    channels, origins : sequence of str
        Names; `dominant` counts in the order of the origins.
    methods : mapping of str to ndarray, shape (n_channel, n_y, n_x), optional
        Up to eight further attributions by name of method, with unit.
    changes : mapping of str to mapping of str to float, optional
        Change of ln M by what was changed and by estimator, the networks first; up to 24.
    label : str
        What the first attribution is, with its unit.
    smooth_pixels : float
        Standard deviation of the Gaussian by which attributions are smoothed; the figure says so.
    zoom_r500c : float
        Half the width of what is shown, in R500c; by default all of the images.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If names or shapes do not fit the images, or there are too many.
    """
    check_names(panel, channels, origins)
    rows = {label: panel.attribution, **_checked(panel, methods or {})}
    changes = changes or {}
    if changes:
        check_amount("changes", list(changes), _MOST_CHANGES)
    names = list(channels) + (["all channels"] if len(channels) > 1 else [])
    lines = panel.caption.count("\n") + 1 if panel.caption else 0
    top = 0.36 + 0.17 * lines
    step = _PANEL + _GAP
    below = top + (2 + len(rows)) * step
    table = _LINE * (len(changes) + 1.5) + 0.1 if changes else 0.0
    width = max(_LEFT + len(names) * step + _RIGHT, _LEAST_WIDTH)
    figure = new_figure(width, below + table + 0.1, layout=None)
    axes = [
        [
            maps.axes_at(figure, _LEFT + column * step, top + row * step, _PANEL, _PANEL)
            for column in range(len(names))
        ]
        for row in range(2 + len(rows))
    ]
    place = _LEFT + len(names) * step + 0.02
    bars = [
        maps.axes_at(figure, place, top + row * step + 0.15, 0.11, _PANEL - 0.3)
        for row in (0, *range(2, 2 + len(rows)))
    ]
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(wrapped(name, _WRAP))
    maps.photon_bar(bars[0], _draw_images(axes[0], panel, zoom_r500c))
    _draw_masks(axes[1], panel, tuple(origins), zoom_r500c)
    for line, bar, (name, values) in zip(axes[2:], bars[1:], rows.items(), strict=True):
        shown = maps.smoothed(values, smooth_pixels)
        maps.signed_bar(bar, _draw_maps(line, panel, shown, zoom_r500c), "")
        words = wrapped(name, _WRAP) + smoothing_words(smooth_pixels)
        line[0].set_ylabel(words, fontsize=8.0)
    if changes:
        _draw_table(maps.axes_at(figure, 0.2, below + 0.05, width - 0.4, table - 0.1), changes)
    if panel.caption:
        figure.suptitle(
            panel.caption, fontsize=9.5, y=1.0 - 0.08 / figure.get_figheight(), va="top"
        )
    return figure


def _checked(panel: GalleryPanel, methods: Mapping[str, Floats]) -> dict[str, Floats]:
    if len(methods) > _MOST_METHODS:
        raise InputError(f"methods: must be up to {_MOST_METHODS}; got {len(methods)}. Draw fewer.")
    for name, values in methods.items():
        if values.shape != panel.image.shape:
            raise InputError(
                f"attribution by '{name}': must have the shape {panel.image.shape} of the image; "
                f"got {values.shape}. Take both of the same cluster."
            )
    return dict(methods)


def _with_sum(values: Floats) -> list[Floats]:
    """Return the images of channels and, where there are several, their sum."""
    return [*values, values.sum(0)] if len(values) > 1 else list(values)


def _draw_images(axes: "list[Axes]", panel: GalleryPanel, zoom: float) -> "AxesImage":
    images = _with_sum(panel.image)
    norm = maps.photon_norm(float(images[-1].max()))
    for axis, image in zip(axes, images, strict=True):
        drawn = maps.draw_photons(axis, image, norm)
        dress(axis, panel, "white", zoom)
    maps.draw_scale_bar(axes[0], panel.pixel_kpc)
    maps.draw_compass(axes[0])
    axes[0].set_ylabel("photons", fontsize=8.0)
    return drawn


def _draw_masks(
    axes: "list[Axes]", panel: GalleryPanel, origins: tuple[str, ...], zoom: float
) -> None:
    """Draw origins beneath the images that they belong to, and the legend beside them."""
    masks = panel.masks()
    used = axes[: len(masks)] if panel.dominant.ndim == 3 else axes[-1:]
    for axis, mask in zip(used, masks, strict=True):
        maps.draw_origins(axis, mask, origins)
        dress(axis, panel, "0.15", zoom)
    used[0].set_ylabel("origin of photons", fontsize=8.0)
    for axis in axes:
        if axis not in used:
            axis.axis("off")
    handles = [*maps.circle_handles(), *maps.origin_handles(origins)]
    if used[0] is axes[0]:
        used[-1].legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5))
    else:
        used[0].legend(handles=handles, loc="center right", bbox_to_anchor=(-0.15, 0.5))


def _draw_maps(axes: "list[Axes]", panel: GalleryPanel, values: Floats, zoom: float) -> "AxesImage":
    every = _with_sum(values)
    limit = maps.symmetric_limit(every)
    for axis, one in zip(axes, every, strict=True):
        drawn = maps.draw_attribution(axis, one, limit)
        dress(axis, panel, "0.15", zoom)
    return drawn


def _draw_table(axes: "Axes", changes: Mapping[str, Mapping[str, float]]) -> None:
    """Write the change of ln M by estimator beneath each other."""
    axes.axis("off")
    names = list(dict.fromkeys(name for row in changes.values() for name in row))
    lines = len(changes) + 1.5
    places = [0.52 + 0.46 * (k + 1) / len(names) for k in range(len(names))]
    axes.set(xlim=(0.0, 1.0), ylim=(lines, 0.0))
    style: dict[str, Any] = {"va": "center", "fontsize": 8.5}
    axes.text(0.0, 0.5, r"change of $\ln M_{500c}$ of this cluster", weight="bold", **style)
    for place, name in zip(places, names, strict=True):
        axes.text(place, 0.5, name, ha="right", weight="bold", **style)
    axes.axhline(1.0, color="0.3", lw=0.8)
    for line, (what, row) in enumerate(changes.items()):
        y = 1.5 + line
        axes.text(0.0, y, what, **style)
        for k, name in enumerate(names):
            value = row.get(name, np.nan)
            words = number(value, signed=True) if np.isfinite(value) else "\N{EN DASH}"
            colour = COLOURS[1] if k == 0 else "black"
            axes.text(places[k], y, words, ha="right", color=colour, **style)
