"""Errors and warnings that users meet: each says what was wrong, what was expected and what to do.

The command line prints the message of an `InputError` alone and exits with status 2; any other
exception that reaches the user is a bug.
"""

__all__ = [
    "InputError",
    "InputWarning",
    "MissingDependencyError",
    "NoPhotonsError",
    "OutputError",
]


class InputError(ValueError):
    """Something the user gave cannot be used: a file, a key, a value."""

    def __str__(self) -> str:
        """Return the message on one line, whatever is in the names that it repeats."""
        return " ".join(super().__str__().splitlines())


class NoPhotonsError(InputError):
    """The gas given cannot produce a photon; the message holds the census of cuts."""


class MissingDependencyError(InputError):
    """An optional package is needed; the message names the extra to install."""


class OutputError(InputError):
    """A result cannot be written: the place exists, is not writable or is full."""


class InputWarning(UserWarning):
    """An input was usable only after a stated change, such as a value clamped to a table."""
