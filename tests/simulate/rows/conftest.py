"""A scene with everything in it, nothing of it symmetric."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.catalog import RegionKind
from icmass.simulate.scene import MemberAgn, Scene, SceneGalaxies, SceneKey, SceneRegions
from icmass.simulate.spherical_cluster import default_cluster

REDSHIFT = 0.3
M500C_MSUN = 2e14


def make_galaxies(count: int = 120, sigma_kms: float = 600.0, seed: int = 3) -> SceneGalaxies:
    """Members of Gaussian velocities around the centre, and as many again far behind."""
    rng = np.random.default_rng(seed)
    position = rng.normal(scale=500.0, size=(2 * count, 3))
    position[count:, 2] += 20_000.0
    velocity = np.concatenate([rng.normal(0.0, sigma_kms, count), rng.uniform(1200, 3700, count)])
    member = np.arange(2 * count) < count
    return SceneGalaxies(position, velocity, 10.0 ** rng.uniform(9.5, 11.5, 2 * count), member)


def make_scene(halo_id: int = 7, n_particles: int = 4000, line_of_sight: int = 0) -> Scene:
    """The default cluster of a mass, with galaxies, two AGN and two other halos."""
    gas = default_cluster(n_particles, m500c_msun=M500C_MSUN, redshift=REDSHIFT)
    return Scene(
        key=SceneKey(1, 2, halo_id, line_of_sight),
        gas=gas,
        truth={"concentration": 4.5, "dynamical_state": -0.3},
        galaxies=make_galaxies(),
        member_agn=MemberAgn(
            np.array([1000.0, -300.0]), np.array([2000.0, 150.0]), np.array([45.0, 42.0])
        ),
        regions=SceneRegions(
            kind=np.array([RegionKind.SUBSTRUCTURE, RegionKind.NEIGHBOUR], np.uint8),
            east_kpc=np.array([200.0, -1500.0]),
            north_kpc=np.array([100.0, 700.0]),
            radius_kpc=np.array([150.0, 600.0]),
            mass_msun=np.array([1.5e14, 1.2e14]),
        ),
    )


def with_halo(scene: Scene, **changes: float) -> Scene:
    """The same scene with other numbers in its halo."""
    info = scene.gas.info
    halo = replace(info.halo, **changes)
    return replace(scene, gas=replace(scene.gas, info=replace(info, halo=halo)))


@pytest.fixture(scope="session")
def scene() -> Scene:
    return make_scene()
