"""Observe gas: place it on the sky, add what else shines there, draw the photons, count them.

The one place that joins the stages; each of them knows nothing of those after it.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from icmass.errors import InputError
from icmass.simulate.emission.absorption import CrossSection
from icmass.simulate.emission.table import SpectralTable, resolve_table
from icmass.simulate.gas import Census, Gas
from icmass.simulate.instrument import Instrument
from icmass.simulate.observation import Observation
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.photons.gas_component import gas_component, kpc_per_arcsec
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.products.scalars import gas_scalars
from icmass.simulate.readers.report import census_error
from icmass.simulate.sky import SKY_COMPONENTS, AgnTable, sky_components
from icmass.simulate.view import Mode, View, rotation_from_axis
from icmass.units import to_value

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.units import Quantity

__all__ = ["observe"]

_FEWEST_PIXELS = 10  # across the field, for profiles and pictures


def observe(
    gas: Gas,
    instrument: Instrument | str | Path = "erosita",
    *,
    redshift: float | None = None,
    exposure: "float | Quantity" = 1600.0,
    nh: "float | Quantity" = 3e20,
    seed: int = 0,
    axis: str | ArrayLike = "z",
    mode: Mode = "survey",
    ra: "float | Quantity" = 150.0,
    dec: "float | Quantity" = 2.0,
    width: "float | Quantity | None" = None,
    sky: Iterable[str] = SKY_COMPONENTS,
    agn_flux_limit: float = 1e-15,
    table: SpectralTable | str | Path | None = None,
    cross_section: CrossSection | str | Path | None = None,
    config: dict[str, Any] | None = None,
) -> Observation:
    """Observe gas as an X-ray telescope would.

    Parameters
    ----------
    gas : Gas
        From `load_gas`, `gas_from_arrays`, `gas_from_yt` or `default_cluster`.
    instrument : Instrument, str or Path
        The telescope, its name or the path of its TOML file.
    redshift : float, optional
        Where the cluster is placed, above 0; that of the snapshot by default.
    exposure : float or Quantity
        Seconds, unvignetted, above 0.
    nh : float or Quantity
        Galactic hydrogen column, cm^-2: 0, or 1e16 to 1e26.
    seed : int
        Same seed, same events, whatever the number of threads.
    axis : {"x", "y", "z"}, array of shape (3,) or array of shape (3, 3)
        Line of sight, see `icmass.simulate.view.rotation_from_axis`.
    mode : {"survey", "pointed"}
        Scan-averaged telescope over a square field, or one pointing with vignetting.
    ra, dec : float or Quantity
        Where the cluster centre is put, degrees (ICRS).
    width : float or Quantity, optional
        Side of the field (survey) or its diameter (pointed), degrees; the field of view by default.
    sky : iterable of str
        Which of `SKY_COMPONENTS` to add to the gas.
    agn_flux_limit : float
        Field AGN brighter than this (0.5-2 keV, erg/s/cm^2) are sources; the rest is diffuse.
    table : SpectralTable or path, optional
        Plasma emission; the shipped table by default.
    cross_section : CrossSection or path, optional
        Of the absorbing gas; Morrison & McCammon (1983) by default.
    config : dict, optional
        Recorded with the products.

    Returns
    -------
    Observation

    Raises
    ------
    InputError
        If an argument is outside its range, or the gas cannot give a photon in the field (the
        message then holds the census of cuts).
    """
    _require_gas(gas)
    if not isinstance(instrument, Instrument):
        instrument = Instrument.load(instrument)
    redshift = gas.info.redshift if redshift is None else redshift
    if redshift is None:
        raise InputError(
            "redshift: must be given, for the gas has none. Give one, for instance 0.1."
        )
    exposure_s = _positive(exposure, "s", "exposure")
    nh_cm2 = _number(nh, "cm-2", "nh")
    view = _view(instrument, mode, axis, ra, dec, width)
    PixelGrid.cover(view, instrument.pixel_arcsec)  # refuses a field too wide for its images
    spectra = resolve_table(table)
    if isinstance(cross_section, str | Path):
        cross_section = CrossSection.load(cross_section)

    light = gas_component(
        gas,
        view,
        instrument,
        redshift=redshift,
        nh_cm2=nh_cm2,
        table=spectra,
        cross_section=cross_section,
    )
    _require_photons(gas, light)
    others, sources = sky_components(
        sky,
        view,
        instrument,
        redshift=redshift,
        nh_cm2=nh_cm2,
        gas_info=gas.info,
        seed=seed,
        agn_flux_limit=agn_flux_limit,
        cross_section=cross_section,
    )
    components = (light, *others)
    return Observation(
        events=draw_events(components, view, instrument, exposure_s, seed),
        view=view,
        instrument=instrument,
        response=instrument.response(mode),
        exposure_s=exposure_s,
        nh_cm2=nh_cm2,
        redshift=redshift,
        kpc_per_arcsec=kpc_per_arcsec(redshift, gas.info.cosmology),
        components=components,
        gas_info=gas.info,
        sources=_source_table(sources, others, exposure_s),
        measure=partial(gas_scalars, gas, spectra),
        seed=seed,
        config=config or {},
    )


def _view(
    instrument: Instrument, mode: Mode, axis: str | ArrayLike, ra: Any, dec: Any, width: Any
) -> View:
    """Make the view from what the user gave; the field of view by default."""
    width_deg = _positive(instrument.fov_diameter_deg if width is None else width, "deg", "width")
    narrowest_deg = _FEWEST_PIXELS * instrument.pixel_arcsec / 3600.0
    if width_deg < narrowest_deg:
        raise InputError(
            f"width: must be at least {_FEWEST_PIXELS} image pixels ({narrowest_deg:.4g} deg); "
            f"got {width_deg:g} deg."
        )
    return View(
        _number(ra, "deg", "ra"),
        _number(dec, "deg", "dec"),
        mode,
        3600.0 * width_deg,
        rotation_from_axis(axis),
    )


def _require_gas(gas: Any) -> None:
    if not isinstance(gas, Gas):
        raise InputError(
            f"gas: must be a Gas; got {type(gas).__name__}. Read a snapshot with load_gas."
        )


def _number(value: Any, unit: str, name: str) -> float:
    number = to_value(value, unit, name)
    if not isinstance(number, float):
        raise InputError(f"{name}: must be one number, in {unit}; got {value!r}. Give one.")
    return number


def _positive(value: Any, unit: str, name: str) -> float:
    number = _number(value, unit, name)
    if not 0.0 < number < np.inf:
        raise InputError(f"{name}: must be above 0 and finite, in {unit}; got {number}.")
    return number


def _require_photons(gas: Gas, light: Component) -> None:
    """Raise the census of cuts if no particle can send a photon into the field."""
    if len(gas) and light.emitters.norm.any():
        return
    stages = gas.info.census.stages if gas.info.census is not None else ()
    raise census_error(Census((*stages, ("in the field", 0))), gas.info.source)


def _source_table(
    sources: AgnTable | None, components: Iterable[Component], exposure_s: float
) -> "QTable | None":
    """Truth table of all point sources with the counts expected of each, or None without any."""
    if sources is None:
        return None
    expected = [expected_counts(c, exposure_s) for c in components if c.source_id is not None]
    return sources.to_table(np.concatenate(expected))
