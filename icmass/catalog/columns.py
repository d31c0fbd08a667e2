"""The one declaration of what a catalog holds: columns, galaxies, regions, flags.

Every column says its unit, its type, what it means, whether an observer could know it, and whether
each catalog must have it. The documentation page and every check are made from these tuples. No
unit holds the Hubble constant: masses are in Msun and lengths in physical kpc, never in Msun/h.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, Literal

import numpy as np

__all__ = [
    "COLUMNS",
    "FLAG_MEANINGS",
    "GALAXY_COLUMNS",
    "KEY",
    "REGION_COLUMNS",
    "Column",
    "Flag",
    "Kind",
    "RegionKind",
    "expand",
    "rows_dtype",
]

Kind = Literal["identity", "observable", "truth"]


@dataclass(frozen=True)
class Column:
    """One column. A float that is NaN, a count that is -1, a column that is absent: not known.

    Attributes
    ----------
    name : str
        With its unit; ``{band}`` stands for the name of each image band.
    unit : str
        In astropy's notation; empty for pure numbers.
    dtype : str
        NumPy's code of the type.
    kind : str
        identity (which row it is), observable (an observer knows it) or truth (the simulation
        knows it). Estimators take observables only.
    meaning : str
        One sentence, with ``{band}`` where it stands in the name.
    required : bool
        Whether each catalog has it.
    lowest, highest : float
        Limits of known values, both allowed.
    """

    name: str
    unit: str
    dtype: str
    kind: Kind
    meaning: str
    required: bool = False
    lowest: float = -float("inf")
    highest: float = float("inf")

    def of_band(self, band: str) -> "Column":
        """Return the column of one `band`, given by its name."""
        texts = {"name": self.name.format(band=band), "meaning": self.meaning.format(band=band)}
        return Column(**{**self.__dict__, **texts})


class Flag(IntFlag):
    """Bits of the column ``flags``: what to know about a row before it is used."""

    GAS_TRUNCATED = 1
    BLENDED = 2
    FIELD_EDGE = 4
    FEW_GALAXIES = 8
    KT_CLAMPED = 16
    NO_PHOTONS = 32


FLAG_MEANINGS: Final[dict[Flag, str]] = {
    Flag.GAS_TRUNCATED: "The gas that was read does not fill the image.",
    Flag.BLENDED: "Another halo of at least half the mass lies inside the projected R500c.",
    Flag.FIELD_EDGE: "A part of the image was not exposed.",
    Flag.FEW_GALAXIES: "Fewer than 10 galaxies give the observed velocity dispersions.",
    Flag.KT_CLAMPED: "Over 1% of the emission measure is hotter or colder than the plasma table.",
    Flag.NO_PHOTONS: "The image holds no photon of the gas.",
}


class RegionKind(IntEnum):
    """What a region of the truth is."""

    SUBSTRUCTURE = 1
    COMPANION = 2
    NEIGHBOUR = 3


# Together these name a row; no two rows of a catalog share them.
KEY: Final = ("sample_id", "snapshot_id", "halo_id", "line_of_sight")


def _identity(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, "", "i8", "identity", meaning, required, lowest=0)


def _number(name: str, unit: str, kind: Kind, meaning: str, **options: bool | float) -> Column:
    limits = {"lowest": 0.0, **options}
    return Column(name, unit, "f8", kind, meaning, **limits)  # type: ignore[arg-type]


def _count(name: str, kind: Kind, meaning: str, *, required: bool = False) -> Column:
    return Column(name, "", "i8", kind, meaning, required, lowest=-1)


_ANY: Final = -float("inf")

COLUMNS: Final[tuple[Column, ...]] = (
    _identity("sample_id", "Which sample the halo is of: a simulation, or a population and seed."),
    _identity("snapshot_id", "Which snapshot (one redshift) of the sample the halo is in."),
    _identity("halo_id", "Number of the halo, unique in its snapshot."),
    _identity("line_of_sight", "Number of the direction from which the halo is seen."),
    _identity("tile_id", "Tile of the survey that the image is cut from.", required=False),
    _number("box_x_mpc", "Mpc", "identity", "Comoving position in the simulated box."),
    _number("box_y_mpc", "Mpc", "identity", "Comoving position in the simulated box."),
    _number("box_z_mpc", "Mpc", "identity", "Comoving position in the simulated box."),
    _number("ra_deg", "deg", "observable", "Right ascension of the image centre.", highest=360.0),
    _number(
        "dec_deg", "deg", "observable", "Declination of the centre.", lowest=-90.0, highest=90.0
    ),
    _number("redshift", "", "observable", "Redshift of the cluster.", required=True),
    _number(
        "exposure_s", "s", "observable", "Exposure on axis, without vignetting.", required=True
    ),
    _number("exposure_vignetted_s", "s", "observable", "Exposure at the centre, with vignetting."),
    _number("nh_cm2", "cm-2", "observable", "Galactic column density of hydrogen.", required=True),
    # The halo
    _number("m500c_msun", "Msun", "truth", "Mass inside R500c.", required=True),
    _number("r500c_kpc", "kpc", "truth", "Radius of 500 critical densities.", required=True),
    _number("m200c_msun", "Msun", "truth", "Mass inside R200c."),
    _number("r200c_kpc", "kpc", "truth", "Radius of 200 critical densities."),
    _number("concentration", "", "truth", "R200c over the NFW scale radius."),
    _number(
        "v_los_halo_km_s", "km / s", "truth", "Bulk velocity away from the observer.", lowest=_ANY
    ),
    # Ideal quantities, measured on particles inside R500c
    _number("lx_bolometric_erg_s", "erg / s", "truth", "Bolometric luminosity inside R500c."),
    _number("lx_0520_erg_s", "erg / s", "truth", "Luminosity in 0.5-2 keV rest frame, in R500c."),
    _number("kt_mass_weighted_kev", "keV", "truth", "Mass-weighted temperature inside R500c."),
    _number(
        "kt_spectroscopic_like_kev", "keV", "truth", "Spectroscopic-like temperature in R500c."
    ),
    _number(
        "kt_core_excised_kev", "keV", "truth", "Spectroscopic-like temperature in 0.15-1 R500c."
    ),
    _number("metallicity_solar", "", "truth", "Emission-weighted metallicity in R500c, solar."),
    _number("gas_mass_msun", "Msun", "truth", "Gas mass inside R500c."),
    _number("stellar_mass_msun", "Msun", "truth", "Stellar mass inside R500c."),
    _number("yx_msun_kev", "keV Msun", "truth", "Gas mass times core-excised temperature."),
    _number("sigma_v_true_km_s", "km / s", "truth", "1-D velocity dispersion of true members."),
    # What makes a cluster differ from others of its mass
    _number("dynamical_state", "", "truth", "How disturbed, in standard deviations.", lowest=_ANY),
    _number(
        "cool_core_strength", "", "truth", "Core strength, in standard deviations.", lowest=_ANY
    ),
    _number("central_density_cm3", "cm-3", "truth", "Electron density at 0.02 R500c."),
    _number("axis_ratio", "", "truth", "Shortest over longest axis of the gas.", highest=1.0),
    _number("centre_offset_r500c", "", "truth", "Gas centre to halo centre, in R500c."),
    _count("n_substructures", "truth", "Number of substructures and companions."),
    _number(
        "substructure_mass_fraction",
        "",
        "truth",
        "Mass of substructures and companions before they fell in, over M500c; may exceed 1.",
    ),
    # Photons
    _count(
        "n_phot",
        "observable",
        "Photons of gas and AGN in the image, all bands together (of everything, where the catalog "
        "does not keep origins apart).",
        required=True,
    ),
    _count(
        "n_phot_{band}",
        "observable",
        "The same in the band {band}: the sum of its image.",
        required=True,
    ),
    _count(
        "n_phot_500",
        "observable",
        "The same as n_phot inside the true projected R500c.",
        required=True,
    ),
    _count(
        "n_phot_500_{band}",
        "observable",
        "The same as n_phot_500 in the band {band}.",
        required=True,
    ),
    _count("n_background", "observable", "Background photons in the image.", required=True),
    _count("n_background_500", "observable", "Background photons inside R500c.", required=True),
    _count("n_phot_icm", "truth", "Photons of gas in the image, all bands together."),
    _count("n_phot_agn", "truth", "Photons of AGN in the image, all bands together."),
    _count("n_phot_icm_500", "truth", "Photons of gas inside R500c, all bands together."),
    _count("n_phot_agn_500", "truth", "Photons of AGN inside R500c, all bands together."),
    _count("n_agn", "truth", "Number of AGN drawn as sources in the image."),
    _number("n_phot_expected", "", "truth", "Expectation of n_phot_icm."),
    # Galaxies
    _count("n_gal", "observable", "Galaxies left by the clipping of sigma_v_clipped_km_s."),
    _number(
        "sigma_v_clipped_km_s",
        "km / s",
        "observable",
        "1-D velocity dispersion in the cylinder, 3-sigma clipped.",
    ),
    _number(
        "sigma_v_gapper_km_s", "km / s", "observable", "1-D velocity dispersion by the gapper."
    ),
    _number(
        "sigma_v_biweight_km_s", "km / s", "observable", "1-D dispersion by the biweight scale."
    ),
    # Detection in a survey
    Column("detected", "", "?", "observable", "Whether a detected source was matched to it."),
    _number("detection_likelihood", "", "observable", "-ln P of the source being a fluctuation."),
    _number(
        "extent_likelihood", "", "observable", "Gain in ln L of an extended source over a point."
    ),
    _number("extent_arcsec", "arcsec", "observable", "Extent (core radius) of the source."),
    _number(
        "detection_ra_deg", "deg", "observable", "Right ascension of the source.", highest=360.0
    ),
    _number(
        "detection_dec_deg", "deg", "observable", "Its declination.", lowest=-90.0, highest=90.0
    ),
    _number("detection_counts", "", "observable", "Counts of the source above the background."),
    Column("flags", "", "u4", "observable", "Sum of the bits listed below.", required=True),
)

GALAXY_COLUMNS: Final[tuple[Column, ...]] = (
    Column("east_kpc", "kpc", "f4", "observable", "Offset to the east of the image centre.", True),
    Column("north_kpc", "kpc", "f4", "observable", "Offset to the north of the centre.", True),
    Column("v_los_km_s", "km / s", "f4", "observable", "Velocity away, about the cluster's.", True),
    Column("stellar_mass_msun", "Msun", "f4", "observable", "Stellar mass.", True, lowest=0),
    Column("member", "", "?", "truth", "True member of the cluster, not an interloper.", True),
)

REGION_COLUMNS: Final[tuple[Column, ...]] = (
    Column("kind", "", "u1", "truth", "1 substructure, 2 companion, 3 neighbour.", True, 1, 3),
    Column("east_kpc", "kpc", "f4", "truth", "Offset to the east of the image centre.", True),
    Column("north_kpc", "kpc", "f4", "truth", "Offset to the north of the centre.", True),
    Column("radius_kpc", "kpc", "f4", "truth", "Radius that holds its gas.", True, lowest=0),
    Column("mass_msun", "Msun", "f4", "truth", "Its mass.", True, lowest=0),
)


def expand(columns: Iterable[Column], bands: Iterable[str]) -> tuple[Column, ...]:
    """Put the names of bands into the columns that exist once per band.

    Parameters
    ----------
    columns : iterable of Column
        Declaration.
    bands : iterable of str
        Names of the image bands.

    Returns
    -------
    tuple of Column
        In the order of the declaration.
    """
    names = tuple(bands)
    result: list[Column] = []
    for column in columns:
        result += [column.of_band(b) for b in names] if "{band}" in column.name else [column]
    return tuple(result)


def rows_dtype(columns: Iterable[Column]) -> np.dtype[np.void]:
    """Return the structured type of a row of these `columns`."""
    return np.dtype([(column.name, column.dtype) for column in columns])
