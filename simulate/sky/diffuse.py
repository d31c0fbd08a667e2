"""Diffuse X-ray sky: hot gas of the Galaxy, and all AGN too faint to be drawn one by one.

Spectra are photons/s/cm^2 per energy bin and arcmin^2, absorbed by the Galaxy where they come from
beyond its gas.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.emission.absorption import CrossSection
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.emission.spectrum import cie_spectrum
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.sky.agn_spectra import AgnSpectra
from icmass.simulate.sky.literature import literature
from icmass.simulate.sky.optics import Galaxy, Optics
from icmass.simulate.sky.tiles import uniform_component
from icmass.simulate.view import View

__all__ = ["extragalactic", "extragalactic_spectrum", "foreground", "foreground_spectrum"]

Floats = NDArray[np.float64]

_ARCMIN2_PER_DEG2 = 3600.0


def foreground(
    view: View,
    instrument: Instrument,
    nh_cm2: float,
    table: SpectralTable | str | Path | None = None,
    *,
    cross_section: CrossSection | None = None,
) -> Component:
    """Return the Galactic foreground: local bubble, halo and hotter corona.

    Parameters
    ----------
    view : View
        Its field is covered evenly.
    instrument : Instrument
        That the spectra are folded for.
    nh_cm2 : float
        Galactic column in front of halo and corona.
    table : SpectralTable or path, optional
        Plasma emission; the shipped one by default, to which the norms belong.
    cross_section : CrossSection, optional
        Of the gas of the Galaxy.

    Returns
    -------
    Component
        Named "foreground".

    Raises
    ------
    InputError
        If the column is negative or not finite.
    """
    galaxy = Galaxy(nh_cm2, cross_section)
    folded = _folded_foreground(Optics.of(view, instrument), galaxy, table)
    return uniform_component("foreground", view, folded)


def extragalactic(
    view: View,
    instrument: Instrument,
    nh_cm2: float,
    flux_limit: float,
    *,
    cross_section: CrossSection | None = None,
) -> Component:
    """Return the extragalactic background that is left when AGN above a flux are drawn as sources.

    Parameters
    ----------
    view : View
        Its field is covered evenly.
    instrument : Instrument
        That the spectra are folded for.
    nh_cm2 : float
        Galactic column.
    flux_limit : float
        0.5-2 keV, erg/s/cm^2; infinite where no source is drawn.
    cross_section : CrossSection, optional
        Of the gas of the Galaxy.

    Returns
    -------
    Component
        Named "extragalactic".

    Raises
    ------
    InputError
        If the column is negative or not finite, or the limit fainter than the number counts reach.
    """
    limit = NumberCounts.default().require_limit(flux_limit)
    galaxy = Galaxy(nh_cm2, cross_section)
    folded = _folded_extragalactic(Optics.of(view, instrument), galaxy, limit)
    return uniform_component("extragalactic", view, folded)


def foreground_spectrum(
    edges_kev: Floats, galaxy: Galaxy, table: SpectralTable | str | Path | None = None
) -> Floats:
    """Photons/s/cm^2/arcmin^2 per bin of each foreground component.

    Parameters
    ----------
    edges_kev : ndarray, shape (n + 1,)
        Observed energies, ascending.
    galaxy : Galaxy
        Absorbs the components beyond it.
    table : SpectralTable or path, optional
        Plasma emission; the shipped one by default, to which the norms belong.

    Returns
    -------
    ndarray, shape (n_component, n)
    """
    passed = galaxy.transmission(edges_kev)
    absorbed = [plasma["absorbed"] for plasma in literature("diffuse")["foreground"]]
    return _plasmas(tuple(edges_kev.tolist()), table) * np.where(
        np.array(absorbed)[:, None], passed, 1.0
    )


def extragalactic_spectrum(edges_kev: Floats, galaxy: Galaxy, flux_limit: float) -> Floats:
    """Photons/s/cm^2/arcmin^2 per bin that no source above the limit accounts for.

    The total less the mean light of the AGN that are drawn. Below 0.2 keV and for the faintest
    limits the AGN alone outshine the power law that is taken for the total; nothing is left there.

    Parameters
    ----------
    edges_kev : ndarray, shape (n + 1,)
        Observed energies, ascending.
    galaxy : Galaxy
        Absorbs all of it.
    flux_limit : float
        0.5-2 keV, erg/s/cm^2; infinite where no source is drawn.

    Returns
    -------
    ndarray, shape (n,)
    """
    return _unresolved(tuple(edges_kev.tolist()), flux_limit) * galaxy.transmission(edges_kev)


# Spectra before the Galaxy are kept for the next column: it differs from cluster to cluster.


@lru_cache(maxsize=8)
def _plasmas(edges_kev: tuple[float, ...], table: SpectralTable | str | Path | None) -> Floats:
    """Foreground before the Galaxy absorbs, photons/s/cm^2/arcmin^2, shape (n_component, n)."""
    edges = np.array(edges_kev)
    return np.stack(
        [
            cie_spectrum(
                edges,
                plasma["kt_kev"],
                plasma["metallicity"],
                norm=plasma["norm_per_arcmin2"],
                table=table,
            )
            for plasma in literature("diffuse")["foreground"]
        ]
    )


@lru_cache(maxsize=8)
def _unresolved(edges_kev: tuple[float, ...], flux_limit: float) -> Floats:
    """Extragalactic light before the Galaxy absorbs, photons/s/cm^2/arcmin^2, shape (n,)."""
    edges = np.array(edges_kev)
    power_law = literature("diffuse")["extragalactic"]
    total = powerlaw(edges, power_law["photon_index"], power_law["norm_per_deg2"])
    population = AgnSpectra.default()
    mean_agn = population.mean_weights() @ population.photons(edges)
    drawn = NumberCounts.default().light_above(flux_limit) * mean_agn
    return np.clip(total - drawn, 0.0, None) / _ARCMIN2_PER_DEG2


@lru_cache(maxsize=16)
def _folded_foreground(
    optics: Optics, galaxy: Galaxy, table: SpectralTable | str | Path | None
) -> FoldedSpectra:
    spectrum = foreground_spectrum(optics.edges_kev, galaxy, table).sum(axis=0)
    return optics.fold(spectrum[None])


@lru_cache(maxsize=16)
def _folded_extragalactic(optics: Optics, galaxy: Galaxy, flux_limit: float) -> FoldedSpectra:
    return optics.fold(extragalactic_spectrum(optics.edges_kev, galaxy, flux_limit)[None])
