"""Scenes of snapshots: the right gas at the right place, whatever side of the box it is on."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table

from icmass.catalog import Flag
from icmass.errors import InputError, NoPhotonsError
from icmass.simulate.scene import SceneKey
from icmass.simulate.snapshots import SnapshotSource
from icmass.simulate.snapshots import source as source_module
from icmass.simulate.view import rotation_from_axis
from tests.helpers.snapshots import COSMOLOGY, write_gadget_hdf5, write_swift
from tests.simulate.snapshots.boxes import halo_rows, lopsided, merged, write_rows

CENTER = (0.31, 0.52, 0.67)


def expected_scene(truth, axis):
    """Positions and velocities in the observer's frame, particle by particle."""
    rotation = rotation_from_axis(axis)
    position = truth.offsets(truth.gas["position"]) @ rotation.T
    velocity = (truth.gas["velocity"] - truth.velocity_kms) @ rotation.T
    hubble = COSMOLOGY.H(truth.redshift).value / 1e3  # km/s per physical kpc
    velocity[:, 2] += hubble * position[:, 2]
    return position, velocity


@pytest.mark.parametrize(("sight", "axis"), [(0, "x"), (1, "y"), (2, "z")])
def test_scene_is_the_gas_in_the_frame_of_the_observer(truth, box_file, halo_file, sight, axis):
    source = SnapshotSource([box_file], halos=halo_file, sample_id=4)
    scene = source.scene(sight)
    assert scene.key == source.key(sight) == SceneKey(4, 0, 7, sight)
    position, velocity = expected_scene(truth, axis)
    assert np.allclose(scene.gas.position_kpc, position, atol=1e-3)
    assert np.allclose(scene.gas.velocity_kms, velocity, atol=1e-2)
    assert np.allclose(scene.gas.kt_kev, truth.gas["kt"], rtol=1e-3)
    assert np.allclose(
        scene.gas.emission_measure_cm3.sum(), truth.emission_measure().sum(), rtol=0.05
    )
    assert scene.gas.info.redshift == pytest.approx(truth.redshift)
    assert scene.gas.info.census.stages[-1] == ("in the column", len(truth.gas["kt"]))
    for other in "xyz".replace(axis, ""):  # negative control: the halo looks the same from nowhere
        assert not np.allclose(scene.gas.position_kpc, expected_scene(truth, other)[0], atol=100)


def test_truth_and_halo_are_those_of_the_table(truth, box_file, halo_file):
    source = SnapshotSource([box_file], halos=halo_file)
    scene, halo = source.scene(1), source.scene(1).gas.info.halo
    assert halo.r500c_kpc == pytest.approx(truth.overdensity_radius(500))
    assert halo.m500c_msun == pytest.approx(truth.mass_msun * halo.r500c_kpc / truth.radius_kpc)
    assert halo.r200c_kpc == pytest.approx(truth.overdensity_radius(200))
    assert scene.truth["v_los_halo_km_s"] == pytest.approx(truth.velocity_kms[1])
    comoving = [scene.truth[f"box_{axis}_mpc"] for axis in "xyz"]
    assert comoving == pytest.approx(truth.center_kpc * 1.25 / 1e3)
    assert source.box_size_mpc == pytest.approx(75.0)
    assert scene.flags == 0
    assert scene.galaxies is None
    assert scene.member_agn is None
    assert len(scene.regions) == 0
    measured = source.measure(1)
    assert measured.m500c_msun == pytest.approx(halo.m500c_msun, rel=0.05)
    assert scene.gas.info.extra["measured_halo"]["m500c_msun"] == measured.m500c_msun


