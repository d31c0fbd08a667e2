"""AGN of a simulated volume: those in a slab about the cluster, and those that a simulation lists.

A simulated box holds the AGN of its own depth alone, some thirtieth of those along a line of sight
to the edge of the universe; images made from it show no others.
"""

import numpy as np
from astropy.cosmology import FLRW
from numpy.typing import NDArray

from icmass.simulate.emission.absorption import CrossSection
from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.gas_component import kpc_per_arcsec
from icmass.simulate.sky.agn import scatter_margin_arcsec
from icmass.simulate.sky.agn_luminosity import LuminosityFunction, drawn_log_range
from icmass.simulate.sky.agn_points import sources_at_redshift
from icmass.simulate.sky.agn_spectra import AgnSpectra
from icmass.simulate.sky.agn_table import AgnKind, AgnTable
from icmass.simulate.sky.optics import Galaxy
from icmass.simulate.view import View

__all__ = ["expected_in_volume", "listed_agn", "volume_agn"]

Floats = NDArray[np.float64]


def listed_agn(
    view: View,
    instrument: Instrument,
    nh_cm2: float,
    redshift: float,
    cosmology: FLRW,
    east_arcsec: Floats,
    north_arcsec: Floats,
    log_hard_luminosity: Floats,
    seed_sequence: np.random.SeedSequence,
    *,
    first_id: int = 1,
    cross_section: CrossSection | None = None,
) -> tuple[Component, AgnTable]:
    """Make the sources of AGN whose places and luminosities are known; their spectra are drawn.

    Parameters
    ----------
    view : View
        Gives mode, field and pointing.
    instrument : Instrument
        That the spectra are folded for.
    nh_cm2 : float
        Galactic column.
    redshift : float
        Of all of them, above 0.
    cosmology : astropy.cosmology.FLRW
        Gives the distance.
    east_arcsec, north_arcsec : ndarray, shape (n,)
        Offsets from the pointing.
    log_hard_luminosity : ndarray, shape (n,)
        log10 of the intrinsic luminosity in 2-10 keV, erg/s.
    seed_sequence : numpy.random.SeedSequence
        Stream of the spectra; the photons have their own.
    first_id : int
        Number of the first source.
    cross_section : CrossSection, optional
        Of the gas of the Galaxy.

    Returns
    -------
    Component
        Named "cluster_agn".
    AgnTable
    """
    rng = np.random.default_rng(seed_sequence)
    return sources_at_redshift(
        "cluster_agn",
        AgnKind.CLUSTER,
        view,
        instrument,
        Galaxy(nh_cm2, cross_section),
        redshift,
        cosmology,
        (east_arcsec, north_arcsec),
        log_hard_luminosity,
        AgnSpectra.default().draw(len(east_arcsec), rng),
        first_id=first_id,
    )


def volume_agn(
    view: View,
    instrument: Instrument,
    nh_cm2: float,
    redshift: float,
    cosmology: FLRW,
    depth_mpc: float,
    seed_sequence: np.random.SeedSequence,
    *,
    first_id: int = 1,
    cross_section: CrossSection | None = None,
) -> tuple[Component, AgnTable]:
    """Draw the AGN of a slab about the cluster, spread evenly, all at its redshift.

    The slab is the square of the field and of what the mirrors scatter into it, times a depth. The
    range of luminosities is that of the members of the cluster.

    Parameters
    ----------
    view, instrument, nh_cm2, redshift, cosmology, first_id, cross_section
        As for `listed_agn`.
    depth_mpc : float
        Comoving depth of the slab.
    seed_sequence : numpy.random.SeedSequence
        Stream of the catalogue; the photons have their own.

    Returns
    -------
    Component
        Named "volume_agn".
    AgnTable
    """
    rng = np.random.default_rng(seed_sequence)
    half_arcsec = view.width_arcsec / 2.0 + scatter_margin_arcsec(view, instrument)
    mean = expected_in_volume(2.0 * half_arcsec, depth_mpc, redshift, cosmology)
    count = int(rng.poisson(mean))
    east, north = rng.uniform(-half_arcsec, half_arcsec, (2, count))
    log_hard = LuminosityFunction.default().draw(count, redshift, drawn_log_range(), rng)
    return sources_at_redshift(
        "volume_agn",
        AgnKind.FIELD,
        view,
        instrument,
        Galaxy(nh_cm2, cross_section),
        redshift,
        cosmology,
        (east, north),
        log_hard,
        AgnSpectra.default().draw(count, rng),
        first_id=first_id,
    )


def expected_in_volume(
    side_arcsec: float, depth_mpc: float, redshift: float, cosmology: FLRW
) -> float:
    """Mean number of AGN in a square of the sky times a comoving depth.

    Parameters
    ----------
    side_arcsec : float
        Of the square.
    depth_mpc : float
        Comoving, along the line of sight.
    redshift : float
        Of all of it, above 0.
    cosmology : astropy.cosmology.FLRW
        Gives the comoving side of the square.

    Returns
    -------
    float
    """
    side_mpc = side_arcsec * kpc_per_arcsec(redshift, cosmology) * (1.0 + redshift) / 1000.0
    log_min, log_max = drawn_log_range()
    density = LuminosityFunction.default().number_above(log_min, redshift, log_max)
    return density * side_mpc**2 * depth_mpc
