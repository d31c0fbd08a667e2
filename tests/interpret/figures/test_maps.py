"""Galleries and sheets of clusters: the right pixels in the right place, in the right colour."""

import dataclasses

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from icmass.errors import InputError
from icmass.figure_style import COLOURS
from icmass.interpret.figures import GalleryPanel, gallery_figure, sheet_figure
from icmass.interpret.figures.maps import smoothed, symmetric_limit

CHANNELS = ("soft", "hard")
ORIGINS = ("icm", "agn", "background")


def images(figure) -> list:
    """Return the panels that hold an image, in the order drawn."""
    return [axes for axes in figure.axes if axes.images and axes.get_aspect() == 1.0]


def at(axes, image, east: int, north: int) -> tuple[float, float]:
    """Return where a pixel is drawn, in parts of its panel from the lower left."""
    n = image.get_array().shape[0]
    # Rows grow to the north, columns to the west.
    row, column = n // 2 + north, n // 2 - east
    left, right, bottom, top = image.get_extent()
    x = left + (column + 0.5) / n * (right - left)
    y = bottom + (row + 0.5) / n * (top - bottom)
    return tuple(axes.transAxes.inverted().transform(axes.transData.transform((x, y))))


@pytest.mark.parametrize("zoom", [np.inf, 1.2])
def test_north_is_up_and_east_left(make_panel, zoom):
    panel = make_panel(24)
    panel.image[:] = 0.0
    panel.image[0, 12 + 5, 12 - 3] = 50.0  # 5 to the north, 3 to the east
    figure = gallery_figure([panel], channels=CHANNELS, origins=ORIGINS, zoom_r500c=zoom)
    axes = images(figure)[0]
    (image,) = axes.images
    assert image.origin == "lower"
    assert not axes.xaxis_inverted()
    assert not axes.yaxis_inverted()
    assert np.unravel_index(image.get_array().argmax(), (24, 24)) == (17, 9)
    x, y = at(axes, image, east=3, north=5)
    assert 0.05 < x < 0.45
    assert 0.55 < y < 0.95
    # It is drawn there: the brightest pixel of the picture.
    figure.draw_without_rendering()
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(float)
    px, py = axes.transAxes.transform((x, y))
    there = pixels[int(pixels.shape[0] - py), int(px)]
    assert there.sum() > 600  # white-yellow
    mirrored = axes.transAxes.transform((1.0 - x, y))
    assert pixels[int(pixels.shape[0] - mirrored[1]), int(mirrored[0])].sum() < 60
    assert {text.get_text() for text in axes.texts} >= {"N", "E"}


def test_columns_of_a_gallery(make_panel):
    panels = [make_panel(seed=k) for k in (1, 2)]
    figure = gallery_figure(panels, channels=CHANNELS, origins=ORIGINS)
    drawn = images(figure)
    assert len(drawn) == 2 * 4
    assert [axes.get_title() for axes in drawn[:4]] == [
        "photons, all channels",
        "attribution, soft",
        "attribution, hard",
        "origin, all channels",
    ]
    for panel, row in zip(panels, (drawn[:4], drawn[4:]), strict=True):
        np.testing.assert_array_equal(row[0].images[0].get_array(), panel.image.sum(0))
        for k in range(2):
            np.testing.assert_array_equal(row[1 + k].images[0].get_array(), panel.attribution[k])
        np.testing.assert_array_equal(row[3].images[0].get_array(), panel.dominant)
        assert row[0].get_ylabel() == panel.caption
        circles = [patch.get_radius() for patch in row[0].patches]
        assert circles == pytest.approx([0.26 * 24, 0.15 * 0.26 * 24])
        assert row[0].patches[0].get_center() == (11.5, 11.5)
    limits = {axes.images[0].get_clim() for axes in (*drawn[1:3], *drawn[5:7])}
    ((low, high),) = limits  # the same in all rows
    assert low == -high < 0.0
    assert len({axes.images[0].get_clim() for axes in (drawn[0], drawn[4])}) == 1
    labels = {axes.get_xlabel() for axes in figure.axes}
    assert "photons per pixel" in labels
    assert any(r"\partial\,\ln M" in label and "$10^{-3}$" in label for label in labels)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[1:4] == ["0.15 R$_{500c}$", "mostly ICM photons", "mostly AGN photons"]


