"""`icmass train`, `predict` and `benchmark`: what they make, print and refuse."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from icmass.catalog import Band, Catalog, ImageGeometry
from icmass.estimate.benchmark import SUITES, Suite
from icmass.estimate.benchmark.suites import TrainedRow
from icmass.estimate.runs import WEIGHTS, Run
from icmass.estimate.training import fit, train
from tests.estimate.training.test_train import outcome
from tests.helpers.masses import QUICK, make_catalog, mass_spec, quick

N = 120


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with catalogs, a configuration and a run of it; read only."""
    folder = tmp_path_factory.mktemp("train")
    catalog = make_catalog(folder / "own", N)
    make_catalog(folder / "other", 50, seed=5, sample=5)
    bands = (Band("soft", 0.5, 1.2), Band("medium", 1.2, 2.4))
    bare = {"galaxies": False, "expectations": None, "optional_columns": ()}
    make_catalog(folder / "bands", 4, spec=mass_spec(bands=bands, **bare))
    make_catalog(folder / "pixels", 4, spec=mass_spec(geometry=ImageGeometry(16, 16, 100.0)))
    make_catalog(folder / "few", 6, spec=mass_spec(**bare))
    (folder / "thesis").mkdir()
    (folder / "thesis" / "chapter.tex").write_text("ten years")
    (folder / "quick.yaml").write_text(yaml.safe_dump({**QUICK, "epochs": 2}))
    train(catalog, quick(epochs=2), folder / "run", workers=1)
    return folder


@pytest.fixture
def copied(tmp_path, place) -> Path:
    """A copy of the run that a test may damage."""
    return Path(shutil.copytree(place / "run", tmp_path / "copied"))


@pytest.fixture
def free(tmp_path, place) -> Path:
    """A copy of the catalog that a test may write into."""
    return Path(shutil.copytree(place / "own", tmp_path / "free"))


@pytest.fixture
def command(place, tmp_path) -> list[object]:
    """Train with the quick configuration."""
    options = ["-c", place / "quick.yaml", "-o", tmp_path / "run", "--workers", 1]
    return ["train", place / "own", *options]


@pytest.fixture
def one_line(run):
    """Assert that a command is refused in one line."""

    def one_line(*arguments: object, match: str) -> None:
        status, out, err = run(*arguments)
        assert (status, out) == (2, ""), err
        assert err.count("\n") == 1, err
        assert re.search(match, err), err
        assert len(err) < 900

    return one_line


def files(place: Path) -> dict[str, bytes]:
    return {
        p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()
    }


# icmass train


def test_a_run_is_trained_and_left_alone(run, command, place, tmp_path, monkeypatch):
    status, out, err = run(*command)
    assert (status, err) == (0, "")
    assert f"{tmp_path / 'run'}: profile on soft, medium, hard; head point; 2 folds of 120" in out
    assert re.search(r"^scatter .residual of ln M_pred over its slope. +0\.\d{4}$", out, re.M)
    assert "each cluster judged by the fold that did not train on it" in out
    assert outcome(tmp_path / "run") == outcome(place / "run")
    before = files(tmp_path / "run")

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(fit, "fit_fold", refuse)
    assert run(*command) == (0, out, "")
    assert files(tmp_path / "run") == before
    status, out, _ = run(*command, "--json")
    values = json.loads(out)
    assert status == 0
    assert values["channels"] == ["soft", "medium", "hard"]
    assert values["scalars"] == ["redshift", "exposure_s"]
    assert (values["clusters"], values["folds"], values["head"]) == (N, 2, "point")
    assert {"slope_scatter", "error_std", "bias", "coverage_68", "crps"} < set(values["metrics"])
    # The configuration that a run holds makes the same run.
    again = ["train", place / "own", "-c", tmp_path / "run" / "config.yaml"]
    assert run(*again, "-o", tmp_path / "run", "--workers", 1)[0] == 0


def test_what_is_missing_is_trained(run, command, place, tmp_path):
    shutil.copytree(place / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "fold-1")
    kept = tmp_path / "run" / "fold-0" / "member-0" / WEIGHTS
    before = kept.stat().st_mtime_ns
    assert run(*command)[0] == 0
    assert kept.stat().st_mtime_ns == before
    assert outcome(tmp_path / "run") == outcome(place / "run")


