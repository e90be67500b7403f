"""Who speaks: segments of two speakers are divided where one takes over, all labelled within a recording, voices linked over many.

What a network says of windows of 1.6 s, pauses left out, is compared (``embedding``). It is a small network: what these
rules find, and what they miss, was measured on joined readers (docs/data.md), and every threshold can be moved.
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

Vector = npt.NDArray[np.float32]  # of unit length
VoiceT = TypeVar("VoiceT", bound=Hashable)
STEP = 40  # frames of 10 ms from one window to the next
_BATCH = 64  # segments that are read at a time
_LONGEST_S = 40.0  # in a longer segment not every stretch is looked at
PAUSE = 20  # frames: shorter ones are closures of consonants
PAUSE_DB = -30.0  # level of a pause, against that of the loudest frames
LOUDEST = 0.95  # quantile of frame levels that stands for those
EDGE = 2  # frames of a pause that stay on each side of speech
# Means over windows of one voice differ by this much however many there are; 1 is how much single windows differ.
SPREAD = 0.2
# A change of speaker that is not at a pause counts less: there are many such places, and one looks like a change by chance.
ANYWHERE = 0.75
TWO_SPEAKERS = "two speakers"


class Pause(NamedTuple):
    """Where nobody speaks in a segment."""

    frame: int  # the speech after the pause begins here, counted in the sound without pauses
    start_s: float  # within the segment
    end_s: float


class SpeakersConfig(Config):
    """When two sounds are of one speaker. Distances are cosine distances, 0 to 2."""

    min_seconds: float = Field(default=3.0, ge=0)  # shorter segments tell too little: their speaker is unknown
    two_speakers: float = Field(default=0.37, gt=0)  # ``change_score`` above which two speak in a segment
    divide: bool = True  # cut a segment of two speakers where the other one begins and ends; False: drop it whole
    pad_s: float = Field(default=0.2, ge=0)  # part of the pause that stays on each side of the speech
    same_speaker: float = Field(
        default=0.2, gt=0
    )  # two groups of segments of a recording that are nearer are of one speaker
    # A segment has two speakers if one of its windows is nearer to another speaker than to its own by more than this.
    intruder: float = Field(default=0.05, ge=0)
    same_voice: float = Field(default=0.15, gt=0)  # voices of two recordings that are nearer are of one speaker


def label_speakers(sound: Sound, segments: list[Segment], config: SpeakersConfig) -> dict[str, Vector]:
    """Label kept segments "0", "1"... by talking time; the mean vector of each label.

    A segment of two speakers is replaced in ``segments`` by its parts; what is still of two, or is too short then, is
    dropped.

    Raises:
        TriforceError: the network's weights are missing.
    """
    kept: list[tuple[Segment, Vector]] = []
    left = [segment for segment in segments if segment.kept and segment.seconds >= config.min_seconds]
    while left:
        windows, pauses = _windows(sound, left)
        found, left = zip(left, windows, pauses, strict=True), []
        for segment, vectors, places in found:
            frames = [pause.frame for pause in places]
            if (score := change_score(vectors, frames)) <= config.two_speakers:
                kept.append((segment, vectors))
                continue
            parts = _parts(sound, segment, [places[i] for i in turns(vectors, frames)] if config.divide else [], config)
            for part in parts:
                if part.seconds < config.min_seconds or len(parts) == 1:
                    part.drop(TWO_SPEAKERS, f"change {score:.2f}")
            left += [part for part in parts if part.kept]
            at = segments.index(segment)
            segments[at : at + 1] = parts
    if not kept:
        return {}
    kept.sort(key=lambda item: item[0].start_s)
    groups = cluster(np.stack([mean_vector(v) for _, v in kept]), config.same_speaker)
    _drop_intruders(kept, groups, config)
    spoken: defaultdict[int, float] = defaultdict(float)
    for (segment, _), group in zip(kept, groups, strict=True):
        spoken[group] += segment.seconds if segment.kept else 0.0
    by_time = sorted((group for group in spoken if spoken[group]), key=lambda group: (-spoken[group], group))
    names = {group: str(number) for number, group in enumerate(by_time)}
    members: defaultdict[str, list[Vector]] = defaultdict(list)
    for (segment, vectors), group in zip(kept, groups, strict=True):
        if segment.kept:
            segment.speaker = names[group]
            members[segment.speaker].append(vectors)
    return {name: mean_vector(np.concatenate(members[name])) for name in sorted(members, key=int)}


def _parts(sound: Sound, segment: Segment, pauses: Sequence[Pause], config: SpeakersConfig) -> list[Segment]:
    """``segment`` divided at ``pauses``; the middle of a long one is a dropped part of its own."""
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
    """The vectors [windows, 256] of each segment, and where its pauses were."""
    vectors: list[Vector] = []
    pauses: list[list[Pause]] = []
    for start in range(0, len(segments), _BATCH):
        batch = segments[start : start + _BATCH]
        speech = [without_pauses(sound.read(s.start_s, s.end_s, ANALYSIS_RATE)) for s in batch]
        vectors += embed_windows([wave for wave, _ in speech], STEP)
        pauses += [places for _, places in speech]
    return vectors, pauses


def without_pauses(wave: Wave) -> tuple[Wave, list[Pause]]:
    """``wave`` [n] at 16 kHz without its pauses, and where they were."""
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
    """How unlike the rest its most unlike stretch is, for ``vectors`` [windows, 256] of a segment; 0 for one window.

    A stretch is a run of windows, at an end or in the middle. Its cosine distance from the rest is divided by
    ``SPREAD + 1 / windows + 1 / windows of the rest``: means of few windows differ by chance alone, and the variance of a
    mean falls with their number. It counts in full where both its ends are ``pauses`` (frames, of ``without_pauses``)
    or the segment's own, and ``ANYWHERE`` as much elsewhere.
    """
    scores, _, at_pauses = _changes(vectors, pauses)
    return float(np.where(at_pauses, scores, ANYWHERE * scores).max(initial=0.0))


def turns(vectors: Vector, pauses: Sequence[int]) -> list[int]:
    """The numbers of the ``pauses`` between which the stretch lies that is most unlike the rest; none: nowhere."""
    scores, stretches, at_pauses = _changes(vectors, pauses)
    if not at_pauses.any():
        return []
    edges = stretches[int(np.argmax(np.where(at_pauses, scores, -1.0)))]
    borders = _borders(len(vectors), pauses)
    return [i for i in range(len(pauses)) if borders[i] in edges]


def _borders(n: int, pauses: Sequence[int]) -> npt.NDArray[np.int64]:
    """The first of ``n`` windows behind each of ``pauses``: it belongs to the side that its middle is on."""
    return np.searchsorted(np.arange(n) * STEP + WINDOW // 2, pauses)


def _changes(
    vectors: Vector, pauses: Sequence[int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each stretch of windows: how unlike the rest it is, its first window and its end, whether both are at pauses."""
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
    """A group for each of ``vectors`` [n, 256]: average linkage, as far as groups lie less than ``distance`` apart."""
    if len(vectors) < 2:
        return [0] * len(vectors)
    from scipy.cluster.hierarchy import fcluster, linkage

    groups: list[int] = fcluster(linkage(vectors, "average", "cosine"), distance, "distance").tolist()
    return groups


