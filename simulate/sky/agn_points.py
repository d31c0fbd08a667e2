"""AGN known one by one: their component of light, and the table of what is true of them."""

from functools import lru_cache

import numpy as np
from astropy.cosmology import FLRW
from numpy.typing import NDArray

from icmass.simulate.constants import CM_PER_KPC
from icmass.simulate.instrument import Instrument
from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.sky.agn_spectra import AgnSpectra
from icmass.simulate.sky.agn_table import AgnKind, AgnTable
from icmass.simulate.sky.optics import Galaxy, Optics
from icmass.simulate.view import View

__all__ = ["Spectra", "field_sources", "sources_at_redshift"]

Floats = NDArray[np.float64]
# Photon indices and rows of the absorber table, one of each per AGN.
Spectra = tuple[Floats, NDArray[np.intp]]

# Norms of point sources are fluxes in this unit, erg/s/cm^2.
_FLUX_UNIT = 1e-14


def field_sources(
    name: str,
    view: View,
    instrument: Instrument,
    galaxy: Galaxy,
    offset_arcsec: tuple[Floats, Floats],
    flux: Floats,
    spectra: Spectra,
    *,
    first_id: int = 1,
) -> tuple[Component, AgnTable]:
    """Make point sources of AGN of unknown redshift.

    Parameters
    ----------
    name : str
        Of the component and its random stream.
    view : View
        Gives mode, field and pointing.
    instrument : Instrument
        That the spectra are folded for.
    galaxy : Galaxy
        In front of them.
    offset_arcsec : (east, north), each of shape (n,)
        From the pointing.
    flux : ndarray, shape (n,)
        0.5-2 keV observed, erg/s/cm^2.
    spectra : (photon index, absorber), each of shape (n,)
        From `AgnSpectra.draw`.
    first_id : int
        Number of the first source.

    Returns
    -------
    Component
    AgnTable
    """
    folded = _folded(Optics.of(view, instrument), galaxy, 0.0)
    return _point_sources(
        name, AgnKind.FIELD, view, folded, first_id, offset_arcsec, flux, *spectra
    )


def sources_at_redshift(
    name: str,
    kind: AgnKind,
    view: View,
    instrument: Instrument,
    galaxy: Galaxy,
    redshift: float,
    cosmology: FLRW,
    offset_arcsec: tuple[Floats, Floats],
    log_hard_luminosity: Floats,
    spectra: Spectra,
    *,
    first_id: int = 1,
) -> tuple[Component, AgnTable]:
    """Make point sources of AGN at one redshift.

    Parameters
    ----------
    name, view, instrument, galaxy, offset_arcsec, spectra, first_id
        As for `field_sources`.
    kind : AgnKind
        Written into the table.
    redshift : float
        Above 0.
    cosmology : astropy.cosmology.FLRW
        Gives the distance.
    log_hard_luminosity : ndarray, shape (n,)
        log10 of the intrinsic luminosity in 2-10 keV, erg/s.

    Returns
    -------
    Component
    AgnTable
    """
    photon_index, absorber = spectra
    population = AgnSpectra.default()
    unabsorbed = population.soft_over_hard() * 10.0**log_hard_luminosity
    luminosity = unabsorbed * population.soft_transmission()[absorber]
    node = population.node(photon_index, absorber)
    ratio = _rest_band_ratio(float(redshift))
    distance_cm = CM_PER_KPC * float(cosmology.luminosity_distance(redshift).to_value("kpc"))
    flux_rest = luminosity / (4.0 * np.pi * distance_cm**2)
    return _point_sources(
        name,
        kind,
        view,
        _folded(Optics.of(view, instrument), galaxy, float(redshift)),
        first_id,
        offset_arcsec,
        flux_rest / np.interp(node, np.arange(len(ratio)), ratio),
        photon_index,
        absorber,
        np.full(len(luminosity), float(redshift)),
        luminosity,
    )


@lru_cache(maxsize=64)
def _rest_band_ratio(redshift: float) -> Floats:
    return AgnSpectra.default().rest_band_ratio(redshift)


@lru_cache(maxsize=16)
def _folded(optics: Optics, galaxy: Galaxy, redshift: float) -> FoldedSpectra:
    """Spectra of the AGN population with `_FLUX_UNIT` each, behind the Galaxy."""
    edges_kev = optics.edges_kev
    return optics.fold(_FLUX_UNIT * _emitted(optics, redshift) * galaxy.transmission(edges_kev))


@lru_cache(maxsize=16)
def _emitted(optics: Optics, redshift: float) -> Floats:
    """Spectra of the AGN population before the Galaxy, kept for the next column."""
    return AgnSpectra.default().photons(optics.edges_kev, redshift)


def _point_sources(
    name: str,
    kind: AgnKind,
    view: View,
    spectra: FoldedSpectra,
    first_id: int,
    offset_arcsec: tuple[Floats, Floats],
    flux: Floats,
    photon_index: Floats,
    absorber: NDArray[np.intp],
    redshift: Floats | None = None,
    luminosity: Floats | None = None,
) -> tuple[Component, AgnTable]:
    """Make the component and the truth table of one kind of AGN."""
    population = AgnSpectra.default()
    unknown = np.full(len(flux), np.nan)
    ra_deg, dec_deg = view.sky(*offset_arcsec)
    table = AgnTable(
        source_id=np.arange(first_id, first_id + len(flux), dtype=np.int32),
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        east_arcsec=offset_arcsec[0],
        north_arcsec=offset_arcsec[1],
        flux=flux,
        photon_index=photon_index,
        nh_cm2=np.asarray(population.absorber_nh_cm2)[absorber],
        redshift=unknown if redshift is None else redshift,
        luminosity=unknown if luminosity is None else luminosity,
        kind=np.full(len(flux), kind, dtype=np.uint8),
    )
    component = Component(
        name=name,
        origin=Origin.AGN,
        emitters=Emitters.points(
            *offset_arcsec, population.node(photon_index, absorber), flux / _FLUX_UNIT
        ),
        spectra=spectra,
        shape=Shape.POINT,
        psf=True,
        source_id=table.source_id,
    )
    return component, table
