"""Runs a program's commands on several threads, each as soon as all it waits for is done.

The rules are the clock's (`hwsim.cost.clock`), for the slots of SRAM and the rows of DRAM alike: a
command waits for what wrote the places it reads, and for what wrote or read the places it
overwrites; a barrier waits for everything, and everything behind it for the barrier. So every
command finds the bytes it would find if the commands ran one after the other, and the result is
the same whatever the threads do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from threading import Lock, Thread

from hwsim.schedule.commands import Barrier, Command, LoadConstants, LoadRows, StoreRows

Progress = Callable[[int, int], None]

BATCH = 8
"""Tasks issued at a time, so that the issuing thread wakes rarely."""
WINDOW = 4 * BATCH
"""Tasks issued and not done at most: some sixteen tiles, of which a ring lets two overlap."""


def run_overlapped(
    commands: Sequence[Command],
    workers: Sequence[Callable[[Command], None]],
    progress: Progress | None = None,
) -> None:
    """Run commands on threads, in an order that cannot be told from issue order.

    Args:
        commands: in issue order. Regions of SRAM, and of DRAM, that differ in address must not
            overlap within a group (`verify_program` makes sure).
        workers: what executes a command, for each thread; commands that touch the same places
            never run together.
        progress: called now and then with commands done and commands in all, and at the end.

    Raises:
        Exception: what the first command in issue order that failed raised.
    """
    board = _Board(len(commands))
    threads = [Thread(target=board.work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        for count, task in enumerate(_tasks(commands)):
            if count >= WINDOW and count % BATCH == 0:
                board.await_batch(progress)
                if board.failures:
                    break
            board.issue(task)
        board.await_rest(progress)
    finally:
        board.close(len(threads))
        for thread in threads:
            thread.join()
    if board.failures:
        raise min(board.failures, key=lambda failure: failure[0])[1]


class _Task:
    """Commands run one after the other: loads, or a tile's computations and its stores.

    Attributes:
        commands: the commands.
        position: of the first in the program.
        waits: how many tasks it still waits for.
        followers: tasks that wait for it.
        done: whether it has been run.
    """

    __slots__ = ("commands", "done", "followers", "position", "waits")

    def __init__(self, position: int, command: Command) -> None:
        self.position = position
        self.commands = [command]
        self.waits = 0
        self.followers: list[_Task] = []
        self.done = False


def _tasks(commands: Iterable[Command]) -> Iterator[_Task]:
    """Neighbouring commands put together, a barrier alone."""
    task: _Task | None = None
    task_kind = ""
    for position, command in enumerate(commands):
        kind = _KIND_OF.get(type(command), "work")
        if task is not None and kind == task_kind != "barrier":
            task.commands.append(command)
            continue
        if task is not None:
            yield task
        task, task_kind = _Task(position, command), kind
    if task is not None:
        yield task


_KIND_OF: dict[type[Command], str] = {LoadConstants: "load", LoadRows: "load", Barrier: "barrier"}


def _read_places(command: Command) -> Iterator[int]:
    """Places a command reads: SRAM slots by address, DRAM rows by address below zero."""
    for piece in command.reads:
        yield from piece.addresses()
    if isinstance(command, LoadRows):
        yield from _dram_rows(command, command.rows.count)


def _written_places(command: Command) -> Iterator[int]:
    """Places a command writes, as `_read_places` gives them."""
    for piece in command.writes:
        yield from piece.addresses()
    if isinstance(command, StoreRows):
        yield from _dram_rows(command, command.rows.count * command.factor)


def _dram_rows(command: LoadRows | StoreRows, count: int) -> range:
    """Addresses of rows, made negative to be told from those of SRAM; constants never change."""
    tensor = command.tensor
    first = -1 - (tensor.address + command.row * tensor.row_bytes)
    return range(first, first - count * tensor.row_bytes, -tensor.row_bytes)


class _Hazards:
    """Who last wrote and who has read each place since; what a new task must therefore wait for."""

    def __init__(self) -> None:
        self._writer: dict[int, _Task] = {}
        self._readers: dict[int, list[_Task]] = {}
        self._barrier: _Task | None = None

    def add(self, task: _Task) -> set[_Task]:
        """The tasks a new one waits for, some of them perhaps done."""
        if isinstance(task.commands[0], Barrier):
            return self._close_group(task)
        earlier = {self._barrier} if self._barrier is not None else set()
        for command in task.commands:
            self._add_command(task, command, earlier)
        earlier.discard(task)
        return earlier

    def _add_command(self, task: _Task, command: Command, earlier: set[_Task]) -> None:
        writer, readers = self._writer, self._readers
        for place in _read_places(command):
            if place in writer:
                earlier.add(writer[place])
            readers.setdefault(place, []).append(task)
        for place in _written_places(command):
            if place in writer:
                earlier.add(writer[place])
            earlier.update(readers.pop(place, ()))
            writer[place] = task

    def _close_group(self, barrier: _Task) -> set[_Task]:
        """A barrier waits for the last of everything, and stands for all of it from then on."""
        earlier = set(self._writer.values()).union(*self._readers.values())
        if self._barrier is not None:
            earlier.add(self._barrier)
        self._writer.clear()
        self._readers.clear()
        self._barrier = barrier
        return earlier


class _Board:
    """The tasks under way, shared by the thread that issues them and those that run them."""

    def __init__(self, commands: int) -> None:
        self.failures: list[tuple[int, BaseException]] = []
        self._commands = commands
        self._commands_done = 0
        self._issued = self._finished = 0
        self._last: int | None = None  # how many tasks there are, once all are issued
        self._closed = False
        self._hazards = _Hazards()
        self._lock = Lock()  # guards the tasks' fields and the counts of what is done
        self._ready: SimpleQueue[_Task | None] = SimpleQueue()
        self._news: SimpleQueue[None] = SimpleQueue()  # a word for every batch done, and at the end

    def issue(self, task: _Task) -> None:
        """Put a task up, to be run when all that it waits for is done."""
        earlier = self._hazards.add(task)
        self._issued += 1
        with self._lock:
            for other in earlier:
                if not other.done:
                    other.followers.append(task)
                    task.waits += 1
            free = task.waits == 0
        if free:
            self._ready.put(task)

    def await_batch(self, progress: Progress | None) -> None:
        """Wait until a further batch is done."""
        self._news.get()
        if progress is not None:
            progress(self._commands_done, self._commands)

    def await_rest(self, progress: Progress | None) -> None:
        """Wait until everything issued is done; nothing is issued after it."""
        with self._lock:
            self._last = self._issued
        while self._finished < self._last:
            self._news.get()
        if progress is not None:
            progress(self._commands_done, self._commands)

    def close(self, threads: int) -> None:
        """Send the threads home, once what they are running is done."""
        self._closed = True
        for _ in range(threads):
            self._ready.put(None)

    def work(self, run: Callable[[Command], None]) -> None:
        """Run tasks that are ready until there are no more: the body of a thread."""
        task = self._ready.get()
        while task is not None and not self._closed:
            try:
                for command in task.commands:
                    run(command)
            except BaseException as failure:
                self.failures.append((task.position, failure))
            task = self._finish(task) or self._ready.get()

    def _finish(self, task: _Task) -> _Task | None:
        """Set free what waited for a task: one of them to go on with, the others for anyone."""
        freed: list[_Task] = []
        with self._lock:
            task.done = True
            for follower in task.followers:
                follower.waits -= 1
                if follower.waits == 0:
                    freed.append(follower)
            task.followers = []
            self._finished += 1
            self._commands_done += len(task.commands)
            news = self._finished % BATCH == 0 or self._finished == self._last
        if news:
            self._news.put(None)
        for other in freed[1:]:
            self._ready.put(other)
        return freed[0] if freed else None
