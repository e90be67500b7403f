"""The samples of a pack: as many as fit into so many bytes, spread by a hash over all that there are, in Opus.

Equal shards and an equal size give equal bytes. The order of the samples is that of a hash of their keys, so a small pack
mixes the speakers as the whole does.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from triforce_tts.audio.io import Audio, decode_audio, encode_opus
from triforce_tts.errors import ShardError, TextError
from triforce_tts.progress import track
from triforce_tts.shards import Kind, Sample, ShardInfo, ShardSet, shard_path, write_index, write_shard
from triforce_tts.text.normalize import normalize

from ..codes import NORMALIZED

SHARD_SAMPLES = 64  # A shard has few samples, so that many processes can code the shards of a small pack.
# A tar stores each file in blocks of so many bytes, and uses one more block for the file's header.
_BLOCK = 512
_SIDECAR_BYTES = 200  # the bytes that a sample takes in the columns of the file beside its shard
_SHARD_BYTES = 12_000  # the bytes of the end of a tar and of its names
# Opus with at most so many times the wanted bit rate is copied as it is, because coding it again would harm it more.
_NEAR = 1.25


@dataclass(frozen=True)
class Opus:
    """How the sound of a pack is stored."""

    sample_rate: int  # the sample rate of the DVAE, Hz
    bit_rate: int  # bits a second


@dataclass(frozen=True)
class Packed:
    """The result of packing shards."""

    samples: dict[str, int]  # the number of samples in each split
    seconds: dict[str, float]
    left: int  # samples for which there was no room
    unspeakable: int  # samples whose text cannot be spoken, among those that were looked at


Convert = Callable[[ShardSet, int], Sample | None]


def pack_audio(
    folder: Path, splits: dict[str, ShardSet], opus: Opus, room: int, most_heldout: int, details: dict[str, Any]
) -> Packed:
    """Write shards of sound of at most ``room`` bytes, at most ``most_heldout`` held-out samples among them.

    Raises:
        ShardError: not one training sample fits.
        AudioError: a sample cannot be decoded; the message names it.
    """
    return _pack(
        folder, "audio", splits, lambda shards, index: _in_opus(shards, index, opus), room, most_heldout,
        {**details, NORMALIZED: True},
    )  # fmt: skip


def pack_codes(
    folder: Path, splits: dict[str, ShardSet], room: int, most_heldout: int, details: dict[str, Any]
) -> Packed:
    """Write coded shards of at most ``room`` bytes, chosen as in ``pack_audio``."""
    return _pack(folder, "codes", splits, _as_it_is, room, most_heldout, details)


def _pack(
    folder: Path,
    kind: Kind,
    splits: dict[str, ShardSet],
    convert: Convert,
    room: int,
    most_heldout: int,
    details: dict[str, Any],
) -> Packed:
    folder.mkdir()
    infos: dict[str, list[ShardInfo]] = {}
    left = unspeakable = 0
    for split in ("heldout", "train"):  # The held-out samples come first: they are few, and some are always needed.
        order = _spread(splits[split])
        if split == "heldout":
            left, order = left + len(order[most_heldout:]), order[:most_heldout]
        samples, looked_at, dropped, room = _fitting(splits[split], order, convert, room)
        left, unspeakable = left + len(order) - looked_at, unspeakable + dropped
        infos[split] = [
            write_shard(shard_path(folder, split, number), samples[start : start + SHARD_SAMPLES])
            for number, start in enumerate(range(0, len(samples), SHARD_SAMPLES))
        ]
    if not infos["train"]:
        raise ShardError(
            f"{folder.name}: not one training sample fits; raise --megabytes, or leave out weights or wheels"
        )
    write_index(folder, kind, {split: infos[split] for split in ("train", "heldout")}, details)
    counts = {split: sum(info.samples for info in shards) for split, shards in infos.items()}
    seconds = {split: sum(info.seconds for info in shards) for split, shards in infos.items()}
    return Packed(counts, seconds, left, unspeakable)


def _spread(shards: ShardSet) -> list[int]:
    """The numbers of the samples in the order of a hash of their keys; a repeated sample comes once."""
    unique = {shards.place(index): index for index in reversed(range(len(shards)))}
    return sorted(unique.values(), key=lambda index: (hashlib.sha256(shards.keys[index].encode()).digest(), index))


def _fitting(shards: ShardSet, order: Sequence[int], convert: Convert, room: int) -> tuple[list[Sample], int, int, int]:
    """The first samples of ``order`` that fit into ``room`` bytes, how many were looked at and dropped, and what is left."""
    chosen: list[Sample] = []
    keys: set[str] = set()
    looked_at = dropped = 0
    for index, sample in _converted(shards, order, convert):
        if sample is None:
            looked_at, dropped = looked_at + 1, dropped + 1
            continue
        if sample.key in keys:  # two folders may have a key in common
            sample = Sample(f"{sample.key}-{index}", sample.meta, sample.payload, sample.extension)
        size = _bytes_of(sample) + (0 if len(chosen) % SHARD_SAMPLES else _SHARD_BYTES)
        if size > room:
            break
        room, looked_at = room - size, looked_at + 1
        chosen.append(sample)
        keys.add(sample.key)
    return chosen, looked_at, dropped, room


def _converted(shards: ShardSet, order: Sequence[int], convert: Convert) -> Iterator[tuple[int, Sample | None]]:
    """The samples of ``order`` one after another, converted by threads a little ahead of what is asked for."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in track(
            range(0, len(order), SHARD_SAMPLES), "pack", -(-len(order) // SHARD_SAMPLES), Console(stderr=True)
        ):
            part = order[start : start + SHARD_SAMPLES]
            yield from zip(part, pool.map(lambda index: convert(shards, index), part), strict=True)


def _bytes_of(sample: Sample) -> int:
    """The bytes that a sample takes in a tar and in the file beside it."""
    meta = json.dumps(sample.meta, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return sum(_BLOCK - (-len(data) // _BLOCK) * _BLOCK for data in (sample.payload, meta)) + _SIDECAR_BYTES


def _in_opus(shards: ShardSet, index: int, opus: Opus) -> Sample | None:
    """A sample with its sound in Opus and its text normalised; None if its text cannot be spoken."""
    key, meta, payload = shards.keys[index], shards.meta(index), shards.payload(index)
    try:
        meta["normalized"] = normalize(meta["text"])
    except TextError:
        return None
    is_near = 8 * len(payload) <= _NEAR * opus.bit_rate * shards.durations_s[index]
    if not (shards.extension(index) == "opus" and is_near):
        sound = decode_audio(payload, key, opus.sample_rate)
        payload = encode_opus(Audio(sound.samples, sound.sample_rate), opus.bit_rate)
    # Opus allows only a few sample rates, so the sound may be stored at the next higher one.
    stored = decode_audio(payload, key)
    meta["sample_rate"], meta["duration_s"] = stored.sample_rate, round(stored.duration_s, 4)
    return Sample(key, meta, payload, "opus")


def _as_it_is(shards: ShardSet, index: int) -> Sample:
    return Sample(shards.keys[index], shards.meta(index), shards.payload(index), shards.extension(index))