def test_colours_of_origins(make_panel):
    panel = make_panel()
    panel.dominant[:2, :2] = [[0, 1], [2, -1]]
    figure = gallery_figure([panel], channels=CHANNELS, origins=ORIGINS)
    mask = images(figure)[-1].images[0]
    colours = mask.to_rgba(mask.get_array())[:2, :2, :3]
    np.testing.assert_allclose(colours[0, 0], to_rgb(COLOURS[0]), atol=0.01)
    np.testing.assert_allclose(colours[0, 1], to_rgb(COLOURS[1]), atol=0.01)
    np.testing.assert_allclose(colours[1, 0], 0.72, atol=0.01)
    np.testing.assert_allclose(colours[1, 1], 1.0)


def test_masks_of_each_channel_and_sums(make_panel):
    panel = make_panel(per_channel=True)
    drawn = images(gallery_figure([panel], channels=CHANNELS, origins=ORIGINS, summed=True))
    assert [axes.get_title() for axes in drawn] == [
        "photons, all channels",
        "attribution, all channels",
        "origin, soft",
        "origin, hard",
    ]
    np.testing.assert_allclose(drawn[1].images[0].get_array(), panel.attribution.sum(0))
    np.testing.assert_array_equal(drawn[3].images[0].get_array(), panel.dominant[1])


def test_scale_bar_has_its_length(make_panel):
    figure = gallery_figure([make_panel(24)], channels=CHANNELS, origins=ORIGINS)
    axes = images(figure)[0]
    (bar,) = axes.lines
    assert np.ptp(bar.get_xdata()) * 4000.0 / 24 == pytest.approx(1000.0)
    assert "1 Mpc" in {text.get_text() for text in axes.texts}
    zoomed = gallery_figure([make_panel(24)], channels=CHANNELS, origins=ORIGINS, zoom_r500c=0.5)
    axes = images(zoomed)[0]
    assert np.ptp(axes.lines[0].get_xdata()) * 4000.0 / 24 == pytest.approx(200.0)
    assert "200 kpc" in {text.get_text() for text in axes.texts}


def test_colours_end_at_a_high_percentile():
    values = np.zeros(100_000)
    values[:10_000] = np.linspace(-1.0, 1.0, 10_000)
    values[5] = 1e6
    values[6] = np.nan
    assert symmetric_limit([values]) == pytest.approx(0.997, abs=0.002)
    assert symmetric_limit([np.zeros(4)]) == 1.0


def test_smoothing_is_said_and_keeps_sums(make_panel):
    panel = make_panel()
    panel.attribution[:] = 0.0
    panel.attribution[1, 12, 9] = 1.0
    smooth = smoothed(panel.attribution, 1.5)
    assert smooth.sum() == pytest.approx(1.0, rel=1e-3)
    assert np.all(smooth[0] == 0.0)
    figure = gallery_figure([panel], channels=CHANNELS, origins=ORIGINS, smooth_pixels=1.5)
    np.testing.assert_allclose(images(figure)[2].images[0].get_array(), smooth[1])
    assert any("1.5 pixels" in axes.get_xlabel() for axes in figure.axes)


@pytest.mark.parametrize(("channels", "per_channel", "agn"), [(1, False, False), (3, True, True)])
def test_edge_cases(make_panel, channels, per_channel, agn):
    panel = make_panel(9, channels, per_channel=per_channel, agn=agn)
    names = ("a", "b", "c")[:channels]
    for origins in (("icm", "agn"), ("icm", "agn", "other", "further")):
        gallery_figure([panel], channels=names, origins=origins)
        sheet_figure(panel, channels=names, origins=origins)
    empty = dataclasses.replace(
        panel,
        image=0.0 * panel.image,
        attribution=0.0 * panel.attribution,
        dominant=np.full_like(panel.dominant, -1),
        caption="",
    )
    gallery_figure([empty], channels=names, origins=("icm",))
    sheet_figure(empty, channels=names, origins=("icm",))


