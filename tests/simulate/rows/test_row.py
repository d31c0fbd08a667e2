"""Rows as the catalog takes them: round trip, flags, what is missing, bad scenes."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.catalog import Catalog, Failure, Flag, RegionKind
from icmass.errors import InputError
from icmass.simulate.rows import RowSettings, collect, observe_scene
from icmass.simulate.scene import Scene, SceneKey, SceneRegions
from tests.simulate.rows.conftest import make_galaxies, make_scene, with_halo

FAST = RowSettings(exposure_s=3000.0, expectations="float32")
TRUTH = ("concentration", "dynamical_state", "axis_ratio", "n_substructures", "m200c_msun")


def spec_of(settings, **changes):
    return settings.spec(**{"truth": TRUTH, "galaxies": True, "regions": True, **changes})


def test_rows_make_a_catalog_that_validates(tmp_path):
    scenes = [make_scene(3), make_scene(1), Scene(SceneKey(1, 2, 9, 0), make_scene().gas)]
    rows = [observe_scene(scene, FAST) for scene in scenes]
    failure = Failure(1, 2, 4, 0, "scene: it broke.")
    spec = spec_of(FAST)
    catalog = Catalog.create(tmp_path / "catalog", spec)
    catalog.append(collect(rows, spec, [failure]))
    catalog.validate()

    assert catalog.column("halo_id").tolist() == [3, 1, 9]
    assert catalog.column("concentration").tolist()[:2] == [4.5, 4.5]
    assert np.isnan(catalog.column("concentration")[2])
    assert catalog.column("n_gal")[2] == -1
    assert catalog.column("n_substructures").tolist() == [-1] * 3
    images = catalog.images([0, 1, 2], apart=True)
    assert np.array_equal(images, np.stack([row.images for row in rows]))
    assert catalog.column("n_phot").tolist() == images[:, :2].sum(axis=(1, 2, 3, 4)).tolist()
    assert len(catalog.galaxies(2)) == 0
    galaxies = catalog.galaxies(0)
    half = 64 * FAST.geometry.pixel
    expected = make_galaxies()
    inside = np.abs(expected.position_kpc[:, :2]).max(axis=1) <= half
    assert np.array_equal(galaxies["v_los_km_s"], expected.v_los_km_s[inside].astype("f4"))
    assert galaxies["member"].sum() == expected.member[inside].sum()
    assert catalog.failures() == [failure]


def test_a_shard_of_failures_alone(tmp_path):
    spec = spec_of(FAST)
    catalog = Catalog.create(tmp_path / "catalog", spec)
    catalog.append(collect([], spec, [Failure(1, 2, 4, 0, "scene: it broke.")]))
    catalog.validate()
    assert len(catalog) == 0


def test_columns_that_the_catalog_lacks_are_left_out(scene):
    row = observe_scene(scene, replace(FAST, expectations=None))
    data = collect([row, row], replace(FAST, expectations=None).spec())
    assert data.galaxies is data.regions is data.expectations is None
    assert "concentration" not in data.columns
    assert row.expectations is None


def test_measured_numbers_win_over_those_of_the_maker(scene):
    claimed = replace(scene, truth={"gas_mass_msun": 1.0, "m200c_msun": 5e14})
    columns = observe_scene(claimed, FAST).columns
    assert columns["gas_mass_msun"] > 1e12
    assert columns["m200c_msun"] == 5e14  # the default cluster has none of its own


def test_expected_photons_of_gas(scene):
    columns = observe_scene(scene, replace(FAST, exposure_s=60_000.0)).columns
    difference = columns["n_phot_icm"] - columns["n_phot_expected"]
    assert columns["n_phot_expected"] > 10_000
    assert abs(difference) < 4.5 * np.sqrt(columns["n_phot_expected"])


def flags_of(scene, settings=FAST):
    return Flag(observe_scene(scene, settings).columns["flags"])


def neighbours(kind, east_kpc, mass_msun):
    return SceneRegions(
        np.array([kind], np.uint8),
        np.array([east_kpc]),
        np.zeros(1),
        np.array([300.0]),
        np.array([mass_msun]),
    )


def test_flags(scene):
    assert flags_of(scene) == Flag(0)
    assert flags_of(replace(scene, flags=int(Flag.GAS_TRUNCATED))) == Flag.GAS_TRUNCATED
    few = replace(scene, galaxies=make_galaxies(4))
    assert flags_of(few) == Flag.FEW_GALAXIES
    order = np.argsort(scene.gas.emission_measure_cm3)
    up_to = np.empty(len(scene.gas))
    up_to[order] = np.cumsum(scene.gas.emission_measure_cm3[order])
    for share, expected in ((0.005, Flag(0)), (0.02, Flag.KT_CLAMPED)):
        cold = up_to < share * up_to.max()
        assert cold.any()
        gas = replace(scene.gas, kt_kev=np.where(cold, 1e-4, scene.gas.kt_kev))
        assert flags_of(replace(scene, gas=gas)) == expected
    empty = scene.gas.select(np.zeros(len(scene.gas), bool))
    assert flags_of(replace(scene, gas=empty)) == Flag.NO_PHOTONS
    pointed = replace(FAST, mode="pointed")
    assert flags_of(scene, pointed) == Flag(0)
    assert flags_of(with_redshift(scene, 0.07), pointed) == Flag.FIELD_EDGE


@pytest.mark.parametrize(
    ("kind", "east_r500c", "mass_ratio", "blended"),
    [
        (RegionKind.NEIGHBOUR, -0.9, 0.51, True),
        (RegionKind.COMPANION, 0.5, 0.51, True),
        (RegionKind.NEIGHBOUR, -1.1, 0.51, False),
        (RegionKind.NEIGHBOUR, -0.9, 0.49, False),
        (RegionKind.SUBSTRUCTURE, -0.9, 0.51, False),
    ],
)
def test_blended_is_a_heavy_halo_in_front(scene, kind, east_r500c, mass_ratio, blended):
    halo = scene.gas.info.halo
    regions = neighbours(kind, east_r500c * halo.r500c_kpc, mass_ratio * halo.m500c_msun)
    found = flags_of(replace(scene, regions=regions))
    assert found == (Flag.BLENDED if blended else Flag(0))


def with_redshift(scene, redshift):
    info = replace(scene.gas.info, redshift=redshift)
    return replace(scene, gas=replace(scene.gas, info=info))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: with_halo(s, m500c_msun=np.nan), "m500c_msun above 0; got nan"),
        (lambda s: with_halo(s, r500c_kpc=0.0), "r500c_kpc above 0; got 0"),
        (lambda s: with_redshift(s, None), "a redshift above 0; got None"),
        (lambda s: with_redshift(s, 0.0), "a redshift above 0; got 0"),
    ],
)
def test_scenes_that_cannot_be_observed(scene, change, message):
    with pytest.raises(InputError, match=message):
        observe_scene(change(scene), FAST)


def test_scenes_without_halo(scene):
    info = replace(scene.gas.info, halo=None)
    with pytest.raises(InputError, match="must have a halo; got none"):
        observe_scene(replace(scene, gas=replace(scene.gas, info=info)), FAST)


def test_without_listed_agn_they_are_drawn_from_the_mass(scene):
    heavy = with_halo(replace(scene, member_agn=None), m500c_msun=2e17)
    columns = observe_scene(heavy, replace(FAST, agn_depth_mpc=1e-9)).columns
    listed = observe_scene(scene, replace(FAST, agn_depth_mpc=1e-9)).columns
    assert listed["n_agn"] == 2
    assert columns["n_agn"] > 10
