"""Who sounds like whom in a corpus: the matrix of its readers, and what in it looks like mixed-up labels.

A clip is a unit vector (the mean over its windows of 1.6 s of speech, by ``judges.embedding``), a reader the mean of
its clips. Three rules find suspects, and every threshold is a setting:

* A **clip** is suspect if it is more similar to another reader than to the other clips of its own reader.
* Two **names** are suspect if no clip tells them apart: on the average, a clip of either is about as similar to the
  other name as to the other clips of its own.
* A **reader** is suspect if the clips under its name fall into two groups as different as two readers are.

docs/data.md says how often the rules are right.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from triforce_tts.audio.io import decode_audio
from triforce_tts.drawing import draw_similarity
from triforce_tts.judges.embedding import Vectors, embed_windows, mean_vector
from triforce_tts.schema import Config
from triforce_tts.shards import ShardSet

from .common.segments import ANALYSIS_RATE
from .steps.speakers import without_pauses

_BATCH = 16  # clips that are read at the same time
MOST_DRAWN = 60  # the most readers in the picture
# Only so much of a clip is heard, from its start; more hardly changes its vector.
_LONGEST_S = 12.0
# The division into two groups is improved in at most so many rounds.
_ROUNDS = 20

Groups = dict[str, npt.NDArray[np.int64]]  # the numbers of each reader's clips


class SimilarityConfig(Config):
    """When labels of readers are suspect. Differences and distances are of cosines, 0 to 2."""

    min_seconds: Annotated[float, Field(ge=0)] = 2.0  # shorter clips are not compared
    # A clip is suspect if another reader is nearer to it, by more than this, than its own reader.
    clip: Annotated[float, Field(ge=0)] = 0.03
    # Two names are one person if a clip is nearer to its own name, on the average, by less than this.
    same: Annotated[float, Field(ge=0)] = 0.05
    # One name is two people if its clips fall into two groups that are at least this far from each other.
    two: Annotated[float, Field(gt=0)] = 0.12
    least_clips: Annotated[int, Field(ge=2)] = (
        3  # a name, or a group within a name, with fewer is not judged by these two
    )


@dataclass(frozen=True)
class Voices:
    """The clips of a corpus as vectors."""

    keys: list[str]
    speakers: list[str]
    vectors: Vectors  # [clips, 256], each of unit length

    def groups(self) -> Groups:
        """The numbers of each reader's clips, readers in alphabetical order."""
        names = np.array(self.speakers)
        return {name: np.flatnonzero(names == name) for name in sorted(set(self.speakers))}


def listen(
    shards: Sequence[ShardSet], min_seconds: float, shown: Callable[[Iterable[int], int], Iterable[int]]
) -> Voices:
    """The vectors of all clips of at least ``min_seconds``; ``shown(batches, count)`` passes batches on and may show them.

    Raises:
        TriforceError: the network's weights are not installed, or a clip cannot be decoded.
    """
    chosen = [(s, i) for s in shards for i in range(len(s)) if s.durations_s[i] >= min_seconds]
    vectors: list[Vectors] = []
    starts = range(0, len(chosen), _BATCH)
    for start in shown(starts, len(starts)):
        waves = []
        for shard, i in chosen[start : start + _BATCH]:
            sound = decode_audio(shard.payload(i), shard.keys[i], ANALYSIS_RATE, 0.0, _LONGEST_S)
            waves.append(without_pauses(sound.samples.numpy())[0])
        vectors += [mean_vector(windows) for windows in embed_windows(waves)]
    keys, speakers = [s.keys[i] for s, i in chosen], [s.speakers[i] for s, i in chosen]
    return Voices(keys, speakers, np.stack(vectors) if vectors else np.zeros((0, 256), np.float32))


@dataclass(frozen=True)
class Stray:
    """A clip that is more similar to another reader than to its own."""

    key: str
    speaker: str
    nearest: str
    difference: float  # cosine to the nearest reader less the cosine to the own one


@dataclass(frozen=True)
class Pair:
    """Two readers, or two groups of clips under one name, and how far apart they are (see ``_measure``)."""

    first: str
    second: str
    separation: float


@dataclass(frozen=True)
class Suspects:
    """What in a corpus looks like mixed-up labels; of each kind the clearest case first."""

    clips: list[Stray]
    one_person: list[Pair]  # two names of one person
    two_people: list[Pair]  # a name, the key of a clip of the smaller group under it


@dataclass(frozen=True)
class Similarity:
    """The matrix of the readers of a corpus, and its suspects."""

    speakers: list[str]
    cosines: Vectors  # [readers, readers], of their mean vectors
    suspects: Suspects


