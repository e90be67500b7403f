"""The default voice of an adapted model: the best few seconds among the clips that it was trained on."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from triforce_tts.audio.edit import join, normalize_level
from triforce_tts.audio.io import Audio, decode_audio
from triforce_tts.audio.quality import best_stretch, power_spectrum, snr_db
from triforce_tts.audio.resample import ANALYSIS_RATE, resample
from triforce_tts.errors import ShardError
from triforce_tts.files import atomic_path
from triforce_tts.judges import dnsmos
from triforce_tts.shards import ShardSet

from .recordings import is_installed

# The shortest and the longest voice clip, in seconds. The GPT hears the clip up to the first length; stage 3 hears all
# of it.
SECONDS = (6.0, 10.0)
PAUSE_S = 0.3  # seconds of silence between two clips that are joined because each is too short alone
CANDIDATES = 12  # The judge hears so many clips, taken evenly from a fixed order.
WINDOWS = 1  # DNSMOS hears so many windows of 9 s of each clip.


@dataclass(frozen=True)
class Candidate:
    """A clip that could be the voice."""

    keys: tuple[str, ...]  # the keys of the samples that the clip is made of
    samples: torch.Tensor
    meta: dict[str, Any]  # the JSON of the clip's first sample


def candidates(shards: ShardSet, sample_rate: int, seed: int) -> Iterator[Candidate]:
    """Clips of 6 to 10 s: samples of that length, the best stretches of longer ones, and joined shorter ones."""
    low, high = SECONDS
    order = sorted(range(len(shards)), key=lambda n: hashlib.sha256(f"{seed} {shards.keys[n]}".encode()).digest())
    numbers, pieces = list[int](), list[torch.Tensor]()
    for number in order:
        sound = decode_audio(shards.payload(number), shards.keys[number], sample_rate).samples
        sound = best_stretch(sound, sample_rate, low, high)
        if numbers and _seconds([*pieces, sound], sample_rate) > high:
            numbers, pieces = [], []
        numbers, pieces = [*numbers, number], [*pieces, sound]
        if _seconds(pieces, sample_rate) >= low:
            level = [normalize_level(piece, sample_rate)[0] for piece in pieces]
            whole = join(level, [PAUSE_S] * (len(level) - 1), sample_rate)
            yield Candidate(tuple(shards.keys[n] for n in numbers), whole, shards.meta(numbers[0]))
            numbers, pieces = [], []
    if numbers and _seconds(pieces, sample_rate) >= 1.0:
        whole = join(pieces, [PAUSE_S] * (len(pieces) - 1), sample_rate)
        yield Candidate(tuple(shards.keys[n] for n in numbers), whole, shards.meta(numbers[0]))


def _seconds(pieces: list[torch.Tensor], sample_rate: int) -> float:
    return sum(len(piece) for piece in pieces) / sample_rate + PAUSE_S * (len(pieces) - 1)


def choose_voice(shards: Path, sample_rate: int, seed: int, out: Path) -> dict[str, Any]:
    """Write the best clip to ``out`` (FLAC); returns what the clip is, and the figure by which it was chosen.

    DNSMOS chooses; where it is not installed, the distance between the speech and the noise does.

    Raises:
        ShardError: no clip could be made.
    """
    by_network = is_installed(dnsmos.PACKAGE) and is_installed("onnxruntime")
    best: Candidate | None = None
    highest, judged = -math.inf, 0
    for candidate in candidates(ShardSet.open([shards], "train", "audio"), sample_rate, seed):
        score = (
            dnsmos.dnsmos(candidate.samples.numpy(), sample_rate, WINDOWS)["ovrl"]
            if by_network
            else snr_db(power_spectrum(resample(candidate.samples.numpy(), sample_rate, ANALYSIS_RATE)))
        )
        judged += 1
        if best is None or score > highest:
            best, highest = candidate, score
        if judged >= CANDIDATES:
            break
    if best is None:
        raise ShardError(f"{shards}: no clip of a second or more could be the default voice; record more")
    tags = {"artist": str(best.meta.get("reader") or best.meta["speaker"]), "copyright": str(best.meta["license"])}
    clip = replace(Audio(best.samples.clamp(-1, 1), sample_rate), tags={k: v for k, v in tags.items() if v})
    with atomic_path(out) as temporary:
        clip.save(temporary)
    by = "DNSMOS" if by_network else "the level of the speech above the noise (DNSMOS is not installed)"
    return {
        "samples": list(best.keys),
        "seconds": round(len(best.samples) / sample_rate, 2),
        "by": by,
        "score": round(highest, 3),
        "candidates": judged,
    }
