"""Runs that are killed at any moment go on when asked again, and end as if nothing had happened.

Each command is killed 50 times, workers and all: at random moments of its run, and as it touches a
file. Then the same command is given again. It must end well with the bytes of a run that was left
alone, must not make again what was finished, and must leave nothing behind.
"""

import hashlib
import random
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.runs import Run
from icmass.files import MANIFEST
from icmass.simulate.survey.make_tile import read_record
from tests.faults.jobs import Ended, Zygote

pytestmark = pytest.mark.slow

COMMANDS = ("simulate", "survey", "train")
CHUNKS = 5  # tests per command
TIMED, AIMED = 6, 4  # kills in each: at a random moment, and at a random file
KILLED = -signal.SIGKILL
PICTURES = "icmass.simulate.survey.summary.draw_pictures"  # half of the time of a tiny survey


@dataclass
class Trail:
    """One command, given again and again in one place."""

    zygote: Zygote
    command: str
    arguments: list[object]
    place: Path
    whole: dict[str, str]
    seconds: float
    touched: int
    without: tuple[str, ...]

    def run(self, **options: object) -> Ended:
        here = {"place": str(self.place), "without": self.without}
        ended = self.zygote.run(*self.arguments, **here, **options)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def kill(self, rng: random.Random, *, aimed: bool) -> Ended:
        if aimed:
            return self.run(fault={"kind": "kill", "at": rng.randint(1, self.touched)})
        return self.run(kill_after=rng.uniform(0.0, self.seconds))

    def finish(self) -> None:
        """Go on without a kill, and compare with the run that was left alone."""
        kept = self.finished()
        ended = self.run()
        assert ended.status == 0, ended.err
        assert contents(self.place) == self.whole
        assert {path: self.finished().get(path) for path in kept} == kept  # not made again

    def finished(self) -> dict[Path, tuple[int, int]]:
        """Return which files of finished pieces there are, and which file each is."""
        found = {path: path.stat() for path in finished_files(self.command, self.place)}
        return {path: (status.st_ino, status.st_mtime_ns) for path, status in found.items()}

    def check(self) -> None:
        """See that whatever a killed run has finished is whole."""
        CHECKS[self.command](self.place)


def finished_files(command: str, place: Path) -> list[Path]:
    if command == "simulate":
        return list(place.glob("shards/shard-*.h5"))
    if command == "survey":
        return list(place.glob("tiles/[!.]*/*"))
    return [*place.glob("fold-*/fold.json"), *place.glob("fold-*/member-*/weights.safetensors")]


def check_catalog(place: Path) -> None:
    if (place / MANIFEST).exists():
        Catalog.open(place).validate()


def check_survey(place: Path) -> None:
    for tile in place.glob("tiles/[!.]*"):
        record = read_record(tile)
        assert record is not None
        assert record.damage(tile) is None


def check_run(place: Path) -> None:
    if (place / "run.json").exists():
        run = Run.open(place, complete=False)
        for fold in filter(run.fold_done, range(run.config.folds)):
            run.load_fold(fold)


CHECKS = {"simulate": check_catalog, "survey": check_survey, "train": check_run}


def contents(place: Path) -> dict[str, str]:
    """Return everything that lies in a place, hidden or not, by a hash of its bytes."""
    return {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in place.rglob("*")
    }


@pytest.fixture(scope="module")
def trails(zygote: Zygote, ingredients: Path, tmp_path_factory: pytest.TempPathFactory):
    """Give the trail of a command; it is run twice at first, to warm up and to compare with."""
    made: dict[tuple[str, bool], Trail] = {}
    folder = tmp_path_factory.mktemp("trails")

    def trail(command: str, *, pictures: bool = False) -> Trail:
        name = (command, pictures)
        without = () if pictures else (PICTURES,)
        if name not in made:
            place = folder / command
            data = [ingredients / "own"] if command == "train" else []
            options = ["-c", ingredients / f"{command}.yaml", "-o", place, "--workers", 1]
            words = [command, *data, *options]
            zygote.warm(*words)
            shutil.rmtree(place)
            ended, touched = zygote.count(*words, place=place, without=without)
            assert ended.status == 0, ended.err
            made[name] = Trail(
                zygote, command, words, place, contents(place), ended.seconds, touched, without
            )
        shutil.rmtree(made[name].place, ignore_errors=True)
        return made[name]

    return trail


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_again_and_again(trails, command: str, chunk: int) -> None:
    trail = trails(command, pictures=chunk == 0)
    rng = random.Random(f"{command} {chunk}")
    wanted = [False] * TIMED + [True] * AIMED
    rng.shuffle(wanted)
    kills = 0
    for aimed in wanted:
        while True:
            kept = trail.finished()
            ended = trail.kill(rng, aimed=aimed)
            assert {path: trail.finished().get(path) for path in kept} == kept
            if ended.status == KILLED:
                break
            assert ended.status == 0, ended.err  # it was finished before its moment came
            assert contents(trail.place) == trail.whole
            shutil.rmtree(trail.place)
        kills += 1
        trail.check()
        if rng.random() < 0.3:
            trail.finish()
            shutil.rmtree(trail.place)
    trail.finish()
    assert kills == TIMED + AIMED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", COMMANDS)
def test_asked_to_stop(trails, command: str, number: signal.Signals) -> None:
    trail = trails(command)
    rng = random.Random(f"{command} {number}")
    stopped = 0
    while stopped < 5:
        ended = trail.run(kill_after=rng.uniform(0.05, 0.9 * trail.seconds), number=number)
        if ended.status == 0:
            shutil.rmtree(trail.place)
            continue
        assert ended.status == 128 + number, ended.err
        assert not list(trail.place.rglob("*.partial*"))  # it had time to clear away
        stopped += 1
        trail.check()
    trail.finish()


def test_a_careless_writer_is_caught(trails) -> None:
    """What writes under the final name at once does not stand the same kills."""
    trail = trails("train")
    caught = 0
    for at in range(2, trail.touched, 7):
        shutil.rmtree(trail.place, ignore_errors=True)
        trail.run(fault={"kind": "kill", "at": at}, careless=True)
        try:
            trail.check()
            trail.finish()
        except (AssertionError, InputError):  # other bytes, or a file that is refused
            caught += 1
    assert caught > 0
