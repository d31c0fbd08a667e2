from dataclasses import fields, replace

import h5py
import numpy as np
import pytest

from icmass.errors import InputError, OutputError
from icmass.simulate.lightcone import LightCone, draw_light_cone
from icmass.simulate.population.haloes import Haloes, MainHalo
from tests.helpers.light_cones import pixels_within
from tests.helpers.population import magneticum

CONE = draw_light_cone(
    magneticum().haloes, pixels_within(32, 900), redshift_range=(0.2, 0.6), clustering=False, seed=2
)
NAMES = [f.name for f in fields(Haloes)]


def assert_same(found, expected):
    for name in ("ra_deg", "dec_deg", "key"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in NAMES:
        np.testing.assert_array_equal(getattr(found.haloes, name), getattr(expected.haloes, name))


class TestRows:
    def test_select_keeps_ids(self):
        chosen = CONE.select(np.array([4, 2]))
        assert chosen.haloes.halo_id.tolist() == [5, 3]
        assert chosen.key.tolist() == [CONE.key[4], CONE.key[2]]
        assert chosen.template is None
        masked = CONE.select(CONE.haloes.redshift > 0.4)
        assert len(masked) == (CONE.haloes.redshift > 0.4).sum()

    def test_templates_are_selected_along(self):
        cone = replace(CONE, template=np.arange(len(CONE)) * 3)
        assert cone.select(np.array([4, 2])).template.tolist() == [12, 6]

    def test_row(self):
        halo = CONE.row(3)
        assert isinstance(halo, MainHalo)
        assert halo.halo_id == 4
        assert halo.m500c_msun == CONE.haloes.m500c_msun[3]

    def test_stable_row_goes_by_the_key(self):
        assert CONE.stable_row(3) == replace(CONE.row(3), halo_id=int(CONE.key[3]))


class TestFile:
    @pytest.mark.parametrize("template", [None, np.arange(len(CONE))])
    def test_round_trip(self, tmp_path, template):
        cone = replace(CONE, template=template)
        cone.write(tmp_path / "cone.h5", {"seed": 2})
        found = LightCone.read(tmp_path / "cone.h5")
        assert_same(found, cone)
        if template is None:
            assert found.template is None
        else:
            np.testing.assert_array_equal(found.template, template)

    def test_empty(self, tmp_path):
        CONE.select(np.zeros(len(CONE), bool)).write(tmp_path / "cone.h5")
        assert len(LightCone.read(tmp_path / "cone.h5")) == 0

    def test_same_bytes(self, tmp_path):
        for name in ("a.h5", "b.h5"):
            CONE.write(tmp_path / name, {"seed": 2})
        assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()

    def test_existing(self, tmp_path):
        CONE.write(tmp_path / "cone.h5")
        with pytest.raises(OutputError, match="already exists"):
            CONE.write(tmp_path / "cone.h5")
        CONE.write(tmp_path / "cone.h5", overwrite=True)

    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match="must be a light cone; there is no such file"):
            LightCone.read(tmp_path / "cone.h5")

    def test_another_file(self, tmp_path):
        with h5py.File(tmp_path / "cone.h5", "w") as file:
            file["x"] = [1.0]
        with pytest.raises(InputError, match="must be a light cone that icmass wrote"):
            LightCone.read(tmp_path / "cone.h5")

    def test_damaged(self, tmp_path):
        CONE.write(tmp_path / "cone.h5")
        whole = (tmp_path / "cone.h5").read_bytes()
        (tmp_path / "short.h5").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match="must be a whole light cone; it is not"):
            LightCone.read(tmp_path / "short.h5")

    def test_column_missing(self, tmp_path):
        CONE.write(tmp_path / "cone.h5")
        with h5py.File(tmp_path / "cone.h5", "a") as file:
            del file["thermal"]
        with pytest.raises(InputError, match="must be a whole light cone; it is not"):
            LightCone.read(tmp_path / "cone.h5")
