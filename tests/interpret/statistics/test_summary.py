"""The whole of it in one pass, on networks whose answer is known."""

import csv
import io
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from icmass.errors import InputError
from icmass.estimate.inputs import Inputs
from icmass.interpret.statistics import summarise
from icmass.interpret.statistics.matching import COMPARED
from tests.helpers.subjects import subject_of_judges

SLOPES = {"n_phot": 1.3, "n_phot_500": 1.5, "lx_bolometric_erg_s": 1.6}
SHAPE = (20, 24)


class CountJudge(nn.Module):
    """The proxy N_phot as a network: ln M = ln(sum of photons) / alpha."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(SLOPES["n_phot"]))

    def standardise(self, clusters):
        return clusters.counts.float()

    def features(self, seen):
        return torch.log(seen.sum(dim=(1, 2, 3)))[:, None] / self.alpha

    def quantiles(self, features):
        return features + torch.linspace(-0.3, 0.3, 25)


def images(n=24, seed=0, n_origin=2):
    rng = np.random.default_rng(seed)
    y, x = np.arange(SHAPE[0]) - 9.5, np.arange(SHAPE[1]) - 11.5
    gas = rng.poisson(5.0 * np.exp(-np.hypot(y[:, None], x) / 4.0), (n, 3, *SHAPE))
    rest = rng.poisson(0.15, (n, n_origin - 1, 3, *SHAPE)) * rng.integers(1, 6, (n, 1, 1, *SHAPE))
    return np.concatenate([gas[:, None], rest], axis=1).astype(np.uint16)


def subject_of(catalog, origins=None):
    inputs = Inputs.resolve(["bands"], catalog.spec, origins=origins)
    return subject_of_judges(catalog, [[CountJudge()], [CountJudge()]], inputs)


def gradients(subject, space="inputs", size=7):
    for rows, networks, seen in subject.batches(size):
        counts = seen.counts.float()
        x = (torch.log1p(counts) if space == "inputs" else counts).requires_grad_(True)
        changed = torch.expm1(x) if space == "inputs" else x
        value = subject.value(networks, seen._replace(counts=changed))
        yield rows, torch.autograd.grad(value.sum(), x)[0].numpy()


@pytest.mark.parametrize("space", ["inputs", "photons"])
def test_a_network_that_is_a_count_is_found_to_be_one(clusters, tmp_path, space):
    subject = subject_of(clusters(tmp_path / "c", images()))
    found = summarise(
        subject, gradients(subject, space), slopes=SLOPES, space=space, n_resamples=10
    )
    ratio = np.array([[r.value for r in profile.ratio["n_phot"]] for profile in found.profiles])
    assert np.isfinite(ratio).sum() > 30
    assert ratio[np.isfinite(ratio)] == pytest.approx(1.0, rel=1e-4)
    core = found.core()
    assert core.ratio.value == pytest.approx(1.0, rel=1e-4)
    assert core.share_ratio.value == pytest.approx(1.0, rel=1e-4)
    # A count does not know whose photons they are; and it takes all photons alike.
    for one in found.agn_icm:
        difference = one.same_cluster.difference_dex
        assert abs(difference.value) < 0.03
        if space == "photons":
            assert one.plain.agn.high - one.plain.agn.low < 0.4  # of N_phot of the clusters alone
    assert found.n_clusters == found.n_haloes == 24


def test_fields_and_tables_are_plain(clusters, tmp_path):
    rng = np.random.default_rng(1)
    n = 24
    columns = {
        "dynamical_state": rng.normal(size=n),
        "cool_core_strength": rng.normal(size=n),
        "lx_bolometric_erg_s": np.ones(n),
    }
    discs = [[(1, 300.0, -200.0, 150.0, 1e13)] for _ in range(n)]
    subject = subject_of(clusters(tmp_path / "c", images(), regions=discs, columns=columns))
    told = []
    found = summarise(
        subject, gradients(subject), slopes=SLOPES, n_resamples=10, report=told.append
    )
    assert sum(told) == n
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["channels"] == ["soft", "medium", "hard"]
    assert values["agn_icm"][0]["equal_brightness"]["difference_dex"]["error"] > 0
    assert "sigma" in values["agn_icm"][0]["plain"]
    assert [one["channel"] for one in values["agn_icm"]] == ["all", "soft", "medium", "hard"]
    assert len(values["cores"]) == 4 * 3 * 2
    assert {g["by"] for g in values["groups"]} == {
        "mass", "redshift", "dynamical_state", "cool_core",
    }  # fmt: skip
    assert all(g["core_ratio"]["value"] == pytest.approx(1.0, rel=1e-4) for g in values["groups"])
    assert values["structures"][0]["kind"] == "substructure"
    seen = np.log1p(subject.counts(np.arange(n)).sum(axis=1))
    assert values["pixel_std"] == pytest.approx(seen.std(axis=(0, 2, 3)).tolist())
    assert values["bands"][2]["pixel_std"] == values["pixel_std"][2]
    for name, rows in found.tables().items():
        assert rows, name
        assert all(list(row) == list(rows[0]) for row in rows)
        assert all(isinstance(c, str | int | float) for row in rows for c in row.values()), name
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_medians_of_bands_are_those_of_pixels(clusters, tmp_path):
    subject = subject_of(clusters(tmp_path / "c", images()))
    rng = np.random.default_rng(8)
    maps = 10.0 ** rng.normal(-4.0, 0.5, (24, *subject.shape)) * np.array([1, 3, 1])[:, None, None]
    batches = [(rows, maps[rows].astype(np.float32)) for rows in (np.arange(10, 24), np.arange(10))]
    found = summarise(subject, batches, slopes={}, n_resamples=10)
    filled = subject.counts(np.arange(24)).sum(axis=1) > 0
    for k, band in enumerate(found.bands):
        assert abs(band.median.value - np.median(np.log10(maps[:, k]))) < 0.025
        inside = np.log10(maps[:, k][filled[:, k]])
        assert abs(band.median_filled.value - np.median(inside)) < 0.025
        assert 0.0 < band.median.error < 0.05
    assert found.core() is None
    assert found.cores == ()
    assert all(group.core_ratio is None for group in found.groups)


def test_memory_does_not_grow_with_batches_nor_results_change(clusters, tmp_path):
    subject = subject_of(clusters(tmp_path / "c", images()))
    one, two = (
        json.dumps(
            summarise(subject, gradients(subject, size=s), slopes=SLOPES, n_resamples=5).to_dict()
        )
        for s in (5, 12)
    )
    assert _rounded(one) == pytest.approx(_rounded(two), rel=1e-4)


def _rounded(text):
    found = []

    def walk(value):
        if isinstance(value, dict):
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)
        elif isinstance(value, float) and abs(value) > 1e-3:
            found.append(value)

    walk(json.loads(text))
    return found


@pytest.mark.parametrize(
    ("stored", "seen", "words"),
    [
        (("all", "agn"), None, "must keep icm apart; got all, agn"),
        (("icm", "agn"), ("icm",), "the networks must see agn; they see icm"),
    ],
)
def test_without_origins_the_rest_is_told(clusters, tmp_path, stored, seen, words):
    catalog = clusters(tmp_path / "c", images(8), origins=stored)
    subject = subject_of(catalog, seen)
    found = summarise(subject, gradients(subject), slopes=SLOPES, n_resamples=5)
    assert found.agn_icm is None
    assert words in found.agn_icm_reason
    assert found.tables()["agn_icm"] == []
    assert found.core().ratio.value == pytest.approx(1.0, rel=1e-4)
    assert found.structures is None
    with pytest.raises(InputError, match=words):
        subject.require_origins("agn", "icm")


def faint_with_agn(n=60, seed=4):
    """Clusters of which faint ones have more AGN, as bright in a pixel as gas is."""
    rng = np.random.default_rng(seed)
    y, x = np.arange(SHAPE[0]) - 9.5, np.arange(SHAPE[1]) - 11.5
    bright = rng.lognormal(0.0, 0.8, (n, 1, 1, 1))
    gas = rng.poisson(3.0 * bright * np.exp(-np.hypot(y[:, None], x) / 6.0), (n, 3, *SHAPE))
    lit = rng.random((n, 3, *SHAPE)) < np.clip(0.06 / bright, 0.005, 0.4)
    return np.stack([gas, lit * rng.integers(1, 6, lit.shape)], axis=1).astype(np.uint16)


def ways(compared):
    return {way: getattr(compared, way).difference_dex for way in COMPARED}


@pytest.mark.parametrize("space", ["inputs", "photons"])
def test_over_the_proxy_a_count_has_no_difference(clusters, tmp_path, space):
    """At equal brightness it has one of many sigma, of clusters and not of their pixels."""
    subject = subject_of(clusters(tmp_path / "c", faint_with_agn()))
    known = list(gradients(subject, space))
    how = {"space": space, "n_resamples": 20}
    found = summarise(subject, known, slopes=SLOPES, **how)
    assert [one.channel for one in found.over_proxy] == ["all", "soft", "medium", "hard"]
    whole = found.agn_icm[0].equal_brightness
    assert whole.sigma > 5.0
    assert whole.difference_dex.value > 0.1
    for one in found.over_proxy:
        assert one.n_clusters == found.n_clusters
        assert all(abs(difference.value) <= 0.05 for difference in ways(one).values())
        assert abs(one.plain.agn.median) <= 0.05
        assert one.plain.agn.mean == pytest.approx(1.0, rel=1e-4)
    # Of a slope with which what is found lies amid a bin and not at its edge, it is exactly none.
    off = {"n_phot": SLOPES["n_phot"] * 10.0**0.025}
    for one in summarise(subject, known, slopes=off, **how).over_proxy:
        for difference in ways(one).values():
            assert difference.value == pytest.approx(0.0, abs=1e-9)
        assert one.equal_brightness.agn.median == pytest.approx(0.025, abs=1e-9)
    # Plain tables of it are those of the other comparison, number by number.
    rows = found.tables()
    assert [row["way"] for row in rows["over_proxy"]] == [row["way"] for row in rows["agn_icm"]]
    assert rows["over_proxy"][1]["difference_dex"] == ways(found.over_proxy[0])[COMPARED[1]].value


@pytest.mark.parametrize(("space", "injected"), [("inputs", -0.3), ("photons", 0.4)])
def test_over_the_proxy_what_is_injected_is_recovered(clusters, tmp_path, space, injected):
    subject = subject_of(clusters(tmp_path / "c", faint_with_agn(seed=6)))
    rng = np.random.default_rng(7)
    batches = []
    for rows, gradient in gradients(subject, space):
        counts = subject.counts(rows).astype(int)
        dex = injected * (counts[:, 1] > counts[:, 0]) + rng.normal(0.0, 0.2, gradient.shape)
        batches.append((rows, gradient * (10.0**dex).astype(np.float32)))
    found = summarise(subject, batches, slopes=SLOPES, space=space, n_resamples=40)
    for one in found.over_proxy:
        for way, (value, error) in ways(one).items():
            assert error < 0.05, way  # so that it is 6 sigma from none
            assert abs(value - injected) < 4.0 * error + 0.005, way
    # The negative control: what N_phot implies is left in elsewhere, which takes it off the mark.
    plain = found.agn_icm[0].equal_brightness.difference_dex
    assert plain.sigma(injected) > 4.0


def test_the_proxy_counts_photons_of_gas_and_agn_alone(clusters, tmp_path):
    """Background is in the image that networks see, but N_phot has none of it."""
    photons = faint_with_agn(12)
    dark = np.random.default_rng(2).poisson(2.0, photons[:, :1].shape).astype(np.uint16)
    catalog = clusters(
        tmp_path / "c",
        np.concatenate([photons, dark], axis=1),
        origins=("icm", "agn", "background"),
    )
    subject = subject_of(catalog)
    sources = photons.sum(axis=1).astype(np.float64)
    every = sources + dark[:, 0]
    spread = []
    for weight, factor in ((sources, 1000.0), (every, 1.0)):
        total = weight.sum(axis=(1, 2, 3), keepdims=True)
        gradient = factor * 10.0**0.025 * (weight + 1.0) / (SLOPES["n_phot"] * total)
        batches = [(np.arange(12), -gradient.astype(np.float32))]
        one = summarise(subject, batches, slopes=SLOPES, n_resamples=2).over_proxy[0]
        spread.append(one.plain.icm.high - one.plain.icm.low)
        if factor > 1.0:  # also what is a thousand times as much as implied is told apart
            assert one.plain.icm.median == pytest.approx(3.025, abs=1e-9)
            assert one.equal_brightness.difference_dex.value == pytest.approx(0.0, abs=1e-9)
    assert spread[0] < 0.05 < 0.1 < spread[1]


def test_over_the_proxy_needs_its_slope_and_origins(clusters, tmp_path):
    subject = subject_of(clusters(tmp_path / "c", faint_with_agn(6)))
    known = list(gradients(subject))
    for slopes in ({}, {"n_phot_500": 1.5, "lx_bolometric_erg_s": 1.6}):
        found = summarise(subject, known, slopes=slopes, n_resamples=2)
        assert found.over_proxy == ()
        assert found.tables()["over_proxy"] == []
        assert found.agn_icm is not None
        assert found.to_dict()["over_proxy"] == []
    blind = subject_of(clusters(tmp_path / "d", faint_with_agn(6), origins=("all", "agn")))
    assert summarise(blind, known, slopes=SLOPES, n_resamples=2).over_proxy == ()


def test_gas_alone_has_luminosity_and_all_origins_have_not(clusters, tmp_path):
    catalog = clusters(tmp_path / "c", images(8), origins=("icm", "agn"))
    for seen, proxies in ((("icm",), 3), (("agn",), 2)):
        subject = subject_of(catalog, seen)
        found = summarise(subject, gradients(subject), slopes=SLOPES, n_resamples=3)
        assert len(found.slopes) == proxies


def test_bad_input_is_refused(clusters, tmp_path):
    subject = subject_of(clusters(tmp_path / "c", images(6)))
    rows = np.arange(6)
    with pytest.raises(InputError, match=r"gradient: must have shape \(6, 3, 20, 24\), as the im"):
        summarise(subject, [(rows, np.zeros((6, 16, 16, 16)))], slopes={})
    with pytest.raises(InputError, match="gradient: must be finite"):
        summarise(subject, [(rows, np.full((6, *subject.shape), np.nan))], slopes={})
    with pytest.raises(InputError, match="at least 2 halos; got 1"):
        summarise(subject, [(rows[:1], np.ones((1, *subject.shape)))], slopes={})
    with pytest.raises(InputError, match="pixels: must be of at least 1 cluster; none came in"):
        summarise(subject, [], slopes={})


def test_ends_of_rings_meet(clusters, tmp_path):
    subject = subject_of(clusters(tmp_path / "c", images(6)))
    profile = summarise(subject, gradients(subject), slopes={}, n_resamples=2).profiles[0]
    assert all(
        high == low for (_, high), (low, _) in pairwise(zip(profile.low, profile.high, strict=True))
    )