def test_options_win_over_the_file(run, command, tmp_path):
    options = ("--epochs", 1, "--inputs", "soft+medium,redshift", "--head", "gaussian")
    status, out, _ = run(*command, *options, "--seed", 4, "--members", 2, "--json")
    values = json.loads(out)
    assert (status, values["head"]) == (0, "gaussian")
    assert values["channels"] == ["soft+medium"]
    assert values["scalars"] == ["redshift"]
    found = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (found["epochs"], found["seed"], found["members"], found["folds"]) == (1, 4, 2, 2)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--network", "reset"), "network 'reset': is not known; did you mean 'resnet'"),
        (("--head", "flo"), "head 'flo': is not known; did you mean 'flow'"),
        (("--inputs", "sft,redshift"), "inputs: 'sft' is not known; did you mean 'soft'"),
        (("--inputs", "all,m500c_msun"), "inputs: 'm500c_msun' is truth, not a number that an"),
        (("--inputs", "all,n_phot_500"), "'n_phot_500' is measured with the true R500c"),
        (("--inputs", "all,n_gal"), "inputs: 'n_gal' is not in this catalog"),
        (("--inputs", "all,galaxies"), "network 'profile' does not look at galaxies; leave"),
        (("--origins", "icm,agnn"), "'agnn': is not in the catalog; did you mean 'agn'"),
        (("--pixels", 5), "pixels: must divide the 16 x 16 pixels of the catalog; got 5"),
        (("--folds", 61), "folds: must be from 2 to the 60 halos; got 61"),
        (("--folds", 1), "^--folds: must be greater than or equal to 2; got 1"),
        (("--epochs", -3), "^--epochs: must be greater than or equal to 1; got -3"),
        (("--epochs", "many"), "'--epochs'"),
        (("--members", 0), "^--members: must be greater than or equal to 1; got 0"),
        (("--seed", -1), "^--seed: must be greater than or equal to 0; got -1"),
        (("--validation", 1.5), "^--validation: must be less than 1; got 1.5"),
        (("--validation", 0.1), "validation: must hold at least 20 clusters for recalibration"),
        (("--epochs", 0, "--seed", -2), r"^--seed: .*; got -2.* \| --epochs: .*; got 0"),
    ],
)
def test_wrong_options(one_line, command, tmp_path, options, match):
    one_line(*command, *options, match=match)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("epoch: 3\n", r"job\.yaml: epoch: unknown key; did you mean 'epochs'"),
        ("epochs: few\n", r"job\.yaml: epochs: must be a valid integer; got 'few'"),
        ("recalibration: some\n", r"job\.yaml: recalibration: must be 'temperature', 'conformal'"),
        ("schedule: one-cycle\npatience: 3\n", "patience: cannot go with the schedule one-cycle"),
        ("redraw: true\nequal_weight: true\n", "redraw: cannot go with equal_weight"),
        (
            "where: 3\n",
            r"job\.yaml: where: must be a valid list; got 3\. Conditions on columns, such",
        ),
        ("where: [3]\n", r"job\.yaml: where: must be a valid string; got 3"),
        ("exposure_range_s: [5, 2]\n", r"exposure_range_s: must be a range LO,HI with 0 < LO"),
        (None, r"job\.yaml: cannot be read: No such file"),
    ],
)
def test_wrong_configurations(one_line, place, tmp_path, text, match):
    if text is not None:
        (tmp_path / "job.yaml").write_text(text)
    one_line(
        "train", place / "own", "-c", tmp_path / "job.yaml", "-o", tmp_path / "run", match=match
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("catalog", "options", "match"),
    [
        ("nowhere", (), "nowhere"),
        ("thesis", (), "thesis"),
        ("quick.yaml", (), r"quick\.yaml"),
        ("run", (), "run"),
        ("bands", ("--inputs", "hard,redshift"), "inputs: 'hard' is not known; "),
        ("bands", ("--network", "paper-multimodal", "--inputs", "bands,galaxies"), "have galaxies"),
        ("few", ("--folds", 8), "folds: must be from 2 to the 3 halos; got 8"),
        ("few", (), "validation: must hold at least 20 clusters for recalibration"),
    ],
)
def test_catalogs_that_cannot_be_trained_on(one_line, place, tmp_path, catalog, options, match):
    target = ("-c", place / "quick.yaml", "-o", tmp_path / "run", "--workers", 1)
    one_line("train", place / catalog, *target, *options, match=match)
    assert not (tmp_path / "run").exists()


