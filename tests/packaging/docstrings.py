"""Which public functions have a docstring that says too little.

``python -m tests.packaging.docstrings PATH ...`` lists them. Public is what stands in a module's
``__all__`` (where there is none, every name without a leading underscore), and the public methods
of public classes. Each must name its arguments and the exceptions that it raises itself, say the
shape of its arrays, and give three or more arguments a section of their own.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["complaints", "complaints_of_source"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Annotations of arrays, by whole words; aliases such as Floats are declared at the top of modules.
ARRAY = re.compile(r"\b(NDArray|Floats|Ints|Bools|ndarray|Tensor|ArrayLike)\b")
SHAPE = re.compile(r"\bshapes?\b|\(\w+,\s*[\w ,.*]*\)|\bscalar\b|\b\d? ?x ?\d\b")


def complaints(paths: list[Path]) -> list[str]:
    """List what is missing in the public functions of files, or of all files in folders."""
    found = []
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found += [f"{file}:{line}" for line in complaints_of_source(file.read_text())]
    return found


def complaints_of_source(source: str) -> list[str]:
    """List what is missing in the public functions of the text of one module."""
    tree = ast.parse(source)
    found = []
    for owner, function in _public_functions(tree):
        name = f"{owner.name}.{function.name}" if owner else function.name
        for what in _missing(function, owner):
            found.append(f"{function.lineno} {name}: {what}")
    return found


def _public_functions(tree: ast.Module) -> Iterator[tuple[ast.ClassDef | None, Function]]:
    listed = _names_in_all(tree)
    for node in tree.body:
        name = getattr(node, "name", "_")
        if name.startswith("_") or (listed is not None and name not in listed):
            continue
        if isinstance(node, Function):
            yield None, node
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function) and not method.name.startswith("_"):
                    yield node, method


def _names_in_all(tree: ast.Module) -> set[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


def _missing(function: Function, owner: ast.ClassDef | None) -> Iterator[str]:
    marks = {ast.unparse(mark).split("(")[0] for mark in function.decorator_list}
    if marks & {"overload"} or any(mark.endswith(".setter") for mark in marks):
        return
    # What a class inherits or implements is documented where it is declared.
    if "override" in marks:
        return
    text = ast.get_docstring(function)
    if not text:
        yield "no docstring"
        return
    command = "typer." in _annotations(function)  # its options say what they are by their help
    arguments = _arguments(function)
    if not command:
        for name in arguments:
            if not re.search(rf"\b{re.escape(name)}\b", text):
                yield f"argument `{name}` is not named"
        if len(arguments) >= 3 and not re.search(r"^(Other )?Parameters\n-+$", text, re.MULTILINE):
            yield "three or more arguments and no section Parameters"
    for name in sorted(_raised(function)):
        if name not in text and not re.search(r"^Raises\n-+$", text, re.MULTILINE):
            yield f"{name} is raised and not named"
    whole = text + (ast.get_docstring(owner) or "" if owner else "")
    if ARRAY.search(_annotations(function)) and not SHAPE.search(whole):
        yield "an array and no shape"


def _arguments(function: Function) -> list[str]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    every += [extra for extra in (given.vararg, given.kwarg) if extra]
    names = [argument.arg for argument in every]
    return [name for name in names if name not in {"self", "cls"} and not name.startswith("_")]


def _raised(function: Function) -> set[str]:
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            names.add(ast.unparse(node.exc.func).rpartition(".")[2])
    return names - {"NotImplementedError", "AttributeError", "Exit", "AssertionError"}


def _annotations(function: Function) -> str:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    notes = [argument.annotation for argument in every] + [function.returns]
    return " ".join(ast.unparse(note) for note in notes if note is not None)


if __name__ == "__main__":
    listed = complaints([Path(argument) for argument in sys.argv[1:]])
    sys.stdout.write("\n".join([*listed, f"{len(listed)} complaints\n"]))
