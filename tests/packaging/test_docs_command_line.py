"""The page on the command line shows the keys and commands that there are."""

import re

from icmass.cli.main import app
from icmass.config import ObserveConfig
from tests.packaging.wheel import CHECKOUT

PAGE = (CHECKOUT / "docs" / "command-line.md").read_text()


def test_configuration_shown_is_the_default():
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown == ObserveConfig().to_yaml()


def test_every_command_is_listed():
    names = {command.name for command in app.registered_commands}
    names |= {group.name for group in app.registered_groups}
    assert names <= set(re.findall(r"`icmass (\w+)", PAGE))