def test_a_sheet_holds_methods_and_changes(make_panel):
    panel = make_panel()
    figure = sheet_figure(
        panel,
        channels=CHANNELS,
        origins=ORIGINS,
        methods={"integrated gradients": 30.0 * panel.attribution},
        changes={
            "remove AGN": {"network": -0.0123, "N_phot": 0.2},
            "no core": {"network": np.nan},
        },
    )
    drawn = images(figure)
    assert len(drawn) == 3 + 1 + 3 + 3
    by_title = [axes.get_title() for axes in drawn[:3]]
    assert by_title == ["soft", "hard", "all channels"]
    np.testing.assert_allclose(drawn[2].images[0].get_array(), panel.image.sum(0))
    np.testing.assert_array_equal(drawn[3].images[0].get_array(), panel.dominant)
    assert drawn[7].get_ylabel() == "integrated gradients"
    # Each method has colours of its own.
    gradient, integrated = (drawn[k].images[0].get_clim()[1] for k in (4, 7))
    assert integrated == pytest.approx(30.0 * gradient)
    words = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"remove AGN", "no core", "−0.012", "+0.200", "–", "N_phot"} <= words
    assert figure.get_suptitle() == panel.caption


def test_bad_panels(make_panel):
    panel = make_panel()
    with pytest.raises(InputError, match=r"image: must have the shape .*; got \(24, 24\)\. Give"):
        dataclasses.replace(panel, image=panel.image[0])
    with pytest.raises(InputError, match=r"attribution: must have the shape \(2, 24, 24\) .* got"):
        dataclasses.replace(panel, attribution=panel.attribution[:1])
    with pytest.raises(InputError, match=r"dominant: must have .* or \(24, 24\) .*; got \(23, 24"):
        dataclasses.replace(panel, dominant=panel.dominant[1:])
    with pytest.raises(InputError, match=r"r500c_pixels: must be above 0; got nan\. Look"):
        dataclasses.replace(panel, r500c_pixels=np.nan)
    with pytest.raises(InputError, match=r"pixel_kpc: must be above 0; got 0\.0"):
        dataclasses.replace(panel, pixel_kpc=0.0)


@pytest.mark.parametrize("draw", [lambda p, **k: gallery_figure([p], **k), sheet_figure])
def test_names_that_do_not_fit(make_panel, draw):
    panel = make_panel()
    with pytest.raises(InputError, match=r"channels: must be as many .*, 2; got 1\. Name each"):
        draw(panel, channels=("all",), origins=ORIGINS)
    with pytest.raises(InputError, match=r"origins: must be at least 2, .*; got 1\. Name each"):
        draw(panel, channels=CHANNELS, origins=("icm",))


def test_bad_galleries_and_sheets(make_panel):
    panel = make_panel()
    names = {"channels": CHANNELS, "origins": ORIGINS}
    with pytest.raises(InputError, match=r"panels: must be 1 to 12; got 0\. Draw fewer"):
        gallery_figure([], **names)
    with pytest.raises(InputError, match=r"dominant: must be of each channel in all .* got both"):
        gallery_figure([panel, make_panel(per_channel=True)], **names)
    with pytest.raises(InputError, match=r"attribution by 'a': must have the shape .*; got \(1,"):
        sheet_figure(panel, methods={"a": panel.attribution[:1]}, **names)
    with pytest.raises(InputError, match=r"methods: must be up to 8; got 9\. Draw fewer"):
        sheet_figure(panel, methods={str(k): panel.attribution for k in range(9)}, **names)
    with pytest.raises(InputError, match=r"changes: must be 1 to 24; got 25\. Draw fewer"):
        sheet_figure(panel, changes={str(k): {"network": 0.0} for k in range(25)}, **names)
    assert isinstance(panel, GalleryPanel)
