"""How ``--help`` looks: plain text, options and commands in named groups, examples at the end.

A group is what typer calls ``rich_help_panel``. Text without frames can be piped, and is read well
at any width.
"""

from collections.abc import Iterable
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

__all__ = ["GroupedCommand", "GroupedCommands"]

_WIDEST_NAME: Final = 26  # beyond it the explanation begins on a line of its own
_REST: Final = "Other options"

Entry = tuple[str, str, str]  # group, name, explanation


class GroupedCommand(TyperCommand):
    """A command whose options stand in groups, in the order in which the groups come."""

    @override
    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options group by group."""
        entries: list[Entry] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                is_argument = parameter.param_type_name == "argument"
                group = "Arguments" if is_argument else _group_of(parameter)
                entries.append((group, *record))
        _write(formatter, entries)

    @override
    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write examples, one a line."""
        _write_examples(self.epilog, formatter)


class GroupedCommands(TyperGroup):
    """A program whose commands stand in groups, each explained by its first sentence."""

    @override
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write commands group by group."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        _write(
            formatter,
            [
                (getattr(command, "rich_help_panel", None) or "Commands", name, _sentence(command))
                for name, command in commands
                if command is not None and not command.hidden
            ],
        )

    @override
    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write examples, one a line."""
        _write_examples(self.epilog, formatter)


def _group_of(parameter: Any) -> str:
    return getattr(parameter, "rich_help_panel", None) or _REST


def _sentence(command: Any) -> str:
    """Return the first paragraph of what a command says of itself, on one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())


def _write(formatter: Any, entries: Iterable[Entry]) -> None:
    """Write entries by group, their explanations one beneath the other in all groups."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for group, name, text in entries:
        groups.setdefault(group, []).append((name, text))
    groups |= {_REST: groups.pop(_REST)} if _REST in groups else {}
    names = [name for rows in groups.values() for name, _ in rows if len(name) <= _WIDEST_NAME]
    width = max(map(len, names), default=0)
    for group, rows in groups.items():
        with formatter.section(group):
            formatter.write_dl([(name.ljust(width), text) for name, text in rows])


def _write_examples(epilog: str | None, formatter: Any) -> None:
    if epilog:
        with formatter.section("Examples"):
            for line in epilog.strip().splitlines():
                formatter.write(f"  {line.strip()}\n")
