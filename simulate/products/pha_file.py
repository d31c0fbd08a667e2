"""OGIP spectra of a source and of its background.

They name the response files that lie beside them; channels are numbered as in those.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from astropy.io import fits

from icmass.simulate.fits_opening import write_fits
from icmass.simulate.instrument import Response
from icmass.simulate.products.header import (
    Card,
    add_cards,
    add_history,
    observation_cards,
    primary_hdu,
    table_cards,
)
from icmass.simulate.products.regions import Annulus, Circle

if TYPE_CHECKING:
    from icmass.simulate.observation import Observation
    from icmass.simulate.products.regions import Region
    from icmass.simulate.products.spectra import Spectrum

__all__ = ["SpectrumFiles", "default_regions", "region_response", "write_pha"]

# Off-axis angles of the events of a region are binned as finely as vignetting needs.
_THETA_BINS = 60
_TYPICAL_KEV = 1.0

_DEFAULT_RADIUS_ARCSEC = 300.0

# Largest source circle in half fields: it leaves room for a ring of background.
_LARGEST_SOURCE = 0.6
_BACKGROUND_RING = (1.25, 2.0)  # in radii of the source circle


class SpectrumFiles(NamedTuple):
    """Names of the files that a spectrum refers to; they lie in its own directory."""

    respfile: str = "NONE"
    ancrfile: str = "NONE"
    backfile: str = "NONE"


def default_regions(observation: "Observation") -> tuple[Circle, Annulus]:
    """Return the source circle and the background ring of `observation`, about the pointing.

    The circle is R500c, or 5 arcmin where it is unknown, and at most 0.6 of half the field; the
    ring reaches from 1.25 to 2 of its radii, within the field.
    """
    half = 0.5 * observation.view.width_arcsec
    radius = min(observation.r500c_arcsec or _DEFAULT_RADIUS_ARCSEC, _LARGEST_SOURCE * half)
    inner, outer = (factor * radius for factor in _BACKGROUND_RING)
    return Circle(radius), Annulus(inner, min(outer, half))


def region_response(observation: "Observation", region: "Region") -> Response:
    """Return the response of `observation` in `region`: a pointing loses area off axis.

    The loss is the mean over the light in the region: over its events, each weighted with the
    inverse of the loss where it was recorded. The survey response is the same everywhere.
    """
    if observation.view.mode == "survey":
        return observation.response
    events, vignetting = observation.events, observation.instrument.vignetting
    inside = region.contains(events.east_arcsec, events.north_arcsec)
    theta = np.hypot(events.east_arcsec[inside], events.north_arcsec[inside]) / 60.0
    counts, edges = np.histogram(theta, _THETA_BINS)
    middle = 0.5 * (edges[1:] + edges[:-1])
    energy_kev = observation.response.redistribution.energy_kev
    loss = vignetting.factor(energy_kev, middle)
    light = counts / vignetting.factor(_TYPICAL_KEV, middle)[:, 0]
    if not light.any():
        light[0] = 1.0
    mean = (light[:, None] * loss).sum(axis=0) / light.sum()
    return replace(observation.response, area_cm2=observation.response.area_cm2 * mean)


def write_pha(
    observation: "Observation", spectrum: "Spectrum", path: Path, files: SpectrumFiles
) -> None:
    """Write a spectrum as an OGIP type I PHA file.

    Parameters
    ----------
    observation : Observation
        Gives the header and the numbering of the channels.
    spectrum : Spectrum
        Counts per channel.
    path : Path
        File to make; must not exist.
    files : SpectrumFiles
        What the header refers to.
    """
    first = observation.response.redistribution.first_channel
    channel = first + np.arange(len(spectrum.counts))
    columns = [
        fits.Column(name="CHANNEL", format="J", array=channel.astype(np.int32)),
        fits.Column(name="COUNTS", format="J", unit="count", array=spectrum.counts),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="SPECTRUM")
    header = hdu.header
    background = isinstance(spectrum.region, Annulus)
    cards: list[Card] = [
        ("HDUCLASS", "OGIP", "format conforms to OGIP standards"),
        ("HDUCLAS1", "SPECTRUM", "OGIP memo 92-007"),
        ("HDUCLAS2", "BKG" if background else "TOTAL", "background, or source with background"),
        ("HDUCLAS3", "COUNT", "counts, not rates"),
        ("HDUCLAS4", "TYPE:I", "one spectrum"),
        ("HDUVERS", "1.2.1", "version of the format"),
        ("TLMIN1", int(channel[0]), "first channel, as in RESPFILE"),
        ("TLMAX1", int(channel[-1]), "last channel, as in RESPFILE"),
        ("CHANTYPE", "PI", "channels follow energy"),
        ("DETCHANS", len(channel), "number of channels"),
        ("RESPFILE", files.respfile, "redistribution matrix"),
        ("ANCRFILE", files.ancrfile, "effective area"),
        ("BACKFILE", files.backfile, "background spectrum"),
        ("CORRFILE", "NONE", "no correction"),
        ("CORRSCAL", 0.0, "no correction"),
        ("AREASCAL", 1.0, "the area is in ANCRFILE"),
        ("BACKSCAL", spectrum.area_arcmin2 / 3600.0, "[deg2] solid angle of the region"),
        ("POISSERR", True, "errors are Poisson"),
        ("STAT_ERR", 0, "no other statistical error"),
        ("SYS_ERR", 0, "no systematic error"),
        ("GROUPING", 0, "not grouped"),
        ("QUALITY", 0, "all channels are good"),
        ("REGION", str(spectrum.region or "field"), "arcsec"),
    ]
    add_cards(header, cards)
    add_cards(header, observation_cards(observation) + table_cards())
    add_history(header, observation)
    write_fits([primary_hdu(observation), hdu], path)
