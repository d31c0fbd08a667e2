"""Damaged files are refused in one line that names them, or do no harm; none is believed.

Each file that a command reads is damaged a dozen times. The command must end with the answer that
it gives otherwise, or with status 2 and one line; never with a traceback, another answer, or not at
all. Run with ``-s`` to see how many were refused.
"""

import contextlib
import io
import json
import random
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

from icmass.catalog import Catalog
from icmass.cli import main
from icmass.errors import InputError
from icmass.estimate.training import train
from icmass.simulate.emission import SpectralTable
from icmass.simulate.instrument import Instrument
from icmass.simulate.instrument.ogip_read import read_arf, read_rmf
from icmass.simulate.instrument.ogip_write import write_arf, write_rmf
from icmass.simulate.lightcone import LightCone
from icmass.simulate.survey.plan import _open
from tests.faults.conftest import SURVEY
from tests.faults.damages import DAMAGES, damaged
from tests.faults.test_kills import contents
from tests.helpers.masses import QUICK, make_catalog, mass_spec
from tests.helpers.tiny_survey import write_config
from tests.helpers.trainings import KilledError, interrupt

pytestmark = pytest.mark.slow

ROUNDS = 2  # of each kind of damage to each file
PATIENCE_S = 120
PASSING = ("warning: ", "0 of ", "1 of ", "2 of ", "3 of ", "4 of ")  # a slow machine tells more
TRAIN = {**QUICK, "head": "gaussian", "recalibration": "none", "epochs": 2}
RIGHT = ("refused", "warned", "harmless")
Answer = Any


class RefusedError(Exception):
    """A command said that it cannot use something, as it should."""


class WarnedError(Exception):
    """A command used a file that people write anew, and said that it is not what it was."""


