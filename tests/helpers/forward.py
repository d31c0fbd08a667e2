"""A telescope, a plasma and emitters in code, whose expectations can be written down by hand.

Nothing here reads a file. Area, redistribution and point-spread function are simple but not
symmetric: unequal modules, an area that falls with energy, a wing that matters.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.cosmology import FlatLambdaCDM

from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.events import Events
from icmass.simulate.gas import Gas, GasInfo
from icmass.simulate.instrument import PSF, Instrument, Redistribution, Response
from icmass.simulate.instrument.instrument import Module
from icmass.simulate.instrument.particle_background import ParticleBackground, PowerLaw
from icmass.simulate.instrument.redistribution import gaussian_redistribution
from icmass.simulate.instrument.vignetting import Vignetting
from icmass.simulate.origin import Origin
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.photons.sph import projected_enclosed
from icmass.simulate.view import View

__all__ = [
    "COSMOLOGY",
    "EDGES_KEV",
    "MODULE_WEIGHTS",
    "analytic_table",
    "blurred",
    "channel_counts",
    "component",
    "diagonal",
    "draw",
    "flat_spectrum",
    "gas_of",
    "kernel_cdf",
    "make_emitters",
    "make_instrument",
]

EDGES_KEV = np.linspace(0.3, 8.3, 401)
MODULE_WEIGHTS = (0.4, 0.3, 0.2, 0.1)
COSMOLOGY = FlatLambdaCDM(70.0, 0.3)


def diagonal(recorded: Any = 1.0, edges_kev: np.ndarray = EDGES_KEV) -> Redistribution:
    """Channels that are the energy bins; each photon is recorded with probability `recorded`."""
    n = edges_kev.size - 1
    return Redistribution(
        energy_edges_kev=edges_kev,
        channel_edges_kev=edges_kev,
        first_channel=1,
        row_start=np.arange(n + 1, dtype=np.int64),
        row_channel=np.arange(n, dtype=np.int32),
        probability=np.broadcast_to(np.asarray(recorded, np.float32), (n,)).copy(),
    )


def blurred(fwhm_kev: float = 0.2) -> Redistribution:
    """Gaussian line spread of one width, onto channels that reach over the energies."""
    channels = np.linspace(0.1, 8.9, 221)
    return gaussian_redistribution(EDGES_KEV, channels, lambda e: np.full_like(e, fwhm_kev))


def make_instrument(redistribution: Redistribution | None = None, **changes: Any) -> Instrument:
    """A telescope with 1000 cm^2 at every energy unless `area_cm2` is among the changes."""
    matrix = diagonal() if redistribution is None else redistribution
    area = np.broadcast_to(changes.pop("area_cm2", 1000.0), (matrix.n_energy,)).astype(np.float64)
    instrument = Instrument(
        name="flat",
        label="synthetic",
        modules=tuple(
            Module(number, weight, True, f"M{number}")
            for number, weight in zip((1, 2, 4, 7), MODULE_WEIGHTS, strict=True)
        ),
        responses={mode: Response(matrix, area) for mode in ("pointed", "survey")},
        psfs={
            "pointed": PSF(5.0, 2.0, 30.0, 1.8, 0.15, 240.0, growth_arcmin=15.0),
            "survey": PSF(8.0, 2.0, 30.0, 1.8, 0.15, 240.0),
        },
        vignetting=Vignetting(np.array([1.0, 5.0]), np.array([30.0, 15.0])),
        fov_diameter_deg=1.0,
        pixel_arcsec=4.0,
        ccd_pixel_arcsec=9.6,
        frame_time_s=0.05,
        particle_background=ParticleBackground((PowerLaw(0.0, 1e-4),), ()),
        provenance={},
    )
    return replace(instrument, **changes)


def analytic_table(n_kt: int = 9) -> SpectralTable:
    """Free-free-like continuum plus one line complex at 1 keV for the metals, 0.05-40 keV."""
    edges = np.geomspace(0.05, 40.0, 1201)
    energy = np.sqrt(edges[1:] * edges[:-1])
    kt = np.geomspace(0.5, 16.0, n_kt)[:, None]
    base = 1e-15 * np.exp(-energy / kt) / (energy * np.sqrt(kt)) * np.diff(edges)
    line = np.exp(-0.5 * ((energy - 1.0) / 0.1) ** 2)
    metal = 4e-15 * np.exp(-1.0 / kt) / kt * line * np.diff(edges)
    return SpectralTable(edges, kt.ravel(), base, metal, {"source": "test"})


def flat_spectrum(n_energy: int = EDGES_KEV.size - 1, flux: float = 1e-3) -> np.ndarray:
    """One node, one part: `flux` photons/s/cm^2 spread evenly over the bins."""
    return np.full((1, 1, n_energy), flux / n_energy)


def make_emitters(n: int = 1, **columns: Any) -> Emitters:
    """Emitters at rest on axis with norm 1 unless told otherwise; scalars are repeated."""
    values = {
        "east_arcsec": 0.0,
        "north_arcsec": 0.0,
        "extent_arcsec": 0.0,
        "energy_shift": 1.0,
        "node": 0.0,
        "mix": 0.0,
        "norm": 1.0,
        **columns,
    }
    n = max([n, *(np.size(v) for v in values.values())])
    return Emitters(**{k: np.broadcast_to(v, (n,)).copy() for k, v in values.items()})


def component(
    emitters: Emitters,
    spectra: FoldedSpectra,
    shape: Shape = Shape.POINT,
    *,
    psf: bool | None = None,
    name: str = "test",
    origin: Origin = Origin.ICM,
    source_id: np.ndarray | None = None,
) -> Component:
    """A component; the mirror spreads all but squares of sky."""
    passes = shape != Shape.SQUARE if psf is None else psf
    return Component(name, origin, emitters, spectra, shape, passes, source_id)


def draw(
    parts: Component | Sequence[Component],
    view: View,
    instrument: Instrument,
    exposure_s: float,
    seed: int = 1,
) -> Events:
    """Draw the events of one component or several."""
    parts = (parts,) if isinstance(parts, Component) else parts
    return draw_events(parts, view, instrument, exposure_s, seed)


def channel_counts(events: Events, redistribution: Redistribution) -> np.ndarray:
    """Events per channel."""
    return np.bincount(events.channel, minlength=redistribution.n_channel)


def kernel_cdf(q: np.ndarray) -> np.ndarray:
    """Share of a particle inside projected radius q, quick for many values."""
    grid = np.linspace(0.0, 1.0, 2001)
    return np.interp(q, grid, projected_enclosed(grid))


def gas_of(n: int = 1, *, redshift: float | None = 0.1, **columns: Any) -> Gas:
    """Gas particles at the centre, at rest, 4 keV and 0.3 solar, unless told otherwise."""
    values = {
        "kt_kev": 4.0,
        "metallicity_solar": 0.3,
        "emission_measure_cm3": 1e66,
        "mass_msun": 1e10,
        "smoothing_kpc": 20.0,
        **columns,
    }
    vectors = {name: values.pop(name, (0.0, 0.0, 0.0)) for name in ("position_kpc", "velocity_kms")}
    n = max(
        [
            n,
            *(np.size(v) for v in values.values()),
            *(len(np.atleast_2d(v)) for v in vectors.values()),
        ]
    )
    arrays = {k: np.broadcast_to(v, (n,)).copy() for k, v in values.items()}
    arrays |= {k: np.broadcast_to(v, (n, 3)).copy() for k, v in vectors.items()}
    return Gas(**arrays, info=GasInfo("test", "test", COSMOLOGY, redshift))
