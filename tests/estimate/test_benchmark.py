"""A benchmark: every row on the same folds, nothing trained twice, tables that agree."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icmass.catalog import Catalog, ImageGeometry
from icmass.catalog import predictions as files
from icmass.catalog.shard_data import row_keys
from icmass.errors import InputError, OutputError
from icmass.estimate.benchmark import (
    COLUMNS,
    LEAK_COLUMNS,
    Suite,
    Table,
    cells,
    notes,
    run_benchmark,
)
from icmass.estimate.benchmark.suites import TrainedRow
from icmass.estimate.folds import catalog_folds
from icmass.estimate.runs import OUT_OF_FOLD, WEIGHTS
from icmass.estimate.training import fit
from tests.helpers.masses import make_catalog, mass_spec

SEEN = ["redshift", "exposure_s"]
PROFILE = TrainedRow(
    "profile", "profile, three bands", {"network": "profile", "inputs": ["bands", *SEEN]}
)
MULTIMODAL = TrainedRow(
    "multimodal",
    "bands and galaxies",
    {"network": "paper-multimodal", "inputs": ["bands", "galaxies"], "cube_cells": 8},
    paper=15.9,
)
LEAK = TrainedRow(
    "leak-given",
    "z given",
    {"network": "profile", "inputs": ["all", "redshift"], "equal_weight": True},
    leak_test=True,
)
TINY = Suite(
    "tiny",
    "tiny: for tests",
    folds=2,
    max_clusters=None,
    n_resamples=3,
    common={"pixels": 16, "validation": 0.4, "batch_size": 12, "schedule": "constant"},
    networks={"profile": {"epochs": 2}, "paper-multimodal": {"epochs": 1}},
    rows=(PROFILE, MULTIMODAL, LEAK),
)
BARE = mass_spec(galaxies=False, expectations=None, optional_columns=())
N = 120
SEED = 3

# Scatter in ln M, %: Ho et al. 2023 (arXiv 2303.00005), as restated in reference/PAPER.md.
PROXIES = {
    "T": 11.75,
    "L_X": 26.33,
    "M_gas": 8.46,
    "M_star": 12.56,
    "sigma_v,true": 37.56,
    "N_gal": 39.72,
    "sigma_v": 70.39,
    "N_phot": 40.02,
    "N_phot,500": 34.07,
    "M_gas + M_star": 4.93,
    "T + M_gas + M_star": 4.06,
    "N_gal + N_phot,500": 28.8,
    "N_gal + sigma_v + N_phot + N_phot,500": 27.3,
}

# Columns of proxies, with their value at 2e14 Msun, slope and scatter.
RELATIONS = {
    "kt_mass_weighted_kev": (3.0, 0.6, 0.07),
    "lx_bolometric_erg_s": (2e44, 1.4, 0.3),
    "gas_mass_msun": (2e13, 1.2, 0.1),
    "stellar_mass_msun": (4e12, 0.8, 0.1),
    "sigma_v_true_km_s": (500.0, 0.33, 0.12),
    "n_gal": (60.0, 0.9, 0.3),
    "sigma_v_clipped_km_s": (500.0, 0.33, 0.2),
    "n_phot_500": (200.0, 1.2, 0.3),
}


def full_catalog(path: Path, masses: Catalog, factor: np.ndarray | float = 1.0) -> Catalog:
    """Make a catalog with all proxies; stated masses are those of the images times a factor."""
    mass = masses.column("m500c_msun")
    rng = np.random.default_rng(5)
    columns: dict[str, Any] = {"m500c_msun": mass * factor}
    for name, (norm, slope, scatter) in RELATIONS.items():
        values = norm * (mass / 2e14) ** slope * np.exp(scatter * rng.normal(size=len(mass)))
        columns[name] = np.rint(values).astype(int) if name.startswith("n_") else values
    columns["dynamical_state"] = np.where(np.arange(len(mass)) % 9, rng.normal(size=N), np.nan)
    names = [*(name for name in RELATIONS if name != "n_phot_500"), "dynamical_state"]
    spec = mass_spec(
        expectations=None,
        geometry=ImageGeometry(64, 64, 52.0),
        optional_columns=("box_x_mpc", "box_y_mpc", "box_z_mpc", *names),
    )
    return make_catalog(path, N, spec=spec, columns=columns)


@pytest.fixture(scope="module", autouse=True)
def _few_penalties() -> Iterator[None]:
    """Let ridges choose among two penalties, which takes a fifth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("icmass.estimate.regression._PENALTIES", (1.0, 100.0))
        yield


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch) -> None:
    """Leave out figures, which are slow, but for those of the benchmark of all tests."""
    monkeypatch.setattr("icmass.estimate.benchmark.output._write_figures", lambda *_: None)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Catalog:
    """Without galaxies, ideal proxies, or pixels small enough for rings."""
    return make_catalog(tmp_path_factory.mktemp("bare") / "bare", N, spec=BARE)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory, bare) -> Catalog:
    return full_catalog(tmp_path_factory.mktemp("full") / "catalog", bare)


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory, catalog, told) -> tuple[Table, Path]:
    """A whole benchmark and its directory; read only."""
    path = tmp_path_factory.mktemp("benchmark") / "out"
    return run_benchmark(catalog, path, TINY, seed=SEED, workers=1, say=told.append), path


