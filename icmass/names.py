"""Names that users give: which of the known ones may have been meant by an unknown one."""

import difflib
from collections.abc import Sequence

__all__ = ["nearest"]


def nearest(name: str, names: Sequence[str]) -> str:
    """Say which of `names` may have been meant by `name`, or list them."""
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean '{near[0]}'"
    return f"known: {', '.join(names)}" if names else "there are none"