def test_runs_of_something_else(one_line, place, copied, tmp_path):
    before = files(copied)
    command = ("train", place / "own", "-c", place / "quick.yaml", "--workers", 1)
    one_line(
        *command, "-o", copied, "--epochs", 9, match="another config epochs: expected 9, found 2"
    )
    one_line(
        "train",
        place / "other",
        *command[2:],
        *("-o", copied, "--validation", 0.9),
        match="copied: is a run with another catalog fingerprint: expected ",
    )
    assert files(copied) == before
    one_line(*command, "-o", place / "thesis", match="new, empty or a run; it holds other files")
    one_line(*command, "-o", place / "quick.yaml", match="must be a directory; it is a file")
    one_line(*command, "-o", tmp_path / "a" / "b", match="its folder does not exist; create it")
    assert files(place / "thesis") == {"chapter.tex": b"ten years"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("accelerator", ["gpu", "cuda", "abacus"])
def test_a_device_that_is_not_there(one_line, run, command, tmp_path, accelerator):
    match = f"accelerator '{accelerator}', .*cannot be had here.* Give accelerator: cpu, or what"
    one_line(*command, "--accelerator", accelerator, match=match)
    assert not list((tmp_path / "run").rglob(WEIGHTS))
    assert run(*command, "--epochs", 2)[0] == 0  # the same place serves for the CPU


def test_no_workers(one_line, command, tmp_path):
    one_line(*command[:-1], 0, match="workers: must be at least 1; got 0")
    one_line(*command[:-2], "--scheduler", "nonsense", match="scheduler: must be the address")
    assert not list((tmp_path / "run").rglob(WEIGHTS))


# Selected samples

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


# icmass predict


def test_predictions_of_own_clusters(run, place, free):
    status, out, err = run("predict", place / "run", free)
    assert (status, err) == (0, "")
    written = free / "predictions" / "run.h5"
    assert f"{written}: 120 clusters, 120 by the fold that did not train on them, 0 by all" in out
    assert "median uncertainty 0." in out
    found = Catalog.open(free).predictions("run")
    assert set(found.extra["fold"].tolist()) == {0, 1}
    assert np.isfinite(found.mean).all()
    assert list(found.quantiles) == sorted(found.quantiles)
    Catalog.open(free).validate()


def test_predictions_of_other_clusters(run, place, tmp_path):
    other = shutil.copytree(place / "other", tmp_path / "other")
    options = ("--name", "mine", "--json")
    status, out, _ = run("predict", place / "run", other, *options)
    values = json.loads(out)
    assert status == 0
    assert (values["clusters"], values["out_of_fold"], values["by_all_folds"]) == (50, 0, 50)
    assert values["predictions"] == str(other / "predictions" / "mine.h5")
    assert 0.0 < values["median_std"] < 3.0
    assert values["median_strangeness"] > 0.0
    found = Catalog.open(other).predictions("mine")
    assert (found.extra["fold"] == -1).all()
    assert (found.extra["disagreement"] > 0).all()
    before = (other / "predictions" / "mine.h5").read_bytes()
    status, out, err = run("predict", place / "run", other, *options)
    assert (status, out) == (2, "")
    assert "has predictions 'mine' already. Choose another name, or give --overwrite." in err
    assert run("predict", place / "run", other, *options, "--overwrite")[0] == 0
    assert (other / "predictions" / "mine.h5").read_bytes() == before
    assert Catalog.open(other).prediction_names() == ["mine"]


def test_no_clusters(run, place, tmp_path):
    Catalog.create(tmp_path / "empty", mass_spec())
    status, out, _ = run("predict", place / "run", tmp_path / "empty", "--json")
    assert status == 0
    assert json.loads(out)["median_std"] is None


def test_a_name_that_is_taken_is_refused_before_the_work(one_line, place, free, monkeypatch):
    Catalog.open(free).write_predictions("run", np.zeros(N), np.ones(N))
    before = files(free)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("predicted")

    monkeypatch.setattr("icmass.estimate.prediction.predict", refuse)
    one_line("predict", place / "run", free, match="has predictions 'run' already")
    assert files(free) == before


@pytest.mark.parametrize(
    ("what", "catalog", "match"),
    [
        ("nowhere", "other", r"nowhere: must hold run\.json; it does not\. Give a directory"),
        ("thesis", "other", r"thesis: must hold run\.json; it does not"),
        ("own", "other", r"own: must hold run\.json; it does not"),
        ("run", "nowhere", "nowhere"),
        ("run", "run", "run"),
        ("run", "bands", r"must have the band medium 1\.2-2 keV of the estimator; got soft 0\.5"),
        ("run", "pixels", "must have images of 16 x 16 pixels of 200 kpc"),
    ],
)
def test_what_cannot_predict(one_line, place, what, catalog, match):
    one_line("predict", place / what, place / catalog, match=match)
    assert not (place / catalog / "predictions").exists() or catalog == "run"


def test_a_wrong_name(one_line, place, free):
    match = "predictions: must be named by letters, digits, . _ -; got '../run'"
    one_line("predict", place / "run", free, "--name", "../run", match=match)
    assert Catalog.open(free).prediction_names() == []


def test_damaged_runs(one_line, place, copied, free):
    def refused(match: str) -> None:
        one_line("predict", copied, free, match=match)
        assert Catalog.open(free).prediction_names() == []

    weights = copied / "fold-1" / "member-0" / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-64])
    refused(rf"{WEIGHTS}: must have the SHA-256 \w+; got \w+\. Remove .*fold\.json and train")
    weights.write_bytes((copied / "fold-0" / "member-0" / WEIGHTS).read_bytes())
    refused(rf"fold-1/member-0/{WEIGHTS}: must have the SHA-256")
    weights.unlink()
    refused(rf"{WEIGHTS}: must have the SHA-256 \w+; got no file")
    weights.write_bytes(whole)
    note = copied / "fold-1" / "fold.json"
    note.unlink()
    refused("must have all 2 folds trained; fold 1 is not. Give the same icmass train again")


