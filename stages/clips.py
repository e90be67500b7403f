"""Crops of the sound in a set of shards: the sound is decoded anew for each crop, or once into memory."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
import psutil
import torch
from rich.console import Console

from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.pcm import from_pcm16, to_pcm16
from triforce_tts.errors import ConfigError
from triforce_tts.progress import track
from triforce_tts.shards import ShardSet
from triforce_tts.wording import counted, length

_SPARE = 0.05  # Clips may be longer than their index says by this share.
_LOOKED_AT = 200  # Of so many samples, taken evenly, the sample rate is looked at.
_USABLE = 0.9  # Clips may take this share of the free memory.


class Clips(Protocol):
    """Random access to the sound of shards."""

    def crop(self, index: int, start_s: float, seconds: float) -> torch.Tensor:
        """The samples [n] of clip ``index`` from ``start_s`` on, ``seconds`` long at most."""
        ...


class DecodedClips:
    """Each crop is decoded when it is asked for: the decoder seeks, and memory does not grow with the data."""

    def __init__(self, shards: ShardSet, sample_rate: int) -> None:
        self.shards, self.sample_rate = shards, sample_rate

    def crop(self, index: int, start_s: float, seconds: float) -> torch.Tensor:
        """See ``Clips``."""
        name = self.shards.keys[index]
        return decode_audio(self.shards.payload(index), name, self.sample_rate, start_s, seconds).samples


class MemoryClips:
    """All clips are decoded once and lie in memory with 16 bits a sample; loader processes share it."""

    def __init__(self, shards: ShardSet, sample_rate: int, quiet: bool = False) -> None:
        """Decode all clips.

        Raises:
            ConfigError: the clips do not fit into the free memory.
            AudioError: a clip cannot be decoded.
        """
        self.sample_rate = sample_rate
        unique = {shards.place(index): index for index in range(len(shards))}  # a repeated sample is kept once
        _require_memory(sum(shards.durations_s[index] for index in unique.values()), sample_rate)
        console = Console(stderr=True, quiet=quiet)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            decoded = pool.map(lambda index: _decoded(shards, index, sample_rate), unique.values())
            clips = list(track(decoded, "clips into memory", len(unique), console))
        places = dict(zip(unique, _bounds(clips), strict=True))
        self.places = [places[shards.place(index)] for index in range(len(shards))]
        self.samples = torch.from_numpy(np.concatenate(clips))

    def crop(self, index: int, start_s: float, seconds: float) -> torch.Tensor:
        """See ``Clips``."""
        first, end = self.places[index]
        start = first + round(start_s * self.sample_rate)
        crop = self.samples[start : min(end, start + round(seconds * self.sample_rate))]
        return torch.from_numpy(from_pcm16(crop.numpy()))


def open_clips(shards: ShardSet, sample_rate: int, in_memory: bool) -> Clips:
    """The sound of ``shards``, resampled to ``sample_rate`` Hz."""
    return MemoryClips(shards, sample_rate) if in_memory else DecodedClips(shards, sample_rate)


def rate_notes(shards: ShardSet, sample_rate: int) -> tuple[str, ...]:
    """A note for the user if some samples are stored at a lower rate than ``sample_rate``, Hz."""
    step = max(1, len(shards) // _LOOKED_AT)
    rates = {index: shards.meta(index).get("sample_rate") for index in range(0, len(shards), step)}
    low = {index: rate for index, rate in rates.items() if isinstance(rate, int) and rate < sample_rate}
    if not low:
        return ()
    index, rate = min(low.items(), key=lambda item: item[1])
    note = (
        f"{len(low)} of {counted(len(rates), 'sample')} that were looked at have less than audio.sample_rate ({sample_rate} Hz), "
        f"such as '{shards.keys[index]}' with {rate} Hz: they teach no sound above {rate // 2} Hz"
    )
    return (note,)


def _decoded(shards: ShardSet, index: int, sample_rate: int) -> npt.NDArray[np.int16]:
    samples = decode_audio(shards.payload(index), shards.keys[index], sample_rate).samples
    return to_pcm16(samples.numpy())


def _bounds(clips: list[npt.NDArray[np.int16]]) -> Iterator[tuple[int, int]]:
    """The first sample of each clip, and one past its last, in the array that holds all clips one after another."""
    first = 0
    for clip in clips:
        yield first, first + len(clip)
        first += len(clip)


def _require_memory(seconds: float, sample_rate: int) -> None:
    # bytes; both the parts and the whole are in memory while the parts are joined
    needed = seconds * (1 + _SPARE) * sample_rate * 2 * 2
    free = psutil.virtual_memory().available
    if needed > _USABLE * free:
        raise ConfigError(
            f"data.in_memory: {length(seconds)} of sound need {needed / 2**30:.1f} GB of memory, and "
            f"{free / 2**30:.1f} GB are free: set data.in_memory=false"
        )
