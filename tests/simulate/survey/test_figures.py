"""Figures of a survey: right numbers at the right places, the same bytes, wrong input refused."""

import healpy
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread
from scipy.stats import binomtest

from icmass.errors import InputError
from icmass.figure_style import DPI
from icmass.simulate.survey.figures import (
    SharePanel,
    completeness_figure,
    counts_map,
    cumulative_counts,
    number_counts_figure,
    save,
    three_colours,
    tile_picture,
)
from icmass.simulate.survey.figures.counts_map import _from_hammer, _to_hammer

NSIDE = 64
DEG2 = 41252.96 / (12 * NSIDE**2)


def cone(ra, dec, radius, nside=NSIDE):
    middle = healpy.ang2vec(ra, dec, lonlat=True)
    return np.sort(healpy.query_disc(nside, middle, np.radians(radius), nest=True))


def counts_in(pixel, bright):
    """One photon in each pixel and 80 in that of a place."""
    counts = np.ones(len(pixel), dtype=np.int64)
    counts[pixel == healpy.ang2pix(NSIDE, *bright, nest=True, lonlat=True)] = 80
    return counts


def share_panel(log=False):
    mass = np.geomspace(1.1e13, 0.9e15, 60)
    edges = np.geomspace(1e13, 1e15, 4) if log else np.linspace(0.0, 1e15, 4)
    return SharePanel.of(
        "mass", mass, {"found": mass > 1e14, "extended": mass > 3e14}, edges, log=log
    )


def power_law(count=4000, seed=3):
    return 1e-15 * np.random.default_rng(seed).random(count) ** (-1.0 / 1.5)


RELATION = (np.geomspace(1e-15, 1e-11, 50), 40.0 * np.geomspace(1.0, 1e4, 50) ** -1.5)


def tile_counts(seed=4):
    """A red source in the north-east, a blue one in the south-west; the west is not observed."""
    counts = np.random.default_rng(seed).poisson(2.0, (3, 60, 80))
    counts[0, 44:47, 10:13] += 60
    counts[2, 12:15, 40:43] += 60
    exposure = np.full((60, 80), 1000.0)
    exposure[:, 60:] = 0.0
    return counts * (exposure > 0), exposure


@pytest.fixture
def every():
    """All functions, each as one that takes nothing."""
    small, large = cone(150.0, 2.0, 6.0), cone(100.0, -40.0, 80.0)
    counts, exposure = tile_counts()
    place = {"ra_deg": 359.9, "dec_deg": -60.0, "pixel_arcsec": 16.0}
    return {
        "field": lambda: counts_map(small, counts_in(small, (151.0, 3.0)), NSIDE, title="field"),
        "galactic": lambda: counts_map(
            large, np.arange(len(large)), NSIDE, frame="galactic", band_kev=(0.2, 2.3)
        ),
        "tile": lambda: tile_picture(
            counts,
            exposure,
            bands_kev=((0.2, 0.6), (0.6, 2.3), (2.3, 5.0)),
            haloes=([0.1, 359.8], [-60.0, -60.05], [100.0, 60.0]),
            sources=([0.1], [-60.0]),
            title="tile",
            **place,
        ),
        "plain tile": lambda: tile_picture(counts, exposure, **place),
        "completeness": lambda: completeness_figure(
            [share_panel(), share_panel(log=True)], title="a"
        ),
        "counts": lambda: number_counts_figure(
            power_law(), 100.0, RELATION, flux_found=power_law()[::2]
        ),
    }


