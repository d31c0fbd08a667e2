"""Table files: radial profiles by band and origin, and the truth of the point sources."""

from pathlib import Path
from typing import TYPE_CHECKING

from astropy.io import fits

from icmass.simulate.fits_opening import write_fits
from icmass.simulate.origin import Origin
from icmass.simulate.products.bands import ALL, BANDS
from icmass.simulate.products.header import add_cards, band_cards, observation_cards, primary_hdu

if TYPE_CHECKING:
    from astropy.table import Table

    from icmass.simulate.observation import Observation

__all__ = ["write_profiles", "write_sources"]


def write_profiles(observation: "Observation", path: Path) -> None:
    """Write radial profiles of `observation` about the pointing to `path`.

    One table per band, the origins as columns.
    """
    hdus = [primary_hdu(observation)]
    for name, band in {**BANDS, "all": ALL}.items():
        total = observation.profile(band)
        columns = [
            fits.Column("R_IN", "D", unit="arcsec", array=total.edges_arcsec[:-1]),
            fits.Column("R_OUT", "D", unit="arcsec", array=total.edges_arcsec[1:]),
            fits.Column("AREA", "D", unit="arcmin2", array=total.area_arcmin2),
            fits.Column("COUNTS", "K", unit="count", array=total.counts),
            fits.Column("BRIGHTNESS", "D", unit="count s-1 arcmin-2", array=total.brightness),
            fits.Column("ERROR", "D", unit="count s-1 arcmin-2", array=total.brightness_error),
        ]
        for origin in Origin:
            counts = observation.profile(band, origin=origin).counts
            columns.append(fits.Column(f"COUNTS_{origin.name}", "K", unit="count", array=counts))
        hdu = fits.BinTableHDU.from_columns(columns, name=name.upper())
        add_cards(hdu.header, band_cards(band))
        add_cards(hdu.header, observation_cards(observation))
        hdus.append(hdu)
    write_fits(hdus, path)


def write_sources(observation: "Observation", sources: "Table", path: Path) -> None:
    """Write the truth table of point sources; row i has source id i + 1.

    Parameters
    ----------
    observation : Observation
        Gives the header.
    sources : astropy.table.Table
        The rows.
    path : Path
        File to make; must not exist.
    """
    hdu = fits.table_to_hdu(sources)
    hdu.name = "SOURCES"
    add_cards(hdu.header, observation_cards(observation))
    write_fits([primary_hdu(observation), hdu], path)
