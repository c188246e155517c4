"""Every ending of the command line: its status and its one sentence."""

import errno
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from hwsim.cli import entry, main
from quant.common.errors import UserError

Execute = Callable[[Namespace], int]


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Execute], None]:
    """Puts a function in place of ``hwsim list``."""

    def replace(execute: Execute) -> None:
        module = SimpleNamespace(execute=execute)
        monkeypatch.setattr(entry, "import_module", lambda name: module)

    return replace


def raising(error: BaseException) -> Execute:
    def execute(arguments: Namespace) -> int:
        raise error

    return execute


def test_the_status_of_the_command_is_passed_on(listing: Callable[[Execute], None]) -> None:
    listing(lambda arguments: 1)

    assert main(["list"]) == 1


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UserError("a.png: no such file"), 2, "hwsim list: a.png: no such file"),
        (KeyboardInterrupt(), 130, "hwsim list: interrupted; nothing was written"),
        (MemoryError(), 2, "hwsim list: not enough memory for this; give a smaller image or"),
        (OSError(errno.ENOSPC, "full"), 2, "hwsim list: no space left where the output goes"),
        (ZeroDivisionError("oops"), 70, "hwsim list: internal error: ZeroDivisionError: oops"),
    ],
)  # fmt: skip
def test_each_error_is_one_sentence_without_a_traceback(
    listing: Callable[[Execute], None],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    sentence: str,
) -> None:
    monkeypatch.setattr(entry, "_silence_stdout", lambda: None)
    listing(raising(error))

    assert main(["list"]) == status

    captured = capfd.readouterr()
    assert captured.err.startswith(sentence)
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_debug_adds_the_traceback(
    listing: Callable[[Execute], None], capsys: pytest.CaptureFixture[str]
) -> None:
    listing(raising(UserError("wrong")))

    assert main(["list", "--debug"]) == 2

    text = capsys.readouterr().err
    assert text.startswith("Traceback")
    assert text.endswith("hwsim list: wrong\n")


def test_an_interrupt_that_a_library_turned_into_another_error_is_still_one(
    listing: Callable[[Execute], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def execute(arguments: Namespace) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("extension module failed to import") from None
        return 0

    listing(execute)

    assert main(["list"]) == 130
    assert capsys.readouterr().err == "hwsim list: interrupted; nothing was written\n"


def test_an_interrupt_inside_a_destructor_is_not_lost(
    listing: Callable[[Execute], None], capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    def execute(arguments: Namespace) -> int:
        thing = Interrupted()
        del thing
        time.sleep(10)
        return 0

    listing(execute)

    assert main(["list"]) == 130
    assert capsys.readouterr().err == "hwsim list: interrupted; nothing was written\n"


def test_the_handler_of_the_caller_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook

    main(["list", "nonsense"])

    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "hwsim: the following arguments are required: COMMAND; see hwsim --help"),
        (["rum"], "hwsim: no command 'rum'; did you mean 'run'?"),
        (["run", "--acelerator", "x"], "hwsim run: unknown argument '--acelerator'; did you mean"),
        (["run", "a", "b"], "hwsim run: unknown argument 'b'; see hwsim run --help"),
        (["run", "--check", "x"], "hwsim run: argument --check: invalid choice: 'x'"),
        (["estimate", "--input-size", "0x4"],
         "hwsim estimate: argument --input-size: expected HEIGHTxWIDTH such as 256x256, got '0x4'"),
        (["estimate", "--input-size"], "hwsim estimate: argument --input-size: expected one"),
        (["list", "acelerators"], "hwsim list: nothing is listed under 'acelerators'; did you"),
        (["train"], "hwsim train: the following arguments are required: --images, --out"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_understood_are_told_in_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(arguments) == 2

    captured = capsys.readouterr()
    assert captured.err.startswith(sentence)
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_asking_for_help_is_a_success(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert main([option]) == 0
    assert "hwsim" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    heavy = "numpy, torch, numba, yaml, pydantic, matplotlib, rich, PIL, skimage, networkx"
    code = (
        "import sys; from hwsim.cli import main; main(['--help']); main(['run', '--help']);"
        f"sys.exit(str(set({heavy.split(', ')}) & set(sys.modules) or ''))"
    )

    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert finished.stderr == "\n"  # what sys.exit prints of an empty text


def test_a_reader_that_goes_away_ends_the_program_quietly() -> None:
    command = f"{sys.executable} -m hwsim list accelerators | true; exit ${{PIPESTATUS[0]}}"

    finished = subprocess.run(["bash", "-c", command], capture_output=True, text=True)

    assert finished.returncode in (0, 141)  # 0 when the pipe took all before it was closed
    assert finished.stderr == ""


def test_a_full_disk_behind_stdout_is_one_sentence() -> None:
    command = f"{sys.executable} -m hwsim list accelerators > /dev/full"

    finished = subprocess.run(["bash", "-c", command], capture_output=True, text=True)

    assert finished.returncode == 2
    assert finished.stderr == ("hwsim list: no space left where the output goes; make space\n")
