"""Results appear under their name complete or not at all.

A result is written beside its place under a temporary hidden name, flushed to the disk and renamed
into place. A job that fails leaves nothing; one that is killed leaves at most the hidden sibling.
"""

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from icmass import __version__
from icmass.errors import InputError, OutputError

__all__ = [
    "MANIFEST",
    "PARTIAL",
    "atomic_write",
    "check_output",
    "checksum",
    "clear_partial",
    "require_directory",
    "staged_directory",
    "what_to_do",
    "write_text",
]

# Lists what a result directory holds. Its presence makes a directory ours to replace, and whatever
# it does not list is not ours to delete.
MANIFEST = "manifest.json"
# What a writer that is killed leaves behind.
PARTIAL = ".*.partial*"

_ADVICE = {
    errno.ENOSPC: "no space is left, or a size limit is met; free some, or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some space, or write elsewhere",
    errno.EFBIG: "a size limit is met; raise it (ulimit -f), or write elsewhere",
    errno.EACCES: "permission is denied; write to a directory that is yours",
    errno.EPERM: "the operation is not permitted; write to a directory that is yours",
    errno.EROFS: "the file system is read-only; write elsewhere",
    errno.EIO: "the device reports an input/output error; write elsewhere",
    errno.ELOOP: "its symbolic links lead in a circle; choose another name",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}
_HASH_STEP = 1 << 22  # bytes
# Libraries that report a full disk without its error number: astropy, HDF5, NumPy (a short write).
_FULL_DISK = re.compile(
    r"not enough space|no space left|errno = 2[78]|requested and \d+ written", re.I
)


@contextmanager
def staged_directory(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Write a directory that appears at once and complete when the block ends.

    Parameters
    ----------
    path : str or Path
        Where the directory shall appear; its parent must exist.
    overwrite : bool
        Whether a directory that an earlier job wrote there may be replaced.

    Yields
    ------
    Path
        Temporary directory to write into. A manifest of its files is added at the end.

    Raises
    ------
    OutputError
        If the place is taken or unusable, or the disk fills up.
    """
    target = check_output(path, overwrite=overwrite)
    stage = _sibling(target, "partial")
    with _explained(target):
        try:
            _make(stage, path)
            yield stage
            _write_manifest(stage)
            _flush_tree(stage)
            _put_directory(stage, target)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise


@contextmanager
def atomic_write(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Write a file that appears at once and complete when the block ends.

    Parameters
    ----------
    path : str or Path
        Where the file shall appear; its parent must exist.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        Temporary file to write, with the suffix of `path`.

    Raises
    ------
    OutputError
        If the place is taken or unusable, or the disk fills up.
    """
    target = _place(path)
    if target.is_dir():
        raise OutputError(f"{path}: must be a file; got a directory. Choose another name.")
    if target.exists() and not target.is_file():  # a device or pipe, which a file would replace
        raise OutputError(f"{path}: must be a file; got a device or pipe. Choose another name.")
    if target.exists() and not overwrite:
        raise OutputError(f"{path}: already exists. Choose another name, or give --overwrite.")
    stage = _sibling(target, "partial")
    stage = stage.with_name(stage.name + target.suffix)
    with _explained(target):
        try:
            yield stage
            _flush(stage)
            stage.replace(target)
            _flush(target.parent)
        except BaseException:
            stage.unlink(missing_ok=True)
            raise


def clear_partial(*folders: Path) -> None:
    """Remove what killed writers left in `folders`, into which nobody else may write meanwhile."""
    for folder in folders:
        for stage in folder.glob(PARTIAL):
            if _is_plain_folder(stage):
                shutil.rmtree(stage, ignore_errors=True)
            else:
                stage.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a text into a file, which appears at once and complete.

    Parameters
    ----------
    path : Path
        Where the file shall appear; its parent must exist.
    text : str
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the place is taken or unusable, or the disk fills up.
    """
    with atomic_write(path, overwrite=overwrite) as stage:
        stage.write_text(text, encoding="utf-8")


def require_directory(path: Path) -> None:
    """Refuse a `path` where no directory can be: a file, or one whose parent does not exist.

    Raises
    ------
    OutputError
        Saying which.
    """
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path}: must be a directory; it is a file. Choose another name.")
    if not path.resolve().parent.is_dir():
        raise OutputError(f"{path}: {_without_folder(path.resolve().parent, path.parent)}")


def check_output(path: str | Path, *, overwrite: bool | None = False) -> Path:
    """Return the resolved place of a result directory `path`, or say why it cannot be written.

    Cheap: long jobs call it before they start. With `overwrite` the place may hold a directory
    that an earlier job wrote; None is that of jobs that never replace one.

    Raises
    ------
    OutputError
        If the parent is missing or not writable, or the place is taken and not ours to replace.
    """
    target = _place(path)
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: cannot be written; {_ADVICE[errno.EACCES]}.")
    if not target.exists():
        _try_out(target, path)
        return target
    if not target.is_dir():
        raise OutputError(f"{path}: must be a directory; got a file. Choose another name.")
    if not overwrite:
        more = "" if overwrite is None else ", or give --overwrite"
        raise OutputError(f"{path}: already exists. Choose another name{more}.")
    stranger = _first_stranger(target)
    if stranger is not None:
        raise OutputError(
            f"{path}: --overwrite replaces only what icmass wrote; it holds '{stranger}'. "
            "Choose another name, or remove the directory yourself."
        )
    return target


def checksum(path: Path) -> str:
    """Return the SHA-256 of the file at `path` in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_STEP):
            digest.update(block)
    return digest.hexdigest()


