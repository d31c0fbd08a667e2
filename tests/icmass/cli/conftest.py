"""Running the program inside the test process."""

import contextlib
import io
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from icmass.cli import main
from icmass.estimate.training import train
from tests.helpers.masses import make_catalog, mass_spec, quick

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _signals_restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program; return its exit status, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        return stop.value.code, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def small_field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration that makes an observation quick."""
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text("width_deg: 0.2\nseed: 3\n")
    return path


@pytest.fixture(scope="session")
def observed(
    tmp_path_factory: pytest.TempPathFactory, small_field: Path
) -> tuple[Path, dict[str, Any]]:
    """An observation of the default cluster, made once: its directory and what was printed."""
    place = tmp_path_factory.mktemp("observed") / "out"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main(["observe", "--config", str(small_field), "-o", str(place), "--json"])
    return place, json.loads(printed.getvalue())


def printed(*arguments: object) -> str:
    """Run the program outside a test; return what it prints."""
    before, output = signal.getsignal(signal.SIGTERM), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        main([str(argument) for argument in arguments])
    signal.signal(signal.SIGTERM, before)
    return output.getvalue()


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalog `own` and a run on it, trained once; read only."""
    folder = tmp_path_factory.mktemp("judged")
    telescope = {"config": {"instrument": "erosita", "mode": "survey"}}
    catalog = make_catalog(folder / "own", 120, spec=mass_spec(provenance=telescope))
    train(catalog, quick(epochs=1), folder / "run", workers=1)
    return folder


@pytest.fixture(scope="session")
def ablated(tmp_path_factory: pytest.TempPathFactory, judged: Path) -> tuple[Path, str]:
    """Where that run was trained without something, and what was printed; read only."""
    place = tmp_path_factory.mktemp("ablated") / "ablations"
    options = ["--only", "agn,redshift,shuffled", "--workers", 1]
    return place, printed("ablate", judged / "run", judged / "own", "-o", place, *options)


@pytest.fixture(scope="session")
def explained(
    tmp_path_factory: pytest.TempPathFactory, judged: Path, ablated: tuple[Path, str]
) -> tuple[Path, dict[str, Any], list[object]]:
    """A report on that run: its directory, what was printed as JSON, and the command; read only."""
    place = tmp_path_factory.mktemp("explained") / "out"
    command = [
        *("explain", judged / "run", judged / "own", "--ablations", ablated[0]),
        *(
            "--maps",
            "saliency, occlusion, saliency",
            "--sample",
            8,
            "--tested",
            3,
            "--seed",
            5,
            "--json",
        ),
    ]
    return place, json.loads(printed(*command, "-o", place)), command
