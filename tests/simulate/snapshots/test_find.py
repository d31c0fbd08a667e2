"""Haloes found in the matter itself, where a snapshot comes without a table."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.snapshots import SnapshotSource
from tests.helpers.snapshots import write_swift
from tests.simulate.snapshots.boxes import lopsided, merged


def scaled(center, seed, factor):
    truth = lopsided(center=center, seed=seed)
    gas = {**truth.gas, "mass": truth.gas["mass"] * factor,
           "density": truth.gas["density"] * factor}  # fmt: skip
    dark = {**truth.dark, "mass": truth.dark["mass"] * factor}
    return replace(truth, gas=gas, dark=dark, mass_msun=factor * truth.mass_msun)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three haloes, one of them across three faces of the box, and matter strewn at random."""
    truths = [
        scaled((0.31, 0.52, 0.67), 5, 1.0),
        scaled((0.001, 0.999, 0.9995), 6, 0.8),
        scaled((0.31, 0.60, 0.67), 7, 0.5),  # 4.8 Mpc from the first
    ]
    both = merged(*truths)
    rng = np.random.default_rng(8)
    strewn = {
        "distance": np.zeros(4000),
        "position": rng.uniform(0, both.box_kpc, (4000, 3)),
        "velocity": rng.normal(0, 100, (4000, 3)),
        "mass": np.full(4000, both.dark["mass"].min()),
    }
    dark = {key: np.concatenate([both.dark[key], strewn[key]]) for key in both.dark}
    path = tmp_path_factory.mktemp("three") / "box.hdf5"
    return truths, str(write_swift(path, replace(both, dark=dark)))


def test_haloes_are_found_where_they_are(three):
    truths, file = three
    source = SnapshotSource([file], lines_of_sight=1)
    found = source.halos[0]
    assert found.halo_id.tolist() == [0, 1, 2]
    assert (np.diff(found.m500c_msun) < 0).all()
    for number, truth in enumerate(truths):
        step = found.center_kpc[number] - truth.center_kpc
        step -= truth.box_kpc * np.round(step / truth.box_kpc)
        assert np.linalg.norm(step) < 60, number
        radius = truth.overdensity_radius(500)
        mass = truth.mass_msun * radius / truth.radius_kpc
        assert found.m500c_msun[number] == pytest.approx(mass, rel=0.1), number
        assert found.r500c_kpc[number] == pytest.approx(radius, rel=0.04), number
        assert found.velocity_kms[number] == pytest.approx(truth.velocity_kms, abs=40), number
    assert [source.scene(i).key.halo_id for i in range(3)] == [0, 1, 2]


def test_lowest_mass_and_what_is_written(three, tmp_path):
    _, file = three
    source = SnapshotSource([file], lines_of_sight=1, min_m500c_msun=1.2e14)
    assert len(source) == 2
    source.write_halos(tmp_path / "halos.ecsv")
    again = SnapshotSource([file], lines_of_sight=1, halos=str(tmp_path / "halos.ecsv"))
    for index in range(2):
        mine, other = source.scene(index), again.scene(index)
        assert mine.key == other.key
        assert np.array_equal(mine.gas.position_kpc, other.gas.position_kpc)
        assert np.array_equal(mine.gas.velocity_kms, other.gas.velocity_kms)
        assert mine.gas.info.halo == other.gas.info.halo


def test_box_with_nothing_to_find_is_refused(tmp_path):
    truth = lopsided(dark_count=0, gas_count=2000)
    file = str(write_swift(tmp_path / "gas.hdf5", truth))
    with pytest.raises(InputError, match="must hold dark matter to search it for haloes"):
        SnapshotSource([file])
    file = str(write_swift(tmp_path / "box.hdf5", lopsided()))
    with pytest.raises(InputError, match="min_m500c_msun must be at least 100 particles of"):
        SnapshotSource([file], min_m500c_msun=1e12)
    with pytest.raises(InputError, match="must hold a halo above the lowest mass"):
        SnapshotSource([file], min_m500c_msun=1e15)