def _place(path: str | Path) -> Path:
    """Absolute path of a result whose parent exists; a link is followed to what it stands for."""
    try:
        target = Path(path).resolve()
        target.exists()
    except RuntimeError as error:  # what Python 3.11 and 3.12 make of a loop
        raise OutputError(f"{path}: cannot be written; {_ADVICE[errno.ELOOP]}.") from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, f"{error.strerror}; choose another name")
        raise OutputError(f"{path}: cannot be written; {advice}.") from error
    if target.is_symlink():  # what later Pythons make of it
        raise OutputError(f"{path}: cannot be written; {_ADVICE[errno.ELOOP]}.")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: {_without_folder(target.parent, target.parent)}")
    return target


def _without_folder(folder: Path, name: Path) -> str:
    """Say what to do about a result whose `folder`, called `name`, is none."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        return f"its folder cannot be; {there} is a file. Choose another name."
    return f"its folder does not exist; create it: mkdir -p {name}"


def _try_out(target: Path, path: str | Path) -> None:
    """Make a directory beside the target and remove it: some places take none, whoever asks."""
    probe = _sibling(target, "partial")
    with _explained(target):
        try:
            _make(probe, path)
        finally:
            with suppress(OSError):
                probe.rmdir()


def _make(stage: Path, path: str | Path) -> None:
    try:
        stage.mkdir()
    except FileNotFoundError as error:
        raise OutputError(
            f"{path}: its folder is gone, or takes no directory; write elsewhere."
        ) from error


def _sibling(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{kind}")


def _first_stranger(directory: Path) -> str | None:
    """Name of something in `directory` that no job of ours wrote, or None."""
    try:
        listed = json.loads((directory / MANIFEST).read_text())["files"]
        ours = {directory / MANIFEST, *(directory / name for name in listed)}
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    strangers = (
        entry for entry in directory.rglob("*") if entry not in ours and not _is_plain_folder(entry)
    )
    return next((entry.relative_to(directory).as_posix() for entry in strangers), None)


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write_manifest(stage: Path) -> None:
    files = sorted(entry.relative_to(stage).as_posix() for entry in stage.rglob("*"))
    names = [name for name in files if not _is_plain_folder(stage / name)]
    text = json.dumps({"written_by": f"icmass {__version__}", "files": names}, indent=1)
    (stage / MANIFEST).write_text(text + "\n")


def _put_directory(stage: Path, target: Path) -> None:
    """Rename `stage` to `target`; what is there is moved aside, and removed when all went well."""
    if not target.exists():
        stage.rename(target)
        _flush(target.parent)
        return
    aside = _sibling(target, "old")
    target.rename(aside)
    try:
        stage.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    _flush(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _flush_tree(directory: Path) -> None:
    for entry in directory.rglob("*"):
        if not entry.is_symlink():
            _flush(entry)
    _flush(directory)


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot flush directories
            raise
    finally:
        os.close(handle)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Turn failures of the file system into one line that says what to do."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        advice = what_to_do(error)
        if advice is None:
            raise
        raise OutputError(f"{target}: cannot be written; {advice}.") from error


def what_to_do(error: BaseException | None) -> str | None:
    """Look up what to do about a failed write along the chain of causes of `error`."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _ADVICE:
            return _ADVICE[error.errno]
        if _FULL_DISK.search(str(error)):
            return _ADVICE[errno.ENOSPC]
        error = error.__cause__ or error.__context__
    return None
