"""What can be asked of `icmass survey`: which sky, seen how, and what is in it."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from icmass.config.base import Config, Number, Positive, number
from icmass.config.simulate import Names

__all__ = ["SurveyConfig"]

_LEAST_REDSHIFT = 0.01  # a nearer cluster would fill the sky
_GREATEST_REDSHIFT: Final = 3.0  # up to which haloes are counted


def _limits(value: Any) -> Any:
    """Two ascending numbers, as a list or with a comma between them."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise ValueError("must be two numbers, LO,HI")
    lowest, highest = (number(part) for part in parts)
    if not _LEAST_REDSHIFT <= lowest < highest <= _GREATEST_REDSHIFT:
        raise ValueError(
            f"must be LO,HI with {_LEAST_REDSHIFT:g} <= LO < HI <= {_GREATEST_REDSHIFT:g}"
        )
    return lowest, highest


def _text(value: Any) -> Any:
    """Text, or a number as text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Limits = Annotated[tuple[float, float], BeforeValidator(_limits)]
Text = Annotated[str, BeforeValidator(_text)]


class SurveyConfig(Config):
    """One synthetic survey. Every key may stand in the file of ``--config``."""

    preset: str | None = None
    """Footprint and exposure of a known survey: efeds, erass1-de or erass5."""

    footprint: str | None = None
    """Which sky, in place of the preset's: cone:RA,DEC,RADIUS, box:RA1,RA2,DEC1,DEC2, moc:FILE,
    pixels:FILE, map:FILE, |b|>20 or all; joined by &."""

    fraction: Annotated[Number, Field(gt=0, le=1)] = 1.0
    """Share of the footprint to survey, about its middle."""

    exposure: Text | None = None
    """Seconds on axis: flat:SECONDS, scan:PASSES (all-sky surveys of eROSITA), or a HEALPix map in
    FITS; that of the preset by default."""

    column: Text = "model"
    """Galactic hydrogen column, cm^-2: a HEALPix map in FITS (HI4PI), a number, or model, a smooth
    Galaxy."""

    tiles: str = "erass"
    """Into which event files the sky is cut: erass, the public sky tiles of 3 by 3 degrees, or
    healpix:NSIDE."""

    instrument: str = "erosita"
    """Name of an instrument (icmass instruments lists them), or a TOML file that describes one."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of every random stage: one seed, one survey."""

    population: str = "erosita"
    """Parameters of haloes and their gas: a name in the package, or a YAML file."""

    min_m500c_msun: Annotated[Number, Field(ge=1e12, le=6e15)] = 2e13
    """Least massive halo drawn as a source, Msun; the light of lesser ones is in the background."""

    redshift_range: Limits = (0.05, 1.2)
    """Between which redshifts the light cone lies."""

    clustering: bool = True
    """Whether haloes follow a lognormal density field; else they lie at random."""

    lightcone: str | None = None
    """Table of haloes (FITS, HDF5, Parquet, ECSV) in place of drawn ones."""

    snapshot: Names | None = None
    """Snapshots whose haloes stand for those of the light cone, nearest in mass and redshift."""

    halos: Names | None = None
    """Their halo tables; without, haloes are searched."""

    particles: Annotated[int, Field(ge=2000, le=100_000_000)] = 100_000
    """Most gas particles that a halo is painted with; faint ones need few."""

    agn: bool = True
    """Whether active galaxies are drawn; their mean light stays in the background otherwise."""

    agn_flux_limit: Positive = 1e-15
    """Faintest AGN drawn as a source, erg/s/cm^2 in 0.5-2 keV."""

    background: bool = True
    """Whether particles, Galactic foreground and unresolved sources are observed."""

    detect: bool = True
    """Whether sources are searched on the images of each tile and matched to the truth."""

    min_likelihood: Annotated[Number, Field(ge=3)] = 5.0
    """Least detection likelihood of a source in the list."""

    frame: Literal["icrs", "galactic", "ecliptic"] | None = None
    """Frame of the maps given as files, where their headers do not tell."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.preset is None and self.footprint is None:
            raise ValueError("preset: must be given, or a footprint (cone:135,1,2) and an exposure")
        if self.preset is None and self.exposure is None:
            raise ValueError("exposure: must be given where no preset says it (flat:2350, scan:1)")
        if self.halos is not None and self.snapshot is None:
            raise ValueError("halos: is for snapshots; give snapshot as well, or leave this out")
        return self
