"""The numbers of the sky, read once from the TOML files that hold them with their sources."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["literature"]


@cache
def literature(name: str) -> dict[str, Any]:
    """Return the content of ``data/NAME.toml`` of this package, by its `name`.

    To be read and not written: it is kept for the next reader.
    """
    text = files("icmass.simulate.sky").joinpath("data", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)