@pytest.fixture
def table(benchmark) -> Table:
    return benchmark[0]


@pytest.fixture
def path(benchmark) -> Path:
    return benchmark[1]


@pytest.fixture
def copied(tmp_path, path) -> Path:
    """A copy of the benchmark that a test may change."""
    return Path(shutil.copytree(path, tmp_path / "copied"))


@pytest.fixture
def no_training(monkeypatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("something is trained")

    monkeypatch.setattr(fit, "fit_fold", refuse)


def weights(place: Path) -> dict[str, bytes]:
    found = sorted((place / "runs").rglob(WEIGHTS))
    return {p.relative_to(place / "runs").as_posix(): p.read_bytes() for p in found}


def tables(place: Path) -> dict[str, bytes]:
    return {
        name: (place / name).read_bytes()
        for name in ("table.csv", "table.md", "table.json", "bins.csv")
    }


def kinds(table: Table) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in table.rows:
        found.setdefault(row.kind, []).append(row.name)
    return found


# Rows


def test_rows_of_every_kind(table, told) -> None:
    found = kinds(table)
    assert {"T", "L_X", "M_gas", "M_gas-M_star"} < set(found["ideal proxy"])
    assert {"N_phot", "N_phot_500", "N_gal-N_phot_500"} < set(found["observed proxy"])
    assert found["network"] == ["profile", "multimodal", "leak-given"]
    assert [row.name for row in table.leaks()] == ["leak-given"]
    assert len(found["regression"]) == 9
    assert len({row.name for row in table.rows}) == len(table.rows)
    assert [line.split(":")[0] for line in told[-3:]] == [row.label for row in table.rows[-3:]]
    assert len(told) == len(table.rows)
    assert table.n_clusters == N
    assert {row.metrics.n for row in table.rows} == {N}
    assert {row.metrics.n_halo for row in table.rows} == {N // 2}
    assert table.skipped == ()


def test_proxies_know_what_they_should(table) -> None:
    row = {row.name: row for row in table.rows}
    for name, (_, slope, scatter) in {
        "T": RELATIONS["kt_mass_weighted_kev"],
        "L_X": RELATIONS["lx_bolometric_erg_s"],
        "sigma_v": RELATIONS["sigma_v_clipped_km_s"],
    }.items():
        # A standard deviation of 120 clusters is known to 6.5%: 4 sigma, and a slope as well.
        expected = scatter / slope
        assert row[name].in_sample == pytest.approx(expected, rel=0.3)
        assert row[name].metrics.value["slope_scatter"] == pytest.approx(expected, rel=0.45)
    assert row["M_gas-M_star"].in_sample < row["M_gas"].in_sample
    best = [row for row in table.rows if row.label.startswith("best of 31 sets: ")]
    assert len(best) == 1
    ideal = [row.in_sample for row in table.rows if row.kind == "ideal proxy"]
    assert best[0].in_sample == min(ideal)


def test_the_study_stands_beside(table) -> None:
    found = {row.label: row.paper for row in table.rows if row.paper is not None}
    assert found == {
        **{label: pytest.approx(value / 100) for label, value in PROXIES.items()},
        "bands and galaxies": pytest.approx(0.159),
    }


def test_results_by_bin(table) -> None:
    by = {one.by for row in table.estimators() for one in row.by_bin}
    assert by == {"log10_m500c", "redshift", "exposure_s", "dynamical_state"}
    (profile,) = (row for row in table.rows if row.name == "profile")
    masses = [one.n for one in profile.by_bin if one.by == "log10_m500c"]
    assert len(masses) == 5
    assert sum(masses) == N
    states = [one.n for one in profile.by_bin if one.by == "dynamical_state"]
    assert sum(states) == N - len(range(0, N, 9))  # the others are not known
    assert not any(row.by_bin for row in table.leaks())


# Folds


def test_all_rows_have_the_same_folds(table, path, catalog) -> None:
    fold = catalog_folds(catalog, TINY.folds, SEED)

    for name in kinds(table)["network"]:
        said = files.read(path / "runs" / name, OUT_OF_FOLD, row_keys(catalog.rows()))
        assert np.array_equal(said.extra["fold"], fold)
    assert not np.array_equal(fold, catalog_folds(catalog, TINY.folds, SEED + 1))


def test_nobody_has_seen_the_masses_that_it_predicts(tmp_path, catalog, bare, table, path) -> None:
    """Other masses in one fold change what is said of the other fold, and nothing else."""
    fold = catalog_folds(catalog, TINY.folds, SEED)
    first, second = fold == 0, fold == 1
    factor = np.where(first, np.exp(0.4 + 0.3 * np.sin(np.arange(N))), 1.0)
    changed = full_catalog(tmp_path / "changed", bare, factor)
    out = tmp_path / "out"
    other = {row.name: row for row in run_benchmark(changed, out, TINY, seed=SEED, workers=1).rows}
    mine = {row.name: row for row in table.rows if row.name in other}
    assert len(mine) >= len(table.rows) - 2  # the best sets may be others
    for name, row in mine.items():
        one, two = row.scores["mean"], other[name].scores["mean"]
        assert two[first] == pytest.approx(one[first], abs=1e-9), name
        assert np.all(np.abs(two - one)[second] > 1e-6), name
    before, after = weights(path), weights(out)
    assert before.keys() == after.keys()
    for name, content in before.items():
        assert (after[name] == content) == ("/fold-0/" in name), name


# Again


def test_again_nothing_is_trained(path, catalog, table, no_training) -> None:
    before = tables(path), weights(path)
    times = {p: p.stat().st_mtime_ns for p in (path / "runs").rglob(WEIGHTS)}
    again = run_benchmark(catalog, path, TINY, seed=SEED, workers=1)
    assert (tables(path), weights(path)) == before
    assert {p: p.stat().st_mtime_ns for p in times} == times
    assert cells(again.rows) == cells(table.rows)


def test_what_is_missing_is_trained(copied, path, catalog, monkeypatch) -> None:
    whole, trained = fit.fit_fold, []

    def count(run: Any, catalog: Any, split: Any, fold: int) -> int:
        trained.append((run.path.name, fold))
        return whole(run, catalog, split, fold)

    monkeypatch.setattr(fit, "fit_fold", count)
    shutil.rmtree(copied / "runs" / "profile" / "fold-1")
    shutil.rmtree(copied / "runs" / "profile" / "predictions")
    for name in tables(path):
        (copied / name).unlink()
    run_benchmark(catalog, copied, TINY, seed=SEED, workers=1)
    assert trained == [("profile", 1)]
    assert weights(copied) == weights(path)
    assert tables(copied) == tables(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"suite": replace(TINY, name="other")}, "expected suite other, found tiny. Choose"),
        ({"seed": 4}, "expected seed 4, found 3. Choose another directory"),
        ({"catalog": "fewer"}, r"expected catalog \w{64}, found \w{64}. Choose"),
    ],
)
def test_directories_of_other_benchmarks(path, catalog, changes, message) -> None:
    before = tables(path), weights(path)
    chosen = catalog.select(np.arange(118)) if "catalog" in changes else catalog
    with pytest.raises(OutputError, match=f"the same benchmark; {message}") as found:
        run_benchmark(
            chosen, path, changes.get("suite", TINY), seed=changes.get("seed", SEED), workers=1
        )
    assert "\n" not in str(found.value)
    assert (tables(path), weights(path)) == before


