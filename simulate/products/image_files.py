"""Image files: counts by band and origin, exposure maps and the expected background."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from icmass.simulate.fits_opening import write_fits
from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import ALL, BANDS, Band
from icmass.simulate.products.header import (
    Card,
    add_cards,
    band_cards,
    observation_cards,
    primary_hdu,
)

if TYPE_CHECKING:
    from icmass.simulate.observation import Observation
    from icmass.simulate.pixel_grid import PixelGrid
    from icmass.simulate.view import View

__all__ = [
    "add_image_cards",
    "exposure_map",
    "write_background_map",
    "write_exposure_map",
    "write_image",
]


def write_image(observation: "Observation", path: Path, band: str) -> None:
    """Write the counts of one band: all of them first, then one extension per origin.

    Parameters
    ----------
    observation : Observation
        Whose photons are counted.
    path : Path
        File to make; must not exist.
    band : str
        Its name.
    """
    total = observation.image(band)
    hdus: list[fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU] = [
        _image_hdu(observation, total.data.astype(np.int32), total.grid, total.band_kev, "count")
    ]
    add_cards(hdus[0].header, [("ORIGINS", "all", "origins of the photons in this image")])
    for origin in Origin:
        part = observation.image(band, origin)
        hdu = _image_hdu(
            observation, part.data.astype(np.int32), part.grid, part.band_kev, "count", origin.name
        )
        add_cards(hdu.header, [("ORIGINS", origin.name, "origin of the photons in this image")])
        hdus.append(hdu)
    write_fits(hdus, path)


def write_background_map(observation: "Observation", path: Path) -> None:
    """Write the expected background counts of `observation` to `path`, one extension per band."""
    hdus = [primary_hdu(observation)]
    for band in (*BANDS, "all"):
        image = observation.expected_image(band, Origin.BACKGROUND)
        data = image.data.astype(np.float32)
        hdus.append(
            _image_hdu(observation, data, image.grid, image.band_kev, "count", band.upper())
        )
    write_fits(hdus, path)


def exposure_map(
    observation: "Observation", grid: "PixelGrid", energy_kev: float | None = None
) -> NDArray[np.float64]:
    """Return the exposure of each pixel, zero outside the field.

    Parameters
    ----------
    observation : Observation
        Gives exposure, field and telescope.
    grid : PixelGrid
        Pixels of the map.
    energy_kev : float, optional
        Where given, times the area that is left off axis at this energy relative to the axis: the
        mean over the field of view in survey mode, that at the pixel in pointed mode.

    Returns
    -------
    ndarray, shape (n_y, n_x)
        Seconds.

    Notes
    -----
    Pixels that the edge of the field cuts hold the exposure times the fraction inside, so that
    background rates times exposure sum to counts.
    """
    exposure = observation.exposure_s * grid.field_fraction(observation.view)
    if energy_kev is None:
        return exposure
    instrument = observation.instrument
    if observation.view.mode == "survey":
        radius_arcmin = 30.0 * instrument.fov_diameter_deg
        return exposure * float(instrument.vignetting.field_mean(energy_kev, radius_arcmin)[0])
    east, north = grid.centres_arcsec()
    theta_arcmin = np.hypot(east[None, :], north[:, None]) / 60.0
    factor = instrument.vignetting.factor(energy_kev, theta_arcmin.ravel())
    return exposure * factor[:, 0].reshape(grid.shape)


def write_exposure_map(observation: "Observation", path: Path) -> None:
    """Write the exposure of `observation` to `path`.

    Unvignetted first, then vignetted at the (geometric) middle of each band.
    """
    grid = observation.grid()
    flat = exposure_map(observation, grid).astype(np.float32)
    hdus: list[fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU] = [
        _image_hdu(observation, flat, grid, ALL, "s")
    ]
    add_cards(hdus[0].header, [("VIGNET", False, "vignetting is in the map")])
    for name, band in BANDS.items():
        energy_kev = float(np.sqrt(band[0] * band[1]))
        data = exposure_map(observation, grid, energy_kev).astype(np.float32)
        hdu = _image_hdu(observation, data, grid, band, "s", name.upper())
        cards: list[Card] = [
            ("VIGNET", True, "relative to the axis; survey: field mean"),
            ("E_VIGN", energy_kev, "[keV] energy of the vignetting"),
        ]
        add_cards(hdu.header, cards)
        hdus.append(hdu)
    write_fits(hdus, path)


def _image_hdu(
    observation: "Observation",
    data: NDArray,
    grid: "PixelGrid",
    band: Band,
    unit: str,
    name: str | None = None,
) -> fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU:
    """Return an image HDU with the sky coordinates; the first of a file where it has no name."""
    hdu = fits.PrimaryHDU(data) if name is None else _extension(data, name)
    cards = band_cards(band) + observation_cards(observation)
    add_image_cards(hdu.header, grid, observation.view, unit, cards)
    return hdu


def add_image_cards(
    header: fits.Header, grid: "PixelGrid", view: "View", unit: str, cards: list[Card]
) -> None:
    """Say where the pixels of an image lie on the sky, what they hold, and add cards.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Of the image.
    grid : PixelGrid
        Its pixels.
    view : View
        Where the tangent plane touches the sky.
    unit : str
        Of the values, such as ``count``.
    cards : list of Card
        Added after them.
    """
    header.extend(grid.wcs(view).to_header(), unique=True)
    header["BUNIT"] = unit
    add_cards(header, cards)
    header.remove("MJDREF", ignore_missing=True)  # a date that astropy makes up


def _extension(data: NDArray, name: str) -> fits.ImageHDU | fits.CompImageHDU:
    """Return an image extension; counts, mostly zero, go in FITS tile compression.

    Rice is lossless for integers only, and gzip would put the time into the file.
    """
    if data.dtype.kind == "f":
        return fits.ImageHDU(data, name=name)
    return fits.CompImageHDU(data, name=name, compression_type="RICE_1")
