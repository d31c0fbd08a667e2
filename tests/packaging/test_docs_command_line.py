"""The pages on the command line show the keys and commands that there are."""

import re

import pytest

from icmass.cli.main import app
from icmass.config import (
    CutoutsConfig,
    ObserveConfig,
    SimulateConfig,
    SurveyConfig,
    TrainConfig,
)
from tests.packaging.wheel import CHECKOUT

DOCS = CHECKOUT / "docs"


@pytest.mark.parametrize(
    ("page", "config"),
    [
        ("command-line.md", ObserveConfig()),
        ("production.md", SimulateConfig()),
        ("surveys.md", SurveyConfig(preset="efeds")),
        ("cutouts.md", CutoutsConfig()),
        ("training.md", TrainConfig()),
    ],
)
def test_configuration_shown_is_the_default(page, config):
    text = (DOCS / page).read_text()
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert shown == config.to_yaml()


def test_every_command_is_listed():
    names = {command.name for command in app.registered_commands}
    names |= {group.name for group in app.registered_groups}
    assert names <= set(re.findall(r"`icmass (\w+)", (DOCS / "command-line.md").read_text()))
