"""Finds who speaks in each segment.

Segments of two speakers are divided at the change of speaker, the segments of a recording get labels of speakers, and
voices are linked over all recordings of a collection. A network (``embedding``) gives a vector for each window of 1.6 s
of speech without pauses, and these vectors are compared. The network is small. docs/data.md says how well the rules
work on joined clips of several readers. Every threshold is a setting.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from triforce_tts.judges.embedding import HOP, WINDOW, embed_windows, mean_vector
from triforce_tts.schema import Config

from ..common.segments import ANALYSIS_RATE, Segment, Sound, Wave
from .cut import NO_SPEECH, edges_in_pause

Vector = npt.NDArray[np.float32]  # a vector of unit length
VoiceT = TypeVar("VoiceT", bound=Hashable)
STEP = 40  # frames of 10 ms from one window to the next
_BATCH = 64  # how many segments are read at the same time
_LONGEST_S = 40.0  # seconds; only this much speech, from the start of a segment, is searched for a change of speaker
PAUSE = 20  # frames; a shorter pause is the closure of a consonant
PAUSE_DB = -30.0  # a pause is at least this far below the level of the loudest frames
LOUDEST = 0.95  # this quantile of the frame levels is the level of the loudest frames
EDGE = 2  # frames of a pause that stay on each side of the speech
# Even the means over many windows of one voice differ by this much; the unit is the difference between single windows.
SPREAD = 0.2
# The score of a change of speaker is multiplied by this factor if the change is not at a pause: there are so many such
# places that one of them looks like a change by chance.
ANYWHERE = 0.75
TWO_SPEAKERS = "two speakers"


class Pause(NamedTuple):
    """A pause in a segment; its times count from the start of the segment."""

    frame: int  # the frame at which the speech after the pause begins, counted in the sound without pauses
    start_s: float
    end_s: float


class SpeakersConfig(Config):
    """When two sounds count as the same speaker. Distances are cosine distances, 0 to 2."""

    min_seconds: float = Field(default=3.0, ge=0)  # the speaker of a shorter segment is unknown
    two_speakers: float = Field(default=0.37, gt=0)  # a segment with a higher ``change_score`` has two speakers
    divide: bool = True  # cut a segment of two speakers where the speaker changes; False: drop the whole segment
    pad_s: float = Field(default=0.2, ge=0)  # the part of the pause that stays on each side of the speech
    # Two groups of segments in one recording are the same speaker if their distance is smaller than this.
    same_speaker: float = Field(default=0.2, gt=0)
    # A segment has two speakers if one of its windows is more similar to another speaker, by more than this, than to
    # the segment's own speaker.
    intruder: float = Field(default=0.05, ge=0)
    # The voices of two recordings are the same speaker if their distance is smaller than this.
    same_voice: float = Field(default=0.15, gt=0)


def label_speakers(sound: Sound, segments: list[Segment], config: SpeakersConfig) -> dict[str, Vector]:
    """Give the kept segments labels of speakers, "0", "1" and so on by talking time; the mean vector of each label.

    A segment of two speakers is replaced in ``segments`` by its parts. A part that still has two speakers, or is too
    short, is dropped.

    Raises:
        TriforceError: the network's weights are missing.
    """
    single: list[tuple[Segment, Vector]] = []  # segments of one speaker, with their windows
    waiting = [segment for segment in segments if segment.kept and segment.seconds >= config.min_seconds]
    while waiting:
        windows, pauses = _windows(sound, waiting)
        batch, waiting = zip(waiting, windows, pauses, strict=True), []
        for segment, vectors, places in batch:
            frames = [pause.frame for pause in places]
            if (score := change_score(vectors, frames)) <= config.two_speakers:
                single.append((segment, vectors))
                continue
            parts = _parts(sound, segment, [places[i] for i in turns(vectors, frames)] if config.divide else [], config)
            for part in parts:
                if part.seconds < config.min_seconds or len(parts) == 1:
                    part.drop(TWO_SPEAKERS, f"change {score:.2f}")
            waiting += [part for part in parts if part.kept]
            at = segments.index(segment)
            segments[at : at + 1] = parts
    if not single:
        return {}
    single.sort(key=lambda item: item[0].start_s)
    groups = cluster(np.stack([mean_vector(v) for _, v in single]), config.same_speaker)
    _drop_intruders(single, groups, config)
    spoken: defaultdict[int, float] = defaultdict(float)
    for (segment, _), group in zip(single, groups, strict=True):
        spoken[group] += segment.seconds if segment.kept else 0.0
    by_time = sorted((group for group in spoken if spoken[group]), key=lambda group: (-spoken[group], group))
    names = {group: str(number) for number, group in enumerate(by_time)}
    members: defaultdict[str, list[Vector]] = defaultdict(list)
    for (segment, vectors), group in zip(single, groups, strict=True):
        if segment.kept:
            segment.speaker = names[group]
            members[segment.speaker].append(vectors)
    return {name: mean_vector(np.concatenate(members[name])) for name in sorted(members, key=int)}


def _parts(sound: Sound, segment: Segment, pauses: Sequence[Pause], config: SpeakersConfig) -> list[Segment]:
    """The parts of ``segment`` when it is divided at ``pauses``.

    The middle of a long pause is a dropped part of its own.
    """
    parts: list[Segment] = []
    begin = segment.start_s
    for pause in pauses:
        start, end = segment.start_s + pause.start_s, segment.start_s + pause.end_s
        left, right = edges_in_pause(sound, start, end, config.pad_s)
        parts.append(Segment(begin, left))
        if right > left:
            parts.append(Segment(left, right))
            parts[-1].drop(NO_SPEECH, f"{right - left:.2f} s")
        begin = right
    return [*parts, Segment(begin, segment.end_s)] if parts else [segment]


def _windows(sound: Sound, segments: Sequence[Segment]) -> tuple[list[Vector], list[list[Pause]]]:
    """The vectors [windows, 256] and the pauses of each segment."""
    vectors: list[Vector] = []
    pauses: list[list[Pause]] = []
    for start in range(0, len(segments), _BATCH):
        batch = segments[start : start + _BATCH]
        speech = [without_pauses(sound.read(s.start_s, s.end_s, ANALYSIS_RATE)) for s in batch]
        vectors += embed_windows([wave for wave, _ in speech], STEP)
        pauses += [places for _, places in speech]
    return vectors, pauses


def without_pauses(wave: Wave) -> tuple[Wave, list[Pause]]:
    """``wave`` [n] at 16 kHz without its pauses, and the pauses."""
    frames = wave[: len(wave) // HOP * HOP].reshape(-1, HOP)
    level = 10 * np.log10(np.square(frames, dtype=np.float64).mean(1) + 1e-12)
    loud = np.flatnonzero(level > np.quantile(level, LOUDEST) + PAUSE_DB) if len(level) else np.zeros(0, np.int64)
    if not len(loud):
        return wave, []
    gaps = np.flatnonzero(np.diff(loud) > PAUSE)
    starts = np.maximum(0, np.concatenate([loud[:1], loud[gaps + 1]]) - EDGE)
    ends = np.minimum(len(frames), np.concatenate([loud[gaps], loud[-1:]]) + 1 + EDGE)
    speech = [frames[start:end].reshape(-1) for start, end in zip(starts, ends, strict=True)]
    frame_s = HOP / ANALYSIS_RATE
    pauses = zip(np.cumsum(ends - starts)[:-1].tolist(), ends[:-1].tolist(), starts[1:].tolist(), strict=True)
    return np.concatenate(speech), [Pause(frame, end * frame_s, start * frame_s) for frame, end, start in pauses]


def change_score(vectors: Vector, pauses: Sequence[int] = ()) -> float:
    """How much a part of a segment differs from the rest of it; ``vectors`` [windows, 256] are the segment's windows.

    Every stretch of windows is compared with the rest, and the highest score counts; one window alone gives 0. The
    score of a stretch is its cosine distance from the rest, divided by ``SPREAD + 1 / windows + 1 / windows of the
    rest``, because means over few windows differ by chance. If an end of the stretch is neither an end of the segment
    nor one of the ``pauses`` (frames from ``without_pauses``), the score is multiplied by ``ANYWHERE``.
    """
    scores, _, at_pauses = _changes(vectors, pauses)
    return float(np.where(at_pauses, scores, ANYWHERE * scores).max(initial=0.0))


def turns(vectors: Vector, pauses: Sequence[int]) -> list[int]:
    """The numbers of the ``pauses`` at the ends of the stretch that differs most from the rest of the segment."""
    scores, stretches, at_pauses = _changes(vectors, pauses)
    if not at_pauses.any():
        return []
    edges = stretches[int(np.argmax(np.where(at_pauses, scores, -1.0)))]
    borders = _borders(len(vectors), pauses)
    return [i for i in range(len(pauses)) if borders[i] in edges]


def _borders(n: int, pauses: Sequence[int]) -> npt.NDArray[np.int64]:
    """The number of the first of ``n`` windows whose middle lies behind each of ``pauses``."""
    return np.searchsorted(np.arange(n) * STEP + WINDOW // 2, pauses)


def _changes(
    vectors: Vector, pauses: Sequence[int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each stretch of windows: its score, its first window and its end, and whether both ends are at pauses."""
    n = min(len(vectors), round(_LONGEST_S * 100 / STEP))
    first, end = np.triu_indices(n + 1, 1)
    part = end - first < n
    first, end = first[part], end[part]
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors[:n], axis=0, dtype=np.float64)])
    inside = sums[end] - sums[first]
    rest = sums[-1] - inside
    cosine = (inside * rest).sum(1) / (np.linalg.norm(inside, axis=1) * np.linalg.norm(rest, axis=1))
    chance = SPREAD + 1 / (end - first) + 1 / (n - end + first)
    borders = [0, *_borders(n, pauses).tolist(), n]
    at_pauses = np.isin(first, borders) & np.isin(end, borders)
    return (1 - cosine) / chance, np.stack([first, end], 1), at_pauses


