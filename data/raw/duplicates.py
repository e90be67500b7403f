"""Finds segments that hold the same sound, such as an advert in every episode or an episode in two feeds.

The fingerprint of a sound is the signs of its energy differences along frequency and time (Haitsma and Kalker, "A
highly robust audio fingerprinting system", ISMIR 2002). The signs hardly change with loudness, lossy codecs, resampling
and shifts, but two readings of one text, even by one reader, differ in about half of them. Frames here are 32 ms apart
instead of 11.6 ms, which makes a fingerprint three times smaller (125 bytes for each second).
"""

import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from triforce_tts.schema import Config

from ..common.names import letters_of
from ..common.segments import ANALYSIS_RATE, Wave

Words = npt.NDArray[np.uint32]

HOP = 512  # samples; 32 ms
WINDOW = 6144  # samples; 0.38 s as in the paper, so long that a shift of half a hop hardly changes a frame
LOWEST_HZ, HIGHEST_HZ = 300.0, 2000.0  # the band of the paper; telephones and low bit rates keep it
BITS = 32  # bits in a frame's word; they come from 33 bands
QUIET_DB = -50.0  # a frame this far below the loudest frame is noise or digital silence; its bits are chance
NOTHING = 0  # the word of such a quiet frame

_SKETCH = 64  # how many words of a segment the index holds
_NEIGHBOURS = 8  # how many earlier segments with the same word the index gives
_CANDIDATES = 8  # how many segments, those with the most words in common, are compared bit by bit
_ONES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


class DuplicatesConfig(Config):
    """When two segments count as the same sound."""

    # Share of bits that may differ. In copies up to 0.12 of the bits differ, in other speech 0.35 and more.
    max_bit_errors: Annotated[float, Field(gt=0, lt=0.5)] = 0.25
    min_overlap: Annotated[float, Field(gt=0, le=1)] = 0.8  # this share of the longer segment must be the same
    min_seconds: Annotated[float, Field(ge=0)] = 2.0  # shorter segments hold few bits, so their texts must be equal too


def fingerprint(samples: Wave) -> Words:
    """The fingerprint [frames] uint32 of ``samples`` [n] at ``ANALYSIS_RATE``, with one frame every 32 ms.

    Bit m of frame n is the sign of (E[n, m] - E[n, m+1]) - (E[n-1, m] - E[n-1, m+1]), E being the energy of 33 bands
    spaced evenly in log frequency. Quiet frames are ``NOTHING``. A sound shorter than one window has no frames.
    """
    if len(samples) < WINDOW + HOP:
        return np.zeros(0, np.uint32)
    wave = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
    spectrum = torch.stft(wave, WINDOW, HOP, window=torch.hann_window(WINDOW), center=False, return_complex=True)
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BITS + 2) * WINDOW / ANALYSIS_RATE
    power = spectrum[: round(edges[-1])].abs().square().double().numpy()
    energy = np.add.reduceat(power, np.round(edges[:-1]).astype(int), axis=0)  # [bands, frames]
    slope = energy[:-1] - energy[1:]
    bits = np.diff(slope, axis=1) > 0  # [BITS, frames]
    words = np.packbits(np.ascontiguousarray(bits.T), axis=1).view(">u4")[:, 0].astype(np.uint32)
    loudness = energy.sum(axis=0)[1:]
    words[loudness <= loudness.max() * 10 ** (QUIET_DB / 10)] = NOTHING
    return words


def bit_errors(first: Words, second: Words, min_overlap: float) -> float:
    """The share of bits in which two fingerprints differ, at the best shift; 1.0 if they cannot match.

    A shift is tried only if at least ``min_overlap`` of the longer fingerprint overlaps the other one.
    """
    needed = max(1, round(min_overlap * max(len(first), len(second))))
    least = 1.0
    for shift in range(needed - len(second), len(first) - needed + 1):
        a = first[max(0, shift) : shift + len(second)]
        b = second[max(0, -shift) :][: len(a)]
        a = a[: len(b)]
        telling = (a != NOTHING) & (b != NOTHING)
        if len(a) < needed or 2 * np.count_nonzero(telling) < needed:
            continue
        wrong = _ONES[(a ^ b)[telling].view(np.uint8)].sum(dtype=np.int64)
        least = min(least, float(wrong) / (BITS * np.count_nonzero(telling)))
    return least


