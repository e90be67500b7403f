"""The data that the builder's steps pass on: a recording, its decoded sound, and the segments that it is cut into.

Every step is a function that takes a ``Sound`` and its segments. A segment is never taken out of the list: a step that
drops it gives it a ``reason``, so the report accounts for every second of the recording.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

# The steps of the builder import these two names from this module.
from triforce_tts.audio.resample import ANALYSIS_RATE as ANALYSIS_RATE
from triforce_tts.audio.resample import Wave as Wave
from triforce_tts.audio.resample import resample
from triforce_tts.schema import FileName

UNKNOWN = "unknown"  # the speaker of a segment that is too short to tell who speaks


@dataclass(frozen=True)
class Recording:
    """A recording of any length in a local file, with what is known about it; the builder cuts segments from it."""

    id: FileName  # a webdataset key, unique in a build and the same in every build of the same input
    path: str
    collection: str  # the folder, feed or book that it belongs to; the samples' JSON calls it ``source``
    license: str = "unknown"
    url: str | None = None  # the address that it was fetched from
    title: str | None = None  # the title of the episode or chapter
    text: str | None = None  # the path of the text that is read in it (txt or epub), if there is one


@dataclass(frozen=True)
class Failure:
    """A file, an address or an entry of a feed that gave no recording, and the reason."""

    name: str  # path or URL
    reason: str


@dataclass
class Segment:
    """A stretch of a recording; times are in seconds from its start."""

    start_s: float
    end_s: float
    reason: str = ""  # why it is dropped; empty as long as it is kept
    value: str = ""  # the measured value behind the reason, such as "2.1 s"
    speaker: str = UNKNOWN  # the label of the speaker within the recording: "0", "1" and so on
    text: str = ""
    scores: dict[str, float] = field(default_factory=dict)  # measured numbers by name; they go into the sample's JSON
    details: dict[str, Any] = field(default_factory=dict)  # such as the times of words; they go into the sample's JSON

    @property
    def seconds(self) -> float:
        """The length."""
        return self.end_s - self.start_s

    @property
    def kept(self) -> bool:
        """Whether no step has dropped it so far."""
        return not self.reason

    def drop(self, reason: str, value: str = "") -> None:
        """Drop the segment for a reason; if it is dropped already, the first reason stays."""
        if self.kept:
            self.reason, self.value = reason, value


class Sound(Protocol):
    """A decoded recording, mono, usually in a file on disk, so that hours of it need no memory."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        ...

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        ...

    def read(self, start_s: float, end_s: float, sample_rate: int | None = None) -> Wave:
        """The samples [n] between two times, at the sound's own rate or resampled to ``sample_rate`` Hz."""
        ...

    def blocks(self, seconds: float, sample_rate: int | None = None) -> Iterator[Wave]:
        """The whole sound in blocks of ``seconds`` (the last is shorter), resampled as one stream."""
        ...


class MemorySound:
    """A short sound held in memory."""

    def __init__(self, samples: Wave, sample_rate: int) -> None:
        self.samples, self.sample_rate = samples, sample_rate

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        return len(self.samples) / self.sample_rate

    def read(self, start_s: float, end_s: float, sample_rate: int | None = None) -> Wave:
        """As ``Sound.read``."""
        return resample(self.samples[round(start_s * self.sample_rate) : round(end_s * self.sample_rate)],
                        self.sample_rate, sample_rate)  # fmt: skip

    def blocks(self, seconds: float, sample_rate: int | None = None) -> Iterator[Wave]:
        """As ``Sound.blocks``."""
        rate = sample_rate or self.sample_rate
        whole = resample(self.samples, self.sample_rate, sample_rate)
        size = round(seconds * rate)
        for start in range(0, len(whole), size):
            yield whole[start : start + size]


def as_row(segment: Segment) -> Mapping[str, Any]:
    """A segment as a JSON object, without the scores that are not finite, which JSON cannot hold."""
    row = {name: getattr(segment, name) for name in Segment.__dataclass_fields__}
    return {**row, "scores": {name: value for name, value in segment.scores.items() if math.isfinite(value)}}
