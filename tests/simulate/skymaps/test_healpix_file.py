"""HEALPix maps in FITS files: ours, healpy's, HI4PI's, and wrong ones."""

import healpy
import numpy as np
import pytest
from astropy.io import fits

from icmass.errors import InputError, OutputError
from icmass.simulate.skymaps import SkyMap

NSIDE = 8
VALUES = np.random.default_rng(31).uniform(1e20, 5e20, 12 * NSIDE**2)  # NESTED


def _table(path, columns, **cards):
    """Write a table with keywords; None leaves one out."""
    hdu = fits.BinTableHDU.from_columns(columns, name="MAP")
    cards = {"PIXTYPE": "HEALPIX", "ORDERING": "NESTED", "COORDSYS": "G", "NSIDE": NSIDE} | cards
    hdu.header.update({key: value for key, value in cards.items() if value is not None})
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    return path


def _column(values=VALUES, name="NHI", unit="cm-2", form="D"):
    return fits.Column(name=name, format=form, unit=unit, array=values)


@pytest.mark.parametrize("nest", [True, False])
@pytest.mark.parametrize("letter", ["G", "E", "C"])
def test_what_healpy_writes_is_read(tmp_path, nest, letter):
    healpy.write_map(
        tmp_path / "map.fits",
        VALUES if nest else healpy.reorder(VALUES, n2r=True),
        nest=nest,
        coord=letter,
        column_names=["NHI"],
        column_units="cm-2",
        dtype=np.float64,
    )
    sky = SkyMap.read(tmp_path / "map.fits")
    np.testing.assert_array_equal(sky.values, VALUES)
    frame = {"G": "galactic", "E": "ecliptic", "C": "icrs"}[letter]
    assert (sky.nside, sky.frame, sky.unit, sky.name) == (NSIDE, frame, "cm-2", "NHI")


def test_a_ring_map_taken_for_a_nested_one_would_be_seen(tmp_path):
    """Negative control of the one above."""
    path = _table(tmp_path / "map.fits", [_column(healpy.reorder(VALUES, n2r=True))])
    assert (SkyMap.read(path).values != VALUES).mean() > 0.9


def test_a_part_of_the_sky_written_by_healpy(tmp_path):
    part = np.full(VALUES.size, healpy.UNSEEN)
    part[100:140] = VALUES[100:140]
    healpy.write_map(
        tmp_path / "part.fits", part, nest=True, coord="C", partial=True, dtype=np.float64
    )
    sky = SkyMap.read(tmp_path / "part.fits")
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(sky.values)), np.arange(100, 140))
    np.testing.assert_array_equal(sky.values[100:140], VALUES[100:140])


def test_the_layout_of_hi4pi(tmp_path):
    ring = np.arange(VALUES.size)
    longitude, latitude = healpy.pix2ang(NSIDE, ring, lonlat=True)
    columns = [
        fits.Column(name="HPXINDEX", format="J", array=ring),
        fits.Column(name="RA2000", format="D", unit="deg", array=longitude),
        fits.Column(name="DEC2000", format="D", unit="deg", array=latitude),
        fits.Column(name="GLON", format="D", unit="deg", array=longitude),
        fits.Column(name="GLAT", format="D", unit="deg", array=latitude),
        _column(healpy.reorder(VALUES, n2r=True), unit="cm^(-2)"),
    ]
    path = _table(tmp_path / "NHI_HPX.fits", columns, ORDERING="RING")
    sky = SkyMap.read(path, unit="cm-2")
    np.testing.assert_array_equal(sky.values, VALUES)
    assert (sky.name, sky.frame) == ("NHI", "galactic")


def test_unknown_pixels_are_nan(tmp_path):
    values = VALUES.astype(np.float32)
    values[[0, 5, 9]] = healpy.UNSEEN, np.nan, -99.0
    sky = SkyMap.read(_table(tmp_path / "m.fits", [_column(values, form="E")], BAD_DATA=-99.0))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(sky.values)), [0, 5, 9])


