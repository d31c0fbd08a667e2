"""The Python of the documentation runs as it stands there.

A comment before a block says what becomes of it: ``<!-- runs -->``, ``<!-- runs: NAME -->`` (it is
written into the file NAME, which later blocks use), or ``<!-- not run: WHY -->``. The blocks of a
page run in their order, in a folder that holds a small catalog and a run that was trained on it.
"""

import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from icmass.catalog import Catalog
from icmass.config import SurveyConfig
from icmass.estimate.networks import NETWORKS
from icmass.estimate.prediction import predict, write_predictions
from icmass.estimate.runs import Run
from icmass.estimate.training import train
from icmass.simulate.survey import simulate_survey
from tests.helpers.masses import make_catalog, quick
from tests.helpers.tiny_survey import SKY
from tests.packaging.wheel import CHECKOUT

DOCS = CHECKOUT / "docs"
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>.*?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"runs(: [\w.]+)?|not run: .+")
# Pages whose Python a test of their own executes, with what it needs.
ELSEWHERE = {
    "catalog-schema.md": "icmass/catalog/test_tables.py",
    "instruments.md": "simulate/instrument/test_instrument.py",
    "metrics.md": "estimate/metrics/test_page.py",
    "products.md": "simulate/products/test_documentation.py",
    "proxies.md": "estimate/test_page.py",
    "rows.md": "simulate/rows/test_page.py",
    "snapshot-catalogs.md": "simulate/snapshots/test_documentation.py",
}
ON_SURVEY = ("cutouts", "real-events")


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Return mark, language and text of the blocks of a page."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [(m["mark"] or "", m["language"], m["text"]) for m in found]


def named_block(page: str, name: str) -> str:
    """Return the text of the block that is written into a file."""
    (text,) = (text for mark, _, text in blocks(DOCS / page) if mark == f"runs: {name}")
    return text


def pages_that_run() -> list[Path]:
    return [
        page
        for page in sorted(DOCS.rglob("*.md"))
        if any(mark.startswith("runs") for mark, _, _ in blocks(page))
    ]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    catalog = make_catalog(folder / "catalog", n=120)
    make_catalog(folder / "other", n=40, seed=2, sample=1)
    run = train(catalog, quick(head="gaussian"), folder / "run", workers=1)
    write_predictions(catalog, "run", predict(run, catalog))
    return folder


@pytest.fixture(scope="module")
def survey(tmp_path_factory) -> Path:
    config = SurveyConfig.parse(SKY)
    return simulate_survey(config, tmp_path_factory.mktemp("sky") / "survey", workers=1).directory


@pytest.fixture
def place(tmp_path, prepared, request, monkeypatch):
    folder = Path(shutil.copytree(prepared, tmp_path / "place"))
    if request.node.callspec.id in ON_SURVEY:
        shutil.copytree(request.getfixturevalue("survey"), folder / "survey")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr("icmass.workers.usable_cores", lambda: 1)
    networks, modules = dict(NETWORKS), set(sys.modules)
    yield folder
    NETWORKS.clear()
    NETWORKS.update(networks)
    for name in set(sys.modules) - modules:
        if (folder / f"{name}.py").is_file():
            del sys.modules[name]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_python_block_says_whether_it_runs(page):
    unmarked = [
        text
        for mark, language, text in blocks(page)
        if language == "python" and not MARK.fullmatch(mark)
    ]
    if page.name in ELSEWHERE:
        assert (CHECKOUT / "tests" / ELSEWHERE[page.name]).is_file()
    else:
        assert unmarked == []


@pytest.mark.parametrize("page", pages_that_run(), ids=lambda page: page.stem)
def test_page_runs(page, place):
    script = []
    for mark, language, text in blocks(page):
        if mark.startswith("runs: "):
            (place / mark.removeprefix("runs: ")).write_text(text)
        elif mark == "runs" and language == "python":
            script.append(text)
    (place / "page.py").write_text("\n".join(script))
    runpy.run_path("page.py", run_name="__main__")


@pytest.mark.slow
def test_worker_processes_know_a_network_of_ones_own(tmp_path, prepared):
    for name in ("my_network.py", "mine.py"):
        (tmp_path / name).write_text(named_block("own-network.md", name))
    words = f"train {prepared / 'catalog'} -o rings --network rings --folds 2 --validation 0.4"
    command = [sys.executable, "mine.py", *words.split(), "--epochs", "1", "--workers", "2"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert Run.open(tmp_path / "rings").config.network == "rings"


@pytest.mark.slow
def test_batch_script_makes_a_catalog(tmp_path):
    """With two tasks, and a stand-in for what only SLURM has."""
    files = {
        "icmass.sbatch": named_block("many-machines.md", "icmass.sbatch"),
        "job.yaml": "clusters: 4\nparticles: 2000\npixels: 32\nrows_per_shard: 1\n",
        "srun": '#!/bin/bash\nfor _ in $(seq "$SLURM_NTASKS"); do "$@" & done\nwait\n',
        ".venv/bin/activate": f'PATH="{Path(sys.executable).parent}:$PATH"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "srun").chmod(0o755)
    slurm = {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "2", "TMPDIR": str(tmp_path / "tmp")}
    environment = {**os.environ, **slurm, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    job = subprocess.Popen(
        ["bash", "icmass.sbatch"], cwd=tmp_path, env=environment, start_new_session=True
    )
    try:
        assert job.wait(timeout=600) == 0
    finally:
        os.killpg(job.pid, signal.SIGKILL)  # as SLURM ends what a job leaves behind
    assert len(Catalog.open(tmp_path / "catalog")) == 4


def test_a_page_that_is_wrong_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- runs -->\n```python\nraise KeyError\n```\n\n```python\n1\n```\n")
    assert [mark for mark, _, _ in blocks(page)] == ["runs", ""]
    with pytest.raises(KeyError):
        exec(compile(blocks(page)[0][2], "page", "exec"))
