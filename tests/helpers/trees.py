"""What lies in a directory."""

from pathlib import Path

__all__ = ["files"]


def files(place: Path) -> dict[str, bytes]:
    """Return the bytes of all files below a directory, by their paths in it."""
    return {
        p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()
    }