def test_round_trip(tmp_path):
    for number, known in enumerate((VALUES.size, 17, 0)):
        values = np.where(np.arange(VALUES.size) < known, VALUES, np.nan)
        sky = SkyMap(values, NSIDE, "ecliptic", "cm-2", "NHI")
        path = tmp_path / f"{number}.fits"
        sky.write(path)
        again = SkyMap.read(path, unit="cm-2")
        np.testing.assert_array_equal(again.values, values)
        assert (again.nside, again.frame, again.unit, again.name) == (8, "ecliptic", "cm-2", "NHI")
        first = path.read_bytes()
        sky.write(path, overwrite=True)
        assert path.read_bytes() == first
    with pytest.raises(OutputError, match="already exists"):
        sky.write(path)


@pytest.mark.parametrize("known", [VALUES.size, 17])
def test_healpy_reads_what_is_written(tmp_path, known):
    values = np.where(np.arange(VALUES.size) < known, VALUES, np.nan)
    SkyMap(values, NSIDE, "galactic", "", "EXPOSURE").write(tmp_path / "m.fits")
    read = healpy.read_map(tmp_path / "m.fits", nest=True, dtype=np.float64)
    np.testing.assert_array_equal(np.where(read == healpy.UNSEEN, np.nan, read), values)


@pytest.mark.parametrize("nside", [1, 2, 64])
def test_round_trip_of_any_fineness(tmp_path, nside):
    values = np.arange(12.0 * nside**2)
    SkyMap(values, nside).write(tmp_path / "m.fits.gz")
    np.testing.assert_array_equal(SkyMap.read(tmp_path / "m.fits.gz").values, values)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("m-2", 1e-4), ("atoms/cm^2", 1.0), ("1/cm2", 1.0), ("10**20 cm**-2", 1e20), ("", 1.0)],
)
def test_units_are_converted(tmp_path, unit, factor):
    path = _table(tmp_path / "m.fits", [_column(np.full(VALUES.size, 3.0), unit=unit)])
    sky = SkyMap.read(path, unit="cm-2")
    assert sky.values[0] == pytest.approx(3.0 * factor)
    assert sky.unit == "cm-2"


def test_frames_and_nside_from_elsewhere(tmp_path):
    path = _table(tmp_path / "m.fits", [_column()], COORDSYS=None, NSIDE=None)
    sky = SkyMap.read(path, frame="ecliptic")
    assert (sky.frame, sky.nside) == ("ecliptic", NSIDE)
    for number, (text, frame) in enumerate(
        {"celestial": "icrs", "GAL": "galactic", "C": "icrs", "ecl": "ecliptic"}.items()
    ):
        path = _table(tmp_path / f"{number}.fits", [_column()], COORDSYS=text)
        assert SkyMap.read(path).frame == frame


def test_the_column_that_is_meant(tmp_path):
    columns = [_column(VALUES, "TEMPERATURE"), _column(VALUES + 1e20, "N_OBS")]
    path = _table(tmp_path / "m.fits", columns)
    np.testing.assert_array_equal(SkyMap.read(path).values, VALUES)
    np.testing.assert_array_equal(SkyMap.read(path, column="n_obs").values, VALUES + 1e20)
    with pytest.raises(InputError, match=r"column must be one of TEMPERATURE, N_OBS; got 'NHI'"):
        SkyMap.read(path, column="NHI")
    path = _table(tmp_path / "two.fits", [_column(name="A"), _column(name="B")])
    with pytest.raises(InputError, match=r"must have one column of values; got A, B\. Name the"):
        SkyMap.read(path)


PIXEL = fits.Column(name="PIXEL", format="K", array=np.array([3, 700, 4]))
TWICE = fits.Column(name="PIXEL", format="K", array=np.array([3, 4, 3]))
BEYOND = fits.Column(name="PIXEL", format="K", array=np.array([3, 4, 768]))
BEFORE = fits.Column(name="PIXEL", format="K", array=np.array([3, -4, 76]))
BROKEN = fits.Column(name="PIXEL", format="D", array=np.array([3.0, 4.5, 76.0]))