@pytest.mark.parametrize("note", [None, "no JSON", "[1, 2]", '{"format": "icmass run"}'])
def test_directories_of_something_else(tmp_path, catalog, note) -> None:
    (tmp_path / "thesis.tex").write_text("ten years")
    if note is not None:
        (tmp_path / "benchmark.json").write_text(note)
    with pytest.raises(OutputError, match="new, empty or the same benchmark; expected format"):
        run_benchmark(catalog, tmp_path, TINY, seed=SEED, workers=1)
    assert len(list(tmp_path.iterdir())) == 1 + (note is not None)


def test_places_that_cannot_be(tmp_path, catalog) -> None:
    (tmp_path / "file").write_text("")
    for name, message in {
        "file": "file: must be a directory; it is a file",
        "not/there": "its folder does not exist; create it: mkdir -p",
    }.items():
        with pytest.raises(OutputError, match=message):
            run_benchmark(catalog, tmp_path / name, TINY, workers=1)


# Catalogs that lack something


def refused(catalog: Catalog, path: Path, message: str, suite: Suite = TINY, **more: Any) -> None:
    """Assert that a benchmark is refused in one line, before it writes anything."""
    with pytest.raises(InputError, match=message) as found:
        run_benchmark(catalog, path, suite, **{"workers": 1, **more})
    assert "\n" not in str(found.value)
    assert not path.exists()


