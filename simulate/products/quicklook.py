"""One figure of an observation: what was seen, what was expected, and what it is made of.

Drawn with matplotlib's object interface, so that no global state of a session is touched.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import BANDS, band_label
from icmass.simulate.products.pha_file import default_regions
from icmass.simulate.products.quicklook_pictures import ORIGIN_LABELS, PICTURE_BAND, Pictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from icmass.simulate.observation import Observation

__all__ = ["quicklook_figure", "write_quicklook"]

Floats = NDArray[np.float64]

_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.linewidth": 0.8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "legend.frameon": False,
}
# Fixed, for a layout that matplotlib works out takes as long as all the drawing.
_PLACES: Final = {
    "left": 0.05,
    "right": 0.94,
    "bottom": 0.05,
    "top": 0.97,
    "wspace": 0.46,
    "hspace": 0.24,
}
_COLOURS: Final = {Origin.ICM: "#c1272d", Origin.AGN: "#0072b2", Origin.BACKGROUND: "#7f7f7f"}
_RINGS: Final = 16
_SPECTRUM_KEV: Final = (0.2, 9.0)
_SPECTRUM_BINS: Final = 45


def write_quicklook(observation: "Observation", path: Path) -> None:
    """Draw the figure of `observation` into a PNG file at `path`, without a time stamp."""
    import matplotlib  # noqa: PLC0415  (slow to import, and needed here only)
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = quicklook_figure(observation)
        FigureCanvasAgg(figure)
        figure.savefig(path, dpi=130, format="png", metadata={"Software": None})


def quicklook_figure(observation: "Observation") -> "Figure":
    """Return the figure of `observation`.

    Three rows: bands, drawn and expected images; the origins; profile, spectrum and numbers.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(13.4, 11.6))
    axes = figure.subplots(3, 3, gridspec_kw=_PLACES)
    pictures = Pictures(observation)
    pictures.three_colours(axes[0, 0])
    pictures.counts(axes[0, 1], None)
    pictures.expected(axes[0, 2])
    for column, origin in enumerate(Origin):
        pictures.counts(axes[1, column], origin)
    _draw_profile(axes[2, 0], observation, pictures)
    _draw_spectrum(axes[2, 1], observation)
    _draw_numbers(axes[2, 2], observation)
    return figure


def _draw_profile(axes: "Axes", observation: "Observation", pictures: Pictures) -> None:
    """Points: drawn, with Poisson errors; lines: expected."""
    grid, half = pictures.grid, pictures.half_arcsec
    edges = np.concatenate([[0.0], np.geomspace(2.0 * grid.pixel_arcsec, half, _RINGS)])
    total = observation.profile(PICTURE_BAND, edges)
    radius = total.radius_arcsec / 60.0
    series: list[tuple[str, str, Origin | None, Floats]] = [
        (ORIGIN_LABELS[o], _COLOURS[o], o, pictures.expectations[o]) for o in Origin
    ]
    series.insert(0, ("all", "black", None, sum(pictures.expectations.values(), np.zeros(()))))
    for label, colour, origin, expected in series:
        profile = observation.profile(PICTURE_BAND, edges, origin)
        seen = profile.counts > 0
        axes.errorbar(
            radius[seen],
            profile.brightness[seen],
            profile.brightness_error[seen],
            fmt="o",
            ms=6 if origin is None else 3,
            mfc="none" if origin is None else colour,
            lw=0.8,
            color=colour,
            label=label,
        )
        model = _ring_mean(expected, pictures, edges) / observation.exposure_s
        axes.plot(radius[model > 0], model[model > 0], color=colour, lw=1.0)
    _mark_r500c(axes, observation)
    if total.counts.any():
        axes.set_yscale("log")
        top = float(np.nanmax(total.brightness))
        axes.set_ylim(1e-4 * top, 3.0 * top)
    axes.set_xscale("log")
    axes.set_xlim(edges[1] / 120.0, half / 60.0)
    axes.set_box_aspect(1)
    axes.set_title(f"Profile, {band_label(PICTURE_BAND)}; lines: expected")
    axes.set_xlabel("radius [arcmin]")
    axes.set_ylabel(r"counts s$^{-1}$ arcmin$^{-2}$")
    axes.legend(fontsize=8)


def _ring_mean(image: Floats, pictures: Pictures, edges_arcsec: Floats) -> Floats:
    """Mean counts per arcmin2 of the pixels whose centre lies in each ring."""
    east, north = pictures.grid.centres_arcsec()
    radius = np.hypot(east[None, :], north[:, None])
    pixels = np.histogram(radius, edges_arcsec)[0]
    counts = np.histogram(radius, edges_arcsec, weights=image)[0]
    return counts / np.maximum(pixels, 1) / pictures.grid.pixel_area_arcmin2


