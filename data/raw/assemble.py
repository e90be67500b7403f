"""Makes shards of the samples of all recordings.

It leaves duplicates out, gives speakers one name over a collection, chooses the held-out samples, mixes the recordings,
and records why each sample was left out.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from triforce_tts.errors import ShardError
from triforce_tts.progress import track
from triforce_tts.samples import PartRecord
from triforce_tts.schema import parse_record
from triforce_tts.shards import (
    SPLITS,
    Sample,
    ShardInfo,
    ShardSet,
    left_shards,
    remove_shards,
    shard_path,
    write_index,
    write_shard,
)

from ..common.heldout import HeldOut
from ..common.segments import UNKNOWN, as_row
from ..steps.speakers import link_voices
from .duplicates import find_duplicates
from .listed import Listed
from .pipeline import PART, BuilderConfig
from .results import Account, read_segments, read_voices, sample_key, work_folder

DUPLICATE, HOSTS, HELD_TEXT = "duplicate", "may be of a held-out speaker", "held-out text"


@dataclass
class Plan:
    """The speaker's name and the split of every sample, or the reason why it is left out."""

    parts: ShardSet  # the samples of all recordings
    speakers: list[str]
    splits: list[str]  # empty if the sample is left out
    reasons: dict[str, tuple[str, str]]  # reason and value for each sample that is left out, by key
    unmatched: tuple[str, ...] = ()  # names of the held-out list that match nothing

    @property
    def is_disjoint(self) -> bool:
        """Whether no held-out speaker has samples in the training split."""
        pairs = set(zip(self.speakers, self.splits, strict=True))
        heldout_speakers = {speaker for speaker, split in pairs if split == "heldout"} - {UNKNOWN}
        return not any((speaker, "train") in pairs for speaker in heldout_speakers)

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of the speaker of each sample, by key."""
        return dict(zip(self.parts.keys, self.speakers, strict=True))


def assemble(out: Path, plan: Plan, config: BuilderConfig, details: dict[str, Any], console: Console) -> None:
    """Write the shards and ``index.json`` into ``out`` as ``plan`` says; the same plan gives the same bytes.

    Raises:
        ShardError: no recording gave any sample.
    """
    keys = plan.parts.keys
    if not any(plan.splits):
        count = details["recordings"]
        raise ShardError(f"{out}: none of the recordings could be used ({count} in all); report/ says why")
    infos: dict[str, list[ShardInfo]] = {}
    earlier = left_shards(out)
    for split in SPLITS:
        # The order by a hash mixes the recordings in every shard.
        members = [i for i in range(len(keys)) if plan.splits[i] == split]
        members.sort(key=lambda i: hashlib.sha256(keys[i].encode()).digest())
        starts = range(0, len(members), config.shard_samples)
        infos[split] = [
            write_shard(shard_path(out, split, number), _members(plan, members[start : start + config.shard_samples]))
            for number, start in enumerate(track(starts, f"shards, {split}", len(starts), console))
        ]
    write_index(out, "audio", infos, details)
    remove_shards(out, earlier - {info.name for split in infos.values() for info in split})


def make_plan(out: Path, used: Sequence[Account], config: BuilderConfig, held_list: HeldOut) -> Plan:
    """Decide for each sample of the recordings ``used``: its speaker, its split, and whether it is a duplicate.

    The recordings and readers that ``held_list`` names are held out, then whole speakers up to ``heldout_share``.

    Raises:
        ShardError: the result of a recording is damaged.
    """
    parts = ShardSet.open([work_folder(out, account.recording) for account in used], PART, "audio")
    metas = [_read_meta(parts, i) for i in range(len(parts))]
    prints = {meta.id: np.frombuffer(bytes.fromhex(meta.fingerprint), np.uint32) for meta in metas}
    texts = {meta.id: meta.text for meta in metas}
    copies = find_duplicates(prints, texts, dict(zip(parts.keys, parts.durations_s, strict=True)), config.duplicates)
    reasons = {key: (DUPLICATE, f"of {first}") for key, first in copies.items()}
    names = name_speakers(out, used, config)
    speakers = [names.get((meta.recording, meta.speaker), UNKNOWN) for meta in metas]
    listed = Listed.of(held_list, [account.recording for account in used], speakers)
    named = [meta.recording in listed.recordings for meta in metas]
    fixed = [is_named or speaker in listed.speakers for is_named, speaker in zip(named, speakers, strict=True)]
    free = [UNKNOWN if is_fixed else speaker for is_fixed, speaker in zip(fixed, speakers, strict=True)]
    seconds = sum(parts.durations_s)
    fixed_s = sum(length for is_fixed, length in zip(fixed, parts.durations_s, strict=True) if is_fixed)
    room = max(0.0, config.heldout_share - (fixed_s / seconds if seconds else 0.0))
    heldout = listed.speakers | choose_heldout(free, parts.durations_s, room)
    hosts = {meta.recording for meta, speaker in zip(metas, speakers, strict=True) if speaker in heldout}
    splits = []
    for meta, speaker, is_named in zip(metas, speakers, named, strict=True):
        split = "heldout" if is_named or speaker in heldout else "train"
        if meta.id in reasons:
            split = ""
        elif split == "train" and speaker == UNKNOWN and meta.recording in hosts:
            reasons[meta.id], split = (HOSTS, ""), ""
        elif split == "train" and (text := listed.text_in(meta.text)):
            reasons[meta.id], split = (HELD_TEXT, text), ""
        splits.append(split)
    return Plan(parts, speakers, splits, reasons, listed.unmatched)


def _read_meta(parts: ShardSet, index: int) -> PartRecord:
    return parse_record(PartRecord, json.dumps(parts.meta(index)), f"sample {parts.keys[index]}", ShardError)


def name_speakers(out: Path, used: Sequence[Account], config: BuilderConfig) -> dict[tuple[str, str], str]:
    """A speaker's name for each (recording, label); the same voice gets the same name in a whole collection."""
    by_collection: defaultdict[str, dict[tuple[str, str], npt.NDArray[np.float32]]] = defaultdict(dict)
    for account in used:
        for label, vector in read_voices(out, account.recording).items():
            by_collection[account.recording.collection][account.recording.id, label] = vector
    names = {}
    for collection, voices in sorted(by_collection.items()):
        for voice, number in link_voices(voices, config.speakers).items():
            names[voice] = f"{collection}-{number:04d}"
    return names