def test_runs_of_other_versions(one_line, place, copied, free):
    path = copied / "run.json"
    values = json.loads(path.read_text())
    for changed, match in (
        ({**values, "version": 99}, r"run\.json: version must be 1; got 99, written by icmass"),
        ({**values, "format": "other"}, r"run\.json: format must be 'icmass run'; got 'other'"),
        ({**values, "inputs": {}}, r"run\.json: must describe a run; it is damaged"),
        ({**values, "config": {"epoch": 1}}, r"run\.json: epoch: unknown key; did you mean"),
        ([1], r"run\.json: must hold keys and values; got list"),
    ):
        path.write_text(json.dumps(changed))
        one_line("predict", copied, free, match=match)
        one_line(*("train", place / "own", "-c", place / "quick.yaml", "-o", copied), match=match)
    path.write_text(json.dumps(values)[:-40])
    one_line("predict", copied, free, match=r"run\.json: must be JSON; it is damaged")
    assert Catalog.open(free).prediction_names() == []


# icmass benchmark


@pytest.fixture
def tiny(monkeypatch) -> str:
    """Add a suite of seconds; returns its name."""
    row = TrainedRow("profile", "profile, one band", {"network": "profile", "inputs": ["all"]})
    common = {"validation": 0.4, "epochs": 1, "schedule": "constant"}
    suite = Suite("tiny", "tiny: for tests", 2, None, 3, common, rows=(row,))
    monkeypatch.setitem(SUITES, "tiny", suite)
    monkeypatch.setattr("icmass.estimate.benchmark.output._write_figures", lambda *_: None)
    monkeypatch.setattr("icmass.estimate.regression._PENALTIES", (1.0, 100.0))
    return "tiny"


def test_the_table_is_printed(run, place, tmp_path, tiny):
    options = ("--suite", tiny, "-o", tmp_path / "out", "--workers", 1)
    status, out, err = run("benchmark", place / "own", *options)
    assert status == 0
    assert "profile, one band" in out
    assert "tiny: for tests" in out
    assert f"tables and figures: {tmp_path / 'out'}" in out
    lines = err.splitlines()  # how far it is
    assert [line.split(":")[0] for line in lines][-1] == "profile, one band"
    assert all(re.search(r": scatter \d+\.\d{3} \+- \d\.\d{3} in ln M$", line) for line in lines)
    before = {p: p.read_bytes() for p in (tmp_path / "out").glob("table.*")}
    status, out, _ = run("benchmark", place / "own", *options, "--json")
    assert status == 0
    assert json.loads(out) == json.loads((tmp_path / "out" / "table.json").read_text())
    assert {p: p.read_bytes() for p in before} == before
    status, out, err = run("benchmark", place / "own", *options, "--seed", 1)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "expected seed 1, found 0. Choose another directory" in err


@pytest.mark.parametrize(
    ("catalog", "options", "match"),
    [
        ("own", ("--suite", "quik"), "suite 'quik': is not known; did you mean 'quick'"),
        ("own", ("--suite", "quick"), "pixels: must divide the 16 x 16 pixels of the catalog"),
        ("own", ("--seed", -1), "'--seed'"),
        ("own", ("--workers", 0), "workers: must be at least 1; got 0"),
        ("own", ("--workers", 1, "--scheduler", "tcp://a:1"), "workers: belongs to the scheduler"),
        ("few", (), "validation: must hold at least 20 clusters for recalibration"),
        ("nowhere", (), "nowhere"),
        ("thesis", (), "thesis"),
    ],
)
def test_what_cannot_be_benchmarked(one_line, place, tmp_path, tiny, catalog, options, match):
    suite = () if "--suite" in options else ("--suite", tiny)
    one_line("benchmark", place / catalog, *suite, *options, "-o", tmp_path / "out", match=match)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["train", "predict", "benchmark"])
def test_help(run, command):
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "")
    assert f"Usage: icmass {command}" in out
