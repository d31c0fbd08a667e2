"""All products of an observation in one directory, which appears complete or not at all."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from icmass.files import staged_directory
from icmass.progress import track
from icmass.simulate.instrument.ogip_write import write_arf, write_rmf
from icmass.simulate.products.bands import BANDS
from icmass.simulate.products.event_file import write_events
from icmass.simulate.products.header import product_provenance, telescope_names
from icmass.simulate.products.image_files import (
    write_background_map,
    write_exposure_map,
    write_image,
)
from icmass.simulate.products.pha_file import (
    SpectrumFiles,
    default_regions,
    region_response,
    write_pha,
)
from icmass.simulate.products.quicklook import write_quicklook
from icmass.simulate.products.table_files import write_profiles, write_sources

if TYPE_CHECKING:
    from icmass.simulate.observation import Observation

__all__ = ["ANCRFILE", "RESPFILE", "write_products", "write_spectra"]

RESPFILE: Final = "response.rmf"
ANCRFILE: Final = "response.arf"


def write_products(observation: "Observation", directory: Path, overwrite: bool = False) -> Path:
    """Write every product of an observation; see ``docs/products.md`` for the files.

    Parameters
    ----------
    observation : Observation
        What is written.
    directory : Path
        Its parent must exist.
    overwrite : bool
        Whether a directory that an earlier job wrote may be replaced.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    OutputError
        If the place is taken or cannot be written.
    """
    with staged_directory(directory, overwrite=overwrite) as stage:
        for write in track(_products(observation, stage), "writing the products"):
            write()
    return directory


def _products(observation: "Observation", stage: Path) -> list[Callable[[], None]]:
    """Return one function per product, each of which writes its files."""
    products: list[Callable[[], None]] = [
        partial(
            write_events,
            observation,
            stage / "events.fits",
            respfile=RESPFILE,
            ancrfile=ANCRFILE,
        )
    ]
    for band in (*BANDS, "all"):
        products.append(partial(write_image, observation, stage / f"image_{band}.fits", band))
    if observation.sources is not None:
        products.append(
            partial(write_sources, observation, observation.sources, stage / "sources.fits")
        )
    return [
        *products,
        partial(write_exposure_map, observation, stage / "exposure_map.fits"),
        partial(write_background_map, observation, stage / "background_map.fits"),
        partial(write_spectra, observation, stage),
        partial(write_profiles, observation, stage / "profiles.fits"),
        partial(_write_scalars, observation, stage / "scalars.json"),
        partial(write_quicklook, observation, stage / "quicklook.png"),
    ]


def write_spectra(observation: "Observation", directory: Path) -> None:
    """Write the spectra of source and background of `observation` into `directory`.

    With them the responses that they name.
    """
    source, background = default_regions(observation)
    telescope, name = telescope_names(observation)
    write_rmf(
        directory / RESPFILE,
        observation.response.redistribution,
        telescope=telescope,
        instrument=name,
    )
    write_arf(directory / ANCRFILE, observation.response, telescope=telescope, instrument=name)
    for region, pha, arf, backfile in (
        (background, "background.pha", "background.arf", "NONE"),
        (source, "source.pha", "source.arf", "background.pha"),
    ):
        write_arf(
            directory / arf,
            region_response(observation, region),
            telescope=telescope,
            instrument=name,
        )
        files = SpectrumFiles(RESPFILE, arf, backfile)
        write_pha(observation, observation.spectrum(region), directory / pha, files)


def _write_scalars(observation: "Observation", path: Path) -> None:
    content: dict[str, Any] = {
        **observation.scalars,
        "redshift": observation.redshift,
        "exposure_s": observation.exposure_s,
        "nh_cm2": observation.nh_cm2,
        "ra_deg": observation.view.ra_deg,
        "dec_deg": observation.view.dec_deg,
        "kpc_per_arcsec": observation.kpc_per_arcsec,
        **product_provenance(observation),
    }
    path.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")
