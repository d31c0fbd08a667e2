"""The figure: every panel drawn from the right data, no state left behind."""

import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.products.quicklook import (
    _number_rows,
    _power,
    quicklook_figure,
    write_quicklook,
)
from icmass.simulate.products.quicklook_pictures import Pictures, _ticks


@pytest.fixture(scope="module")
def figure(survey_observation):
    return quicklook_figure(survey_observation)


def panel(figure, title):
    return next(axes for axes in figure.axes if axes.get_title().startswith(title))


def test_all_panels_are_there(figure):
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [
        "Three colours",
        "Counts, all origins, 0.5-2 keV",
        "Expected counts, 0.5-2 keV",
        "Counts, ICM, 0.5-2 keV",
        "Counts, AGN, 0.5-2 keV",
        "Counts, background, 0.5-2 keV",
        "Profile, 0.5-2 keV; lines: expected",
        "Spectrum inside 3.0 arcmin",
    ]


def test_pictures_show_north_up_and_east_left(figure, survey_observation):
    """The subcluster lies to the north-west: above and to the right of the middle."""
    axes = panel(figure, "Counts, ICM")
    shown = axes.images[0]
    assert shown.origin == "lower"
    left, right, bottom, top = shown.get_extent()
    assert left > 0 > right
    assert bottom < 0 < top
    image = np.asarray(shown.get_array())
    row, column = (
        int((0.5 + f) * n) for f, n in zip((90 / 630, 130 / 630), image.shape, strict=True)
    )
    mirrored = image.shape[1] - 1 - column
    assert image[row, column] > 3 * image[row, mirrored]
    assert image[row, column] > 3 * image[image.shape[0] - 1 - row, column]


def test_pictures_keep_the_counts(figure, survey_observation):
    pictures = Pictures(survey_observation)
    shown = np.asarray(panel(figure, "Counts, ICM").images[0].get_array())
    drawn = shown.sum() * pictures.grid.pixel_area_arcmin2
    width = 2 * pictures.half_arcsec
    counts = survey_observation.image((0.5, 2.0), Origin.ICM, width_arcsec=width).data.sum()
    assert drawn == pytest.approx(counts, rel=0.01)


def test_expected_picture_agrees_with_the_drawn_one(figure):
    drawn = np.asarray(panel(figure, "Counts, all").images[0].get_array())
    expected = np.asarray(panel(figure, "Expected").images[0].get_array())
    assert drawn.sum() == pytest.approx(expected.sum(), rel=0.05)
    assert np.corrcoef(drawn.ravel(), expected.ravel())[0, 1] > 0.97
    assert np.corrcoef(drawn.ravel(), expected.T.ravel())[0, 1] < 0.95


def test_three_colours_are_colours(figure):
    picture = np.asarray(panel(figure, "Three colours").images[0].get_array())
    assert picture.shape[-1] == 3
    assert picture.min() >= 0.0
    assert picture.max() == 1.0
    assert picture.std() > 0.05


def test_profile_shows_the_counts_with_their_errors(figure, survey_observation):
    axes = panel(figure, "Profile")
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["all", "ICM", "AGN", "background"]
    points = axes.containers[0].lines[0].get_xydata()
    assert len(points) == 16
    assert axes.get_yscale() == axes.get_xscale() == "log"


def test_png_is_a_picture_and_is_the_same_each_time(survey_observation, tmp_path):
    before = dict(matplotlib.rcParams)
    for name in ("a.png", "b.png"):
        write_quicklook(survey_observation, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    image = imread(tmp_path / "a.png")
    assert image.shape[0] > 1000
    assert image[..., :3].std() > 0.1
    assert dict(matplotlib.rcParams) == before


def test_nothing_to_show_is_still_a_figure(survey_observation, tmp_path):
    empty = replace(survey_observation, events=Events.empty(), components=())
    empty = replace(empty, gas_info=replace(empty.gas_info, halo=None))
    write_quicklook(empty, tmp_path / "empty.png")
    assert imread(tmp_path / "empty.png").shape[0] > 1000


def test_pyplot_is_not_touched():
    code = (
        "import sys, icmass.simulate.products.quicklook, icmass.simulate.observation;"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_numbers_leave_out_what_is_unknown(survey_observation):
    scalars = {"m500c_msun": 4e14, "inside_r500c": {"lx_0520_erg_s": None, "yx_msun_kev": 2.5e14}}
    rows = dict(_number_rows(replace(survey_observation, measure=lambda: scalars)))
    assert rows["$M_{500c}$"] == r"$4.00\times10^{14}$ $M_\odot$"
    assert rows["$Y_X$"] == r"$2.50\times10^{14}$ $M_\odot$ keV"
    assert "$L_X$ 0.5-2.0 keV" not in rows
    assert "$R_{500c}$" not in rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (5.234, "5.23"),
        (540.0, "540"),
        (1234.0, "1234"),
        (3e20, r"$3.00\times10^{20}$"),
        (9.999e14, r"$1.00\times10^{15}$"),
        (2e-3, r"$2.00\times10^{-3}$"),
    ],
)
def test_numbers_are_short(value, text):
    assert _power(value) == text


@pytest.mark.parametrize("top", [1.0, 37.0, 5200.0])
def test_colour_bars_have_a_handful_of_ticks(top):
    ticks = _ticks(top / 100.0, top)
    assert ticks[0] == 0.0
    assert 4 <= len(ticks) <= 9
    assert max(ticks) <= top
