"""Sky pictures of the quick-look figure: counts per solid angle, gently smoothed, asinh scale.

All pictures share one frame, offsets in arcmin with north up and east left, the circle of R500c, a
bar of a round number of kpc and a compass.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from icmass.simulate.origin import Origin
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.products.bands import BANDS, Band, band_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from icmass.simulate.observation import Observation

__all__ = ["ORIGIN_LABELS", "PICTURE_BAND", "Pictures"]

Floats = NDArray[np.float64]

ORIGIN_LABELS: Final = {Origin.ICM: "ICM", Origin.AGN: "AGN", Origin.BACKGROUND: "background"}

# Where clusters stand out best from the background.
PICTURE_BAND: Final[Band] = (0.5, 2.0)

# Standard deviation of the smoothing: at least that of the PSF, and more in wide frames.
_SMOOTHING_ARCSEC: Final = 10.0
_SMOOTHING_PIXELS: Final = 2.0
_MOST_PIXELS: Final = 300
# Half the side of the pictures, in R500c.
_HALF_SIDE_R500C: Final = 1.75
# Three colours: standard deviations of the noise that are white, at least and at most, and the bend
# of the scale.
_NOISE_AT_WHITE: Final = (20.0, 80.0)
_STEEPNESS: Final = 12.0
_BAR_KPC: Final = (50, 100, 200, 500, 1000, 2000, 5000)


class Pictures:
    """Draws the pictures of one observation in one frame.

    Parameters
    ----------
    observation : Observation
        What to draw.

    Attributes
    ----------
    grid : PixelGrid
        Pixels of the pictures: those of the instrument, or larger ones where the frame would have
        more than 300 on a side.
    half_arcsec : float
        Half the side of the frame.
    """

    def __init__(self, observation: "Observation") -> None:
        self._observation = observation
        half_field = 0.5 * observation.view.width_arcsec
        r500c = observation.r500c_arcsec
        half = half_field if r500c is None else min(half_field, _HALF_SIDE_R500C * r500c)
        pixel = max(observation.instrument.pixel_arcsec, 2.0 * half / _MOST_PIXELS)
        self.grid: PixelGrid = observation.grid(pixel, 2.0 * half)
        self.half_arcsec = 0.5 * self.grid.n_x * pixel

    @cached_property
    def expectations(self) -> dict[Origin, Floats]:
        """Expected counts per pixel of each origin, shape of the grid."""
        width, pixel = 2.0 * self.half_arcsec, self.grid.pixel_arcsec
        expected = self._observation.expected_image
        return {
            origin: np.asarray(expected(PICTURE_BAND, origin, pixel, width).data, np.float64)
            for origin in Origin
        }

    def three_colours(self, axes: "Axes") -> None:
        """Draw the bands of the study into `axes` as red, green and blue."""
        planes = np.stack([self._per_arcmin2(self._counted(band)) for band in BANDS.values()])
        planes -= np.median(planes, axis=(1, 2))[:, None, None]
        # A band in which nothing stands out stays dark instead of showing its noise, and a core
        # that outshines all does not leave the rest in the dark.
        noise = np.median(np.abs(planes), axis=(1, 2)) / 0.6745
        bright = np.quantile(planes, 0.998, axis=(1, 2))
        least, most = (sigmas * noise for sigmas in _NOISE_AT_WHITE)
        bright = np.where(noise > 0, np.clip(bright, least, most), bright)
        planes /= np.where(bright > 0, bright, 1.0)[:, None, None]
        planes = np.clip(planes, 0.0, None)
        # One stretch for the three keeps the colours (Lupton et al. 2004, PASP 116, 133).
        level = planes.mean(axis=0)
        stretch = np.arcsinh(_STEEPNESS * level) / np.arcsinh(_STEEPNESS)
        stretch /= np.maximum(level, 1e-9)
        picture = np.clip(planes * stretch, 0.0, 1.0)
        axes.imshow(np.moveaxis(picture, 0, -1), **self._placing())
        self._frame(axes, "Three colours")
        for row, (colour, band) in enumerate(
            zip(("#ff6b6b", "#63d471", "#74a7ff"), BANDS.values(), strict=True)
        ):
            axes.text(
                0.03,
                0.97 - 0.06 * row,
                band_label(band),
                transform=axes.transAxes,
                color=colour,
                va="top",
            )

    def counts(self, axes: "Axes", origin: Origin | None) -> None:
        """Draw the counts of one `origin`, or of all where it is None, into `axes`."""
        image = self._per_arcmin2(self._counted(PICTURE_BAND, origin))
        title = "Counts, all origins" if origin is None else f"Counts, {ORIGIN_LABELS[origin]}"
        self._brightness(axes, image, title, image)

    def expected(self, axes: "Axes") -> None:
        """Draw the expectation of all origins into `axes`, on the scale of the drawn counts."""
        image = self._per_arcmin2(sum(self.expectations.values(), np.zeros(self.grid.shape)))
        self._brightness(axes, image, "Expected counts", self._per_arcmin2(self._counted()))

    def _counted(self, band: Band = PICTURE_BAND, origin: Origin | None = None) -> Floats:
        width, pixel = 2.0 * self.half_arcsec, self.grid.pixel_arcsec
        return self._observation.image(band, origin, pixel, width).data.astype(np.float64)

    def _per_arcmin2(self, counts: Floats) -> Floats:
        sigma = max(_SMOOTHING_PIXELS, _SMOOTHING_ARCSEC / self.grid.pixel_arcsec)
        return gaussian_filter(counts, sigma, mode="nearest") / self.grid.pixel_area_arcmin2

    def _placing(self) -> dict[str, Any]:
        half = self.half_arcsec / 60.0
        return {
            "origin": "lower",
            "extent": (half, -half, -half, half),
            "interpolation": "nearest",
        }

    def _brightness(self, axes: "Axes", image: Floats, title: str, scale: Floats) -> None:
        from matplotlib.colors import AsinhNorm  # noqa: PLC0415  (slow to import)

        top = float(scale.max()) or 1.0
        # Linear up to the typical brightness of the picture, logarithmic above.
        knee = min(max(float(np.median(scale)), top / 300.0), top / 3.0)
        drawn = axes.imshow(
            image,
            cmap="inferno",
            norm=AsinhNorm(linear_width=knee, vmin=0.0, vmax=top),
            **self._placing(),
        )
        self._frame(axes, f"{title}, {band_label(PICTURE_BAND)}")
        bar = axes.figure.colorbar(drawn, cax=axes.inset_axes((1.03, 0.05, 0.045, 0.9)))
        ticks = _ticks(knee, top)
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks], minor=False)
        bar.minorticks_off()
        bar.set_label(r"counts arcmin$^{-2}$")

    def _frame(self, axes: "Axes", title: str) -> None:
        axes.set_title(title)
        axes.set_xlabel("offset to the east [arcmin]")
        axes.set_ylabel("offset to the north [arcmin]")
        axes.set_facecolor("black")
        axes.tick_params(color="white")
        self._circle(axes)
        self._bar(axes)
        self._compass(axes)

    def _circle(self, axes: "Axes") -> None:
        from matplotlib.patches import Circle  # noqa: PLC0415

        r500c = self._observation.r500c_arcsec
        if r500c is None:
            return
        radius = r500c / 60.0
        axes.add_patch(Circle((0, 0), radius, fill=False, ls="--", lw=0.9, ec="white"))
        if radius < 0.9 * self.half_arcsec / 60.0:
            axes.text(0, radius, r"$R_{500c}$", color="white", ha="center", va="bottom", fontsize=8)

    def _bar(self, axes: "Axes") -> None:
        half = self.half_arcsec / 60.0
        arcmin_per_kpc = 1.0 / (60.0 * self._observation.kpc_per_arcsec)
        fitting = [kpc for kpc in _BAR_KPC if kpc * arcmin_per_kpc < 0.6 * half]
        kpc = max(fitting, default=_BAR_KPC[0])
        left, low, length = 0.9 * half, -0.9 * half, kpc * arcmin_per_kpc
        axes.plot([left, left - length], [low, low], color="white", lw=2, solid_capstyle="butt")
        label = f"{kpc} kpc" if kpc < 1000 else f"{kpc / 1000:g} Mpc"
        middle, above = left - 0.5 * length, low + 0.03 * half
        axes.text(middle, above, label, color="white", ha="center", va="bottom", fontsize=8)

    def _compass(self, axes: "Axes") -> None:
        half = self.half_arcsec / 60.0
        east, north, length = -0.9 * half, -0.9 * half, 0.2 * half
        arrow = {"arrowstyle": "->", "color": "white", "lw": 1.0, "shrinkA": 0, "shrinkB": 0}
        for name, tip in (("N", (east, north + length)), ("E", (east + length, north))):
            axes.annotate("", xy=tip, xytext=(east, north), arrowprops=arrow)
            side = {"N": ("center", "bottom"), "E": ("right", "center")}[name]
            axes.text(*tip, name, color="white", ha=side[0], va=side[1], fontsize=8)


def _ticks(knee: float, top: float) -> list[float]:
    """Return zero and the powers of ten, halved or doubled, that a colour bar shows."""
    steps = [m * 10.0**p for p in range(-4, 8) for m in (1, 2, 5)]
    shown = [step for step in steps if 0.5 * knee <= step <= top]
    return [0.0, *shown[:: max(1, round(len(shown) / 5))]]
