"""Whatever is typed behind `icmass`: an answer, or one line and status 2, and nothing left behind.

The tree of commands is walked, so that a new option is tried without being named here. Work that
takes long is replaced by `Reached`: a command that comes so far has taken its arguments.
"""

import contextlib
import io
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import icmass.workers
from icmass.cli.main import app, main
from icmass.estimate.training import train
from tests.helpers.masses import make_catalog, quick
from tests.helpers.round_cluster import write_snapshot
from tests.properties.contract import assert_one_line, bounded, examples
from tests.simulate.cutouts.files import CENTRE, sky_photons, write_own


class Reached(BaseException):
    """The long work would begin."""


def commands(command: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """All commands of a tree by what is typed for them."""
    if not hasattr(command, "commands"):
        return {" ".join(path): command}
    found: dict[str, Any] = {}
    for name, below in command.commands.items():
        found |= commands(below, (*path, name))
    return found


COMMANDS = commands(typer.main.get_command(app))

# What is right here or there, so that options are also met by those they belong to.
PATHS = [
    *("given/catalog", "given/run", "given/events.fits", "given/positions.csv", "given/snap.hdf5"),
    *("given/picture.fits", "given/empty.fits", "given/notes.txt", "given/job.yaml", "given"),
    *("absent", "absent/file", ".", "..", "", "/dev/null", "/dev/full", "/dev/zero", "/dev"),
    *("/proc/self/mem", "~nobody/file", "given/*.fits", "given/[", "x" * 300, "a/" * 3000),
    *(
        "-",
        "--",
        "given/job.yaml/file",
        "given/loop",
        "given/catalog/manifest.json",
        "né\u202e.fits",
    ),
]
WORDS = [
    *("erosita", "survey", "cpu", "point", "flow", "resnet", "profile", "bands", "all", "redshift"),
    *(
        "redshift < 0.3",
        "flags has BLENDED",
        "quick",
        "m500c=1e13 Msun",
        "ra=",
        "=",
        "length=Mpc/h",
    ),
    *("soft=0.5-2.0", "soft=2-1", "2-1", "soft=a-b", "=1-2", "x,y", "1,2,3", "0,0,0", "nan,1,2"),
    *("core,agn", "saliency", "erass", "healpix:17", "healpix:0", "healpix:1e9", "healpix:-2"),
    *("cone:45,0.6,0.2", "cone:400,0,1", "cone:1,2,400", "cone:1,nan,1", "cone:1,2", "box:1,1,1,1"),
    *(
        "|b|>20",
        "|b|>nan",
        "map:given/picture.fits",
        "moc:given/notes.txt",
        "pixels:",
        "moc:/dev/zero",
    ),
    *(
        "flat:1000",
        "flat:1e400",
        "flat:",
        "flat:-1",
        "scan:1",
        "scan:nan",
        "scan:0",
        "model",
        "3e20",
    ),
    *("tcp://127.0.0.1:1", "0xFF", "\x1b[31m", "é", "a\nb", "[bold]", "{0}", "%s", "None", "true"),
]
NUMBERS = [
    *("0", "1", "-1", "2", "7", "0.5", "-3", "nan", "inf", "-inf", "1e400", "-1e400", "1e-400"),
    *("10000000000000000000000", "1e9", "0x10", "1_000", "٣", "", " ", "1,5", "9" * 5000),
]
anything = st.one_of(
    st.sampled_from(PATHS),
    st.sampled_from(WORDS),
    st.sampled_from(NUMBERS),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12),
)
GOOD = {
    "catalog": ["given/catalog"],
    "catalogs": ["given/catalog"],
    "run": ["given/run"],
    "snapshot": ["given/snap.hdf5"],
    "events": ["given/events.fits"],
    "positions": ["given/positions.csv", "given/events.fits"],
    "config": ["given/job.yaml"],
    "output": ["out", "out/deep", "given", "given/catalog", "given/notes.txt"],
    "plot": ["plot.png", "plot.xyz", "given/notes.txt"],
    "footprint": ["cone:45,0.6,0.2"],
    "exposure": ["flat:1000", "1000"],
    "seed": ["3"],
    "workers": ["1", "2", "0"],
    "min_mass": ["1e15"],
    "band": ["soft=0.5-2.0", "1"],
    "where": ["redshift < 0.3", "detected"],
}


