"""Numbers that depend on the place on the sky, such as exposure: constants, maps, images.

A source is asked with arrays of RA and Dec and answers with values, NaN where it does not know. The
sources here hold names of files and no data, so that they can be sent to workers; what they open is
kept while a process works on one part of the sky.
"""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.fits_opening import open_whole_fits
from icmass.simulate.skymaps import SkyMap, unit_vectors

__all__ = ["Constant", "ImageFiles", "MapFile", "Values", "sky_values"]

Floats = NDArray[np.float64]
# Takes RA and Dec [deg], shape (n,); returns values, shape (n,), NaN where not known.
Values = Callable[[Floats, Floats], Floats]

_SLACK_DEG: Final = 0.01  # corners of an image, and points in float64


@dataclass(frozen=True)
class Constant:
    """The same everywhere."""

    value: float

    def __call__(self, ra_deg: Floats, dec_deg: Floats) -> Floats:
        """Return it for each position."""
        return np.full(len(ra_deg), self.value)


@dataclass(frozen=True)
class MapFile:
    """A HEALPix map in a file, read when it is first asked.

    Attributes
    ----------
    path : str
    digest : str
        Of its headers and size.
    """

    path: str
    digest: str

    def __call__(self, ra_deg: Floats, dec_deg: Floats) -> Floats:
        """Return the values of the pixels that the positions lie in."""
        return _sky_map(self.path, self.digest).at(ra_deg, dec_deg)


@dataclass(frozen=True)
class ImagePlace:
    """Where one FITS image lies."""

    path: str
    hdu: int
    ra_deg: float
    dec_deg: float
    radius_deg: float


@dataclass(frozen=True)
class ImageFiles:
    """FITS images with a WCS, such as exposure maps of eSASS; few are open at a time.

    Each position gets the value of the pixel it lies in; where images overlap, as those of sky
    tiles do, the largest, for each of them tells of all photons there.

    Attributes
    ----------
    images : tuple of ImagePlace
    digest : str
        Of their headers.
    """

    images: tuple[ImagePlace, ...]
    digest: str

    def __call__(self, ra_deg: Floats, dec_deg: Floats) -> Floats:
        """Return the values of the pixels that the positions lie in."""
        result = np.full(len(ra_deg), np.nan)
        if not len(ra_deg):
            return result
        points = unit_vectors(ra_deg, dec_deg)
        centre = points.mean(axis=0)
        centre /= max(float(np.linalg.norm(centre)), 1e-9)
        spread = np.degrees(np.arccos(np.clip(points @ centre, -1.0, 1.0))).max()
        for image in self._near(centre, spread):
            values = _image_values(image, self.digest, ra_deg, dec_deg)
            result = np.fmax(result, values)
        return result

    def _near(self, centre: Floats, spread_deg: float) -> list[ImagePlace]:
        """Return the images that may hold points within `spread_deg` of a direction."""
        ra = np.array([image.ra_deg for image in self.images])
        dec = np.array([image.dec_deg for image in self.images])
        apart = np.degrees(np.arccos(np.clip(unit_vectors(ra, dec) @ centre, -1.0, 1.0)))
        reach = np.array([image.radius_deg for image in self.images]) + spread_deg + _SLACK_DEG
        return [self.images[k] for k in np.flatnonzero(apart <= reach)]


def sky_values(source: Any, what: str, *, vignetted: bool | None = None) -> Values | None:
    """Return a source of values of whatever says where they are.

    Parameters
    ----------
    source : float, str, Path, sequence of them, SkyMap, callable or None
        A number; names or patterns of files, either one HEALPix map or FITS images; a map in
        memory, or any function of RA and Dec, which is sent to workers as it is.
    what : str
        What the values are, for messages.
    vignetted : bool, optional
        Which image to take of a file whose images say in VIGNET whether vignetting is in them.

    Raises
    ------
    InputError
        If a file is missing, is neither map nor image with a celestial WCS, or several HEALPix maps
        are given.
    """
    if source is None or isinstance(source, Constant | MapFile | ImageFiles):
        return source
    if isinstance(source, int | float):
        return Constant(float(source))
    if callable(source) or hasattr(source, "at"):
        function: Values = source if callable(source) else source.at
        return function
    names = [source] if isinstance(source, str | Path) else list(source)
    paths = [path for name in names for path in _expanded(str(name), what)]
    maps = [path for path in paths if _is_healpix(path, what)]
    if maps and len(paths) > 1:
        raise InputError(
            f"{what}: must be one HEALPix map, or images; got {len(paths)} files, of which "
            f"{maps[0]} is a map."
        )
    if maps:
        return MapFile(maps[0], _header_digest(maps[0], what))
    images = tuple(_image_of(path, what, vignetted) for path in paths)
    digest = hashlib.sha256("".join(_header_digest(p, what) for p in paths).encode())
    return ImageFiles(images, digest.hexdigest()[:32])


