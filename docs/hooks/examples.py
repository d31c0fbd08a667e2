"""The page examples.md, made when the site is built: the scripts of examples/ as they are."""

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

__all__ = ["on_files", "page"]

FOLDER = Path(__file__).resolve().parents[2] / "examples"
START = """\
# Examples

The road in Python, a script for each part of it. They are in `examples/` of the checkout; run each
in an empty folder outside it.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page to the files of the site."""
    files.append(File.generated(config, "examples.md", content=page()))
    return files


def page() -> str:
    """Return the page as Markdown, a section for each script."""
    parts = [START]
    for path in sorted(FOLDER.glob("[0-9]*.py")):
        text = path.read_text(encoding="utf-8")
        said = (ast.get_docstring(ast.parse(text)) or path.stem).splitlines()[0]
        parts.append(f"## {path.stem}\n\n{said}\n\n```python\n{text.rstrip()}\n```\n")
    return "\n".join(parts)
