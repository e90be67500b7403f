"""Cuts a recording into segments at its pauses, never inside a word; each second belongs to exactly one segment.

Dynamic programming chooses the pauses for the whole recording at once, so that as much speech as possible lies in
segments of an allowed length, and the cuts lie at long pauses rather than at short ones.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from triforce_tts.schema import Config

from ..common.segments import Segment, Sound
from .vad import FRAME_S

NO_SPEECH, TOO_SHORT, TOO_LONG = "no speech", "too short", "too long without a pause"
_STEP_S = 0.005  # the search for the quietest place goes in steps of this length
_WINDOW_S = 0.04  # the level is measured over this time, which is a few periods of a low voice
_LEVEL_FLOOR = 1e-10  # mean square; it is added so that digital silence has a logarithm
_REWARDED_S = 1.0  # a pause longer than this is no better place to cut


class CutConfig(Config):
    """Lengths of segments and pauses, in seconds."""

    min_seconds: float = Field(default=3.0, gt=0)  # a shorter segment is too short to recognise its speaker
    max_seconds: float = Field(default=20.0, gt=0)
    min_pause_s: float = Field(default=0.25, gt=0)  # no cut lies in a shorter pause
    good_pause_s: float = Field(default=0.5, gt=0)  # a longer pause is cut even if its segment has an allowed length
    join_s: float = Field(default=1.5, gt=0)  # a segment never contains a longer pause
    pad_s: float = Field(default=0.2, ge=0)  # the part of the pause that stays on each side of the speech
    # No cut lies where the probability of speech is higher: the detector may have missed a word there.
    max_probability: float = Field(default=0.35, gt=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> "CutConfig":
        if self.min_seconds >= self.max_seconds:
            raise ValueError(f"min_seconds must be below max_seconds, found {self.min_seconds}, {self.max_seconds}")
        if not self.min_pause_s <= self.good_pause_s <= self.join_s:
            raise ValueError("expected min_pause_s <= good_pause_s <= join_s")
        return self


@dataclass(frozen=True)
class _Pause:
    """A place to cut: the segment before it ends at ``left_s``, the segment after it begins at ``right_s``."""

    left_s: float
    right_s: float
    seconds: float  # the length of the pause


def cut(
    spans: list[tuple[float, float]], sound: Sound, probabilities: npt.NDArray[np.float32], config: CutConfig
) -> list[Segment]:
    """Segments that follow one another from 0 to the end of ``sound``; those without usable speech are dropped.

    ``spans`` are the stretches of speech, and ``probabilities`` [frames] are the probabilities of speech in each
    ``FRAME_S`` seconds, both from ``vad``. Edges lie on samples, at the quietest place of a pause. If a pause is long
    enough, ``pad_s`` of it goes to each side and the middle is dropped. Speech without a pause for more than
    ``max_seconds`` is dropped as a whole.
    """
    end_s = sound.duration_s
    spans = [(start, min(end, end_s)) for start, end in spans if start < end_s]
    if not spans:
        return _timeline([], sound)
    pauses = [_first(spans[0][0], sound, config)]
    for (_, before), (after, _) in pairwise(spans):
        pause = _pause(before, after, sound, probabilities, config)
        if pause is not None:
            pauses.append(pause)
    pauses.append(_last(spans[-1][1], sound, config))
    return _timeline(_chosen(pauses, config), sound)


def _chosen(pauses: list[_Pause], config: CutConfig) -> list[Segment]:
    """The segments between ``pauses`` with the best score.

    The score is the number of seconds kept, plus for each cut the length of its pause minus ``good_pause_s``.
    ``best[j]`` is the best score of everything before pause j, and ``origin[j]`` is the pause at which the last segment
    of it begins.
    """
    best = [0.0]
    origin = [0]
    for j in range(1, len(pauses)):
        reward = min(pauses[j].seconds, _REWARDED_S) - config.good_pause_s
        # The speech between two neighbouring pauses cannot be divided; it is dropped if its length is not allowed.
        best.append(best[j - 1] + reward)
        origin.append(j - 1)
        for i in range(j - 1, -1, -1):
            if i < j - 1 and pauses[i + 1].seconds > config.join_s:
                break
            length = pauses[j].left_s - pauses[i].right_s
            if length > config.max_seconds:
                break
            value = best[i] + reward + (length if length >= config.min_seconds else 0.0)
            if value > best[j]:
                best[j], origin[j] = value, i
    segments = []
    j = len(pauses) - 1
    while j > 0:
        segment = Segment(pauses[origin[j]].right_s, pauses[j].left_s)
        if segment.seconds < config.min_seconds:
            segment.drop(TOO_SHORT, f"{segment.seconds:.2f} s")
        elif segment.seconds > config.max_seconds:
            segment.drop(TOO_LONG, f"{segment.seconds:.2f} s")
        segments.append(segment)
        j = origin[j]
    return segments[::-1]


def _timeline(segments: list[Segment], sound: Sound) -> list[Segment]:
    """``segments`` with the stretches before, between and behind them, which are dropped as "no speech"."""
    full: list[Segment] = []
    now = 0.0
    for segment in [*segments, Segment(sound.duration_s, sound.duration_s)]:
        if segment.start_s > now:
            full.append(Segment(now, segment.start_s))
            full[-1].drop(NO_SPEECH, f"{full[-1].seconds:.2f} s")
        if segment.seconds > 0:
            full.append(segment)
        now = segment.end_s
    return full


def _pause(
    before: float, after: float, sound: Sound, probabilities: npt.NDArray[np.float32], config: CutConfig
) -> _Pause | None:
    """The place to cut between speech that ends at ``before`` and speech that begins at ``after``.

    None if there is none.
    """
    start, end = _calm(before, after, probabilities, config.max_probability)
    seconds = end - start
    if seconds < config.min_pause_s:
        return None
    return _Pause(*edges_in_pause(sound, start, end, config.pad_s), seconds)


def edges_in_pause(sound: Sound, start: float, end: float, pad_s: float) -> tuple[float, float]:
    """Two quiet places in a pause from ``start`` to ``end`` seconds: the end of one segment and the start of the next.

    They are the same place, unless the pause has room for ``pad_s`` on each side and a middle to leave out.
    """
    seconds = end - start
    if seconds < 3 * pad_s:
        place = _quietest(sound, start + seconds / 4, end - seconds / 4)
        return place, place
    half = pad_s / 2
    left = _quietest(sound, start + half, start + pad_s + half)
    return left, _quietest(sound, end - pad_s - half, end - half)


def _first(start: float, sound: Sound, config: CutConfig) -> _Pause:
    """The place where the first segment begins, before the speech that begins at ``start``."""
    room = min(config.pad_s, start / 2)
    return _Pause(0.0, _quietest(sound, start - 1.5 * room, start - room / 2), start)


def _last(end: float, sound: Sound, config: CutConfig) -> _Pause:
    """The place where the last segment ends, after the speech that ends at ``end``."""
    rest = sound.duration_s - end
    room = min(config.pad_s, rest / 2)
    return _Pause(_quietest(sound, end + room / 2, end + 1.5 * room), sound.duration_s, rest)


def _calm(before: float, after: float, probabilities: npt.NDArray[np.float32], most: float) -> tuple[float, float]:
    """The longest stretch between ``before`` and ``after`` in which no frame's probability of speech is above ``most``.

    So no cut goes through speech that is too short to be a span, such as a "no" between two sentences.
    """
    first, last = int(np.ceil(before / FRAME_S)), int(after / FRAME_S)
    bounds = [before, *(i * FRAME_S for i in range(first, last) if probabilities[i] > most), after]
    # A frame above ``most`` ends one calm stretch with its start, and its end begins the next stretch.
    stretches = [(left + (FRAME_S if k else 0.0), right) for k, (left, right) in enumerate(pairwise(bounds))]
    return max(stretches, key=lambda s: s[1] - s[0])


def _quietest(sound: Sound, start: float, end: float) -> float:
    """The middle of the quietest window of ``_WINDOW_S`` whose middle lies in ``start`` to ``end`` seconds, on a sample.

    Of equally quiet windows it is the one nearest to the middle of the stretch.
    """
    rate = sound.sample_rate
    offset = max(0, round((start - _WINDOW_S / 2) * rate))
    power = np.square(sound.read(offset / rate, end + _WINDOW_S / 2), dtype=np.float64)
    width, step = max(1, round(_WINDOW_S * rate)), max(1, round(_STEP_S * rate))
    if len(power) <= width:
        return round((start + end) / 2 * rate) / rate
    sums = np.concatenate([[0.0], np.cumsum(power)])
    level = 10 * np.log10((sums[width:] - sums[:-width])[::step] / width + _LEVEL_FLOOR)
    middles = offset + width // 2 + step * np.arange(len(level))
    off = np.abs(middles / rate - (start + end) / 2)
    # Windows whose levels differ by less than a decibel count as equally quiet.
    quiet = np.flatnonzero(level <= level.min() + 1.0)
    return int(middles[quiet[np.argmin(off[quiet])]]) / rate
