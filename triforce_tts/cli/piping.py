"""Sound to standard output, for ``speak --out -``: WAV or raw samples, and nothing else."""

import io
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triforce_tts.errors import ConfigError, TriforceError

if TYPE_CHECKING:
    import torch


@dataclass
class Piped:
    """The record of what was written to a pipe."""

    samples: int = 0
    first_at: float | None = None  # the value of ``time.perf_counter()`` when the first chunk was written
    closed: bool = False  # whether the reader closed the pipe before the end


def require_pipe() -> None:
    """Refuse a terminal, which would show the samples as characters, and an output that nobody can read.

    Raises:
        ConfigError: standard output is a terminal, or closed.
    """
    if sys.__stdout__ is None:
        raise ConfigError("--out -: standard output is closed, expected a pipe or a file; name a file instead")
    if sys.stdout.isatty():
        raise ConfigError(
            "--out -: standard output is a terminal, expected a pipe or a file; add '| aplay' or another player"
        )


def pipe_sound(
    chunks: "Iterable[torch.Tensor]", sample_rate: int, tags: Mapping[str, str], raw: bool, samples: int | None = None
) -> Piped:
    """Write ``chunks`` [n] to standard output as they come, until they end or the reader closes the pipe.

    Args:
        chunks: the sound at ``sample_rate``.
        sample_rate: the sample rate in Hz.
        tags: the tags in the head of the WAV.
        raw: 16-bit little-endian samples without a head.
        samples: the number of all samples, if it is known.
    """
    from triforce_tts.audio.pcm import to_pcm16
    from triforce_tts.audio.wav import wav_head

    piped = Piped()
    # Standard output is used without its buffer: each chunk is heard at once, and none is left over when the pipe is
    # closed.
    sys.stdout.flush()
    with io.FileIO(sys.stdout.fileno(), "wb", closefd=False) as out:
        try:
            for chunk in chunks:
                head = b"" if raw or piped.samples else wav_head(sample_rate, tags, samples)
                _write(out, head + to_pcm16(chunk.numpy()).tobytes())
                piped.samples += len(chunk)
                piped.first_at = piped.first_at or time.perf_counter()
        except BrokenPipeError:
            piped.closed = True
            # After this, a flush of standard output cannot fail.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    return piped


def _write(out: io.FileIO, content: bytes) -> None:
    """Write all of ``content``: a pipe may take a part at a time."""
    rest = memoryview(content)
    while rest:
        try:
            rest = rest[out.write(rest) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise TriforceError(
                f"standard output: {error.strerror}; free some space or choose another place"
            ) from error
