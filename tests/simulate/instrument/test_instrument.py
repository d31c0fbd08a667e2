"""Instruments as data: loading, refusing, and a second telescope."""

from pathlib import Path

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.instrument import Instrument, available

MINIMAL = """
label = "a telescope"
source = "a test"
[detector]
fov_diameter_deg = 0.4
ccd_pixel_arcsec = 2.0
image_pixel_arcsec = 3.0
frame_time_s = 0.1
[area]
energy_kev = [0.3, 1.0, 8.0]
pointed_cm2 = [50, 300, 100]
[redistribution]
energy_range_kev = [0.3, 8.0]
channel_range_kev = [0.2, 9.0]
channel_width_ev = 20.0
fwhm_energy_kev = [0.3, 8.0]
fwhm_ev = [60, 160]
[psf.pointed]
core_arcsec = 4
core_slope = 1.5
wing_arcsec = 40
wing_slope = 1.8
wing_fraction = 0.1
max_radius_arcsec = 300
[vignetting]
energy_kev = [1.0]
scale_arcmin = [20.0]
[particle_background]
[[particle_background.power_laws]]
index = 0.1
norm = 1e-4
[[particle_background.lines]]
energy_kev = 1.5
norm = 1e-5
[[modules]]
number = 4
weight = 3
[[modules]]
number = 9
weight = 1
onchip_filter = false
"""


@pytest.fixture
def load(tmp_path: Path):
    def from_text(old: str = "", new: str = "") -> Instrument:
        assert old in MINIMAL
        path = tmp_path / "mine.toml"
        path.write_text(MINIMAL.replace(old, new, 1) if old else MINIMAL)
        return Instrument.load(path)

    return from_text


def test_minimal_file_is_read_in_full(load) -> None:
    mine = load()
    assert (mine.name, mine.label, mine.modes) == ("mine", "a telescope", ("pointed",))
    assert (mine.fov_diameter_deg, mine.pixel_arcsec) == (0.4, 3.0)
    assert (mine.ccd_pixel_arcsec, mine.frame_time_s) == (2.0, 0.1)
    assert [(m.number, m.weight, m.onchip_filter) for m in mine.modules] == [
        (4, 0.75, True),
        (9, 0.25, False),
    ]
    area = mine.response("pointed").area_cm2
    assert np.interp(4.5, mine.redistribution.energy_kev, area) == pytest.approx(200.0, rel=1e-4)
    assert mine.psf("pointed").core_arcsec == 4.0
    two_modules = mine.particle_background.spectrum(np.array([1.4, 1.6]))
    assert two_modules[0] == pytest.approx(2 * (1e-5 + 1e-4 * 0.2 * 1.5**-0.1), rel=1e-3)


