"""From hydro gas to photon events, images, spectra and numbers.

The usual road: `load_gas` (or `gas_from_arrays`, `gas_from_yt`, `default_cluster`), then `observe`,
then the methods of the `Observation`. Names are imported when they are first used, so that a part
does not pay for the whole.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icmass.simulate.emission import SpectralTable, cie_spectrum
    from icmass.simulate.events import Events
    from icmass.simulate.gas import Gas, GasInfo, Halo
    from icmass.simulate.instrument import Instrument
    from icmass.simulate.observation import Observation
    from icmass.simulate.observing import observe
    from icmass.simulate.origin import Origin
    from icmass.simulate.population.cluster import paint_cluster
    from icmass.simulate.population.haloes import draw_haloes
    from icmass.simulate.population.parameters import Population
    from icmass.simulate.production import simulate_catalog
    from icmass.simulate.readers import gas_from_arrays, gas_from_yt, load_gas
    from icmass.simulate.rows.row import observe_scene
    from icmass.simulate.scene import Scene
    from icmass.simulate.snapshots.source import SnapshotSource
    from icmass.simulate.spherical_cluster import default_cluster

__all__ = [
    "Events",
    "Gas",
    "GasInfo",
    "Halo",
    "Instrument",
    "Observation",
    "Origin",
    "Population",
    "Scene",
    "SnapshotSource",
    "SpectralTable",
    "cie_spectrum",
    "default_cluster",
    "draw_haloes",
    "gas_from_arrays",
    "gas_from_yt",
    "load_gas",
    "observe",
    "observe_scene",
    "paint_cluster",
    "simulate_catalog",
]

_HOME = {
    "Events": "events",
    "Gas": "gas",
    "GasInfo": "gas",
    "Halo": "gas",
    "Instrument": "instrument",
    "Observation": "observation",
    "Origin": "origin",
    "Population": "population.parameters",
    "Scene": "scene",
    "SnapshotSource": "snapshots.source",
    "SpectralTable": "emission",
    "cie_spectrum": "emission",
    "default_cluster": "spherical_cluster",
    "draw_haloes": "population.haloes",
    "gas_from_arrays": "readers",
    "gas_from_yt": "readers",
    "load_gas": "readers",
    "observe": "observing",
    "observe_scene": "rows.row",
    "paint_cluster": "population.cluster",
    "simulate_catalog": "production",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
