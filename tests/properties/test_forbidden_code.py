"""No product code runs text as code, unpickles, starts a shell, or writes past `icmass.files`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("icmass", "simulate", "estimate", "interpret")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

RUNS = {"eval", "exec", "compile", "__import__"}
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "subprocess"}
WRITES = {
    "write_text",
    "write_bytes",
    "writeto",
    "to_csv",
    "to_parquet",
    "tofile",
    "savez",
    "savetxt",
}

# What else may write than `icmass.files` and what is handed a `stage` by it.
ALLOWED_WRITES = {
    "icmass/catalog/predictions.py": "into memory, of which a stage is given the bytes",
    "interpret/report/document.py": "into the staged directory that write_explanation is given",
    "simulate/fits_opening.py": "write_fits, called with a stage",
    "simulate/instrument/area_table.py": "a maintainer's tool, which makes a file of the package",
    "simulate/products/write.py": "into the staged directory of write_products",
}


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """All calls with the name of what is called, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def forbidden(source: str) -> list[str]:
    """What of a source must not be there, line by line."""
    found, tree = [], ast.parse(source)
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        found += [
            f"line {node.lineno}: import of {name}"
            for name in names
            if name.split(".")[0] in MODULES
        ]
    for call, name in calls(tree):
        options = {option.arg: ast.unparse(option.value) for option in call.keywords}
        wrong = (
            name in RUNS
            or name in {"os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}
            or name.startswith(("os.exec", "os.spawn"))
            or options.get("shell", "False") != "False"
            or (name == "torch.load" and options.get("weights_only") != "True")
            or (name.endswith(("np.load", "numpy.load")) and options.get("allow_pickle") != "False")
            or (name.endswith("np.save") and options.get("allow_pickle") != "False")
        )
        if wrong:
            found.append(f"line {call.lineno}: {name}")
    return found


def writes(source: str) -> list[tuple[int, str]]:
    """Calls that write a file, but for those to the stage of an atomic write."""
    found = []
    for call, name in calls(ast.parse(source)):
        words = [ast.unparse(argument) for argument in call.args]
        words += [ast.unparse(option.value) for option in call.keywords]
        mode = name.split(".")[-1] in {"open", "File", "fdopen"} and any(
            word.strip("'\"") in {"w", "wb", "a", "ab", "x", "xb", "r+", "r+b", "w+", "w-"}
            for word in words
        )
        if name == "write_text" or (words and "stage" in f"{name}{words[0]}"):
            continue  # of an atomic write, or the primitive of `icmass.files`
        if mode or name.split(".")[-1] in WRITES or name.endswith(("np.save", "json.dump")):
            found.append((call.lineno, f"{name}({', '.join(words)[:60]})"))
    return found


def test_nothing_runs_text_as_code():
    assert len(SOURCES) > 300
    found = {path: forbidden(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_files_are_written_by_the_primitives():
    found = {}
    for path in SOURCES:
        if lines := writes(path.read_text(encoding="utf-8")):
            found[path.relative_to(ROOT).as_posix()] = lines
    assert found.keys() == ALLOWED_WRITES.keys(), found


@pytest.mark.parametrize(
    "source",
    [
        "path.write_text(text)",
        "open(path, 'w')",
        "path.open(mode='ab')",
        "h5py.File(path, 'w')",
        "hdus.writeto(path)",
        "np.save(path, values)",
        "json.dump(values, file)",
    ],
)
def test_the_search_finds_writes(source):
    assert writes(source)


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "exec(text)",
        "import pickle",
        "from pickle import loads",
        "import os\nos.system('ls')",
        "run(['ls'], shell=True)",
        "yaml.load(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "np.load(path)",
    ],
)
def test_the_search_finds_them(source):
    assert forbidden(source)


@pytest.mark.parametrize(
    "source", ["estimator.eval()", "re.compile('a')", "torch.load(p, weights_only=True)"]
)
def test_the_search_lets_others_be(source):
    assert forbidden(source) == []
