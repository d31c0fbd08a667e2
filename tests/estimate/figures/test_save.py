"""Figures become files: the same bytes each time, whole or not at all; the session stays as is."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from icmass.errors import InputError, OutputError
from icmass.estimate.figures import (
    EstimatorRow,
    ShiftRow,
    coverage_figure,
    learning_curve_figure,
    pit_figure,
    predicted_against_true,
    sample_size_figure,
    save,
    shift_figure,
    table_figure,
)
from icmass.figure_style import DPI, number, wrapped

FIELDS = [("epoch", "i8"), ("train_loss", "f8"), ("validation_loss", "f8")]


def table():
    return table_figure([EstimatorRow("a", "network", 0.2, 0.01, 0.19)])


@pytest.fixture
def every(make_scores):
    """All functions, each as one that takes nothing."""
    scores = {"a": make_scores(60)}
    history = np.array([(1, 3.0, 2.0), (2, 1.0, 1.5), (3, 0.5, 1.6)], FIELDS)
    return {
        "predicted": lambda: predicted_against_true(scores),
        "pit": lambda: pit_figure(scores),
        "coverage": lambda: coverage_figure(scores),
        "learning": lambda: learning_curve_figure([history]),
        "size": lambda: sample_size_figure([10, 20, 40], [0.4, 0.3, 0.25]),
        "table": table,
        "shift": lambda: shift_figure([ShiftRow("a", 0.1, 0.1, 0.2, 0.1, reference=True)]),
    }


@pytest.mark.parametrize(
    "name", ["predicted", "pit", "coverage", "learning", "size", "table", "shift"]
)
def test_same_bytes_for_same_input(every, tmp_path, name):
    figure = every[name]()
    first, again, anew = (tmp_path / f"{k}.png" for k in range(3))
    save(figure, first)
    save(figure, again)
    with mpl.rc_context({"font.size": 20.0, "savefig.dpi": 30, "axes.grid": True}):
        save(every[name](), anew)
    assert first.read_bytes() == again.read_bytes() == anew.read_bytes()
    picture = imread(first)
    width, height = figure.get_size_inches() * DPI
    assert picture.shape[:2] == pytest.approx((height, width), abs=1)
    assert picture[..., :3].std() > 0.05
    border = np.concatenate([picture[[0, -1], :, :3].ravel(), picture[:, [0, -1], :3].ravel()])
    assert border.min() == 1.0  # nothing is cut off


def test_pdf_holds_neither_date_nor_program(every, tmp_path):
    for k in range(2):
        save(every["pit"](), tmp_path / f"{k}.pdf")
    data = (tmp_path / "0.pdf").read_bytes()
    assert data == (tmp_path / "1.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    for word in (b"CreationDate", b"/Producer", b"/Creator"):
        assert word not in data


def test_settings_of_the_session_stay_and_pyplot_knows_nothing(tmp_path):
    with mpl.rc_context({"font.size": 17.0}):
        before = dict(mpl.rcParams)
        save(table(), tmp_path / "a.png")
        assert dict(mpl.rcParams) == before
    from matplotlib import _pylab_helpers

    assert not _pylab_helpers.Gcf.figs


def test_files_are_not_replaced_unasked(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(OutputError, match="already exists"):
        save(table(), path)
    assert path.read_text() == "mine"
    save(table(), str(path), overwrite=True)
    assert imread(path).ndim == 3
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.jpg", "a.svg", "a", "a.PNG"])
def test_other_formats_are_refused(tmp_path, name):
    suffix = name[1:]
    with pytest.raises(InputError, match=rf"must end in \.png or \.pdf; got '{suffix}'. Choose"):
        save(table(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_numbers_and_names():
    assert [number(x) for x in (0.1716, -0.0001, -0.02)] == ["0.172", "0.000", "−0.020"]
    assert [number(x, signed=True) for x in (0.02, -0.0001, -0.02)] == [
        "+0.020",
        "+0.000",
        "−0.020",
    ]
    assert wrapped("one two", 4) == "one\ntwo"
    assert wrapped("$a + b$ one two", 4) == "$a + b$ one two"
