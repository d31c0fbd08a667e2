"""What can be asked of `icmass observe`."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from icmass.config.base import Axis, Config, NotNegative, Number, Positive, Vector

__all__ = ["ObserveConfig"]


class ObserveConfig(Config):
    """One observation of one cluster. Every key may stand in the file of ``--config``."""

    redshift: Number | None = None
    """Redshift of the cluster, which sets its distance; that of the snapshot by default."""

    exposure_s: Positive = 1600.0
    """Exposure on axis, not vignetted, in seconds."""

    nh_cm2: NotNegative = 3e20
    """Galactic column density of hydrogen in cm^-2."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of every random stage: one seed, one observation."""

    axis: Axis = "z"
    """Line of sight, away from the observer: x, y, z, a vector, or a rotation (rows: the directions
    of east, north and away)."""

    center_kpc: Vector | None = None
    """Centre in the snapshot, physical kpc (no h); a shrinking sphere finds it by default."""

    radius_kpc: Positive | None = None
    """Radius of the sphere of gas to observe, physical kpc; the reader's choice by default."""

    units: dict[str, str | float] | None = None
    """Sizes of the snapshot's units, such as {length: Mpc/h, mass: 1e10 Msun/h, velocity: km/s}."""

    min_temperature_k: NotNegative = 1e6
    """Colder gas of the snapshot is left out, K."""

    max_density_g_cm3: Positive | None = None
    """Denser gas of the snapshot is left out, g/cm^3; no such cut by default."""

    star_forming: bool = False
    """Whether to keep gas that forms stars, whose temperature is that of an effective model."""

    metallicity: NotNegative | None = None
    """One metallicity for all gas, solar; by default that of the snapshot, or 0.3 without one."""

    ra_deg: Annotated[Number, Field(ge=0, lt=360)] = 150.0
    """Right ascension at which the cluster is put, degrees."""

    dec_deg: Annotated[Number, Field(ge=-90, le=90)] = 2.0
    """Declination at which the cluster is put, degrees."""

    width_deg: Positive | None = None
    """Side (survey) or diameter (pointed) of the field, degrees; the field of view by default."""

    instrument: str = "erosita"
    """Name of an instrument (icmass instruments lists them), or a TOML file that describes one."""

    mode: Literal["survey", "pointed"] = "survey"
    """survey: responses averaged over the scan, square field; pointed: the round field of view."""

    arf: str | None = None
    """OGIP file of the effective area, to take the place of the instrument's own."""

    rmf: str | None = None
    """OGIP file of the energy redistribution, to take the place of the instrument's own."""

    table: str | None = None
    """Table of plasma spectra; the one that comes with the package by default."""

    cross_section: str | None = None
    """Table of photoelectric cross-sections; Morrison & McCammon (1983) by default."""

    particles: bool = True
    """Whether particles hit the detector."""

    foreground: bool = True
    """Whether the hot gas of our Galaxy shines."""

    extragalactic: bool = True
    """Whether extragalactic sources that are not drawn one by one shine."""

    field_agn: bool = True
    """Whether active galaxies in front of and behind the cluster are drawn."""

    cluster_agn: bool = True
    """Whether active galaxies that belong to the cluster are drawn."""

    agn_flux_limit: Positive = 1e-15
    """Faintest field AGN drawn as a source, erg/s/cm^2 in 0.5-2 keV."""

    def sky(self) -> tuple[str, ...]:
        """Names of the components of the sky that are switched on."""
        names = ("particles", "foreground", "extragalactic", "field_agn", "cluster_agn")
        return tuple(name for name in names if getattr(self, name))

    @field_validator("redshift")
    @classmethod
    def _distance_needed(cls, value: float | None) -> float | None:
        if value is not None and value <= 0:
            raise ValueError("must be above 0, for a distance is needed (0.1, say)")
        return value

    @model_validator(mode="after")
    def _area_belongs_to_a_matrix(self) -> Self:
        if self.arf is not None and self.rmf is None:
            raise ValueError("arf: needs the RMF of the same energies beside it; give rmf as well")
        return self
