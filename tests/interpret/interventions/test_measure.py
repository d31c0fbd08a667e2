"""Changes of ln M by networks whose answer is known, beside those of proxies."""

import numpy as np
import pytest
import torch
from torch import nn

from icmass.bootstrap import halo_numbers
from icmass.catalog import Change
from icmass.errors import InputError
from icmass.estimate.heads import SCORES
from icmass.estimate.inputs import Inputs
from icmass.interpret.interventions import (
    AverageAzimuth,
    Background,
    DoubleOrigin,
    Effect,
    EncircledEnergy,
    Exposure,
    Intervention,
    PutAgn,
    RemoveCore,
    RemoveOrigin,
    RemoveOutskirts,
    RotateOutskirts,
    SwapGas,
    measure,
    measure_all,
    standard_interventions,
)
from icmass.interpret.interventions.geometry import within
from tests.helpers.masses import make_catalog
from tests.helpers.subjects import subject_of_judges

ALPHA = 1.3
PSF = EncircledEnergy((0.0, 10.0, 30.0, 90.0), (0.0, 0.4, 0.8, 1.0))
SHARES = (0.5, 0.3, 0.2)


class RateJudge(nn.Module):
    """ln M = ln(count rate) / alpha of all photons that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(ALPHA, dtype=torch.float64))

    def standardise(self, clusters):
        return clusters.counts.double().sum(dim=(1, 2, 3)).clamp(min=1.0), clusters.scalars

    def features(self, seen):
        counts, scalars = seen
        return ((counts.log() - scalars[:, 0].double()) / self.alpha)[:, None]

    def quantiles(self, features):
        return features + 0.1 * torch.tensor(SCORES, dtype=torch.float64)


def rate_subject(catalog, origins, **options):
    inputs = Inputs.resolve(["bands", "exposure_s"], catalog.spec, origins=origins)
    return subject_of_judges(catalog, [[RateJudge()], [RateJudge()]], inputs, **options)


@pytest.fixture(scope="module")
def even(tmp_path_factory):
    """Clusters of one exposure, so that whole gas is swapped."""
    path = tmp_path_factory.mktemp("even") / "catalog"
    return make_catalog(path, 60, columns={"exposure_s": np.full(60, 1600.0)})


def haloes(catalog, rows=slice(None)):
    return halo_numbers(*(catalog.column(n)[rows] for n in ("sample_id", "snapshot_id", "halo_id")))


CHANGES = [
    RemoveOrigin("agn"),
    DoubleOrigin("agn"),
    RemoveCore(0.4),
    RemoveOutskirts(1.0),
    RotateOutskirts(),
    Background(2.0),
    Exposure(0.5),
    AverageAzimuth(),
    PutAgn(0.5, PSF, SHARES),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: type(c).__name__)
def test_a_network_that_is_the_proxy_changes_as_the_proxy(clusters, change):
    subject = rate_subject(clusters, ("icm", "agn"))
    effect = measure(
        subject, Intervention("x", "X", change), slopes={"N_phot": ALPHA}, batch_size=17
    )
    assert effect.network == pytest.approx(effect.proxies["N_phot"], abs=1e-6)
    moved = not isinstance(change, RotateOutskirts | Background | AverageAzimuth)
    assert (np.abs(effect.network) > 1e-4).any() == moved
    summary = effect.summary(haloes(clusters), n_resamples=20)
    if moved and not isinstance(change, Exposure):  # the median rate stays
        assert summary.ratio["N_phot"].value == pytest.approx(1.0, abs=1e-4)
        assert summary.ratio["N_phot"].error == pytest.approx(0.0, abs=1e-4)
    else:
        assert np.isnan(summary.ratio["N_phot"].value)


def test_another_slope_tells_them_apart(clusters):
    subject = rate_subject(clusters, ("icm", "agn"))
    one = Intervention("x", "X", RemoveCore(0.4))
    effect = measure(subject, one, slopes={"N_phot": 2.0 * ALPHA})
    summary = effect.summary(haloes(clusters), n_resamples=20)
    assert summary.ratio["N_phot"].value == pytest.approx(2.0, abs=1e-4)


def test_proxies_are_counted_where_they_are_defined(clusters):
    subject = rate_subject(clusters, ("icm", "agn"))
    slopes = {"L_X": 1.5, "N_phot,500": 0.9, "N_phot": ALPHA}
    rows = np.array([40, 3, 17])
    was = clusters.images(rows, apart=True).sum(axis=2).astype(float)
    inside = within(clusters.rows()[rows], clusters.spec, r500c=1.0)
    gas, agn = was[:, 0], was[:, 1]

    def total(image):
        return image.sum(axis=(1, 2))

    effect = measure(subject, Intervention("x", "X", RemoveOrigin("agn")), rows, slopes)
    assert effect.rows.tolist() == rows.tolist()
    assert list(effect.proxies) == list(slopes)
    assert not effect.proxies["L_X"].any()
    expected = np.log(total(gas * inside) / total((gas + agn) * inside)) / 0.9
    assert effect.proxies["N_phot,500"] == pytest.approx(expected)
    assert effect.proxies["N_phot"] == pytest.approx(np.log(total(gas) / total(gas + agn)) / ALPHA)
    cut = measure(subject, Intervention("x", "X", RemoveOutskirts(1.0)), rows, slopes)
    assert not cut.proxies["L_X"].any()
    assert not cut.proxies["N_phot,500"].any()
    assert (cut.proxies["N_phot"] < 0.0).all()


def test_an_agn_as_bright_as_the_cluster_doubles_it(clusters):
    subject = rate_subject(clusters, ("icm", "agn"))
    one = Intervention("x", "X", PutAgn(0.3, PSF, SHARES))
    effect = measure(subject, one, slopes={"N_phot,500": 1.0})
    median = effect.summary(haloes(clusters)).proxies["N_phot,500"].median
    assert median.value == pytest.approx(np.log(2.0), abs=0.05)
    assert median.value > 3.0 * median.error > 0.0


@pytest.mark.parametrize(("origins", "slope"), [(("icm",), 1.0), (("agn",), 0.0)])
def test_swapped_gas_tells_what_gas_tells(even, origins, slope):
    subject = rate_subject(even, origins)
    swap = Intervention("s", "S", SwapGas.nearest(even, 0, subject.fold))
    effect = measure(subject, swap)
    summary = effect.summary(haloes(even), n_resamples=20)
    assert effect.partner.std() > 0.1
    assert summary.slope.value == pytest.approx(slope, abs=1e-6)
    some = np.array([50, 2, 31])  # partners need not be among the rows
    part = measure(subject, swap, some)
    assert part.network == pytest.approx(effect.network[some])
    assert part.partner == pytest.approx(effect.partner[some])
    other = measure(subject, Intervention("x", "X", AverageAzimuth()))
    assert np.isnan(other.summary(haloes(even), n_resamples=5).slope.value)


def test_gas_of_other_clusters_is_refused(even, clusters):
    subject = rate_subject(even, ("icm",))
    with pytest.raises(InputError, match=r"^s: must swap gas among the clusters of"):
        measure(subject, Intervention("s", "S", SwapGas.nearest(clusters)))


def test_summaries_are_medians_over_clusters_with_errors_over_haloes():
    rng = np.random.default_rng(5)
    halo = np.repeat(np.arange(200), 2)
    network = np.repeat(rng.normal(0.3, 0.1, 200), 2)  # both lines of sight alike
    effect = Effect("x", "X", np.arange(400), network, {"N_phot": 2.0 * network})
    summary = effect.summary(halo, n_resamples=400)
    assert summary.n == 400
    assert summary.network.median.value == np.median(network)
    assert (summary.network.low, summary.network.high) == pytest.approx(
        tuple(np.percentile(network, [16, 84]))
    )
    expected = 1.2533 * 0.1 / np.sqrt(200)  # of a median of 200 numbers, not of 400
    assert summary.network.median.error == pytest.approx(expected, rel=0.3)
    assert summary.ratio["N_phot"].value == pytest.approx(0.5)
    told = summary.to_dict()
    assert told["proxies"]["N_phot"]["median"]["value"] == pytest.approx(2 * np.median(network))
    assert told["slope"] == {"value": None, "error": None}


@pytest.mark.parametrize(
    ("slopes", "message"),
    [
        ({"N_photons": 1.0}, r"^proxy 'N_photons': is not measured here; did you mean 'N_phot'"),
        ({"L_X": 0.0}, r"^slope of L_X: must be a number other than 0; got 0.0"),
        ({"L_X": np.nan}, r"^slope of L_X: must be a number other than 0; got nan"),
    ],
)
def test_bad_slopes_are_refused(clusters, slopes, message):
    subject = rate_subject(clusters, ("icm", "agn"))
    with pytest.raises(InputError, match=message):
        measure(subject, Intervention("x", "X", Change()), slopes=slopes)


def test_all_that_can_be_tried_is_tried(clusters):
    subject = rate_subject(clusters, None)
    made, notes = standard_interventions(subject, PSF)
    assert not notes
    names = [one.name for one in made]
    assert len(set(names)) == len(names) >= 15
    seen = []
    slopes = {"N_phot": 1.0, "N_phot,500": 1.0, "L_X": 1.0}
    effects = list(measure_all(subject, made, slopes=slopes, report=seen.append))
    assert [effect.name for effect in effects] == names
    assert seen == [len(clusters)] * len(made)
    by_name = {effect.name: effect for effect in effects}
    assert not by_name["round"].network.any()
    assert (by_name["no-agn"].network <= 0.0).all()
    assert (by_name["double-background"].network > 0.0).all()
    for name in ("double-background", "no-background"):
        assert not any(change.any() for change in by_name[name].proxies.values())
    for effect in effects:
        assert np.isfinite(effect.network).all()
        assert all(np.isfinite(change).all() for change in effect.proxies.values())


def test_what_cannot_be_tried_is_told(clusters):
    _, notes = standard_interventions(rate_subject(clusters, ("icm", "background")), PSF)
    assert any(
        note.startswith("without AGN: left out; origins: the networks must") for note in notes
    )
    made, notes = standard_interventions(rate_subject(clusters, None))
    assert [note.split(":")[0] for note in notes] == [
        f"one AGN as bright as the cluster at {r} R500c" for r in ("0", "0.25", "0.5", "1")
    ]
    assert "psf: must be given" in notes[0]
    assert len(made) >= 11
    inputs = Inputs.resolve(["bands", "exposure_s", "n_phot"], clusters.spec)
    told = subject_of_judges(clusters, [[RateJudge()]], inputs)
    made, notes = standard_interventions(told, PSF)
    assert {one.name for one in made} == {"turned-outskirts", "round"}  # these leave n_phot
    assert all("must know n_phot of every cluster" in note for note in notes)