def _drop_intruders(kept: Sequence[tuple[Segment, Vector]], groups: Sequence[int], config: SpeakersConfig) -> None:
    """Drop segments with windows that are another speaker's; whoever speaks in one segment only is nobody's intruder."""
    means = {
        group: mean_vector(np.stack([mean_vector(v) for (_, v), g in zip(kept, groups, strict=True) if g == group]))
        for group in set(groups)
    }
    sizes = {group: list(groups).count(group) for group in means}
    for (segment, vectors), group in zip(kept, groups, strict=True):
        others = [means[other] for other in sorted(means) if other != group and sizes[other] > 1]
        if others:
            nearer = (vectors @ np.stack(others).T).max(1) - vectors @ means[group] > config.intruder
            if nearer.any():
                segment.drop(TWO_SPEAKERS, f"{nearer.sum()} windows of another one")


def link_voices(voices: Mapping[VoiceT, Vector], config: SpeakersConfig) -> dict[VoiceT, int]:
    """One number for all ``voices`` of a speaker, from 0 by first appearance in sorted order.

    Average linkage over all pairs: time and memory grow with the square of the number of voices (10 000: 400 MB).
    """
    names = sorted(voices)  # type: ignore[type-var]
    if not names:
        return {}
    numbers: dict[int, int] = {}
    groups = cluster(np.stack([voices[name] for name in names]), config.same_voice)
    return {name: numbers.setdefault(group, len(numbers)) for name, group in zip(names, groups, strict=True)}
