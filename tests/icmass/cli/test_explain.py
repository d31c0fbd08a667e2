"""`icmass explain`: the report that it writes, what it prints, and what it refuses."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from icmass.catalog import Band, Catalog, ImageGeometry
from icmass.estimate.training import train
from icmass.interpret.attribution import read_attributions
from tests.helpers.joined import joined
from tests.helpers.masses import make_catalog, mass_spec, quick

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
def others(judged, tmp_path_factory) -> Path:
    """Catalogs and runs that are not right; read only."""
    folder = tmp_path_factory.mktemp("others")
    own = Catalog.open(judged / "own")
    bare = {"galaxies": False, "expectations": None, "optional_columns": ()}
    make_catalog(folder / "unknown", 6, seed=5, sample=5)
    bands = (Band("soft", 0.5, 1.2), Band("medium", 1.2, 2.4))
    make_catalog(folder / "bands", 4, spec=mass_spec(bands=bands, **bare))
    make_catalog(folder / "pixels", 4, spec=mass_spec(geometry=ImageGeometry(16, 16, 100.0)))
    make_catalog(folder / "nowhere", 8, columns={"r500c_kpc": np.full(8, np.nan)})
    make_catalog(folder / "twin", 120, seed=9)
    redshift = own.column("redshift")
    redshift[7] = np.nan
    make_catalog(folder / "dateless", 120, columns={"redshift": redshift})
    Catalog.create(folder / "empty", own.spec)
    all_in_one = joined(own, folder / "joined")
    shutil.copytree(judged / "run", folder / "half-run")
    (folder / "half-run" / "fold-1" / "fold.json").unlink()
    train(own, quick(epochs=1, origins=["icm", "agn"]), folder / "study-run", workers=1)
    train(all_in_one, quick(epochs=1), folder / "joined-run", workers=1)
    train(own, quick(epochs=1, equal_weight=True), folder / "thinned-run", workers=1)
    return folder


def files(place: Path) -> dict[str, bytes]:
    return {
        p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()
    }


def test_the_report_is_complete(explained):
    place, values, _ = explained
    names = set(files(place))
    drawn = {"gallery", "profiles", "distributions", "interventions", "faithfulness", "sanity"}
    drawn |= {"ablations"}
    assert {f"figures/{name}.{kind}" for name in drawn for kind in ("png", "pdf")} <= names
    assert {f"tables/{name}.csv" for name in ("agn_icm", "cores", "interventions", "ablations")} < (
        names
    )
    assert {"report.html", "report.json", "numbers.json", "manifest.json"} < names
    page = (place / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') == len(drawn)
    assert not re.search(r"(src|href)=.http", page)
    for text in values["statements"]:
        assert text.split(" ")[0] in page
    assert any("as bright as the cluster" in text for text in values["statements"])
    with (place / "tables" / "interventions.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][0] == "change"
    assert len(rows) > 10


def test_numbers_are_printed_and_written(explained):
    place, values, _ = explained
    written = json.loads((place / "numbers.json").read_text())
    assert values["report"] == str(place / "report.html")
    assert {key: values[key] for key in written} == written
    assert written["statistics"]["n_clusters"] == 120
    assert [one["n"] for one in written["faithfulness"]] == [3] * 5
    assert {one["n"] for one in written["interventions"]} == {8}
    assert [one["name"] for one in written["sanity"]] == [
        "weights shuffled",
        "trained on masses of other clusters",
    ]
    assert [one["name"] for one in written["ablations"]] == [
        *("reference", "agn", "redshift", "shuffled")
    ]


def test_maps_are_written(explained):
    place, *_ = explained
    tested = read_attributions(place / "integrated-gradients.h5")
    assert tested.values().shape == (3, 3, 16, 16)
    assert np.isfinite(tested.completeness).all()
    for name in ("saliency", "occlusion"):
        found = read_attributions(place / "attributions" / f"{name}.h5")
        assert found.values().shape == (120, 3, 16, 16)
        assert found.values().any(axis=(1, 2, 3)).all()


@pytest.mark.slow
def test_the_same_bytes_again(run, explained, tmp_path):
    place, _, command = explained
    shutil.copytree(place, tmp_path / "out")
    status, out, err = run(*command, "-o", tmp_path / "out")
    assert (status, out) == (2, "")
    assert "already exists. Choose another name, or give --overwrite." in err
    assert run(*command, "-o", tmp_path / "out", "--overwrite")[0] == 0
    before, after = files(place), files(tmp_path / "out")
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == []


def test_one_cluster_by_row_or_key(run, judged, tmp_path):
    catalog = Catalog.open(judged / "own")
    halo, line = (int(catalog.column(name)[37]) for name in ("halo_id", "line_of_sight"))
    options = ["--sample", 6, "--tested", 2]
    command = ["explain", judged / "run", judged / "own", *options]
    status, out, err = run(*command, "--cluster", 37, "-o", tmp_path / "row")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[-1] == f"report: {tmp_path / 'row' / 'report.html'}"
    truth = np.log(catalog.column("m500c_msun")[37])
    assert re.match(rf"- The networks' mean of ln M500c is [\d.]+; true is {truth:.3f}\.", lines[0])
    status, out, _ = run(
        *(*command, "--cluster", f"0/0/{halo}/{line}", "-o", tmp_path / "key", "--json")
    )
    assert status == 0
    assert [f"- {text}" for text in json.loads(out)["statements"]] == lines[:-1]
    assert files(tmp_path / "row") == files(tmp_path / "key")
    assert f"Cluster 0/0/{halo}/{line}" in (tmp_path / "row" / "report.html").read_text()
    assert {"figures/cluster.png", "tables/changes.csv"} < set(files(tmp_path / "row"))


def test_catalogs_that_do_not_keep_origins_apart_are_explained(run, others, tmp_path):
    out = tmp_path / "out"
    options = ["--cluster", 1, "--sample", 6, "--tested", 2, "-o", out]
    assert run("explain", others / "joined-run", others / "joined", *options)[::2] == (0, "")
    with (out / "tables" / "changes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {"made round", "half as long exposed"} <= {row["change"] for row in rows}
    assert not any("AGN" in row["change"] for row in rows)


def test_clusters_unknown_to_a_run_are_judged_by_all_folds(run, judged, others, tmp_path):
    command = ["explain", judged / "run", others / "unknown", "--cluster", 2, "-o", tmp_path / "o"]
    status, out, err = run(*command)
    assert (status, out) == (2, "")
    assert "6 of 6 are unknown to it" in err
    assert "--all-folds to have these judged by all folds together" in err
    assert run(*command, "--all-folds")[0] == 0
    assert (tmp_path / "o" / "report.html").exists()


CASES = [
    # run, catalog, options, message
    ("run", "bands", [], r"must have the band .* keV of the estimator"),
    ("run", "pixels", [], r"must have images of 16 x 16 pixels of 200"),
    ("run", "unknown", [], r"must hold clusters that .* was trained on.*Give the catalog"),
    ("run", "empty", [], r"must hold clusters; got none"),
    ("run", "nowhere", [], r"must know r500c_kpc of every cluster"),
    ("run", "nowhere", ["--cluster", "1"], r"must know r500c_kpc of every cluster"),
    ("run", "absent", [], r"absent"),
    ("own", "own", [], r"must hold run\.json; it does not"),
    ("run", "run", [], r"run: must be a catalog"),
    ("half-run", "own", [], r"must have all 2 folds trained; fold 1 is not"),
    ("thinned-run", "own", [], r"must see photons as they are; .*equal_weight.*without it"),
    ("study-run", "joined", [], r"origin 'icm': .*all"),
    ("run", "own", ["--cluster", "120"], r"must be a row from 0 to 119, or .*got '120'"),
    ("run", "own", ["--cluster=-1"], r"must be a row from 0 to 119, or .*got '-1'"),
    ("run", "own", ["--cluster", "0/0/99/0"], r"must be a row .*got '0/0/99/0'"),
    ("run", "own", ["--cluster", "0/1"], r"must be a row .*got '0/1'"),
    ("run", "own", ["--cluster", "a/b/c/d"], r"must be a row .*got 'a/b/c/d'"),
    ("run", "own", ["--cluster", ""], r"must be a row .*got ''"),
    ("run", "own", ["--cluster", "1", "--maps", "saliency"], r"cluster: cannot go with .* maps"),
    ("run", "own", ["--target", "std"], r"std must be of a head that says a distribution.*point"),
    ("run", "own", ["--target", "1.5"], r"a probability between 0 and 1; got '1\.5'"),
    ("run", "own", ["--target", "1e-9"], r"a probability from 0\.0013 to 0\.9987; got 1e-9"),
    ("run", "own", ["--target", "mode"], r"must be mean, std, median or .*got 'mode'"),
    ("run", "own", ["--maps", "grad-cam"], r"must have convolutions .*'profile' has none"),
    ("run", "own", ["--maps", "saliancy"], r"saliancy.*did you mean 'saliency'"),
    ("run", "own", ["--maps", ""], r"method"),
    ("run", "own", ["--maps", "saliency", "--space", "galaxies"], r"galax"),
    ("run", "own", ["--maps", "saliency", "--space", "pixels"], r"space: must be inputs, photons"),
    ("run", "own", ["--space", "pixels"], r"space: must be inputs, photons, galaxies; got"),
    ("run", "twin", [], r"twin: must be the catalog that .* was trained on, \w{16}; got \w{16}"),
    ("run", "dateless", [], r"must know redshift of every cluster; it is unknown of 1 of 120"),
    ("run", "unknown", ["--all-folds"], r"must hold at least 10 haloes, .*; got 3\. Give more"),
    ("run", "own", ["--device", "meta"], r"device: must be one that torch has here.*got 'meta'"),
    ("run", "own", ["--space", "photons"], r"space: photons is of maps; give --maps as well"),
    ("study-run", "own", ["--baseline", "background"], r"must see background; they see icm, agn"),
    ("joined-run", "joined", ["--baseline", "background"], r"must keep background apart; got all"),
    ("run", "own", ["--baseline", "black"], r"baseline: must be empty, background"),
    ("run", "own", ["--device", "warp"], r"device: must be one that torch has.*got 'warp'"),
    ("run", "own", ["--device", "mps"], r"device: must be one that torch has here.*got 'mps'"),
    ("run", "own", ["--ablations", "absent"], r"must hold ablations\.json; it does not"),
    ("run", "own", ["--sample", "1"], r"--sample"),
    ("run", "own", ["--seed", "-1"], r"--seed"),
]


@pytest.mark.parametrize(
    ("run_name", "catalog_name", "options", "match"),
    CASES,
    ids=[" ".join([a, b, *c]) for a, b, c, _ in CASES],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    run, judged, others, tmp_path, run_name, catalog_name, options, match
):
    def place(name):
        return judged / name if (judged / name).exists() else others / name

    status, out, err = run(
        "explain", place(run_name), place(catalog_name), "-o", tmp_path / "out", *options
    )
    assert (status, out) == (2, ""), err
    assert err.count("\n") == 1, err
    assert re.search(match, err), err
    assert len(err) < 900
    assert list(tmp_path.iterdir()) == []


def damaged(text: str) -> str:
    return text[: len(text) // 2]


def of_another(text: str) -> str:
    values = json.loads(text)
    return json.dumps({**values, "run_digest": "f" * 64})


def without_rows(text: str) -> str:
    return json.dumps({"run_digest": json.loads(text)["run_digest"]})


def with_a_word(text: str) -> str:
    values = json.loads(text)
    values["ablations"][0]["error_std"] = "wide"
    return json.dumps(values)


def with_a_number_for_a_row(text: str) -> str:
    return json.dumps({**json.loads(text), "ablations": [1]})


def with_another_column(text: str) -> str:
    values = json.loads(text)
    values["ablations"][0]["luck"] = 1.0
    return json.dumps(values)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (damaged, r"must hold results of icmass ablate; it is damaged"),
        (without_rows, r"must hold results of icmass ablate; it is damaged"),
        (with_a_word, r"must hold results of icmass ablate; it is damaged"),
        (with_a_number_for_a_row, r"must hold results of icmass ablate; it is damaged"),
        (with_another_column, r"must hold results of icmass ablate; it is damaged"),
        (of_another, r"must be of the run .*, \w{16}; got f{16}\. Give ablations"),
    ],
)
def test_ablations_that_cannot_be_used(run, judged, ablated, tmp_path, change, match):
    text = (ablated[0] / "ablations.json").read_text()
    (tmp_path / "abl").mkdir()
    (tmp_path / "abl" / "ablations.json").write_text(change(text))
    command = ["explain", judged / "run", judged / "own", "--ablations", tmp_path / "abl"]
    status, out, err = run(*command, "-o", tmp_path / "out")
    assert (status, out) == (2, ""), err
    assert re.search(match, err), err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["abl"]


def test_places_that_are_taken(run, judged, tmp_path):
    command = ["explain", judged / "run", judged / "own", "--sample", 6, "--tested", 2]
    (tmp_path / "file").write_text("mine")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("ten years")
    before = files(tmp_path)
    for place, options, match in (
        ("file", [], "must be a directory; got a file"),
        ("thesis", [], "already exists"),
        ("thesis", ["--overwrite"], "it holds 'chapter.tex'"),
        ("no/where", [], "does not exist"),
    ):
        status, out, err = run(*command, "-o", tmp_path / place, *options)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert match in err
    assert files(tmp_path) == before


@pytest.mark.clients
@pytest.mark.skipif(CHROMIUM is None, reason="the browser chromium is not installed")
def test_the_page_in_a_browser(explained):
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    place, *_ = explained
    page_file = place / "report.html"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((390, "dark"), (1200, "light")):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            problems, requests = [], []
            page.on("console", lambda message, found=problems: found.append(message.text))
            page.on("pageerror", lambda error, found=problems: found.append(str(error)))
            page.on("request", lambda request, found=requests: found.append(request.url))
            page.goto(page_file.as_uri(), wait_until="load")
            assert problems == []
            assert [url for url in requests if not url.startswith("data:")] == [page_file.as_uri()]
            sizes = page.eval_on_selector_all(
                "img", "all => all.map(i => [i.naturalWidth, i.width])"
            )
            assert len(sizes) == len(list((place / "figures").glob("*.png")))
            assert all(natural > 0 and shown > 200 for natural, shown in sizes)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.close()
        browser.close()
