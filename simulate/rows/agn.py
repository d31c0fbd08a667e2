"""The AGN of a scene as sources: those of its galaxies, and those around or along the way."""

import numpy as np

from icmass.simulate.gas import Halo
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.gas_component import kpc_per_arcsec
from icmass.simulate.rng import stream
from icmass.simulate.rows.settings import RowSettings, row_path
from icmass.simulate.scene import Scene
from icmass.simulate.sky import AgnTable, cluster_agn, field_agn, listed_agn, volume_agn
from icmass.simulate.view import View

__all__ = ["scene_agn"]


def scene_agn(
    scene: Scene, halo: Halo, view: View, redshift: float, nh_cm2: float, settings: RowSettings
) -> list[Component]:
    """Make the AGN that the settings ask for.

    Parameters
    ----------
    scene : Scene
        Its own AGN are taken; where it has none listed, those of its galaxies are drawn from the
        mass of the halo.
    halo : Halo
        With M500c and R500c.
    view : View
        Field of the images.
    redshift : float
        Of the scene.
    nh_cm2 : float
        Galactic column.
    settings : RowSettings
        Say which AGN there are, and hold the telescope and the seed.

    Returns
    -------
    list of Component
        None with ``agn="none"``.
    """
    if settings.agn == "none":
        return []
    return [
        component
        for component, _ in (
            _members(scene, halo, view, redshift, nh_cm2, settings),
            _others(scene, view, redshift, nh_cm2, settings),
        )
    ]


def _members(
    scene: Scene, halo: Halo, view: View, redshift: float, nh_cm2: float, settings: RowSettings
) -> tuple[Component, AgnTable]:
    cosmology, agn = scene.gas.info.cosmology, scene.member_agn
    sequence = _sequence(scene, settings, "cluster_agn")
    where = (view, settings.telescope, nh_cm2, redshift, cosmology)
    if agn is None:
        return cluster_agn(*where, halo.r500c_kpc, halo.m500c_msun, sequence)
    scale = kpc_per_arcsec(redshift, cosmology)
    offset = (agn.east_kpc / scale, agn.north_kpc / scale)
    return listed_agn(*where, *offset, agn.log_hard_luminosity, sequence)


def _others(
    scene: Scene, view: View, redshift: float, nh_cm2: float, settings: RowSettings
) -> tuple[Component, AgnTable]:
    telescope = settings.telescope
    if settings.agn == "sky":
        sequence = _sequence(scene, settings, "field_agn")
        return field_agn(view, telescope, nh_cm2, settings.agn_flux_limit, sequence)
    return volume_agn(
        view,
        telescope,
        nh_cm2,
        redshift,
        scene.gas.info.cosmology,
        settings.agn_depth_mpc,
        _sequence(scene, settings, "volume_agn"),
    )


def _sequence(scene: Scene, settings: RowSettings, name: str) -> np.random.SeedSequence:
    return stream(settings.seed, *row_path(scene.key), name, "sources")
