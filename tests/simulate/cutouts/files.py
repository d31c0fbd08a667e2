"""Event files in the layouts of eROSITA, tables of clusters, exposure maps: small and lopsided."""

import gzip
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from icmass.simulate.instrument import Instrument
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tile_cards import TileCards
from icmass.simulate.survey.tile_events import write_tile_events
from icmass.simulate.survey.tiles import Tile

CENTRE = (150.0, -12.0)


def sky_photons(n: int, seed: int = 1, *, width_deg: float = 2.0, centre=CENTRE) -> SkyEvents:
    """Draw photons about a centre: more in the north-east, of all origins and energies."""
    rng = np.random.default_rng(seed)
    u, v = rng.random((2, n)) ** 0.7 - 0.5
    dec = centre[1] + width_deg * v
    events = SkyEvents.empty(n)
    return replace(
        events,
        ra_deg=np.mod(centre[0] + width_deg * u / np.cos(np.radians(dec)), 360.0),
        dec_deg=dec,
        energy_kev=rng.uniform(0.3, 8.0, n).astype(np.float32),
        channel=rng.integers(0, 1024, n).astype(np.int16),
        module=rng.integers(1, 8, n).astype(np.uint8),
        origin=rng.choice([1, 2, 3], n, p=[0.5, 0.2, 0.3]).astype(np.uint8),
        source_id=rng.integers(0, 2**40, n),
        time_s=np.sort(rng.uniform(0.0, 900.0, n)),
        true_energy_kev=rng.uniform(0.3, 8.0, n).astype(np.float32),
    )


def write_own(path: Path, events: SkyEvents, *, exposure_s: float = 800.0, centre=CENTRE) -> Path:
    """Write a tile of our own surveys."""
    cards = TileCards(Instrument.load("erosita"), exposure_s, 900.0, 2.5e20, 3, {"seed": 3})
    write_tile_events(path, Tile(7, "t7", *centre, 4.0), events, cards)
    return path


def write_esass(
    path: Path,
    events: SkyEvents,
    *,
    early: bool = False,
    without: tuple[str, ...] = (),
    changed: Mapping[str, np.ndarray] | None = None,
    units: Mapping[str, str] | None = None,
    name: str = "EVENTS",
    centre=CENTRE,
) -> Path:
    """Write an event list as eSASS does: DR1, or of the Early Data Release with scaled integers."""
    n = len(events)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    wcs.wcs.crval, wcs.wcs.crpix = list(centre), [0.0, 0.0]
    wcs.wcs.cdelt = [-0.05 / 3600.0, 0.05 / 3600.0]
    x, y = wcs.all_world2pix(events.ra_deg, events.dec_deg, 1)
    place = "J" if early else "D"
    steps = 1e6 if early else 1.0  # whole numbers, to be scaled
    columns: dict[str, tuple[str, str | None, np.ndarray]] = {
        "TIME": ("D", "s", events.time_s + 6.3e8),
        "RA": (place, "deg", steps * events.ra_deg),
        "DEC": (place, "deg", steps * events.dec_deg),
        "X": (place, None, x),
        "Y": (place, None, y),
        "PI": ("E", "eV", 1e3 * events.energy_kev),
        "EV_WEIGHT": ("E", None, np.ones(n)),
        "RAWX": ("I", None, np.arange(n) % 384),
        "PHA": ("I", "adu", events.channel),
        "PAT_TYP": ("I", None, np.ones(n)),
        "PAT_INF": ("B", None, np.zeros(n)),
        "TM_NR": ("B", None, events.module),
        "FLAG": ("J", None, np.ones(n)),
    }
    made = [
        fits.Column(
            name=key,
            format=form,
            unit=(units or {}).get(key, unit),
            array=_whole((changed or {}).get(key, array), form),
        )
        for key, (form, unit, array) in columns.items()
        if key not in without
    ]
    table = fits.BinTableHDU.from_columns(made, name=name)
    header = table.header
    header["ORIGIN"], header["TELESCOP"], header["EXPOSURE"] = "MPE", "eROSITA", 123456.0
    for axis, k in (("X", 0), ("Y", 1)):
        header[f"REF{axis}CTYP"] = wcs.wcs.ctype[k]
        header[f"REF{axis}CRVL"] = wcs.wcs.crval[k]
        header[f"REF{axis}CRPX"] = wcs.wcs.crpix[k]
        header[f"REF{axis}CDLT"] = wcs.wcs.cdelt[k]
    gti = fits.BinTableHDU.from_columns(
        [fits.Column("START", "D", array=[0.0]), fits.Column("STOP", "D", array=[1e9])], name="GTI1"
    )
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    fits.HDUList([fits.PrimaryHDU(), table, gti]).writeto(plain)
    if early:
        for column in ("TSCAL2", "TSCAL3"):
            fits.setval(plain, column, value=1e-6, ext=1)
    if plain != path:
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return path


def _whole(array: np.ndarray, form: str) -> np.ndarray:
    return np.rint(array) if form == "J" else array


def write_image(
    path: Path, values: np.ndarray, *, centre=CENTRE, pixel_deg: float = 0.02, vignet=None
) -> Path:
    """Write an image with a TAN WCS, such as an exposure map."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = list(centre)
    wcs.wcs.crpix = [0.5 * (values.shape[1] + 1), 0.5 * (values.shape[0] + 1)]
    wcs.wcs.cdelt = [-pixel_deg, pixel_deg]
    hdu = fits.PrimaryHDU(values.astype(np.float32), wcs.to_header())
    if vignet is not None:
        hdu.header["VIGNET"] = vignet
    hdu.writeto(path)
    return path
