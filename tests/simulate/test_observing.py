"""The whole road from gas to events: repeatable, each part independent of the others."""

from dataclasses import replace

import numba
import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.events import Events
from icmass.simulate.gas import Gas
from icmass.simulate.observation import Observation
from icmass.simulate.observing import observe
from icmass.simulate.origin import Origin
from icmass.simulate.sky import SKY_COMPONENTS
from icmass.simulate.spherical_cluster import default_cluster
from tests.helpers.forward import analytic_table
from tests.helpers.stats import Z_MAX, assert_chi_square


@pytest.fixture(scope="module")
def gas() -> Gas:
    return default_cluster(20_000)


@pytest.fixture(scope="module")
def table() -> SpectralTable:
    return analytic_table()


def look(gas: Gas, table: SpectralTable, **changes) -> Observation:
    return observe(gas, **{"table": table, "exposure": 500.0, "seed": 3, "width": 0.4, **changes})


@pytest.fixture(scope="module")
def whole(gas, table) -> Observation:
    return look(gas, table)


def same(first: Events, second: Events) -> bool:
    return all(
        getattr(first, name).tobytes() == getattr(second, name).tobytes() for name in Events.DTYPES
    )


def test_one_seed_gives_one_result_whatever_the_threads(gas, table, whole):
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = look(gas, table)
    finally:
        numba.set_num_threads(before)
    assert same(alone.events, whole.events)
    assert alone.scalars == whole.scalars
    for name in whole.sources.colnames:
        columns = [np.asarray(run.sources[name]) for run in (alone, whole)]
        np.testing.assert_array_equal(*columns)
    other = look(gas, table, seed=4)
    assert not same(other.events, whole.events)


@pytest.mark.parametrize("left_out", SKY_COMPONENTS)
def test_switching_a_component_off_leaves_the_others(gas, table, whole, left_out):
    part = look(gas, table, sky=[name for name in SKY_COMPONENTS if name != left_out])
    assert same(part.events.from_origin(Origin.ICM), whole.events.from_origin(Origin.ICM))
    names = [c.name for c in whole.components]
    left = {c.name for c in part.components}
    assert left < set(names)
    if left_out == "field_agn":
        return  # what is not drawn as sources stays in the diffuse light, by design
    # Order of parts: the events of the components that stay, one after the other.
    if left_out in ("particles", "foreground", "extragalactic"):
        agn = part.events.from_origin(Origin.AGN)
        assert same(agn, whole.events.from_origin(Origin.AGN))
    if left_out == "cluster_agn":
        background = part.events.from_origin(Origin.BACKGROUND)
        assert same(background, whole.events.from_origin(Origin.BACKGROUND))


def test_gas_alone(gas, table, whole):
    alone = look(gas, table, sky=())
    assert same(alone.events, whole.events.from_origin(Origin.ICM))
    assert alone.sources is None


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_image_and_spectrum_agree_with_their_expectation(gas, table, mode):
    observation = look(gas, table, mode=mode, exposure=5000.0)
    for origin in Origin:
        image = observation.image("all", origin, pixel_arcsec=16.0).data
        expected = observation.expected_image("all", origin, pixel_arcsec=16.0).data
        assert_chi_square(image, expected)
    in_band = (observation.events.energy_kev >= 0.5) & (observation.events.energy_kev < 7.0)
    total = observation.expected_image((0.5, 7.0)).data.sum()
    assert abs(in_band.sum() - total) < Z_MAX * np.sqrt(total) + 1e-3 * total


def test_counts_grow_with_the_exposure(gas, table):
    short, long = (look(gas, table, exposure=t, sky=()) for t in (2000.0, 8000.0))
    n_short, n_long = len(short.events), len(long.events)
    assert abs(n_long - 4 * n_short) < Z_MAX * np.sqrt(n_long + 16 * n_short)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"redshift": 0.0}, "redshift: must be above 0"),
        ({"redshift": -1.0}, "redshift: must be above 0"),
        ({"exposure": 0.0}, "exposure: must be above 0 and finite, in s; got 0"),
        ({"exposure": np.nan}, "exposure"),
        ({"nh": -1.0}, r"nh_cm2: must be 0 or 1e\+16 to 1e\+26, in cm"),
        ({"nh": 0.03}, r"nh_cm2: must be 0 .* neither a logarithm nor in 1e22 cm\^-2\); got 0.03"),
        ({"width": 0.0}, "width: must be above 0"),
        (
            {"width": 1e-5},
            r"width: must be at least 10 image pixels \(0.01111 deg\); got 1e-05 deg",
        ),
        ({"seed": -1}, "seed: must be a whole number from 0"),
        ({"seed": 1.5}, r"seed: must be a whole number from 0, below 2\^63; got 1\.5"),
        ({"seed": 2**70}, r"seed: must be a whole number from 0, below 2\^63; got 1180"),
        ({"exposure": [1, 2]}, r"exposure: must be one number, in s; got \[1, 2\]"),
        ({"nh": [1e20, 2e20]}, "nh: must be one number, in cm-2; got"),
        ({"sky": ["stars"]}, "sky: must be among .*; got 'stars'"),
        ({"mode": "slew"}, "mode: must be survey or pointed"),
        ({"exposure": 1e12}, "exposure: must give fewer than"),
        ({"ra": 400.0}, "ra: must lie in"),
        ({"axis": "w"}, "axis: must be x, y, z"),
    ],
)
def test_wrong_arguments_are_refused(gas, table, change, message):
    with pytest.raises(InputError, match=message):
        look(gas, table, **change)


def test_a_path_in_place_of_gas_is_refused(table):
    with pytest.raises(InputError, match=r"gas: must be a Gas; got str\. Read a snapshot with"):
        observe("snap.hdf5", "erosita", exposure=50, table=table)


def test_gas_without_a_place_is_refused(gas, table):
    homeless = replace(gas, info=replace(gas.info, redshift=None))
    with pytest.raises(InputError, match=r"redshift: must be given.*for instance 0\.1"):
        look(homeless, table)


def test_gas_that_no_photon_can_leave_shows_the_census(gas, table):
    away = replace(gas, position_kpc=gas.position_kpc + 1e5)
    with pytest.raises(InputError, match="in the field"):
        look(away, table)
    with pytest.raises(InputError, match="in the field"):
        look(gas.select(np.zeros(len(gas), bool)), table)
