"""What is said while a command runs."""

import pytest

from hwsim.cli import messages as messages_module
from hwsim.cli.messages import Messages


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(messages_module, "time", fake)
    return fake


def test_away_from_a_terminal_a_stage_is_a_line_and_now_and_then_another(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Messages(quiet=False).stage("simulating") as step:
        for done in range(1, 101):
            clock.now += 0.25
            step(done, 100)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "simulating …",
        "simulating: 40%, about 15 s left",
        "simulating: 80%, about 5 s left",
    ]


def test_the_time_left_is_not_guessed_from_the_first_steps(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Messages(quiet=False).stage("simulating") as step:
        clock.now += 15
        step(1, 1000)

    assert capsys.readouterr().err.splitlines()[-1] == "simulating: 0%"


def test_quiet_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages(quiet=True)

    messages.say("hello")
    with messages.stage("simulating") as step:
        clock.now += 60
        step(1, 2)

    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_bar_is_gone_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    with Messages(quiet=False).stage("simulating") as step:
        clock.now += 1
        step(50, 100)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "simulating" in captured.err
    assert "50%" in captured.err
    assert captured.err.endswith("\x1b[2K")  # the escape that erases a line
