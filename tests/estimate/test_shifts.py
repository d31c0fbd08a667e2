"""Changes of a catalog read what they say; an estimator on other data is told as what it is."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.inputs import Inputs
from icmass.estimate.prediction import predict
from icmass.estimate.reading import Reader
from icmass.estimate.runs import Run
from icmass.estimate.shifts import (
    SHIFTS,
    Shift,
    ShiftedReader,
    evaluate_shift,
    plan_shifts,
)
from icmass.estimate.training import train
from tests.helpers.masses import make_catalog, quick
from tests.helpers.stats import Z_MAX

WANTED = ("soft", "medium+hard", "redshift", "exposure_s")
NO_AGN, DOUBLE = SHIFTS[0], SHIFTS[1]
SHALLOW = Shift("shallow", "shallow", exposure_s=500.0)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("shifts") / "own", 400)


@pytest.fixture(scope="module")
def trained(catalog, tmp_path_factory) -> Run:
    place = tmp_path_factory.mktemp("run") / "run"
    return train(catalog.select(np.arange(160)), quick(epochs=4), place, workers=1)


@pytest.fixture(scope="module")
def own(trained, catalog):
    return evaluate_shift(trained, catalog.select(np.arange(160)), n_resamples=20)


def reader(catalog: Catalog, origins=None, wanted=WANTED) -> Reader:
    return Reader(catalog, Inputs.resolve(wanted, catalog.spec, origins=origins))


def counts(catalog: Catalog, shift: Shift, origins=None, seed=3) -> np.ndarray:
    shifted = ShiftedReader.of(reader(catalog, origins), shift, seed)
    return shifted.read(np.arange(len(catalog))).counts


# What is read


@pytest.mark.parametrize("origins", [None, ("agn", "icm")])
def test_without_agn_is_what_the_other_origins_hold(catalog, origins):
    rest = tuple(o for o in origins or catalog.spec.origins if o != "agn")
    expected = reader(catalog, rest).read(np.arange(len(catalog))).counts
    found = counts(catalog, NO_AGN, origins)
    assert np.array_equal(found, expected)
    assert found.sum() < reader(catalog, origins).read(np.arange(len(catalog))).counts.sum()


def test_double_background_adds_each_photon_of_it_once_more(catalog):
    plain = reader(catalog).read(np.arange(len(catalog))).counts
    once = reader(catalog, ("background",)).read(np.arange(len(catalog))).counts
    added = counts(catalog, DOUBLE) - plain
    assert np.array_equal(added.sum(axis=(2, 3)), once.sum(axis=(2, 3)))
    assert np.array_equal(added[:, :, 8:, 8:], once[:, :, :8, :8])


def test_double_background_is_another_draw_in_every_disc(catalog):
    """The pull of a disc has variance 1; turned about the centre it would be 2, 14 sigma off."""
    found = counts(catalog, DOUBLE, ("background",))
    once = reader(catalog, ("background",)).read(np.arange(len(catalog))).counts
    expected = catalog.expectations(None, None, ("background",)).sum(axis=1)
    disc = catalog.spec.geometry.radius() < 16 / 3 * catalog.spec.geometry.pixel
    mean = 2.0 * expected[:, disc].sum(axis=1)

    def variance(images: np.ndarray) -> float:
        return float(np.mean((images.sum(axis=1)[:, disc].sum(axis=1) - mean) ** 2 / mean))

    error = np.sqrt((2.0 + np.mean(1.0 / mean)) / len(catalog))
    assert abs(variance(found) - 1.0) < Z_MAX * error
    assert variance(once + once[:, :, ::-1, ::-1]) - 1.0 > Z_MAX * error


def test_less_exposure_keeps_its_part_of_the_photons_and_says_so(catalog):
    """All photons together show a kept part that is wrong by 3%."""
    plain = reader(catalog).read(np.arange(len(catalog)))
    shifted = ShiftedReader.of(reader(catalog), SHALLOW, 3).read(np.arange(len(catalog)))
    kept = 500.0 / catalog.column("exposure_s")
    before = plain.counts.sum(axis=(1, 2, 3), dtype=float)
    error = np.sqrt(np.sum(before * kept * (1.0 - kept)))
    pull = (shifted.counts.sum() - np.sum(before * kept)) / error
    assert abs(pull) < Z_MAX
    assert 0.03 * np.sum(before * kept) > 2 * Z_MAX * error
    assert (shifted.counts <= plain.counts).all()
    assert np.allclose(shifted.scalars[:, 1], np.log(500.0), rtol=0, atol=1e-5)
    assert np.array_equal(shifted.scalars[:, 0], plain.scalars[:, 0])


def test_what_is_read_depends_on_the_row_and_the_seed_alone(catalog):
    everything = replace(DOUBLE, without_agn=True, exposure_s=500.0)
    shifted = ShiftedReader.of(reader(catalog), everything, 3)
    whole = shifted.read(np.arange(40))
    rows = np.array([31, 2, 17])
    for part, of_whole in zip(shifted.read(rows), whole, strict=True):
        assert np.array_equal(part, of_whole[rows])
    other = ShiftedReader.of(reader(catalog), everything, 4).read(np.arange(40))
    assert not np.array_equal(other.counts, whole.counts)


# What cannot be made


def test_the_plan_says_what_is_left_out(trained, catalog):
    steps, notes = plan_shifts(trained, {"own": catalog, "other": catalog})
    names = [step.name for step in steps]
    assert names == ["own", "own, without AGN", "own, double background", "own, eRASS1 depth "
                     "(300 s)", "other"]  # fmt: skip
    assert [note.split(":")[0] for note in notes] == ["eFEDS depth (2,400 s)", "eRASS"]
    assert "longer exposed than 2400 s; got 80" in notes[0]
    assert len(plan_shifts(trained, {"own": catalog}, ())[0]) == 1


@pytest.mark.parametrize(
    ("shift", "origins", "wanted", "message"),
    [
        (NO_AGN, ("icm",), WANTED, "the run does not look at agn"),
        (NO_AGN, ("agn",), WANTED, "the run looks at nothing else"),
        (DOUBLE, ("icm", "agn"), WANTED, "the run does not look at background"),
        (SHALLOW, None, ("all", "n_phot_soft"), "the run is told n_phot_soft"),
        (replace(SHALLOW, exposure_s=3e4), None, WANTED, "longer exposed than 30000 s"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(catalog, shift, origins, wanted, message):
    with pytest.raises(InputError, match=f"can be made of it; got: .*{message}"):
        ShiftedReader.of(reader(catalog, origins, wanted), shift, 0)


def test_origins_that_are_not_kept_apart(tmp_path):
    from tests.helpers.masses import mass_spec

    together = make_catalog(tmp_path / "c", 4, spec=mass_spec(origins=("all", "sky", "more")))
    inputs = Inputs.resolve(WANTED, together.spec)
    assert NO_AGN.obstacle(inputs, together) == "the catalog does not keep agn apart"
    assert DOUBLE.obstacle(inputs, together) == "the catalog does not keep background apart"


def test_bad_catalogs(trained, catalog, tmp_path):
    with pytest.raises(InputError, match="catalogs: must be at least one, the reference; got none"):
        plan_shifts(trained, {})
    with pytest.raises(InputError, match="must hold clusters; got none"):
        evaluate_shift(trained, catalog.select(np.empty(0, int)))
    from icmass.catalog import ImageGeometry
    from tests.helpers.masses import mass_spec

    fine = mass_spec(geometry=ImageGeometry(n_y=16, n_x=16, pixel=150.0))
    other = make_catalog(tmp_path / "fine", 4, spec=fine)
    with pytest.raises(InputError, match="must have images of 16 x 16 pixels of 200 kpc"):
        evaluate_shift(trained, other)


# What is told


def test_own_clusters_are_the_reference(own):
    assert own.judged_by == "own clusters, out of fold"
    assert (own.reference, own.own, own.n, own.n_known) == (True, True, 160, 160)
    assert own.strangeness_ratio == 1.0
    assert own.strange_part == pytest.approx(0.05)
    assert np.isnan(own.disagreement)  # one network alone
    assert 0.0 < own.error["bias"] < own.value["slope_scatter"] < 1.5
    row = own.figure_row()
    assert (row.bias, row.scatter, row.reference) == (
        own.value["bias"],
        own.value["slope_scatter"],
        True,
    )


def test_new_clusters_of_the_same_kind_are_not_strange(trained, own, tmp_path):
    """The negative control of what follows: 5% are expected, and 16% are 6 sigma of 160."""
    new = make_catalog(tmp_path / "new", 160, seed=9, sample=9)
    found = evaluate_shift(trained, new, reference=own, n_resamples=20)
    assert (found.judged_by, found.own, found.reference) == ("all folds", False, False)
    assert found.strange_part < 0.16
    assert found.strangeness_ratio == pytest.approx(1.0, abs=0.25)
    assert found.disagreement > 0.0


def test_bright_aliens_are_strange(trained, own, tmp_path):
    alien = make_catalog(tmp_path / "alien", 60, seed=9, sample=9, brighter=30.0)
    found = evaluate_shift(trained, alien, reference=own, n_resamples=20)
    assert found.strange_part > 0.9
    assert found.strangeness_ratio > 2.0
    assert found.value["bias"] > 0.5


@dataclass(frozen=True)
class RingReader(Reader):
    """Clusters with a bright ring."""

    def _images(self, rows):
        radius = self.catalog.spec.geometry.radius()
        ring = (radius > 900.0) & (radius < 1300.0)
        return super()._images(rows) + 40 * ring.astype(np.uint32)


def test_most_rings_are_strange(trained, own, catalog):
    rows = catalog.select(np.arange(160))
    # 5% by chance: half of 160 is 26 sigma.
    said = predict(trained, rows, change=lambda r: RingReader(r.catalog, r.inputs))
    assert np.mean(said.strangeness > own.strangeness_95) > 0.5


def test_changes_of_the_own_catalog_stay_out_of_fold(trained, own, catalog):
    rows = catalog.select(np.arange(160))
    seen: list[int] = []
    found = evaluate_shift(
        trained, rows, SHALLOW, reference=own, n_resamples=20, report=seen.append
    )
    assert (found.name, found.n_out_of_fold, sum(seen)) == ("shallow", 160, 160)
    again = evaluate_shift(trained, rows, SHALLOW, reference=own, n_resamples=20)
    assert again.value == found.value
    assert found.value != own.value
    mixed = evaluate_shift(trained, catalog.select(np.arange(158, 170)), n_resamples=20)
    assert mixed.judged_by == "all folds; 2 out of fold"


def test_masses_need_not_be_known(trained, catalog, tmp_path):
    columns = {"m500c_msun": np.r_[np.full(30, np.nan), catalog.column("m500c_msun")[:10]]}
    dark = make_catalog(tmp_path / "dark", 40, sample=9, columns=columns)
    found = evaluate_shift(trained, dark)
    assert (found.n, found.n_known) == (40, 10)
    assert np.isnan(list(found.value.values())).all()
    assert found.figure_row() is None
    assert np.isfinite([found.strangeness, found.disagreement]).all()
