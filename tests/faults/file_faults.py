"""What comes upon a job when it touches a file: a count, a kill, or the news of a full disk.

Python announces each file that it opens or renames to the hooks of `sys.addaudithook`; such a hook
is for the rest of the process, so these are for processes made for one job.
"""

import errno
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

__all__ = ["install", "write_in_place"]

_CHANGES = {"os.rename", "os.mkdir", "os.truncate", "os.link", "os.symlink"}
_HALF = "icmass.tests.half_written"


class _Faults:
    """Counts what a job does to files below a place; at the right number it strikes.

    Parameters
    ----------
    place : str
        Folder that is watched.
    fault : dict
        kind "count" (only count), "kill" (end the group of processes) or "full" (from then on there
        is no space), and the number `at` which it strikes.
    """

    def __init__(self, place: str, fault: dict[str, Any]) -> None:
        self.place, self.kind, self.at = place, fault["kind"], fault.get("at", 0)
        self.count = 0

    def hook(self, event: str, words: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = words
        elif event in _CHANGES or event == _HALF:
            path, mode, flags = words[0], "x", 0
        else:
            return
        if not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(self.place):
            return
        # Without a mode it is os.open: to read, which only a flush does, or to write (a lock).
        flushed = event == "open" and mode is None and not os.path.isdir(path)
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or event != "open"
        if flushed or writes:
            self.count += 1
            if self.kind == "kill" and self.count == self.at:
                self.kill(os.fspath(path), flushed)
            if self.kind == "full" and self.count >= self.at > 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    def kill(self, path: str, flushed: bool) -> None:
        """End the job; what was not flushed may be on the disk in part only."""
        self.kind = "done"
        if flushed and os.path.isfile(path) and os.path.basename(path) != ".lock":
            os.truncate(path, os.path.getsize(path) // 2)
        os.killpg(0, signal.SIGKILL)


def install(place: str, fault: dict[str, Any]) -> _Faults:
    """Let a fault come upon this process."""
    faults = _Faults(place, fault)
    if fault["kind"] == "limit":  # the kernel refuses to make a file longer, whoever writes it
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault["bytes"], resource.RLIM_INFINITY))
        return faults
    _write_by_halves()
    sys.addaudithook(faults.hook)
    return faults


def _write_by_halves() -> None:
    """Let short texts reach the disk in two steps, so that something can happen between them."""

    def write_text(self: Path, text: str, *_: Any, **__: Any) -> int:
        data, half = text.encode(), len(text) // 2
        with self.open("wb") as file:
            file.write(data[:half])
            file.flush()
            sys.audit(_HALF, str(self))
            file.write(data[half:])
        return len(text)

    Path.write_text = write_text  # type: ignore[method-assign, assignment]


def write_in_place() -> None:
    """Let results be written under their own names at once, as a careless program does."""
    import icmass.files

    def same(target: Path, kind: str) -> Path:
        return target.with_suffix("")  # atomic_write adds the suffix again

    icmass.files._sibling = same  # type: ignore[assignment]
