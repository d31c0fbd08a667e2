"""Configuration: defaults, ranges, messages that say what to do."""

import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from icmass.config import CutoutsConfig, ObserveConfig, SimulateConfig, SurveyConfig
from icmass.errors import InputError
from icmass.simulate.sky import SKY_COMPONENTS


def message(**values: object) -> str:
    with pytest.raises(InputError) as caught:
        ObserveConfig.parse(values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_and_documentation():
    config = ObserveConfig()
    assert (config.exposure_s, config.nh_cm2, config.seed) == (1600.0, 3e20, 0)
    assert config.sky() == tuple(SKY_COMPONENTS)
    assert all(field.description for field in ObserveConfig.model_fields.values())


def test_each_component_has_its_switch():
    for name in SKY_COMPONENTS:
        assert set(SKY_COMPONENTS) - set(ObserveConfig.parse({name: False}).sky()) == {name}


def test_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        ObserveConfig().seed = 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"redshift": 0}, "redshift: must be above 0, for a distance is needed"),
        ({"redshift": -0.1}, "redshift: must be above 0"),
        ({"exposure_s": 0}, "exposure_s: must be greater than 0; got 0. Exposure on axis"),
        ({"exposure_s": True}, "exposure_s: must be a number; got True"),
        ({"exposure_s": "long"}, "exposure_s: must be a number; got 'long'"),
        ({"exposure_s": math.inf}, "exposure_s: must be a finite number; got inf"),
        ({"nh_cm2": -1e20}, "nh_cm2: must be greater than or equal to 0; got -1e+20"),
        ({"nh_cm2": math.nan}, "nh_cm2: must be a finite number; got nan"),
        ({"seed": -1}, "seed: must be greater than or equal to 0"),
        ({"seed": 1.5}, "seed: must be a valid integer; got 1.5"),
        ({"ra_deg": 360}, "ra_deg: must be less than 360"),
        ({"dec_deg": -91}, "dec_deg: must be greater than or equal to -90"),
        ({"mode": "scan"}, "mode: must be 'survey' or 'pointed'; got 'scan'"),
        ({"center_kpc": [1, 2]}, "center_kpc: must be three numbers; got [1, 2]"),
        ({"center_kpc": "a,b,c"}, "center_kpc: must be a number"),
        ({"particles": "no"}, "particles: must be a valid boolean; got 'no'"),
        ({"arf": "a.fits"}, "arf: needs the RMF of the same energies"),
        ({"exposre_s": 1}, "exposre_s: unknown key; did you mean 'exposure_s'"),
        ({"qqq": 1}, "qqq: unknown key; known: redshift, exposure_s"),
        ({"units": {"length": [1]}}, "units: must be a valid string"),
    ],
)
def test_wrong_values(values, expected):
    assert expected in message(**values)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (SimulateConfig, {"particles": 10**14}, "particles: must be less than or equal to 10000"),
        (SimulateConfig, {"clusters": 10**12}, "clusters: must be less than or equal to 1000000"),
        (SimulateConfig, {"lines_of_sight": 10**9}, "lines_of_sight: must be less than or equal"),
        (SimulateConfig, {"pixels": 6000}, "pixels: must be less than or equal to 5792; got 6000"),
        (SimulateConfig, {"agn_depth_mpc": 1e9}, "agn_depth_mpc: must be less than or equal to 2"),
        (CutoutsConfig, {"pixels": 10**6}, "pixels: must be less than or equal to 5792"),
        (SurveyConfig, {"particles": 10**14}, "particles: must be less than or equal to 10000"),
    ],
)
def test_sizes_that_no_memory_holds(kind, values, expected):
    with pytest.raises(InputError, match=f"^{expected}"):
        kind.parse({"preset": "efeds"} | values if kind is SurveyConfig else values)


def test_large_sizes_are_allowed():
    """Negative control of the above."""
    found = SimulateConfig.parse({"particles": 10**8, "clusters": 10**8, "pixels": 5792})
    assert found.pixels == 5792


