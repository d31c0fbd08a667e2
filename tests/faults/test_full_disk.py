"""A full disk ends a command in one line that says so; what was finished stays, and it goes on.

The disk is filled in three ways: Python is told so from some file on; the kernel refuses to make
files longer than a limit, whoever writes them; and, for who may mount one, a small file system.
"""

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.jobs import Ended, Zygote
from tests.faults.test_kills import contents

pytestmark = pytest.mark.slow

# Command, what is copied into its place before, and its words; {in} is read only, {at} the place.
COMMANDS: dict[str, tuple[str, str]] = {
    "simulate": ("", "-c {in}/simulate.yaml -o {at}/out --workers 1"),
    "survey": ("", "-c {in}/survey.yaml -o {at}/out --workers 1"),
    "train": ("", "{in}/own -c {in}/train.yaml -o {at}/out --workers 1"),
    "predict": ("own", "{in}/run {at}/own"),
    "benchmark": ("", "{in}/own --suite tiny -o {at}/out --workers 1"),
    "explain": ("", "{in}/run {in}/own -o {at}/out --sample 8 --tested 3"),
    "observe": ("", "-c {in}/observe.yaml -o {at}/out"),
    "cutouts": ("", "{in}/sky/tiles --positions {in}/sky/haloes.fits --exposure 1600 "
                "--vignetted-fraction 0.5 -o {at}/out --pixels 8 --workers 1"),
}  # fmt: skip
RESUMED = ("simulate", "survey", "train", "benchmark", "cutouts")  # go on where they were
POINTS = 4  # at which Python is told that the disk is full, fewer for what is slow
CAUSES = r"no space is left|size limit is met"


@dataclass
class Job:
    """A command in a place of its own, and what it leaves there if all is well."""

    zygote: Zygote
    words: list[str]
    place: Path
    source: Path | None
    whole: dict[str, str]
    touched: int

    def prepare(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        if self.source is not None:
            shutil.copytree(self.source, self.place / self.source.name)

    def run(self, **options: object) -> Ended:
        ended = self.zygote.run(*self.words, place=f"{self.place}/", **options)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def refused(self, ended: Ended) -> bool:
        """Return whether a job was refused; it must have said why, in one line."""
        if ended.status == 0:
            return False
        assert ended.status == 2, ended.err
        lines = [line for line in ended.err.splitlines() if " per second" not in line]
        lines = [line for line in lines if not re.search(r": scatter \d", line)]
        assert len(lines) == 1, ended.err
        assert re.search(CAUSES, lines[0]), ended.err
        assert str(self.place) in lines[0]
        return True

    def finish(self) -> None:
        """Give the command again with room, and compare."""
        kept = {path: path.stat().st_ino for path in self.finished()}
        ended = self.run()
        assert ended.status == 0, ended.err
        assert contents(self.place) == self.whole
        if self.words[0] in RESUMED:
            assert {path: path.stat().st_ino for path in kept} == kept

    def finished(self) -> list[Path]:
        out = self.place / "out"
        patterns = ("shards/shard-*.h5", "tiles/[!.]*/*", "**/member-*/weights.safetensors")
        return [path for pattern in patterns for path in out.glob(pattern)]


@pytest.fixture(scope="module")
def jobs(zygote: Zygote, ingredients: Path, tmp_path_factory: pytest.TempPathFactory):
    """Give the job of a command; it is run twice at first, to warm up and to compare with."""
    made: dict[str, Job] = {}
    folder = tmp_path_factory.mktemp("jobs")

    def job(command: str) -> Job:
        if command in made:
            made[command].prepare()
            return made[command]
        if command == "cutouts" and not (ingredients / "sky").exists():
            survey = ("-c", ingredients / "survey.yaml", "-o", ingredients / "sky")
            zygote.warm("survey", *survey, "--workers", 1)
        source, text = COMMANDS[command]
        place = folder / command
        words = [w.format(**{"in": ingredients, "at": place}) for w in text.split()]
        one = Job(zygote, [command, *words], place, ingredients / source if source else None, {}, 0)
        one.prepare()
        zygote.warm(*one.words)
        one.prepare()
        ended, one.touched = zygote.count(*one.words, place=place)
        assert ended.status == 0, ended.err
        one.whole = contents(place)
        made[command] = one
        one.prepare()
        return one

    return job


@pytest.mark.parametrize("command", COMMANDS)
def test_python_is_told(jobs, command: str) -> None:
    job = jobs(command)
    rng = random.Random(command)
    points = 1 if command == "explain" else min(POINTS, job.touched)
    for at in sorted(rng.sample(range(1, job.touched + 1), points)):
        job.prepare()
        assert job.refused(job.run(fault={"kind": "full", "at": at}))
        assert not list(job.place.rglob("*.partial*"))
        job.finish()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_kernel_refuses(jobs, command: str) -> None:
    job = jobs(command)
    sizes = sorted({path.stat().st_size for path in whole_files(job)})
    refused = 0
    limits = (sizes[-1] - 1, sizes[len(sizes) // 2], 3000)
    for limit in limits[:1] if command == "explain" else limits:
        job.prepare()
        if job.refused(job.run(fault={"kind": "limit", "bytes": limit})):
            refused += 1
            job.finish()
        assert contents(job.place) == job.whole
    assert refused >= 1


def whole_files(job: Job) -> Iterator[Path]:
    """Make a job once and yield the files of its place."""
    assert job.run().status == 0
    yield from (path for path in job.place.rglob("*") if path.is_file())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("command", ["simulate", "survey", "train", "observe"])
def test_a_small_disk(jobs, small_disk: Path, command: str) -> None:
    job = jobs(command)
    there = Job(
        job.zygote,
        [word.replace(str(job.place), str(small_disk)) for word in job.words],
        small_disk,
        None,
        {},
        0,
    )
    refused = 0
    for free in (4096, 40_000, 150_000):
        fill = small_disk / "fill"
        fill.write_bytes(b"\0" * (os.statvfs(small_disk).f_bavail * 4096 - free))
        refused += there.refused(there.run())
        fill.unlink()
    assert refused >= 2
    ended = there.run()
    assert ended.status == 0, ended.err
    # The summary of a survey names its directory.
    found, whole = contents(small_disk), dict(job.whole)
    assert found.keys() == whole.keys()
    assert {k for k in found if found[k] != whole[k]} <= {"out/summary.json"}
