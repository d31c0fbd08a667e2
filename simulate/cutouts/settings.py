"""How images are cut out: pixels, bands, which events are good, and how long the sky was exposed.

The same settings hold for all rows of a catalog; they hold little, for they are sent to workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from numpy.typing import NDArray

from icmass.catalog import Band, CatalogSpec, ImageGeometry
from icmass.errors import InputError
from icmass.simulate.cutouts.event_list import Selection
from icmass.simulate.cutouts.sky_values import Values
from icmass.simulate.rows.settings import ORIGINS, RowSettings
from icmass.simulate.view import Mode

__all__ = ["ALL", "CutoutSettings"]

ALL: Final = ("all",)  # the origins of a catalog of real photons


@dataclass(frozen=True)
class CutoutSettings:
    """Everything that turns a position into a row but the position and the events.

    Attributes
    ----------
    bands : tuple of Band
        Of the images; they may overlap. Photons outside all of them are not counted.
    geometry : ImageGeometry
        In kpc (physical, at the redshift of the position) or arcsec.
    instrument, mode : str
        Telescope that took the events; bands must lie in what it records.
    selection : Selection
        Which events are good.
    hubble, omega_m : float
        H0 / (100 km/s/Mpc) and matter density of the flat cosmology that turns arcsec into kpc.
    exposure : callable or None
        Of RA and Dec [deg]: exposure with vignetting, s; NaN or 0 where the sky was not seen. It is
        kept as a map beside each image, and positions where it is 0 are left out.
    exposure_on_axis : callable or None
        The same without vignetting, for the column ``exposure_s``.
    vignetted_fraction : float or None
        Exposure with vignetting over that without, by which either follows from the other; about
        0.5 in the survey of eROSITA.
    nh : callable or None
        Galactic column, cm^-2, where the table of positions has none.
    sample_id : int
        Of all rows whose table has none.
    provenance : mapping
        What the catalog shall say of its making.

    Raises
    ------
    InputError
        If a number is outside its range, or a band outside what the telescope records.
    """

    bands: tuple[Band, ...] = CatalogSpec.bands
    geometry: ImageGeometry = CatalogSpec.geometry
    instrument: str = "erosita"
    mode: Mode = "survey"
    selection: Selection = field(default_factory=Selection)
    hubble: float = 0.704
    omega_m: float = 0.272
    exposure: Values | None = None
    exposure_on_axis: Values | None = None
    vignetted_fraction: float | None = None
    nh: Values | None = None
    sample_id: int = 0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fraction = self.vignetted_fraction
        if fraction is not None and not 0.0 < fraction <= 1.0:
            raise InputError(
                f"vignetted_fraction: must be above 0 and at most 1; got {fraction}. In the survey "
                "of eROSITA it is about 0.5."
            )
        if not (self.hubble > 0.0 and 0.0 < self.omega_m < 1.0):
            raise InputError(
                f"cosmology: must have h above 0 and omega_m in 0 to 1; got h {self.hubble} and "
                f"omega_m {self.omega_m}."
            )
        _ = self.intervals  # refuses bands that the telescope does not record

    @property
    def cosmology(self) -> FlatLambdaCDM:
        """The universe in which arcsec become kpc."""
        return _cosmology(self.hubble, self.omega_m)

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """Disjoint ranges of energy, ascending, of which each band is a union."""
        return self._rows().intervals

    @property
    def membership(self) -> NDArray[np.int64]:
        """1 where a band holds an interval, shape (n_band, n_interval)."""
        return self._rows().membership

    @property
    def has_exposure_maps(self) -> bool:
        """Whether a map of the exposure stands beside each image."""
        known = self.exposure_on_axis is not None and self.vignetted_fraction is not None
        return self.exposure is not None or known

    def exposures(
        self, ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return exposures without and with vignetting at positions, s; NaN where not known.

        Parameters
        ----------
        ra_deg, dec_deg : ndarray, shape (n,)

        Returns
        -------
        on_axis, vignetted : ndarray, shape (n,)
        """
        unknown = np.full(len(ra_deg), np.nan)
        fraction = np.nan if self.vignetted_fraction is None else self.vignetted_fraction
        if self.exposure_on_axis is not None:
            on_axis = self.exposure_on_axis(ra_deg, dec_deg)
            if self.exposure is None:
                return on_axis, fraction * on_axis
            return on_axis, self.exposure(ra_deg, dec_deg)
        if self.exposure is None:
            return unknown, unknown
        vignetted = self.exposure(ra_deg, dec_deg)
        return vignetted / fraction, vignetted

    def vignetted(
        self, ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return exposures with vignetting, s, at `ra_deg` and `dec_deg`, shape (n,) each.

        NaN where not known.
        """
        if self.exposure is not None:
            return self.exposure(ra_deg, dec_deg)
        return self.exposures(ra_deg, dec_deg)[1]

    def spec(self, taken_over: tuple[str, ...], *, has_origins: bool) -> CatalogSpec:
        """Return what the catalog of these cut-outs holds.

        Parameters
        ----------
        taken_over : tuple of str
            Columns of the positions.
        has_origins : bool
            Whether the events tell whence they came.
        """
        optional = {"ra_deg", "dec_deg", *taken_over}
        if has_origins:
            optional |= {"n_phot_icm", "n_phot_agn", "n_phot_icm_500", "n_phot_agn_500"}
        if self.has_exposure_maps:
            optional.add("exposure_vignetted_s")
        return CatalogSpec(
            optional_columns=tuple(sorted(optional)),
            bands=self.bands,
            geometry=self.geometry,
            origins=ORIGINS if has_origins else ALL,
            exposure_maps=self.has_exposure_maps,
            provenance=dict(self.provenance),
        )

    def _rows(self) -> RowSettings:
        return _row_settings(self.instrument, self.mode, self.bands, self.geometry)


@lru_cache(maxsize=4)
def _row_settings(
    instrument: str, mode: Mode, bands: tuple[Band, ...], geometry: ImageGeometry
) -> RowSettings:
    return RowSettings(instrument=instrument, mode=mode, bands=bands, geometry=geometry)


@lru_cache(maxsize=4)
def _cosmology(hubble: float, omega_m: float) -> FlatLambdaCDM:
    return FlatLambdaCDM(100.0 * hubble, omega_m)
