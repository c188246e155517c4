"""How far a search is, in steps whose number grows where more are made than foreseen."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with steps done and steps in all."""


class Counter:
    """Counts steps and tells of each."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        """Start with no step done.

        Args:
            total: steps foreseen.
            progress: told of each; None: nobody is.
        """
        self._done = 0
        self._total = total
        self._progress = progress

    def expect(self, steps: int) -> None:
        """Foresee so many more."""
        self._total += steps

    def step(self) -> None:
        """Count one."""
        self._done += 1
        self._total = max(self._total, self._done)
        self._tell()

    def finish(self) -> None:
        """Tell that all is done, if fewer were made than foreseen."""
        if self._done < self._total:
            self._total = self._done
            self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total)