def find_duplicates(
    fingerprints: Mapping[str, Words],
    texts: Mapping[str, str],
    durations_s: Mapping[str, float],
    config: DuplicatesConfig | None = None,
) -> dict[str, str]:
    """For each segment that repeats another one: its key, and the key of the segment that stays.

    The first segment in sorted order stays. Only segments that have a word in common in the index are compared. For
    each segment the index holds its text and the 64 words of its fingerprint that have the smallest hashes; two copies
    mostly have the same such words. For n segments this takes O(n log n) time, and about 2 kB of memory for each
    segment besides the fingerprints, which may be a mapping that reads them from disk.

    Args:
        fingerprints: what ``fingerprint`` gave, by key.
        texts: the text of each segment, by key, or an empty string; see ``min_seconds``.
        durations_s: the length in seconds, by key.
        config: when two segments count as the same; the default is ``DuplicatesConfig()``.
    """
    config = config or DuplicatesConfig()
    keys = sorted(fingerprints)
    index = _Index([_sketch(fingerprints[key], texts[key]) for key in keys])
    first = np.arange(len(keys))  # the number of the segment that each one is a copy of; its own number if it is none
    copies: dict[str, str] = {}
    for number, key in enumerate(keys):
        shared = Counter(int(first[earlier]) for earlier in index.earlier(number))
        likely = sorted(shared, key=lambda candidate: (-shared[candidate], candidate))[:_CANDIDATES]
        for candidate in sorted(likely):
            other = keys[candidate]
            if min(durations_s[key], durations_s[other]) < config.min_seconds and (
                letters_of(texts[key]) != letters_of(texts[other])
            ):
                continue
            if bit_errors(fingerprints[other], fingerprints[key], config.min_overlap) <= config.max_bit_errors:
                first[number], copies[key] = candidate, other
                break
    return copies


def _sketch(words: Words, text: str) -> Words:
    """The different words [up to _SKETCH] of a fingerprint that have the smallest hashes, wherever they stand.

    The checksum of the text is one more word, so that segments with the same text are compared too.
    """
    telling = np.unique(words[words != NOTHING])
    if not len(telling):
        return telling
    mixed = telling * np.uint32(0x9E3779B1)  # multiplicative hash (Knuth), which wraps round
    mixed ^= mixed >> np.uint32(15)
    chosen = telling[np.argsort(mixed, kind="stable")[:_SKETCH]]
    letters = letters_of(text)
    return np.append(chosen, np.uint32(zlib.crc32(letters.encode()))) if letters else chosen


class _Index:
    """Finds segments that share a word with a segment and have a smaller number."""

    def __init__(self, sketches: list[Words]) -> None:
        sizes = np.array([len(sketch) for sketch in sketches], np.int64)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        words = np.concatenate([*sketches, np.zeros(0, np.uint32)])
        segments = np.repeat(np.arange(len(sketches), dtype=np.int32), sizes)
        order = np.argsort(words, kind="stable")  # a stable sort keeps equal words in the order of the segments
        self._words, self._segments = words[order], segments[order]
        self._places = np.empty(len(order), np.int64)  # the place of each segment's words in the sorted order
        self._places[order] = np.arange(len(order))

    def earlier(self, number: int) -> npt.NDArray[np.int32]:
        """The nearest earlier segments for each word of segment ``number``.

        A segment appears once for each shared word.
        """
        places = self._places[self._starts[number] : self._starts[number + 1]]
        before = places[:, None] - np.arange(1, _NEIGHBOURS + 1)
        same = (before >= 0) & (self._words[np.maximum(before, 0)] == self._words[places][:, None])
        return np.asarray(self._segments[before[same]], np.int32)
