"""A bar of progress on standard error."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

ItemT = TypeVar("ItemT")


@contextmanager
def bars(*columns: ProgressColumn, console: Console | None = None) -> Iterator[Progress]:
    """Bars of progress with ``columns``, which go when what they show ends in an error.

    A failed command leaves one line, which says why: a bar above it would be a second one.
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
    """``items`` one by one, beside a bar of how many of ``total`` have come."""
    left = TimeRemainingColumn(elapsed_when_finished=True)
    with bars(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), left, console=console) as progress:
        yield from progress.track(items, total, description=name)