def _mark_r500c(axes: "Axes", observation: "Observation") -> None:
    if observation.r500c_arcsec is not None:
        axes.axvline(observation.r500c_arcsec / 60.0, color="black", ls="--", lw=0.8)


def _draw_spectrum(axes: "Axes", observation: "Observation") -> None:
    """Counts of the source circle by origin, in equal steps of log energy."""
    region, _ = default_regions(observation)
    limits = np.geomspace(*_SPECTRUM_KEV, _SPECTRUM_BINS + 1)
    highest = 0.0
    for origin in (None, *Origin):
        spectrum = observation.spectrum(region, origin)
        edges = spectrum.channel_edges_kev
        # Whole channels only, so that the width of a bin is that of its channels.
        cuts = np.unique(np.clip(np.searchsorted(edges, limits), 0, len(spectrum.counts)))
        cumulative = np.concatenate([[0], np.cumsum(spectrum.counts)])
        rate = np.diff(cumulative[cuts]) / np.diff(edges[cuts]) / observation.exposure_s
        highest = max(highest, float(rate.max(initial=0.0)))
        colour = "black" if origin is None else _COLOURS[origin]
        label = "all" if origin is None else ORIGIN_LABELS[origin]
        axes.stairs(np.where(rate > 0, rate, np.nan), edges[cuts], color=colour, label=label)
    for lo, hi in BANDS.values():
        axes.axvspan(lo, hi, color="black", alpha=0.03, lw=0)
        axes.axvline(hi, color="black", alpha=0.15, lw=0.6)
    if highest > 0:
        axes.set_yscale("log")
        axes.set_ylim(1e-4 * highest, 3.0 * highest)
    axes.set_xscale("log")
    axes.set_xlim(*_SPECTRUM_KEV)
    axes.set_xticks([0.2, 0.5, 1, 2, 5], labels=["0.2", "0.5", "1", "2", "5"])
    axes.minorticks_off()
    axes.set_box_aspect(1)
    axes.set_title(f"Spectrum inside {region.radius_arcsec / 60:.1f} arcmin")
    axes.set_xlabel("measured energy [keV]")
    axes.set_ylabel(r"counts s$^{-1}$ keV$^{-1}$")
    axes.legend(fontsize=8)


def _draw_numbers(axes: "Axes", observation: "Observation") -> None:
    axes.set_axis_off()
    rows = _number_rows(observation)
    for row, (label, value) in enumerate(rows):
        height = 0.98 - 0.055 * row
        axes.text(0.02, height, label, transform=axes.transAxes, va="top")
        axes.text(0.98, height, value, transform=axes.transAxes, va="top", ha="right")


def _number_rows(observation: "Observation") -> list[tuple[str, str]]:
    view, scalars = observation.view, observation.scalars
    rows = [
        ("telescope", observation.instrument.name),
        ("mode", view.mode),
        ("exposure", f"{observation.exposure_s:g} s"),
        ("RA, Dec", f"{view.ra_deg:.4f}, {view.dec_deg:+.4f} deg"),
        ("redshift", f"{observation.redshift:g}"),
        (r"$N_\mathrm{H}$", f"{_power(observation.nh_cm2)} cm$^{{-2}}$"),
    ]
    gas = scalars.get("inside_r500c") or {}
    numbers = [
        (r"$M_{500c}$", scalars.get("m500c_msun"), r"$M_\odot$"),
        (r"$R_{500c}$", scalars.get("r500c_kpc"), "kpc"),
        (r"$L_X$ bolometric", gas.get("lx_bolometric_erg_s"), "erg s$^{-1}$"),
        (r"$L_X$ 0.5-2.0 keV", gas.get("lx_0520_erg_s"), "erg s$^{-1}$"),
        ("$kT$ spectroscopic-like", gas.get("kt_spectroscopic_like_kev"), "keV"),
        ("$kT$ mass-weighted", gas.get("kt_mass_weighted_kev"), "keV"),
        ("gas mass", gas.get("gas_mass_msun"), r"$M_\odot$"),
        ("$Y_X$", gas.get("yx_msun_kev"), r"$M_\odot$ keV"),
    ]
    rows += [
        (name, f"{_power(number)} {unit}") for name, number, unit in numbers if number is not None
    ]
    origin = observation.events.origin
    rows += [
        (f"photons, {label}", f"{np.count_nonzero(origin == o):,}".replace(",", "\u2009"))
        for o, label in ORIGIN_LABELS.items()
    ]
    return rows


def _power(value: float) -> str:
    """Return a number with three digits, in powers of ten where it is large."""
    if 1e-2 <= abs(value) < 1e4 or value == 0:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    digits, exponent = f"{value:.2e}".split("e")
    return rf"${digits}\times10^{{{int(exponent)}}}$"
