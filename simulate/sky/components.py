"""The sky of one observation: which components shine, each with its own random stream."""

import warnings
from collections.abc import Iterable

import numpy as np

from icmass.errors import InputError, InputWarning
from icmass.simulate.emission.absorption import CrossSection
from icmass.simulate.gas import GasInfo
from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.emitters import Component
from icmass.simulate.rng import stream
from icmass.simulate.sky.agn import cluster_agn, field_agn
from icmass.simulate.sky.agn_table import AgnTable
from icmass.simulate.sky.background import particle_background
from icmass.simulate.sky.diffuse import extragalactic, foreground
from icmass.simulate.view import View

__all__ = ["SKY_COMPONENTS", "sky_components"]

SKY_COMPONENTS = ("particles", "foreground", "extragalactic", "field_agn", "cluster_agn")


def sky_components(
    wanted: Iterable[str],
    view: View,
    instrument: Instrument,
    *,
    redshift: float,
    nh_cm2: float,
    gas_info: GasInfo,
    seed: int,
    agn_flux_limit: float,
    cross_section: CrossSection | None = None,
) -> tuple[list[Component], AgnTable | None]:
    """Make the components of the sky that are wanted.

    Parameters
    ----------
    wanted : iterable of str
        Among `SKY_COMPONENTS`.
    view : View
        Gives mode, field and pointing.
    instrument : Instrument
        That the spectra are folded for.
    redshift : float
        Of the cluster.
    nh_cm2 : float
        Galactic column.
    gas_info : GasInfo
        Halo and cosmology, for the AGN of the cluster.
    seed : int
        Of the catalogues of AGN.
    agn_flux_limit : float
        Field AGN above it (0.5-2 keV, erg/s/cm^2) are sources; the rest is diffuse.
    cross_section : CrossSection, optional
        Of the gas of the Galaxy.

    Returns
    -------
    list of Component
        In the order of `SKY_COMPONENTS`.
    AgnTable or None
        The point sources, numbered from 1; None if no AGN are wanted.

    Raises
    ------
    InputError
        If a name is not among `SKY_COMPONENTS`.

    Warns
    -----
    InputWarning
        If the AGN of the cluster are left out, for want of its mass.
    """
    names = set(wanted)
    unknown = sorted(names - set(SKY_COMPONENTS))
    if unknown:
        raise InputError(f"sky: must be among {', '.join(SKY_COMPONENTS)}; got '{unknown[0]}'.")
    # AGN that are not drawn as sources stay in the diffuse light.
    limit = agn_flux_limit if "field_agn" in names else np.inf
    components: list[Component] = []
    tables: list[AgnTable] = []
    if "particles" in names:
        components.append(particle_background(view, instrument))
    if "foreground" in names:
        components.append(foreground(view, instrument, nh_cm2, cross_section=cross_section))
    if "extragalactic" in names:
        diffuse = extragalactic(view, instrument, nh_cm2, limit, cross_section=cross_section)
        components.append(diffuse)
    if "field_agn" in names:
        sequence = stream(seed, "field_agn", "sources")
        component, table = field_agn(
            view, instrument, nh_cm2, limit, sequence, cross_section=cross_section
        )
        components.append(component)
        tables.append(table)
    halo = gas_info.halo
    if "cluster_agn" in names and (halo is None or not np.isfinite(halo.m500c_msun)):
        message = "cluster_agn: left out, since M500c of the cluster could not be measured."
        warnings.warn(message, InputWarning, stacklevel=3)
    elif "cluster_agn" in names and halo is not None:
        component, table = cluster_agn(
            view,
            instrument,
            nh_cm2,
            redshift,
            gas_info.cosmology,
            halo.r500c_kpc,
            halo.m500c_msun,
            stream(seed, "cluster_agn", "sources"),
            first_id=1 + sum(len(t) for t in tables),
            cross_section=cross_section,
        )
        components.append(component)
        tables.append(table)
    return components, AgnTable.concatenate(tables) if tables else None
