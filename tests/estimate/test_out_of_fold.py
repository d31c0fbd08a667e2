"""What a run says of its own clusters is worked out once, and of these clusters only."""

import numpy as np
import pytest

from icmass.catalog import predictions as files
from icmass.catalog.shard_data import row_keys
from icmass.errors import InputError, OutputError
from icmass.estimate import out_of_fold
from icmass.estimate.metrics import SCORES
from icmass.estimate.out_of_fold import judge_own, own_scores, require_free, scores_of
from icmass.estimate.prediction import predict
from icmass.estimate.runs import OUT_OF_FOLD, Run
from tests.helpers.masses import make_catalog, mass_spec


@pytest.fixture
def run(copied_run) -> Run:
    return Run.open(copied_run)


def test_scores_are_of_predictions_by_others(run, mass_catalog) -> None:
    scores = own_scores(run, mass_catalog)
    said = predict(run, mass_catalog)
    mean, std = said.predictive.mean_std()
    assert scores.dtype == SCORES
    assert np.array_equal(scores["ln_mass"], np.log(mass_catalog.column("m500c_msun")))
    # The mean of 13 quantiles instead of all that the run states.
    assert scores["mean"] == pytest.approx(mean, abs=0.02 * std.min())
    kept = files.read(run.path, OUT_OF_FOLD, row_keys(mass_catalog.rows()))
    assert np.array_equal(kept.mean, mean)
    assert np.array_equal(kept.std, std)
    assert np.array_equal(kept.extra["fold"], run.folds_of(mass_catalog))
    assert set(kept.extra["fold"].tolist()) == {0, 1}
    assert kept.extra.keys() == {"fold", "strangeness", "disagreement", "ln_mass"}
    metrics = judge_own(run, mass_catalog)
    error = scores["mean"] - scores["ln_mass"]
    assert metrics["bias"] == pytest.approx(error.mean())
    assert metrics["error_std"] == pytest.approx(error.std(ddof=1))


def test_predictions_are_made_once(run, mass_catalog, monkeypatch) -> None:
    first = own_scores(run, mass_catalog)
    (written,) = (run.path / files.PREDICTIONS).iterdir()
    before = written.read_bytes(), written.stat().st_mtime_ns

    def refuse(*_) -> None:
        raise AssertionError("predicted again")

    monkeypatch.setattr(out_of_fold, "predict", refuse)
    again = own_scores(run, mass_catalog)
    assert again.tobytes() == first.tobytes()
    assert (written.read_bytes(), written.stat().st_mtime_ns) == before
    written.unlink()
    with pytest.raises(AssertionError, match="predicted again"):  # negative control
        own_scores(run, mass_catalog)


def test_another_catalog_is_refused(tmp_path, run, mass_catalog) -> None:
    other = make_catalog(tmp_path / "other", 120, spec=mass_spec(), seed=2)
    for catalog in (other, mass_catalog.select(np.arange(119))):
        found = f"of fingerprint {run.fingerprint[:16]}; expected this one, "
        with pytest.raises(InputError, match=found + catalog.fingerprint()[:16]) as error:
            own_scores(run, catalog)
        assert "\n" not in str(error.value)
    assert not (run.path / files.PREDICTIONS).exists()


def test_damaged_predictions(run, mass_catalog) -> None:
    own_scores(run, mass_catalog)
    path = run.path / files.PREDICTIONS / f"{OUT_OF_FOLD}.h5"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=f"{OUT_OF_FOLD}.h5: is damaged"):
        own_scores(run, mass_catalog)


def test_a_run_that_is_not_complete(run, mass_catalog) -> None:
    (run.path / "fold-1" / "fold.json").unlink()
    with pytest.raises(InputError, match="must have all 2 folds trained; fold 1 is not"):
        own_scores(run, mass_catalog)
    assert not (run.path / files.PREDICTIONS).exists()


def test_scores_do_not_depend_on_the_catalog(run, mass_catalog) -> None:
    said = predict(run, mass_catalog).predictive
    mass = mass_catalog.column("m500c_msun")
    right, wrong = scores_of(said, mass), scores_of(said, np.roll(mass, 2))
    assert right["crps"].mean() < wrong["crps"].mean()


def test_names_that_are_taken(tmp_path) -> None:
    catalog = make_catalog(tmp_path / "catalog", 4, spec=mass_spec(galaxies=False))
    require_free(catalog, "run", overwrite=False)
    catalog.write_predictions("run", np.zeros(4), np.ones(4))
    with pytest.raises(OutputError, match=r"catalog: has predictions 'run' already\. Choose an"):
        require_free(catalog, "run", overwrite=False)
    require_free(catalog, "run", overwrite=True)
    require_free(catalog, "run2", overwrite=False)
