"""The place of each line in a finished file, and the sound of the file in pieces: memory holds at most one line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from triforce_tts.audio.edit import faded
from triforce_tts.audio.resample import Wave, resample
from triforce_tts.narrator.lines import LineRecord, Lines
from triforce_tts.narrator.plan import PlannedChapter, PlannedLine

_ZEROS = 1 << 16  # so many samples of silence are made at once


@dataclass(frozen=True)
class Placed:
    """A line and its place, in samples of the file."""

    line: PlannedLine
    record: LineRecord
    start: int
    end: int


@dataclass(frozen=True)
class Part:
    """A chapter of the file, from its first sample to one past its last."""

    title: str
    start: int
    end: int
    lines: tuple[Placed, ...]


@dataclass(frozen=True)
class Timeline:
    """The chapters of one file."""

    sample_rate: int
    parts: tuple[Part, ...]

    @property
    def samples(self) -> int:
        """The length of the file."""
        return self.parts[-1].end

    @property
    def seconds(self) -> float:
        """The length of the file."""
        return self.samples / self.sample_rate


def lay_out(
    chapters: Sequence[PlannedChapter],
    records: Mapping[str, LineRecord],
    sample_rate: int,
    head_s: float = 0.0,
    tail_s: float | None = None,
) -> Timeline:
    """The timeline of ``chapters``.

    Args:
        chapters: the chapters of the file.
        records: the records of all their lines.
        sample_rate: the sample rate of the file, in Hz.
        head_s: the silence before the first line of each chapter.
        tail_s: the silence after its last line; without it, the pause of that line.
    """
    parts, at = [], 0
    for chapter in chapters:
        start, placed = at, []
        at += round(head_s * sample_rate)
        lines = chapter.lines
        for line in lines:
            record = records[line.key]
            length = _converted(record.samples, record.sample_rate, sample_rate)
            placed.append(Placed(line, record, at, at + length))
            is_last = line is lines[-1]
            pause_s = tail_s if is_last and tail_s is not None else line.pause_s
            at += length + round(pause_s * sample_rate)
        parts.append(Part(chapter.title, start, at, tuple(placed)))
    return Timeline(sample_rate, tuple(parts))


def _converted(samples: int, sample_rate: int, target_rate: int) -> int:
    return round(samples * target_rate / sample_rate)


def sound(timeline: Timeline, lines: Lines, level: Callable[[Wave], Wave]) -> Iterator[Wave]:
    """The samples of the file in pieces; ``level`` is applied to each line.

    Raises:
        AudioError: the sound of a line was removed or changed after its record was made.
    """
    at = 0
    for part in timeline.parts:
        for placed in part.lines:
            yield from _silence(placed.start - at)
            if placed.end > placed.start:
                wave = resample(
                    lines.read(placed.line.key, placed.record), placed.record.sample_rate, timeline.sample_rate
                )
                whole = torch.from_numpy(_of_length(wave, placed.end - placed.start))
                yield level(faded(whole, timeline.sample_rate, at_start=True, at_end=True).numpy())
            at = placed.end
    yield from _silence(timeline.samples - at)


def _silence(samples: int) -> Iterator[Wave]:
    for start in range(0, samples, _ZEROS):
        yield np.zeros(min(_ZEROS, samples - start), np.float32)


def _of_length(wave: Wave, samples: int) -> Wave:
    """``wave``, cut or padded to ``samples``: a conversion of the sample rate may give one sample more or less."""
    return np.pad(wave[:samples], (0, max(0, samples - len(wave))))
