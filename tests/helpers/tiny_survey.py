"""A sky of a quarter of a square degree in one tile, and maps of parts of the sky in FITS."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from astropy.io import fits
from numpy.typing import ArrayLike

__all__ = ["SKY", "write_config", "write_sky_map"]

# In the middle of a tile; of this seed, with three haloes above 1e14 Msun.
SKY: Final[dict[str, Any]] = {
    "footprint": "cone:45,0.597,0.3",
    "exposure": "flat:1600",
    "column": "3e20",
    "tiles": "healpix:64",
    "min_m500c_msun": 1e14,
    "redshift_range": [0.05, 0.6],
    "agn_flux_limit": 1e-14,
    "particles": 2000,
    "clustering": False,
    "seed": 15,
}


def write_config(path: Path, **other: object) -> Path:
    """Write the configuration of that sky, with other values of some keys."""
    path.write_text(yaml.safe_dump({**SKY, **other}))
    return path


def write_sky_map(
    path: Path, values: ArrayLike, pixel: ArrayLike | None = None, **cards: object
) -> Path:
    """Write a HEALPix map, of all pixels or of those listed; a card of None is left out.

    Parameters
    ----------
    path : Path
    values : array_like, shape (n,)
    pixel : array_like of int, shape (n,), optional
    **cards
        In place of ``ORDERING='NESTED'`` and ``COORDSYS='C'``.
    """
    columns = [fits.Column("VALUE", "D", array=np.asarray(values, np.float64))]
    if pixel is not None:
        columns.insert(0, fits.Column("PIXEL", "K", array=np.asarray(pixel)))
    hdu = fits.BinTableHDU.from_columns(columns)
    for name, value in {"ORDERING": "NESTED", "COORDSYS": "C", **cards}.items():
        if value is not None:
            hdu.header[name] = value
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)
    return path
