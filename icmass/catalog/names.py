"""Names that users give, looked up among those of a catalog."""

from collections.abc import Sequence

from icmass.errors import InputError
from icmass.names import nearest

__all__ = ["known"]


def known(what: str, name: str, names: Sequence[str]) -> int:
    """Return the place of a name in `names`.

    Parameters
    ----------
    what : str
        What is named, for the message, such as ``column``.
    name : str
        As the user wrote it.
    names : sequence of str
        Those that there are.

    Raises
    ------
    InputError
        If it is not among them.
    """
    if name not in names:
        raise InputError(f"{what} '{name}': is not in the catalog; {nearest(name, names)}.")
    return list(names).index(name)
