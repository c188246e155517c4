"""Ctrl-C at each stage: one sentence, status 130, nothing written."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

HWSIM = [sys.executable, "-m", "hwsim"]


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [*HWSIM, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )


@pytest.mark.parametrize("stage", ["calibrating", "simulating", "checking"])
def test_ctrl_c_during_a_stage_leaves_nothing(stage: str, graph_file: Path, tmp_path: Path) -> None:
    subject = "edsr_tiny_x2" if stage == "calibrating" else graph_file
    process = start("run", subject, "--out", tmp_path / "new" / "out")
    assert process.stderr is not None
    while not process.stderr.readline().startswith(stage):
        assert process.poll() is None

    process.send_signal(signal.SIGINT)
    out, err = process.communicate()

    assert process.returncode == 130
    assert err.splitlines()[-1] == "hwsim run: interrupted; nothing was written"
    assert "Traceback" not in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_modules_are_imported_is_one_sentence() -> None:
    code = """
import os, signal, sys
import hwsim.cli.entry
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "accelerators.schema":  # imported for the energy tables of `hwsim list`
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.exit(hwsim.cli.main(["list"]))
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 130
    assert done.stderr == "hwsim list: interrupted; nothing was written\n"
