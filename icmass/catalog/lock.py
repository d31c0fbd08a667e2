"""One writer per directory: a lock of the system, which ends with the process that took it.

A lock file that a killed run left behind therefore stops nobody.
"""

import fcntl
import os
import platform
from pathlib import Path
from types import TracebackType
from typing import Final

from icmass.errors import OutputError

__all__ = ["LOCK", "DirectoryLock"]

LOCK: Final = ".lock"


class DirectoryLock:
    """Context manager that can be entered again by its holder.

    Parameters
    ----------
    directory : Path
        Existing directory; a hidden file is made in it.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK
        self._depth = 0
        self._handle = -1

    def __enter__(self) -> "DirectoryLock":
        if self._depth == 0:
            self._take()
        self._depth += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            os.ftruncate(self._handle, 0)  # what stays does not depend on the process
            os.close(self._handle)

    def _take(self) -> None:
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OutputError(
                f"{self._path.parent}: cannot be written: {error.strerror}. "
                "Write to a directory that is yours."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise OutputError(
                f"{self._path.parent}: another run writes into it ({holder}). "
                "Wait for it, or choose another directory."
            ) from None
        except OSError as error:
            os.close(handle)
            raise OutputError(
                f"{self._path.parent}: cannot be locked: {error.strerror}. "
                "Write to a file system that has locks."
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {platform.node()}".encode(), 0)
        self._handle = handle