def command(*words: object) -> str:
    """Run the program in this process and return what it prints."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
    signal.signal(signal.SIGTERM, before)
    if stop.value.code:
        lines = [x for x in err.getvalue().splitlines() if not x.startswith(PASSING)]
        assert (stop.value.code, len(lines)) == (2, 1), err.getvalue()
        raise RefusedError(lines[0])
    if doubts := [x for x in err.getvalue().splitlines() if "checksums do not agree" in x]:
        raise WarnedError(doubts[0])
    return out.getvalue()


def arrays_of(path: Path) -> dict[str, bytes]:
    """Return all numbers in an HDF5 file."""
    found: dict[str, bytes] = {}
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


# What reads the files; each takes the world and a free folder and returns an answer.


def validate(world: Path, free: Path) -> Answer:
    return command("info", world / "own", "--validate", "--json")


def predict(world: Path, free: Path) -> Answer:
    try:
        printed = json.loads(command("predict", world / "run", world / "own", "--json"))
        return printed, arrays_of(world / "own" / "predictions" / "run.h5")
    finally:
        (world / "own" / "predictions" / "run.h5").unlink(missing_ok=True)


def predictions(world: Path, free: Path) -> Answer:
    found = Catalog.open(world / "own").predictions("mine")
    return found.quantity, {name: v.tobytes() for name, v in found.columns().items()}


def go_on_training(world: Path, free: Path) -> Answer:
    place = Path(shutil.copytree(world / "half", free / "half"))
    printed = command(
        "train", world / "own", "-c", world / "train.yaml", "-o", place, "--workers", 1, "--json"
    )
    return json.loads(printed)["metrics"], {
        path.relative_to(place): path.read_bytes() for path in place.rglob("*.safetensors")
    }


def go_on_with_catalog(world: Path, free: Path) -> Answer:
    command("simulate", "-c", world / "simulate.yaml", "-o", world / "mock", "--workers", 1)
    return contents(world / "mock")


def go_on_with_survey(world: Path, free: Path) -> Answer:
    _open.cache_clear()  # as in a new process
    command("survey", "-c", world / "survey.yaml", "-o", world / "sky", "--workers", 1)
    return contents(world / "sky" / "tiles")


def cut_out(world: Path, free: Path) -> Answer:
    sky = world / "sky"
    words = (
        *("cutouts", sky / "tiles", "--positions", sky / "haloes.fits", "--pixels", 8),
        *("--on-axis-map", sky / "exposure.fits", "--vignetted-fraction", 0.5, "--workers", 1),
    )
    command(*words, "--nh-map", sky / "column.fits", "-o", free / "cutouts")
    return [arrays_of(path) for path in sorted((free / "cutouts" / "shards").iterdir())]


def light_cone(world: Path, free: Path) -> Answer:
    return [column.tobytes() for column in LightCone.read(world / "cone.h5")._columns().values()]


def plasma(world: Path, free: Path) -> Answer:
    table = SpectralTable.load(world / "plasma.h5")
    return table.base.tobytes(), table.metal.tobytes(), table.kt_kev.tobytes(), table.meta


def response(world: Path, free: Path) -> Answer:
    area, matrix = read_arf(world / "my.arf"), read_rmf(world / "my.rmf").redistribution
    parts = (area.energy_edges_kev, area.area_cm2, matrix.probability, matrix.channel_edges_kev)
    return [part.tobytes() for part in parts]


@dataclass(frozen=True)
class Target:
    """A file, what reads it, whether the message must name it, and whether a warning will do."""

    file: str
    read: Callable[[Path, Path], Answer]
    named: bool = True
    rounds: int = ROUNDS
    warned: bool = False


TARGETS = (
    Target("own/shards/shard-000000.h5", validate),
    Target("own/shards/shard-000000.h5", predict),
    Target("own/manifest.json", validate),
    Target("own/manifest.json", predict, rounds=1),
    Target("own/predictions/mine.h5", predictions),
    Target("run/run.json", predict),
    Target("run/haloes.npy", predict),
    Target("run/fold-1/fold.json", predict),
    Target("run/fold-1/member-0/weights.safetensors", predict),
    Target("half/run.json", go_on_training, rounds=1),
    Target("half/fold-1/member-0/checkpoint.ckpt", go_on_training),
    Target("half/fold-0/member-0/weights.safetensors", go_on_training),
    Target("train.yaml", go_on_training, named=False),
    Target("mock/shards/shard-000001.h5", go_on_with_catalog, rounds=1),
    Target("mock/manifest.json", go_on_with_catalog, rounds=1),
    Target("simulate.yaml", go_on_with_catalog, named=False),
    Target("sky/survey.json", go_on_with_survey),
    Target("sky/exposure.fits", go_on_with_survey, rounds=1),
    Target("sky/column.fits", go_on_with_survey, rounds=1),
    Target("sky/footprint.fits", go_on_with_survey, rounds=1),
    Target("sky/lightcone.h5", go_on_with_survey, rounds=1),
    Target("sky/halo_light.fits", go_on_with_survey, rounds=1),
    Target("sky/tiles/*/tile.json", go_on_with_survey),
    Target("sky/tiles/*/events.fits", go_on_with_survey, rounds=1),
    Target("sky/tiles/*/background.fits", go_on_with_survey, rounds=1),
    Target("survey.yaml", go_on_with_survey, named=False),
    Target("telescope/erosita.toml", go_on_with_survey),
    Target("telescope/erosita_area.csv", go_on_with_survey),
    Target("sky/tiles/*/events.fits", cut_out),
    Target("sky/haloes.fits", cut_out, warned=True),
    Target("sky/exposure.fits", cut_out),
    Target("sky/column.fits", cut_out, rounds=1),
    Target("cone.h5", light_cone),
    Target("plasma.h5", plasma),
    Target("my.arf", response),
    Target("my.rmf", response),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with one of everything, small; files are damaged in place and mended."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("icmass.simulate.survey.summary.draw_pictures", lambda *_: [])
        _estimates(folder)
        _skies(folder)
        yield folder


def _estimates(folder: Path) -> None:
    catalog = make_catalog(folder / "own", 24, spec=mass_spec(galaxies=False, expectations=None))
    n = len(catalog)
    values = np.linspace(31.0, 35.0, n)
    catalog.write_predictions(
        "mine",
        values,
        np.full(n, 0.2),
        quantiles={0.16: values - 0.2},
        extra={"fold": np.arange(n)},
    )
    (folder / "train.yaml").write_text(yaml.safe_dump(TRAIN))
    config = ("-c", folder / "train.yaml", "--workers", 1)
    command("train", folder / "own", *config, "-o", folder / "run")
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(KilledError):
        interrupt(patch, 1, 0, after=True)
        from icmass.config import TrainConfig

        train(catalog, TrainConfig.parse(TRAIN), folder / "half", workers=1)
    (folder / "half" / "fold-0" / "fold.json").unlink()  # the moment before it is written


def _skies(folder: Path) -> None:
    from icmass.simulate.instrument import instrument as home

    (folder / "simulate.yaml").write_text(
        "clusters: 4\nparticles: 1000\npixels: 8\nrows_per_shard: 2\nexposure_s: 500\nagn: none\n"
    )
    go_on_with_catalog(folder, folder)
    shutil.copytree(Path(home.__file__).parent / "data", folder / "telescope")
    mine = str(folder / "telescope" / "erosita.toml")
    write_config(folder / "survey.yaml", **{**SURVEY, "instrument": mine, "particles": 2000})
    go_on_with_survey(folder, folder)
    shutil.copy(folder / "sky" / "lightcone.h5", folder / "cone.h5")
    SpectralTable.load().save(folder / "plasma.h5")
    erosita = Instrument.load("erosita").response("survey")
    write_arf(folder / "my.arf", erosita)
    write_rmf(folder / "my.rmf", erosita.redistribution)


def judge(target: Target, world: Path, free: Path, path: Path, right: Answer) -> str:
    """Say what becomes of a damaged file: refused, warned of, harmless, or what is wrong."""
    shutil.rmtree(free, ignore_errors=True)
    free.mkdir()
    try:
        return "harmless" if target.read(world, free) == right else "another answer"
    except (RefusedError, InputError) as error:
        said = str(error)
        named = path.name in said or path.parent.name in said or not target.named
        return "refused" if named and "\n" not in said else f"does not name it: {said}"
    except WarnedError as error:
        return "warned" if target.warned and path.name in str(error) else f"only said: {error}"
    except Exception:
        return traceback.format_exc(limit=-4)


class HangsError(Exception):
    """A command does not end."""


@contextlib.contextmanager
def patience() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise HangsError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def name_of(target: Target) -> str:
    return f"{target.read.__name__}-{target.file.replace('/', '_')}"


@pytest.mark.parametrize("target", TARGETS, ids=name_of)
def test_damaged_files(world: Path, tmp_path: Path, target: Target) -> None:
    path = min(world.glob(target.file))
    whole = path.read_bytes()
    free = tmp_path / "free"
    free.mkdir()
    right = target.read(world, free)
    rng = random.Random(name_of(target))
    counts: Counter[str] = Counter()
    wrong = []
    for kind in [kind for kind in DAMAGES for _ in range(target.rounds)]:
        path.write_bytes(damaged(whole, kind, rng))
        try:
            with patience():
                found = judge(target, world, free, path, right)
        finally:
            path.write_bytes(whole)
        counts[found if found in RIGHT else "wrong"] += 1
        if found not in RIGHT:
            wrong.append(f"{kind}: {found}")
    print(f"\n{name_of(target)}: {dict(counts)}")  # noqa: T201
    assert not wrong, "\n".join(wrong)
    assert counts["refused"] > 0
    shutil.rmtree(free)
    free.mkdir()
    assert target.read(world, free) == right  # and nothing of it stays


def test_there_are_enough() -> None:
    assert sum(target.rounds for target in TARGETS) * len(DAMAGES) >= 200


def test_without_checksums_damage_is_believed(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same judge finds another answer where shards are not compared with their checksums."""
    target = Target("own/shards/shard-000000.h5", predict)
    path = world / target.file
    whole = path.read_bytes()
    right = predict(world, tmp_path)
    monkeypatch.setattr("icmass.catalog.repairs.find_problems", lambda path: [])
    found = set()
    rng = random.Random(1)
    for _ in range(20):
        path.write_bytes(damaged(whole, "bit flipped", rng))
        found.add(judge(target, world, tmp_path / "free", path, right))
    path.write_bytes(whole)
    assert "another answer" in found
