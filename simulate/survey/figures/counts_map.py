"""Where a survey has its photons: counts per deg^2 of HEALPix pixels.

A field is drawn in a zenithal equal-area projection with axes in RA and Dec; a survey of a large
part of the sky in the Hammer-Aitoff projection, which is equal-area too. North is up, east is left.
"""

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.figure_style import new_figure, styled
from icmass.simulate.skymaps import to_icrs

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["counts_map"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Frame = Literal["icrs", "galactic"]

_DEG2_PER_SPHERE: Final = 4.0 * np.pi * (180.0 / np.pi) ** 2
_LARGEST_FIELD_DEG: Final = 45.0  # from its middle; larger ones are shown on the whole sky
_PICTURE: Final = (900, 450)  # pixels of the picture of the whole sky
_FIELD_PIXELS: Final = 700
# Inches.
_SIDE, _LEAST_SIDE, _LEFT, _BOTTOM, _TOP, _TITLE, _BAR, _GAP = (
    7.0,
    1.5,
    0.8,
    0.55,
    0.15,
    0.35,
    1.2,
    0.15,
)
_EMPTY: Final = "#e8e8e8"
_QUANTILES: Final = (0.01, 0.98)
_WIDE_RANGE: Final = 5.0  # above this ratio colours are logarithmic
_NAMES: Final[dict[str, tuple[str, str]]] = {"icrs": ("RA", "Dec"), "galactic": ("$l$", "$b$")}


@styled
def counts_map(
    pixel: ArrayLike,
    counts: ArrayLike,
    nside: int,
    *,
    band_kev: tuple[float, float] | None = None,
    frame: Frame = "icrs",
    title: str | None = None,
) -> "Figure":
    """Draw counts per deg^2.

    Parameters
    ----------
    pixel : array_like of int, shape (n,)
        Pixels that were observed, HEALPix NESTED, ICRS; each at most once.
    counts : array_like, shape (n,)
        Photons in each.
    nside : int
        Of the pixels.
    band_kev : tuple of float, optional
        Energies of the counts, for the label.
    frame : {"icrs", "galactic"}
        In which the whole sky is drawn; fields are always drawn in RA and Dec.
    title : str, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no pixels, not one count per pixel, or pixels that `nside` does not have.
    """
    pixels, values = _checked(pixel, counts, nside)
    values = values * (12 * nside**2 / _DEG2_PER_SPHERE)
    centre, radius = _extent(pixels, nside)
    label = "photons per deg$^2$"
    if band_kev is not None:
        label += f", {band_kev[0]:g}-{band_kev[1]:g} keV"
    if radius <= _LARGEST_FIELD_DEG:
        return _field(pixels, values, nside, label, title, centre, radius)
    return _whole_sky(pixels, values, nside, label, title, frame)


def _checked(pixel: ArrayLike, counts: ArrayLike, nside: int) -> tuple[Ints, Floats]:
    pixels, values = np.asarray(pixel), np.asarray(counts, dtype=np.float64)
    if pixels.ndim != 1 or not len(pixels) or pixels.shape != values.shape:
        raise InputError(
            "counts map: must have one count for each of at least 1 pixel; got shapes "
            f"{pixels.shape} and {values.shape}. Give both for the pixels that were observed."
        )
    if pixels.min() < 0 or pixels.max() >= 12 * nside**2:
        raise InputError(
            f"counts map: pixels must lie in [0, {12 * nside**2}) for nside {nside}; got "
            f"{pixels.min()} to {pixels.max()}. Give the nside of the pixels."
        )
    order = np.argsort(pixels, kind="stable")
    return pixels[order].astype(np.int64), values[order]


def _extent(pixels: Ints, nside: int) -> tuple[tuple[float, float], float]:
    """Middle (RA, Dec) and radius of the smallest cone about it that holds all pixels, degrees."""
    import healpy  # noqa: PLC0415  (slow to import)

    vectors = np.stack(healpy.pix2vec(nside, pixels, nest=True))
    mean = vectors.mean(axis=1)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        return (0.0, 0.0), 180.0
    nearest = float(np.clip((mean / length) @ vectors, -1.0, 1.0).min())
    ra, dec = healpy.vec2ang(mean, lonlat=True)
    margin = float(np.degrees(healpy.nside2resol(nside)))
    return (float(ra[0]), float(dec[0])), float(np.degrees(np.arccos(nearest))) + margin


def _look_up(pixels: Ints, values: Floats, nside: int, ra: Floats, dec: Floats) -> Floats:
    """Value at each place, NaN outside the pixels and where the place is no finite one."""
    import healpy  # noqa: PLC0415

    picture = np.full(ra.shape, np.nan)
    known = np.isfinite(ra) & np.isfinite(dec)
    there = healpy.ang2pix(nside, ra[known], dec[known], nest=True, lonlat=True)
    place = np.minimum(np.searchsorted(pixels, there), len(pixels) - 1)
    picture[known] = np.where(pixels[place] == there, values[place], np.nan)
    return picture


def _colours(values: Floats) -> dict[str, Any]:
    """Limits that show what most pixels hold; logarithmic if that differs much."""
    from matplotlib import colormaps  # noqa: PLC0415
    from matplotlib.colors import LogNorm, Normalize  # noqa: PLC0415

    some = values[values > 0.0] if np.any(values > 0.0) else np.ones(1)
    lowest, highest = (float(q) for q in np.quantile(some, _QUANTILES))
    wide = highest > _WIDE_RANGE * lowest
    highest = max(highest, 1.001 * lowest)
    norm = LogNorm(lowest, highest) if wide else Normalize(min(lowest, 0.98 * highest), highest)
    return {"cmap": colormaps["inferno"].with_extremes(bad=(0, 0, 0, 0)), "norm": norm}


def _field(
    pixels: Ints,
    values: Floats,
    nside: int,
    label: str,
    title: str | None,
    centre: tuple[float, float],
    radius: float,
) -> "Figure":
    import healpy  # noqa: PLC0415

    wcs = _field_wcs(centre, radius)
    # Only as much as there is: a strip is no square.
    x, y = wcs.world_to_pixel_values(*healpy.pix2ang(nside, pixels, nest=True, lonlat=True))
    margin = 0.6 * np.degrees(healpy.nside2resol(nside)) / abs(float(wcs.wcs.cdelt[0])) + 8.0
    low_x, high_x = int(np.floor(x.min() - margin)), int(np.ceil(x.max() + margin))
    low_y, high_y = int(np.floor(y.min() - margin)), int(np.ceil(y.max() + margin))
    wcs.wcs.crpix -= [low_x, low_y]
    n_x, n_y = high_x - low_x + 1, high_y - low_y + 1
    columns, rows = np.meshgrid(np.arange(n_x), np.arange(n_y))
    picture = _look_up(pixels, values, nside, *wcs.pixel_to_world_values(columns, rows))
    axes, bar = _panels(n_x, n_y, wcs, titled=title is not None)
    axes.set_facecolor(_EMPTY)
    shown = axes.imshow(picture, origin="lower", interpolation="nearest", **_colours(values))
    for axis, name in zip(axes.coords, ("RA (ICRS)", "Dec (ICRS)"), strict=True):
        axis.set_axislabel(name)
        axis.set_major_formatter("d.d" if radius < 3.0 else "d")
        axis.set_format_unit("deg", decimal=True)
        axis.grid(color="white", alpha=0.25, lw=0.5)
    if title is not None:
        axes.set_title(title)
    axes.figure.colorbar(shown, cax=bar, label=label, extend="both")
    return axes.figure


def _panels(n_x: int, n_y: int, wcs: "WCS", *, titled: bool) -> tuple[Any, "Axes"]:
    """Return axes for a picture of a field, which they fit, and for the colours beside them."""
    side = _SIDE / max(n_x, n_y)
    wide, high = side * n_x, max(side * n_y, _LEAST_SIDE)
    width, height = _LEFT + wide + _BAR, _BOTTOM + high + (_TITLE if titled else _TOP)
    figure = new_figure(width, height, None)
    place = (_LEFT / width, _BOTTOM / height, wide / width, high / height)
    axes = figure.add_axes(place, projection=wcs)
    left = (_LEFT + wide + _GAP) / width
    return axes, figure.add_axes((left, place[1], _GAP / width, place[3]))


def _field_wcs(centre: tuple[float, float], radius: float) -> "WCS":
    """Zenithal equal-area projection about the middle of a field."""
    from astropy.wcs import WCS  # noqa: PLC0415

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---ZEA", "DEC--ZEA"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = list(centre)
    wcs.wcs.cdelt = [-2.0 * radius / _FIELD_PIXELS, 2.0 * radius / _FIELD_PIXELS]
    wcs.wcs.crpix = [0.5 * (_FIELD_PIXELS + 1)] * 2
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs


def _whole_sky(
    pixels: Ints, values: Floats, nside: int, label: str, title: str | None, frame: Frame
) -> "Figure":
    from matplotlib.patches import Ellipse  # noqa: PLC0415

    middle = 180.0 if frame == "icrs" else 0.0
    x, y = np.meshgrid(
        np.sqrt(8.0) * (2.0 * (np.arange(_PICTURE[0]) + 0.5) / _PICTURE[0] - 1.0),
        np.sqrt(2.0) * (2.0 * (np.arange(_PICTURE[1]) + 0.5) / _PICTURE[1] - 1.0),
    )
    longitude, latitude = _from_hammer(x, y, middle)
    ra, dec = to_icrs(longitude, latitude, frame)
    picture = _look_up(pixels, values, nside, ra, dec)
    figure = new_figure(8.6, 5.0)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.add_patch(Ellipse((0, 0), 2 * np.sqrt(8), 2 * np.sqrt(2), fc=_EMPTY, ec="none", zorder=0))
    extent = (-np.sqrt(8.0), np.sqrt(8.0), -np.sqrt(2.0), np.sqrt(2.0))
    shown = axes.imshow(
        picture, origin="lower", interpolation="nearest", extent=extent, **_colours(values)
    )
    axes.add_patch(Ellipse((0, 0), 2 * np.sqrt(8), 2 * np.sqrt(2), fill=False, lw=0.8, zorder=4))
    _draw_graticule(axes, middle)
    axes.set(xlim=(-2.95, 2.95), ylim=(-1.5, 1.5), aspect="equal")
    names = _NAMES[frame]
    axes.text(-2.9, -1.42, f"{names[0]}, {names[1]} [deg]", ha="left", va="bottom")
    if title is not None:
        axes.set_title(title)
    figure.colorbar(
        shown,
        ax=axes,
        label=label,
        orientation="horizontal",
        fraction=0.05,
        pad=0.02,
        extend="both",
    )
    return figure


def _draw_graticule(axes: "Axes", middle: float) -> None:
    line: dict[str, Any] = {"color": "#555555", "lw": 0.5, "alpha": 0.6, "zorder": 3}
    note: dict[str, Any] = {"fontsize": 7.5, "ha": "center", "va": "center", "zorder": 5}
    shade: dict[str, Any] = {
        "boxstyle": "round,pad=0.12",
        "fc": "white",
        "ec": "none",
        "alpha": 0.7,
    }
    latitude = np.linspace(-90.0, 90.0, 181)
    for offset in range(-150, 180, 30):
        axes.plot(*_to_hammer(np.full(181, float(offset)), latitude), **line)
        if offset % 60 == 0:
            x, y = _to_hammer(np.array([float(offset)]), np.zeros(1))
            axes.text(x[0], y[0], f"{(middle + offset) % 360:.0f}", bbox=shade, **note)
    offsets = np.linspace(-180.0, 180.0, 361)
    for height in (-60.0, -30.0, 0.0, 30.0, 60.0):
        axes.plot(*_to_hammer(offsets, np.full(361, height)), **line)
        if height:
            x, y = _to_hammer(np.array([180.0]), np.array([height]))
            text = f"{height:+.0f}".replace("-", "\N{MINUS SIGN}")
            axes.text(1.06 * x[0], 1.06 * y[0], text, **note)


def _to_hammer(offset_deg: Floats, latitude_deg: Floats) -> tuple[Floats, Floats]:
    """Project offsets in longitude from the middle, which grow to the left, and latitudes."""
    half, height = np.radians(offset_deg) / 2.0, np.radians(latitude_deg)
    scale = np.sqrt(2.0 / (1.0 + np.cos(height) * np.cos(half)))
    return -2.0 * scale * np.cos(height) * np.sin(half), scale * np.sin(height)


def _from_hammer(x: Floats, y: Floats, middle_deg: float) -> tuple[Floats, Floats]:
    """Return longitude and latitude in degrees, NaN outside the ellipse; inverse of the above."""
    outside = x**2 / 8.0 + y**2 / 2.0 >= 1.0
    z = np.sqrt(np.where(outside, np.nan, 1.0 - (x / 4.0) ** 2 - (y / 2.0) ** 2))
    offset = -2.0 * np.arctan2(z * x, 2.0 * (2.0 * z**2 - 1.0))
    return np.mod(middle_deg + np.degrees(offset), 360.0), np.degrees(np.arcsin(z * y))
