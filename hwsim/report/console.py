"""Where summaries are printed."""

from rich.console import Console

WIDTH_WITHOUT_TERMINAL = 110


def stdout_console(width: int = WIDTH_WITHOUT_TERMINAL) -> Console:
    """Stdout as rich sees it: the terminal's width and colours, or plain text of a fixed width."""
    console = Console(highlight=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, width=width)
