"""Any configuration survives its own YAML; any other value is refused in a line with its key."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from icmass.config import (
    Config,
    CutoutsConfig,
    ObserveConfig,
    SimulateConfig,
    SurveyConfig,
    TrainConfig,
)
from icmass.errors import InputError
from tests.properties.contract import answer_or_line, assert_one_line, examples

CONFIGS: list[type[Config]] = [
    CutoutsConfig,
    ObserveConfig,
    SimulateConfig,
    SurveyConfig,
    TrainConfig,
]
# What must stand beside any other key.
NEEDED: dict[type[Config], dict[str, Any]] = {
    SurveyConfig: {"footprint": "cone:1,2,3", "exposure": "flat:100"},
}

numbers = st.one_of(
    st.integers(-3, 300),
    st.integers(),
    st.floats(),
    st.floats(0.01, 1e3),
    st.sampled_from([10**400, -(10**400), 1e308, 5e-324, "1e400", "1e3", "nan", "-0", "٣"]),
)
words = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["x", "soft", "erosita", "survey", "box", "1,2,3", "0.1, 0.9", "0xFF", "cpu", "", " ", "~"]
    ),
    st.builds(str, st.floats()),
)
scalars = st.one_of(numbers, words, st.booleans(), st.none(), st.binary(max_size=4), st.dates())
lists = st.one_of(
    st.lists(scalars, max_size=4),
    st.lists(st.floats(0.1, 9.0), min_size=2, max_size=3),
    st.lists(words, min_size=1, max_size=3),
    st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=3, max_size=3),
)
mappings = st.one_of(
    st.dictionaries(words, scalars, max_size=3),
    st.dictionaries(words, words, max_size=2),
    st.dictionaries(words, st.lists(numbers, min_size=2, max_size=2), max_size=2),
)
values = st.one_of(scalars, lists, mappings)


@st.composite
def configurations(draw: st.DrawFn) -> tuple[type[Config], dict[str, Any]]:
    """A kind of configuration, and values of one to three of its keys."""
    kind = draw(st.sampled_from(CONFIGS))
    keys = draw(st.lists(st.sampled_from(list(kind.model_fields)), min_size=1, max_size=3))
    return kind, NEEDED.get(kind, {}) | {key: draw(values) for key in keys}


@examples(150)
@given(configurations())
@example((ObserveConfig, {"exposure_s": 10**400}))
@example((TrainConfig, {"seed": 10**5000}))
@example((SurveyConfig, {"footprint": "all", "exposure": 10**5000}))
@example((CutoutsConfig, {"nh_map": "a\0b"}))
@example((CutoutsConfig, {"events": ["a\0b"]}))
@example((ObserveConfig, {"units": {"length\0": "kpc"}}))
def test_a_configuration_or_a_line(tmp_path_factory, drawn):
    kind, given_values = drawn
    found = answer_or_line(lambda: kind.parse(given_values))
    if isinstance(found, InputError):
        assert any(str(found).startswith(key) for key in kind.model_fields), found
        return
    assert "\0" not in repr(found.model_dump())
    path = tmp_path_factory.mktemp("config") / "again.yaml"
    path.write_text(found.to_yaml(), encoding="utf-8")
    assert kind.from_yaml(path) == found
    assert kind.from_yaml(path).to_yaml() == found.to_yaml()


@examples(50)
@given(st.sampled_from(CONFIGS), st.data())
def test_a_misspelt_key_is_named_with_the_one_meant(tmp_path_factory, kind, data):
    key = data.draw(st.sampled_from([k for k in kind.model_fields if len(k) > 5]))
    place = data.draw(st.integers(1, len(key) - 2))
    wrong = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
    if wrong in kind.model_fields:
        return
    path = tmp_path_factory.mktemp("config") / "job.yaml"
    path.write_text(f"{wrong}: 1\n")
    with pytest.raises(InputError) as caught:
        kind.from_yaml(path)
    assert_one_line(str(caught.value), f"{path}: {wrong}: unknown key; did you mean '{key}'")


@examples(30)
@given(configurations(), st.data())
def test_options_win_over_the_file(tmp_path_factory, drawn, data):
    kind, given_values = drawn
    found = answer_or_line(lambda: kind.parse(given_values))
    if isinstance(found, InputError):
        return
    key = data.draw(st.sampled_from(sorted(given_values)))
    path = tmp_path_factory.mktemp("config") / "job.yaml"
    path.write_text(f"{key}: [wrong, {{wrong: wrong}}]\n")
    assert kind.load(Path(path), given_values, str) == found