@pytest.mark.parametrize("edge", [(0.0005, 0.52, 0.67), (0.31, 0.9995, 0.67), (0.0, 0.0, 0.0)])
def test_halo_at_the_edge_of_the_box_looks_as_in_its_middle(tmp_path, edge):
    scenes = []
    for name, center in (("middle", CENTER), ("edge", edge)):
        truth = lopsided(center=center)
        file = str(write_swift(tmp_path / f"{name}.hdf5", truth))
        table = write_rows(tmp_path / f"{name}.ecsv", halo_rows([truth]))
        source = SnapshotSource([file], halos=table)
        scenes.append([source.scene(index) for index in range(3)])
    for middle, at_edge in zip(*scenes, strict=True):
        assert len(middle.gas) == len(at_edge.gas) == 600
        assert np.allclose(middle.gas.position_kpc, at_edge.gas.position_kpc, atol=1e-2)
        assert np.allclose(middle.gas.velocity_kms, at_edge.gas.velocity_kms, atol=1e-2)
        measured = [s.gas.info.extra["measured_halo"]["m500c_msun"] for s in (middle, at_edge)]
        assert measured[0] == pytest.approx(measured[1], rel=1e-4)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A second halo across the edge of the box, 24 Mpc behind the first one, as seen along x."""
    folder = tmp_path_factory.mktemp("crowded")
    first = lopsided(center=(0.8, 0.5, 0.5))
    second = make_small((0.2, 0.5 + 0.4 / 60, 0.5))  # 0.4 to 1.2, that is 24 Mpc
    both = merged(first, second)
    file = str(write_swift(folder / "both.hdf5", both))
    table = write_rows(folder / "both.ecsv", halo_rows([first, second], ids=[3, 5]))
    return first, second, file, table


def make_small(center):
    truth = lopsided(center=center, seed=9, gas_count=300, dark_count=700)
    gas = {**truth.gas, "mass": truth.gas["mass"] * 0.8, "density": truth.gas["density"] * 0.8}
    dark = {**truth.dark, "mass": truth.dark["mass"] * 0.8}
    return replace(truth, gas=gas, dark=dark, mass_msun=0.8 * truth.mass_msun)


def test_what_lies_behind_is_seen_with_its_hubble_flow(crowded):
    first, _, file, table = crowded
    source = SnapshotSource([file], halos=table)
    along_x, along_y, along_z = (source.scene(index) for index in range(3))
    behind = along_x.gas.position_kpc[:, 2] > 10_000
    assert behind.sum() == 300
    assert np.median(along_x.gas.position_kpc[behind, 2]) == pytest.approx(24_000, abs=200)
    flow = 24_000 * COSMOLOGY.H(first.redshift).value / 1e3
    assert along_x.gas.velocity_kms[behind, 2].mean() == pytest.approx(flow, abs=60)
    assert flow > 1800
    for scene in (along_y, along_z):  # from elsewhere the two stand apart
        assert len(scene.gas) == 600
        assert scene.flags == 0
        assert len(scene.regions) == 0
    assert along_x.regions.kind.tolist() == [3]
    assert along_x.regions.east_kpc[0] == pytest.approx(400, abs=1)
    assert along_x.regions.north_kpc[0] == pytest.approx(0, abs=1)
    assert along_x.regions.mass_msun[0] < along_x.gas.info.halo.m500c_msun
    # the small one has the large one in front of it, by the same distance
    reverse = source.scene(3)
    assert reverse.key.halo_id == 5
    assert (reverse.gas.position_kpc[:, 2] < -10_000).sum() == 600


def test_depth_and_width_of_the_column_can_be_chosen(crowded):
    _, _, file, table = crowded
    assert len(SnapshotSource([file], halos=table, depth_kpc=20_000).scene(0).gas) == 600
    narrow = SnapshotSource([file], halos=table, width_kpc=800.0).scene(0).gas
    whole = SnapshotSource([file], halos=table).scene(0).gas
    beside = np.abs(whole.position_kpc[:, :2]).max(axis=1) - whole.smoothing_kpc
    assert len(narrow) == (beside <= 400).sum() < len(whole)
    for name in ("width_kpc", "depth_kpc"):
        with pytest.raises(InputError, match=f"{name}: must be positive; got -1"):
            SnapshotSource([file], halos=table, **{name: -1.0})


def test_more_lines_of_sight_extend_a_sample(crowded):
    _, _, file, table = crowded
    few = SnapshotSource([file], halos=table, lines_of_sight=2)
    many = SnapshotSource([file], halos=table, lines_of_sight=5)
    assert (len(few), len(many)) == (4, 10)
    for sight in range(2):
        same = [s.scene(s.lines_of_sight + sight) for s in (few, many)]
        assert same[0].key == same[1].key
        assert np.array_equal(same[0].gas.position_kpc, same[1].gas.position_kpc)
    tilted = many.scene(4).gas
    assert sorted(np.round(tilted.radius_kpc()[:600], 2)) == pytest.approx(
        sorted(np.round(many.scene(2).gas.radius_kpc()[:600], 2)), abs=0.02
    )
    for index in (-1, 10):
        with pytest.raises(IndexError, match="of 10"):
            many.key(index)


def test_several_snapshots_with_one_table_each_and_one_for_all(tmp_path, monkeypatch):
    truths = [lopsided(), lopsided(redshift=0.4, seed=6, center=(0.1, 0.2, 0.95))]
    files = [str(write_swift(tmp_path / f"{n}.hdf5", truth)) for n, truth in enumerate(truths)]
    tables = [halo_rows([truth], ids=[11]) for truth in truths]
    apart = [write_rows(tmp_path / f"{n}.ecsv", table) for n, table in enumerate(tables)]
    rows = [dict(zip(t.colnames, t[0], strict=True)) for t in tables]
    together = Table(rows)
    for name in together.colnames:
        together[name].unit = tables[0][name].unit
    together["snapshot_id"] = [0, 1]
    single = write_rows(tmp_path / "all.ecsv", together)

    reads = []
    box = source_module.Box
    monkeypatch.setattr(source_module, "Box", lambda *a, **k: reads.append(a[0]) or box(*a, **k))
    for halos in (apart, single):
        reads.clear()
        source = SnapshotSource(files, halos=halos)
        assert len(source) == 6
        assert source.box_size_mpc is None  # 75 and 84 Mpc
        scenes = [source.scene(index) for index in range(6)]
        assert reads == files  # each once
        assert [scene.key.snapshot_id for scene in scenes] == [0, 0, 0, 1, 1, 1]
        assert {scene.key.halo_id for scene in scenes} == {11}
        assert scenes[2].gas.info.redshift == pytest.approx(0.25)
        assert scenes[5].gas.info.redshift == pytest.approx(0.4)
        for scene, truth in ((scenes[2], truths[0]), (scenes[5], truths[1])):
            assert np.allclose(scene.gas.position_kpc, expected_scene(truth, "z")[0], atol=1e-2)
    with pytest.raises(InputError, match=r"0\.ecsv: must have the column snapshot_id \(0 to 1\)"):
        SnapshotSource(files, halos=apart[0])
    with pytest.raises(InputError, match=r"halos: must be one table, or one per snapshot \(2\)"):
        SnapshotSource(files, halos=[*apart, single])


def test_redshift_is_that_of_the_snapshot_unless_given(tmp_path, box_file, halo_file):
    moved = SnapshotSource([box_file], halos=halo_file, redshift=0.1).scene(0)
    assert moved.gas.info.redshift == 0.1
    assert moved.gas.info.extra["snapshot_redshift"] == pytest.approx(0.25)
    truth = lopsided(redshift=0.0)
    file = str(write_swift(tmp_path / "now.hdf5", truth))
    table = write_rows(tmp_path / "now.ecsv", halo_rows([truth]))
    with pytest.raises(InputError, match="must have a redshift above 0 to be observed"):
        SnapshotSource([file], halos=table)
    assert SnapshotSource([file], halos=table, redshift=0.2).scene(0).gas.info.redshift == 0.2


def test_cuts_reach_the_gas(truth, box_file, halo_file):
    hot = SnapshotSource([box_file], halos=halo_file, min_temperature_k=5 / 8.617333e-8).scene(0)
    assert hot.gas.kt_kev.min() >= 5
    assert len(hot.gas) == (truth.gas["kt"] >= 5).sum()
    solar = SnapshotSource([box_file], halos=halo_file, metallicity_solar=0.7).scene(0)
    assert set(solar.gas.metallicity_solar) == {0.7}
    with pytest.raises(NoPhotonsError, match="no particle is left"):
        SnapshotSource([box_file], halos=halo_file, min_temperature_k=1e9).scene(0)


def test_gadget_units_with_h_in_snapshot_and_table(tmp_path, truth):
    file = str(write_gadget_hdf5(tmp_path / "snap.hdf5", truth, flavour="tng"))
    table = halo_rows([truth])
    for name in "xyz":
        table[name] = table[name].value * 0.7 * 1e3
        table[name].unit = "kpc/h"  # astropy reads an hour here
    table["M500c"] = table["M500c"].value * 0.7 / 1e10
    table["M500c"].unit = "1e10 Msun/h"
    scene = SnapshotSource([file], halos=write_rows(tmp_path / "h.ecsv", table)).scene(2)
    assert np.allclose(scene.gas.position_kpc, expected_scene(truth, "z")[0], atol=0.1)
    assert scene.gas.info.halo.m500c_msun == pytest.approx(
        truth.mass_msun * truth.overdensity_radius(500) / truth.radius_kpc
    )


def test_halo_that_is_not_there_is_refused(tmp_path, truth, box_file):
    table = halo_rows([truth, truth], ids=[0, 1])
    table["x"][1] += 20.0
    source = SnapshotSource([box_file], halos=write_rows(tmp_path / "a.ecsv", table))
    source.scene(0)
    with pytest.raises(InputError, match="halo 1: the snapshot must have its M500c"):
        source.scene(3)
    table["x"][1] -= 20.0
    table["M500c"][1] *= 27
    table["R500c"][1] *= 3  # agree with each other, not with the matter
    source = SnapshotSource([box_file], halos=write_rows(tmp_path / "b.ecsv", table))
    with pytest.raises(InputError, match=r"halo 1: .* measured are 0\.036"):
        source.scene(3)


def test_line_of_sight_without_gas_is_refused(tmp_path, truth):
    away = {**truth.gas, "position": (truth.gas["position"] + 20_000) % truth.box_kpc}
    file = str(write_swift(tmp_path / "dark.hdf5", replace(truth, gas=away)))
    table = write_rows(tmp_path / "dark.ecsv", halo_rows([truth]))
    with pytest.raises(NoPhotonsError, match="a line of sight must hold gas that can emit"):
        SnapshotSource([file], halos=table).scene(0)


def test_piece_cut_out_is_said_to_be_truncated(shared_dir, tmp_path):
    path = str(shared_dir / "data/gadget/snap_Gadget_sample")
    source = SnapshotSource([path], redshift=0.1, min_m500c_msun=1e15)
    assert len(source) == 3
    wide = SnapshotSource([path], redshift=0.1, min_m500c_msun=1e15, width_kpc=9000.0).scene(0)
    assert wide.flags & Flag.GAS_TRUNCATED
    assert not source.scene(0).flags & Flag.GAS_TRUNCATED
    assert 2e15 < source.scene(0).gas.info.halo.m500c_msun < 3e15


def test_no_file_no_halo_and_a_strange_file_are_refused(tmp_path, box_file, halo_file):
    with pytest.raises(InputError, match="snapshot: must be at least one file"):
        SnapshotSource([])
    with pytest.raises(InputError, match="must hold a halo above the lowest mass"):
        SnapshotSource([box_file], halos=halo_file, min_m500c_msun=1e16)
    with pytest.raises(InputError, match="nothing is there"):
        SnapshotSource([str(tmp_path / "no.hdf5")], halos=halo_file)
    with pytest.raises(InputError, match="redshift: must lie between 0 and 20"):
        SnapshotSource([box_file], halos=halo_file, redshift=-1)


def galaxy_rows(truth, count=50):
    rng = np.random.default_rng(3)
    table = Table()
    step = rng.uniform(-1500, 1500, (count, 3))
    table["center"] = (truth.center_kpc + step) % truth.box_kpc
    table["center"].unit = "kpc"
    table["center"].description = "physical"
    table["velocity"] = truth.velocity_kms + rng.normal(0, 600, (count, 3))
    table["velocity"].unit = "km / s"
    table["stellar_mass"] = 10 ** rng.uniform(9, 11, count)
    table["stellar_mass"].unit = "solMass"
    return table, step


def test_galaxies_of_a_table_are_seen_with_the_gas(tmp_path, truth, box_file, halo_file):
    table, step = galaxy_rows(truth)
    table["center"][0] = (
        truth.center_kpc + np.array([3000, 100, 20_000])
    ) % truth.box_kpc  # far behind
    table["velocity"][1] = truth.velocity_kms + np.array(
        [0, 0, 5000]
    )  # too fast to belong to the field
    file = write_rows(tmp_path / "galaxies.ecsv", table)
    source = SnapshotSource([box_file], halos=halo_file, galaxies=file)
    galaxies = source.scene(2).galaxies
    assert len(galaxies) == 49
    hubble = COSMOLOGY.H(truth.redshift).value / 1e3
    assert galaxies.position_kpc[0] == pytest.approx([3000, 100, 20_000], abs=0.01)
    v_los = table["velocity"][:, 2] - truth.velocity_kms[2] + hubble * step[:, 2]
    assert galaxies.v_los_km_s[1:] == pytest.approx(v_los[2:].value, abs=0.01)
    assert galaxies.stellar_mass_msun[1:] == pytest.approx(table["stellar_mass"][2:].value)
    inside = np.linalg.norm(step, axis=1) <= truth.overdensity_radius(200)
    assert galaxies.member[1:].tolist() == inside[2:].tolist()
    assert not galaxies.member[0]
    assert 10 < inside.sum() < 50

    table["host_id"] = np.where(np.arange(len(table)) % 2, 7, 8)
    file = write_rows(tmp_path / "hosted.ecsv", table)
    hosted = SnapshotSource([box_file], halos=halo_file, galaxies=file).scene(2).galaxies
    assert hosted.member[1:].tolist() == (inside & (table["host_id"] == 7))[2:].tolist()


def test_galaxy_tables_that_cannot_be_used_are_refused(tmp_path, truth, box_file, halo_file):
    def refused(table, message):
        file = write_rows(tmp_path / "galaxies.ecsv", table)
        with pytest.raises(InputError, match=message):
            SnapshotSource([box_file], halos=halo_file, galaxies=file)

    table, _ = galaxy_rows(truth)
    table["stellar_mass"][4] = np.nan
    refused(table, "1 of 50 have not, the first is row 4")
    table, _ = galaxy_rows(truth)
    table["center"][6] *= 10
    refused(table, "the first is galaxy in row 6 at")
    table.remove_column("stellar_mass")
    refused(table, "must have the columns stellar_mass; it has")