@pytest.mark.parametrize(
    "name", ["field", "galactic", "tile", "plain tile", "completeness", "counts"]
)
def test_same_bytes_for_same_input(every, tmp_path, name):
    figure = every[name]()
    save(figure, tmp_path / "a.png")
    with mpl.rc_context({"font.size": 20.0, "savefig.dpi": 30, "axes.grid": True}):
        save(every[name](), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    picture = imread(tmp_path / "a.png")
    width, height = figure.get_size_inches() * DPI
    assert picture.shape[:2] == pytest.approx((height, width), abs=1)
    border = np.concatenate([picture[[0, -1], :, :3].ravel(), picture[:, [0, -1], :3].ravel()])
    assert border.min() == 1.0  # nothing is cut off


def brightest_place(picture):
    """Fractions of the width and height of the middle of the brightest pixels."""
    rows, columns = np.nonzero(picture == np.nanmax(picture))
    return columns.mean() / picture.shape[1], rows.mean() / picture.shape[0]


@pytest.mark.parametrize("centre", [(150.0, 2.0), (359.9, 2.0), (20.0, -65.0)])
def test_field_has_north_up_and_east_left(centre):
    pixel = cone(*centre, 6.0)
    bright = ((centre[0] + 3.0 / np.cos(np.radians(centre[1]))) % 360.0, centre[1] + 2.0)
    figure = counts_map(pixel, counts_in(pixel, bright), NSIDE)
    axes = figure.axes[0]
    picture = axes.images[0].get_array().filled(np.nan)
    x, y = brightest_place(picture)
    assert x == pytest.approx(0.25, abs=0.06)
    assert y == pytest.approx(0.5 + 2.0 / 12.0, abs=0.06)
    # Axes tell the place to within a pixel of the map.
    rows, columns = np.nonzero(picture == np.nanmax(picture))
    ra, dec = axes.wcs.wcs_pix2world(columns.mean(), rows.mean(), 0)
    assert np.cos(np.radians(dec)) * (ra - bright[0]) == pytest.approx(0.0, abs=0.7)
    assert dec == pytest.approx(bright[1], abs=0.7)


def test_field_is_in_photons_per_area_and_empty_where_not_observed():
    pixel = cone(150.0, 2.0, 6.0)
    axes = counts_map(pixel, np.full(len(pixel), 7), NSIDE, band_kev=(0.2, 2.3)).axes
    picture = axes[0].images[0].get_array()
    assert np.unique(picture.compressed()) == pytest.approx(7.0 / DEG2, rel=1e-5)
    shown = np.sum(~picture.mask) * np.abs(np.linalg.det(axes[0].wcs.pixel_scale_matrix))
    assert shown == pytest.approx(len(pixel) * DEG2, rel=0.01)  # the projection keeps areas
    assert axes[1].get_ylabel() == "photons per deg$^2$, 0.2-2.3 keV"


@pytest.mark.parametrize(("frame", "middle"), [("icrs", 180.0), ("galactic", 0.0)])
def test_whole_sky_has_the_place_where_it_belongs(frame, middle):
    from astropy.coordinates import SkyCoord

    place = SkyCoord(middle + 60.0, 30.0, unit="deg", frame=frame).icrs
    pixel = np.arange(12 * NSIDE**2)
    counts = counts_in(pixel, (place.ra.deg, place.dec.deg))
    picture = counts_map(pixel, counts, NSIDE, frame=frame).axes[0].images[0].get_array()
    x, y = brightest_place(picture.filled(np.nan))
    right = _to_hammer(np.array([60.0]), np.array([30.0]))
    assert x == pytest.approx(0.5 + right[0][0] / np.sqrt(32.0), abs=0.01)
    assert x < 0.4  # the larger longitude is on the left
    assert y == pytest.approx(0.5 + right[1][0] / np.sqrt(8.0), abs=0.01)
    assert np.mean(~picture.mask) == pytest.approx(np.pi / 4.0, abs=0.005)  # an ellipse


def test_projection_of_the_sky_and_back():
    rng = np.random.default_rng(2)
    offset, latitude = rng.uniform(-179.0, 179.0, 200), rng.uniform(-89.0, 89.0, 200)
    longitude, back = _from_hammer(*_to_hammer(offset, latitude), 10.0)
    assert longitude == pytest.approx(np.mod(offset + 10.0, 360.0), abs=1e-8)
    assert back == pytest.approx(latitude, abs=1e-8)
    assert np.isnan(_from_hammer(np.array([2.9]), np.array([0.0]), 0.0)[0])


def test_colours_of_sources_and_of_what_was_not_observed():
    counts, exposure = tile_counts()
    picture = three_colours(counts.astype(float), exposure, 1.5)
    assert picture.shape == (60, 80, 3)
    assert picture.min() >= 0.0
    assert picture.max() <= 1.0
    red, blue = picture[45, 11], picture[13, 41]
    assert red[0] > 3.0 * red[2]
    assert blue[2] > 3.0 * blue[0]
    assert np.unique(picture[:, 60:]).tolist() == [0.3]
    inside, border = picture[:, 25:35].mean(), picture[:, 56:60].mean()
    assert border == pytest.approx(inside, rel=0.35)  # not darker, as it were undivided


def test_empty_tile_can_be_drawn():
    picture = three_colours(np.zeros((3, 20, 20)), np.ones((20, 20)), 1.5)
    assert np.isfinite(picture).all()


def test_marks_stand_where_the_places_are():
    counts, exposure = tile_counts()
    # East by 20 pixels of 16 arcsec at Dec -60, north by 12: the column grows to the west.
    ra, dec = 359.9 + 20 * 16 / 3600 / np.cos(np.radians(60.0)), -60.0 + 12 * 16 / 3600
    figure = tile_picture(
        counts,
        exposure,
        ra_deg=359.9,
        dec_deg=-60.0,
        pixel_arcsec=16.0,
        haloes=([ra], [dec], [160.0]),
        sources=([ra], [dec]),
    )
    axes = figure.axes[0]
    circles = axes.collections[0]
    assert circles.get_offsets()[0] == pytest.approx((39.5 - 20.0, 29.5 + 12.0), abs=0.2)
    assert circles.get_widths()[0] == pytest.approx(20.0)
    assert axes.lines[0].get_xydata()[0] == pytest.approx(circles.get_offsets()[0])


@pytest.mark.parametrize(
    ("seen", "xlim", "ylim"),
    [
        (np.s_[:, :], (-0.5, 79.5), (-0.5, 59.5)),
        (np.s_[15:35, 20:60], (17.9, 61.1), (8.3, 40.7)),
        (np.s_[15:45, 70:73], (36.3, 79.5), (13.3, 45.7)),  # a strip, at the rim
    ],
)
def test_only_what_is_observed_is_shown(seen, xlim, ylim):
    exposure = np.zeros((60, 80))
    exposure[seen] = 1000.0
    figure = tile_picture(
        np.ones((3, 60, 80)), exposure, ra_deg=10.0, dec_deg=0.0, pixel_arcsec=16.0
    )
    axes = figure.axes[0]
    assert axes.get_xlim() == pytest.approx(xlim)
    assert axes.get_ylim() == pytest.approx(ylim)


@pytest.mark.parametrize("side", [1, 6])
def test_a_tiny_field_fills_its_picture(side):
    """Of 0.03 sq. deg in a tile, with a halo and a source far outside."""
    exposure = np.zeros((300, 300))
    exposure[220 : 220 + side, 240 : 240 + side] = 1000.0
    figure = tile_picture(
        np.ones((3, 300, 300)),
        exposure,
        ra_deg=135.0,
        dec_deg=1.5,
        pixel_arcsec=16.0,
        haloes=([135.0], [1.5], [200.0]),
        sources=([134.9], [1.4]),
    )
    assert figure.axes[0].get_position().width > 0.8


def test_shares_and_their_errors():
    panel = share_panel(log=True)
    figure = completeness_figure([panel])
    bars = figure.axes[0].containers
    assert [bar.get_label() for bar in bars] == ["found", "extended"]
    number = np.asarray(panel.number)
    assert number.sum() == 60
    found = np.asarray(panel.found["found"])
    points = bars[0].lines[0].get_ydata()
    assert points == pytest.approx(found / number)
    limits = bars[0].lines[2][0].get_segments()
    for k, n, segment in zip(found, number, limits, strict=True):
        interval = binomtest(int(k), int(n)).proportion_ci(0.682689492137, method="wilson")
        assert segment[:, 1] == pytest.approx((interval.low, interval.high), abs=1e-9)
    notes = [text.get_text() for text in figure.axes[0].texts]
    assert notes == [str(n) for n in number]


def test_empty_bins_have_no_point():
    panel = SharePanel("z", [0.0, 1.0, 2.0, 3.0], [4, 0, 2], {"found": [1, 0, 2]})
    points = completeness_figure([panel]).axes[0].containers[0].lines[0].get_xydata()
    assert points[:, 1].tolist() == [0.25, 1.0]
    assert points[:, 0] == pytest.approx([0.5, 2.5])


def test_cumulative_counts_are_those_above_each_limit():
    flux = np.array([3.0, 1.0, np.nan, 2.0, 2.0])
    number, error = cumulative_counts(flux, 2.0, [0.5, 2.0, 2.5, 4.0])
    assert number.tolist() == [2.0, 1.5, 0.5, 0.0]
    assert error.tolist() == pytest.approx([1.0, np.sqrt(3.0) / 2.0, 0.5, 0.0])


@pytest.mark.parametrize(("factor", "right"), [(1.0, True), (1.1, False)])
def test_ratio_to_the_relation_shows_a_bias_of_a_tenth(factor, right):
    """Above the first flux are 11,000 of 20,000 sources: 10% are ten standard deviations."""
    figure = number_counts_figure(power_law(20_000), 500.0 / factor, RELATION)
    ratio = figure.axes[1].containers[0].lines[0].get_ydata()
    error = figure.axes[1].containers[0].lines[2][0].get_segments()[0]
    sigma = 0.5 * (error[1, 1] - error[0, 1])
    assert (abs(ratio[0] - 1.0) < 4.5 * sigma) == right


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: counts_map([], [], NSIDE), "counts map: must have one count for each of at least"),
        (lambda: counts_map([1, 2], [1], NSIDE), r"got shapes \(2,\) and \(1,\)"),
        (
            lambda: counts_map([12 * 64**2], [1], NSIDE),
            r"must lie in \[0, 49152\) for nside 64; got",
        ),
        (lambda: completeness_figure([]), "must have 1 to 4 panels; got 0"),
        (
            lambda: completeness_figure([share_panel(), SharePanel("z", [0, 1], [1], {"b": [1]})]),
            "panel z: must have the curves found, extended; got b",
        ),
        (
            lambda: completeness_figure([SharePanel("z", [0, 1, 0.5], [1, 1], {"a": [1, 1]})]),
            "panel z: must have ascending edges, one more than counts; got 3 edges",
        ),
        (
            lambda: completeness_figure([SharePanel("z", [0, 1], [1], {"a": [2]})]),
            "panel z: must have between 0 and all found in each bin",
        ),
        (
            lambda: number_counts_figure([], 1.0, RELATION),
            "number counts: must have fluxes of AGN above 0, at least one; got 0",
        ),
        (
            lambda: number_counts_figure([1e-14], 0.0, RELATION),
            r"number counts: must have an area above 0 deg\^2; got 0",
        ),
        (
            lambda: number_counts_figure([1e-14], 1.0, (RELATION[0][::-1], RELATION[1])),
            "relation: must have ascending fluxes with a number of at least 0 each",
        ),
        (
            lambda: tile_picture(
                np.ones((2, 3, 3)), np.ones((3, 3)), ra_deg=0.0, dec_deg=0.0, pixel_arcsec=8.0
            ),
            r"tile picture: must have counts of shape \(3, n_y, n_x\)",
        ),
        (
            lambda: tile_picture(
                np.ones((3, 3, 3)), np.zeros((3, 3)), ra_deg=0.0, dec_deg=0.0, pixel_arcsec=8.0
            ),
            "tile picture: must have an exposure above 0 somewhere; got none",
        ),
    ],
)
def test_wrong_input_is_refused(draw, message):
    with pytest.raises(InputError, match=message):
        draw()


def test_pyplot_knows_nothing(every):
    from matplotlib import _pylab_helpers

    every["galactic"]()
    every["field"]()
    assert not _pylab_helpers.Gcf.figs
