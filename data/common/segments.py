"""What flows through the builder: a raw recording, its sound on disk, and the segments that it is cut into.

Every step is a function of a ``Sound`` and segments that gives segments. A segment is never taken out of the list: it
gets a ``reason`` to be dropped and stays, so that the report accounts for every second of the recording.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

# The steps of the builder take these two from here, beside what flows between them.
from triforce_tts.audio.resample import ANALYSIS_RATE as ANALYSIS_RATE
from triforce_tts.audio.resample import Wave as Wave
from triforce_tts.audio.resample import resample
from triforce_tts.schema import FileName

UNKNOWN = "unknown"  # the speaker of a segment that is too short to tell


@dataclass(frozen=True)
class Source:
    """A recording of any length that is in a local file, and what is known about it."""

    id: FileName  # a webdataset key, unique in a build and the same in every build of the same input
    path: str
    collection: str  # the folder, feed or book that it is of; goes into ``source`` of its samples
    license: str = "unknown"
    url: str | None = None  # where it was fetched
    title: str | None = None  # of the episode or chapter
    text: str | None = None  # path of the text that it is read from, when there is one (txt or epub)


@dataclass(frozen=True)
class Failure:
    """Something that gives no recording, and why."""

    name: str  # path or URL
    reason: str


@dataclass
class Segment:
    """A stretch of a recording; times are in seconds from its start."""

    start_s: float
    end_s: float
    reason: str = ""  # why it is dropped; empty: it is kept so far
    value: str = ""  # what the reason measured, such as "2.1 s"
    speaker: str = UNKNOWN  # within the recording: "0", "1" and so on
    text: str = ""
    scores: dict[str, float] = field(default_factory=dict)  # measured on the way, by name: go into the sample's JSON
    details: dict[str, Any] = field(default_factory=dict)  # such as word times: go into the sample's JSON

    @property
    def seconds(self) -> float:
        """The length."""
        return self.end_s - self.start_s

    @property
    def kept(self) -> bool:
        """Whether nothing has spoken against it so far."""
        return not self.reason

    def drop(self, reason: str, value: str = "") -> None:
        """Give the reason to leave it out; the first one given stays."""
        if self.kept:
            self.reason, self.value = reason, value


class Sound(Protocol):
    """A decoded recording, mono, on disk: hours of it cost no memory."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        ...

    @property
    def duration_s(self) -> float:
        """The length in seconds."""
        ...

    def read(self, start_s: float, end_s: float, sample_rate: int | None = None) -> Wave:
        """Samples [n] of a stretch, at its own rate or resampled to ``sample_rate`` Hz."""
        ...

    def blocks(self, seconds: float, sample_rate: int | None = None) -> Iterator[Wave]:
        """The whole of it in order, in blocks of ``seconds`` (the last is shorter), resampled as one stream."""
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
    """A segment as JSON, which has no numbers that are not finite."""
    row = {name: getattr(segment, name) for name in Segment.__dataclass_fields__}
    return {**row, "scores": {name: value for name, value in segment.scores.items() if math.isfinite(value)}}
