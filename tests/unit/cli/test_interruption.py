"""Ctrl-C that waits for the end of a block."""

import os
import signal
import threading

import pytest

from hwsim.cli.interruption import interruptible, uninterrupted


def test_an_interrupt_in_the_block_takes_effect_at_its_end() -> None:
    reached = False
    before = signal.getsignal(signal.SIGINT)

    def block() -> None:
        nonlocal reached
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            reached = True

    with interruptible() as interruption, pytest.raises(KeyboardInterrupt):
        block()

    assert reached
    assert interruption.requested
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_nothing_is_touched() -> None:
    handlers = []

    def work() -> None:
        with interruptible(), uninterrupted():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert handlers == [signal.getsignal(signal.SIGINT)]


def test_on_the_way_out_another_interrupt_does_nothing() -> None:
    with interruptible() as interruption:
        interruption.ending = True
        os.kill(os.getpid(), signal.SIGINT)

    assert not interruption.requested
