"""A benchmark: every row on the same folds, nothing trained twice, tables that agree."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icmass.catalog import predictions as files
from icmass.catalog.shard_data import row_keys
from icmass.errors import OutputError
from icmass.estimate.benchmark import (
    COLUMNS,
    LEAK_COLUMNS,
    Table,
    cells,
    notes,
    run_benchmark,
)
from icmass.estimate.folds import catalog_folds
from icmass.estimate.runs import OUT_OF_FOLD, WEIGHTS
from icmass.estimate.training import fit
from tests.helpers.benchmarks import (
    RELATIONS,
    SEED,
    TINY,
    N,
    full_catalog,
    kinds,
)

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
