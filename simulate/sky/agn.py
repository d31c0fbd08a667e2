"""AGN as point sources: those of the field by number counts, those of the cluster by its mass.

Both come as point sources with a truth table; each photon carries the number of its source.
"""

import numpy as np
from astropy.cosmology import FLRW
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.emission.absorption import CrossSection
from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.gas_component import kpc_per_arcsec
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.sky.agn_luminosity import LuminosityFunction, drawn_log_range
from icmass.simulate.sky.agn_points import field_sources, sources_at_redshift
from icmass.simulate.sky.agn_spectra import AgnSpectra
from icmass.simulate.sky.agn_table import AgnKind, AgnTable
from icmass.simulate.sky.literature import literature
from icmass.simulate.sky.optics import Galaxy
from icmass.simulate.sky.tiles import solid_angle_factor
from icmass.simulate.view import View

__all__ = ["cluster_agn", "expected_members", "field_agn", "scatter_margin_arcsec"]

Floats = NDArray[np.float64]

# Sources further outside the field than the radius of this share of the PSF are left out.
_MARGIN_SHARE = 0.98
_PROFILE_NODES = 1000


def field_agn(
    view: View,
    instrument: Instrument,
    nh_cm2: float,
    flux_limit: float,
    seed_sequence: np.random.SeedSequence,
    *,
    first_id: int = 1,
    cross_section: CrossSection | None = None,
) -> tuple[Component, AgnTable]:
    """Draw the AGN in front of and behind the cluster, down to a flux.

    Sources just outside the field are drawn too, for the wings of the point-spread function carry
    their photons into it.

    Parameters
    ----------
    view : View
        Pointing and field.
    instrument : Instrument
        That the spectra are folded for.
    nh_cm2 : float
        Galactic column.
    flux_limit : float
        0.5-2 keV, erg/s/cm^2; infinite for none.
    seed_sequence : numpy.random.SeedSequence
        Stream of the catalogue; the photons have their own.
    first_id : int
        Number of the first source.
    cross_section : CrossSection, optional
        Of the gas of the Galaxy.

    Returns
    -------
    Component
        Named "field_agn".
    AgnTable

    Raises
    ------
    InputError
        If the column is negative or not finite, or the limit fainter than the number counts reach.
    """
    galaxy = Galaxy(nh_cm2, cross_section)
    counts = NumberCounts.default()
    limit = counts.require_limit(flux_limit)
    rng = np.random.default_rng(seed_sequence)
    margin = scatter_margin_arcsec(view, instrument)
    half_arcsec = view.width_arcsec / 2.0 + margin
    mean = counts.number_above(limit) * (2.0 * half_arcsec / 3600.0) ** 2
    east, north = rng.uniform(-half_arcsec, half_arcsec, (2, rng.poisson(mean)))
    keep = rng.random(len(east)) < solid_angle_factor(east, north)
    if view.mode == "pointed":
        keep &= np.hypot(east, north) < half_arcsec
    east, north = east[keep], north[keep]
    flux = counts.draw(len(east), limit, rng)
    spectra = AgnSpectra.default().draw(len(east), rng)
    return field_sources(
        "field_agn", view, instrument, galaxy, (east, north), flux, spectra, first_id=first_id
    )


