"""Several finished files, such as the chapters of a book, written at the same time."""

import math
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from triforce_tts.crew import useful_cores
from triforce_tts.narrator.book_file import Content, Step, Written, write_book
from triforce_tts.narrator.master import Profile


class _Stopped(Exception):
    """Another file could not be written, or the user has stopped the command."""


class _Together:
    """The progress of several files that are written at the same time: of each event, the sum of their seconds."""

    def __init__(self, step: Step, total_s: float) -> None:
        self._step, self._total_s = step, total_s
        self._done: dict[str, dict[int, float]] = {}  # the event, the number of the file, and its seconds
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """Let each file end with ``_Stopped`` at its next report."""
        self._stopped = True

    def report(self, number: int, event: str, done: float, total: float, time: int = 1) -> None:
        """Report the progress of the file of this number. A file that is written again does not count backwards."""
        if self._stopped:
            raise _Stopped
        with self._lock:
            of_event = self._done.setdefault(event, {})
            of_event[number] = max(done, of_event.get(number, 0.0))
            self._step(event, math.fsum(of_event.values()), self._total_s)


def write_books(
    files: Sequence[tuple[Path, Content]], profile: Profile, step: Step, at_once: int = 0
) -> Generator[Written, None, None]:
    """Write each file as ``write_book`` does, several of them at the same time; yields them in their order.

    A thread is enough for each, because encoder, decoder and Fourier transforms run outside Python's lock. At most
    one finished file more than there are threads waits to be yielded.

    Args:
        files: the place and the content of each file.
        profile: what the files should meet.
        step: told of the progress of all files together.
        at_once: so many files at the same time, at most one for each core; 0: one for each core.

    Raises:
        TriforceError, AudioError: as ``write_book``. The files that are not finished by then are not written.
    """
    together = _Together(step, math.fsum(content.timeline.seconds for _, content in files))
    cores = useful_cores()
    threads = min(at_once or cores, cores)
    written: dict[int, Future[Written]] = {}  # the files that are not yielded yet, by their numbers
    with ThreadPoolExecutor(threads) as pool:

        def write(number: int, path: Path, content: Content) -> Written:
            try:
                return write_book(path, content, profile, partial(together.report, number))
            except BaseException:
                together.stop()
                raise

        try:
            for number in range(len(files)):
                # Finished files may wait on a disk that has no room for all of them, so few are written ahead.
                for ahead in range(number + len(written), min(number + threads + 1, len(files))):
                    written[ahead] = pool.submit(write, ahead, *files[ahead])
                yield written[number].result()
                del written[number]
        except _Stopped:
            raise _cause(list(written.values())) from None
        finally:
            together.stop()
            pool.shutdown(cancel_futures=True)


def _cause(written: Sequence["Future[Written]"]) -> BaseException:
    """The error of the file that stopped the others."""
    errors = (future.exception() for future in written if not future.cancelled())
    return next(error for error in errors if error is not None and not isinstance(error, _Stopped))
