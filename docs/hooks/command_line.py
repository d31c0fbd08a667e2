"""The page cli.md, made when the site is built: what ``--help`` of every command says."""

from collections.abc import Iterator
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.testing import CliRunner

from icmass.cli.main import app

__all__ = ["on_files", "page"]

WIDTH = 80  # of the text, in characters
START = """\
# Command line: every option

What `icmass COMMAND --help` says, command by command. Exit status, results and configuration files
are on [another page](command-line.md). A default that is not shown is told in the text.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page to the files of the site."""
    files.append(File.generated(config, "cli.md", content=page()))
    return files


def page() -> str:
    """Return the page as Markdown, a section for each command."""
    parts = [START]
    for words in commands():
        title = " ".join(["icmass", *words])
        parts.append(f"## {title}\n\n```text\n{help_of(words)}\n```\n")
    return "\n".join(parts)


def commands() -> Iterator[list[str]]:
    """Yield the words of each command, the program itself first."""
    yield from _below([], typer.main.get_command(app))


def _below(words: list[str], command: Any) -> Iterator[list[str]]:
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _below([*words, name], inner)


def help_of(words: list[str]) -> str:
    """Return what a command prints with ``--help``.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    result = CliRunner().invoke(
        app, [*words, "--help"], prog_name="icmass", terminal_width=WIDTH, color=False
    )
    if result.exit_code:
        raise RuntimeError(f"icmass {' '.join(words)} --help: must work; got {result.output}")
    return result.output.strip()
