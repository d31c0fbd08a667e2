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
