"""The page of the command line and the parser say the same."""

import re
from argparse import ArgumentParser
from pathlib import Path

import pytest

from hwsim.cli.parser import COMMANDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "command-line.md"
OF_ALL_COMMANDS = {"--help", "--version", "--quiet", "--debug", "-h"}


def test_every_command_has_a_section() -> None:
    sections = re.findall(r"^## hwsim (\w+)$", PAGE.read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_commands_section_or_before_all(name: str) -> None:
    parser = ArgumentParser()
    COMMANDS[name].options(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    common, *rest = PAGE.read_text().split("\n## hwsim ")
    section = next(part for part in rest if part.startswith(f"{name}\n"))

    for option in options - OF_ALL_COMMANDS:
        assert option in common + section


def test_no_option_is_documented_that_does_not_exist() -> None:
    known = set(OF_ALL_COMMANDS)
    for command in COMMANDS.values():
        parser = ArgumentParser()
        command.options(parser)
        known.update(option for action in parser._actions for option in action.option_strings)

    assert set(re.findall(r"--[a-z][a-z-]+", PAGE.read_text())) <= known
