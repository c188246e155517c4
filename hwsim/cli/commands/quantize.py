"""``hwsim quantize``: a network as an integer graph in one file."""

from argparse import Namespace
from pathlib import Path

from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_BITS, DEFAULT_METHOD
from hwsim.cli.output_folder import output_folder
from hwsim.cli.subject import load_subject
from quant.common.errors import UserError
from quant.graph.adaptive_file import save_any_graph
from quant.graph.serialization import SUFFIX


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    _require_no_graph_file(arguments.network)
    target = _target(arguments)
    with output_folder(target.parent) as folder:
        graph = load_subject(arguments, Messages(quiet=arguments.quiet)).graph
        folder.write(target.name, lambda path: save_any_graph(graph, path))
        (file,) = folder.publish()
    print(file)
    return 0


def _require_no_graph_file(name: str) -> None:
    if name.endswith(SUFFIX):
        raise UserError(
            f"{name} is a graph file already; copy it, or give a network or another engine's model"
        )


def _target(arguments: Namespace) -> Path:
    """The file to write; in a folder, under a name that says what it is."""
    out: Path = arguments.out or Path()
    if not out.is_dir():
        return out
    policy = Path(arguments.bits or DEFAULT_BITS).stem
    parts = [
        Path(arguments.network).stem,
        arguments.method or DEFAULT_METHOD,
        policy,
        arguments.rounding,
    ]
    return out / ("_".join(filter(None, parts)) + SUFFIX)
