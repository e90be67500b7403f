"""Who speaks: segments of two speakers are found and dropped, the others labelled within a recording, voices linked over many.

What a network says of windows of 1.6 s is compared (``embedding``). It is a small network: what these rules find, and what
they miss, was measured on joined readers (docs/data.md), and every threshold can be moved.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveInt

from triforce_tts.schema import Config

from .embedding import embed_windows, mean_vector
from .segments import ANALYSIS_RATE, Segment, Sound

Vector = npt.NDArray[np.float32]  # of unit length
VoiceT = TypeVar("VoiceT", bound=Hashable)
STEP = 40  # frames of 10 ms from one window to the next
_BATCH = 64  # segments that are read at a time
_LONGEST_S = 40.0  # of a segment whose every stretch is looked at


class SpeakersConfig(Config):
    """When two sounds are of one speaker. Distances are cosine distances, 0 to 2."""

    min_seconds: float = Field(default=3.0, ge=0)  # shorter segments tell too little: their speaker is unknown
    two_speakers: float = Field(
        default=0.28, gt=0
    )  # between a stretch of a segment and the rest of it: more, and two speak in it
    stretch_windows: PositiveInt = 4  # that a stretch and the rest must have, 0.4 s apart
    same_speaker: float = Field(default=0.25, gt=0)  # between groups of segments of a recording that are of one speaker
    intruder: float = Field(
        default=0.05, ge=0
    )  # by which a window is more like another speaker than like its segment's own
    intruder_windows: PositiveInt = 2  # in a row: two speak in the segment
    same_voice: float = Field(default=0.2, gt=0)  # between voices of two recordings that are of one speaker


def label_speakers(sound: Sound, segments: Sequence[Segment], config: SpeakersConfig) -> dict[str, Vector]:
    """Drop kept segments of two speakers and label the others "0", "1"... by talking time; the mean vector of each label.

    Raises:
        TriforceError: the network's weights are missing.
    """
    told = [segment for segment in segments if segment.kept and segment.seconds >= config.min_seconds]
    windows = _windows(sound, told)
    for segment, vectors in zip(told, windows, strict=True):
        if (distance := most_different(vectors, config.stretch_windows)) > config.two_speakers:
            segment.drop("two speakers", f"distance {distance:.2f}")
    kept = [(s, v) for s, v in zip(told, windows, strict=True) if s.kept]
    if not kept:
        return {}
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


def _windows(sound: Sound, segments: Sequence[Segment]) -> list[Vector]:
    """The vectors [windows, 256] of each segment."""
    found: list[Vector] = []
    for start in range(0, len(segments), _BATCH):
        batch = segments[start : start + _BATCH]
        found += embed_windows([sound.read(s.start_s, s.end_s, ANALYSIS_RATE) for s in batch], STEP)
    return found


def most_different(vectors: Vector, least: int) -> float:
    """The largest distance between a stretch of ``vectors`` [n, 256] and all the rest, both of ``least`` windows or more."""
    n = min(len(vectors), round(_LONGEST_S * 100 / STEP))
    if n < 2 * least:
        return 0.0
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors[:n], axis=0, dtype=np.float64)])
    first, last = np.triu_indices(n + 1, least)
    chosen = last - first <= n - least
    inside = sums[last[chosen]] - sums[first[chosen]]
    rest = sums[-1] - inside
    cosine = (inside * rest).sum(1) / (np.linalg.norm(inside, axis=1) * np.linalg.norm(rest, axis=1))
    return float(1 - cosine.min())


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
            if _longest_run(nearer) >= config.intruder_windows:
                segment.drop("two speakers", f"{_longest_run(nearer)} windows of another one")


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    longest = run = 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


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
