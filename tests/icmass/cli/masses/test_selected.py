"""`icmass train --where`: estimators of selected samples, and what they say of other clusters."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from icmass.catalog import Catalog
from icmass.estimate.runs import WEIGHTS, Run
from icmass.estimate.training import train
from tests.estimate.training.test_train import outcome
from tests.helpers.masses import QUICK, make_catalog, mass_spec, quick
from tests.helpers.trees import files

N = 120  # clusters of the catalog "own"


# Of 15 haloes the first is not detected, the second from one side only.
DETECTED = (np.arange(N) // 2 % 15 != 0) & (np.arange(N) % 30 != 3)


@pytest.fixture(scope="module")
def survey(tmp_path_factory) -> Path:
    """A folder with a catalog of which some are detected, and a run on these; read only."""
    folder = tmp_path_factory.mktemp("survey")
    spec = mass_spec(optional_columns=("box_x_mpc", "box_y_mpc", "box_z_mpc", "detected"))
    catalog = make_catalog(folder / "own", N, spec=spec, columns={"detected": DETECTED})
    train(catalog, quick(epochs=2, where="detected"), folder / "run", workers=1)
    return folder


def test_a_selected_sample_is_trained_on(run, place, survey, tmp_path):
    options = ("-c", place / "quick.yaml", "-o", tmp_path / "run", "--workers", 1)
    command = ("train", survey / "own", *options, "--where", "detected")
    status, out, err = run(*command)
    n = int(DETECTED.sum())
    assert (status, err) == (0, "")
    assert f"head point; 2 folds of {n} clusters where detected\n" in out
    assert outcome(tmp_path / "run") == outcome(survey / "run")
    found = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert found["where"] == ["detected"]
    own = Run.open(tmp_path / "run")
    chosen = Catalog.open(survey / "own").select(DETECTED)
    assert (own.n_clusters, own.fingerprint) == (n, chosen.fingerprint())
    values = json.loads(run(*command, "--json")[1])  # trains nothing
    assert (values["clusters"], values["where"]) == (n, ["detected"])
    # The networks are those of a catalog that holds nothing else.
    alone = train(chosen, quick(epochs=2), tmp_path / "alone", workers=1)
    for fold in range(2):
        weights = [r.member_directory(fold, 0) / WEIGHTS for r in (own, alone)]
        assert weights[0].read_bytes() == weights[1].read_bytes()


def test_another_selection_is_another_run(one_line, place, survey, tmp_path):
    copied = Path(shutil.copytree(survey / "run", tmp_path / "copied"))
    before = files(copied)
    command = ("train", survey / "own", "-c", place / "quick.yaml", "-o", copied, "--workers", 1)
    match = r"is a run with another config where: expected \[\], found \['detected'\]. Give another"
    one_line(*command, match=match)
    more = ("--where", "detected", "--where", "redshift<9")
    match = r"another config where: expected \['detected', 'redshift<9'\], found \['detected'\]"
    one_line(*command, *more, match=match)
    assert files(copied) == before


def test_predictions_beyond_the_selection(run, survey, tmp_path):
    """Haloes of which no row was selected are judged by all folds, as those of other catalogs."""
    free = shutil.copytree(survey / "own", tmp_path / "free")
    status, out, err = run("predict", survey / "run", free, "--json")
    assert (status, err) == (0, "")
    catalog = Catalog.open(free)
    halo = catalog.column("halo_id")
    trained_on = np.isin(halo, halo[DETECTED])
    assert DETECTED.sum() < trained_on.sum() < N  # some haloes were selected from one side only
    values = json.loads(out)
    assert (values["clusters"], values["out_of_fold"]) == (N, int(trained_on.sum()))
    fold = catalog.predictions("run").extra["fold"]
    assert ((fold >= 0) == trained_on).all()
    assert len({*zip(halo[trained_on], fold[trained_on], strict=True)}) == len({*halo[trained_on]})
    # The mean over the folds: what it says of the same clusters as those of another catalog.
    other = make_catalog(tmp_path / "other", N, sample=9)
    assert run("predict", survey / "run", other.path)[0] == 0
    means = [one.predictions("run").mean for one in (catalog, other)]
    assert np.array_equal(means[0][~trained_on], means[1][~trained_on])
    assert (means[0][trained_on] != means[1][trained_on]).all()


@pytest.mark.parametrize(
    ("conditions", "match"),
    [
        (["detectd"], "where 'detectd': column 'detectd' is not in the schema; did you mean"),
        (
            ["detected", "redshift = 1"],
            "where: must be COLUMN, 'not COLUMN', .*; got 'redshift = 1'",
        ),
        (["extent_likelihood > 6"], "own must have the column extent_likelihood; it does not"),
        (
            ["redshift > 3"],
            "where: must leave at least one row; of 120 in .*own 'redshift > 3' hol",
        ),
        (
            ["not detected"],
            "validation: must hold at least 20 clusters for recalibration; got .*of",
        ),
    ],
)
def test_samples_that_cannot_be_trained_on(one_line, place, survey, tmp_path, conditions, match):
    options = ("-c", place / "quick.yaml", "-o", tmp_path / "run", "--workers", 1)
    asked = [word for text in conditions for word in ("--where", text)]
    one_line("train", survey / "own", *options, *asked, match=match)
    (tmp_path / "job.yaml").write_text(yaml.safe_dump({**QUICK, "where": conditions}))
    options = ("-c", tmp_path / "job.yaml", "-o", tmp_path / "run", "--workers", 1)
    one_line("train", survey / "own", *options, match=match)
    assert not (tmp_path / "run").exists()


def test_clusters_of_unknown_mass_can_be_left_out(one_line, run, place, tmp_path):
    mass = make_catalog(tmp_path / "known", N).column("m500c_msun")
    mass[[3, 50]] = np.nan
    catalog = make_catalog(tmp_path / "own", N, columns={"m500c_msun": mass})
    command = ("train", catalog.path, "-c", place / "quick.yaml", "-o", tmp_path / "run")
    match = r"2 of 120 are not known\. Select those that are, by where: m500c_msun > 0\."
    one_line(*command, "--workers", 1, match=match)
    asked = ("--where", "m500c_msun > 0", "--epochs", 1, "--json")
    status, out, _ = run(*command, "--workers", 1, *asked)
    assert (status, json.loads(out)["clusters"]) == (0, N - 2)