def test_a_bare_catalog(tmp_path, bare) -> None:
    quick = replace(TINY, networks={"profile": {"epochs": 1}}, rows=(PROFILE, MULTIMODAL))
    found = run_benchmark(bare, tmp_path / "out", quick, workers=1)
    assert kinds(found) == {
        "observed proxy": ["N_phot"],
        "regression": ["ridge-all-observables", "boosting-all-observables"],
        "network": ["profile"],
    }
    left_out = [line for line in notes(found) if line.startswith("Left out: ")]
    assert len(left_out) == 3
    assert left_out[0].startswith("Left out: clipped counts: images: must have pixels small enough")
    assert left_out[1].startswith("Left out: clipped counts to the centre: images: must have pix")
    assert left_out[2] == "Left out: bands and galaxies: the catalog has no galaxies."
    text = (tmp_path / "out" / "table.md").read_text()
    assert all(line in text for line in left_out)
    values = json.loads((tmp_path / "out" / "table.json").read_text())
    assert values["skipped"] == list(found.skipped)
    assert "Does the redshift leak?" not in text
    assert not (tmp_path / "out" / "runs" / "multimodal").exists()


def test_one_redshift(tmp_path) -> None:
    columns = {"redshift": np.full(N, 0.2), "exposure_s": np.full(N, 1600.0)}
    catalog = make_catalog(tmp_path / "catalog", N, spec=BARE, columns=columns)
    quick = replace(TINY, networks={"profile": {"epochs": 1}}, rows=(PROFILE,))
    found = run_benchmark(catalog, tmp_path / "out", quick, workers=1)
    assert {one.by for row in found.rows for one in row.by_bin} == {"log10_m500c"}
    few = catalog.select(np.arange(80))  # fewer than a redshift bin of its own needs
    quick = replace(quick, common={**TINY.common, "validation": 0.5})
    run_benchmark(few, tmp_path / "few", quick, workers=1)


