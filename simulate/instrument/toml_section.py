"""Read a TOML file whose every key is asked for: missing, mistyped and left-over ones are errors.

A `Section` hands out values by name and type and remembers the names, so that a misspelt key is
reported together with the key that was meant.
"""

import tomllib
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from icmass.errors import InputError

__all__ = ["Section", "read_toml"]

T = TypeVar("T")


def read_toml(path: Path) -> "Section":
    """Open the TOML file at `path` as a section.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
        _refuse_huge(values)
        return Section(values, f"{path}")
    except FileNotFoundError:
        raise InputError(f"{path}: must be an existing TOML file; no such file.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: must be a TOML file; cannot read it ({error}).") from error


def _refuse_huge(value: Any) -> None:
    """Raise ValueError if there is a whole number that TOML does not have: beyond 64 bits."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _refuse_huge(part)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("whole numbers must have at most 64 bits")


class Section:
    """One table of a TOML file.

    Parameters
    ----------
    values : dict
        The table.
    where : str
        File and path of the table, for messages.
    """

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self._values = values
        self.where = where
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._values

    def _get(self, key: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
        if key not in self:
            if default is None:
                raise InputError(f"{self.where}: must have the key '{key}' ({what}); it has none.")
            return default
        value = self._values[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InputError(f"{self.where}: '{key}' must be {what}; got {value!r}.")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string under `key`; without `default` the key must be there."""
        return str(self._get(key, str, "a text", default))

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Return true or false under `key`; without `default` the key must be there."""
        return bool(self._get(key, bool, "true or false", default))

    def number(self, key: str, default: float | None = None, *, above: float = -np.inf) -> float:
        """Return the number under a key.

        Parameters
        ----------
        key : str
            Its name.
        default : float, optional
            Where the key is absent; without it the key must be there.
        above : float
            What the number must be larger than.

        Raises
        ------
        InputError
            If the key is missing, or holds no finite number above that.
        """
        value = float(self._get(key, (int, float), "a number", default))
        if not above < value < np.inf:
            raise InputError(
                f"{self.where}: '{key}' must be a finite number above {above:g}; got {value}."
            )
        return value

    def numbers(
        self, key: str, size: int | None = None, *, above: float = -np.inf, ascending: bool = False
    ) -> np.ndarray:
        """Return the list of numbers under a key, which must be there.

        Parameters
        ----------
        key : str
            Its name.
        size : int, optional
            How many numbers there must be; any, but at least one, by default.
        above : float
            What each must be larger than.
        ascending : bool
            Whether each must be larger than the one before.

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        InputError
            If the key is missing, or the numbers are not as they must be.
        """
        value = self._get(key, list, "a list of numbers", None)
        good = all(isinstance(x, int | float) and not isinstance(x, bool) for x in value)
        array = np.asarray(value if good else [], dtype=np.float64)
        if array.size == 0 or not np.all(np.isfinite(array) & (array > above)):
            raise InputError(
                f"{self.where}: '{key}' must be a list of finite numbers above {above:g}; "
                f"got {value!r}."
            )
        if size is not None and array.size != size:
            raise InputError(f"{self.where}: '{key}' must have {size} numbers; got {array.size}.")
        if ascending and np.any(np.diff(array) <= 0.0):
            raise InputError(f"{self.where}: '{key}' must ascend; got {value!r}.")
        return array

    def section(self, key: str) -> "Section":
        """Return the table under `key`, which must be there."""
        return Section(self._get(key, dict, "a table", None), f"{self.where} [{key}]")

    def sections(self, key: str) -> list["Section"]:
        """Return the tables of the array of tables under `key`; none if it is absent."""
        found = self._get(key, list, "an array of tables", [])
        return [Section(x, f"{self.where} [[{key}]] number {i}") for i, x in enumerate(found, 1)]

    def build(self, make: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call a function; its InputError gets the file and table in front.

        Parameters
        ----------
        make : callable
            What to call, such as the class of a part.
        *args, **kwargs
            What to call it with.

        Returns
        -------
        object
            What it returns.

        Raises
        ------
        InputError
            If it does.
        """
        try:
            return make(*args, **kwargs)
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from error

    def done(self) -> None:
        """Raise InputError if the table holds a key that was never asked for."""
        for key in self._values:
            if key in self._asked:
                continue
            near = get_close_matches(key, sorted(self._asked), n=1)
            hint = (
                f"Did you mean '{near[0]}'?"
                if near
                else f"Known: {', '.join(sorted(self._asked))}."
            )
            raise InputError(f"{self.where}: must have known keys only; got '{key}'. {hint}")
