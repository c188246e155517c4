"""Completion scripts, tried in the shells they are for."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.cli.options import SHELLS
from hwsim.cli.parser import COMMANDS

CASES = [
    ("hwsim cod", "codesign"),
    ("hwsim run --acce", "--accelerator"),
    ("hwsim run --accelerator edge_s", "edge_sr_npu"),
    ("hwsim estimate --energy-table al", "all"),
    ("hwsim quantize mobile_sr_x3", "mobile_sr_x3"),
    ("hwsim list pol", "policies"),
    ("hwsim export --to qo", "qonnx"),
    ("hwsim search --minimize la", "latency"),
    ("hwsim run --image spe", "special.png"),
]
"""What is typed, and the only completion of its last word."""

needs = {
    shell: pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")
    for shell in SHELLS
}


@pytest.fixture
def script(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """The script for a shell, in a folder with one picture."""
    assert main(["completion", shell]) == 0
    path = tmp_path / "script"
    path.write_text(capsys.readouterr().out)
    (tmp_path / "special.png").touch()
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize("shell", [pytest.param("bash", marks=needs["bash"])])
def test_bash(script: Path) -> None:
    lines = [f"source {script}"]
    for typed, _ in CASES:
        lines += [
            f"COMP_WORDS=({typed}); COMP_CWORD={len(typed.split()) - 1}",
            'COMPREPLY=(); _shtab_hwsim 2>/dev/null; echo "${COMPREPLY[@]}"',
        ]

    told = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True)

    assert told.stdout.splitlines() == [wanted for _, wanted in CASES]


@pytest.mark.parametrize("shell", [pytest.param("fish", marks=needs["fish"])])
def test_fish(script: Path) -> None:
    asked = "\n".join(f"complete -C '{typed}'; echo ;" for typed, _ in CASES)

    told = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}\n{asked}"], capture_output=True, text=True
    )

    answers = told.stdout.split("\n\n")
    assert [answer.split("\t")[0].strip() for answer in answers[: len(CASES)]] == [
        wanted for _, wanted in CASES
    ]


@pytest.mark.parametrize("shell", [pytest.param("zsh", marks=needs["zsh"])])
def test_zsh(script: Path) -> None:
    assert completed_by_zsh(script) == [wanted for _, wanted in CASES]


def completed_by_zsh(script: Path) -> list[str]:
    """The last word of each line after a press of the tab key; zsh wants a terminal for that."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=end, stdout=end, stderr=end, start_new_session=True,
        env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.close(end)
    seen = bytearray()

    def wait_for(mark: bytes) -> bytes:
        deadline = time.monotonic() + 60
        while mark not in seen:
            assert time.monotonic() < deadline, bytes(seen)
            if select.select([terminal], [], [], 0.1)[0]:
                seen.extend(os.read(terminal, 65536))
        before = bytes(seen)
        seen.clear()
        return before

    def send(text: str) -> None:
        os.write(terminal, text.encode())

    send(
        "PROMPT=; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; "
        f'eval "$(<{script})"; '
        "show() { print -r -- \"<<$BUFFER>>\"; BUFFER=; }; zle -N show; bindkey '^Xp' show; "
        "print REA''DY\n"
    )
    wait_for(b"READY")
    words = []
    for typed, _ in CASES:
        send(f"{typed}\t\x18p")
        shown = re.search(rb"<<(.*)>>", wait_for(b">>"))
        assert shown is not None
        words.append(shown[1].decode().split()[-1])
    process.kill()
    process.wait()
    os.close(terminal)
    return words


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_in_the_script(script: Path) -> None:
    text = script.read_text()

    assert all(command in text for command in COMMANDS)
    assert "--channel-blocks" in text or "-l channel-blocks" in text


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "cmd"]) == 2
    assert "invalid choice: 'cmd'" in capsys.readouterr().err
