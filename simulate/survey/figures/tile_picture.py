"""A tile in three colours: soft photons red, hard ones blue, what is in it marked.

Counts are divided by the exposure and smoothed; brightness is stretched after Lupton et al. (2004,
PASP 116, 133): the asinh of the mean of the bands, with the colour kept where it is bright.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.figure_style import new_figure, styled
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["three_colours", "tile_picture"]

Floats = NDArray[np.float64]

# Standard deviations of the noise: what is black above the background, where the scale bends, what
# is white, and from where on colours are believed.
_BLACK: Final = -0.5
_BEND: Final = 4.0
_WHITE: Final = 50.0
_COLOURED: Final = 5.0
_COLOUR_SMOOTHING: Final = 1.7  # colours are smoothed more than brightness, in standard deviations
_UNSEEN: Final = 0.3  # grey of what was not observed
_RIM: Final = 0.02  # about what was, of the side of the tile


@styled
def tile_picture(
    counts: ArrayLike,
    exposure_s: ArrayLike,
    *,
    ra_deg: float,
    dec_deg: float,
    pixel_arcsec: float,
    bands_kev: tuple[tuple[float, float], ...] | None = None,
    smoothing_arcsec: float = 24.0,
    haloes: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    sources: tuple[ArrayLike, ArrayLike] | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw what is observed of a tile.

    Parameters
    ----------
    counts : array_like, shape (3, n_y, n_x)
        Photons, soft band first; rows grow to the north, columns to the west.
    exposure_s : array_like, shape (n_y, n_x)
        0 where nothing is observed.
    ra_deg, dec_deg : float
        Where the middle of the image lies, ICRS.
    pixel_arcsec : float
        Side of a pixel on the tangent plane.
    bands_kev : tuple of tuples, optional
        The three bands, to be named.
    smoothing_arcsec : float
        Standard deviation of the Gaussian.
    haloes : tuple of three array_like, optional
        RA and Dec in degrees and radius in arcsec of circles.
    sources : tuple of two array_like, optional
        RA and Dec of sources that were found.
    title : str, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If the shapes do not agree, or nothing is observed.
    """
    images, exposure = _checked(counts, exposure_s)
    grid = PixelGrid(images.shape[2], images.shape[1], pixel_arcsec)
    width = pixel_arcsec * max(images.shape[1:])
    view = View(ra_deg, dec_deg, "survey", width)
    picture = three_colours(images, exposure, smoothing_arcsec / pixel_arcsec)
    xlim, ylim = _observed(exposure)
    figure = new_figure(7.4, 7.4 * images.shape[1] / images.shape[2])
    axes = figure.add_subplot(projection=grid.wcs(view))
    # Until axes are drawn, astropy has their ground at pixel 0, for which the layout left room.
    axes.patch.set_in_layout(False)
    axes.imshow(picture, origin="lower", interpolation="nearest")
    for axis, name in zip(axes.coords, ("RA (ICRS)", "Dec (ICRS)"), strict=True):
        axis.set_axislabel(name)
        axis.set_major_formatter(_degrees((xlim[1] - xlim[0]) * pixel_arcsec / 3600.0))
        axis.set_format_unit("deg", decimal=True)
        axis.set_ticks(color="white")
    _draw_marks(axes, grid, view, haloes, sources)
    axes.set(xlim=xlim, ylim=ylim)
    if bands_kev is not None:
        _name_bands(axes, bands_kev)
    if title is not None:
        axes.set_title(title)
    return figure


def _degrees(width_deg: float) -> str:
    """Return how numbers beside a picture of this width are written."""
    if width_deg > 5.0:
        return "d"
    return "d.d" if width_deg > 0.5 else "d.dd"


