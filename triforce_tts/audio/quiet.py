"""Keeps decoders of sound silent: they write notes to standard error from C, where Python cannot catch them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# A second thread would take the redirected stream for the real standard error, and restore the wrong one.
_ONE_AT_A_TIME = threading.Lock()
_STANDARD_ERROR = 2


@contextmanager
def no_notes(active: bool = True) -> Iterator[None]:
    """Drop everything that the whole process writes to standard error; for short calls of C code only."""
    if not active:
        yield
        return
    with _ONE_AT_A_TIME:
        try:
            standard_error = os.dup(_STANDARD_ERROR)
        except OSError:  # a shell may have closed standard error
            yield
            return
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, _STANDARD_ERROR)
            os.close(silence)
            yield
        finally:
            os.dup2(standard_error, _STANDARD_ERROR)
            os.close(standard_error)


def is_mpeg(beginning: bytes) -> bool:
    """Whether a file with this beginning goes to the mp3 decoder: a tag, or eleven bits set (ISO 11172-3)."""
    return beginning.startswith(b"ID3") or (beginning[:1] == b"\xff" and beginning[1:2] >= b"\xe0")
