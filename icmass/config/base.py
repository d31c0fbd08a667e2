"""What all configurations share: checking, messages, reading and writing YAML, types of values."""

import difflib
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

__all__ = [
    "Axis",
    "Config",
    "NotNegative",
    "Number",
    "Positive",
    "Vector",
    "number",
    "read_yaml",
]


def number(value: Any) -> Any:
    """Accept numbers, also as text (YAML reads 1e4 as text), but not true and false."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")
    try:
        result = float(value)
    except ValueError:
        raise ValueError("must be a number") from None
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
            return cls.model_validate(dict(values))
        except ValidationError as error:
            problems = {problem["loc"][:1]: problem for problem in reversed(error.errors())}
            lines = [cls._explain(problem, label) for problem in reversed(problems.values())]
            raise InputError(" | ".join(lines)) from None

    @classmethod
    def from_yaml(
        cls,
        path: str | Path,
        overrides: Mapping[str, Any] = types.MappingProxyType({}),
        label: Callable[[str], str] = str,
    ) -> Self:
        """Read a YAML file; `overrides` win over it and `label` names them in errors.

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
        """Take what the user gave over what stands in a file, if there is one."""
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
            return f"{label(key)}: unknown key; {_nearest(key, list(cls.model_fields))}."
        rule = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        where = f"{label(key)}: " if key else ""
        got = f"; got {_shown(problem['input'])}" if key else ""
        field = cls.model_fields.get(key)
        meaning = f". {field.description}".replace("\n", " ") if field else "."
        return f"{where}{rule}{got}{meaning}"


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read keys and values from a YAML file, refusing a key that stands there twice."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        _refuse_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader))
        values = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it is not text"
        raise InputError(f"{path}: must be a YAML file; {what}{where}.") from error
    except RecursionError as error:
        raise InputError(f"{path}: must be a YAML file; it is nested too deeply.") from error
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InputError(f"{path}: must hold lines of 'key: value'; got {_shown(values)}.")
    return values


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


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'" if near else f"known: {', '.join(known)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
