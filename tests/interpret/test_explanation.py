"""All that is found out in one go: complete, the same again, and plain about what is left out."""

import json
from dataclasses import replace

import numpy as np
import pytest

from icmass.bootstrap import haloes_of
from icmass.errors import InputError
from icmass.interpret.explanation import (
    SHUFFLED_MASSES,
    SHUFFLED_WEIGHTS,
    Explanation,
    Plan,
    explain,
    sample_rows,
)
from icmass.interpret.interventions import EncircledEnergy
from icmass.interpret.report.contents import sections
from icmass.interpret.showcase import Shown, chosen_rows, panels
from icmass.interpret.subject import Subject
from tests.helpers.joined import joined
from tests.helpers.masses import make_catalog, mass_spec
from tests.helpers.subjects import estimator_subject

N = 24
PSF = EncircledEnergy((0.0, 10.0, 30.0, 90.0), (0.0, 0.4, 0.8, 1.0))
SLOPES = {"n_phot": 1.2}
PLAN = Plan(
    sample=8,
    tested=4,
    shown=2,
    methods=("integrated-gradients", "saliency"),
    n_steps=8,
    n_resamples=20,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("explanation")


@pytest.fixture(scope="module")
def subject(folder) -> Subject:
    """Networks of random weights before a few clusters, one of which has no photons."""
    catalog = make_catalog(folder / "catalog", N)
    return estimator_subject(catalog, "profile", gain=3.0)


@pytest.fixture(scope="module")
def found(subject) -> Explanation:
    return explain(subject, slopes=SLOPES, psf=PSF, control=subject, plan=PLAN)


def text(found: Explanation) -> str:
    return json.dumps(found.to_dict(), allow_nan=False)


def test_all_parts_are_there(found):
    assert (found.statistics.n_clusters, found.statistics.n_haloes) == (N, N // 2)
    assert found.statistics.agn_icm is not None
    names = [one.name for one in found.effects]
    assert names[:4] == ["no-agn", "double-agn", "put-agn-0", "put-agn-0.25"]
    assert {"no-core-0.285", "round", "swap-gas", "double-background"} <= set(names)
    assert {one.n for one in found.effects} == {PLAN.sample}
    assert all(set(one.proxies) == {"N_phot"} for one in found.effects)
    assert [one.method for one in found.faithfulness] == list(PLAN.methods)
    assert {one.n for one in found.faithfulness} == {PLAN.tested}
    assert found.galaxies is None
    assert len(found.notes) == 1
    assert found.notes[0].startswith("grad-cam: left out; grad-cam: must have convolutions")


def test_networks_that_learnt_nothing_stand_beside(found):
    weights, masses = found.sanity
    assert (weights.name, masses.name) == (SHUFFLED_WEIGHTS, SHUFFLED_MASSES)
    assert weights.n_clusters == masses.n_clusters == PLAN.sample
    # The control here are the same networks.
    assert masses.correlation == pytest.approx((1.0, 0.0), abs=1e-6)
    assert weights.correlation.value < 0.95


def test_numbers_are_json_and_the_same_again(subject, found):
    again = explain(subject, slopes=SLOPES, psf=PSF, control=subject, plan=PLAN)
    assert text(again) == text(found)
    assert set(json.loads(text(found))) == {
        *("statistics", "sanity", "interventions", "faithfulness"),
        *("galaxies", "ablations", "notes"),
    }


def test_another_seed_takes_other_clusters(subject, found):
    other = explain(subject, slopes=SLOPES, psf=PSF, plan=replace(PLAN, seed=1))
    assert other.statistics.bands[0].median.value == found.statistics.bands[0].median.value
    assert other.effects[0].network != found.effects[0].network
    assert len(other.sanity) == 1


def test_what_cannot_be_done_is_noted(folder, subject):
    """Origins that are not kept apart, or not seen; no telescope."""
    catalog = joined(subject.catalog, folder / "joined")
    blind = estimator_subject(catalog, "profile", gain=3.0)
    found = explain(blind, slopes=SLOPES, plan=PLAN)
    notes = "\n".join(found.notes)
    assert "without AGN: left out" in notes
    assert "must keep agn apart; got all" in notes
    assert "must keep icm apart" in notes
    assert "N_phot: left out of interventions; " in notes
    assert {one.name for one in found.effects} == {"turned-outskirts", "round", "half-exposure"}
    assert found.statistics.agn_icm is None
    assert "must keep agn apart" in found.statistics.agn_icm_reason
    assert found.sanity[0].difference_dex is None
    json.loads(text(found))
    titles = [one.title for one in sections(found, _gallery(found), attribution="x")]
    assert titles[-1] == "What was left out"


def test_the_gallery_says_of_what_its_extremes_are(found):
    words = "Extremes, such as most massive, are of the {} clusters of the sample, of 24 in all."
    for sample, told in ((PLAN.sample, 8), (500, 24)):
        some = replace(found, plan=replace(PLAN, sample=sample))
        first, *_ = sections(some, _gallery(found), attribution="x")
        assert words.format(told) in first.paragraphs


def test_networks_that_do_not_see_agn(subject):
    unseeing = estimator_subject(subject.catalog, "profile", origins=("icm",), gain=3.0)
    found = explain(unseeing, slopes=SLOPES, plan=PLAN)
    assert any("the networks must see agn; they see icm" in note for note in found.notes)
    assert "no-core-0.285" in {one.name for one in found.effects}
    assert found.statistics.agn_icm is None


def _gallery(found):
    wanted = chosen_rows(found.subject, np.arange(N), 2)
    return panels(found.subject, wanted, "saliency")


def test_convolutions_and_galaxies_are_explained_too(subject):
    inputs = ("bands", "galaxies", "redshift", "exposure_s")
    seeing = estimator_subject(subject.catalog, "paper-multimodal", inputs, gain=1.5)
    found = explain(seeing, slopes=SLOPES, plan=replace(PLAN, sample=4, tested=2))
    assert [one.method for one in found.faithfulness][-1] == "grad-cam"
    assert not any("grad-cam" in note for note in found.notes)
    assert found.galaxies is not None
    json.loads(text(found))


def test_a_cluster_without_photons_does_no_harm(folder):
    dark = make_catalog(folder / "dark", 8, brighter=0.0)
    found = explain(estimator_subject(dark, "profile", ("bands",)), slopes=SLOPES, plan=PLAN)
    json.loads(text(found))


@pytest.mark.parametrize("name", ["sample", "tested", "shown"])
def test_plans_of_too_little_are_refused(name):
    with pytest.raises(InputError, match=rf"^{name}: must be at least 2 clusters; got 1\.$"):
        Plan(**{name: 1})


def test_r500c_must_be_known(folder):
    values = np.full(8, 900.0)
    values[3] = np.nan
    catalog = make_catalog(folder / "unknown", 8, columns={"r500c_kpc": values})
    match = r"must know r500c_kpc of every cluster; it is unknown of 1 of \d+. Give mock clusters"
    with pytest.raises(InputError, match=match):
        explain(estimator_subject(catalog, "profile"), slopes={}, plan=PLAN)


def test_one_halo_is_too_few(subject):
    one = subject.select(np.flatnonzero(haloes_of(subject.catalog) == 0))
    with pytest.raises(InputError, match="must have at least 2 halos; got 1"):
        explain(one, slopes=SLOPES, plan=PLAN)


def test_samples_are_drawn_from_all_and_again(subject):
    rows = sample_rows(subject, 8, 0)
    assert (np.diff(rows) > 0).all()
    assert rows.tolist() == sample_rows(subject, 8, 0).tolist()
    assert rows.tolist() != sample_rows(subject, 8, 1).tolist()
    assert sample_rows(subject, 100, 0).tolist() == list(range(N))
    drawn = np.bincount(np.concatenate([sample_rows(subject, 8, s) for s in range(300)]))
    # 300 times a chance of a third: a deviation of 8.2 for each.
    assert np.abs(drawn - 100).max() < 37


def test_clusters_are_shown_for_what_they_are(folder):
    rng = np.random.default_rng(3)
    names = ("n_phot_agn_500", "cool_core_strength", "dynamical_state")
    columns = {
        "n_phot_agn_500": rng.permutation(N),
        "cool_core_strength": np.full(N, np.nan),
        "dynamical_state": np.where(np.arange(N) < 5, np.nan, rng.normal(size=N)),
        "m500c_msun": 1e14 * (1.0 + rng.permutation(N)),
        "redshift": 0.1 + 0.01 * rng.permutation(N),
    }
    columns["redshift"][columns["m500c_msun"].argmax()] = 0.9  # twice an extreme: shown once
    catalog = make_catalog(
        folder / "extremes", N, spec=mass_spec(optional_columns=names), columns=columns
    )
    subject = estimator_subject(catalog, "profile")
    best = {name: int(np.nanargmax(columns[name])) for name in columns if name != names[1]}
    assert len({*best.values()}) == 3
    shown = chosen_rows(subject, np.arange(N), 5)
    assert shown[:3] == [
        Shown(best["n_phot_agn_500"], "most AGN photons inside R500c"),
        Shown(best["dynamical_state"], "most disturbed"),
        Shown(best["m500c_msun"], "most massive, most distant"),
    ]
    assert [one.why for one in shown[3:]] == ["of typical mass"] * 2
    assert len({one.row for one in shown}) == 5
    middle = np.median(columns["m500c_msun"])
    assert all(abs(columns["m500c_msun"][one.row] / middle - 1.0) < 0.3 for one in shown[3:])
    assert len(chosen_rows(subject, np.arange(N), 2)) == 2
    # Of a sample, what it holds.
    some = np.setdiff1d(np.arange(N), list(best.values()))[:3]
    assert {one.row for one in chosen_rows(subject, some, 9)} == set(some.tolist())


def test_panels_hold_one_cluster_each(subject):
    few = [Shown(7, "seventh"), Shown(2, "second")]
    first, second = panels(subject, few, "saliency")
    assert first.caption.startswith("seventh\n")
    images = subject.catalog.images(np.array([7, 2])).astype(float)
    assert np.array_equal(first.image, images[0])
    assert np.array_equal(second.image, images[1])
    assert first.attribution.shape == subject.shape
    assert first.r500c_pixels == pytest.approx(subject.catalog.column("r500c_kpc")[7] / 200.0)
