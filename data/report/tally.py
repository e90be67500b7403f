"""What a build did, counted: the seconds, speakers, licences and scores of all segments, without keeping them."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from triforce_tts.errors import TriforceError

from ..common.segments import UNKNOWN, Source
from .distribution import Distribution

Row = Mapping[str, Any]  # a segment, see ``segments.as_row``

KEPT = "kept"  # the outcome of a segment that nothing spoke against
TOLERANCE_S = 0.001  # by which a segment may begin off the end of the one before it


@dataclass(frozen=True)
class SourceRows:
    """A recording and the segments that it was cut into, which cover it from end to end."""

    source: Source
    duration_s: float
    rows: Sequence[Row]


@dataclass(frozen=True)
class Step:
    """What one step of the pipeline was given and did, over all sources and workers."""

    name: str
    seconds_in: float  # of sound
    seconds_dropped: float  # of sound
    wall_s: float  # of work

    @property
    def times_real_time(self) -> float | None:
        """Seconds of sound in a second of work; ``None`` when no time was measured."""
        return self.seconds_in / self.wall_s if self.wall_s > 0 else None


def outcome(row: Row) -> str:
    """``KEPT``, or the reason for which the segment was dropped."""
    return str(row["reason"]) or KEPT


def seconds(row: Row) -> float:
    """The length of a segment."""
    return float(row["end_s"] - row["start_s"])


def check_cover(item: SourceRows) -> None:
    """See that every second of the recording lies in one segment, within ``TOLERANCE_S`` for each.

    Raises:
        TriforceError: segments overlap, leave a gap, run backwards, or do not end where the recording does.
    """
    now = 0.0
    for row in sorted(item.rows, key=itemgetter("start_s", "end_s")):
        start, end = row["start_s"], row["end_s"]
        if not (math.isfinite(start) and math.isfinite(end) and start <= end):
            raise TriforceError(f"{item.source.id}: a segment from {start} to {end} s; expected times that do not fall")
        if abs(start - now) > TOLERANCE_S:
            kind = "nowhere" if start > now else "in two segments"
            raise _uncovered(item, min(start, now), max(start, now), kind)
        now = end
    if abs(item.duration_s - now) > TOLERANCE_S:
        kind = "nowhere" if item.duration_s > now else "past its end"
        raise _uncovered(item, min(item.duration_s, now), max(item.duration_s, now), kind)


def _uncovered(item: SourceRows, start_s: float, end_s: float, kind: str) -> TriforceError:
    return TriforceError(
        f"{item.source.id}: {start_s:.3f} to {end_s:.3f} s of {item.duration_s:.3f} s are {kind}; "
        "expected each second in exactly one segment, kept or dropped"
    )


@dataclass
class Share:
    """Seconds of sound that came in, and those that were kept."""

    total_s: float = 0.0
    kept_s: float = 0.0

    def add(self, length_s: float, is_kept: bool) -> None:
        """Count a segment."""
        self.total_s += length_s
        self.kept_s += length_s if is_kept else 0.0


class Spread:
    """How one measured number is spread over the kept and over the dropped segments."""

    def __init__(self) -> None:
        self.kept, self.dropped = Distribution(), Distribution()


@dataclass
class Tally:
    """What is remembered of all segments; seconds are of sound."""

    recordings: int = 0
    recorded_s: float = 0.0
    outcome_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    segments: Counter[str] = field(default_factory=Counter)  # by outcome
    speakers: defaultdict[tuple[str, str], Share] = field(default_factory=lambda: defaultdict(Share))
    licenses: defaultdict[tuple[str, str], Share] = field(default_factory=lambda: defaultdict(Share))
    spreads: defaultdict[str, Spread] = field(default_factory=lambda: defaultdict(Spread))

    @property
    def kept_s(self) -> float:
        """The seconds that were kept."""
        return self.outcome_s.get(KEPT, 0.0)

    def outcomes(self) -> list[str]:
        """``KEPT``, then the reasons that dropped something, the one that cost most seconds first."""
        reasons = sorted(self.segments.keys() - {KEPT}, key=lambda reason: (-self.outcome_s[reason], reason))
        return [KEPT, *reasons]

    def add(self, item: SourceRows) -> Share:
        """Count a recording; returns its seconds.

        Raises:
            TriforceError: its segments do not cover it, see ``check_cover``.
        """
        check_cover(item)
        own = Share()
        for row in item.rows:
            length, is_kept, result = seconds(row), outcome(row) == KEPT, outcome(row)
            speaker = ("", UNKNOWN) if row["speaker"] == UNKNOWN else (item.source.id, row["speaker"])
            for share in (own, self.speakers[speaker], self.licenses[item.source.license, item.source.collection]):
                share.add(length, is_kept)
            self.outcome_s[result] += length
            self.segments[result] += 1
            for name, value in measured(row).items():
                spread = self.spreads[name]
                (spread.kept if is_kept else spread.dropped).add(value)
        self.recordings += 1
        self.recorded_s += own.total_s
        return own


def measured(row: Row) -> dict[str, float]:
    """The numbers of a segment by name: its length, its pace where it has a text, and its scores."""
    length = seconds(row)
    numbers = {"seconds": length}
    if row["text"] and length > 0:
        numbers["characters a second"] = len(row["text"]) / length
    return numbers | dict(sorted(row["scores"].items()))
