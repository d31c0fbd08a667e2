"""Where the clusters of a catalog come from: the embedded population, or snapshots.

A source numbers its scenes from 0. Each process builds its own from the configuration, and scene i
is the same in all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from icmass.config import SimulateConfig
from icmass.simulate.scene import Scene, SceneKey

__all__ = ["Contents", "PopulationSource", "Source", "make_source"]


class Source(Protocol):
    """Numbered scenes."""

    def __len__(self) -> int:
        """Return the number of scenes."""

    def key(self, index: int) -> SceneKey:
        """Name scene `index` without making it."""

    def scene(self, index: int) -> Scene:
        """Make scene `index`."""


@dataclass(frozen=True)
class Contents:
    """What the scenes of a source hold, for the spec of the catalog.

    Attributes
    ----------
    truth : tuple of str
        Optional columns of the catalog that the scenes give.
    galaxies, regions : bool
        Whether they have them.
    box_size_mpc : float, optional
        Side of the simulated box, comoving.
    provenance : mapping
        What the scenes depend on besides the configuration.
    """

    truth: tuple[str, ...]
    galaxies: bool
    regions: bool
    box_size_mpc: float | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


_BOX: Final = ("box_x_mpc", "box_y_mpc", "box_z_mpc")
_HALO: Final = ("m200c_msun", "r200c_kpc", "concentration")
_OF_POPULATION: Final = (
    *_BOX,
    *_HALO,
    "dynamical_state",
    "cool_core_strength",
    "axis_ratio",
    "n_substructures",
    "substructure_mass_fraction",
)
_OF_SNAPSHOTS: Final = (*_BOX, *_HALO, "v_los_halo_km_s")


class PopulationSource:
    """Clusters painted as a set of parameters says, halo by halo, then direction by direction.

    Parameters
    ----------
    name : str
        Parameters in the package, or a YAML file.
    seed : int
        Of the sample.
    clusters, lines_of_sight : int
        Haloes, and directions from which each is seen.
    particles : int
        Of gas, for the field of each.

    Raises
    ------
    InputError
        If the parameters are unknown or leave no halo.
    """

    def __init__(
        self, name: str, *, seed: int, clusters: int, lines_of_sight: int, particles: int
    ) -> None:
        from icmass.simulate.population.haloes import draw_haloes  # noqa: PLC0415
        from icmass.simulate.population.parameters import Population  # noqa: PLC0415

        self.population = Population.load(name)
        self._seed, self._clusters = seed, clusters
        self._lines_of_sight, self._particles = lines_of_sight, particles
        draw_haloes(self.population, seed, 0, 1)  # refuses an empty range of masses

    def __len__(self) -> int:
        return self._clusters * self._lines_of_sight

    def key(self, index: int) -> SceneKey:
        """Name scene `index` without making it."""
        halo = self._halo(index)
        return SceneKey(self._seed, halo.snapshot_id, halo.halo_id, index % self._lines_of_sight)

    def scene(self, index: int) -> Scene:
        """Paint scene `index`."""
        from icmass.simulate.population.cluster import paint_cluster  # noqa: PLC0415

        return paint_cluster(
            self.population,
            self._halo(index),
            self._seed,
            index % self._lines_of_sight,
            self._particles,
        )

    def contents(self) -> Contents:
        """Say what the scenes hold."""
        return Contents(
            truth=_OF_POPULATION,
            galaxies=True,
            regions=True,
            box_size_mpc=self.population.haloes.box_mpc,
            provenance={"population": self.population.model_dump(mode="json")},
        )

    def _halo(self, index: int) -> Any:
        from icmass.simulate.population.haloes import draw_haloes  # noqa: PLC0415

        number = index // self._lines_of_sight
        return draw_haloes(self.population, self._seed, number, number + 1).row(0)


def make_source(config: SimulateConfig) -> tuple[Source, Contents]:
    """Build the source that `config` asks for, and say what its scenes hold.

    Raises
    ------
    InputError
        If files are missing or damaged, or no halo is left.
    """
    if config.snapshot is not None:
        return _snapshots(config)
    source = PopulationSource(
        config.population,
        seed=config.seed,
        clusters=config.clusters,
        lines_of_sight=config.directions,
        particles=config.particles,
    )
    return source, source.contents()


def _snapshots(config: SimulateConfig) -> tuple[Source, Contents]:
    from icmass.simulate.snapshots.source import SnapshotSource  # noqa: PLC0415

    source = SnapshotSource(
        config.snapshot or (),
        halos=config.halos,
        galaxies=config.halo_galaxies,
        lines_of_sight=config.directions,
        redshift=config.redshift,
        min_m500c_msun=config.min_m500c_msun,
        width_kpc=config.width_kpc,
        depth_kpc=config.depth_kpc,
        min_temperature_k=config.min_temperature_k,
        max_density_g_cm3=config.max_density_g_cm3,
        star_forming=config.star_forming,
        metallicity_solar=config.metallicity,
        units=config.units,
        table_units=config.table_units,
        sample_id=config.sample_id,
    )
    galaxies = config.halo_galaxies is not None
    return source, Contents(
        _OF_SNAPSHOTS, galaxies=galaxies, regions=True, box_size_mpc=source.box_size_mpc
    )
