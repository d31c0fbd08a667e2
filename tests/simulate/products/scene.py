"""Small observations made for tests: synthetic events, and a lop-sided cluster drawn for real."""

import numpy as np

from icmass.simulate.events import Events
from icmass.simulate.gas import GasInfo, Halo
from icmass.simulate.instrument import Instrument
from icmass.simulate.observation import Observation
from icmass.simulate.origin import Origin
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.view import View

R500C_ARCSEC = 180.0
KPC_PER_ARCSEC = 3.0


def synthetic_events(
    east, north, energy_kev=1.0, *, instrument, origin=Origin.ICM, exposure_s=1000.0
) -> Events:
    """Events at given offsets and energies, the channel being that of the energy."""
    count = len(east)
    events = Events.empty(count)
    energy = np.broadcast_to(np.asarray(energy_kev, dtype=np.float32), count)
    edges = instrument.redistribution.channel_edges_kev
    events.east_arcsec[:] = east
    events.north_arcsec[:] = north
    events.true_east_arcsec[:] = np.asarray(east) + 3.0
    events.true_north_arcsec[:] = np.asarray(north) - 2.0
    events.energy_kev[:] = energy
    events.true_energy_kev[:] = energy * np.float32(1.01)
    events.channel[:] = np.searchsorted(edges, energy, side="right") - 1
    events.time_s[:] = exposure_s * (np.arange(count) + 0.5) / max(count, 1)
    events.module[:] = 1 + np.arange(count) % 7
    events.origin[:] = np.broadcast_to(origin, count)
    events.source_id[:] = np.where(events.origin == Origin.AGN, 1 + np.arange(count) % 5, 0)
    events.parent[:] = np.arange(count)
    return events


def observation_of(events, view, instrument, *, components=(), exposure_s=1000.0, **changes):
    """Wrap events into an observation with a measured halo."""
    from astropy.cosmology import FlatLambdaCDM

    halo = Halo(
        (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 4e14, R500C_ARCSEC * KPC_PER_ARCSEC, 6e14, 900.0, True
    )
    info = GasInfo("test cluster", "none", FlatLambdaCDM(70, 0.3), 0.2, halo)
    content = {
        "events": events,
        "view": view,
        "instrument": instrument,
        "response": instrument.response(view.mode),
        "exposure_s": exposure_s,
        "nh_cm2": 3e20,
        "redshift": 0.2,
        "kpc_per_arcsec": KPC_PER_ARCSEC,
        "components": tuple(components),
        "gas_info": info,
        "seed": 7,
        "config": {"redshift": 0.2, "sky": {"agn": True, "slope": 1.9}},
    }
    return Observation(**{**content, **changes})


def power_law_photons(instrument, mode, index):
    """Photons/cm^2/s per energy bin for 1 photon/cm^2/s/keV at 1 keV, shape (1, 1, n_e)."""
    edges = instrument.response(mode).redistribution.energy_edges_kev
    integral = np.diff(edges ** (1.0 - index)) / (1.0 - index)
    return integral[None, None, :]


def lopsided_components(view: View, instrument: Instrument, seed: int = 3) -> list[Component]:
    """A cluster with a subcluster to the north-west, five point sources and a flat background."""
    rng = np.random.default_rng(seed)
    soft = FoldedSpectra.for_view(power_law_photons(instrument, view.mode, 2.2), instrument, view)
    hard = FoldedSpectra.for_view(power_law_photons(instrument, view.mode, 1.9), instrument, view)
    flat = FoldedSpectra.for_view(
        power_law_photons(instrument, view.mode, 0.5), instrument, view, area=False
    )
    count = 4000
    radius = 60.0 * np.sqrt((1.0 - rng.random(count)) ** -1.4 - 1.0).clip(0, 20)
    angle = rng.uniform(0, 2 * np.pi, count)
    sub = rng.random(count) < 0.2
    east = np.where(sub, -130.0 + 0.4 * radius * np.cos(angle), radius * np.cos(angle))
    north = np.where(sub, 90.0 + 0.4 * radius * np.sin(angle), 0.7 * radius * np.sin(angle))
    zero = np.zeros(count)
    gas = Emitters(east, north, zero + 25.0, zero + 1.0, zero, zero, np.full(count, 0.006 / count))
    half = view.width_arcsec / 2.0
    places = rng.uniform(-0.9 * half, 0.9 * half, (2, 5))
    agn = Emitters.points(places[0], places[1], np.zeros(5), 4e-5 * (1 + np.arange(5)))
    cells = np.arange(-half + 10.0, half, 20.0)
    cell_east, cell_north = (a.ravel() for a in np.meshgrid(cells, cells))
    sky = Emitters.squares(
        cell_east, cell_north, 10.0, np.full(cell_east.size, 2e-3 * (20.0 / 60.0) ** 2)
    )
    ids = np.arange(1, 6, dtype=np.int32)
    return [
        Component("gas", Origin.ICM, gas, soft, Shape.KERNEL, True),
        Component("agn", Origin.AGN, agn, hard, Shape.POINT, True, ids),
        Component("sky", Origin.BACKGROUND, sky, flat, Shape.SQUARE, False),
    ]


def lopsided_observation(
    instrument: Instrument, *, mode="survey", exposure_s=2000.0, seed=7, **changes
) -> Observation:
    """Return the lop-sided cluster observed far south, next to RA 0."""
    view = View(359.97, -60.0, mode, 1200.0)
    components = lopsided_components(view, instrument)
    events = draw_events(components, view, instrument, exposure_s, seed)
    return observation_of(
        events,
        view,
        instrument,
        components=components,
        exposure_s=exposure_s,
        seed=seed,
        **changes,
    )
