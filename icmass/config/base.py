"""What all configurations share: checking, messages, reading and writing YAML, types of values."""

import math
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
)
from pydantic_core import ErrorDetails

from icmass.errors import InputError
from icmass.names import nearest

__all__ = [
    "Axis",
    "Config",
    "NotNegative",
    "Number",
    "Positive",
    "Vector",
    "number",
    "read_yaml",
    "shown",
]

# A configuration has some kilobytes. More is another file, or aliases that multiply.
_MOST_LETTERS = 1_000_000
_MOST_PROBLEMS = 5  # in one message


def number(value: Any) -> Any:
    """Accept a number as `value`, also as text (YAML reads 1e4 as text), but not true and false.

    Raises
    ------
    ValueError
        If it is none, or not finite; pydantic makes a message of it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")
    try:
        result = float(value)
    except ValueError:
        raise ValueError("must be a number") from None
    except OverflowError:  # of a whole number
        raise ValueError("must be a number below 1e308") from None
    if not math.isfinite(result):
        raise ValueError("must be a finite number")
    return result


def _vector(value: Any) -> tuple[float, ...]:
    """Three numbers, as a list or as text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 3:
        raise ValueError("must be three numbers")
    return tuple(number(part) for part in parts)


def _axis(value: Any) -> Any:
    """The name of an axis, a vector, or three vectors."""
    if value in ("x", "y", "z"):
        return value
    rule = "must be x, y, z, a vector such as 1,1,0, or a rotation of three rows"
    try:
        if isinstance(value, list | tuple) and all(isinstance(row, list | tuple) for row in value):
            rows = tuple(_vector(row) for row in value)
            if len(rows) == 3:
                return rows
        elif any(vector := _vector(value)):
            return vector
    except ValueError:
        pass
    raise ValueError(rule)


