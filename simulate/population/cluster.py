"""One cluster of the population from one line of sight, ready to be observed."""

from typing import TYPE_CHECKING

import numpy as np

from icmass.simulate.population.galaxies import paint_galaxies
from icmass.simulate.population.members import member_agn
from icmass.simulate.population.paint import paint_gas
from icmass.simulate.population.structure_list import StructureKind, Structures
from icmass.simulate.population.structures import draw_structures
from icmass.simulate.scene import Scene, SceneKey, SceneRegions

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo
    from icmass.simulate.population.parameters import Population

__all__ = ["paint_alone", "paint_cluster"]


def paint_cluster(
    population: "Population",
    halo: "MainHalo",
    seed: int,
    line_of_sight: int = 0,
    n_particles: int = 200_000,
) -> Scene:
    """Paint a halo and its field in gas particles, galaxies and active galaxies.

    Parameters
    ----------
    population : Population
    halo : MainHalo
        From `draw_haloes` of the same population and seed.
    seed : int
        Of the sample, which it names.
    line_of_sight : int
        Number of the direction; the body of the halo is the same from all of them.
    n_particles : int
        Gas particles of the whole field, at least 1,000.

    Returns
    -------
    Scene

    Raises
    ------
    InputError
        If there are too few particles.
    """
    structures = draw_structures(halo, population, seed, line_of_sight)
    galaxies = paint_galaxies(halo, structures, population, seed, line_of_sight)
    return Scene(
        key=SceneKey(seed, halo.snapshot_id, halo.halo_id, line_of_sight),
        gas=paint_gas(halo, structures, population, n_particles, seed),
        truth=_truth(halo, structures),
        galaxies=galaxies,
        member_agn=member_agn(galaxies, halo, population, seed, line_of_sight),
        regions=_regions(structures),
    )


def paint_alone(
    population: "Population", halo: "MainHalo", seed: int, n_particles: int = 200_000
) -> Scene:
    """Paint the gas of a halo whose neighbours are painted one by one, as in a light cone.

    Parameters
    ----------
    population : Population
        From `Population.alone`.
    halo : MainHalo
    seed : int
        Of the sample.
    n_particles : int
        At least 1,000.

    Returns
    -------
    Scene
        With gas and its truth, but neither galaxies nor a place in a box.
    """
    structures = draw_structures(halo, population, seed, 0)
    truth = _truth(halo, structures)
    return Scene(
        key=SceneKey(seed, halo.snapshot_id, halo.halo_id, 0),
        gas=paint_gas(halo, structures, population, n_particles, seed),
        truth={name: value for name, value in truth.items() if not name.startswith("box_")},
    )


def _truth(halo: "MainHalo", structures: Structures) -> dict[str, float]:
    """What the catalog asks for and only the maker knows.

    Masses of substructures and companions are those from before they fell in, and companions lie
    outside R500c: their sum over M500c exceeds 1 for some 1.6% of the haloes (magneticum).
    """
    x, y, z = halo.box_position_mpc
    fallen = (structures.kind == StructureKind.SUBSTRUCTURE) | (
        structures.kind == StructureKind.COMPANION
    )
    return {
        "box_x_mpc": x,
        "box_y_mpc": y,
        "box_z_mpc": z,
        "concentration": halo.concentration,
        "dynamical_state": halo.disturbance,
        "cool_core_strength": halo.cool_core,
        "axis_ratio": float(structures.axis_ratio[0, 1]),
        "n_substructures": int(fallen.sum()),
        "substructure_mass_fraction": float(structures.m500c_msun[fallen].sum() / halo.m500c_msun),
    }


def _regions(structures: Structures) -> SceneRegions:
    """Everything but the main halo, as far out as its gas."""
    others = np.arange(len(structures)) > 0
    return SceneRegions(
        kind=structures.kind[others],
        east_kpc=structures.position_kpc[others, 0],
        north_kpc=structures.position_kpc[others, 1],
        radius_kpc=(np.minimum(structures.truncation_r500, 1.0) * structures.r500c_kpc)[others],
        mass_msun=structures.m500c_msun[others],
    )