def compare(voices: Voices, config: SimilarityConfig) -> Similarity:
    """Compare all voices. Everything is measured twice, the second time without the suspects of the first time."""
    groups = voices.groups()
    names, members = list(groups), list(groups.values())
    trusted = np.ones(len(voices.keys), dtype=bool)
    first = _measure(voices.vectors, members, trusted)
    trusted[first.difference > config.clip] = False
    second = _measure(voices.vectors, members, trusted)
    judged = np.array([np.count_nonzero(trusted[own]) >= config.least_clips for own in members], dtype=bool)
    strays = [
        Stray(voices.keys[i], voices.speakers[i], names[second.nearest[i]], float(second.difference[i]))
        for i in np.flatnonzero(second.difference > config.clip)
    ]
    alike = np.argwhere(np.triu((second.separation < config.same) & judged & judged[:, None], 1))
    pairs = [Pair(names[a], names[b], float(second.separation[a, b])) for a, b in alike]
    divided = (
        _divided(voices, own[trusted[own]], config) for own, enough in zip(members, judged, strict=True) if enough
    )
    suspects = Suspects(
        sorted(strays, key=lambda stray: -stray.difference),
        sorted(pairs, key=lambda pair: pair.separation),
        sorted((pair for pair in divided if pair is not None), key=lambda pair: -pair.separation),
    )
    return Similarity(names, np.asarray(second.means @ second.means.T, np.float32), suspects)


def draw(similarity: Similarity, voices: Voices, path: Path) -> None:
    """The matrix as a picture: the readers with the most clips, similar readers beside each other."""
    groups = voices.groups()
    largest = sorted(range(len(similarity.speakers)), key=lambda i: -len(groups[similarity.speakers[i]]))[:MOST_DRAWN]
    chosen = sorted(largest)
    cosines = similarity.cosines[np.ix_(chosen, chosen)]
    order = _similar_beside(cosines)
    names = [similarity.speakers[chosen[i]] for i in order]
    draw_similarity(cosines[np.ix_(order, order)], names, names, ("reader", "reader"), path)


def _similar_beside(cosines: Vectors) -> list[int]:
    """The order of the leaves of a tree that average linkage makes of readers [n, n]."""
    if len(cosines) < 3:
        return list(range(len(cosines)))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distances = np.maximum(0.0, 1.0 - (cosines + cosines.T) / 2)
    np.fill_diagonal(distances, 0.0)
    order: list[int] = leaves_list(linkage(squareform(distances, checks=False), "average")).tolist()
    return order


@dataclass(frozen=True)
class _Nearness:
    """How near clips are to the readers."""

    means: Vectors  # [readers, 256], the unit vectors of the readers
    nearest: npt.NDArray[np.int64]  # [clips], the number of the nearest reader besides the own one
    # [clips]: the cosine to the nearest other reader less the cosine to the own one; minus infinity where one is missing
    difference: npt.NDArray[np.float64]
    separation: npt.NDArray[np.float64]  # [readers, readers], see ``_measure``


def _measure(vectors: Vectors, members: Sequence[npt.NDArray[np.int64]], trusted: npt.NDArray[np.bool_]) -> _Nearness:
    """Compare every clip with every reader, whose vector is the mean of its ``trusted`` clips.

    A clip is compared with its own reader without itself, so that a reader of few clips has no advantage. The
    separation of two readers is how much nearer the clips of each are to their own reader than to the other, the mean
    over the clips of a reader, and then over the two.
    """
    heard = [own[trusted[own]] if trusted[own].any() else own for own in members]
    means = np.stack([mean_vector(vectors[own]) for own in heard])
    nearest = np.zeros(len(vectors), dtype=np.int64)
    difference = np.full(len(vectors), -np.inf)
    apart = np.full((len(members), len(members)), np.nan)
    for number, (own, chosen) in enumerate(zip(members, heard, strict=True)):
        others = vectors[own] @ means.T
        total = vectors[chosen].sum(0, dtype=np.float64)
        rest = total - vectors[own] * np.isin(own, chosen)[:, None]
        length = np.linalg.norm(rest, axis=1)
        alone = length < 1e-6  # there is no other clip
        to_own = np.where(alone, np.inf, (vectors[own] * rest).sum(1) / np.maximum(length, 1e-6))
        if not alone.all():
            apart[number] = (to_own[~alone, None] - others[~alone]).mean(0)
        others[:, number] = -np.inf
        nearest[own] = others.argmax(1)
        difference[own] = others.max(1) - to_own
    return _Nearness(means, nearest, difference, (apart + apart.T) / 2)


def _divided(voices: Voices, own: npt.NDArray[np.int64], config: SimilarityConfig) -> Pair | None:
    """The two groups of the clips ``own`` of one name, if they are as different as two readers are."""
    sides = _halves(voices.vectors[own])
    parts = sorted((own[sides], own[~sides]), key=len)
    if len(parts[0]) < config.least_clips:
        return None
    measured = _measure(voices.vectors, parts, np.ones(len(voices.keys), dtype=bool))
    separation = float(measured.separation[0, 1])
    if separation < config.two:
        return None
    middle = parts[0][int(np.argmax(voices.vectors[parts[0]] @ measured.means[0]))]
    return Pair(voices.speakers[own[0]], voices.keys[middle], separation)


def _halves(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """A division of ``vectors`` [n, 256] into two groups, each around its mean (2-means on the sphere)."""
    centred = vectors - vectors.mean(0)
    sides = centred @ np.linalg.svd(centred, full_matrices=False)[2][0] > 0
    for _ in range(_ROUNDS):
        if sides.all() or not sides.any():
            break
        direction = mean_vector(vectors[sides]) - mean_vector(vectors[~sides])
        moved = vectors @ direction > 0
        if (moved == sides).all():
            break
        sides = moved
    return np.asarray(sides, dtype=bool)