Number = Annotated[float, BeforeValidator(number)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Vector = Annotated[tuple[float, float, float], BeforeValidator(_vector)]
Axis = Annotated[Any, PlainValidator(_axis)]


class Config(BaseModel):
    """Base of all configurations: frozen, strict, without room for unknown keys."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def parse(cls, values: Mapping[str, Any], label: Callable[[str], str] = str) -> Self:
        """Check values and fill in the defaults.

        Parameters
        ----------
        values : mapping
            Key to value.
        label : callable
            Turns a key into what the user wrote, such as an option or a file and key.

        Raises
        ------
        InputError
            Naming every wrong key, its value and what it must be, on one line.
        """
        try:
            found = cls.model_validate(dict(values))
        except ValidationError as error:
            problems = {problem["loc"][:1]: problem for problem in reversed(error.errors())}
            lines = [cls._explain(problem, label) for problem in reversed(problems.values())]
            more = f" | and {len(lines) - _MOST_PROBLEMS} more" * (len(lines) > _MOST_PROBLEMS)
            raise InputError(" | ".join(lines[:_MOST_PROBLEMS]) + more) from None
        for key, value in found:
            rule = _obstacle(value)
            if rule is not None:
                raise InputError(f"{label(key)}: {rule}; got {shown(value)}.")
        return found

    @classmethod
    def from_yaml(
        cls,
        path: str | Path,
        overrides: Mapping[str, Any] = types.MappingProxyType({}),
        label: Callable[[str], str] = str,
    ) -> Self:
        """Read a YAML file.

        Parameters
        ----------
        path : str or Path
            The file.
        overrides : mapping
            Keys and values that win over the file, such as options of the command line.
        label : callable
            Turns a key of `overrides` into what the user wrote; other keys are named with the file.

        Raises
        ------
        InputError
            If the file cannot be read, is not YAML, or holds unknown keys or wrong values.
        """
        values = {**read_yaml(path), **overrides}
        return cls.parse(values, lambda key: label(key) if key in overrides else f"{path}: {key}")

    @classmethod
    def load(
        cls, path: str | Path | None, given: Mapping[str, Any], label: Callable[[str], str]
    ) -> Self:
        """Take what the user gave over what stands in a file, if there is one.

        Parameters
        ----------
        path : str, Path or None
            YAML file; None without.
        given : mapping
            Keys and values that win over it.
        label : callable
            Turns a key of `given` into what the user wrote, such as an option.

        Raises
        ------
        InputError
            As `from_yaml` and `parse`.
        """
        return cls.parse(given, label) if path is None else cls.from_yaml(path, given, label)

    def to_yaml(self) -> str:
        """Write every key with its meaning; reading it gives the same configuration."""
        lines = []
        for key, value in self.model_dump(mode="json").items():
            description = (type(self).model_fields[key].description or "").replace("\n", " ")
            lines.append(f"# {description}")
            lines.append(yaml.safe_dump({key: value}, default_flow_style=False).rstrip())
        return "\n".join(lines) + "\n"

    @classmethod
    def _explain(cls, problem: ErrorDetails, label: Callable[[str], str]) -> str:
        key = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            word = key if key.isprintable() and len(key) <= 60 else shown(key)
            return f"{label(word)}: unknown key; {nearest(key, list(cls.model_fields))}."
        rule = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        where = f"{label(key)}: " if key else ""
        got = f"; got {shown(problem['input'])}" if key else ""
        field = cls.model_fields.get(key)
        meaning = f". {field.description}".replace("\n", " ") if field else "."
        return f"{where}{rule}{got}{meaning}"


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read keys and values from the YAML file at `path`, refusing a key that stands there twice.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, or holds anything but keys and values.
    """
    try:
        text = _text(path)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeated_keys(root)
        _refuse_multiplied(root)
        values = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        what = " ".join((getattr(error, "problem", None) or "it is not text").split())
        raise InputError(f"{path}: must be a YAML file; {what}{where}.") from error
    except RecursionError as error:
        raise InputError(f"{path}: must be a YAML file; it is nested too deeply.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # What PyYAML makes of dates, numbers and tags that are none.
        reason = shown(str(error))
        raise InputError(
            f"{path}: must be a YAML file; a value cannot be read: {reason}."
        ) from error
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InputError(f"{path}: must hold lines of 'key: value'; got {shown(values)}.")
    return values


def _text(path: str | Path) -> str:
    """Return the text of a file, which may be a pipe, but not one without an end."""
    with Path(path).open("rb") as file:
        content = file.read(_MOST_LETTERS + 1)
    if len(content) > _MOST_LETTERS:
        raise yaml.MarkedYAMLError(problem=f"it is larger than {_MOST_LETTERS:,} bytes")
    return content.decode("utf-8")


def _refuse_multiplied(root: yaml.Node | None) -> None:
    """Raise if aliases of aliases make more of a file than anybody writes, or lead in a circle."""
    letters: dict[int, int] = {}

    def count(node: yaml.Node) -> int:
        if id(node) not in letters:
            letters[id(node)] = _MOST_LETTERS + 1  # of a node within itself there is no end
            letters[id(node)] = (
                1
                + sum(map(count, _below(node)))
                + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
            )
        return letters[id(node)]

    if root is not None and count(root) > _MOST_LETTERS:
        raise yaml.MarkedYAMLError(
            problem=f"its aliases make more than {_MOST_LETTERS:,} letters of it"
        )


def _below(node: yaml.Node) -> list[yaml.Node]:
    """Return the nodes of which one is made: entries of a list, keys and values of a mapping."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _refuse_repeated_keys(root: yaml.Node | None) -> None:
    """Raise if a mapping holds a key twice, of which YAML would silently take the last."""
    waiting, visited = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in visited or not isinstance(node, yaml.CollectionNode):
            continue
        visited.add(id(node))  # an alias leads to the same node again
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
            continue
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                problem = f"the key '{key.value}' stands there twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                keys.add(key.value)
            waiting.append(value)


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, on one line."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def _obstacle(value: Any) -> str | None:
    """Say what a value must be that its type allows and that files and generators do not."""
    if isinstance(value, dict):
        return _obstacle([*value, *value.values()])
    if isinstance(value, list | tuple):
        return next((rule for rule in map(_obstacle, value) if rule is not None), None)
    if isinstance(value, str) and "\0" in value:
        return "must be text without NUL"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "must be a whole number below 2^63"
    return None
