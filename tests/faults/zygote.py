"""A process that has loaded and warmed everything, and starts each job of the program by a fork.

Loading takes seconds and a job here less than one, so fifty kills take a minute and not ten. As a
module it reads jobs, a line of JSON each, and answers each with the number of the process, which
leads a group of its own, and, when it has ended, with its status.
"""

import gc
import importlib
import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any, Final

__all__ = ["main"]

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Read jobs until there are no more."""
    import torch

    torch.set_num_threads(1)
    _add_tiny_suite()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        job = json.loads(line)
        if job.get("warm"):
            _write_to(job["log"])
            answers.write(f"{_run(job['arguments'])}\n")
            gc.freeze()
        else:
            signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # until the child can take them
            pid = os.fork()
            if not pid:
                _child(job)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            with suppress(OSError):  # the child does it too: whoever comes first
                os.setpgid(pid, pid)
            answers.write(f"{pid}\n")
            answers.flush()
            answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        answers.flush()


def _add_tiny_suite() -> None:
    """Let the benchmark know a suite of a second, named tiny."""
    from icmass.estimate import regression
    from icmass.estimate.benchmark import SUITES, Suite
    from icmass.estimate.benchmark.suites import TrainedRow

    row = TrainedRow("profile", "profile, one band", {"network": "profile", "inputs": ["all"]})
    common = {"validation": 0.4, "epochs": 1, "schedule": "constant"}
    SUITES["tiny"] = Suite("tiny", "tiny: for tests", 2, None, 3, common, rows=(row,))
    regression._PENALTIES = (1.0, 100.0)


def _child(job: dict[str, Any]) -> None:
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        _write_to(job["log"])
        sys.stdin.close()
        _prepare(job)
        status = _run(job["arguments"])
    except SystemExit as stop:  # a signal that came before or after the program
        status = int(stop.code or 0)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _write_to(log: str) -> None:
    for number, name in ((1, "out"), (2, "err")):
        handle = os.open(f"{log}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)
        os.close(handle)


def _prepare(job: dict[str, Any]) -> None:
    from tests.faults import file_faults

    for name in job.get("without", ()):  # functions whose work is left out
        module, _, function = name.rpartition(".")
        setattr(importlib.import_module(module), function, lambda *_: [])
    if job.get("careless"):
        file_faults.write_in_place()
    if job.get("fault"):
        faults = file_faults.install(job["place"], job["fault"])
        if job["fault"]["kind"] == "count":
            _COUNTED.append((faults, f"{job['log']}.count"))


_COUNTED: list[tuple[Any, str]] = []


def _run(arguments: list[str]) -> int:
    """Run the program as a process would and return its status."""
    from icmass.cli import main as program

    try:
        program(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        for faults, path in _COUNTED:
            with open(path, "w") as file:
                file.write(str(faults.count))
    return 0


if __name__ == "__main__":
    main()
