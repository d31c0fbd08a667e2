"""One simulated observation: its events, what they were drawn from, and the products of both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from icmass.simulate.events import Events
from icmass.simulate.gas import GasInfo
from icmass.simulate.instrument import Instrument, Response
from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.expectation import expected_image
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.products.bands import Band, resolve_band
from icmass.simulate.products.images import Image, count_image
from icmass.simulate.products.profiles import Profile, count_profile, default_edges_arcsec
from icmass.simulate.products.regions import Region
from icmass.simulate.products.scalars import photon_scalars
from icmass.simulate.products.spectra import Spectrum, count_spectrum
from icmass.simulate.view import View

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Observation"]


@dataclass(frozen=True)
class Observation:
    """What a telescope recorded of a cluster, with the truth beside it.

    Attributes
    ----------
    events : Events
        The detected photons.
    view : View
        Pointing, orientation and field.
    instrument : Instrument
        The telescope.
    response : Response
        Area and redistribution that the spectra were folded with.
    exposure_s : float
        Exposure on axis, unvignetted.
    nh_cm2 : float
        Galactic column density of hydrogen.
    redshift : float
        Redshift of the cluster.
    kpc_per_arcsec : float
        Scale at that redshift.
    components : tuple of Component
        Everything that the events were drawn from.
    gas_info : GasInfo
        Where the gas came from, its halo and cosmology.
    sources : astropy.table.Table or None
        Truth table of point sources; row i has source id i + 1.
    measure : callable
        Makes `scalars`, which many do not ask for, when they are asked for.
    seed : int
        Seed of every random stage.
    config : dict
        What was asked for, in values that JSON can hold.
    """

    events: Events
    view: View
    instrument: Instrument
    response: Response
    exposure_s: float
    nh_cm2: float
    redshift: float
    kpc_per_arcsec: float
    components: tuple[Component, ...]
    gas_info: GasInfo
    sources: "Table | None" = None
    measure: Callable[[], dict[str, Any]] = dict
    seed: int = 0
    config: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def scalars(self) -> dict[str, Any]:
        """Numbers of the cluster and of the observation, see `icmass.simulate.products.scalars`."""
        photons = photon_scalars(self.events, self.r500c_arcsec)
        return {**self.measure(), **photons}

    @property
    def r500c_arcsec(self) -> float | None:
        """R500c of the halo on the sky, or None where it could not be measured."""
        halo = self.gas_info.halo
        if halo is None or not np.isfinite(halo.r500c_kpc):
            return None
        return halo.r500c_kpc / self.kpc_per_arcsec

    def grid(
        self, pixel_arcsec: float | None = None, width_arcsec: float | None = None
    ) -> PixelGrid:
        """Return the pixels of an image about the pointing.

        `pixel_arcsec` is the side of a pixel, by default that of the instrument; `width_arcsec` the
        side of the image, by default that of the field.
        """
        pixel = self.instrument.pixel_arcsec if pixel_arcsec is None else pixel_arcsec
        return PixelGrid.cover(self.view, pixel, width_arcsec)

    def image(
        self,
        band: str | Band | None = None,
        origin: Origin | None = None,
        pixel_arcsec: float | None = None,
        width_arcsec: float | None = None,
    ) -> Image:
        """Count events per pixel.

        Parameters
        ----------
        band : str or (float, float), optional
            "soft", "medium", "hard", "all" or limits [lo, hi) in keV; every energy by default.
        origin : Origin, optional
            One origin alone; all by default.
        pixel_arcsec : float, optional
            Side of a pixel; that of the instrument by default.
        width_arcsec : float, optional
            Side of the image; that of the field by default.

        Returns
        -------
        Image
            Counts, int64, row to the north and column to the west, with a WCS.
        """
        grid = self.grid(pixel_arcsec, width_arcsec)
        return count_image(self.events, self.view, grid, resolve_band(band), origin)

    def expected_image(
        self,
        band: str | Band | None = None,
        origin: Origin | None = None,
        pixel_arcsec: float | None = None,
        width_arcsec: float | None = None,
    ) -> Image:
        """Return the expectation of `image`: what its counts are drawn from, without noise.

        Parameters
        ----------
        band, origin, pixel_arcsec, width_arcsec
            As for `image`.

        Returns
        -------
        Image
            Expected counts per pixel, float64.
        """
        grid, limits = self.grid(pixel_arcsec, width_arcsec), resolve_band(band)
        psf = self.instrument.psf(self.view.mode)
        data = np.zeros(grid.shape)
        for component in self.components:
            if origin is None or component.origin == origin:
                data += expected_image(component, self.view, psf, self.exposure_s, grid, limits)
        return Image(data, grid, self.view, limits, origin)

    def spectrum(self, region: Region | None = None, origin: Origin | None = None) -> Spectrum:
        """Count events per channel in a `region` (the field by default), of one `origin` or all."""
        edges = self.response.redistribution.channel_edges_kev
        return count_spectrum(self.events, self.view, edges, self.exposure_s, region, origin)

    def profile(
        self,
        band: str | Band | None = None,
        edges_arcsec: ArrayLike | None = None,
        origin: Origin | None = None,
    ) -> Profile:
        """Count events of a band in rings about the pointing.

        Parameters
        ----------
        band : str or (float, float), optional
            As for `image`.
        edges_arcsec : array_like, shape (n + 1,), optional
            Ascending radii. By default 25 rings that widen outward to the edge of the field;
            ``observation.r500c_arcsec * x`` gives edges in units of R500c.
        origin : Origin, optional
            One origin alone; all by default.

        Returns
        -------
        Profile
            Counts, solid angles and brightness of the n rings.
        """
        if edges_arcsec is None:
            edges_arcsec = default_edges_arcsec(self.view, self.instrument.pixel_arcsec)
        return count_profile(
            self.events, self.view, edges_arcsec, self.exposure_s, resolve_band(band), origin
        )

    def write(self, directory: str | Path, overwrite: bool = False) -> Path:
        """Write every product into a directory and return its path.

        Parameters
        ----------
        directory : str or Path
            Appears at once, complete, or not at all.
        overwrite : bool
            Whether an existing directory may be replaced.

        Raises
        ------
        OutputError
            If the directory exists and `overwrite` is not set, or cannot be written.
        """
        from icmass.simulate.products.write import write_products  # noqa: PLC0415  (matplotlib)

        return write_products(self, Path(directory), overwrite)
