"""Jobs of the program in processes of their own, which end well, badly, or by a kill."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Ended", "Zygote"]

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 300.0  # far more than any job needs, also on a busy machine
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Ended:
    """How a job ended: its status (negative: the signal that killed it), its words, its time."""

    status: int
    out: str
    err: str
    seconds: float


class Zygote:
    """Starts jobs by forks of one process; see `tests.faults.zygote`.

    Parameters
    ----------
    folder : Path
        For what the jobs print.
    """

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        # Of numba's ways to run threads, OpenMP does not survive a fork.
        environment = {**os.environ, **_ONE_THREAD, "NUMBA_THREADING_LAYER": "workqueue"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def warm(self, *arguments: object) -> None:
        """Run a job in the process itself, so that its forks find everything loaded."""
        self._tell({"arguments": list(map(str, arguments)), "warm": True})
        assert self._answer() == 0, self._read("err")

    def run(
        self,
        *arguments: object,
        kill_after: float | None = None,
        number: int = signal.SIGKILL,
        **job: Any,
    ) -> Ended:
        """Run a job.

        Parameters
        ----------
        *arguments
            Of the program.
        kill_after : float, optional
            Seconds until its group of processes is sent a signal.
        number : int
            Of the signal.
        **job
            Further words: `fault` and `place` (see `tests.faults.file_faults`), `careless`.
        """
        begun = time.monotonic()
        self._tell({"arguments": list(map(str, arguments)), **job})
        pid = self._answer()
        if kill_after is not None and not self._ends_within(kill_after):
            os.killpg(pid, number)
        status = self._answer(pid)
        return Ended(status, self._read("out"), self._read("err"), time.monotonic() - begun)

    def count(self, *arguments: object, place: Path, **job: Any) -> tuple[Ended, int]:
        """Run a job, and return also how often it touched a file below a place."""
        ended = self.run(*arguments, place=str(place), fault={"kind": "count"}, **job)
        return ended, int(self._read("count"))

    def _tell(self, job: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        line = json.dumps({**job, "log": str(self.log)}) + "\n"
        self.process.stdin.write(line.encode())

    def _ends_within(self, seconds: float) -> bool:
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def _answer(self, pid: int | None = None) -> int:
        assert self.process.stdout is not None
        if not self._ends_within(_PATIENCE_S):
            if pid is not None:
                os.killpg(pid, signal.SIGKILL)
            raise AssertionError(f"a job hangs: {self._read('err')}")
        return int(self.process.stdout.readline())  # not buffered: `select` sees what is left

    def _read(self, name: str) -> str:
        return Path(f"{self.log}.{name}").read_text()