def cluster_agn(
    view: View,
    instrument: Instrument,
    nh_cm2: float,
    redshift: float,
    cosmology: FLRW,
    r500c_kpc: float,
    m500c_msun: float,
    seed_sequence: np.random.SeedSequence,
    *,
    first_id: int = 1,
    cross_section: CrossSection | None = None,
) -> tuple[Component, AgnTable]:
    """Draw the AGN among the galaxies of the cluster, which is at the centre of the field.

    Parameters
    ----------
    view : View
        Its pointing is the centre of the cluster.
    instrument : Instrument
        That the spectra are folded for.
    nh_cm2 : float
        Galactic column.
    redshift : float
        Of the cluster, above 0.
    cosmology : astropy.cosmology.FLRW
        Gives the distance.
    r500c_kpc, m500c_msun : float
        Physical kpc and Msun, no h.
    seed_sequence : numpy.random.SeedSequence
        Stream of the catalogue; the photons have their own.
    first_id : int
        Number of the first source.
    cross_section : CrossSection, optional
        Of the gas of the Galaxy.

    Returns
    -------
    Component
        Named "cluster_agn".
    AgnTable

    Raises
    ------
    InputError
        If the column is negative, or redshift, radius or mass are not positive and finite.
    """
    galaxy = Galaxy(nh_cm2, cross_section)
    _require_positive(redshift, "redshift")
    _require_positive(r500c_kpc, "r500c")
    _require_positive(m500c_msun, "m500c")
    rng = np.random.default_rng(seed_sequence)
    count = int(rng.poisson(expected_members(m500c_msun, redshift)))
    log_hard = LuminosityFunction.default().draw(count, redshift, drawn_log_range(), rng)
    spectra = AgnSpectra.default().draw(count, rng)
    radius_arcsec = r500c_kpc / kpc_per_arcsec(redshift, cosmology) * _galaxy_radii(count, rng)
    direction = rng.standard_normal((3, count))
    east, north, _ = radius_arcsec * direction / np.linalg.norm(direction, axis=0)
    return sources_at_redshift(
        "cluster_agn",
        AgnKind.CLUSTER,
        view,
        instrument,
        galaxy,
        redshift,
        cosmology,
        (east, north),
        log_hard,
        spectra,
        first_id=first_id,
    )


def expected_members(m500c_msun: float, redshift: float) -> float:
    """Mean number of AGN among the galaxies of a cluster, within the range of luminosities drawn.

    For a cluster of `m500c_msun` at `redshift`: the measured share of galaxies with a bright AGN,
    times the galaxies of a cluster of that mass, carried to fainter AGN by the shape of the
    luminosity function. The numbers and their sources stand in ``data/agn.toml``.
    """
    values = literature("agn")["members"]
    mass_200m = values["m200m_over_m500c"] * m500c_msun
    z_term = ((1.0 + redshift) / (1.0 + values["pivot_redshift"])) ** values["redshift_slope"]
    relative = mass_200m / (values["pivot_mass_msun"] * z_term)
    galaxies = values["pivot_richness"] * relative ** (1.0 / values["mass_slope"])

    (share_low, share_high), (z_low, z_high) = values["fraction"], values["fraction_redshift"]
    growth = np.log(share_high / share_low) / np.log((1.0 + z_high) / (1.0 + z_low))
    z_seen = min(redshift, values["max_redshift"])
    share = share_low * ((1.0 + z_seen) / (1.0 + z_low)) ** growth

    log_min, log_max = drawn_log_range()
    log_bright = values["fraction_log_luminosity"]
    function = LuminosityFunction.default()
    fainter = function.number_above(log_min, redshift, log_max) / function.number_above(
        log_bright, redshift, log_max
    )
    return float(galaxies * share * fainter)


def scatter_margin_arcsec(view: View, instrument: Instrument) -> float:
    """How far outside the field of `view` a source still matters to `instrument`.

    It is the radius of 98% of the photons of a source at the edge.
    """
    psf = instrument.psf(view.mode)
    edge_arcmin = view.width_arcsec / 120.0 if view.mode == "pointed" else 0.0
    return psf.radius_of(_MARGIN_SHARE, float(psf.scale(edge_arcmin)))


def _galaxy_radii(count: int, rng: np.random.Generator) -> Floats:
    """Draw radii of galaxies in units of R500c from an NFW profile, shape (count,)."""
    values = literature("agn")["members"]
    x = np.linspace(0.0, values["concentration_500c"] * values["max_radius_r500c"], _PROFILE_NODES)
    enclosed = np.log1p(x) - x / (1.0 + x)
    return np.interp(rng.random(count) * enclosed[-1], enclosed, x) / values["concentration_500c"]


def _require_positive(value: float, name: str) -> None:
    if not 0.0 < value < np.inf:
        raise InputError(
            f"{name}: must be above 0 and finite to place AGN in the cluster; got {value}. "
            "Give it, or switch the cluster's AGN off."
        )
