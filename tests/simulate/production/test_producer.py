"""What becomes of scenes that cannot be made, and of the configuration on its way to the rows."""

import numpy as np
import pytest

from icmass.config import SimulateConfig
from icmass.errors import InputError
from icmass.simulate.production.producer import ClusterProducer, observe_rows, row_settings
from icmass.simulate.production.resume import first_difference
from icmass.simulate.production.sources import make_source
from icmass.simulate.scene import Scene, SceneKey

SMALL = {"clusters": 3, "particles": 2000, "pixels": 8, "exposure_s": 3000.0}


class Failing:
    """A source whose every scene fails in its own way."""

    errors = (
        InputError("halo 0: has no gas."),
        ZeroDivisionError("by\nzero"),
        ValueError("x" * 999),
    )

    def __len__(self) -> int:
        return len(self.errors)

    def key(self, index: int) -> SceneKey:
        return SceneKey(5, 1, 10 * index, 2)

    def scene(self, index: int) -> Scene:
        raise self.errors[index]


def test_failures_have_key_and_reason_on_one_line():
    settings = row_settings(SimulateConfig.parse(SMALL))
    data = observe_rows(Failing(), settings, settings.spec(), range(3))
    assert [failure.halo_id for failure in data.failures] == [0, 10, 20]
    first, second, third = data.failures
    assert (first.sample_id, first.snapshot_id, first.line_of_sight) == (5, 1, 2)
    assert first.reason == "halo 0: has no gas."
    assert second.reason == "ZeroDivisionError: by zero"
    assert len(third.reason) == 300
    assert data.images.shape == (0, 3, 3, 8, 8)


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device")])
def test_errors_of_the_machine_are_no_failures_of_haloes(monkeypatch, error):
    monkeypatch.setattr(Failing, "errors", (error,))
    settings = row_settings(SimulateConfig.parse(SMALL))
    with pytest.raises(type(error)):
        observe_rows(Failing(), settings, settings.spec(), range(1))


def test_rows_do_not_depend_on_the_shard_they_are_made_in():
    producer = ClusterProducer(SimulateConfig.parse(SMALL))
    whole, part = producer.shard(0, 3), producer.shard(2, 3)
    assert np.array_equal(whole.images[2:], part.images)
    assert np.array_equal(whole.galaxies[2], part.galaxies[0])
    assert whole.rows(producer.spec)[2:].tobytes() == part.rows(producer.spec).tobytes()


def test_lines_of_sight_share_their_halo():
    source, contents = make_source(SimulateConfig.parse({**SMALL, "lines_of_sight": 2}))
    assert len(source) == 6
    keys = [source.key(index) for index in range(6)]
    assert [key.halo_id for key in keys] == [0, 0, 1, 1, 2, 2]
    assert [key.line_of_sight for key in keys] == [0, 1] * 3
    one, other = source.scene(2), source.scene(3)
    assert one.key == keys[2]
    assert one.gas.info.halo.m500c_msun == other.gas.info.halo.m500c_msun
    assert not np.array_equal(one.gas.position_kpc, other.gas.position_kpc)
    assert set(one.truth) <= set(contents.truth)


def test_every_key_of_the_configuration_reaches_the_rows():
    config = SimulateConfig.parse(
        {
            **SMALL,
            "nh_cm2": [1e20, 4e20],
            "mode": "pointed",
            "agn": "sky",
            "agn_depth_mpc": 200,
            "agn_flux_limit": 1e-14,
            "background": False,
            "bands": {"broad": [0.5, 7.0]},
            "width_kpc": 4000,
            "expectations": "float32",
            "seed": 8,
        }
    )
    settings = row_settings(config)
    assert settings.nh_range == (1e20, 4e20)
    assert (settings.mode, settings.agn, settings.background) == ("pointed", "sky", False)
    assert (settings.agn_depth_mpc, settings.agn_flux_limit) == (200.0, 1e-14)
    assert [(b.name, b.lo_kev, b.hi_kev) for b in settings.bands] == [("broad", 0.5, 7.0)]
    assert (settings.geometry.n_x, settings.geometry.pixel) == (8, 500.0)
    assert (settings.expectations, settings.seed, settings.exposure_s) == ("float32", 8, 3000.0)


def test_first_difference_names_the_key_that_was_set():
    def spec(**values):
        return ClusterProducer(SimulateConfig.parse({**SMALL, **values})).spec

    assert first_difference(spec(), spec()) is None
    assert first_difference(spec(), spec(width_kpc=999.0)) == ("width_kpc", "null", "999.0")
    assert first_difference(spec(bands={"a": [0.5, 2.0]}), spec(bands={"a": [0.5, 3.0]})) == (
        "bands.a",
        "[0.5, 2.0]",
        "[0.5, 3.0]",
    )


@pytest.mark.parametrize(
    ("rows", "size"), [(1, 16), (54, 16), (200, 16), (3285, 206), (100_000, 256)]
)
def test_size_of_shards(rows, size):
    assert SimulateConfig().shard_size(rows) == size
    assert SimulateConfig.parse({"rows_per_shard": 7}).shard_size(rows) == 7
