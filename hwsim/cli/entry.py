"""From arguments to an exit status: runs a command and turns every ending into one sentence."""

import errno
import os
import shlex
import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from hwsim.cli.interruption import Interruption, interruptible, uninterrupted
from hwsim.cli.parser import COMMANDS, UsageError, build_parser
from quant.common.errors import CheckError, UserError

OK, MISMATCH, BAD_INPUT, INTERNAL_ERROR = 0, 1, 2, 70
INTERRUPTED = 128 + 2  # a shell's status for a program that SIGINT ended
BROKEN_PIPE = 128 + 13  # and for one that SIGPIPE ended


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows the program's name; None takes the process's own.

    Returns:
        The exit status: 0 success, 1 a check failed, 2 bad input, 130 Ctrl-C,
        141 whoever read the output went away, 70 a defect of this program.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    command, debug = "hwsim", "--debug" in given
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without 'µ' is no reason to fail
    with interruptible() as interruption:
        try:
            parsed = build_parser().parse_args(given)
            parsed.command_line = shlex.join(("hwsim", *given))
            command = f"hwsim {parsed.command}"
            status = _execute(parsed)
            sys.stdout.flush()
            return status
        except SystemExit as stop:  # --help, --version, a polite kill
            return stop.code if isinstance(stop.code, int) else OK
        except BaseException as error:
            interruption.ending = True
            if debug:
                traceback.print_exc()
            return _end(command, error, interruption)


def _execute(parsed: Namespace) -> int:
    """Import the command's module, with all the heavy packages it needs, and run it."""
    with uninterrupted():
        module = import_module(COMMANDS[parsed.command].module)
    status: int = module.execute(parsed)
    return status


def _end(command: str, error: BaseException, interruption: Interruption) -> int:
    """The one sentence an error ends in, and its exit status."""
    if interruption.requested or isinstance(error, KeyboardInterrupt):
        words = COMMANDS[command.removeprefix("hwsim ")].interrupted if " " in command else ""
        return _tell(command, f"interrupted; {words or 'nothing was written'}", INTERRUPTED)
    match error:
        case BrokenPipeError():
            _silence_stdout()
            return BROKEN_PIPE
        case UsageError():
            return _tell(error.program, str(error), BAD_INPUT)
        case CheckError():
            return _tell(command, str(error), MISMATCH)
        case UserError():
            return _tell(command, str(error), BAD_INPUT)
        case MemoryError():
            sentence = "not enough memory for this; give a smaller image or a smaller network"
            return _tell(command, sentence, BAD_INPUT)
        case OSError(errno=errno.ENOSPC):
            _silence_stdout()
            return _tell(command, "no space left where the output goes; make space", BAD_INPUT)
        case _:
            sentence = (
                f"internal error: {type(error).__name__}: {error}; this is a defect of hwsim: "
                "please report it with what --debug prints"
            )
            return _tell(command, sentence, INTERNAL_ERROR)


def _tell(program: str, sentence: str, status: int) -> int:
    print(f"{program}: {sentence}", file=sys.stderr)
    return status


def _silence_stdout() -> None:
    """Keep the interpreter from flushing, at its exit, what nobody can take any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
