"""How scenes are observed: telescope, exposure, absorption, bands, images, what shines besides gas.

The same settings hold for all rows of a catalog; `RowSettings.spec` says what that catalog holds.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Band, CatalogSpec, ImageGeometry
from icmass.errors import InputError
from icmass.simulate.emission.absorption import require_columns
from icmass.simulate.instrument import Instrument
from icmass.simulate.origin import Origin
from icmass.simulate.rng import stream
from icmass.simulate.scene import SceneKey
from icmass.simulate.view import Mode

__all__ = [
    "AGN_CHOICES",
    "GALAXY_COLUMNS",
    "GAS_COLUMNS",
    "MEASURED_COLUMNS",
    "ORIGINS",
    "AgnChoice",
    "RowSettings",
    "row_path",
]

AgnChoice = Literal["box", "sky", "none"]
AGN_CHOICES = ("box", "sky", "none")
ORIGINS = tuple(origin.name.lower() for origin in Origin)  # of the images, in their order

# Optional columns that are measured on the gas; all that every scene gives; those that need
# galaxies.
GAS_COLUMNS = (
    "lx_bolometric_erg_s",
    "lx_0520_erg_s",
    "kt_mass_weighted_kev",
    "kt_spectroscopic_like_kev",
    "kt_core_excised_kev",
    "metallicity_solar",
    "gas_mass_msun",
    "yx_msun_kev",
    "central_density_cm3",
    "centre_offset_r500c",
)
MEASURED_COLUMNS = (
    *GAS_COLUMNS,
    "n_phot_icm",
    "n_phot_agn",
    "n_phot_icm_500",
    "n_phot_agn_500",
    "n_agn",
)
GALAXY_COLUMNS = (
    "stellar_mass_msun",
    "sigma_v_true_km_s",
    "n_gal",
    "sigma_v_clipped_km_s",
    "sigma_v_gapper_km_s",
    "sigma_v_biweight_km_s",
)

# The slab of the simulated volume whose AGN are in the images of Ho et al. 2023: 100 Mpc/h deep.
_AGN_DEPTH_MPC = 100.0 / 0.704


@dataclass(frozen=True)
class RowSettings:
    """Everything that turns a scene into a row but the scene itself.

    Attributes
    ----------
    instrument : str
        Name of a telescope, or the path of its TOML file.
    mode : {"survey", "pointed"}
        Scan-averaged, or one pointing at the centre of the cluster.
    exposure_s : float
        On axis, without vignetting.
    nh_cm2 : float or (float, float)
        Galactic column; of a range each halo and line of sight draws its own, even in the
        logarithm.
    bands : tuple of Band
        Of the images; they may overlap. Photons outside all of them are not counted.
    geometry : ImageGeometry
        Pixels of the images, by their number and size.
    agn : {"box", "sky", "none"}
        box: those of the cluster's galaxies and of the simulated volume around them, as in the
        study; sky: those of the galaxies and all in front and behind, as a telescope sees them;
        none: no AGN as sources, their mean light stays in the background.
    agn_depth_mpc : float
        Comoving depth of the simulated volume along the line of sight.
    agn_flux_limit : float
        Of field AGN with ``agn="sky"``: 0.5-2 keV, erg/s/cm^2; fainter ones are background.
    background : bool
        Whether particles, Galactic foreground and unresolved AGN are observed.
    expectations : {None, "float16", "float32"}
        Type of the noise-free images; None for none.
    seed : int
        Of all draws; those of a row depend on it and on the row's key alone.

    Raises
    ------
    InputError
        If a value is outside its range, or a band outside what the telescope records.
    """

    instrument: str = "erosita"
    mode: Mode = "survey"
    exposure_s: float = 15_000.0
    nh_cm2: float | tuple[float, float] = 3e20
    bands: tuple[Band, ...] = CatalogSpec.bands
    geometry: ImageGeometry = CatalogSpec.geometry
    agn: AgnChoice = "box"
    agn_depth_mpc: float = _AGN_DEPTH_MPC
    agn_flux_limit: float = 1e-15
    background: bool = True
    expectations: Literal["float16", "float32"] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("exposure_s", "agn_depth_mpc", "agn_flux_limit"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise InputError(f"{name}: must be above 0 and finite; got {value}.")
        if self.agn not in AGN_CHOICES:
            raise InputError(f"agn: must be one of {', '.join(AGN_CHOICES)}; got '{self.agn}'.")
        if self.seed < 0:
            raise InputError(f"seed: must be a whole number from 0; got {self.seed}.")
        lowest, highest = self.nh_range
        if not (0.0 < lowest <= highest < math.inf or lowest == highest == 0.0):
            raise InputError(
                f"nh_cm2: must be a column in cm^-2, or a range of them above 0; got {self.nh_cm2}."
            )
        require_columns(self.nh_range, "nh_cm2")
        self._require_bands_recorded()
        self.spec()  # refuses bands of equal names and unknown types of expectations

    @property
    def nh_range(self) -> tuple[float, float]:
        """Lowest and highest column."""
        if isinstance(self.nh_cm2, int | float):
            return float(self.nh_cm2), float(self.nh_cm2)
        lowest, highest = self.nh_cm2
        return float(lowest), float(highest)

    @cached_property
    def telescope(self) -> Instrument:
        """The instrument, read once."""
        return Instrument.load(self.instrument)

    def column_of(self, key: SceneKey) -> float:
        """Return the Galactic column in front of the scene of `key`, cm^-2.

        Of a range it is drawn by the seed and the key alone.
        """
        lowest, highest = self.nh_range
        if lowest == highest:
            return lowest
        rng = np.random.default_rng(stream(self.seed, *row_path(key), "nh"))
        return float(np.exp(rng.uniform(math.log(lowest), math.log(highest))))

    @cached_property
    def intervals(self) -> "tuple[tuple[float, float], ...]":
        """Disjoint ranges of energy, ascending, of which each band is a union."""
        edges = sorted({edge for band in self.bands for edge in (band.lo_kev, band.hi_kev)})
        pairs = list(pairwise(edges))
        return tuple(
            (lo, hi)
            for lo, hi in pairs
            if any(b.lo_kev <= lo and hi <= b.hi_kev for b in self.bands)
        )

    @cached_property
    def membership(self) -> NDArray[np.int64]:
        """1 where a band holds an interval, shape (n_band, n_interval)."""
        rows = [
            [b.lo_kev <= lo and hi <= b.hi_kev for lo, hi in self.intervals] for b in self.bands
        ]
        return np.array(rows, dtype=np.int64)

    def spec(
        self,
        *,
        truth: Iterable[str] = (),
        galaxies: bool = False,
        regions: bool = False,
        box_size_mpc: float | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> CatalogSpec:
        """Return what the catalog of these rows holds.

        Parameters
        ----------
        truth : iterable of str
            Optional columns that the makers of the scenes give (``Scene.truth``).
        galaxies, regions : bool
            Whether scenes have them.
        box_size_mpc : float, optional
            Side of the simulated box, comoving.
        provenance : mapping, optional
            How the catalog came about.

        Returns
        -------
        CatalogSpec
        """
        optional = {*truth, *MEASURED_COLUMNS, *(GALAXY_COLUMNS if galaxies else ())}
        if self.expectations:
            optional.add("n_phot_expected")
        return CatalogSpec(
            optional_columns=tuple(sorted(optional)),
            bands=self.bands,
            geometry=self.geometry,
            origins=ORIGINS,
            expectations=self.expectations,
            galaxies=galaxies,
            regions=regions,
            box_size_mpc=box_size_mpc,
            provenance=dict(provenance or {}),
        )

    def _require_bands_recorded(self) -> None:
        redistribution = self.telescope.response(self.mode).redistribution
        lowest, highest = redistribution.channel_edges_kev[[0, -1]]
        for band in self.bands:
            if not (band.lo_kev < highest and band.hi_kev > lowest):
                raise InputError(
                    f"band '{band.name}': must overlap what {self.instrument} records, "
                    f"{lowest:.3g}-{highest:.3g} keV; got {band.lo_kev:g}-{band.hi_kev:g} keV."
                )


def row_path(key: SceneKey) -> tuple[int | str, ...]:
    """Return what the random streams of the row of `key` are named by."""
    return ("row", key.sample_id, key.snapshot_id, key.halo_id, key.line_of_sight)
