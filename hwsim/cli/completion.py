"""Scripts that let shells complete the command line; shtab writes them from the parser itself."""

from argparse import Action, ArgumentParser, _SubParsersAction
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import shtab

from hwsim.cli.options import LISTS
from hwsim.cli.parser import build_parser
from hwsim.names import NAMES

_LISTED_UNDER = {
    "network": "networks",
    "method": "methods",
    "accelerator": "accelerators",
    "energy_table": "energy-tables",
    "bits": "policies",
    "rounding": "roundings",
    "to": "formats",
}
"""What names an argument takes, as ``hwsim list`` calls them."""


def completion_script(shell: str) -> str:
    """A script for a shell.

    Names of networks, accelerators and so on are in it as they are now.

    Args:
        shell: ``bash``, ``zsh`` or ``fish``.
    """
    parser = build_parser()
    for action in _arguments(parser):
        complete = _complete(action)
        if complete is not None:
            action.complete = complete  # type: ignore[attr-defined]  # where shtab looks for it
    return shtab.complete(parser, shell)


def _arguments(parser: ArgumentParser) -> Iterator[Action]:
    """Every argument of a parser and of its commands."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for command in action.choices.values():
                yield from _arguments(command)
        else:
            yield action


def _complete(action: Action) -> Mapping[str, Any] | None:
    """What an argument is completed with; None where its choices say it, or nothing can."""
    if action.choices is not None or action.nargs == 0:
        return None
    metavar = str(action.metavar or "")
    if action.dest == "kind":
        return _names("lists", LISTS, with_files=False)
    kind = _LISTED_UNDER.get(action.dest)
    if kind is None:
        return _paths(metavar)
    words = [word for word in metavar.split("|") if word.islower()]  # such as 'all'
    takes_files = "FILE" in metavar or action.dest in ("network", "bits")
    function = "_or_".join((kind.replace("-", "_"), *words))
    return _names(function, (*NAMES[kind](), *words), with_files=takes_files)


def _paths(metavar: str) -> Mapping[str, Any] | None:
    if "FILE" in metavar:
        return shtab.FILE
    return shtab.DIRECTORY if "DIR" in metavar else None


def _names(function: str, names: Iterable[str], *, with_files: bool) -> Mapping[str, Any]:
    """Functions of each shell that give names, and files where those do too."""
    function = f"_hwsim_{function}" + ("_or_files" if with_files else "")
    words = " ".join(names)
    bash_files = "\n  compgen -f -- $1" if with_files else ""
    fish_files = "\n  __fish_complete_path (commandline -ct)" if with_files else ""
    zsh_files = " 'files:file:_files'" if with_files else ""
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({function})",
        "preamble": {
            "bash": f'{function}() {{\n  compgen -W "{words}" -- $1{bash_files}\n}}\n',
            "zsh": f"{function}() {{\n  _alternative 'names:name:({words})'{zsh_files}\n}}\n",
            "fish": f"function {function}\n  printf '%s\\n' {words}{fish_files}\nend\n",
        },
    }