def _observed(exposure_s: Floats) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return limits of columns and rows, in the shape of the image, about all that is observed."""
    sides = exposure_s.shape[::-1]
    seen = [np.flatnonzero((exposure_s > 0.0).any(axis=axis)) for axis in (0, 1)]
    share = max((place[-1] + 1 - place[0]) / n for place, n in zip(seen, sides, strict=True))
    share = min(share + 2.0 * _RIM, 1.0)
    limits = []
    for place, n in zip(seen, sides, strict=True):
        half = 0.5 * share * n
        middle = np.clip(0.5 * (place[0] + place[-1]), half - 0.5, n - 0.5 - half)
        limits.append((float(middle - half), float(middle + half)))
    return limits[0], limits[1]


def three_colours(counts: Floats, exposure_s: Floats, smoothing_pixels: float) -> Floats:
    """Return the picture, red, green and blue in [0, 1], shape (n_y, n_x, 3).

    Parameters
    ----------
    counts : ndarray, shape (3, n_y, n_x)
        Soft band first.
    exposure_s : ndarray, shape (n_y, n_x)
        0 where nothing is observed; that is dark grey.
    smoothing_pixels : float
        Standard deviation of the Gaussian.

    Notes
    -----
    Brightness is that of all photons, over the noise of the background. Colours are those of the
    excess over the background, each band in units of its own background: what has the spectrum of
    the background is grey. What is hardly above the noise is grey as well. Smoothing divides by the
    smoothed exposure and therefore does not darken the border.
    """
    seen = exposure_s > 0.0
    light = _smooth(counts.sum(axis=0, keepdims=True), exposure_s, smoothing_pixels)[0]
    level = float(np.median(light[seen]))
    # From the lower side alone, which sources do not widen.
    noise = max(level - float(np.quantile(light[seen], 0.16)), 1e-3 * level, 1e-30)
    strength = np.clip((light - level) / noise - _BLACK, 0.0, None)
    stretch = np.arcsinh(strength / _BEND) / np.arcsinh(_WHITE / _BEND)
    excess = _smooth(counts, exposure_s, _COLOUR_SMOOTHING * smoothing_pixels)
    for band in excess:
        typical = float(np.median(band[seen])) or float(band[seen].mean()) or 1.0
        band[:] = np.clip(band / typical - 1.0, 0.0, None)
    colour = excess / np.maximum(excess.mean(axis=0), 1e-12)
    believed = strength / (strength + _COLOURED)
    picture = stretch * (1.0 + believed * (colour - 1.0))
    brightest = np.maximum(picture.max(axis=0), 1.0)  # too bright ones keep their colour
    picture = np.clip(picture / brightest, 0.0, 1.0)
    return np.where(seen[..., None], np.moveaxis(picture, 0, -1), _UNSEEN)


def _smooth(images: Floats, exposure_s: Floats, sigma_pixels: float) -> Floats:
    """Return smoothed rates, shape of `images`; 0 far from all that is observed."""
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415  (slow to import)

    exposed = gaussian_filter(exposure_s, sigma_pixels)
    seen = exposure_s > 0.0
    rates = [gaussian_filter(np.where(seen, image, 0.0), sigma_pixels) for image in images]
    return np.where(seen, np.stack(rates) / np.where(seen, exposed, 1.0), 0.0)


def _checked(counts: ArrayLike, exposure_s: ArrayLike) -> tuple[Floats, Floats]:
    images = np.asarray(counts, dtype=np.float64)
    exposure = np.asarray(exposure_s, dtype=np.float64)
    if images.ndim != 3 or len(images) != 3 or images.shape[1:] != exposure.shape:
        raise InputError(
            "tile picture: must have counts of shape (3, n_y, n_x) and an exposure of (n_y, n_x); "
            f"got {images.shape} and {exposure.shape}. Choose three bands."
        )
    if not np.any(exposure > 0.0):
        raise InputError(
            "tile picture: must have an exposure above 0 somewhere; got none. Draw another tile."
        )
    return images, exposure


def _draw_marks(
    axes: Any,
    grid: PixelGrid,
    view: View,
    haloes: tuple[ArrayLike, ArrayLike, ArrayLike] | None,
    sources: tuple[ArrayLike, ArrayLike] | None,
) -> None:
    from matplotlib.collections import EllipseCollection  # noqa: PLC0415
    from matplotlib.lines import Line2D  # noqa: PLC0415

    known: list[Line2D] = []
    if haloes is not None:
        x, y = _image_pixels(grid, view, haloes[0], haloes[1])
        diameter = 2.0 * np.atleast_1d(np.asarray(haloes[2], dtype=np.float64)) / grid.pixel_arcsec
        circles = EllipseCollection(
            diameter,
            diameter,
            np.zeros(len(diameter)),
            units="xy",
            offsets=np.column_stack([x, y]),
            offset_transform=axes.transData,
            facecolors="none",
            edgecolors="white",
            linewidths=0.7,
        )
        axes.add_collection(circles)
        known.append(Line2D([], [], ls="", marker="o", mfc="none", mec="white", label="halo"))
    if sources is not None:
        x, y = _image_pixels(grid, view, *sources)
        axes.plot(x, y, ls="", marker="s", ms=5, mfc="none", mec="#7fff7f", mew=0.6)
        known.append(
            Line2D([], [], ls="", marker="s", ms=5, mfc="none", mec="#7fff7f", label="source found")
        )
    if known:
        axes.legend(handles=known, loc="lower right", labelcolor="white")


def _image_pixels(
    grid: PixelGrid, view: View, ra_deg: ArrayLike, dec_deg: ArrayLike
) -> tuple[Floats, Floats]:
    """Return columns and rows, whole numbers on the centres of pixels."""
    east, north = view.offsets(np.atleast_1d(ra_deg), np.atleast_1d(dec_deg))
    column = (grid.east_edge_arcsec - east) / grid.pixel_arcsec - 0.5
    return column, (north - grid.south_edge_arcsec) / grid.pixel_arcsec - 0.5


def _name_bands(axes: Any, bands_kev: tuple[tuple[float, float], ...]) -> None:
    colours = ("#ff6060", "#60e060", "#7090ff")
    for place, (colour, (low, high)) in enumerate(zip(colours, bands_kev, strict=True)):
        axes.text(
            0.02,
            0.98 - 0.035 * place,
            f"{low:g}-{high:g} keV",
            color=colour,
            transform=axes.transAxes,
            va="top",
        )