@pytest.mark.parametrize(
    ("columns", "cards", "message"),
    [
        ([_column()], {"ORDERING": None}, r"keyword ORDERING .*RING or NESTED; got no such"),
        ([_column()], {"ORDERING": "NUNIQ"}, r"ORDERING must be RING or NESTED; got 'NUNIQ'"),
        ([_column()], {"COORDSYS": None}, r"COORDSYS must be C, G or E; got no such keyword\. Say"),
        ([_column()], {"COORDSYS": "X"}, r"COORDSYS must be C, G or E; got 'X'\. Say which frame"),
        ([_column()], {"NSIDE": 16}, r"must hold 3072 pixels, 12 nside\^2 for nside 16; got 768"),
        ([_column()], {"NSIDE": 6}, r"NSIDE: must be a power of two .*; got 6\."),
        ([_column()], {"NSIDE": "8"}, r"NSIDE must be a whole number; got '8'"),
        ([_column(VALUES[:767])], {"NSIDE": None}, r"must hold 768 pixels.*; got 767\. Correct"),
        ([_column(VALUES[:100])], {"NSIDE": None}, r"NSIDE: must be a power of two .*; got 3\."),
        ([PIXEL, _column(VALUES[:3])], {"NSIDE": None}, r"must give the NSIDE of the pixels it"),
        ([TWICE, _column(VALUES[:3])], {}, r"must list each pixel once; got 1 more than once"),
        ([BEYOND, _column(VALUES[:3])], {}, r"must list pixels from 0 to 767 for nside 8; got 768"),
        ([BEFORE, _column(VALUES[:3])], {}, r"must list pixels from 0 to 767 .*; got -4"),
        ([BROKEN, _column(VALUES[:3])], {}, r"must list one whole pixel number with each value"),
        ([PIXEL], {}, r"must have one column of values; got none"),
    ],
)
def test_wrong_maps(tmp_path, columns, cards, message):
    path = _table(tmp_path / "bad.fits", columns, **cards)
    with pytest.raises(InputError, match=message) as error:
        SkyMap.read(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_wrong_arguments(tmp_path):
    path = _table(tmp_path / "m.fits", [_column()])
    with pytest.raises(InputError, match=r"frame must be that of the map, galactic .*; got icrs"):
        SkyMap.read(path, frame="icrs")
    with pytest.raises(InputError, match=r"frame: must be one of"):
        SkyMap.read(path, frame="G")
    with pytest.raises(InputError, match=r"values must be in s or in a unit .*; got 'cm-2'"):
        SkyMap.read(path, unit="s")
    path = _table(tmp_path / "u.fits", [_column(unit="parrots")])
    with pytest.raises(InputError, match=r"values must be in cm-2 .*; got 'parrots'\. Convert"):
        SkyMap.read(path, unit="cm-2")


def test_files_that_hold_no_map(tmp_path):
    with pytest.raises(InputError, match=r"none\.fits: must be an existing FITS file; no such"):
        SkyMap.read(tmp_path / "none.fits")
    (tmp_path / "text.fits").write_text("no map\n")
    with pytest.raises(InputError, match=r"text\.fits: must be a whole FITS file; got"):
        SkyMap.read(tmp_path / "text.fits")
    fits.PrimaryHDU(np.zeros((4, 8))).writeto(tmp_path / "image.fits")
    with pytest.raises(InputError, match=r"must hold a HEALPix map in a binary table; got none"):
        SkyMap.read(tmp_path / "image.fits")
    path = _table(tmp_path / "m.fits", [_column()])
    whole = path.read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[: len(whole) - 4000])
    with pytest.raises(InputError, match=r"cut\.fits: must be a whole FITS file; got"):
        SkyMap.read(tmp_path / "cut.fits")
    with fits.open(path) as file:
        fits.HDUList([file[0], file[1], file[1].copy()]).writeto(tmp_path / "two.fits")
    with pytest.raises(InputError, match=r"must hold one HEALPix map; got tables MAP, MAP"):
        SkyMap.read(tmp_path / "two.fits")