def test_columns_of_galaxies_that_are_missing(tmp_path, bare, catalog) -> None:
    richness = TrainedRow(
        "richness", "with richness", {"network": "profile", "inputs": ["bands", "n_gal"]}
    )
    suite = replace(TINY, rows=(richness,))
    refused(bare, tmp_path / "out", "must have galaxies for every row of the suite tiny", suite)


def test_what_cannot_be_benchmarked(tmp_path, catalog, bare) -> None:
    path = tmp_path / "out"
    few = catalog.select(np.arange(6))
    refused(few, path, "folds: must be from 2 to the 3 halos; got 8", replace(TINY, folds=8))
    refused(few, path, "validation: must hold at least 20 clusters for recalibration; got 0 of 6")
    refused(catalog.select(np.arange(0)), path, "folds: must be from 2 to the 0 halos")
    coarse = replace(TINY, common={**TINY.common, "pixels": 32})
    refused(bare, path, "pixels: must divide the 16 x 16 pixels of the catalog; got 32", coarse)
    refused(catalog, path, "workers: must be at least 1; got 0", workers=0)
    refused(catalog, path, "scheduler: must be the address", workers=None, scheduler="nonsense")
    refused(catalog, path, "epochs: must be greater than or equal to 1", overrides={"epochs": 0})
    refused(catalog, path, "unknown key; did you mean 'epochs'", overrides={"epoch": 1})


def test_unknown_masses(tmp_path, bare) -> None:
    mass = bare.column("m500c_msun").copy()
    mass[4] = np.nan
    catalog = make_catalog(tmp_path / "catalog", N, spec=BARE, columns={"m500c_msun": mass})
    suite = replace(TINY, rows=(PROFILE,))
    refused(catalog, tmp_path / "out", "must know m500c_msun of every cluster", suite)


# Tables


def no_constant(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def same(text: str, value: Any) -> bool:
    """Return whether a cell of a CSV file says what JSON says."""
    if value is None or isinstance(value, str):
        return text == (value or "")
    return float(text) == value


def test_csv_and_json_agree(path, table, catalog) -> None:
    values = json.loads((path / "table.json").read_text(), parse_constant=no_constant)
    assert values["clusters"] == N
    assert (values["suite"], values["seed"]) == ("tiny", SEED)
    assert values["catalog"] == catalog.fingerprint()
    assert [row["name"] for row in values["rows"]] == [row.name for row in table.rows]
    for name, key in (("table.csv", "rows"), ("bins.csv", "bins")):
        with (path / name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(values[key])
        for one, other in zip(rows, values[key], strict=True):
            assert all(same(one[k], other.get(k)) for k in one)
            assert other.keys() <= one.keys()


def parsed(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_markdown_says_the_same(path, table) -> None:
    text = (path / "table.md").read_text(encoding="utf-8")
    lines = parsed([line for line in text.splitlines() if line.startswith("|")])
    n = len(table.estimators())
    assert lines[0] == [head for head, _ in COLUMNS]
    assert lines[2 : 2 + n] == cells(table.estimators())
    assert lines[2 + n] == list(LEAK_COLUMNS)
    assert lines[4 + n :] == cells(table.leaks(), LEAK_COLUMNS)
    assert all(note in text for note in notes(table))
    assert f"{N:,} clusters, 2 folds of whole haloes, seed 3. Suite tiny: for tests." in text
    values = json.loads((path / "table.json").read_text())
    shown = {row["label"]: row for row in values["rows"]}
    scatter = [head for head, _ in COLUMNS].index("scatter")
    for line in lines[2 : 2 + n]:
        row = shown[line[0]]
        value, error = (float(part) for part in line[scatter].split("±"))
        assert value == pytest.approx(100 * row["slope_scatter"], abs=0.0501)
        assert error == pytest.approx(100 * row["slope_scatter_error"], abs=0.0501)


def test_figures(path) -> None:
    names = {"scatter", "predicted", "pit", "coverage", "learning-profile", "learning-multimodal"}
    assert {p.stem for p in path.glob("*.png")} == names
    assert all(p.read_bytes()[:4] == b"\x89PNG" for p in path.glob("*.png"))