def _expanded(name: str, what: str) -> list[str]:
    paths = sorted(glob(name)) if has_magic(name) else [name]
    if not paths:
        raise InputError(f"{what}: must be a file or a pattern of files; {name} leads to none.")
    return paths


def _opened(path: str, what: str) -> AbstractContextManager[Any]:
    return open_whole_fits(Path(path), mapped=True, what=what)


def _is_healpix(path: str, what: str) -> bool:
    with _opened(path, f"map of {what}") as file:
        return any(
            str(hdu.header.get("PIXTYPE", "")).strip().upper() == "HEALPIX"
            or ("ORDERING" in hdu.header and "NSIDE" in hdu.header)
            for hdu in file
        )


def _header_digest(path: str, what: str) -> str:
    """Hash of headers and size: reading thousands of images to the end would take hours."""
    digest = hashlib.sha256(f"{Path(path).name} {Path(path).stat().st_size}".encode())
    with _opened(path, f"map of {what}") as file:
        for hdu in file:
            digest.update(hdu.header.tostring().encode())
    return digest.hexdigest()[:32]


def _image_of(path: str, what: str, vignetted: bool | None) -> ImagePlace:
    """Find the image of a file: of those that may be meant the first."""
    with _opened(path, f"map of {what}") as file:
        places = []
        for number, hdu in enumerate(file):
            says = hdu.header.get("VIGNET")
            if hdu.header.get("NAXIS") == 2 and hdu.is_image and says in (None, vignetted):
                places.append(_placed(path, number, hdu.header))
        found = next((place for place in places if place is not None), None)
    if found is None:
        kind = {None: "", True: ", with vignetting", False: ", without vignetting"}[vignetted]
        raise InputError(
            f"{path}: must be an image with a celestial WCS, or a HEALPix map, of {what}{kind}; it "
            "has none."
        )
    return found


def _placed(path: str, number: int, header: Any) -> ImagePlace | None:
    """Say where an image lies; None if its header does not."""
    wcs = _celestial(header)
    if wcs is None:
        return None
    n_x, n_y = header["NAXIS1"], header["NAXIS2"]
    x = np.array([0.5 * (n_x - 1), -0.5, n_x - 0.5, -0.5, n_x - 0.5])
    y = np.array([0.5 * (n_y - 1), -0.5, -0.5, n_y - 0.5, n_y - 0.5])
    ra, dec = wcs.all_pix2world(x, y, 0)
    corners = unit_vectors(ra, dec)
    apart = np.degrees(np.arccos(np.clip(corners[1:] @ corners[0], -1.0, 1.0)))
    radius = float(apart.max()) if np.isfinite(apart).all() else 180.0
    return ImagePlace(path, number, float(ra[0]), float(dec[0]), radius)


def _celestial(header: Any) -> Any:
    from astropy.wcs import WCS  # noqa: PLC0415  (slow to import)

    wcs = WCS(header)
    return wcs.celestial if wcs.has_celestial else None


@lru_cache(maxsize=2)
def _sky_map(path: str, digest: str) -> SkyMap:
    return SkyMap.read(path)


@lru_cache(maxsize=4)
def _image(path: str, hdu: int, digest: str) -> tuple[Any, NDArray[Any]]:
    with _opened(path, "image") as file:
        return _celestial(file[hdu].header), file[hdu].data


def _image_values(image: ImagePlace, digest: str, ra: Floats, dec: Floats) -> Floats:
    wcs, data = _image(image.path, image.hdu, digest)
    x, y = wcs.all_world2pix(ra, dec, 0)
    n_y, n_x = data.shape
    inside = (x >= -0.5) & (x < n_x - 0.5) & (y >= -0.5) & (y < n_y - 0.5)
    result = np.full(len(ra), np.nan)
    rows, columns = (np.floor(v[inside] + 0.5).astype(np.int64) for v in (y, x))
    result[inside] = data[rows, columns]
    return result
