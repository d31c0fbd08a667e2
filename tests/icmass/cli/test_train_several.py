"""`icmass train` on several catalogs: the same as on one that holds the rows of all."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from icmass.catalog import Catalog, predictions
from icmass.catalog.shard_data import row_keys
from icmass.estimate.runs import OUT_OF_FOLD
from tests.helpers.masses import QUICK, make_catalog, mass_spec
from tests.helpers.trainings import outcome

N = (66, 54)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with two catalogs of different haloes, and both in one; read only."""
    folder = tmp_path_factory.mktemp("several")
    one = make_catalog(folder / "one", N[0])
    two = make_catalog(folder / "two", N[1], seed=5, sample=5)
    Catalog.concatenate([one, two], folder / "both")
    make_catalog(folder / "bare", 4, seed=6, sample=6, spec=mass_spec(galaxies=False))
    (folder / "quick.yaml").write_text(yaml.safe_dump({**QUICK, "epochs": 2}))
    return folder


def options(place: Path, target: Path) -> tuple[object, ...]:
    return ("-c", place / "quick.yaml", "-o", target, "--workers", 1)


def test_several_catalogs_are_as_good_as_one(run, place, tmp_path):
    status, out, err = run("train", place / "one", place / "two", *options(place, tmp_path / "run"))
    assert (status, err) == (0, "")
    assert "2 folds of 120 clusters" in out
    status, _, err = run("train", place / "both", *options(place, tmp_path / "same"))
    assert (status, err) == (0, "")
    assert outcome(tmp_path / "run") == outcome(tmp_path / "same")
    noted = [
        json.loads((tmp_path / name / "run.json").read_text())["catalog"]
        for name in ("run", "same")
    ]
    joined = Catalog.join([place / "one", place / "two"])
    assert noted[0] == {"fingerprint": joined.fingerprint(), "clusters": 120}
    assert noted[1]["fingerprint"] == Catalog.open(place / "both").fingerprint()

    # The run knows what it says of each cluster of its own, and goes on from where it is.
    own = predictions.read(tmp_path / "run", OUT_OF_FOLD, row_keys(joined.rows()))
    assert np.isfinite(own.mean).all()
    assert set(own.extra["fold"].tolist()) == {0, 1}
    before = outcome(tmp_path / "run")
    again = run("train", place / "one", place / "two", *options(place, tmp_path / "run"))
    assert again == (0, out, "")
    assert outcome(tmp_path / "run") == before

    # Each catalog is judged by the folds that did not train on it.
    fold = dict(zip(row_keys(joined.rows()).tolist(), own.extra["fold"].tolist(), strict=True))
    for name, n, first in (("one", N[0], 0), ("two", N[1], N[0])):
        free = shutil.copytree(place / name, tmp_path / name)
        status, out, _ = run("predict", tmp_path / "run", free)
        assert status == 0
        assert f"{n} clusters, {n} by the fold that did not train on them, 0 by all folds" in out
        part = Catalog.open(free)
        said = part.predictions("run")
        assert np.allclose(said.mean, own.mean[first : first + n], rtol=1e-6)
        assert said.extra["fold"].tolist() == [fold[key] for key in row_keys(part.rows()).tolist()]

    # It is another run than that of both in another order, or copied into one.
    for given in (("two", "one"), ("both",)):
        paths = [place / name for name in given]
        status, out, err = run("train", *paths, *options(place, tmp_path / "run"))
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"expected {Catalog.join(paths).fingerprint()}, found {joined.fingerprint()}" in err
    assert outcome(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (("one", "nowhere"), "nowhere: must be a catalog; it holds no manifest.json"),
        (("one", "quick.yaml"), r"quick\.yaml"),
        (("one", "bare"), "bare: must have the same galaxies as .*one; got False and True"),
        (("one", "two", "one"), "one: must not share clusters with .*one; 66 have the same"),
        (("two", "both"), "both: must not share clusters with .*two; 54 have .*sample_id 5, "),
    ],
)
def test_what_cannot_be_joined(run, place, tmp_path, given, match):
    paths = [place / name for name in given]
    status, out, err = run("train", *paths, *options(place, tmp_path / "run"))
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert re.search(match, err), err
    assert len(err) < 900
    assert not (tmp_path / "run").exists()
