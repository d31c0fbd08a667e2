"""Names of files in a report: plain, so that none leaves its folder."""

import re
from typing import Final

from icmass.errors import InputError

__all__ = ["check_name"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_name(what: str, name: str) -> None:
    """Accept a `name` of lower-case letters, digits, hyphens and underscores.

    `what` says in the message what it names.

    Raises
    ------
    InputError
        If it is another.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{what}: must be lower-case letters, digits, - and _, up to 64; got {name!r}. "
            "Rename it."
        )
