"""Truth tables of a tile: which haloes and AGN are in it, and what was found of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from astropy.io import fits

from icmass.errors import InputError
from icmass.simulate.fits_opening import write_fits
from icmass.simulate.products.header import add_cards, add_provenance, empty_primary
from icmass.simulate.survey.tile_cards import TileCards

if TYPE_CHECKING:
    from astropy.table import Table

    from icmass.simulate.survey.tiles import Tile

__all__ = ["write_truth"]

# What a card of 80 characters holds beside keyword, value in quotes and marks. Comments that do not
# fit have a card of their own.
_ROOM = 80 - len("TTYPE1  = ") - len(" / ")
_LEAST_VALUE = 20


def write_truth(
    directory: Path, tile: "Tile", tables: Mapping[str, "Table"], cards: TileCards
) -> None:
    """Write tables, each into a file of its name: ``haloes.fits``, ``agn.fits``, ``sources.fits``.

    Parameters
    ----------
    directory : Path
        Exists; the files do not.
    tile : Tile
    tables : mapping of str to Table
        Their columns have units and descriptions, which become TUNIT and the comment of TTYPE.
        Their meta data are not written.
    cards : TileCards

    Raises
    ------
    InputError
        If a column holds values that are neither numbers, truth values nor text.
    """
    common = cards.cards(tile)
    for name, table in tables.items():
        first = empty_primary(common)
        add_provenance(first.header, cards.provenance)
        hdu = _table_hdu(name, table)
        add_cards(hdu.header, common)
        write_fits([first, hdu], directory / f"{name}.fits")


def _table_hdu(name: str, table: "Table") -> fits.BinTableHDU:
    for column in table.columns.values():
        if column.dtype.kind not in "biufSU":
            raise InputError(
                f"table {name}: must hold numbers, truth values and text; column {column.name} "
                f"has dtype {column.dtype}. Convert it."
            )
    plain = table.copy(copy_data=False)
    plain.meta.clear()
    hdu = fits.table_to_hdu(plain)
    hdu.name = name.upper()
    for n, column in enumerate(table.columns.values(), 1):
        # FITS headers hold nothing beyond ASCII.
        text = (column.description or "").encode("ascii", "replace").decode()
        if len(text) <= _ROOM - max(_LEAST_VALUE, len(column.name) + len("''")):
            hdu.header.comments[f"TTYPE{n}"] = text
        else:
            hdu.header[f"TCOMM{n}"] = text
    return hdu
