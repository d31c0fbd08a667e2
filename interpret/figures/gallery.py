"""Clusters in rows: photons, what each pixel does to the mass, and where photons come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.figure_style import new_figure, styled, wrapped
from icmass.interpret.figures import maps
from icmass.interpret.figures.checks import check_amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "GRADIENT",
    "GalleryPanel",
    "check_names",
    "dress",
    "gallery_figure",
    "smoothing_words",
]

Floats = NDArray[np.float64]

#: Name of the attribution that is drawn most often.
GRADIENT: Final = r"$\partial\,\ln M\,/\,\partial\,\ln(1+N)$ of a pixel"
_MOST_PANELS: Final = 12
_MOST_CHANNELS: Final = 6
_PANEL: Final = 1.75  # inches, as are the following
_GAP: Final = 0.07
_LEFT: Final = 0.62
_LINE: Final = 0.17
_BELOW: Final = 0.66  # of the colour bars
_WRAP: Final = 27


@dataclass(frozen=True, eq=False)
class GalleryPanel:
    """One cluster, and what was found in its pixels.

    Attributes
    ----------
    image : ndarray, shape (n_channel, n_y, n_x)
        Photons per pixel.
    attribution : ndarray, shape (n_channel, n_y, n_x)
        Signed.
    dominant : ndarray of int, shape (n_channel, n_y, n_x) or (n_y, n_x)
        Place of the origin with most photons in each channel, or in all channels; -1 for none.
    r500c_pixels : float
        Projected R500c, in pixels.
    pixel_kpc : float
        Width of a pixel.
    caption : str
        What the cluster is; may have several lines.
    centre : (float, float), optional
        Place (x, y) of the cluster's centre in pixels; by default that of the image.

    Raises
    ------
    InputError
        If shapes do not fit, or a length is not positive.
    """

    image: Floats
    attribution: Floats
    dominant: NDArray[np.int8]
    r500c_pixels: float
    pixel_kpc: float
    caption: str = ""
    centre: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        shape = self.image.shape
        if len(shape) != 3 or not 1 <= shape[0] <= _MOST_CHANNELS:
            raise InputError(
                f"image: must have the shape (1 to {_MOST_CHANNELS} channels, n_y, n_x); got "
                f"{shape}. Give each channel an image."
            )
        if self.attribution.shape != shape:
            raise InputError(
                f"attribution: must have the shape {shape} of the image; got "
                f"{self.attribution.shape}. Take both of the same cluster."
            )
        if self.dominant.shape not in (shape, shape[1:]):
            raise InputError(
                f"dominant: must have the shape {shape} or {shape[1:]} of the image; got "
                f"{self.dominant.shape}. Take both of the same cluster."
            )
        for what, length in (("r500c_pixels", self.r500c_pixels), ("pixel_kpc", self.pixel_kpc)):
            if not 0.0 < length < np.inf:
                raise InputError(f"{what}: must be above 0; got {length}. Look the redshift up.")

    @property
    def middle(self) -> tuple[float, float]:
        """Place (x, y) of the centre, in pixels."""
        n_y, n_x = self.image.shape[1:]
        return self.centre or (0.5 * (n_x - 1), 0.5 * (n_y - 1))

    def masks(self) -> list[NDArray[np.int8]]:
        """Return the maps of origins, shape (n_y, n_x): one, or one per channel."""
        return [self.dominant] if self.dominant.ndim == 2 else list(self.dominant)


@styled
def gallery_figure(
    panels: Sequence[GalleryPanel],
    *,
    channels: Sequence[str],
    origins: Sequence[str],
    label: str = GRADIENT,
    summed: bool = False,
    smooth_pixels: float = 0.0,
    zoom_r500c: float = np.inf,
) -> "Figure":
    """Draw a row of each cluster: photons of all channels, attributions, and origins.

    North is up, east left. Colours mean the same in all rows; those of attributions end at the
    99.7th percentile.

    Parameters
    ----------
    panels : sequence of GalleryPanel
        1 to 12, all with the same channels.
    channels, origins : sequence of str
        Names; `dominant` counts in the order of the origins.
    label : str
        What the attribution is, with its unit.
    summed : bool
        Whether attributions are drawn as their sum over channels.
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
        If there are no or too many clusters, or their channels, origins or kinds of mask differ.
    """
    check_amount("panels", panels, _MOST_PANELS)
    for panel in panels:
        check_names(panel, channels, origins)
    if len({panel.dominant.ndim for panel in panels}) > 1:
        raise InputError(
            "dominant: must be of each channel in all panels, or of all channels in all; got "
            "both. Choose one."
        )
    maps_of = [_attributions(panel, summed, smooth_pixels) for panel in panels]
    titles = _titles(channels, len(maps_of[0]), len(panels[0].masks()))
    figure, axes, bars = _layout(len(panels), titles, 2 + len(origins))
    norm = maps.photon_norm(max(panel.image.sum(0).max() for panel in panels))
    limit = maps.symmetric_limit([one for row in maps_of for one in row])
    for row, panel, attributions in zip(axes, panels, maps_of, strict=True):
        photons = maps.draw_photons(row[0], panel.image.sum(0), norm)
        for axis, one in zip(row[1:], attributions, strict=False):
            signed = maps.draw_attribution(axis, one, limit)
        for axis, mask in zip(row[1 + len(attributions) :], panel.masks(), strict=True):
            maps.draw_origins(axis, mask, tuple(origins))
        for place, axis in enumerate(row):
            dress(axis, panel, "white" if place == 0 else "0.15", zoom_r500c)
        maps.draw_scale_bar(row[0], panel.pixel_kpc)
        lines = panel.caption.split("\n")
        row[0].set_ylabel("\n".join(wrapped(line, _WRAP) for line in lines), fontsize=8.0)
    maps.draw_compass(axes[0][0])
    maps.photon_bar(bars[0], photons)
    maps.signed_bar(bars[1], signed, label + smoothing_words(smooth_pixels))
    handles = [*maps.circle_handles(), *maps.origin_handles(tuple(origins))]
    columns = len(handles) if figure.get_size_inches()[0] > _WIDE else 3
    figure.legend(handles=handles, loc="lower center", ncols=columns, columnspacing=1.2)
    return figure


_WIDE: Final = 7.2  # inches that hold the legend in one line


def _layout(
    rows: int, titles: list[str], n_handles: int
) -> "tuple[Figure, list[list[Axes]], list[Axes]]":
    """Return a figure, its panels by row, and places for the two colour bars."""
    lines = max(1 + title.count("\n") for title in titles)
    top = 0.12 + _LINE * lines
    width = _LEFT + len(titles) * (_PANEL + _GAP) + 0.03
    legend = 0.28 if width > _WIDE else 0.1 + 0.2 * -(-n_handles // 3)
    bottom = top + rows * (_PANEL + _GAP)
    figure = new_figure(width, bottom + _BELOW + legend, layout=None)
    axes = [
        [
            maps.axes_at(
                figure,
                _LEFT + column * (_PANEL + _GAP),
                top + row * (_PANEL + _GAP),
                _PANEL,
                _PANEL,
            )
            for column in range(len(titles))
        ]
        for row in range(rows)
    ]
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    bars = [
        maps.axes_at(figure, _LEFT + column * (_PANEL + _GAP), bottom + 0.04, _PANEL, 0.11)
        for column in (0, 1)
    ]
    return figure, axes, bars


def check_names(panel: GalleryPanel, channels: Sequence[str], origins: Sequence[str]) -> None:
    """Accept a cluster whose channels and origins are those named.

    Parameters
    ----------
    panel : GalleryPanel
    channels : sequence of str
        One for each of its images.
    origins : sequence of str
        In the order in which its `dominant` counts.

    Raises
    ------
    InputError
        If they are not.
    """
    cluster = panel.caption.partition("\n")[0]
    if len(panel.image) != len(channels):
        raise InputError(
            f"channels: must be as many as images of '{cluster}', {len(panel.image)}; got "
            f"{len(channels)}. Name each."
        )
    largest = int(panel.dominant.max(initial=-1))
    if largest >= len(origins):
        raise InputError(
            f"origins: must be at least {largest + 1}, as the mask of '{cluster}' counts "
            f"them; got {len(origins)}. Name each."
        )


def dress(axes: "Axes", panel: GalleryPanel, colour: str, zoom_r500c: float) -> None:
    """Cut a drawn image and draw the circles of its cluster into it.

    Parameters
    ----------
    axes : matplotlib Axes
        On which the image is.
    panel : GalleryPanel
        The cluster.
    colour : str
        Of the circles.
    zoom_r500c : float
        Half the width of what is shown, in R500c.
    """
    n_y, n_x = panel.image.shape[1:]
    maps.frame(axes, (n_y, n_x), panel.middle, zoom_r500c * panel.r500c_pixels)
    maps.draw_circles(axes, panel.middle, panel.r500c_pixels, colour)


def smoothing_words(pixels: float) -> str:
    """Return what a label must say of maps smoothed by a Gaussian of so many `pixels`."""
    return "" if pixels == 0.0 else f"\n(smoothed, $\\sigma$ = {pixels:g} pixels)"


def _attributions(panel: GalleryPanel, summed: bool, smooth_pixels: float) -> list[Floats]:
    shown = panel.attribution.sum(0)[None] if summed else panel.attribution
    return list(maps.smoothed(shown, smooth_pixels))


def _titles(channels: Sequence[str], n_maps: int, n_masks: int) -> list[str]:
    every = "all channels" if len(channels) > 1 else channels[0]

    def title(what: str, place: int, n: int) -> str:
        return wrapped(f"{what}, {channels[place] if n == len(channels) else every}", _WRAP)

    return [
        wrapped(f"photons, {every}", _WRAP),
        *(title("attribution", place, n_maps) for place in range(n_maps)),
        *(title("origin", place, n_masks) for place in range(n_masks)),
    ]