def choose_heldout(speakers: Sequence[str], seconds: Sequence[float], share: float) -> set[str]:
    """Speakers that together have at most ``share`` of all seconds, chosen by a hash of their names.

    Never all of them.
    """
    totals: defaultdict[str, float] = defaultdict(float)
    for speaker, length in zip(speakers, seconds, strict=True):
        totals[speaker] += length
    budget = share * sum(totals.values())
    totals.pop(UNKNOWN, None)
    chosen: set[str] = set()
    for speaker in sorted(totals, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if totals[speaker] <= budget and len(chosen) + 1 < len(totals):
            chosen.add(speaker)
            budget -= totals[speaker]
    return chosen


def _members(plan: Plan, members: Sequence[int]) -> Iterator[Sample]:
    for i in members:
        meta = plan.parts.meta(i)
        meta["speaker"] = plan.speakers[i]
        del meta["fingerprint"]
        yield Sample(plan.parts.keys[i], meta, plan.parts.payload(i), plan.parts.extension(i))


def rows_of(out: Path, account: Account, plan: Plan) -> list[Mapping[str, Any]]:
    """The segments of a recording as rows, with the speakers' names and the reasons that the plan gives."""
    rows = []
    for number, segment in enumerate(read_segments(out, account.recording)):
        key = sample_key(account.recording, number)
        if key in plan.reasons:
            segment.drop(*plan.reasons[key])
        segment.speaker = plan.names.get(key, segment.speaker)
        rows.append(as_row(segment))
    return rows
