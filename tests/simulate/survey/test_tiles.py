"""Every point has one owner, and a tile's cells miss none of its points."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.footprints import cone, preset, rectangle
from icmass.simulate.skymaps import (
    CELL_NSIDE,
    SKY_NSIDE,
    centres,
    pixel_of,
    separation_deg,
    uniform_positions,
)
from icmass.simulate.survey.tiles import (
    ErassTiling,
    HealpixTiling,
    Tile,
    Tiling,
    _distance_from,
    parse_tiling,
)
from icmass.simulate.view import View

ERASS = ErassTiling()
TILINGS = [ERASS, HealpixTiling(16), HealpixTiling(8), HealpixTiling(128)]
NAMES = [tiling.name for tiling in TILINGS]
# The poles, RA 0 on both sides, edges and corners of tiles, and the last double before them.
EDGES_RA = [0.0, 360.0, -0.0, np.nextafter(360.0, 0.0), -1e-18, 1e-300, 3.0, 45.0, 180.0, 357.0]
EDGES_DEC = [-90.0, 90.0, -88.5, 88.5, 0.0, 1.5, -1.5, np.nextafter(1.5, 0.0), 41.8103148957786]


def sphere(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0.0, 360.0, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    grid = np.meshgrid(EDGES_RA, EDGES_DEC)
    return np.concatenate([ra, grid[0].ravel()]), np.concatenate([dec, grid[1].ravel()])


def points_of(tiling: Tiling, tile: Tile, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points that a tile owns: uniform over its surroundings, and many close to its edges."""
    rng = np.random.default_rng(seed)
    pixel = np.sort(rng.choice(tiling.pixels(tile), count))
    ra, dec = uniform_positions(SKY_NSIDE, pixel, rng)
    if isinstance(tiling, ErassTiling):
        low, high, south, north = (float(x) for x in tiling._limits(tiling._row_of(tile.number)))
        near = 10.0 ** rng.uniform(-14, -2, (4, 500))
        along_ra, along_dec = rng.uniform(low, high, 500), rng.uniform(south, north, 500)
        ra = np.concatenate([ra, low + near[0], high - near[1], along_ra, along_ra])
        dec = np.concatenate([dec, along_dec, along_dec, south + near[2], north - near[3]])
        ra, dec = ra, np.clip(dec, -90.0, 90.0)
    own = tiling.owner(ra, dec) == tile.number
    return ra[own], dec[own]


@pytest.mark.parametrize("tiling", TILINGS, ids=NAMES)
def test_every_point_of_the_sphere_has_one_owner_that_exists(tiling):
    ra, dec = sphere(1_000_000, 1)
    owner = tiling.owner(ra, dec)
    assert owner.dtype == np.int64
    assert owner.shape == ra.shape
    for number in np.unique(owner)[:: 1 if tiling.name != "healpix:128" else 997]:
        assert tiling.tile(int(number)).number == number
    assert np.array_equal(owner, tiling.owner(ra[::-1], dec[::-1])[::-1])


