"""The comparison with the peers says yes to equal simulators and no to one that is a little off.

Made-up numbers only: the peers themselves are not needed.
"""

import numpy as np
import pytest

from benchmarks.peer_scripts import tables
from benchmarks.peer_scripts.compare import (
    compare_shapes,
    compare_totals,
    drawn_twice,
    folded_difference,
    stretched,
)
from benchmarks.peer_scripts.served_table import ServedTable, received
from icmass.simulate import SpectralTable

EDGES = np.linspace(0.0, 10.0, 201)
MEAN = 4e6 * np.diff(-np.exp(-EDGES / 2.0))


def draw(seed: int, mean: np.ndarray = MEAN) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean)


def test_equal_shapes_pass_whatever_their_totals():
    sigma = [compare_shapes(draw(2 * k), draw(2 * k + 1, 1.3 * MEAN)).sigma for k in range(50)]
    assert abs(np.mean(sigma)) < 4.5 / np.sqrt(50)
    assert 0.7 < np.std(sigma) < 1.4


def test_a_shape_one_percent_wider_fails():
    assert compare_shapes(draw(1, stretched(MEAN, EDGES, 1.01)), draw(2)).sigma > 4.5


def test_sparse_bins_are_merged():
    shape = compare_shapes(draw(1, 5e-5 * MEAN), draw(2, 5e-5 * MEAN))
    assert 0 < shape.freedom < 10
    with pytest.raises(ValueError, match="must hold 25 counts each"):
        compare_shapes(np.ones(5), np.ones(5))


def test_stretching_moves_counts_outwards_and_loses_none():
    wider = stretched(MEAN, EDGES, 1.5)
    middle = 0.5 * (EDGES[1:] + EDGES[:-1])
    assert (wider @ middle) / wider.sum() > 1.3 * (MEAN @ middle) / MEAN.sum()
    assert stretched(MEAN, EDGES, 1.0) == pytest.approx(MEAN)


def test_counts_drawn_twice_have_the_variance_stated():
    """A Poisson list of photons, then a Poisson number of those that the area lets through."""
    rng = np.random.default_rng(3)
    rate, area, margin = np.array([3.0, 2.0, 1.0]), np.array([10.0, 100.0, 40.0]), 1.2
    share = area / area.max()
    lists = rng.poisson(200.0 * margin * rate, (20_000, 3))
    counts = rng.poisson(lists @ share / margin)
    expected = 200.0 * rate @ share
    variance = drawn_twice(rate, area, margin)
    assert counts.mean() == pytest.approx(expected, rel=2e-3)
    assert counts.var() / counts.mean() == pytest.approx(variance, rel=0.05)
    assert variance > 1.3


def test_totals_are_judged_by_that_variance():
    counts = [10_150, 9_950]
    poisson, twice = compare_totals(counts, 1e4), compare_totals(counts, 1e4, 1.7)
    assert poisson.sigma == pytest.approx(100 / np.sqrt(2e4))
    assert twice.sigma == pytest.approx(poisson.sigma / np.sqrt(1.7))
    assert poisson.excess == pytest.approx(0.005)
    assert compare_totals(counts, 1.05e4, 1.7).sigma < -4.5


def test_folded_difference_sees_a_channel_and_the_total():
    right = np.array([100.0, 50.0, 10.0, 1e-3])
    largest, total = folded_difference(right * [1.0, 1.001, 1.0, 1.0], right)
    assert largest == pytest.approx(1e-3)
    assert total == pytest.approx(0.05 / right.sum())
    # The last channel is too faint to be compared by itself.
    assert folded_difference(right * [1.0, 1.0, 1.0, 2.0], right)[0] == 0.0


@pytest.mark.parametrize("redshift", [0.0, 0.1])
def test_peers_get_the_photons_that_we_fold(redshift):
    table = SpectralTable.load()
    edges = np.geomspace(0.2, 8.0, 300)
    ours = table.photons(edges, redshift)
    for part, spectra in zip(ours, (table.base, table.metal), strict=True):
        got = received(edges, table.edges_kev, spectra, redshift)
        np.testing.assert_allclose(got, part, rtol=1e-6, atol=1e-9 * part.max())


def test_time_dilation_is_in_the_photons_served():
    spectra, edges = np.full((1, 400), 0.01), np.linspace(0.0, 4.0, 401)
    assert received(np.array([1.0, 2.0]), edges, spectra, 0.25) == pytest.approx(np.ones((1, 1)))
    whole = received(np.array([0.0, 3.2]), edges, spectra, 0.25)
    assert whole[0, 0] == pytest.approx(4.0 / 1.25)


@pytest.mark.parametrize("binscale", ["linear", "log"])
def test_served_table_answers_like_their_generator(tmp_path, monkeypatch, binscale):
    base = np.arange(12.0).reshape(3, 4)
    kt, edges = np.array([1.0, 2.0, 4.0]), np.array([0.1, 1.0, 2.0, 3.0, 5.0])
    np.savez(tmp_path / "table.npz", edges_kev=edges, kt_kev=kt, base=base, metal=2.0 * base)
    monkeypatch.setattr(ServedTable, "path", tmp_path / "table.npz", raising=False)
    served = ServedTable("apec", 0.5, 4.0, 10, binscale=binscale, model_vers=None)
    assert served.nT == 3
    assert served.ebins[[0, -1]] == pytest.approx([0.5, 4.0])
    plain, metal, nothing = served._get_table([1, 2], 0.1, 0.0)
    assert plain.shape == (2, 10)
    assert metal == pytest.approx(2.0 * plain)
    assert nothing is None
    assert plain == pytest.approx(received(served.ebins, edges, base[1:], 0.1))


def side(total: float, **stages: float) -> dict:
    seconds = {"total": total, "cpu": total, **stages}
    return {"seconds": seconds, "photons_per_s": 1e6 / total, "peak_mb": 500.0}


def test_tables_are_aligned_and_name_the_aim():
    row = {
        "particles": 1_000_000,
        "exposure_s": 1600.0,
        "pyXSIM+SOXS": side(8.0, make=7.0, project=0.5, detect=0.5),
        "ICMass": side(0.05, fold=0.03, draw=0.02),
        "faster": 160.0,
        "faster_cpu": 161.0,
        "faster_observe": 90.0,
        "faster_with_file": 40.0,
    }
    made = tables.timing_table([row])
    lines = tables.text(made).splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("aim")
    assert lines[2].split()[-5:] == ["160.0", "161.0", "90.0", "40.0", "100"]
    page = tables.markdown(made).splitlines()
    assert len({line.count("|") for line in page}) == 1
    assert "make 7.000, project 0.500, detect 0.500" in page[2]
