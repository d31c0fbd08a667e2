"""Scenes have their names before they are made, and what cannot be made is refused first."""

import pytest

from icmass.config import SimulateConfig
from icmass.errors import InputError
from icmass.simulate.production.sources import make_source


def test_key_of_a_scene_is_known_before_it_is_made():
    config = SimulateConfig(clusters=3, seed=7, particles=1000, lines_of_sight=2)
    source, _ = make_source(config)
    keys = [source.key(index) for index in range(len(source))]
    assert keys == [source.scene(index).key for index in range(len(source))]
    assert {key.sample_id for key in keys} == {7}
    assert [key.line_of_sight for key in keys] == [0, 1] * 3


def test_too_few_particles_are_refused_before_the_catalog_is_begun():
    with pytest.raises(
        InputError, match="particles: must be greater than or equal to 1000; got 10"
    ):
        SimulateConfig.parse({"particles": 10})
