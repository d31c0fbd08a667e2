"""What --help says: options in groups, with the defaults that hold, and examples that work."""

import importlib
import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from icmass.cli.main import app
from icmass.config import (
    CutoutsConfig,
    ObserveConfig,
    SimulateConfig,
    SurveyConfig,
    TrainConfig,
)

PROGRAM = typer.main.get_command(app)
LEAVES = [name for name, one in PROGRAM.commands.items() if not hasattr(one, "commands")]


def options(name: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield option, help and group of a command."""
    for one in PROGRAM.commands[name].params:
        if one.param_type_name == "option":
            yield max(one.opts, key=len), one.help or "", one.rich_help_panel


def examples(name: str) -> list[list[str]]:
    text = (PROGRAM.commands[name].epilog or "").strip()
    return [shlex.split(line, comments=True) for line in text.splitlines()]


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_is_explained_in_a_group(name):
    for option, text, group in options(name):
        assert text[:1].isupper() or text.startswith(("cpu", "resnet", "pointed")), option
        assert text.rstrip("]").endswith((".", ")")) or "[default:" in text, option
        assert group, option


@pytest.mark.parametrize("name", LEAVES)
def test_help_fits_into_80_columns(run, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run(name, "--help")
    told, _, shown = out.partition("\nExamples:\n")
    assert status == 0
    assert max(map(len, told.splitlines())) <= 80
    assert shown.count("\n") == len(examples(name)) > 0
    assert "\nOther options:\n  --help" in told


@pytest.mark.parametrize("name", LEAVES)
def test_examples_are_understood(name):
    for program, command, *arguments in examples(name):
        assert (program, command) == ("icmass", name)
        PROGRAM.commands[name].make_context(name, arguments)


def test_a_wrong_example_would_be_noticed():
    with pytest.raises(typer.exceptions.TyperException):
        PROGRAM.commands["observe"].make_context("observe", ["--exposre", "3"])


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("observe", ObserveConfig()),
        ("simulate", SimulateConfig()),
        ("survey", SurveyConfig(preset="efeds")),
        ("cutouts", CutoutsConfig()),
        ("train", TrainConfig()),
    ],
)
def test_defaults_shown_are_those_that_hold(name, config):
    keys = importlib.import_module(f"icmass.cli.{name}")._OPTIONS
    said = {option: text for option, text, _ in options(name)}
    compared = 0
    for key, option in keys.items():
        default = getattr(config, key)
        if isinstance(default, bool | list | None) or option not in said or key == "preset":
            continue
        (shown,) = re.findall(r"\[default: ([^\]]*)\]", said[option])
        number = isinstance(default, int | float)
        assert (float(int(shown, 0) if "0x" in shown else shown) if number else shown) == default
        compared += 1
    assert compared >= 3


def test_commands_stand_in_groups_in_the_order_of_use(run):
    _, out, _ = run("--help")
    order = re.findall(r"^  ([a-z]+)  ", out, re.MULTILINE)
    assert order == [*LEAVES, "tables"]
    for group in ("Clusters:", "Masses:", "What an estimator looks at:", "The sky:"):
        assert f"\n{group}\n" in out
    assert "..." not in out.partition("Examples:")[0].partition("Options:")[2]
