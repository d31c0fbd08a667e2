"""Names that users give, looked up; what is near to an unknown one is suggested."""

import difflib
from collections.abc import Sequence

from icmass.errors import InputError

__all__ = ["known", "nearest"]


def known(what: str, name: str, names: Sequence[str]) -> int:
    """Return the place of a name in `names`.

    Raises
    ------
    InputError
        If it is not among them.
    """
    if name not in names:
        raise InputError(f"{what} '{name}': is not in the catalog; {nearest(name, names)}.")
    return list(names).index(name)


def nearest(name: str, names: Sequence[str]) -> str:
    """Say which of `names` may have been meant, or list them."""
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean '{near[0]}'"
    return f"known: {', '.join(names)}" if names else "there are none"