def cluster(vectors: Vector, distance: float) -> list[int]:
    """The number of a group for each of ``vectors`` [n, 256].

    Average linkage joins groups as long as two of them are less than ``distance`` apart.
    """
    if len(vectors) < 2:
        return [0] * len(vectors)
    from scipy.cluster.hierarchy import fcluster, linkage

    groups: list[int] = fcluster(linkage(vectors, "average", "cosine"), distance, "distance").tolist()
    return groups


def _drop_intruders(single: Sequence[tuple[Segment, Vector]], groups: Sequence[int], config: SpeakersConfig) -> None:
    """Drop segments with windows that belong to another speaker of the recording.

    A speaker with only one segment does not count as another speaker here.
    """
    means = {
        group: mean_vector(np.stack([mean_vector(v) for (_, v), g in zip(single, groups, strict=True) if g == group]))
        for group in set(groups)
    }
    sizes = {group: list(groups).count(group) for group in means}
    for (segment, vectors), group in zip(single, groups, strict=True):
        others = [means[other] for other in sorted(means) if other != group and sizes[other] > 1]
        if others:
            nearer = (vectors @ np.stack(others).T).max(1) - vectors @ means[group] > config.intruder
            if nearer.any():
                segment.drop(TWO_SPEAKERS, f"{nearer.sum()} windows of another one")


def link_voices(voices: Mapping[VoiceT, Vector], config: SpeakersConfig) -> dict[VoiceT, int]:
    """The number of a speaker for each of ``voices``; speakers are numbered from 0 in the sorted order of the voices.

    Average linkage compares all pairs, so time and memory grow with the square of the number of voices: 10 000 voices
    need 400 MB.
    """
    names = sorted(voices)  # type: ignore[type-var]
    if not names:
        return {}
    numbers: dict[int, int] = {}
    groups = cluster(np.stack([voices[name] for name in names]), config.same_voice)
    return {name: numbers.setdefault(group, len(numbers)) for name, group in zip(names, groups, strict=True)}
