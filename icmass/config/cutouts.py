"""What can be asked of `icmass cutouts`: images out of which events, about what, how large."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from icmass.config.base import Config, NotNegative, Number, Positive
from icmass.config.simulate import Bands, Count, Names, Pixels, SimulateConfig

__all__ = ["CutoutsConfig"]

_EXCLUSIVE: Final = (
    ("width_kpc", "width_arcmin"),
    ("on_axis_map", "exposure_s"),
    ("nh_map", "nh_cm2"),
)


def _mask(value: Any) -> Any:
    """A whole number, also as text in hexadecimal."""
    try:
        return int(value, 0) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be a whole number, such as 0xE00FFF30") from None


class CutoutsConfig(Config):
    """One catalog of images cut out of events. Every key may stand in the file of ``--config``."""

    events: Names | None = None
    """Event files of icmass or eSASS: files, patterns, or folders of surveys and archives."""

    positions: str | None = None
    """Table of positions (FITS, ECSV, CSV, HDF5, Parquet): truth haloes, or a list of clusters."""

    columns: dict[str, str] | None = None
    """Which column of the table is which, where the usual names do not tell, such as {redshift:
    Z_BEST_COMB}; an empty name leaves a column out."""

    units: dict[str, str] | None = None
    """Units of columns of the table that carry none, such as {m500c: 1e13 Msun}."""

    width_kpc: Positive | None = None
    """Side of the images, physical kpc at the redshift of each position; 4.6 Mpc/h by default."""

    width_arcmin: Positive | None = None
    """Side of the images on the sky, arcmin, in place of kpc."""

    pixels: Pixels | None = None
    """Pixels on each side of the images; 128 by default."""

    bands: Bands = None
    """Bands of the images, keV, such as {soft: [0.5, 2.0]}; soft, medium and hard of the study by
    default (0.5-1.2, 1.2-2.0, 2.0-7.0)."""

    exposure_map: Names | None = None
    """Exposure with vignetting, s: one HEALPix map, or FITS images as eSASS's expmap makes them."""

    on_axis_map: Names | None = None
    """Exposure on axis, without vignetting, s: one HEALPix map, or FITS images."""

    exposure_s: Positive | None = None
    """Exposure on axis, without vignetting, s, the same everywhere; that of the header for event
    files of icmass observe."""

    vignetted_fraction: Annotated[Number, Field(gt=0, le=1)] | None = None
    """Exposure with vignetting over that without (about 0.5 in the survey of eROSITA), by which
    either follows from the other."""

    nh_cm2: NotNegative | None = None
    """Galactic column density of hydrogen, cm^-2, where the table of positions has none."""

    nh_map: str | None = None
    """HEALPix map of the Galactic column, cm^-2, where the table of positions has none."""

    bad_flags: Annotated[int, BeforeValidator(_mask), Field(ge=0, lt=2**32)] = 0xE00FFF30
    """Events with one of these bits in FLAG are left out; the mask recommended for eSASS4DR1 by
    default."""

    patterns: Annotated[int, Field(ge=1, le=15)] = 15
    """Patterns to keep: the sum of 1 (singles), 2 (doubles), 4 (triples), 8 (quadruples)."""

    instrument: str = "erosita"
    """Telescope that took the events: a name (icmass instruments lists them), or a TOML file."""

    mode: Literal["survey", "pointed"] = "survey"
    """Whether it scanned or pointed, for its responses."""

    h: Positive = 0.704
    """Hubble constant over 100 km/s/Mpc, by which arcsec become kpc; the study's by default."""

    omega_m: Annotated[Number, Field(gt=0, lt=1)] = 0.272
    """Matter density of that flat cosmology."""

    sample_id: Annotated[int, Field(ge=0)] | None = None
    """Number of the sample in the catalog; one made from the positions by default, so that clusters
    of different lists are never taken for one another."""

    rows_per_shard: Count | None = None
    """Rows in one file of the catalog, which one worker makes; by default 16 files, each of 16 to
    256 rows."""

    def shard_size(self, rows: int) -> int:
        """Return how many rows stand in a shard of a catalog of so many `rows`."""
        return SimulateConfig(rows_per_shard=self.rows_per_shard).shard_size(rows)

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        """Refuse keys of which one would be ignored."""
        for first, second in _EXCLUSIVE:
            if getattr(self, first) is not None and getattr(self, second) is not None:
                raise ValueError(f"{second}: must not stand beside {first}; leave one of them out")
        return self