@pytest.mark.parametrize("axis", ["q", "1,2", [0, 0, 0], [[1, 0, 0]], 3, [1, 2, "a"], None])
def test_wrong_axis(axis):
    assert message(axis=axis).startswith("axis: must be x, y, z, a vector such as 1,1,0, or a rot")


def test_axis_forms():
    identity = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert ObserveConfig.parse({"axis": "x"}).axis == "x"
    assert ObserveConfig.parse({"axis": "1, 0,2"}).axis == (1.0, 0.0, 2.0)
    assert ObserveConfig.parse({"axis": identity}).axis == tuple(map(tuple, identity))


def test_every_problem_is_told_once_and_under_the_users_name():
    text = message(exposure_s=-1, nh_cm2=-1, units={"length": [1], "mass": [1]})
    assert [part.split(":")[0] for part in text.split(" | ")] == ["exposure_s", "nh_cm2", "units"]
    with pytest.raises(InputError, match=r"^--exposure: must be greater"):
        ObserveConfig.parse({"exposure_s": -1}, {"exposure_s": "--exposure"}.get)


def test_long_values_are_cut_short():
    assert len(message(units=["x"] * 1000)) < 300


def test_file_with_overrides(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(
        "exposure_s: 1e4\nnh_cm2: 1.0e+20\nunits: {length: Mpc/h}\nagn_flux_limit: 2e-15"
    )
    config = ObserveConfig.from_yaml(path, {"nh_cm2": 5e20})
    assert (config.exposure_s, config.nh_cm2, config.agn_flux_limit) == (1e4, 5e20, 2e-15)
    assert config.units == {"length": "Mpc/h"}
    path.write_text("exposure_s: -3\n")
    with pytest.raises(InputError, match=r"job\.yaml: exposure_s: must be greater"):
        ObserveConfig.from_yaml(path)
    with pytest.raises(InputError, match=r"^--exposure: must be greater"):
        ObserveConfig.from_yaml(path, {"exposure_s": -1}, lambda key: "--exposure")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exposre_s: 3", r"job\.yaml: exposre_s: unknown key; did you mean 'exposure_s'"),
        ("seed: 1\nseed: 2", r"the key 'seed' stands there twice at line 2"),
        ("seed: [1", r"must be a YAML file; .* at line 1"),
        ("- 1", r"must hold lines of 'key: value'; got \[1\]"),
        ("1: 2", r"must hold lines of 'key: value'"),
        ("seed: " + "[" * 5000, r"must be a YAML file; it is nested too deeply"),
        ("seed: !!python/object/apply:os.getcwd []", r"must be a YAML file; could not determine"),
    ],
)
def test_wrong_file(tmp_path, text, expected):
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=expected) as caught:
        ObserveConfig.from_yaml(path)
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        ObserveConfig.from_yaml(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        ObserveConfig.from_yaml(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="must be a YAML file"):
        ObserveConfig.from_yaml(tmp_path / "binary.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert ObserveConfig.from_yaml(tmp_path / "empty.yaml") == ObserveConfig()


positive = st.floats(1e-300, 1e300)
text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "redshift": st.floats(1e-6, 20.0),
            "exposure_s": positive,
            "nh_cm2": st.floats(0.0, 1e25),
            "seed": st.integers(0, 2**63 - 1),
            "axis": st.sampled_from(["x", "y", "z", (0.0, 1.0, -2.0)]),
            "center_kpc": st.tuples(*[st.floats(-1e9, 1e9)] * 3),
            "units": st.dictionaries(st.sampled_from(["length", "mass"]), text),
            "instrument": text,
            "field_agn": st.booleans(),
        },
    )
)
def test_yaml_round_trip(values):
    config = ObserveConfig.parse(values)
    assert ObserveConfig.parse(yaml.safe_load(config.to_yaml())) == config
