"""Which files make up a snapshot: one file, a folder, a pattern, or the stem of a numbered set."""

import difflib
import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from icmass.errors import InputError

__all__ = ["snapshot_files", "snapshot_name"]

HDF5_SUFFIXES = (".hdf5", ".h5", ".hdf")


def snapshot_files(path: str | Path) -> list[Path]:
    """List the files of a snapshot in the order of their numbers.

    Parameters
    ----------
    path : str or Path
        A file; a folder that holds one snapshot; a pattern with ``*``, ``?`` or ``[``; or the stem
        ``snap_000`` of ``snap_000.0``, ``snap_000.1.hdf5`` and so on.

    Returns
    -------
    list of Path
        At least one file.

    Raises
    ------
    InputError
        If nothing is there; the message names the nearest existing file.
    """
    path = Path(os.path.expanduser(path))  # which leaves a user that is unknown as it is
    if path.is_file():
        return [path]
    if path.is_dir():
        files = [p for p in sorted(path.iterdir()) if p.is_file() and not p.name.startswith(".")]
        files = [p for p in files if p.suffix in HDF5_SUFFIXES] or files
        if not files:
            raise InputError(f"{path}: must hold the files of a snapshot; the folder is empty.")
        stems = {re.sub(r"\.\d+(\.[A-Za-z]\w*)?$", "", p.name) for p in files}
        if len(stems) > 1:
            raise InputError(
                f"{path}: must hold one snapshot; got {len(stems)}: {sorted(stems)[:4]}. "
                f"Give one of the files, or a pattern such as '{path}/snap_099.*'."
            )
        return sorted(files, key=_number)
    found = [Path(p) for p in glob.glob(str(path))]
    found = found or [Path(p) for p in glob.glob(glob.escape(str(path)) + ".[0-9]*")]
    if not found:
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=1)
        hint = f" Did you mean '{path.parent / near[0]}'?" if near else ""
        raise InputError(f"{path}: must be a file, folder or pattern; nothing is there.{hint}")
    files = sorted((p for p in found if p.is_file()), key=_number)
    if not files:
        what = "a folder" if found[0].is_dir() else "a device or pipe"
        raise InputError(f"{path}: must be a file, folder or pattern; {what} is there.")
    return files


def snapshot_name(files: Sequence[Path]) -> str:
    """Return what messages call the snapshot of `files`: the first, and how many more."""
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def _number(path: Path) -> tuple[str, int]:
    """Sort key: the stem, then the number of the file."""
    match = re.search(r"^(.*?)\.?(\d+)(\.[A-Za-z]\w*)?$", path.name)
    return (match.group(1), int(match.group(2))) if match else (path.name, 0)