def test_documented_file_loads(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "own-telescope.md").read_text("utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.split("```toml")[1].split("```")[0])
    mine = Instrument.load(path)
    assert mine.modes == ("pointed",)
    assert mine.psf("pointed").scale(20.0) == 2.0


def test_energy_bins_are_well_below_resolution_and_energy(load) -> None:
    edges = load().redistribution.energy_edges_kev
    assert (edges[0], edges[-1]) == (0.3, 8.0)
    energy = 0.5 * (edges[1:] + edges[:-1])
    tenth = 0.1 * np.interp(energy, [0.3, 8.0], [0.06, 0.16])
    np.testing.assert_allclose(np.diff(edges), np.minimum(tenth, energy / 100), rtol=0.01)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('label = "a telescope"', "", r"mine.toml: must have the key 'label' \(a text\)"),
        ('label = "a telescope"', "label = 3", "'label' must be a text; got 3"),
        ("label =", "colour = 1\nlabel =", "known keys only; got 'colour'. Known: "),
        ("frame_time_s", "frame_time", "must have the key 'frame_time_s'"),
        ("[detector]", "[detector]\nframe_tim_s = 1", r"\[detector\].*Did you mean 'frame_time_s'"),
        ("fov_diameter_deg = 0.4", "fov_diameter_deg = -1", "finite number above 0; got -1"),
        ("fov_diameter_deg = 0.4", "fov_diameter_deg = nan", "finite number above 0; got nan"),
        ("fov_diameter_deg = 0.4", "fov_diameter_deg = true", "must be a number; got True"),
        ("[50, 300, 100]", "[50, 300]", "'pointed_cm2' must have 3 numbers; got 2"),
        ("[50, 300, 100]", "[50, -300, 100]", r"\[area\]: effective area: must be finite and >= 0"),
        ("[50, 300, 100]", '[50, "x", 100]', "must be a list of finite numbers"),
        ("[0.3, 1.0, 8.0]", "[0.3, 9.0, 8.0]", "'energy_kev' must ascend"),
        ("pointed_cm2", "nowhere_cm2", "got 'nowhere_cm2'"),
        ("pointed_cm2 = [50, 300, 100]", "", "areas for one or both of pointed, survey; got none"),
        (
            "[50, 300, 100]",
            "[50, 300, 100]\nsurvey_cm2 = [1, 2, 3]",
            r"must have the table \[psf.s",
        ),
        (
            "energy_kev = [0.3, 1.0, 8.0]",
            'table = "no.csv"',
            "no.csv: must be a table of effective",
        ),
        ("[0.2, 9.0]", "[9.0, 0.2]", "'channel_range_kev' must ascend"),
        ("[60, 160]", "[60, 0]", "'fwhm_ev' must be a list of finite numbers above 0"),
        ("[psf.pointed]", "[psf.pointe]", r"\[psf\].*Did you mean 'pointed'"),
        ("core_slope = 1.5", "core_slope = 0.5", r"mine.toml \[psf\] \[pointed\]: psf core_slope"),
        ("scale_arcmin = [20.0]", "scale_arcmin = [0]", "finite numbers above 0"),
        ("norm = 1e-4", "norm = 1e-4\nindx = 1", r"power_laws\]\] number 1.*Did you mean 'index'"),
        ("number = 9", "number = 4", "different numbers"),
        ("number = 9", "number = 256", r"number 2: 'number' must be whole, 0 to 255; got 256"),
        ("number = 9", "number = 8.5", r"number 2: 'number' must be whole, 0 to 255; got 8.5"),
        ("number = 9", "number = -0.5", r"number 2: 'number' must be whole, 0 to 255; got -0.5"),
        ("_width_ev = 20.0", "_width_ev = 1e-9", "must give at most 32,767 channels; got 8.8e"),
        ("[60, 160]", "[60, 160]\nbins_per_fwhm = 1e9", "at most 32,767 energy bins; got 7.5"),
        ("weight = 3", "weight = 0", r"\[\[modules\]\] number 1: 'weight' must be"),
        ("[detector]", "detector", "must be a TOML file; cannot read it"),
    ],
)
def test_faulty_file_is_refused(load, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(old, new)
    assert "\n" not in str(caught.value)
    assert ".toml" in str(caught.value) or ".csv" in str(caught.value)


def test_file_without_modules_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL[: MINIMAL.index("[[modules]]")])
    with pytest.raises(InputError, match=r"at least one \[\[modules\]\]"):
        Instrument.load(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no.toml: must be an existing TOML file"):
        Instrument.load(tmp_path / "no.toml")


def test_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(InputError, match=r"epic_pn_like, erosita or.*Did you mean 'erosita'"):
        Instrument.load("eRosita7")


@pytest.mark.parametrize("name", available())
def test_every_shipped_instrument_loads_and_makes_sense(name: str) -> None:
    telescope = Instrument.load(name)
    assert telescope.modes
    assert sum(module.weight for module in telescope.modules) == pytest.approx(1.0)
    np.testing.assert_allclose(telescope.redistribution.row_sum, 1.0, atol=1e-5)
    assert 5.0 < telescope.psf(telescope.modes[0]).half_energy_width() < 60.0
    assert telescope.response(telescope.modes[0]).area_cm2.max() > 100.0


def test_second_instrument_is_data_alone() -> None:
    telescope = Instrument.load("epic_pn_like")
    assert len(telescope.modules) == 1
    assert telescope.psf("pointed").half_energy_width() == pytest.approx(16.0, rel=2e-3)
    with pytest.raises(InputError, match=r"mode: must be one of pointed .* got 'survey'"):
        telescope.response("survey")


def test_erosita_has_seven_modules_two_without_filter(erosita: Instrument) -> None:
    assert [m.number for m in erosita.modules] == [1, 2, 3, 4, 5, 6, 7]
    assert [m.number for m in erosita.modules if not m.onchip_filter] == [5, 7]
    assert erosita.modes == ("pointed", "survey")
    assert 1000 <= erosita.redistribution.n_energy <= 1200


def test_unknown_mode_is_refused(erosita: Instrument) -> None:
    with pytest.raises(InputError, match="mode: must be one of pointed, survey for the psf"):
        erosita.psf("scan")
