"""Populations with single values changed, and a halo to paint."""

from functools import cache
from typing import Any

import numpy as np
from pydantic import BaseModel

from icmass.simulate.population.haloes import MainHalo
from icmass.simulate.population.parameters import Population
from icmass.simulate.population.structure_list import r500_over_r200

# Switches off everything but the main halo.
ALONE = {
    "structures.substructures.mean_number": 0.0,
    "structures.companions.mean_number": 0.0,
    "structures.neighbours.density_mpc_h": 0.0,
}


@cache
def magneticum() -> Population:
    return Population.load("magneticum")


def changed(values: dict[str, Any], population: BaseModel | None = None) -> Any:
    """The population with some values, by their dotted names, replaced."""
    result: BaseModel = magneticum() if population is None else population
    for name, value in values.items():
        section, _, rest = name.partition(".")
        below = getattr(result, section)
        result = result.model_copy(
            update={section: changed({rest: value}, below) if rest else value}
        )
    return result


def make_halo(**values: Any) -> MainHalo:
    """A halo of 3e14 Msun at redshift 0.2, of average looks."""
    mass = values.get("m500c_msun", 3e14)
    concentration = values.get("concentration", 4.0)
    redshift = values.get("redshift", 0.2)
    critical = magneticum().haloes.cosmology().critical_density(redshift).to_value("Msun / kpc3")
    r500c_kpc = float(np.cbrt(3.0 * mass / (4.0 * np.pi * 500.0 * critical)))
    ratio = float(r500_over_r200(concentration))
    chosen = {
        "snapshot_id": 3,
        "halo_id": 0,
        "redshift": redshift,
        "m500c_msun": mass,
        "r500c_kpc": r500c_kpc,
        "m200c_msun": mass / (2.5 * ratio**3),
        "r200c_kpc": r500c_kpc / ratio,
        "concentration": concentration,
        "box_position_mpc": (1.0, 2.0, 3.0),
        **dict.fromkeys(("disturbance", "cool_core", "star_formation", "baryons", "thermal"), 0.0),
    }
    return MainHalo(**{**chosen, **values})
