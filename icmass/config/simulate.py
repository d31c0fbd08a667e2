"""What can be asked of `icmass simulate`: whose clusters, seen how, kept in what."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from icmass.config.base import Config, NotNegative, Number, Positive, number

__all__ = ["SimulateConfig"]

_ROWS_AT_LEAST: Final = 16  # in a shard, which has a price of its own
_ROWS_AT_MOST: Final = 256  # so that little is lost with a run that is killed
_SHARDS: Final = 16  # for several workers to share a small catalog


def _list(value: Any) -> Any:
    """One text, or a list of texts."""
    return [value] if isinstance(value, str) else value


def _range(value: Any) -> Any:
    """One number, or two as a list or with a comma between them."""
    parts = value.split(",") if isinstance(value, str) else value
    if isinstance(parts, list | tuple) and len(parts) > 1:
        if len(parts) != 2:
            raise ValueError("must be a number, or a range of two")
        lowest, highest = (number(part) for part in parts)
        if not 0 < lowest <= highest:
            raise ValueError("must be a range LO,HI with 0 < LO <= HI")
        return lowest, highest
    column = number(parts[0] if isinstance(parts, list | tuple) and parts else parts)
    if column < 0:
        raise ValueError("must be at least 0")
    return column


def _bands(value: Any) -> Any:
    """Pairs of numbers by name."""
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        raise ValueError("must be bands by name, such as {soft: [0.5, 2.0]}")
    for limits in value.values():
        if not isinstance(limits, list | tuple) or len(limits) != 2:
            raise ValueError("must give two energies in keV for each band")
    return {name: tuple(number(limit) for limit in limits) for name, limits in value.items()}


Count = Annotated[int, Field(ge=1)]
# An image may have 2^25 pixels, as the grids of icmass.simulate.
Pixels = Annotated[int, Field(ge=1, le=5792)]
Names = Annotated[list[str], BeforeValidator(_list), Field(min_length=1)]
Range = Annotated[Number | tuple[Number, Number], BeforeValidator(_range)]
Bands = Annotated[dict[str, tuple[float, float]] | None, BeforeValidator(_bands)]

_OF_POPULATION: Final = ("population", "clusters", "particles")
_OF_SNAPSHOTS: Final = (
    "halos",
    "halo_galaxies",
    "redshift",
    "min_m500c_msun",
    "depth_kpc",
    "min_temperature_k",
    "max_density_g_cm3",
    "star_forming",
    "metallicity",
    "units",
    "table_units",
    "sample_id",
)


class SimulateConfig(Config):
    """One catalog of mock clusters. Every key may stand in the file of ``--config``."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of every random stage: one seed, one catalog."""

    clusters: Annotated[int, Field(ge=1, le=100_000_000)] = 3285
    """Number of haloes drawn from the population; each gives a row for every line of sight."""

    population: str = "magneticum"
    """Parameters of the embedded population: a name in the package, or a YAML file."""

    particles: Annotated[int, Field(ge=1000, le=100_000_000)] = 200_000
    """Gas particles that each cluster of the population is painted with."""

    lines_of_sight: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Directions from which each halo is seen; 1 for the population, 3 for snapshots by default."""

    snapshot: Names | None = None
    """Snapshots to take the clusters from, in place of the population: files, folders, patterns."""

    halos: Names | None = None
    """Halo tables of the snapshots, one for each or one for all; without, haloes are searched."""

    halo_galaxies: Names | None = None
    """Tables of the galaxies of the snapshots, one for each or one for all."""

    redshift: Positive | None = None
    """Where the haloes of snapshots are seen; that of each snapshot by default."""

    min_m500c_msun: Positive | None = None
    """Less massive haloes of snapshots are left out, Msun."""

    depth_kpc: Positive | None = None
    """Length of the line of sight through snapshots, physical kpc; that of the box by default."""

    min_temperature_k: NotNegative = 1e6
    """Colder gas of snapshots is left out, K."""

    max_density_g_cm3: Positive | None = None
    """Denser gas of snapshots is left out, g/cm^3; no such cut by default."""

    star_forming: bool = False
    """Whether to keep gas of snapshots that forms stars."""

    metallicity: NotNegative | None = None
    """One metallicity for all gas of snapshots, solar; their own by default."""

    units: dict[str, str] | None = None
    """Sizes of the snapshots' units, such as {length: Mpc/h, mass: 1e10 Msun/h}."""

    table_units: dict[str, str] | None = None
    """Units of halo tables whose columns have none: position, radius, mass, velocity."""

    sample_id: Annotated[int, Field(ge=0)] = 0
    """Number of the simulation in the catalog."""

    exposure_s: Positive = 15_000.0
    """Exposure on axis, not vignetted, in seconds."""

    nh_cm2: Range = 3e20
    """Galactic column density of hydrogen, cm^-2, or a range from which each row draws its own."""

    instrument: str = "erosita"
    """Name of an instrument (icmass instruments lists them), or a TOML file that describes one."""

    mode: Literal["survey", "pointed"] = "survey"
    """survey: responses averaged over the scan; pointed: the centre of the field of view."""

    agn: Literal["box", "sky", "none"] = "box"
    """box: AGN of the cluster and the simulated volume about it; sky: all in front and behind too;
    none: none as sources."""

    agn_depth_mpc: Annotated[Number, Field(gt=0, le=20_000)] | None = None
    """Depth of that volume along the line of sight, comoving Mpc; 100 Mpc/h by default."""

    agn_flux_limit: Positive = 1e-15
    """Faintest AGN drawn as a source with agn: sky, erg/s/cm^2 in 0.5-2 keV."""

    background: bool = True
    """Whether particles, Galactic foreground and unresolved AGN are observed (kept apart)."""

    bands: Bands = None
    """Bands of the images, keV, such as {soft: [0.5, 2.0]}; soft, medium and hard of the study by
    default (0.5-1.2, 1.2-2.0, 2.0-7.0)."""

    pixels: Pixels | None = None
    """Pixels on each side of the images; 128 by default."""

    width_kpc: Positive | None = None
    """Side of the images, physical kpc; 4.6 Mpc/h by default."""

    expectations: Literal["float16", "float32"] | None = None
    """Type of noise-free images to keep beside the counts; none by default."""

    rows_per_shard: Count | None = None
    """Rows in one file of the catalog, which one worker makes; by default 16 files, each of 16 to
    256 rows."""

    @property
    def directions(self) -> int:
        """Lines of sight per halo."""
        return self.lines_of_sight or (1 if self.snapshot is None else 3)

    def shard_size(self, rows: int) -> int:
        """Return how many rows stand in a shard of a catalog of so many `rows`."""
        if self.rows_per_shard is not None:
            return self.rows_per_shard
        return min(max(-(-rows // _SHARDS), _ROWS_AT_LEAST), _ROWS_AT_MOST)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        """Refuse keys that belong to the other source of clusters, lest they are ignored."""
        others = _OF_SNAPSHOTS if self.snapshot is None else _OF_POPULATION
        for key in others:
            if getattr(self, key) != type(self).model_fields[key].default:
                rule = (
                    "is for snapshots; give snapshot as well, or leave this out"
                    if self.snapshot is None
                    else "is for the population; leave it out, or leave out snapshot"
                )
                raise ValueError(f"{key}: {rule}")
        return self