@st.composite
def arguments(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A command and what is typed behind it."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    typed: list[str] = []
    for parameter in COMMANDS[name].params:
        is_option = parameter.opts[0].startswith("-")
        if parameter.name == "help" or (is_option and not draw(_share(parameter.required, 0.2))):
            continue
        if is_option:
            flags = [*parameter.opts, *parameter.secondary_opts]
            typed.append(draw(st.sampled_from(flags)))
            if parameter.is_flag:
                continue
        elif not draw(_share(True, 0.95)):
            continue
        value = st.one_of(anything, st.sampled_from(GOOD.get(parameter.name, NUMBERS)))
        count = parameter.nargs if parameter.nargs > 0 else draw(st.integers(1, 2))
        typed.extend(draw(value) for _ in range(count))
        if is_option and draw(st.integers(0, 9)) == 0:  # once more
            typed.extend([parameter.opts[0], draw(value)])
    return name, typed


def _share(usual: bool, share: float) -> st.SearchStrategy[bool]:
    """Usually true, or true in a share of the draws."""
    return st.integers(1, 100).map(lambda number: number <= (95 if usual else 100 * share))


def _reached(*given: object, **named: object) -> Any:
    raise Reached


class _Crew:
    submit = staticmethod(_reached)


@contextlib.contextmanager
def _crew(*given: object) -> Iterator[Any]:
    yield _Crew()


LONG = (
    "icmass.simulate.observing.observe",
    "icmass.simulate.survey.setting.draw_light_cone",
    "icmass.simulate.survey.setting.scan_exposure",
    "icmass.simulate.survey.plan.mean_light",
    "icmass.simulate.emission.build_builtin.build_builtin",
    "icmass.catalog.figure.save_figure",
    "icmass.workers._dask",
    "icmass.workers._Here.submit",
)


@pytest.fixture(scope="module")
def given_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with something of each kind."""
    place = tmp_path_factory.mktemp("fuzz") / "given"
    place.mkdir()
    catalog = make_catalog(place / "catalog", 120)
    train(catalog, quick(epochs=1), place / "run", workers=1)
    write_own(place / "events.fits", sky_photons(300))
    (place / "positions.csv").write_text(f"ra,dec,z,id\n{CENTRE[0]},{CENTRE[1]},0.2,1\n")
    write_snapshot(place / "snap.hdf5")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(place / "picture.png")
    (place / "picture.png").rename(place / "picture.fits")
    (place / "empty.fits").touch()
    (place / "notes.txt").write_text("nothing of use\n")
    (place / "job.yaml").write_text("seed: 3\n")
    (place / "loop").symlink_to("loop")
    return place


@pytest.fixture
def shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LONG:
        monkeypatch.setattr(name, _reached, raising=True)
    monkeypatch.setattr(icmass.workers, "_processes", _crew)


def run(typed: list[str]) -> tuple[int | str, str, str]:
    """Run the program here; its status, or "reached", and what it prints."""
    output, errors = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), bounded():
            main(typed)
    except SystemExit as stop:
        return stop.code, output.getvalue(), errors.getvalue()
    except Reached:
        return "reached", output.getvalue(), errors.getvalue()
    finally:
        signal.signal(signal.SIGTERM, before)
    raise AssertionError("the program must exit")


def entries(place: Path) -> dict[str, tuple[int, int]]:
    """Everything below a folder: size and time of change, 0 for folders."""
    found = {}
    for path in place.rglob("*"):
        status = path.lstat()
        plain = not path.is_dir() or path.is_symlink()
        name = path.relative_to(place).as_posix()
        found[name] = (status.st_size, status.st_mtime_ns) if plain else (0, 0)
    return found


def check(given_files: Path, tmp: Path, typed: list[str]) -> tuple[int | str, str, str]:
    """Run the program in a new folder and hold it to what it promises."""
    place = tmp / "place" / "here"
    shutil.copytree(given_files, place / "given", symlinks=True)
    home = Path.cwd()
    os.chdir(place)
    devices = {name: Path(name).stat().st_mode for name in ("/dev/null", "/dev/full", "/dev/zero")}
    before = entries(tmp)
    try:
        status, out, err = run(typed)
        after = entries(tmp)
    finally:
        os.chdir(home)
        shutil.rmtree(tmp / "place")
    assert status in (0, 2, 3, "reached"), (status, err)  # 3: some rows failed
    assert "Traceback" not in out + err
    if status == 2:
        lines = [line for line in err.splitlines() if not line.startswith("warning: ")]
        assert len(lines) == 1, err
        assert_one_line(lines[0])
        assert out == ""
        assert after == before, sorted(set(before.items()) ^ set(after.items()))
    for name, mode in devices.items():
        assert Path(name).stat().st_mode == mode
    assert not [name for name in after if name != "place" and "place/here" not in name]
    return status, out, err


@examples(250)
@given(arguments())
def test_anything_typed(shortened, given_files, tmp_path_factory, drawn):
    name, typed = drawn
    check(given_files, tmp_path_factory.mktemp("run"), [*name.split(), *typed])
