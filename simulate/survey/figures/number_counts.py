"""log N - log S: how many AGN per deg^2 are brighter than a flux, put in and found.

Fluxes are 0.5-2 keV in erg/s/cm^2 unless the label says otherwise. Numbers are cumulative, so that
neighbouring points are not independent; errors are Poisson's.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.figure_style import COLOURS, MARKERS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["cumulative_counts", "number_counts_figure"]

Floats = NDArray[np.float64]

_POINTS_PER_DECADE: Final = 6
_FEWEST: Final = 3  # sources above the highest flux that is drawn


def cumulative_counts(
    flux: ArrayLike, area_deg2: float, limits: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the number per deg^2 above each limit, and its Poisson error, shape (n,) each.

    Parameters
    ----------
    flux : array_like, shape (m,)
        Of each source; those that are not finite are left out.
    area_deg2 : float
    limits : array_like, shape (n,)
    """
    values = np.asarray(flux, dtype=np.float64)
    values = np.sort(values[np.isfinite(values)])
    above = len(values) - np.searchsorted(values, np.asarray(limits, dtype=np.float64))
    return above / area_deg2, np.sqrt(above) / area_deg2


@styled
def number_counts_figure(
    flux_in: ArrayLike,
    area_deg2: float,
    relation: tuple[ArrayLike, ArrayLike],
    *,
    flux_found: ArrayLike | None = None,
    label: str = "$S$ (0.5-2 keV) [erg s$^{-1}$ cm$^{-2}$]",
    title: str | None = None,
) -> "Figure":
    """Draw number counts, and beneath them their ratio to the relation.

    Parameters
    ----------
    flux_in : array_like, shape (n,)
        Of the AGN that were put in.
    area_deg2 : float
        Of the footprint.
    relation : tuple of two array_like, shape (m,)
        Fluxes, ascending, and how many per deg^2 are brighter: what was put in should follow it.
    flux_found : array_like, shape (k,), optional
        Of the sources that were found, as measured; of the whole footprint, without correction for
        what is too faint to be found.
    label : str
        Of the horizontal axis.
    title : str, optional

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    InputError
        If there are no sources, the area is not positive, or the relation does not ascend in flux.
    """
    put_in = np.asarray(flux_in, dtype=np.float64)
    flux, expected = (np.asarray(values, dtype=np.float64) for values in relation)
    _check(put_in, area_deg2, flux, expected)
    figure = new_figure(4.6, 5.2)
    main, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.0, 1.2))
    flux, expected = flux[expected > 0.0], expected[expected > 0.0]
    limits = _limits(put_in)
    at = (flux >= limits[0] / 1.3) & (flux <= limits[-1] * 1.3)
    main.plot(flux[at], expected[at], color="black", lw=1.0, label="relation")
    lower.axhline(1.0, color="black", lw=1.0)
    series = [("put in", put_in)]
    if flux_found is not None:
        series.append(("found", np.asarray(flux_found, dtype=np.float64)))
    for place, (name, values) in enumerate(series):
        number, error = cumulative_counts(values, area_deg2, limits)
        model = np.exp(np.interp(np.log(limits), np.log(flux), np.log(expected)))
        _draw(main, limits, number, error, place, name)
        _draw(lower, limits, number / model, error / model, place, None)
    main.set(xscale="log", yscale="log", ylabel="$N(>S)$ [deg$^{-2}$]")
    main.set_title(f"{area_deg2:,.1f} deg$^2$" if title is None else title)
    main.legend(loc="lower left")
    lower.set(ylim=(0.0, 2.0), ylabel="over relation", xlabel=label)
    return figure


def _draw(
    axes: "Axes", limits: Floats, number: Floats, error: Floats, place: int, name: str | None
) -> None:
    some = number > 0.0
    axes.errorbar(
        limits[some],
        number[some],
        yerr=error[some],
        fmt=MARKERS[place],
        ms=4,
        mfc="none" if place else COLOURS[0],
        lw=1.0,
        capsize=1.5,
        color=COLOURS[place],
        label=name,
        zorder=3 + place,
    )


def _limits(flux: Floats) -> Floats:
    """Fluxes at which numbers are drawn: round steps from the faintest to nearly the brightest."""
    ordered = np.sort(flux)
    low = np.log10(ordered[0])
    high = np.log10(ordered[max(len(ordered) - _FEWEST, 0)])
    first = np.ceil(low * _POINTS_PER_DECADE - 1e-9)
    last = max(np.floor(high * _POINTS_PER_DECADE), first + 1)
    return 10.0 ** (np.arange(first, last + 1) / _POINTS_PER_DECADE)


def _check(put_in: Floats, area_deg2: float, flux: Floats, expected: Floats) -> None:
    if not len(put_in) or not np.all(np.isfinite(put_in) & (put_in > 0.0)):
        raise InputError(
            "number counts: must have fluxes of AGN above 0, at least one; got "
            f"{len(put_in)}, of which {int(np.sum(put_in > 0.0))} above 0. Survey with AGN."
        )
    if not 0.0 < area_deg2 < np.inf:
        raise InputError(
            f"number counts: must have an area above 0 deg^2; got {area_deg2}. Give that of the "
            "footprint."
        )
    right = flux.ndim == 1 and flux.shape == expected.shape and len(flux) > 1
    if not right or not np.all(np.diff(flux) > 0.0) or not np.all(expected >= 0.0):
        raise InputError(
            "relation: must have ascending fluxes with a number of at least 0 each; got shapes "
            f"{flux.shape} and {expected.shape}. Tabulate it in order."
        )
