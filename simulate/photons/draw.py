"""Draw the events of an observation: Poisson numbers, one random stream per component."""

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.events import Events
from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.detector import (
    detector_arrays,
    field_arrays,
    module_arrays,
    psf_arrays,
)
from icmass.simulate.photons.draw_kernels import (
    BLOCK,
    count_blocks,
    draw_photons,
    fill_parents,
    move_up,
)
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.photons.sph import projected_quantile
from icmass.simulate.rng import kernel_key, stream
from icmass.simulate.view import View

__all__ = ["draw_events", "draw_parents"]

# Memory per event while it is drawn, counted and written, and the share of the machine's to use.
_BYTES_PER_EVENT = 250
_SHARE_OF_MEMORY = 0.8


def draw_parents(expected: NDArray[np.float64], key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Draw which emitter sends each photon.

    Parameters
    ----------
    expected : ndarray, shape (n,)
        Expected counts of each emitter.
    key : uint64 ndarray, shape (2,)
        From `icmass.simulate.rng.kernel_key`.

    Returns
    -------
    ndarray of int64, shape (n_photon,)
        Row of the emitter of each photon, ascending; the number of times a row appears is Poisson
        with its expectation, independent of all others.

    Raises
    ------
    InputError
        If more photons are expected than one run can hold.
    """
    total, room = float(expected.sum()), _room_for_events()
    if not total < room:
        raise InputError(
            f"exposure: must give fewer than {room:.1e} events, which fill this machine's memory; "
            f"{total:.1e} are expected. Shorten the exposure or observe it in pieces with "
            "different seeds."
        )
    counts = np.zeros(-(-len(expected) // BLOCK), dtype=np.int64)
    count_blocks(key, expected, counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    parents = np.empty(starts[-1], dtype=np.int64)
    fill_parents(key, expected, starts, parents)
    return parents


def _room_for_events() -> float:
    """Return how many events this machine's memory holds."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _SHARE_OF_MEMORY * memory / _BYTES_PER_EVENT


def draw_events(
    components: Sequence[Component],
    view: View,
    instrument: Instrument,
    exposure_s: float,
    seed: int,
    path: tuple[int | str, ...] = (),
) -> Events:
    """Draw all events of the components given.

    Parameters
    ----------
    components : sequence of Component
        Their names must differ: each names a random stream.
    view : View
        Field and mode.
    instrument : Instrument
        PSF and modules; the redistribution is that of each component's spectra.
    exposure_s : float
        Exposure in seconds, unvignetted.
    seed : int
        Same seed, same events, whatever the number of threads; a component's photons do not depend
        on which others are there.
    path : tuple
        What the seed is for, such as (halo id, line of sight).

    Returns
    -------
    Events
        Those inside the field, component after component.
    """
    parents = []
    for component in components:
        expected = expected_counts(component, exposure_s)
        parents.append(
            draw_parents(expected, kernel_key(stream(seed, *path, component.name, "counts")))
        )
        del expected
    events = Events.empty(sum(len(p) for p in parents))
    begin = 0
    for component in components:
        chosen = parents.pop(0)  # freed once its photons are drawn
        part = events.select(slice(begin, begin + len(chosen)))
        key = kernel_key(stream(seed, *path, component.name, "photons"))
        _fill(part, chosen, component, view, instrument, exposure_s, key)
        begin += len(chosen)
    return _inside(events)


def _fill(
    events: Events,
    parents: NDArray[np.int64],
    component: Component,
    view: View,
    instrument: Instrument,
    exposure_s: float,
    key: NDArray[np.uint64],
) -> None:
    """Fill the rows of one component in place; photons outside the field get channel -1."""
    events.origin[:] = component.origin
    events.parent[:] = parents
    events.source_id[:] = 0 if component.source_id is None else component.source_id[parents]
    emitters, spectra = component.emitters, component.spectra
    draw_photons(
        key,
        float(exposure_s),
        int(component.shape),
        parents,
        (
            emitters.east_arcsec,
            emitters.north_arcsec,
            emitters.extent_arcsec,
            emitters.energy_shift,
            emitters.node,
            emitters.mix,
        ),
        (spectra.theta_arcmin, spectra.two_parts, spectra.cdf, spectra.guide),
        detector_arrays(spectra.redistribution),
        psf_arrays(instrument.psf(view.mode), view, component.psf),
        field_arrays(view),
        projected_quantile(),
        module_arrays(instrument),
        (
            events.east_arcsec,
            events.north_arcsec,
            events.true_east_arcsec,
            events.true_north_arcsec,
        ),
        (events.energy_kev, events.true_energy_kev, events.time_s),
        (events.channel, events.module),
    )


def _inside(events: Events) -> Events:
    """Drop photons outside the field by moving the others up, so that memory stays one copy."""
    keep = events.channel >= 0
    count = int(keep.sum())
    if count < len(events):
        for name in Events.DTYPES:
            move_up(getattr(events, name), keep)
    return events.select(slice(0, count))
