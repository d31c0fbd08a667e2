"""All files of one tile: events, maps and truth, in one directory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from icmass.errors import InputError
from icmass.simulate.survey.damage import undamaged
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tile_cards import TileCards
from icmass.simulate.survey.tile_events import write_tile_events
from icmass.simulate.survey.tile_maps import TileMaps, write_maps
from icmass.simulate.survey.tile_truth import write_truth

if TYPE_CHECKING:
    from astropy.table import Table

    from icmass.simulate.survey.tiles import Tile

__all__ = ["whole_tile", "write_tile"]


def write_tile(
    directory: Path,
    tile: "Tile",
    events: SkyEvents,
    cards: TileCards,
    *,
    maps: TileMaps,
    tables: Mapping[str, "Table"],
) -> None:
    """Write ``events.fits``, the maps and the truth tables of a tile.

    Parameters
    ----------
    directory : Path
        An empty directory, which its owner renames when all is written.
    tile : Tile
    events : SkyEvents
        Those that the tile owns.
    cards : TileCards
        What the headers say.
    maps : TileMaps
        See `icmass.simulate.survey.tile_maps.write_maps`.
    tables : mapping of str to Table
        By the name of their file: haloes, agn, sources.

    Raises
    ------
    InputError
        If the directory is not an empty one, or what is to be written is not right.
    """
    if not directory.is_dir() or any(directory.iterdir()):
        raise InputError(
            f"{directory}: must be an empty directory for the files of tile {tile.name}. "
            "Give a fresh one."
        )
    write_tile_events(directory / "events.fits", tile, events, cards)
    write_maps(directory, tile, maps, cards)
    write_truth(directory, tile, tables, cards)


@contextmanager
def whole_tile(directory: Path) -> Iterator[Path]:
    """Read files of a finished tile in this block; damage is named, with what to do.

    Parameters
    ----------
    directory : Path
        Of the tile, which is yielded.

    Raises
    ------
    InputError
        If a file is missing or cannot be read.
    """
    with undamaged(directory, "Remove this directory, and go on with the survey."):
        yield directory