@pytest.mark.parametrize("tiling", TILINGS[1:], ids=NAMES[1:])
def test_cells_of_healpix_tiles_are_exact(tiling):
    ra, dec = sphere(1_000_000, 2)
    cell, owner = pixel_of(CELL_NSIDE, ra, dec), tiling.owner(ra, dec)
    ratio = (CELL_NSIDE // tiling.nside) ** 2
    assert np.array_equal(cell // ratio, owner)
    tile = tiling.tile(int(owner[0]))
    assert np.array_equal(tiling.cells(tile), owner[0] * ratio + np.arange(ratio))


def erass_sample() -> list[Tile]:
    rng = np.random.default_rng(7)
    some = rng.choice(ERASS._numbers, 30, replace=False).tolist()
    corners = ERASS.owner([0.0, 359.9, 0.0, 359.9, 5.0, 5.0], [0.0, 0.0, 60.0, -60.0, 86.0, -87.0])
    return [ERASS.tile(int(n)) for n in [1180, 1000, *corners, *some]]


def test_cells_of_erass_tiles_miss_no_point_and_are_tight():
    total, missed_without_rim = 0, 0
    for seed, tile in enumerate(erass_sample()):
        ra, dec = points_of(ERASS, tile, 30_000, seed)
        total += len(ra)
        cell, cells = pixel_of(CELL_NSIDE, ra, dec), ERASS.cells(tile)
        assert np.isin(cell, cells).all(), tile
        middles = ERASS.owner(*centres(CELL_NSIDE, cells)) == tile.number
        missed_without_rim += (~np.isin(cell, cells[middles])).sum()
        assert len(cells) < 1.9 * len(np.unique(cell)), tile
        limits = ERASS._limits(ERASS._row_of(tile.number))
        assert _distance_from(*centres(CELL_NSIDE, cells), *limits).max() < 0.25 + 0.48
    assert total > 500_000
    assert missed_without_rim > 1000, "cells by their middles alone must fail"


@pytest.mark.parametrize("tiling", TILINGS[:2], ids=NAMES[:2])
def test_cells_with_a_margin_hold_what_is_near(tiling):
    rng = np.random.default_rng(11)
    for number in np.unique(tiling.owner([0.01, 133.0, 20.0], [-3.0, 2.0, 89.9])):
        tile = tiling.tile(int(number))
        ra, dec = points_of(tiling, tile, 20_000, 3)
        # Shift each point by up to the margin in some direction.
        angle = rng.uniform(0, 2 * np.pi, len(ra))
        view_dec = np.clip(dec + 0.8 * np.sin(angle), -90.0, 90.0)
        view_ra = ra + 0.8 * np.cos(angle) / np.maximum(np.cos(np.radians(view_dec)), 1e-3)
        near = separation_deg(ra, dec, view_ra, view_dec) <= 0.8
        moved = pixel_of(CELL_NSIDE, view_ra[near], view_dec[near])
        cells = tiling.cells(tile, 0.8)
        assert near.sum() > 1000
        assert np.isin(moved, cells).all()
        assert not np.isin(moved, tiling.cells(tile)).all()
        assert np.isin(tiling.cells(tile), cells).all()
        assert len(cells) < 4.0 * len(tiling.cells(tile))


@pytest.mark.parametrize("tiling", TILINGS, ids=NAMES)
def test_the_image_covers_the_tile_and_no_more_than_it_must(tiling):
    for number in np.unique(tiling.owner([0.01, 0.01, 133.0, 10.0, 46.0], [90.0, -90, 2, 43, 86])):
        tile = tiling.tile(int(number))
        ra, dec = points_of(tiling, tile, 40_000, 5)
        view = View(tile.ra_deg, tile.dec_deg, "survey", 3600.0 * tile.width_deg)
        reach = np.abs(np.stack(view.offsets(ra, dec))).max() / 60.0  # arcmin
        assert reach <= 30.0 * tile.width_deg
        assert reach > 30.0 * tile.width_deg * 0.985 - 1.0
        assert tile.width_deg * 60.0 == pytest.approx(round(tile.width_deg * 60.0), abs=1e-9)


@pytest.mark.parametrize("tiling", TILINGS[:2], ids=NAMES[:2])
def test_tiles_of_a_footprint_own_all_of_it(tiling):
    rng = np.random.default_rng(13)
    places = [(0.0, 88.5, 0.3), (12.0, -90.0, 2.0), (359.9, 0.0, 2.5), (137.9, 1.5, 0.2)]
    places += [(rng.uniform(0, 360), rng.uniform(-89, 89), 0.4) for _ in range(25)]
    for ra, dec, radius in places:
        footprint = cone(ra, dec, radius)
        tiles = tiling.tiles(footprint)
        numbers = [tile.number for tile in tiles]
        assert numbers == sorted(set(numbers))
        owners = tiling.owner(*uniform_positions(SKY_NSIDE, np.repeat(footprint.pixel, 200), rng))
        assert set(owners.tolist()) <= set(numbers)
        for tile in tiles:
            assert np.isin(tiling.pixels(tile), footprint.pixel).any()


def test_a_sliver_of_a_pixel_brings_its_tile_along():
    """A pixel whose centre one tile owns, and whose corner another."""
    pixel = pixel_of(SKY_NSIDE, np.full(500, 100.0), np.linspace(1.4, 1.6, 500))
    footprint = rectangle(99.0, 101.0, 1.0, 1.5)
    ra, dec = centres(SKY_NSIDE, footprint.pixel)
    assert np.isin(pixel, footprint.pixel).any()
    by_centres = set(ERASS.owner(ra, dec).tolist())
    listed = {tile.number for tile in ERASS.tiles(footprint)}
    assert by_centres < listed


def test_erass_tiles_are_4700_with_their_own_names():
    assert len(ERASS._numbers) == 4700
    assert len(set(ERASS._numbers.tolist())) == 4700
    assert ERASS.tile(1180).name == "001180"
    assert ERASS.tile(1180).dec_deg == -90.0
    assert ERASS.tile(1000).dec_deg == 90.0
    assert ERASS.tile(133048).name == "133048"


@pytest.mark.shared
def test_erass_tiles_are_those_of_the_published_table(shared_dir):
    from astropy.table import Table

    path = shared_dir / "data" / "erosita" / "SKYMAPS_052022_MPE.fits"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    table = Table.read(path)
    assert len(table) == 2447
    numbers = np.asarray(table["SRVMAP"])
    rows = np.array([ERASS._row_of(int(number)) for number in numbers])
    limits = ERASS._limits(rows)
    for name, values in zip(("RA_MIN", "RA_MAX", "DE_MIN", "DE_MAX"), limits, strict=True):
        assert np.abs(np.asarray(table[name]) - values).max() < 1e-9, name
    tiles = [ERASS.tile(int(number)) for number in numbers]
    for name, values in (
        ("RA_CEN", [tile.ra_deg for tile in tiles]),
        ("DE_CEN", [tile.dec_deg for tile in tiles]),
    ):
        assert np.abs(np.asarray(table[name]) - values).max() < 2e-8, name
    middle = ERASS.owner(np.asarray(table["RA_CEN"]), np.asarray(table["DE_CEN"]))
    assert np.array_equal(middle, numbers)
    assert max(tile.width_deg for tile in tiles) < 3.6  # the published images cover them too
    # Those of the German half, and no others but a few whose images alone reach over into it.
    german = {tile.number for tile in ERASS.tiles(preset("erass1-de").footprint)}
    others = {int(n): int(owner) for n, owner in zip(numbers, table["OWNER"], strict=True)}
    assert german <= set(others)
    assert len(set(others) - german) < 20
    assert {others[number] for number in set(others) - german} == {0}  # shared tiles


def test_names_of_tilings():
    assert parse_tiling("healpix").name == "healpix:16"
    assert parse_tiling("healpix").tile(1234).name == "h16-01234"
    assert parse_tiling(" HEALPIX:32 ").name == "healpix:32"
    assert parse_tiling("erass").name == "erass"


@pytest.mark.parametrize(
    "text", ["", "hexagons", "healpix:", "healpix:x", "healpix:16:2", "erass1"]
)
def test_unknown_tilings(text):
    with pytest.raises(InputError, match="tiles: must be healpix:NSIDE or erass; got"):
        parse_tiling(text)


@pytest.mark.parametrize("nside", [0, 1, 4, 15, 256])
def test_tilings_of_other_nsides(nside):
    with pytest.raises(InputError, match=f"tiles: nside must be one of 8, .*128; got {nside}"):
        parse_tiling(f"healpix:{nside}")


def test_tiles_that_do_not_exist():
    with pytest.raises(InputError, match="tile: must be from 0 to 3071 in healpix:16; got 3072"):
        HealpixTiling().tile(3072)
    with pytest.raises(InputError, match="one of the 4700 eRASS sky tiles; got 999999"):
        ERASS.tile(999999)


@pytest.mark.parametrize("tiling", TILINGS[:2], ids=NAMES[:2])
def test_positions_that_are_none(tiling):
    with pytest.raises(InputError, match="declination: must lie between -90 and 90"):
        tiling.owner([0.0], [90.5])
    with pytest.raises(InputError, match="right ascension: must be finite"):
        tiling.owner([np.nan], [0.0])
