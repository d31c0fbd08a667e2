"""Figures become files: the same bytes each time, nothing cut off."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from icmass.figure_style import DPI
from icmass.interpret.figures import (
    ablation_figure,
    distribution_figure,
    faithfulness_figure,
    gallery_figure,
    intervention_figure,
    profile_figure,
    sanity_figure,
    save,
    sheet_figure,
)

NAMES = {"channels": ("soft", "hard"), "origins": ("icm", "agn", "background")}


@pytest.fixture
def every(make_panel, profiles, distributions, changes, methods, ablations, nulls):
    """All functions, each as one that takes nothing."""
    return {
        "gallery": lambda: gallery_figure([make_panel()], **NAMES, smooth_pixels=1.0),
        "sheet": lambda: sheet_figure(make_panel(12), **NAMES, changes={"a": {"network": 0.1}}),
        "profile": lambda: profile_figure(profiles[:1]),
        "distribution": lambda: distribution_figure(distributions),
        "intervention": lambda: intervention_figure(changes),
        "faithfulness": lambda: faithfulness_figure(methods),
        "ablation": lambda: ablation_figure(ablations),
        "sanity": lambda: sanity_figure(nulls),
    }


@pytest.mark.parametrize(
    "name",
    [
        "gallery",
        "sheet",
        "profile",
        "distribution",
        "intervention",
        "faithfulness",
        "ablation",
        "sanity",
    ],
)
def test_same_bytes_and_nothing_cut_off(every, tmp_path, name):
    figure = every[name]()
    first, anew = tmp_path / "first.png", tmp_path / "anew.png"
    save(figure, first)
    with mpl.rc_context({"font.size": 20.0, "savefig.dpi": 30, "axes.grid": True}):
        save(every[name](), anew)
    assert first.read_bytes() == anew.read_bytes()
    picture = imread(first)
    width, height = figure.get_size_inches() * DPI
    assert picture.shape[:2] == pytest.approx((height, width), abs=1)
    border = np.concatenate([picture[[0, -1], :, :3].ravel(), picture[:, [0, -1], :3].ravel()])
    assert border.min() == 1.0
