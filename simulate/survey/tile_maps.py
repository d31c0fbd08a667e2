"""Maps of a tile: exposure, expected background and Galactic column, as images of 16 arcsec pixels.

TAN images with north up and east left, one band per extension; the first HDU of a file is empty.
They are compressed as FITS images are (Rice), rounded to the steps below, which are far finer than
anything is known; readers undo it by themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from astropy.io import fits
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.fits_opening import write_fits
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.products.bands import ALL, Band
from icmass.simulate.products.header import Card, add_provenance, band_cards, empty_primary
from icmass.simulate.products.image_files import add_image_cards
from icmass.simulate.sky.tiles import solid_angle_factor
from icmass.simulate.survey.tile_cards import TileCards, tile_view

if TYPE_CHECKING:
    from icmass.simulate.survey.tiles import Tile

__all__ = [
    "MAP_BANDS",
    "MAP_PIXEL_ARCSEC",
    "VIGNETTED_BAND",
    "SkyFunction",
    "TileMaps",
    "tile_grid",
    "write_maps",
]

Floats = NDArray[np.float64]
#: From RA and Dec (ICRS degrees, shape (n,)) to values, shape (n,) or (k, n).
SkyFunction = Callable[[Floats, Floats], ArrayLike]

MAP_PIXEL_ARCSEC: Final = 16.0
#: keV; the bands 1 to 3 of eSASS.
MAP_BANDS: Final[tuple[Band, ...]] = ((0.2, 0.6), (0.6, 2.3), (2.3, 5.0))
#: keV; band 4 of eSASS, where sources are searched.
VIGNETTED_BAND: Final[Band] = (0.2, 2.3)

# Steps of the values that are stored.
_STEP_S: Final = 0.01
_STEP_COUNTS: Final = 1e-6
_STEP_CM2: Final = 1e16
# Steps are counted in 32 bits. Beyond that values would be stored otherwise, with the time in them.
_MOST_STEPS: Final = 2**31
_ROWS_AT_ONCE: Final = 64


@dataclass(frozen=True)
class TileMaps:
    """What is mapped, as functions of the place; they are evaluated on the centres of pixels.

    Attributes
    ----------
    exposure_s : callable
        On axis, unvignetted; 0 where nothing is observed.
    vignetted_share : float
        How much of it is left in `VIGNETTED_BAND`, averaged over the field of view.
    background_per_arcmin2 : callable
        Expected counts per arcmin^2 of sky in `MAP_BANDS`, shape (3, n).
    nh_cm2 : callable
        Galactic column; NaN where it is not known.
    """

    exposure_s: SkyFunction
    vignetted_share: float
    background_per_arcmin2: SkyFunction
    nh_cm2: SkyFunction


def tile_grid(tile: "Tile", pixel_arcsec: float = MAP_PIXEL_ARCSEC) -> PixelGrid:
    """Return the pixels, `pixel_arcsec` wide, that cover the square of `tile`."""
    return PixelGrid.cover(tile_view(tile), pixel_arcsec)


def write_maps(directory: Path, tile: "Tile", maps: TileMaps, cards: TileCards) -> None:
    """Write ``exposure.fits``, ``background.fits`` and ``column.fits``.

    Parameters
    ----------
    directory : Path
        Exists; the files do not.
    tile : Tile
    maps : TileMaps
    cards : TileCards

    Raises
    ------
    InputError
        If a function gives values of another shape, negative or infinite ones, or unknown ones that
        are no column; or if the share lies outside (0, 1].

    Notes
    -----
    ``exposure.fits`` holds EXPOSURE and VIGNETTED [s], ``background.fits`` BAND1 to BAND3 [counts
    per pixel; the solid angle of each pixel of the tangent plane is in it], ``column.fits`` COLUMN
    [cm^-2].
    """
    if not 0.0 < maps.vignetted_share <= 1.0:
        raise InputError(
            f"vignetted_share: must lie in (0, 1]; got {maps.vignetted_share}. It is the mean over "
            "the field of view."
        )
    writer = _Writer(directory, tile, cards, tile_grid(tile))
    exposure = writer.evaluate("exposure_s", maps.exposure_s, 1)
    flat: list[Card] = [("VIGNET", False, "vignetting is in the map")]
    vignetted: list[Card] = [
        ("VIGNET", True, "vignetting is in the map"),
        ("VIGSHARE", maps.vignetted_share, "share of the exposure left"),
    ]
    share = np.float32(maps.vignetted_share)
    writer.write(
        "exposure.fits",
        "s",
        _STEP_S,
        [
            ("EXPOSURE", exposure[0], band_cards(ALL) + flat),
            ("VIGNETTED", exposure[0] * share, band_cards(VIGNETTED_BAND) + vignetted),
        ],
    )
    del exposure
    background = writer.evaluate(
        "background_per_arcmin2", maps.background_per_arcmin2, len(MAP_BANDS)
    )
    background *= writer.pixel_arcmin2()
    images = [
        (f"BAND{number}", image, band_cards(band))
        for number, (image, band) in enumerate(zip(background, MAP_BANDS, strict=True), 1)
    ]
    writer.write("background.fits", "count", _STEP_COUNTS, images)
    del background, images
    column = writer.evaluate("nh_cm2", maps.nh_cm2, 1, unknown=True)
    writer.write("column.fits", "cm-2", _STEP_CM2, [("COLUMN", column[0], [])])


@dataclass(frozen=True)
class _Writer:
    directory: Path
    tile: "Tile"
    cards: TileCards
    grid: PixelGrid

    def pixel_arcmin2(self) -> NDArray[np.float32]:
        """Solid angle of each pixel, which is smaller off the centre, shape (n_y, n_x)."""
        east, north = self.grid.centres_arcsec()
        factor = solid_angle_factor(east[None, :], north[:, None])
        return (self.grid.pixel_area_arcmin2 * factor).astype(np.float32)

    def evaluate(
        self, what: str, function: SkyFunction, layers: int, *, unknown: bool = False
    ) -> NDArray[np.float32]:
        """Return the values on the centres of the pixels, shape (layers, n_y, n_x)."""
        view = tile_view(self.tile)
        east, north = self.grid.centres_arcsec()
        result = np.empty((layers, *self.grid.shape), dtype=np.float32)
        for first in range(0, self.grid.n_y, _ROWS_AT_ONCE):
            rows = north[first : first + _ROWS_AT_ONCE]
            ra, dec = view.sky(*(a.ravel() for a in np.meshgrid(east, rows)))
            values = np.atleast_2d(np.asarray(function(ra, dec), dtype=np.float64))
            if values.shape != (layers, len(ra)):
                raise InputError(
                    f"{what}: must give values of shape {(layers, len(ra))} for {len(ra)} places; "
                    f"got {values.shape}. Return one value per place."
                )
            right = np.isnan(values) if unknown else np.zeros(values.shape, dtype=bool)
            right |= (values >= 0.0) & np.isfinite(values)
            if not right.all():
                place = int(np.argmin(right.all(axis=0)))
                raise InputError(
                    f"{what}: must be finite and at least 0 on tile {self.tile.name}; got "
                    f"{values[:, place].tolist()} at RA {ra[place]:.4f}, Dec {dec[place]:.4f} deg. "
                    "Give a map that covers the tile."
                )
            result[:, first : first + len(rows)] = values.reshape(layers, len(rows), -1)
        return result

    def write(
        self,
        name: str,
        unit: str,
        step: float,
        images: list[tuple[str, NDArray[np.float32], list[Card]]],
    ) -> None:
        """Write one file with an extension per image."""
        common, view = self.cards.cards(self.tile), tile_view(self.tile)
        first = empty_primary(common)
        add_provenance(first.header, self.cards.provenance)
        hdus: list[fits.PrimaryHDU | fits.CompImageHDU] = [first]
        for extension, image, own in images:
            highest = float(np.nanmax(image, initial=0.0))
            if highest >= step * _MOST_STEPS:
                raise InputError(
                    f"{name}: must be below {step * _MOST_STEPS:g} {unit} to be stored; got "
                    f"{highest:g}. Check the units."
                )
            hdu = fits.CompImageHDU(
                image,
                name=extension,
                compression_type="RICE_1",
                quantize_level=-step,  # negative: the step itself
                quantize_method=-1,  # plain rounding, without random numbers
            )
            add_image_cards(hdu.header, self.grid, view, unit, own + common)
            hdus.append(hdu)
        write_fits(hdus, self.directory / name)
