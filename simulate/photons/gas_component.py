"""From the gas of a cluster to emitters on the sky, with the spectra they have in the telescope."""

import math
from functools import lru_cache

import numpy as np
from astropy.cosmology import FLRW
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.constants import CM_PER_KPC, LIGHT_SPEED_KMS
from icmass.simulate.emission.absorption import CrossSection, bin_transmission
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.gas import Gas
from icmass.simulate.instrument import Instrument
from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitter_kernels import project_gas
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.view import ARCSEC_PER_RADIAN, Mode, View

__all__ = ["gas_component", "kpc_per_arcsec"]


def kpc_per_arcsec(redshift: float, cosmology: FLRW) -> float:
    """Physical size of an arcsec at `redshift`, by the angular-diameter distance of `cosmology`.

    Raises
    ------
    InputError
        If the redshift is not above 0, for then there is no distance.
    """
    if not (math.isfinite(redshift) and redshift > 0.0):
        raise InputError(
            f"redshift: must be above 0, since it sets the distance; got {redshift}. "
            "Place the cluster, for instance with --redshift 0.1."
        )
    distance_kpc = float(cosmology.angular_diameter_distance(redshift).to_value("kpc"))
    return distance_kpc / ARCSEC_PER_RADIAN


@lru_cache(maxsize=16)
def _folded_plasma(
    table: SpectralTable,
    instrument: Instrument,
    mode: Mode,
    width_arcsec: float,
    redshift: float,
    nh_cm2: float,
    cross_section: CrossSection | None,
) -> FoldedSpectra:
    """Spectra of the plasma table as the instrument sees them, per cm^-5 of n_e n_H V / 4 pi D_M^2.

    Kept for the next cluster at the same redshift behind the same column.
    """
    view = View(0.0, 0.0, mode, width_arcsec)
    edges = instrument.response(mode).redistribution.energy_edges_kev
    photons = _received(table, instrument, mode, redshift)
    photons = photons * bin_transmission(edges, nh_cm2, cross_section)
    return FoldedSpectra.for_view(photons, instrument, view)


@lru_cache(maxsize=16)
def _received(
    table: SpectralTable, instrument: Instrument, mode: Mode, redshift: float
) -> NDArray[np.float64]:
    """Spectra of the plasma table before the Galaxy, kept for the next column."""
    edges = instrument.response(mode).redistribution.energy_edges_kev
    return np.stack(table.photons(edges, redshift), axis=1)


def gas_component(
    gas: Gas,
    view: View,
    instrument: Instrument,
    *,
    redshift: float,
    nh_cm2: float,
    table: SpectralTable,
    cross_section: CrossSection | None = None,
    spectral_redshift: float | None = None,
) -> Component:
    """Place gas on the sky and give each particle its expected rate.

    The photon flux of a particle is EM / (4 pi D_M^2) eps(E (1 + z)) with D_M the comoving
    transverse distance: time dilation and the compression of the energy interval cancel.

    Parameters
    ----------
    gas : Gas
        Positions about what is put at the pointing.
    view : View
        Pointing, line of sight and field.
    instrument : Instrument
        That the spectra are folded for.
    redshift : float
        Where the cluster is placed, above 0.
    nh_cm2 : float
        Galactic hydrogen column.
    table : SpectralTable
        Plasma emission.
    cross_section : CrossSection, optional
        Of the absorbing gas; Morrison & McCammon (1983) by default.
    spectral_redshift : float, optional
        Where the spectra are folded, within 1% in 1 + z: photons are shifted to `redshift` from
        there, so that many clusters share what is folded once. The area is then that of the
        neighbouring energies.

    Returns
    -------
    Component
        Of origin ICM; emitters in the order of the particles, norm 0 where no photon can reach the
        field.

    Raises
    ------
    InputError
        If the redshift is not above 0, or the column is none in cm^-2.

    Warns
    -----
    InputWarning
        With the number of particles whose temperature was clamped to the table.
    """
    scale = kpc_per_arcsec(redshift, gas.info.cosmology)
    table.warn_of_clamped(gas.kt_kev)
    distance_cm = scale * ARCSEC_PER_RADIAN * (1.0 + redshift) * CM_PER_KPC
    count = len(gas)
    emitters = Emitters.empty(count)
    project_gas(
        gas.position_kpc,
        gas.velocity_kms,
        gas.kt_kev,
        gas.metallicity_solar,
        gas.emission_measure_cm3,
        gas.smoothing_kpc,
        view.rotation,
        1.0 / scale,
        LIGHT_SPEED_KMS,
        1.0 / (4.0 * math.pi * distance_cm**2),
        np.log(table.kt_kev),
        _reach_arcsec(view, instrument),
        *emitters.columns(),
    )
    folded_at = redshift
    if spectral_redshift is not None:
        folded_at = spectral_redshift
        emitters.energy_shift[:] *= np.float32((1.0 + folded_at) / (1.0 + redshift))
    # The width matters to the off-axis angles of a pointing only.
    width_arcsec = view.width_arcsec if view.mode == "pointed" else 3600.0
    spectra = _folded_plasma(
        table, instrument, view.mode, width_arcsec, folded_at, nh_cm2, cross_section
    )
    return Component("gas", Origin.ICM, emitters, spectra, Shape.KERNEL, psf=True)


def _reach_arcsec(view: View, instrument: Instrument) -> float:
    """Distance from the centre beyond which the PSF brings no photon into the field."""
    psf = instrument.psf(view.mode)
    half = view.width_arcsec / 2.0
    growth = 1.0
    if view.mode == "pointed":
        # The growth is taken where the light comes from, at most this far out.
        growth = float(psf.scale((half + 2.0 * psf.max_radius_arcsec) / 60.0))
    return half + growth * psf.max_radius_arcsec
