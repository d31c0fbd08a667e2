"""Make the clusters of one shard out of plain configuration: the work of one worker at a time."""

import secrets
from collections.abc import Iterable
from functools import lru_cache

from icmass.catalog import Band, CatalogSpec, Failure, ImageGeometry, ShardData
from icmass.config import SimulateConfig
from icmass.errors import InputError
from icmass.provenance import provenance
from icmass.simulate.production.sources import Contents, Source, make_source
from icmass.simulate.rows.row import Row, collect, observe_scene
from icmass.simulate.rows.settings import RowSettings

__all__ = ["ClusterProducer", "observe_rows", "row_settings"]

_LONGEST_REASON = 300


class ClusterProducer:
    """Clusters of a population or of snapshots, as the configuration says.

    Parameters
    ----------
    config : SimulateConfig

    Raises
    ------
    InputError
        On first use, if the configuration cannot be met.
    """

    def __init__(self, config: SimulateConfig) -> None:
        self._config_json = config.model_dump_json()
        self._run = secrets.token_hex(4)  # each run reads its files anew, also in old processes

    @property
    def spec(self) -> CatalogSpec:
        """What the catalog holds."""
        return _stage(self._config_json, self._run)[2]

    def __len__(self) -> int:
        return len(_stage(self._config_json, self._run)[0])

    def shard(self, start: int, stop: int) -> ShardData:
        """Make the rows from `start` to before `stop`; those that fail are recorded."""
        source, settings, spec = _stage(self._config_json, self._run)
        return observe_rows(source, settings, spec, range(start, stop))


def observe_rows(
    source: Source, settings: RowSettings, spec: CatalogSpec, indices: Iterable[int]
) -> ShardData:
    """Observe scenes of a source; one that cannot be made is recorded and does not stop the rest.

    Want of memory and errors of the system are not those of a halo, and are raised.

    Parameters
    ----------
    source : Source
    settings : RowSettings
        How they are observed.
    spec : CatalogSpec
        Of the catalog that takes them.
    indices : iterable of int
        Numbers of the scenes.

    Returns
    -------
    ShardData
        A row for each scene that could be made, a failure for each other.
    """
    rows: list[Row] = []
    failures = []
    for index in indices:
        try:
            rows.append(observe_scene(source.scene(index), settings))
        except (MemoryError, OSError):
            raise
        except Exception as error:  # whatever it is, the other clusters go on
            failures.append(Failure(**source.key(index).__dict__, reason=_reason(error)))
    return collect(rows, spec, failures)


def row_settings(config: SimulateConfig) -> RowSettings:
    """Return how `config` has scenes observed.

    Raises
    ------
    InputError
        If a value is outside its range, or a band outside what the telescope records.
    """
    chosen = {
        name: getattr(config, name)
        for name in ("instrument", "mode", "exposure_s", "nh_cm2", "agn", "agn_flux_limit", "seed")
    }
    if config.agn_depth_mpc is not None:
        chosen["agn_depth_mpc"] = config.agn_depth_mpc
    if config.bands is not None:
        chosen["bands"] = tuple(Band(name, lo, hi) for name, (lo, hi) in config.bands.items())
    return RowSettings(
        **chosen,
        geometry=_geometry(config),
        background=config.background,
        expectations=config.expectations,
    )


def _geometry(config: SimulateConfig) -> ImageGeometry:
    usual = ImageGeometry()
    pixels = config.pixels or usual.n_x
    width_kpc = config.width_kpc or usual.pixel * usual.n_x
    return ImageGeometry(pixels, pixels, width_kpc / pixels)


@lru_cache(maxsize=1)
def _stage(config_json: str, run: str) -> tuple[Source, RowSettings, CatalogSpec]:
    """Build what a configuration asks for, once per process and run."""
    config = SimulateConfig.model_validate_json(config_json)
    settings = row_settings(config)
    source, contents = make_source(config)
    if not len(source):
        raise InputError("clusters: must be at least one halo; the source has none.")
    return source, settings, _spec(config, settings, contents)


def _spec(config: SimulateConfig, settings: RowSettings, contents: Contents) -> CatalogSpec:
    origin = {**contents.provenance, "telescope": dict(settings.telescope.provenance)}
    return settings.spec(
        truth=contents.truth,
        galaxies=contents.galaxies,
        regions=contents.regions,
        box_size_mpc=contents.box_size_mpc,
        provenance=provenance(config.model_dump(mode="json"), config.seed, **origin),
    )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    return (kind + text)[:_LONGEST_REASON]
