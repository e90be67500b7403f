"""Counts the seconds, speakers, licences and scores of all segments of a build without keeping the segments."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from triforce_tts.errors import TriforceError

from ..common.segments import UNKNOWN, Failure, Recording
from .distribution import Distribution

Row = Mapping[str, Any]  # a segment, see ``segments.as_row``

KEPT = "kept"  # the outcome of a segment that no step dropped
TOLERANCE_S = 0.001  # the largest gap or overlap between a segment and the next one


@dataclass(frozen=True)
class RecordingRows:
    """A recording with the rows of its segments, which cover it from beginning to end."""

    recording: Recording
    duration_s: float
    rows: Sequence[Row]
    faults: Sequence[str] = ()  # what could not be decoded


@dataclass(frozen=True)
class Step:
    """How much sound one step of the pipeline got and dropped, over all recordings and workers."""

    name: str
    seconds_in: float  # seconds of sound that the step got
    seconds_dropped: float  # seconds of sound that it dropped
    wall_s: float  # seconds that it took

    @property
    def times_real_time(self) -> float | None:
        """Seconds of sound for each second of work; ``None`` if no time was measured."""
        return self.seconds_in / self.wall_s if self.wall_s > 0 else None


def outcome(row: Row) -> str:
    """``KEPT``, or the reason for which the segment was dropped."""
    return str(row["reason"]) or KEPT


def seconds(row: Row) -> float:
    """The length of a segment."""
    return float(row["end_s"] - row["start_s"])


def check_cover(item: RecordingRows) -> None:
    """Check that every second of the recording lies in exactly one segment, with a tolerance of ``TOLERANCE_S``.

    Raises:
        TriforceError: segments overlap, leave a gap, run backwards, or do not end where the recording ends.
    """
    now = 0.0
    for row in sorted(item.rows, key=itemgetter("start_s", "end_s")):
        start, end = row["start_s"], row["end_s"]
        if not (math.isfinite(start) and math.isfinite(end) and start <= end):
            raise TriforceError(
                f"{item.recording.id}: a segment from {start} to {end} s; expected times that do not fall"
            )
        if abs(start - now) > TOLERANCE_S:
            kind = "nowhere" if start > now else "in two segments"
            raise _uncovered(item, min(start, now), max(start, now), kind)
        now = end
    if abs(item.duration_s - now) > TOLERANCE_S:
        kind = "nowhere" if item.duration_s > now else "past the end of the recording"
        raise _uncovered(item, min(item.duration_s, now), max(item.duration_s, now), kind)


def _uncovered(item: RecordingRows, start_s: float, end_s: float, kind: str) -> TriforceError:
    return TriforceError(
        f"{item.recording.id}: {start_s:.3f} to {end_s:.3f} s of {item.duration_s:.3f} s are {kind}; "
        "expected each second in exactly one segment, kept or dropped"
    )


@dataclass
class Share:
    """Seconds of sound, and how many of them were kept."""

    total_s: float = 0.0
    kept_s: float = 0.0

    def add(self, length_s: float, is_kept: bool) -> None:
        """Count a segment."""
        self.total_s += length_s
        self.kept_s += length_s if is_kept else 0.0


class Spread:
    """The distributions of one measured number over the kept and over the dropped segments."""

    def __init__(self) -> None:
        self.kept, self.dropped = Distribution(), Distribution()


@dataclass
class Tally:
    """The counts over all segments; all seconds are seconds of sound."""

    recordings: int = 0
    recorded_s: float = 0.0
    outcome_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    segments: Counter[str] = field(default_factory=Counter)  # the number of segments with each outcome
    speakers: defaultdict[tuple[str, str], Share] = field(default_factory=lambda: defaultdict(Share))
    licenses: defaultdict[tuple[str, str], Share] = field(default_factory=lambda: defaultdict(Share))
    spreads: defaultdict[str, Spread] = field(default_factory=lambda: defaultdict(Spread))
    damaged: list[Failure] = field(default_factory=list)  # the recordings of which only a part could be decoded

    @property
    def kept_s(self) -> float:
        """The seconds of all kept segments."""
        return self.outcome_s.get(KEPT, 0.0)

    def outcomes(self) -> list[str]:
        """``KEPT``, then the reasons for which segments were dropped, sorted by the seconds that each cost."""
        reasons = sorted(self.segments.keys() - {KEPT}, key=lambda reason: (-self.outcome_s[reason], reason))
        return [KEPT, *reasons]

    def add(self, item: RecordingRows) -> Share:
        """Count the segments of a recording; returns its seconds.

        Raises:
            TriforceError: the segments do not cover the recording, see ``check_cover``.
        """
        check_cover(item)
        own = Share()
        for row in item.rows:
            length, is_kept, result = seconds(row), outcome(row) == KEPT, outcome(row)
            speaker = ("", UNKNOWN) if row["speaker"] == UNKNOWN else (item.recording.id, row["speaker"])
            for share in (
                own,
                self.speakers[speaker],
                self.licenses[item.recording.license, item.recording.collection],
            ):
                share.add(length, is_kept)
            self.outcome_s[result] += length
            self.segments[result] += 1
            for name, value in measured(row).items():
                spread = self.spreads[name]
                (spread.kept if is_kept else spread.dropped).add(value)
        if item.faults:
            self.damaged.append(Failure(item.recording.path, "; ".join(item.faults)))
        self.recordings += 1
        self.recorded_s += own.total_s
        return own


def measured(row: Row) -> dict[str, float]:
    """The numbers of a segment by name: its length, its characters a second if it has a text, and its scores."""
    length = seconds(row)
    numbers = {"seconds": length}
    if row["text"] and length > 0:
        numbers["characters a second"] = len(row["text"]) / length
    return numbers | dict(sorted(row["scores"].items()))
