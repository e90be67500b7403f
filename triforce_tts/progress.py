"""Progress bars on standard error."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

ItemT = TypeVar("ItemT")


@contextmanager
def bars(*columns: ProgressColumn, console: Console | None = None) -> Iterator[Progress]:
    """Progress bars with ``columns``, which disappear if their work ends in an error.

    A failed command leaves one line, which gives the reason. A bar above it would be a second line.
    """
    progress = Progress(*columns, console=console)
    progress.start()
    try:
        yield progress
    except BaseException:
        progress.live.transient = True
        progress.live.stop()  # Progress.stop() would also end a line, and there is no line to end.
        raise
    progress.stop()


def track(items: Iterable[ItemT], name: str, total: int, console: Console | None = None) -> Iterator[ItemT]:
    """Pass ``items`` on one by one, and show a bar with the share of ``total`` that has come."""
    left = TimeRemainingColumn(elapsed_when_finished=True)
    with bars(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), left, console=console) as progress:
        yield from progress.track(items, total, description=name)
